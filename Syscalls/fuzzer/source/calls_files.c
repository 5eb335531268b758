#include "fuzzer.h"
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define F {FD}
#define D {DIRFD}
#define P {PATH}
#define O {OUT}
#define B {IN}
#define N {SIZE}
#define OPEN BITS(O_ACCMODE | O_CREAT | O_EXCL | O_TRUNC | O_APPEND | O_NONBLOCK | O_DIRECTORY | O_NOFOLLOW | O_PATH | O_TMPFILE | O_CLOEXEC)
#define AT BITS(AT_SYMLINK_NOFOLLOW | AT_REMOVEDIR | AT_SYMLINK_FOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH)
#define WHENCE ONE(0, 1, 2, 3, 4)
#define RWF BITS(0x1ff)

static const struct call calls[] = {
    CALL(read, F, O, N), CALL(write, F, B, N), CALL(open, P, OPEN, {MODE}), CALL(close, F), CALL(stat, P, O), CALL(fstat, F, O),
    CALL(lstat, P, O), CALL(lseek, F, {OFFSET}, WHENCE), CALL(pread64, F, O, N, {OFFSET}), CALL(pwrite64, F, B, N, {OFFSET}),
    CALL(readv, F, {VECTOR}, {INT}), CALL(writev, F, {VECTOR}, {INT}), CALL(access, P, BITS(7)), CALL(dup, F), CALL(dup2, F, F),
    CALL(dup3, F, F, BITS(O_CLOEXEC)), CALL(sendfile, F, F, {OFFSET_POINTER}, N), CALL(flock, F, BITS(15)),
    CALL(fcntl, F, ONE(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 15, 16, 36, 37, 38, 1024, 1025, 1026, 1027, 1030, 1031, 1032,
                       1033, 1034,
                       1035, 1036, 1037, 1038), {ANY}),
    CALL(fcntl, F, ONE(5, 6, 7, 36, 37, 38), B), CALL(fsync, F), CALL(fdatasync, F), CALL(truncate, P, {OFFSET}),
    CALL(ftruncate, F, {OFFSET}), CALL(getdents, F, O, N), CALL(getdents64, F, O, N), CALL(getcwd, O, N), CALL(chdir, P),
    CALL(fchdir, F),
    CALL(rename, P, P), CALL(mkdir, P, {MODE}), CALL(rmdir, P), CALL(creat, P, {MODE}), CALL(link, P, P), CALL(unlink, P),
    CALL(symlink, P, P), CALL(readlink, P, O, N), CALL(chmod, P, {MODE}), CALL(fchmod, F, {MODE}), CALL(chown, P, {UID}, {UID}),
    CALL(fchown, F, {UID}, {UID}), CALL(lchown, P, {UID}, {UID}), CALL(umask, {MODE}), CALL(utime, P, {TIME}),
    CALL(utimes, P, {TIME}),
    CALL(mknod, P, {MODE}, {INT}), CALL(ustat, {INT}, O), CALL(statfs, P, O), CALL(fstatfs, F, O),
    CALL(sysfs, {INT}, {ANY}, {ANY}),
    CALL(readahead, F, {OFFSET}, N), CALL(fadvise64, F, {OFFSET}, N, {INT}), CALL(openat, D, P, OPEN, {MODE}),
    CALL(mkdirat, D, P, {MODE}),
    CALL(openat, D, P, OPEN, {MODE}),
    CALL(openat, D, P, ONE(O_RDWR, O_RDONLY, O_RDWR | O_CREAT, O_RDONLY | O_NONBLOCK), {MODE}),
    CALL(mknodat, D, P, {MODE}, {INT}), CALL(fchownat, D, P, {UID}, {UID}, AT), CALL(futimesat, D, P, {TIME}),
    CALL(newfstatat, D, P, O, AT),
    CALL(unlinkat, D, P, AT), CALL(renameat, D, P, D, P), CALL(renameat2, D, P, D, P, BITS(7)), CALL(linkat, D, P, D, P, AT),
    CALL(symlinkat, P, D, P), CALL(readlinkat, D, P, O, N), CALL(fchmodat, D, P, {MODE}),
    {452, "fchmodat2", {D, P, {MODE}, AT}},
    CALL(faccessat, D, P, BITS(7)), CALL(faccessat2, D, P, BITS(7), AT), CALL(utimensat, D, P, {TIME}, AT),
    CALL(splice, F, {OFFSET_POINTER}, F, {OFFSET_POINTER}, N, BITS(15)), CALL(tee, F, F, N, BITS(15)),
    CALL(vmsplice, F, {VECTOR}, {INT}, BITS(15)),
    CALL(splice, F, {NONE}, F, {NONE}, N, BITS(3)), CALL(sync_file_range, F, {OFFSET}, {OFFSET}, BITS(7)),
    CALL(fallocate, F, BITS(0x7f), {OFFSET}, {OFFSET}), CALL(fallocate, F, BITS(3), N, N),
    CALL(preadv, F, {VECTOR}, {INT}, {OFFSET}),
    CALL(pwritev, F, {VECTOR}, {INT}, {OFFSET}), CALL(preadv2, F, {VECTOR}, {INT}, {OFFSET}, {NONE}, RWF),
    CALL(pwritev2, F, {VECTOR}, {INT}, {OFFSET}, {NONE}, RWF), CALL(syncfs, F),
    CALL(copy_file_range, F, {OFFSET_POINTER}, F, {OFFSET_POINTER}, N),
    CALL(statx, D, P, AT, BITS(0x3fff), O), CALL(close_range, F, F, BITS(6)), {437, "openat2", {D, P, {HOW}, ONE(24, 24, 24, 32,
        16)}},
    CALL(setxattr, P, {ATTRIBUTE}, B, N, BITS(3)), CALL(lsetxattr, P, {ATTRIBUTE}, B, N, BITS(3)),
    CALL(fsetxattr, F, {ATTRIBUTE}, B, N, BITS(3)),
    CALL(getxattr, P, {ATTRIBUTE}, O, N), CALL(lgetxattr, P, {ATTRIBUTE}, O, N), CALL(fgetxattr, F, {ATTRIBUTE}, O, N),
    CALL(listxattr, P, O, N),
    CALL(llistxattr, P, O, N), CALL(flistxattr, F, O, N), CALL(removexattr, P, {ATTRIBUTE}), CALL(lremovexattr, P, {ATTRIBUTE}),
    CALL(fremovexattr, F, {ATTRIBUTE}), {463, "setxattrat", {D, P, AT, {ATTRIBUTE}, {VALUE}, ONE(16, 16, 24, 15)}},
    {464, "getxattrat", {D, P, AT, {ATTRIBUTE}, {VALUE}, ONE(16, 16, 24, 15)}},
    {465, "listxattrat", {D, P, AT, O, N}}, {466, "removexattrat", {D, P, AT, {ATTRIBUTE}}}, {451, "cachestat", {F, B, O,
        {NONE}}},
    CALL(chroot, P), CALL(memfd_create, {STRING}, BITS(0x1f)), CALL(pipe, O),
    CALL(pipe2, O, BITS(O_CLOEXEC | O_NONBLOCK | O_DIRECT)),
    {468, "file_getattr", {D, P, O, ONE(24, 24, 16, 32), AT}}, {469, "file_setattr", {D, P, {PROPERTIES}, ONE(24, 24, 16, 32),
        AT}},
    CALL(vhangup), CALL(sync), CALL(acct, P),
    // terminals, sizes, non-blocking, the numbers of pseudo-terminals, mounts, inode flags, loop devices
    CALL(ioctl, F, ONE(0x5401, 0x5402, 0x5403, 0x5404, 0x5405, 0x5406, 0x5409, 0x540a, 0x540b, 0x540c, 0x540d, 0x540e,
                       0x540f, 0x5410,
                       0x5411, 0x5412, 0x5413, 0x5414, 0x5415, 0x541b, 0x5420, 0x5421, 0x5422, 0x5423, 0x5424, 0x5425,
                       0x5428, 0x5429,
                       0x5450, 0x5451, 0x5452, 0x5460), B),
    CALL(ioctl, F, ONE(0x80045430, 0x40045431, 0x80045432, 0x80045438, 0x80045439, 0x5441, 0x80086601, 0x40086602,
                       0xc020660b, 0x40049409,
                       0x4020940d, 0xc0189436, 0x5801, 0x8901, 0x8902, 0x8903, 0x8904, 0x8905, 0x8906, 0x8910, 0x8912,
                       0x8913, 0x8915,
                       0x8921, 0x8927, 0x8933, 0xb701, 0xb702, 0xb703, 0xb704, 0x802c542a, 0x402c542b), B),
    CALL(ioctl, F, {ANY}, B),
};
const struct table file_calls = {calls, sizeof calls / sizeof *calls};
