// Random sequences of calls on a small tree: every result and the tree itself must come out as on the host. A sequence that does
// not is shown call by call with CONFORMANCE_TRACE=SEED in the environment; compare with the host's.
#include "conformance.h"
#include <dirent.h>
#include <stdarg.h>
#include <sys/file.h>
#include <sys/xattr.h>

enum { CALLS = 1500, SEQUENCES = 40, FILES = 8 };

static uint64_t state, outcome;
// Without device nodes and set-ID bits, which not every file system takes.
static int is_plain;
static int traces, step, files[FILES];
static char buffer[100000];

static uint32_t below(uint32_t n) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)(state >> 11) % n;
}
#define ONE_OF(list) (list[below(sizeof(list) / sizeof *(list))])

static uint64_t digest(uint64_t value, const void *data, long length) {
    for (long i = 0; i < length; i++) value = value * 31 + ((const unsigned char *)data)[i];
    return value;
}
/// Adds a line to what came out.
static void note(const char *format, ...) {
    char line[600];
    va_list list;
    va_start(list, format);
    int length = vsnprintf(line, sizeof line, format, list);
    va_end(list);
    outcome = digest(outcome, line, length);
    if (traces) printf("# %d %s\n", step, line);
}
/// A call's result, with its errno when it failed and `value` when not.
static void result(const char *call, long r, uint64_t value) {
    if (r == -1)
        note("%s fails: %d", call, errno);
    else
        note("%s gives %ld %llx", call, r, (unsigned long long)value);
}

/// One to three names out of five, rarely `.` or `..`, rarely with a slash at the end.
static const char *path(void) {
    static char paths[4][40];
    static int next;
    static const char *names[] = {"a", "b", "c", "d", "e"};
    char *p = paths[next++ % 4];
    p[0] = 0;
    for (uint32_t left = 1 + below(3); left > 0; left--) {
        uint32_t kind = below(40);
        // Without a root of their own, sequences stay below by not going up.
        strcat(p, kind == 0 && conformance_is_root() ? ".." : kind == 1 ? "." : ONE_OF(names));
        if (left > 1) strcat(p, "/");
    }
    if (below(25) == 0) strcat(p, "/");
    return p;
}
static int file(void) { return files[below(FILES)]; }
static long length(void) {
    static const long lengths[] = {0, 1, 10, 100, 4095, 4096, 4097, 10000, 65536};
    return ONE_OF(lengths);
}
static long offset(void) {
    static const long offsets[] = {0, 1, 5, 100, 4095, 4096, 5000, 8192, 65536, 1000000};
    return ONE_OF(offsets);
}
/// Sizes of directories are the file system's own affair.
static void note_status(const char *call, long r, const struct stat *s) {
    if (r == 0) note("%o %ld %ld", s->st_mode, (long)s->st_nlink, S_ISDIR(s->st_mode) ? 0 : (long)s->st_size);
    result(call, r, 0);
}

// MARK: calls

