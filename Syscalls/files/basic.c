// open(2), read(2), write(2), lseek(2), stat(2), rename(2), link(2), unlink(2), getdents(2), xattr(7), locks: effects and errors.
#include "conformance.h"
#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/xattr.h>

static char directory[100];
static const char *at(const char *name) {
    static char paths[8][200];
    static int next;
    char *path = paths[next++ % 8];
    snprintf(path, 200, "%s/%s", directory, name);
    return path;
}
static void make(const char *name, const char *content) {
    int fd = open(at(name), O_WRONLY | O_CREAT | O_TRUNC, 0644);
    write(fd, content, strlen(content));
    close(fd);
}

int main(void) {
    strcpy(directory, conformance_directory());
    COVERS(open, symlink);
    CASE(open_errors) {
        CHECK_ERRNO(open(at("absent"), O_RDONLY), ENOENT);
        CHECK_ERRNO(open("", O_RDONLY), ENOENT);
        CHECK_ERRNO(open("/etc/passwd/x", O_RDONLY), ENOTDIR);
        CHECK_ERRNO(open(directory, O_WRONLY), EISDIR);
        make("f", "hello");
        CHECK_ERRNO(open(at("f"), O_RDWR | O_CREAT | O_EXCL, 0600), EEXIST);
        CHECK_ERRNO(open(at("f"), O_RDONLY | O_DIRECTORY), ENOTDIR);
        char name[300];
        memset(name, 'x', 299);
        name[299] = 0;
        CHECK_ERRNO(open(at(name), O_RDONLY), ENOENT);  // truncated by snprintf: still absent
        CHECK_ERRNO(open(name, O_RDONLY), ENAMETOOLONG);
        symlink("loop", at("loop"));
        CHECK_ERRNO(open(at("loop"), O_RDONLY), ELOOP);
        CHECK_ERRNO(open(at("loop"), O_RDONLY | O_NOFOLLOW), ELOOP);
    }
    COVERS(write, read, lseek, pread64, pwrite64, ftruncate, fstat);
    CASE(read_write_seek) {
        int fd = open(at("g"), O_RDWR | O_CREAT, 0600);
        CHECK_EQ(write(fd, "0123456789", 10), 10);
        CHECK_EQ(lseek(fd, -3, SEEK_END), 7);
        char b[10];
        CHECK_EQ(read(fd, b, 10), 3);
        CHECK_EQ(read(fd, b, 10), 0);
        CHECK_ERRNO(lseek(fd, -1, SEEK_SET), EINVAL);
        CHECK_EQ(pwrite(fd, "x", 1, 100), 1);
        struct stat s;
        fstat(fd, &s);
        CHECK_EQ(s.st_size, 101);
        CHECK_EQ(pread(fd, b, 1, 50), 1);
        CHECK_EQ(b[0], 0);
        CHECK_EQ(ftruncate(fd, 5), 0);
        CHECK_EQ(lseek(fd, 0, SEEK_END), 5);
        close(fd);
        fd = open(at("g"), O_WRONLY | O_APPEND);
        CHECK_EQ(write(fd, "ab", 2), 2);
        CHECK_EQ(lseek(fd, 0, SEEK_CUR), 7);
        CHECK_ERRNO(read(fd, b, 1), EBADF);
        close(fd);
        CHECK_ERRNO(write(fd, b, 1), EBADF);
    }
    COVERS(pwrite64, fstat);
    CASE(large_file_with_hole) {
        int fd = open(at("big"), O_RDWR | O_CREAT, 0600);
        CHECK_EQ(pwrite(fd, "end", 3, 5l << 30), 3);
        struct stat s;
        fstat(fd, &s);
        CHECK_EQ(s.st_size, (5l << 30) + 3);
        CHECK(s.st_blocks < 100000);
        close(fd);
        unlink(at("big"));
    }
    COVERS(rename, renameat2);
    CASE(rename_replaces) {
        make("a", "A");
        make("b", "B");
        CHECK_EQ(rename(at("a"), at("b")), 0);
        CHECK_ERRNO(access(at("a"), F_OK), ENOENT);
        char c;
        int fd = open(at("b"), O_RDONLY);
        read(fd, &c, 1);
        CHECK_EQ(c, 'A');
        close(fd);
        mkdir(at("d"), 0755);
        CHECK_ERRNO(rename(at("b"), at("d")), EISDIR);
        CHECK_ERRNO(rename(at("d"), at("b")), ENOTDIR);
        CHECK_ERRNO(rename(at("d"), at("d/e")), EINVAL);
        CHECK_ERRNO(renameat2(AT_FDCWD, at("b"), AT_FDCWD, at("f"), RENAME_NOREPLACE), EEXIST);
        CHECK_EQ(renameat2(AT_FDCWD, at("b"), AT_FDCWD, at("d"), RENAME_EXCHANGE), 0);
        struct stat s;
        stat(at("b"), &s);
        CHECK(S_ISDIR(s.st_mode));
        rmdir(at("b"));
    }
    COVERS(link, symlink, readlink, unlink, lstat);
    CASE(links) {
        make("one", "1");
        CHECK_EQ(link(at("one"), at("two")), 0);
        struct stat s, t;
        stat(at("one"), &s);
        stat(at("two"), &t);
        CHECK_EQ(s.st_nlink, 2);
        CHECK_EQ(s.st_ino, t.st_ino);
        CHECK_EQ(unlink(at("one")), 0);
        stat(at("two"), &t);
        CHECK_EQ(t.st_nlink, 1);
        CHECK_ERRNO(link(at("absent"), at("x")), ENOENT);
        CHECK_ERRNO(link(directory, at("x")), EPERM);
        char target[20];
        symlink("two", at("soft"));
        CHECK_EQ(readlink(at("soft"), target, 2), 2);
        CHECK_ERRNO(readlink(at("two"), target, 20), EINVAL);
        lstat(at("soft"), &s);
        CHECK(S_ISLNK(s.st_mode));
        CHECK_EQ(s.st_size, 3);
    }
    COVERS(unlink, fstat);
    CASE(unlinked_file_lives_on) {
        int fd = open(at("gone"), O_RDWR | O_CREAT, 0600);
        unlink(at("gone"));
        CHECK_EQ(write(fd, "x", 1), 1);
        struct stat s;
        fstat(fd, &s);
        CHECK_EQ(s.st_nlink, 0);
        close(fd);
    }
    COVERS(mkdir, rmdir, getdents64);
    CASE(directories) {
        CHECK_EQ(mkdir(at("dir"), 0750), 0);
        CHECK_ERRNO(mkdir(at("dir"), 0750), EEXIST);
        CHECK_ERRNO(rmdir(at("two")), ENOTDIR);
        CHECK_ERRNO(unlink(at("dir")), EISDIR);
        make("dir/x", "");
        CHECK_ERRNO(rmdir(at("dir")), ENOTEMPTY);
        CHECK_ERRNO(rmdir(at("dir/.")), EINVAL);
        unlink(at("dir/x"));
        for (int i = 0; i < 300; i++) {
            char name[20];
            snprintf(name, 20, "dir/%d", i);
            make(name, "");
        }
        DIR *d = opendir(at("dir"));
        int entries = 0;
        for (struct dirent *e; (e = readdir(d));) entries += e->d_name[0] != '.';
        CHECK_EQ(entries, 300);
        rewinddir(d);
        for (struct dirent *e; (e = readdir(d));)
            if (e->d_name[0] != '.') {
                char name[300];
                snprintf(name, 300, "dir/%s", e->d_name);
                unlink(at(name));
            }
        closedir(d);
        CHECK_EQ(rmdir(at("dir")), 0);
    }
    COVERS(chmod, utimensat, umask);
    CASE(modes_and_times) {
        make("m", "");
        CHECK_EQ(chmod(at("m"), 0640), 0);
        struct stat s;
        stat(at("m"), &s);
        CHECK_EQ(s.st_mode & 07777, 0640);
        struct timespec times[2] = {{1000, 5}, {2000, 7}};
        CHECK_EQ(utimensat(AT_FDCWD, at("m"), times, 0), 0);
        stat(at("m"), &s);
        CHECK_EQ(s.st_atim.tv_sec, 1000);
        CHECK_EQ(s.st_mtim.tv_nsec, 7);
        umask(027);
        close(open(at("n"), O_CREAT | O_WRONLY, 0666));
        stat(at("n"), &s);
        CHECK_EQ(s.st_mode & 07777, 0640);
        umask(022);
    }
    COVERS(dup2, dup3, fcntl, close_range);
    CASE(descriptors) {
        int fd = open("/dev/null", O_RDWR);
        CHECK_EQ(dup2(fd, 77), 77);
        CHECK_EQ(fcntl(77, F_GETFD), 0);
        CHECK_EQ(dup3(fd, 78, O_CLOEXEC), 78);
        CHECK_EQ(fcntl(78, F_GETFD), FD_CLOEXEC);
        CHECK_ERRNO(dup3(fd, fd, 0), EINVAL);
        CHECK_EQ(fcntl(fd, F_DUPFD, 200), 200);
        CHECK_EQ(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDWR);
        CHECK_EQ(syscall(SYS_close_range, 77, 78, 0), 0);
        CHECK_ERRNO(close(77), EBADF);
        close(200);
        close(fd);
    }
    COVERS(fcntl, flock);
    CASE(record_locks) {
        int fd = open(at("m"), O_RDWR);
        struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 10};
        CHECK_EQ(fcntl(fd, F_SETLK, &l), 0);
        pid_t child = fork();
        if (child == 0) {
            struct flock probe = {.l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = 5, .l_len = 1};
            if (fcntl(fd, F_SETLK, &probe) != -1 || errno != EAGAIN) _exit(1);
            fcntl(fd, F_GETLK, &probe);
            _exit(probe.l_type == F_WRLCK && probe.l_pid == getppid() && probe.l_len == 10 ? 0 : 2);
        }
        int status;
        waitpid(child, &status, 0);
        CHECK_EQ(status, 0);
        int other = open(at("m"), O_RDWR);
        CHECK_EQ(flock(fd, LOCK_EX), 0);
        CHECK_ERRNO(flock(other, LOCK_EX | LOCK_NB), EWOULDBLOCK);
        close(fd);
        CHECK_EQ(flock(other, LOCK_EX | LOCK_NB), 0);
        close(other);
    }
    COVERS(access, faccessat, openat);
    CASE(path_components) {
        CHECK_EQ(access("/usr/../usr/./bin//", F_OK), 0);
        CHECK_EQ(access("/..", F_OK), 0);
        CHECK_ERRNO(access("/etc/passwd/", F_OK), ENOTDIR);
        int d = open(directory, O_PATH | O_DIRECTORY);
        CHECK_EQ(faccessat(d, "m", F_OK, 0), 0);
        char c;
        CHECK_ERRNO(read(d, &c, 1), EBADF);
        CHECK_ERRNO(openat(0x7fffffff, "m", O_RDONLY), EBADF);
        close(d);
    }
    COVERS(chdir, getcwd);
    CASE(working_directory) {
        char before[200], now[200];
        getcwd(before, 200);
        CHECK_EQ(chdir(directory), 0);
        CHECK(strcmp(getcwd(now, 200), directory) == 0);
        CHECK_EQ(access("m", F_OK), 0);
        CHECK_ERRNO(syscall(SYS_getcwd, now, 2), ERANGE);
        chdir(before);
    }
    COVERS(open, read, write);
    CASE(device_files) {
        char b[16] = "x";
        int fd = open("/dev/zero", O_RDWR);
        CHECK_EQ(read(fd, b, 16), 16);
        CHECK_EQ(b[0], 0);
        close(fd);
        fd = open("/dev/full", O_RDWR);
        CHECK_ERRNO(write(fd, b, 1), ENOSPC);
        close(fd);
        fd = open("/dev/null", O_RDWR);
        CHECK_EQ(read(fd, b, 16), 0);
        CHECK_EQ(write(fd, b, 16), 16);
        close(fd);
        fd = open("/dev/urandom", O_RDONLY);
        CHECK_EQ(read(fd, b, 16), 16);
        close(fd);
    }
    COVERS(copy_file_range);
    CASE(copies_between_files) {
        make("src", "0123456789");
        int in = open(at("src"), O_RDONLY), out = open(at("dst"), O_RDWR | O_CREAT | O_TRUNC, 0600);
        loff_t from = 2, to = 0;
        CHECK_EQ(copy_file_range(in, &from, out, &to, 5, 0), 5);
        char b[8] = "";
        CHECK_EQ(pread(out, b, 8, 0), 5);
        CHECK_EQ(memcmp(b, "23456", 5), 0);
        close(in);
        close(out);
    }
    char command[200];
    snprintf(command, sizeof command, "rm -rf %s", directory);
    return conformance_end() | (system(command) != 0);
}
