// Files that were there before the program started: in the sandbox, those of the read-only layer, which changes copy up. The harness
// makes them on the host (CONFORMANCE_PREPARE) and names their directory (CONFORMANCE_PREPARED).
#include "conformance.h"
#include <dirent.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/sendfile.h>
#include <sys/xattr.h>

static struct stat s, t;
static char b[200000];

static void prepare(const char *directory) {
    mkdir(directory, 0755);
    if (chdir(directory)) exit(2);
    const char *files[] = {"read",   "append",  "mapped", "trunc",  "move",   "over_a", "over_b", "gone",    "excl",   "stable",
                           "mode",   "xattr",   "times",  "kept",   "locked", "watch",  "path",   "shared",  "punch",  "private",
                           "source", "linkable", "open1", "replace"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) conformance_make(files[i], "0123456789");
    conformance_make("hard1", "hard");
    link("hard1", "hard2");
    const char *directories[] = {"dir", "dir/deep", "full", "empty", "mode_dir", "merged", "many", "opaque", "cwd", "target_dir"};
    for (size_t i = 0; i < sizeof directories / sizeof *directories; i++) mkdir(directories[i], 0755);
    const char *inside[] = {"dir/a", "dir/deep/x", "full/f", "merged/one", "merged/two", "opaque/old"};
    for (size_t i = 0; i < sizeof inside / sizeof *inside; i++) conformance_make(inside[i], inside[i]);
    for (int i = 0; i < 100; i++) {
        char name[30];
        snprintf(name, 30, "many/%d", i);
        conformance_make(name, "");
    }
    symlink("read", "link");
    symlink("dir", "dirlink");
    setxattr("xattr", "user.a", "old", 3, 0);
    struct timespec old[2] = {{1000, 0}, {2000, 0}};
    utimensat(AT_FDCWD, "times", old, 0);
    mkfifo("fifo", 0600);
    int fd = conformance_file("sparse", "");
    ftruncate(fd, 1 << 20);
    pwrite(fd, "x", 1, 1 << 19);
    fd = conformance_file("big", "");
    for (int i = 0; i < 200000; i++) b[i] = (char)(i * 7);
    pwrite(fd, b, 200000, 0);
    fd = conformance_file("big_copy", "");
    pwrite(fd, b, 200000, 0);
}

static int holds(const char *path, const char *text) {
    char content[100] = "";
    int fd = open(path, O_RDONLY);
    long n = fd < 0 ? -1 : read(fd, content, 99);
    close(fd);
    return n == (long)strlen(text) && !strcmp(content, text);
}
static int count(const char *path) {
    DIR *d = opendir(path);
    int n = 0;
    for (struct dirent *e; d && (e = readdir(d));) n += strcmp(e->d_name, ".") && strcmp(e->d_name, "..");
    if (d) closedir(d);
    return d ? n : -1;
}

