// Host calls of the OCI runtime's command line and of the Sentry as its shim. Results below zero are negated errnos.
#ifndef CHOST_CONTAINER_H
#define CHOST_CONTAINER_H

#include <stddef.h>
#include <stdint.h>

/// A listening AF_UNIX stream socket, close-on-exec, at `path` (which fits sockaddr_un), mode 0600.
long chost_unix_listen(const char *path);
/// A connected AF_UNIX stream socket.
long chost_unix_connect(const char *path);
/// accept4(2), close-on-exec.
long chost_accept(int fd);
/// flock(2): exclusive, without waiting when `wait` is 0.
long chost_lock(int fd, int wait);
/// Opens /dev/ptmx, unlocks the slave and opens it. Both close-on-exec, without becoming a controlling terminal.
long chost_pty(int out[2]);
/// Makes the terminal `fd` the controlling one of the caller's session.
long chost_take_terminal(int fd);
/// Raw mode; what was set before goes to `saved`, which has room for a struct termios.
long chost_terminal_raw(int fd, void *saved);
long chost_terminal_restore(int fd, const void *saved);
size_t chost_terminal_size(void);
/// TIOCGWINSZ, TIOCSWINSZ.
long chost_get_window(int fd, uint16_t *rows, uint16_t *columns);
long chost_set_window(int fd, uint16_t rows, uint16_t columns);
int chost_is_terminal(int fd);
/// pidfd_open(2).
long chost_pidfd(int pid);
/// pidfd_send_signal(2).
long chost_pidfd_signal(int pidfd, int signal);
/// A duplicate at the lowest number from `least`, close-on-exec.
long chost_dup_from(int fd, int least);
/// dup2(2).
long chost_replace(int fd, int target);
void chost_close_from(int first);
/// An anonymous file with these bytes, position at the start.
long chost_bytes_file(const void *bytes, size_t count);
/// One read(2) or write(2); a broken pipe raises no signal where it is a socket.
long chost_read_some(int fd, void *buffer, size_t count);
long chost_write_some(int fd, const void *bytes, size_t count);
long chost_set_nonblocking(int fd, int on);
long chost_mkdir(const char *path, unsigned mode);
long chost_rmdir(const char *path);
/// fchmod(2).
long chost_fchmod(int fd, unsigned mode);
/// lstat(2)-like existence: 0, or a negated errno.
long chost_exists(const char *path);
long chost_chdir(const char *path);
/// The caller's effective user.
unsigned chost_effective_uid(void);
/// realpath(3) into `out` of 4096 bytes; its length.
long chost_realpath(const char *path, char *out);
/// Seconds since the epoch and nanoseconds.
void chost_real_time(int64_t *seconds, int64_t *nanoseconds);

#endif
