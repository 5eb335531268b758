// Large things: offsets past 4 GiB, directories of many names, the longest paths and names; direct and appending writes.
#include "conformance.h"
#include <dirent.h>
#include <sys/sendfile.h>
#include <sys/statvfs.h>

#ifndef O_DIRECT
#define O_DIRECT 040000
#endif
#define GIB (1LL << 30)

static int holds_bytes(int fd, off_t at, const char *bytes, long n) {
    char b[64];
    return pread(fd, b, n, at) == n && !memcmp(b, bytes, n);
}
/// Whether the bytes of a literal lie there.
#define holds(fd, at, text) holds_bytes(fd, at, text, sizeof text - 1)

static void offsets(void) {
    struct stat st;
    COVERS(pwrite64, pread64, lseek, ftruncate);
    CASE(large_offsets_are_kept) {
        int fd = conformance_file("big", "start");
        CHECK_EQ(pwrite(fd, "five", 4, 5 * GIB), 4);
        CHECK_EQ(pwrite(fd, "edge", 4, 4 * GIB - 2), 4);
        CHECK(holds(fd, 5 * GIB, "five") && holds(fd, 4 * GIB - 2, "edge") && holds(fd, 0, "start"));
        CHECK(holds(fd, GIB, "\0\0\0") && !holds(fd, GIB, "st"));
        CHECK(!fstat(fd, &st) && st.st_size == 5 * GIB + 4 && st.st_blocks < 1000);
        CHECK_EQ(lseek(fd, 0, SEEK_END), 5 * GIB + 4);
        CHECK_EQ(lseek(fd, 4096, SEEK_DATA), 4 * GIB - 4096);
        CHECK_EQ(lseek(fd, 4 * GIB - 4096, SEEK_HOLE), 4 * GIB + 4096);
        CHECK_EQ(lseek(fd, 4 * GIB + 4096, SEEK_DATA), 5 * GIB);
        CHECK_EQ(ftruncate(fd, 4 * GIB + 1), 0);
        CHECK(!fstat(fd, &st) && st.st_size == 4 * GIB + 1);
        CHECK_EQ(ftruncate(fd, 7 * GIB), 0);
        CHECK(holds(fd, 4 * GIB - 2, "edg\0\0") && holds(fd, 5 * GIB, "\0\0\0\0"));
        close(fd);
    }
    COVERS(mmap, msync);
    CASE(large_offsets_are_mapped) {
        int fd = conformance_file("map", "");
        CHECK_EQ(ftruncate(fd, 6 * GIB), 0);
        char *p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 5 * GIB);
        memcpy(p + 4094, "across", 6);
        CHECK(holds(fd, 5 * GIB + 4094, "across"));
        CHECK_EQ(pwrite(fd, "W", 1, 5 * GIB), 1);
        CHECK_EQ(p[0], 'W');
        CHECK_EQ(msync(p, 8192, MS_SYNC), 0);
        munmap(p, 8192), close(fd);
    }
    COVERS(sendfile, copy_file_range, fallocate);
    CASE(large_offsets_are_copied) {
        int in = conformance_file("from", ""), out = conformance_file("to", "");
        CHECK_EQ(pwrite(in, "0123456789", 10, 4 * GIB - 5), 10);
        off_t offset = 4 * GIB - 3;
        CHECK_EQ(sendfile(out, in, &offset, 6), 6);
        CHECK_EQ(offset, 4 * GIB + 3);
        CHECK(holds(out, 0, "234567"));
        loff_t from = 4 * GIB - 5, to = 5 * GIB - 1;
        CHECK_EQ(syscall(SYS_copy_file_range, in, &from, out, &to, 10L, 0), 10);
        CHECK(from == 4 * GIB + 5 && to == 5 * GIB + 9 && holds(out, 5 * GIB - 1, "0123456789"));
        CHECK_EQ(fallocate(out, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 5 * GIB, 4), 0);
        CHECK(holds(out, 5 * GIB - 1, "0\0\0\0\0") && holds(out, 5 * GIB + 4, "56789"));
        close(in), close(out);
    }
}

static int count_names(DIR *d) {
    int n = 0;
    for (struct dirent *e; (e = readdir(d));) n += e->d_name[0] != '.';
    return n;
}