static void data(void) {
    COVERS(open, read, write);
    CASE(prepared_content) {
        CHECK(holds("read", "0123456789"));
        CHECK(holds("link", "0123456789"));
        CHECK(holds("dirlink/deep/x", "dir/deep/x"));
    }
    CASE(prepared_reader_sees_later_write) {
        int r = open("append", O_RDONLY), w = open("append", O_WRONLY | O_APPEND);
        CHECK_EQ(read(r, b, 10), 10);
        CHECK_EQ(write(w, "new", 3), 3);
        CHECK_EQ(read(r, b, 10), 3);
        CHECK_EQ(fstat(r, &s), 0);
        CHECK_EQ(s.st_size, 13);
        close(r), close(w);
        CHECK(holds("append", "0123456789new"));
    }
    CASE(prepared_write_in_the_middle_of_a_big_file) {
        int fd = open("big", O_RDWR);
        CHECK_EQ(pwrite(fd, "XYZ", 3, 100000), 3);
        CHECK_EQ(pread(fd, b, 200000, 0), 200000);
        int bad = 0;
        for (int i = 0; i < 200000; i++) bad |= (i < 100000 || i > 100002) && b[i] != (char)(i * 7);
        CHECK(!bad && b[100001] == 'Y');
        close(fd);
    }
    COVERS(mmap, write);
    CASE(prepared_mapping_sees_later_write) {
        int r = open("mapped", O_RDONLY);
        char *p = mmap(NULL, 4096, PROT_READ, MAP_SHARED, r, 0);
        CHECK_EQ(p[0], '0');
        int w = open("mapped", O_WRONLY);
        write(w, "ab", 2);
        CHECK_EQ(p[0], 'a');
        munmap(p, 4096), close(r), close(w);
    }
    CASE(prepared_private_mapping_stays_private) {
        int r = open("private", O_RDONLY);
        char *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, r, 0);
        p[0] = 'z';
        CHECK(holds("private", "0123456789"));
        munmap(p, 4096), close(r);
    }
    CASE(prepared_shared_mapping_writes_back) {
        int fd = open("shared", O_RDWR);
        char *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        memcpy(p, "abc", 3);
        munmap(p, 4096), close(fd);
        CHECK(holds("shared", "abc3456789"));
    }
    COVERS(truncate, ftruncate, fallocate);
    CASE(prepared_truncation) {
        CHECK_EQ(truncate("trunc", 4), 0);
        CHECK(holds("trunc", "0123"));
        close(open("trunc", O_WRONLY | O_TRUNC));
        CHECK(holds("trunc", ""));
    }
    CASE(prepared_hole_is_punched) {
        int fd = open("punch", O_RDWR);
        CHECK_EQ(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 2, 3), 0);
        CHECK_EQ(pread(fd, b, 10, 0), 10);
        CHECK(b[1] == '1' && b[2] == 0 && b[4] == 0 && b[5] == '5');
        close(fd);
    }
    COVERS(lseek);
    CASE(prepared_holes_are_found) {
        int fd = open("sparse", O_RDWR);
        CHECK_EQ(lseek(fd, 0, SEEK_HOLE), 0);
        CHECK_EQ(lseek(fd, 0, SEEK_DATA), 1 << 19);
        pwrite(fd, "y", 1, 0);
        CHECK_EQ(lseek(fd, 0, SEEK_DATA), 0);
        CHECK_EQ(lseek(fd, 4096, SEEK_DATA), 1 << 19);
        close(fd);
    }
    COVERS(sendfile, copy_file_range);
    CASE(prepared_file_is_copied) {
        int in = open("source", O_RDONLY), out = open("copied", O_RDWR | O_CREAT, 0600);
        loff_t from = 2;
        CHECK_EQ(copy_file_range(in, &from, out, NULL, 3, 0), 3);
        CHECK_EQ(sendfile(out, in, NULL, 2), 2);
        close(in), close(out);
        CHECK(holds("copied", "23401"));
    }
    COVERS(write, fork);
    CASE(prepared_file_is_first_written_by_several) {
        for (int i = 0; i < 4; i++)
            if (fork() == 0) {
                int fd = open("big_copy", O_WRONLY);
                char line[1000];
                memset(line, 'A' + i, sizeof line);
                pwrite(fd, line, sizeof line, i * 50000);
                _exit(0);
            }
        while (wait(NULL) > 0) {
        }
        int fd = open("big_copy", O_RDONLY), bad = 0;
        CHECK_EQ(read(fd, b, 200000), 200000);
        for (int i = 0; i < 200000; i++) bad |= b[i] != (i % 50000 < 1000 ? (char)('A' + i / 50000) : (char)(i * 7));
        CHECK(!bad);
        close(fd);
    }
    COVERS(open, mknod);
    CASE(prepared_fifo_connects) {
        int r = open("fifo", O_RDONLY | O_NONBLOCK), w = open("fifo", O_WRONLY);
        CHECK(r >= 0 && w >= 0);
        write(w, "q", 1);
        CHECK_EQ(read(r, b, 10), 1);
        close(r), close(w);
    }
}

