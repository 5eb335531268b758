// Host files, sockets and processes for the Gofer and its client. Every function returns a value >= 0, or the negated errno.
#ifndef STOCKADE_CHOST_FILES_H
#define STOCKADE_CHOST_FILES_H

#include <stddef.h>
#include <stdint.h>

/// statx(2), the fields that Stockade uses.
struct chost_status {
    uint64_t device, inode, special_device, size, blocks;
    int64_t access_seconds, modification_seconds, change_seconds, birth_seconds;
    uint32_t access_nanoseconds, modification_nanoseconds, change_nanoseconds, birth_nanoseconds;
    uint32_t mode, links, uid, gid, block_size, has_birth;
};

struct chost_statfs {
    uint64_t magic, block_size, blocks, free_blocks, available_blocks, files, free_files, name_length;
};

// Names are NUL-terminated bytes. `void *` so that byte arrays pass without a cast.
long chost_openat2(int directory, const void *name, uint64_t flags, uint64_t mode, uint64_t resolve);
long chost_openat(int directory, const void *name, int flags, uint32_t mode);
long chost_statx(int directory, const void *name, int flags, struct chost_status *out);
long chost_fstatfs(int fd, struct chost_statfs *out);
long chost_getdents(int fd, void *buffer, size_t size);
long chost_readlinkat(int directory, const void *name, void *buffer, size_t size);
long chost_mkdirat(int directory, const void *name, uint32_t mode);
long chost_mkfifoat(int directory, const void *name, uint32_t mode);
long chost_symlinkat(const void *target, int directory, const void *name);
long chost_linkat(int from, const void *from_name, int to, const void *to_name, int flags);
long chost_unlinkat(int directory, const void *name, int flags);
long chost_renameat2(int from, const void *from_name, int to, const void *to_name, uint32_t flags);
long chost_fchownat(int directory, const void *name, uint32_t uid, uint32_t gid, int flags);
long chost_fchmodat(int directory, const void *name, uint32_t mode);
/// Nanosecond fields may be UTIME_NOW or UTIME_OMIT.
long chost_utimensat(int directory, const void *name, const int64_t *seconds, const int64_t *nanoseconds, int flags);
long chost_truncate(const void *path, int64_t length);
long chost_getxattr(const void *path, const void *name, void *value, size_t size);
long chost_setxattr(const void *path, const void *name, const void *value, size_t size, int flags);
long chost_removexattr(const void *path, const void *name);
long chost_listxattr(const void *path, void *list, size_t size);
/// Of a symbolic link itself.
long chost_llistxattr(const void *path, void *list, size_t size);

/// inotify_init1(2), non-blocking and close-on-exec; inotify_add_watch(2); inotify_rm_watch(2).
long chost_inotify_create(void);
long chost_inotify_add(int queue, const void *path, uint32_t mask);
long chost_inotify_remove(int queue, int watch);

long chost_lseek(int fd, int64_t offset, int whence);
long chost_ftruncate(int fd, int64_t length);
long chost_fallocate(int fd, int mode, int64_t offset, int64_t length);
long chost_fsync(int fd, int data_only);
long chost_syncfs(int fd);
long chost_sync_file_range(int fd, int64_t offset, int64_t length);
long chost_getfl(int fd);
/// F_OFD_SETLK; `type` is F_RDLCK, F_WRLCK or F_UNLCK, `length` 0 reaches to the end.
long chost_set_lock(int fd, int type, int64_t start, int64_t length);
/// F_OFD_GETLK: the type and range of what stands in the way; F_UNLCK for nothing.
long chost_get_lock(int fd, int *type, int64_t *start, int64_t *length);
/// flock(2).
long chost_flock(int fd, int operation);
long chost_copy_range(int from, int64_t from_offset, int to, int64_t to_offset, size_t count);
long chost_dup(int fd);
long chost_ioctl(int fd, uint64_t request, void *argument);
long chost_ioctl_value(int fd, uint64_t request, long argument);

/// A connected SOCK_SEQPACKET pair, close-on-exec.
long chost_seqpacket_pair(int out[2]);
/// One message of header and body with descriptors, without SIGPIPE.
long chost_send(int fd, const void *header, size_t header_size, const void *body, size_t body_size, const int *fds, size_t fd_count);
/// One message. Descriptors arrive close-on-exec. `fd_count` is the capacity of `fds` at the call and the number received after it.
/// Returns the bytes received, 0 at end of stream, -EMSGSIZE when message or descriptors were cut (what came is closed).
long chost_receive(int fd, void *buffer, size_t size, int *fds, size_t *fd_count);

/// poll(2) on one descriptor: the events found.
long chost_poll(int fd, int events, int timeout_milliseconds);
long chost_epoll_create(void);
/// operation: EPOLL_CTL_*.
long chost_epoll_ctl(int epoll, int operation, int fd, uint32_t events, uint64_t data);
long chost_epoll_wait(int epoll, uint32_t *events, uint64_t *data, int capacity, int timeout_milliseconds);

/// SIGKILL, then reap.
long chost_kill_and_reap(int pid);
/// waitpid(2) WNOHANG: the status word plus 1, or 0 when the child runs.
long chost_try_reap(int pid);

/// For a confined child process: PR_SET_PDEATHSIG SIGKILL with the race check against `parent`, PR_SET_NO_NEW_PRIVS, no dumps, a session
/// of its own, umask 0, /dev/null as standard input, output and error, soft RLIMIT_NOFILE raised to the hard limit, every descriptor
/// from 3 on but `keep` closed. Returns the number of descriptors it may have open.
long chost_confine_child(int parent, int keep);
/// Landlock: access rights for the trees of `fds`, nothing else. `writable` says which. Returns the ABI version applied, 0 without Landlock.
long chost_landlock(const int *fds, const uint8_t *writable, size_t count);
/// SIGPIPE and SIGXFSZ are ignored, so that writes give EPIPE and EFBIG.
void chost_ignore_sigpipe(void);

#endif