static void directories(void) {
    enum { NAMES = 3000 };
    char b[64];
    COVERS(getdents64, lseek);
    CASE(large_directory_is_listed_once_each) {
        mkdir("many", 0755);
        for (int i = 0; i < NAMES; i++) snprintf(b, sizeof b, "many/entry-%d", i), close(creat(b, 0644));
        static char seen[NAMES];
        DIR *d = opendir("many");
        for (struct dirent *e; (e = readdir(d));)
            if (e->d_name[0] != '.') seen[atoi(e->d_name + 6)]++;
        int once = 0;
        for (int i = 0; i < NAMES; i++) once += seen[i] == 1;
        CHECK_EQ(once, NAMES);
        rewinddir(d);
        CHECK_EQ(count_names(d), NAMES);
        closedir(d);
    }
    CASE(large_directory_is_continued_by_position) {
        static struct {
            long place;
            char name[32];
        } at[NAMES + 2];
        DIR *d = opendir("many");
        int n = 0;
        for (;;) {
            at[n].place = telldir(d);
            struct dirent *e = readdir(d);
            if (!e) break;
            strncat(at[n++].name, e->d_name, sizeof at[0].name - 1);
        }
        CHECK_EQ(n, NAMES + 2);
        int wrong = 0;
        for (int i = n - 1; i >= 0; i -= 97) {
            seekdir(d, at[i].place);
            struct dirent *e = readdir(d);
            wrong += !e || strcmp(e->d_name, at[i].name);
        }
        CHECK_EQ(wrong, 0);
        // Positions stay good while others come and go.
        for (int i = 0; i < NAMES; i += 2) snprintf(b, sizeof b, "many/entry-%d", i), unlink(b);
        for (int i = 0; i < 200; i++) snprintf(b, sizeof b, "many/later-%d", i), close(creat(b, 0644));
        for (int i = n - 1; i >= 0; i -= 97) {
            int number = at[i].name[0] == 'e' ? atoi(at[i].name + 6) : 0;
            if (number % 2 == 0) continue;
            seekdir(d, at[i].place);
            struct dirent *e = readdir(d);
            wrong += !e || strcmp(e->d_name, at[i].name);
        }
        CHECK_EQ(wrong, 0);
        closedir(d);
    }
    COVERS(unlinkat, rmdir);
    CASE(large_directory_is_emptied_while_listed) {
        DIR *d = opendir("many");
        int removed = 0;
        for (struct dirent *e; (e = readdir(d));)
            if (e->d_name[0] != '.') removed += !unlinkat(dirfd(d), e->d_name, 0);
        closedir(d);
        CHECK_EQ(removed, NAMES / 2 + 200);
        CHECK_EQ(rmdir("many"), 0);
    }
}

static void names(void) {
    struct stat st;
    COVERS(openat, stat, rename, readlink);
    CASE(large_path_has_4095_bytes) CHILD {
        static char path[5000];
        conformance_make("end", "here");
        for (int i = 0; i < 4092 / 2; i++) memcpy(path + 2 * i, "./", 2);
        strcpy(path + 4092, "end");
        CHECK_EQ(strlen(path), 4095);
        CHECK_EQ(stat(path, &st), 0);
        CHECK_EQ(st.st_size, 4);
        int fd = open(path, O_RDWR);
        CHECK(fd >= 0 && holds(fd, 0, "here"));
        close(fd);
        strcpy(path + 4092, "end/");
        CHECK_ERRNO(stat(path, &st), ENAMETOOLONG);
        CHECK_ERRNO(open(path, O_RDONLY), ENAMETOOLONG);
        CHECK_ERRNO(unlink(path), ENAMETOOLONG);
    }
    CASE(large_path_of_real_directories) CHILD {
        static char path[5000], name[300];
        size_t length = 0;
        memset(name, 'd', 254), name[254] = 0;
        // 16 × (254 + 1) + 15 = 4095.
        for (int i = 0; i < 16; i++) {
            length += sprintf(path + length, "%s", name);
            CHECK_EQ(mkdir(path, 0755), 0);
            path[length++] = '/';
        }
        memset(path + length, 'f', 15), path[length + 15] = 0;
        CHECK_EQ(strlen(path), 4095);
        conformance_make(path, "deep");
        CHECK(!stat(path, &st) && st.st_size == 4);
        path[length + 15] = 'f', path[length + 16] = 0;
        CHECK_ERRNO(stat(path, &st), ENAMETOOLONG);
        path[length + 15] = 0;
        CHECK_EQ(rename(path, "shallow"), 0);
        CHECK(!stat("shallow", &st) && st.st_size == 4);
    }
    CASE(large_names_of_any_bytes) {
        static char name[300], link[300], text[300];
        for (int i = 0; i < 255; i++) name[i] = (char)(0x80 + i % 0x80), link[i] = (char)(i % 46 + 1);
        conformance_make(name, "bytes");
        CHECK(!stat(name, &st) && st.st_size == 5);
        CHECK_EQ(symlink(name, link), 0);
        CHECK(readlink(link, text, 300) == 255 && !memcmp(text, name, 255));
        CHECK(!stat(link, &st) && st.st_size == 5);
        int found = 0;
        DIR *d = opendir(".");
        for (struct dirent *e; (e = readdir(d));) found += !strcmp(e->d_name, name) || !strcmp(e->d_name, link);
        closedir(d);
        CHECK_EQ(found, 2);
        name[0] = '\xff';
        CHECK_EQ(rename(link, name), 0);
        CHECK_EQ(lstat(link, &st), -1);
        CHECK(!lstat(name, &st) && S_ISLNK(st.st_mode));
        memset(name, '\xe9', 256);
        CHECK_ERRNO(creat(name, 0644), ENAMETOOLONG);
        CHECK_ERRNO(mkdir(name, 0755), ENAMETOOLONG);
    }
}