static void attributes(void) {
    COVERS(stat, write);
    CASE(prepared_inode_stays_the_same) {
        stat("stable", &s);
        int fd = open("stable", O_RDWR);
        write(fd, "x", 1);
        fstat(fd, &t);
        CHECK_EQ(s.st_ino, t.st_ino);
        CHECK_EQ(s.st_dev, t.st_dev);
        stat("stable", &t);
        CHECK_EQ(s.st_ino, t.st_ino);
        close(fd);
    }
    CASE(prepared_path_descriptor_sees_change) {
        int path = open("path", O_PATH), w = open("path", O_WRONLY | O_TRUNC);
        fstat(path, &s);
        CHECK_EQ(s.st_size, 0);
        close(path), close(w);
    }
    COVERS(chmod, chown, utimensat);
    CASE(prepared_mode_changes_alone) {
        stat("mode", &s);
        CHECK_EQ(chmod("mode", 0600), 0);
        stat("mode", &t);
        CHECK_EQ(t.st_mode & 07777, 0600);
        CHECK(s.st_ino == t.st_ino && s.st_size == t.st_size && s.st_mtim.tv_nsec == t.st_mtim.tv_nsec);
        CHECK(holds("mode", "0123456789"));
        CHECK_EQ(chmod("mode_dir", 0700), 0);
        stat("mode_dir", &t);
        CHECK_EQ(t.st_mode, S_IFDIR | 0700);
    }
    CASE(prepared_times) {
        stat("times", &s);
        CHECK(s.st_atim.tv_sec == 1000 && s.st_mtim.tv_sec == 2000);
        struct timespec only[2] = {{0, UTIME_OMIT}, {3000, 5}};
        CHECK_EQ(utimensat(AT_FDCWD, "times", only, 0), 0);
        stat("times", &s);
        CHECK(s.st_atim.tv_sec == 1000 && s.st_mtim.tv_sec == 3000 && s.st_mtim.tv_nsec == 5);
    }
    CASE(prepared_owner_of_link) {
        lstat("link", &s);
        CHECK_EQ(lchown("link", -1, getegid()), 0);
        lstat("link", &t);
        CHECK(S_ISLNK(t.st_mode) && t.st_gid == getegid() && s.st_ino == t.st_ino);
    }
    COVERS(getxattr, setxattr, removexattr, listxattr);
    CASE(prepared_attributes_survive_a_write) {
        int fd = open("xattr", O_RDWR);
        CHECK_EQ(getxattr("xattr", "user.a", b, 100), 3);
        write(fd, "x", 1);
        CHECK_EQ(fgetxattr(fd, "user.a", b, 100), 3);
        CHECK_EQ(setxattr("xattr", "user.b", "new", 3, 0), 0);
        CHECK_EQ(listxattr("xattr", b, 100), 14);
        CHECK_EQ(removexattr("xattr", "user.a"), 0);
        CHECK_ERRNO(getxattr("xattr", "user.a", b, 100), ENODATA);
        CHECK_EQ(listxattr("xattr", b, 100), 7);
        close(fd);
    }
    COVERS(fcntl, flock, write);
    CASE(prepared_locks_hold_across_the_first_write) {
        int fd = open("locked", O_RDWR);
        struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 5};
        CHECK_EQ(fcntl(fd, F_SETLK, &l), 0);
        CHECK_EQ(flock(fd, LOCK_EX), 0);
        write(fd, "x", 1);
        CHILD {
            int other = open("locked", O_RDWR);
            struct flock probe = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1};
            CHECK_ERRNO(fcntl(other, F_SETLK, &probe), EAGAIN);
            CHECK_ERRNO(flock(other, LOCK_EX | LOCK_NB), EWOULDBLOCK);
        }
        close(fd);
    }
    COVERS(inotify_add_watch, write);
    CASE(prepared_file_is_watched) {
        int in = inotify_init1(IN_NONBLOCK);
        inotify_add_watch(in, "watch", IN_MODIFY);
        int fd = open("watch", O_WRONLY);
        write(fd, "x", 1);
        CHECK_EQ(read(in, b, 100), sizeof(struct inotify_event));
        close(fd), close(in);
    }
}

