// path_resolution(7): components, slashes, links, limits, and which error comes first. /proc/self/fd.
#include "conformance.h"
#include <limits.h>

static struct stat s, t;
static int opens(const char *path) {
    int fd = open(path, O_RDONLY);
    if (fd < 0) return 0;
    close(fd);
    return 1;
}

static void components(void) {
    COVERS(stat, open);
    CASE(path_slashes_and_dots) {
        mkdir("d", 0755);
        conformance_make("d/f", "");
        CHECK(opens("d//f"));
        CHECK(opens("./d/./f"));
        CHECK(opens("d/../d/f"));
        CHECK(opens("d/./././f"));
        CHECK(opens("////"));
        CHECK(opens("/../../.."));
    }
    CASE(path_trailing_slash_wants_a_directory) {
        mkdir("ts", 0755);
        conformance_make("tf", "");
        symlink("ts", "tl");
        symlink("tf", "tlf");
        CHECK(opens("ts/"));
        CHECK(opens("ts///"));
        CHECK(opens("tl/"));
        CHECK_ERRNO(open("tf/", O_RDONLY), ENOTDIR);
        CHECK_ERRNO(open("tlf/", O_RDONLY), ENOTDIR);
        CHECK_ERRNO(open("tf/.", O_RDONLY), ENOTDIR);
        CHECK_ERRNO(open("tf/..", O_RDONLY), ENOTDIR);
    }
    CASE(path_first_fault_decides) {
        conformance_make("ff", "");
        CHECK_ERRNO(open("absent/../ff", O_RDONLY), ENOENT);
        CHECK_ERRNO(open("ff/../ff", O_RDONLY), ENOTDIR);
        CHECK_ERRNO(open("ff/absent", O_RDONLY), ENOTDIR);
        char path[400] = "absent/";
        memset(path + 7, 'n', 300);
        path[307] = 0;
        CHECK_ERRNO(open(path, O_RDONLY), ENOENT);
        memmove(path, "./", 2);
        memset(path + 2, 'n', 300);
        CHECK_ERRNO(open(path, O_RDONLY), ENAMETOOLONG);
    }
    CASE(path_parent_through_link_is_the_targets) {
        mkdir("p1", 0755);
        mkdir("p1/inner", 0755);
        conformance_make("p1/f", "");
        symlink("p1/inner", "plink");
        CHECK(opens("plink/../f"));
        CHECK(!opens("plink/../plink"));
    }
    CASE(path_dot_dot_of_root_is_root) {
        stat("/", &s);
        stat("/..", &t);
        CHECK(s.st_ino == t.st_ino && s.st_dev == t.st_dev);
        stat("/proc/..", &t);
        CHECK(s.st_ino == t.st_ino && s.st_dev == t.st_dev);
    }
    CASE(path_bytes_are_any_but_slash) {
        const char *names[] = {" ", "\n", "\xff\xfe", "*?[", "...", "-", "\\", "a\tb", ".hidden", "\x01"};
        for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
            conformance_make(names[i], "");
            CHECK_EQ(access(names[i], F_OK), 0);
            CHECK_EQ(unlink(names[i]), 0);
        }
    }
    CASE(path_names_are_case_sensitive) {
        conformance_make("Case", "");
        CHECK_ERRNO(access("case", F_OK), ENOENT);
    }
    CASE(path_components_of_255_bytes_nest) CHILD {
        char name[256];
        memset(name, 'k', 255);
        name[255] = 0;
        for (int i = 0; i < 20; i++) {
            if (mkdir(name, 0755) || chdir(name)) FAIL_("depth %d: errno %d", i, errno);
        }
        char b[8192];
        CHECK(syscall(SYS_getcwd, b, 8192) == -1 && errno == ENAMETOOLONG);
        CHECK_EQ(chdir(".."), 0);
        CHECK_EQ(access(name, F_OK), 0);
    }
    COVERS(symlink, open);
    CASE(path_links_with_absolute_and_empty_parts) {
        char cwd[300], target[400];
        getcwd(cwd, 300);
        conformance_make("abs", "");
        snprintf(target, 400, "%s//./abs", cwd);
        symlink(target, "absl");
        CHECK(opens("absl"));
        symlink(".", "here");
        CHECK(opens("here/here/here/abs"));
        symlink("/", "slash");
        CHECK(opens("slash/proc/version"));
    }
    CASE(path_trailing_slash_follows_every_link) {
        mkdir("tsd", 0755);
        symlink("tsd", "ts1");
        symlink("ts1", "ts2");
        symlink("ts_self", "ts_self");
        CHECK_EQ(lstat("ts2/", &s), 0);
        CHECK(S_ISDIR(s.st_mode));
        char b[10];
        CHECK_ERRNO(readlink("ts2/", b, 10), EINVAL);
        int fd = open("ts2/", O_RDONLY | O_NOFOLLOW);
        CHECK(fd >= 0);
        close(fd);
        CHECK_ERRNO(open("ts_self/", O_RDONLY | O_NOFOLLOW), ELOOP);
        CHECK_ERRNO(readlink("ts_self/", b, 10), ELOOP);
    }
    CASE(path_dangling_link_creation) {
        symlink("no_dir/x", "dl");
        CHECK_ERRNO(open("dl", O_RDWR | O_CREAT, 0600), ENOENT);
        symlink("dl_target", "dl2");
        CHECK_ERRNO(mkdir("dl2", 0755), EEXIST);
        CHECK_ERRNO(mkdir("dl2/", 0755), EEXIST);
        CHECK_ERRNO(open("dl2", O_RDWR | O_CREAT | O_NOFOLLOW, 0600), ELOOP);
    }
    CASE(path_link_text_is_bounded_with_its_rest) {
        char target[4096];
        memset(target, '/', 4000);
        target[0] = '.';
        target[4000] = 0;
        symlink(target, "longl");
        CHECK(opens("longl"));
        CHECK(opens("longl/././."));
    }
    CASE(path_link_counts_across_components) {
        mkdir("lc", 0755);
        symlink("lc", "lc1");
        char path[300] = "";
        for (int i = 0; i < 40; i++) strcat(path, i ? "/../lc1" : "lc1");
        CHECK(opens(path));
        strcat(path, "/../lc1");
        CHECK_ERRNO(open(path, O_RDONLY), ELOOP);
    }
}