static unsigned rename_flags(void) {
    static const unsigned flags[] = {RENAME_NOREPLACE, RENAME_EXCHANGE, RENAME_WHITEOUT, 0, 0, 0};
    unsigned flag = ONE_OF(flags);
    return is_plain && flag == RENAME_WHITEOUT ? 0 : flag;
}
static void change_names(void) {
    const char *p = path(), *q = path();
    note("names %s %s", p, q);
    switch (below(9)) {
    case 0: return result("mkdir", mkdir(p, 0755), 0);
    case 1: return result("rmdir", rmdir(p), 0);
    case 2: return result("unlink", unlink(p), 0);
    case 3:
    case 4: return result("renameat2", renameat2(AT_FDCWD, p, AT_FDCWD, q, rename_flags()), 0);
    case 5: return result("link", link(p, q), 0);
    case 6:
    case 7: return result("symlink", symlink(q, p), 0);
    default: return result("mknod", mknod(p, (below(2) ? S_IFIFO : S_IFREG) | 0644, 0), 0);
    }
}
static void open_one(void) {
    static const int flags[] = {O_RDONLY,
                                O_WRONLY,
                                O_RDWR,
                                O_RDWR | O_CREAT,
                                O_RDWR | O_CREAT | O_EXCL,
                                O_RDWR | O_CREAT | O_TRUNC,
                                O_WRONLY | O_APPEND | O_CREAT,
                                O_RDONLY | O_DIRECTORY,
                                O_PATH,
                                O_PATH | O_NOFOLLOW,
                                O_RDWR | O_NOFOLLOW,
                                O_RDWR | O_APPEND,
                                O_RDWR | O_TRUNC,
                                O_RDONLY | O_CREAT | O_NOFOLLOW,
                                O_TMPFILE | O_RDWR};
    int slot = below(FILES), flag = ONE_OF(flags);
    const char *p = path();
    if (files[slot] >= 0) close(files[slot]);
    files[slot] = open(p, flag | O_NONBLOCK, 0644);
    note("open %s %x", p, flag);
    result("open", files[slot] < 0 ? -1 : 0, 0);
}
static void look(void) {
    struct stat s;
    const char *p = path();
    long r;
    note("look at %s", p);
    switch (below(5)) {
    case 0: return note_status("stat", stat(p, &s), &s);
    case 1: return note_status("lstat", lstat(p, &s), &s);
    case 2: return note_status("fstat", fstat(file(), &s), &s);
    case 3: r = readlink(p, buffer, 100); return result("readlink", r, digest(0, buffer, r));
    default: return result("access", access(p, below(8)), 0);
    }
}
static void move_data(void) {
    long n = length(), at = offset(), r;
    int fd = file();
    loff_t from = offset(), to = offset();
    memset(buffer, 'a' + below(26), n);
    switch (below(6)) {
    case 0: return result("write", write(fd, buffer, n), 0);
    case 1: return result("pwrite", pwrite(fd, buffer, n, at), 0);
    case 2: r = read(fd, buffer, n); return result("read", r, digest(0, buffer, r));
    case 3: r = pread(fd, buffer, n, at); return result("pread", r, digest(0, buffer, r));
    case 4: {
        struct stat s;
        static const int origins[] = {SEEK_SET, SEEK_CUR, SEEK_END};
        int origin = ONE_OF(origins);
        if (fstat(fd, &s) == 0 && !S_ISDIR(s.st_mode)) result("lseek", lseek(fd, at - 200, origin), 0);
        return;
    }
    default: {
        loff_t *in = below(2) ? &from : NULL, *out = below(2) ? &to : NULL;
        return result("copy_file_range", copy_file_range(fd, in, file(), out, n, 0), 0);
    }
    }
}
static void change_files(void) {
    static const int modes[] = {0, FALLOC_FL_KEEP_SIZE, FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE, FALLOC_FL_ZERO_RANGE};
    const char *p = path();
    note("change %s", p);
    switch (below(4)) {
    case 0: return result("truncate", truncate(p, offset()), 0);
    case 1: return result("ftruncate", ftruncate(file(), offset()), 0);
    case 2: return result("chmod", chmod(p, (below(2) ? 0755 : 0644 | below(8) << 9) & (is_plain ? 0777 : 07777)), 0);
    default: {
        int mode = ONE_OF(modes), fd = file();
        long at = offset();
        return result("fallocate", fallocate(fd, mode, at, length()), mode);
    }
    }
}
static void extended(void) {
    char name[] = "user.x";
    const char *p = path();
    name[5] = 'a' + below(3);
    switch (below(4)) {
    case 0: {
        uint32_t size = below(6);
        return result("setxattr", setxattr(p, name, "value", size, below(3)), 0);
    }
    case 1: return result("getxattr", getxattr(p, name, buffer, 100), 0);
    case 2: return result("removexattr", removexattr(p, name), 0);
    default: return result("listxattr", listxattr(p, buffer, 1000), 0);
    }
}
static void locks(void) {
    static const int operations[] = {LOCK_UN, LOCK_SH, LOCK_EX};
    struct flock l = {.l_type = below(3), .l_whence = SEEK_SET};
    int fd = file();
    l.l_start = below(20);
    l.l_len = below(10);
    switch (below(3)) {
    case 0: return result("F_OFD_SETLK", fcntl(fd, F_OFD_SETLK, &l), 0);
    case 1: {
        int r = fcntl(fd, F_OFD_GETLK, &l);
        return result("F_OFD_GETLK", r, l.l_type * 10000 + l.l_start * 100 + l.l_len);
    }
    default: return result("flock", flock(fd, ONE_OF(operations) | LOCK_NB), 0);
    }
}
static void move_about(const char *top) {
    const char *p = path();
    int r = chdir(p);
    note("chdir %s", p);
    result("chdir", r, 0);
    if (r != 0) return;
    if (conformance_is_root()) note("now in %s", syscall(SYS_getcwd, buffer, 4096) > 0 ? buffer : "nowhere");
    if (below(3)) chdir(top);
}