static void writing(void) {
    char b[64];
    COVERS(openat, fcntl, pwrite64, pread64);
    CASE(direct_transfers_of_whole_blocks) {
        char *p = mmap(NULL, 16384, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        int fd = open("direct", O_RDWR | O_CREAT | O_DIRECT, 0644);
        CHECK(fd >= 0 && fcntl(fd, F_GETFL) & O_DIRECT);
        memset(p, 'd', 8192);
        CHECK_EQ(pwrite(fd, p, 8192, 0), 8192);
        int buffered = open("direct", O_RDWR);
        CHECK(holds(buffered, 8188, "dddd"));
        CHECK_EQ(pwrite(buffered, "B", 1, 4096), 1);
        CHECK_EQ(pread(fd, p + 8192, 4096, 4096), 4096);
        CHECK(p[8192] == 'B' && p[8193] == 'd');
        CHECK_EQ(pread(fd, p, 4096, 8192), 0);
        CHECK_EQ(fcntl(fd, F_SETFL, 0), 0);
        CHECK(!(fcntl(fd, F_GETFL) & O_DIRECT));
        CHECK_EQ(pwrite(fd, "odd", 3, 1), 3);
        CHECK_EQ(fcntl(fd, F_SETFL, O_DIRECT), 0);
        CHECK(fcntl(fd, F_GETFL) & O_DIRECT);
        close(fd), close(buffered), munmap(p, 16384);
    }
    COVERS(write);
    CASE(appends_of_several_processes_are_whole) {
        enum { WRITERS = 4, RECORDS = 300, SIZE = 48 };
        int first = open("log", O_RDWR | O_CREAT | O_APPEND, 0644);
        pid_t children[WRITERS];
        for (int w = 0; w < WRITERS; w++) {
            children[w] = fork();
            if (children[w] == 0) {
                // Two write through one description, two through their own.
                int fd = w < 2 ? first : open("log", O_WRONLY | O_APPEND);
                for (int i = 0; i < RECORDS; i++) {
                    memset(b, 'a' + w, SIZE);
                    snprintf(b, SIZE, "%d %d", w, i);
                    b[SIZE - 1] = '\n';
                    if (write(fd, b, SIZE) != SIZE) _exit(1);
                }
                _exit(0);
            }
        }
        for (int w = 0; w < WRITERS; w++) {
            int status = -1;
            waitpid(children[w], &status, 0);
            CHECK_EQ(status, 0);
        }
        struct stat st;
        CHECK(!fstat(first, &st) && st.st_size == WRITERS * RECORDS * SIZE);
        int next[WRITERS] = {0}, wrong = 0;
        for (int r = 0; r < WRITERS * RECORDS; r++) {
            int w = -1, i = -1;
            if (pread(first, b, SIZE, r * SIZE) != SIZE || b[SIZE - 1] != '\n' || sscanf(b, "%d %d", &w, &i) != 2 || w < 0 || w >= WRITERS) {
                wrong++;
                continue;
            }
            wrong += i != next[w]++;
        }
        CHECK_EQ(wrong, 0);
        close(first);
    }
    COVERS(write, lseek);
    CASE(append_leaves_the_position_at_the_end) {
        int fd = open("position", O_RDWR | O_CREAT | O_APPEND, 0644), other = open("position", O_WRONLY | O_APPEND);
        CHECK_EQ(write(fd, "abc", 3), 3);
        CHECK_EQ(write(other, "defg", 4), 4);
        CHECK_EQ(lseek(fd, 0, SEEK_CUR), 3);
        CHECK_EQ(write(fd, "h", 1), 1);
        CHECK_EQ(lseek(fd, 0, SEEK_CUR), 8);
        CHECK_EQ(lseek(other, 0, SEEK_CUR), 7);
        // pwrite(2) appends all the same, and leaves the position.
        CHECK_EQ(pwrite(fd, "ij", 2, 0), 2);
        CHECK_EQ(lseek(fd, 0, SEEK_CUR), 8);
        CHECK(holds(fd, 0, "abcdefghij"));
        close(fd), close(other);
    }
}

int main(void) {
    conformance_enter();
    offsets();
    directories();
    names();
    writing();
    return conformance_end();
}