static void magic(void) {
    char path[64], b[600], cwd[300], wanted[600];
    getcwd(cwd, 300);
    COVERS(readlink, open);
    CASE(descriptor_links_name_files) {
        int fd = conformance_file("named", "");
        snprintf(path, 64, "/proc/self/fd/%d", fd);
        snprintf(wanted, 600, "%s/named", cwd);
        long n = readlink(path, b, 600);
        CHECK(n == (long)strlen(wanted) && !memcmp(b, wanted, n));
        rename("named", "renamed");
        snprintf(wanted, 600, "%s/renamed", cwd);
        n = readlink(path, b, 600);
        CHECK(n == (long)strlen(wanted) && !memcmp(b, wanted, n));
        unlink("renamed");
        strcat(wanted, " (deleted)");
        n = readlink(path, b, 600);
        CHECK(n == (long)strlen(wanted) && !memcmp(b, wanted, n));
        close(fd);
    }
    CASE(descriptor_links_open_deleted_files) {
        int fd = conformance_file("dead", "abc");
        unlink("dead");
        snprintf(path, 64, "/proc/self/fd/%d", fd);
        int again = open(path, O_RDWR);
        CHECK(again >= 0);
        CHECK_EQ(read(again, b, 10), 3);
        CHECK_EQ(stat(path, &s), 0);
        CHECK_EQ(s.st_nlink, 0);
        CHECK_EQ(truncate(path, 1), 0);
        fstat(fd, &s);
        CHECK_EQ(s.st_size, 1);
        close(fd), close(again);
    }
    CASE(descriptor_links_check_permission_anew) CHILD {
        int fd = conformance_file("ro", "abc");
        fchmod(fd, 0400);
        int r = open("ro", O_RDONLY);
        if (conformance_is_root()) {
            conformance_become_nobody();
            snprintf(path, 64, "/proc/self/fd/%d", r);
            CHECK_ERRNO(open(path, O_RDWR), EACCES);
        }
    }
    CASE(descriptor_links_to_directories_are_bases) {
        mkdir("base", 0755);
        conformance_make("base/f", "");
        int d = open("base", O_PATH);
        snprintf(path, 64, "/proc/self/fd/%d/f", d);
        CHECK_EQ(access(path, F_OK), 0);
        snprintf(path, 64, "/proc/self/fd/%d/..", d);
        stat(path, &s);
        stat(".", &t);
        CHECK_EQ(s.st_ino, t.st_ino);
        close(d);
    }
    CASE(descriptor_links_have_access_bits) {
        int r = open("/dev/null", O_RDONLY), w = open("/dev/null", O_WRONLY);
        snprintf(path, 64, "/proc/self/fd/%d", r);
        lstat(path, &s);
        CHECK_EQ(s.st_mode & 0777, 0500);
        snprintf(path, 64, "/proc/self/fd/%d", w);
        lstat(path, &s);
        CHECK_EQ(s.st_mode & 0777, 0300);
        CHECK(S_ISLNK(s.st_mode));
        close(r), close(w);
    }
    CASE(descriptor_links_of_pipes_and_anonymous_files) {
        int p[2];
        pipe(p);
        snprintf(path, 64, "/proc/self/fd/%d", p[0]);
        fstat(p[0], &s);
        snprintf(wanted, 600, "pipe:[%lu]", (unsigned long)s.st_ino);
        long n = readlink(path, b, 600);
        CHECK(n == (long)strlen(wanted) && !memcmp(b, wanted, n));
        close(p[0]), close(p[1]);
    }
    CASE(descriptor_links_absent) {
        CHECK_ERRNO(readlink("/proc/self/fd/999", b, 100), ENOENT);
        CHECK_ERRNO(open("/proc/self/fd/x", O_RDONLY), ENOENT);
        CHECK_ERRNO(open("/proc/self/fd/999", O_RDONLY), ENOENT);
    }
    COVERS(open, lseek, fcntl);
    CASE(descriptor_information) {
        int fd = conformance_file("info", "0123456789");
        lseek(fd, 7, SEEK_SET);
        fcntl(fd, F_SETFL, O_APPEND);
        fcntl(fd, F_SETFD, FD_CLOEXEC);
        snprintf(path, 64, "/proc/self/fdinfo/%d", fd);
        FILE *f = fopen(path, "r");
        long pos = -1;
        unsigned flags = 0;
        CHECK(f && fscanf(f, "pos:\t%ld\nflags:\t%o", &pos, &flags) == 2);
        CHECK_EQ(pos, 7);
        CHECK_EQ(flags, O_RDWR | O_APPEND | O_CLOEXEC | 0100000);
        if (f) fclose(f);
        close(fd);
    }
    CASE(working_directory_and_root_links) {
        long n = readlink("/proc/self/root", b, 100);
        CHECK(n == 1 && b[0] == '/');
        stat("/proc/self/cwd", &s);
        stat(".", &t);
        CHECK_EQ(s.st_ino, t.st_ino);
        CHECK_EQ(access("/proc/self/cwd/.", F_OK), 0);
    }
    CASE(self_leads_to_the_process) {
        snprintf(wanted, 600, "%d", getpid());
        long n = readlink("/proc/self", b, 100);
        CHECK(n == (long)strlen(wanted) && !memcmp(b, wanted, n));
        CHILD {
            n = readlink("/proc/self", b, 100);
            b[n] = 0;
            CHECK_EQ(atoi(b), getpid());
        }
    }
}

int main(void) {
    conformance_enter();
    components();
    magic();
    return conformance_end();
}