static void names(void) {
    COVERS(unlink, open);
    CASE(prepared_name_goes_and_comes_back) {
        int before = open("gone", O_RDONLY);
        CHECK_EQ(unlink("gone"), 0);
        CHECK_ERRNO(open("gone", O_RDONLY), ENOENT);
        CHECK_EQ(read(before, b, 100), 10);
        fstat(before, &s);
        CHECK_EQ(s.st_nlink, 0);
        int fd = open("gone", O_RDWR | O_CREAT | O_EXCL, 0600);
        CHECK(fd >= 0);
        fstat(fd, &t);
        CHECK_EQ(t.st_size, 0);
        CHECK(s.st_ino != t.st_ino);
        close(before), close(fd);
    }
    CASE(prepared_name_is_exclusive) CHECK_ERRNO(open("excl", O_RDWR | O_CREAT | O_EXCL, 0600), EEXIST);
    COVERS(link, unlink);
    CASE(prepared_hard_links_are_one_file) {
        stat("hard1", &s);
        stat("hard2", &t);
        CHECK(s.st_ino == t.st_ino && s.st_nlink == 2);
        int fd = open("hard1", O_WRONLY | O_APPEND);
        write(fd, "er", 2);
        close(fd);
        CHECK(holds("hard2", "harder"));
        CHECK_EQ(unlink("hard1"), 0);
        stat("hard2", &t);
        CHECK_EQ(t.st_nlink, 1);
        CHECK(holds("hard2", "harder"));
    }
    CASE(prepared_file_gets_another_name) {
        CHECK_EQ(link("linkable", "linked"), 0);
        stat("linkable", &s);
        stat("linked", &t);
        CHECK(s.st_ino == t.st_ino && s.st_nlink == 2);
        CHECK_EQ(truncate("linked", 1), 0);
        CHECK(holds("linkable", "0"));
    }
    COVERS(rename);
    CASE(prepared_file_moves) {
        stat("move", &s);
        CHECK_EQ(rename("move", "dir/moved"), 0);
        stat("dir/moved", &t);
        CHECK_EQ(s.st_ino, t.st_ino);
        CHECK(holds("dir/moved", "0123456789"));
        CHECK_ERRNO(open("move", O_RDONLY), ENOENT);
        CHECK_EQ(rename("over_a", "over_b"), 0);
        CHECK_ERRNO(access("over_a", F_OK), ENOENT);
    }
    CASE(prepared_directory_moves_with_its_content) {
        int inside = open("dir/deep", O_RDONLY);
        CHECK_EQ(rename("dir", "dir2"), 0);
        CHECK(holds("dir2/a", "dir/a"));
        CHECK(holds("dir2/deep/x", "dir/deep/x"));
        CHECK_EQ(faccessat(inside, "x", F_OK, 0), 0);
        CHECK_EQ(access("dirlink", F_OK), -1);
        CHECK_EQ(mkdir("dir", 0755), 0);
        CHECK_EQ(count("dir"), 0);
        close(inside);
    }
    CASE(prepared_file_is_replaced_by_a_new_one) {
        conformance_make("fresh", "fresh");
        CHECK_EQ(rename("fresh", "replace"), 0);
        CHECK(holds("replace", "fresh"));
    }
    CASE(prepared_things_are_exchanged) {
        CHECK_EQ(renameat2(AT_FDCWD, "kept", AT_FDCWD, "target_dir", RENAME_EXCHANGE), 0);
        CHECK(holds("target_dir", "0123456789"));
        stat("kept", &s);
        CHECK(S_ISDIR(s.st_mode));
    }
    CASE(prepared_link_moves) {
        CHECK_EQ(rename("link", "link2"), 0);
        CHECK_EQ(readlink("link2", b, 100), 4);
    }
    COVERS(rmdir, mkdir, getdents64);
    CASE(prepared_directory_must_be_empty) {
        CHECK_ERRNO(rmdir("full"), ENOTEMPTY);
        CHECK_EQ(unlink("full/f"), 0);
        CHECK_EQ(count("full"), 0);
        CHECK_EQ(rmdir("full"), 0);
        CHECK_EQ(rmdir("empty"), 0);
        CHECK_ERRNO(access("empty", F_OK), ENOENT);
    }
    CASE(prepared_directory_comes_back_empty) {
        unlink("opaque/old");
        CHECK_EQ(rmdir("opaque"), 0);
        CHECK_EQ(mkdir("opaque", 0755), 0);
        CHECK_EQ(count("opaque"), 0);
        CHECK_ERRNO(access("opaque/old", F_OK), ENOENT);
        conformance_make("opaque/new", "n");
        CHECK_EQ(count("opaque"), 1);
    }
    CASE(prepared_directory_lists_old_and_new_once) {
        conformance_make("merged/three", "");
        unlink("merged/one");
        truncate("merged/two", 0);
        CHECK_EQ(count("merged"), 2);
        conformance_make("merged/one", "");
        CHECK_EQ(count("merged"), 3);
    }
    CASE(prepared_directory_is_emptied_while_read) {
        DIR *d = opendir("many");
        int removed = 0;
        for (struct dirent *e; (e = readdir(d));)
            if (e->d_name[0] != '.') removed += !unlinkat(dirfd(d), e->d_name, 0);
        closedir(d);
        CHECK_EQ(removed, 100);
        CHECK_EQ(rmdir("many"), 0);
    }
    COVERS(chdir, getcwd, rename);
    CASE(prepared_working_directory_is_renamed) CHILD {
        chdir("cwd");
        CHECK_EQ(rename("../cwd", "../cwd2"), 0);
        CHECK(getcwd(b, 4096) && !strcmp(b + strlen(b) - 5, "/cwd2"));
        conformance_make("here", "");
        CHECK_EQ(access("../cwd2/here", F_OK), 0);
    }
}

int main(void) {
    if (getenv("CONFORMANCE_PREPARE")) {
        prepare(getenv("CONFORMANCE_PREPARE"));
        return 0;
    }
    const char *prepared = getenv("CONFORMANCE_PREPARED");
    if (!prepared) {
        conformance_enter();
        prepare("prepared");
    } else if (chdir(prepared)) {
        return 2;
    }
    data();
    attributes();
    names();
    return conformance_end();
}