// MARK: the tree

static int by_name(const void *a, const void *b) { return strcmp(a, b); }
static void note_tree(int directory, const char *name, int depth) {
    int fd = openat(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW), count = 0;
    char names[32][16];
    DIR *d = fdopendir(fd);
    if (!d) return;
    for (struct dirent *e; (e = readdir(d)) && count < 32;)
        if (strcmp(e->d_name, ".") && strcmp(e->d_name, "..")) snprintf(names[count++], 16, "%.15s", e->d_name);
    qsort(names, count, 16, by_name);
    for (int i = 0; i < count; i++) {
        struct stat s;
        note("entry %d %s", depth, names[i]);
        note_status("fstatat", fstatat(fd, names[i], &s, AT_SYMLINK_NOFOLLOW), &s);
        if (S_ISREG(s.st_mode)) {
            int f = openat(fd, names[i], O_RDONLY);
            uint64_t content = 0;
            for (long n; (n = read(f, buffer, sizeof buffer)) > 0;) content = digest(content, buffer, n);
            note("content %llx", (unsigned long long)content);
            close(f);
        }
        if (S_ISDIR(s.st_mode) && depth < 6) note_tree(fd, names[i], depth + 1);
    }
    closedir(d);
}

/// Runs one sequence in a directory of its own, which is the root where privilege allows. Returns what came out.
static void sequence(int seed) {
    char top[40];
    snprintf(top, sizeof top, "sequence%d", seed);
    mkdir(top, 0755);
    if (chdir(top)) FAIL_("chdir: errno %d", errno);
    if (conformance_is_root() && (chroot(".") || chdir("/"))) FAIL_("chroot: errno %d", errno);
    getcwd(top, sizeof top);
    is_plain = getenv("CONFORMANCE_PLAIN") != NULL;
    const char *traced = getenv("CONFORMANCE_TRACE");
    traces = traced && atoi(traced) == seed;
    state = seed * 0x9e3779b97f4a7c15ull + 1;
    outcome = 0;
    memset(files, -1, sizeof files);
    for (step = 0; step < CALLS; step++) {
        switch (below(16)) {
        case 0:
        case 1:
        case 2:
        case 3:
        case 4: change_names(); break;
        case 5:
        case 6: open_one(); break;
        case 7:
        case 8: look(); break;
        case 9:
        case 10:
        case 11: move_data(); break;
        case 12: change_files(); break;
        case 13: extended(); break;
        case 14: locks(); break;
        default: move_about(top); break;
        }
        if (step % 100 == 99) note_tree(AT_FDCWD, top, 0);
    }
    OBSERVE("sequence %d: %016llx", seed, (unsigned long long)outcome);
}

int main(void) {
    signal(SIGPIPE, SIG_IGN);
    conformance_enter();
    COVERS(open, mkdir, rmdir, unlink, renameat2, link, symlink, readlink, stat, lstat, fstat, access, read, write, pread64,
           pwrite64, lseek, truncate, ftruncate, fallocate, chmod, mknod, copy_file_range, setxattr, getxattr, removexattr,
           listxattr, flock, chdir);
    for (int seed = 1; seed <= SEQUENCES; seed++) {
        char name[40];
        snprintf(name, sizeof name, "random_sequence_%d", seed);
        if (!conformance_begin(name)) continue;
        CHILD sequence(seed);
        conformance_report(name);
    }
    return conformance_end();
}
