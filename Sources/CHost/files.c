#define _GNU_SOURCE
#include "chost_files.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

static inline long result(long value) { return value == -1 ? -errno : value; }

long chost_openat2(int directory, const void *name, uint64_t flags, uint64_t mode, uint64_t resolve) {
    struct open_how how = {.flags = flags | O_CLOEXEC, .mode = mode, .resolve = resolve};
    return result(syscall(SYS_openat2, directory, name, &how, sizeof how));
}

long chost_openat(int directory, const void *name, int flags, uint32_t mode) {
    return result(openat(directory, name, flags | O_CLOEXEC, mode));
}

long chost_statx(int directory, const void *name, int flags, struct chost_status *out) {
    struct statx x;
    if (statx(directory, name, flags, STATX_BASIC_STATS | STATX_BTIME, &x) == -1) return -errno;
    *out = (struct chost_status){
        .device = makedev(x.stx_dev_major, x.stx_dev_minor),
        .inode = x.stx_ino,
        .special_device = makedev(x.stx_rdev_major, x.stx_rdev_minor),
        .size = x.stx_size,
        .blocks = x.stx_blocks,
        .access_seconds = x.stx_atime.tv_sec,
        .access_nanoseconds = x.stx_atime.tv_nsec,
        .modification_seconds = x.stx_mtime.tv_sec,
        .modification_nanoseconds = x.stx_mtime.tv_nsec,
        .change_seconds = x.stx_ctime.tv_sec,
        .change_nanoseconds = x.stx_ctime.tv_nsec,
        .birth_seconds = x.stx_btime.tv_sec,
        .birth_nanoseconds = x.stx_btime.tv_nsec,
        .mode = x.stx_mode,
        .links = x.stx_nlink,
        .uid = x.stx_uid,
        .gid = x.stx_gid,
        .block_size = x.stx_blksize,
        .has_birth = (x.stx_mask & STATX_BTIME) != 0,
    };
    return 0;
}

long chost_fstatfs(int fd, struct chost_statfs *out) {
    struct statfs s;
    if (fstatfs(fd, &s) == -1) return -errno;
    *out = (struct chost_statfs){
        .magic = (uint64_t)s.f_type,
        .block_size = (uint64_t)s.f_bsize,
        .blocks = s.f_blocks,
        .free_blocks = s.f_bfree,
        .available_blocks = s.f_bavail,
        .files = s.f_files,
        .free_files = s.f_ffree,
        .name_length = (uint64_t)s.f_namelen,
    };
    return 0;
}

long chost_inotify_create(void) { return result(inotify_init1(IN_NONBLOCK | IN_CLOEXEC)); }
long chost_inotify_add(int queue, const void *path, uint32_t mask) { return result(inotify_add_watch(queue, path, mask)); }
long chost_inotify_remove(int queue, int watch) { return result(inotify_rm_watch(queue, watch)); }

long chost_getdents(int fd, void *buffer, size_t size) { return result(syscall(SYS_getdents64, fd, buffer, size)); }

long chost_readlinkat(int directory, const void *name, void *buffer, size_t size) {
    return result(readlinkat(directory, name, buffer, size));
}

long chost_mkdirat(int directory, const void *name, uint32_t mode) { return result(mkdirat(directory, name, mode)); }
long chost_mkfifoat(int directory, const void *name, uint32_t mode) { return result(mkfifoat(directory, name, mode)); }
long chost_symlinkat(const void *target, int directory, const void *name) { return result(symlinkat(target, directory, name)); }

long chost_linkat(int from, const void *from_name, int to, const void *to_name, int flags) {
    return result(linkat(from, from_name, to, to_name, flags));
}

long chost_unlinkat(int directory, const void *name, int flags) { return result(unlinkat(directory, name, flags)); }

long chost_renameat2(int from, const void *from_name, int to, const void *to_name, uint32_t flags) {
    return result(renameat2(from, from_name, to, to_name, flags));
}

long chost_fchownat(int directory, const void *name, uint32_t uid, uint32_t gid, int flags) {
    return result(fchownat(directory, name, uid, gid, flags));
}

long chost_fchmodat(int directory, const void *name, uint32_t mode) { return result(fchmodat(directory, name, mode, 0)); }

long chost_utimensat(int directory, const void *name, const int64_t *seconds, const int64_t *nanoseconds, int flags) {
    struct timespec times[2] = {{seconds[0], nanoseconds[0]}, {seconds[1], nanoseconds[1]}};
    return result(utimensat(directory, name, times, flags));
}

long chost_truncate(const void *path, int64_t length) { return result(truncate(path, length)); }

long chost_getxattr(const void *path, const void *name, void *value, size_t size) {
    return result(getxattr(path, name, value, size));
}

long chost_setxattr(const void *path, const void *name, const void *value, size_t size, int flags) {
    return result(setxattr(path, name, value, size, flags));
}

long chost_removexattr(const void *path, const void *name) { return result(removexattr(path, name)); }
long chost_listxattr(const void *path, void *list, size_t size) { return result(listxattr(path, list, size)); }
long chost_llistxattr(const void *path, void *list, size_t size) { return result(llistxattr(path, list, size)); }

long chost_lseek(int fd, int64_t offset, int whence) { return result(lseek(fd, offset, whence)); }
long chost_ftruncate(int fd, int64_t length) { return result(ftruncate(fd, length)); }
long chost_fallocate(int fd, int mode, int64_t offset, int64_t length) { return result(fallocate(fd, mode, offset, length)); }
long chost_fsync(int fd, int data_only) { return result(data_only ? fdatasync(fd) : fsync(fd)); }
long chost_syncfs(int fd) { return result(syncfs(fd)); }

long chost_sync_file_range(int fd, int64_t offset, int64_t length) {
    return result(sync_file_range(
        fd, offset, length, SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER));
}

long chost_getfl(int fd) { return result(fcntl(fd, F_GETFL)); }
long chost_dup(int fd) { return result(fcntl(fd, F_DUPFD_CLOEXEC, 3)); }
long chost_ioctl(int fd, uint64_t request, void *argument) { return result(ioctl(fd, request, argument)); }
long chost_ioctl_value(int fd, uint64_t request, long argument) { return result(ioctl(fd, request, argument)); }

long chost_set_lock(int fd, int type, int64_t start, int64_t length) {
    struct flock lock = {.l_type = (short)type, .l_whence = SEEK_SET, .l_start = start, .l_len = length};
    return result(fcntl(fd, F_OFD_SETLK, &lock));
}

long chost_get_lock(int fd, int *type, int64_t *start, int64_t *length) {
    struct flock lock = {.l_type = (short)*type, .l_whence = SEEK_SET, .l_start = *start, .l_len = *length};
    long outcome = result(fcntl(fd, F_OFD_GETLK, &lock));
    *type = lock.l_type;
    *start = lock.l_start;
    *length = lock.l_len;
    return outcome;
}

long chost_flock(int fd, int operation) { return result(flock(fd, operation)); }

long chost_copy_range(int from, int64_t from_offset, int to, int64_t to_offset, size_t count) {
    loff_t in = from_offset, out = to_offset;
    return result(copy_file_range(from, &in, to, &out, count, 0));
}
