#define _GNU_SOURCE
#include "chost_container.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

static inline long result(long value) { return value == -1 ? -errno : value; }

static int address(const char *path, struct sockaddr_un *out) {
    memset(out, 0, sizeof *out);
    out->sun_family = AF_UNIX;
    if (strlen(path) >= sizeof out->sun_path) return -ENAMETOOLONG;
    strcpy(out->sun_path, path);
    return 0;
}

long chost_unix_listen(const char *path) {
    struct sockaddr_un name;
    int bad = address(path, &name);
    if (bad) return bad;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd == -1) return -errno;
    mode_t mask = umask(0177);
    int bound = bind(fd, (struct sockaddr *)&name, sizeof name);
    int error = errno;
    umask(mask);
    if (bound == -1 || listen(fd, 64) == -1) {
        if (bound != -1) error = errno;
        close(fd);
        return -error;
    }
    return fd;
}

long chost_unix_connect(const char *path) {
    struct sockaddr_un name;
    int bad = address(path, &name);
    if (bad) return bad;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd == -1) return -errno;
    int done;
    do done = connect(fd, (struct sockaddr *)&name, sizeof name);
    while (done == -1 && errno == EINTR);
    if (done == -1) {
        int error = errno;
        close(fd);
        return -error;
    }
    return fd;
}

long chost_accept(int fd) {
    long n;
    do n = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
    while (n == -1 && (errno == EINTR || errno == ECONNABORTED));
    return result(n);
}

long chost_lock(int fd, int wait) {
    long n;
    do n = flock(fd, LOCK_EX | (wait ? 0 : LOCK_NB));
    while (n == -1 && errno == EINTR);
    return result(n);
}

long chost_pty(int out[2]) {
    int master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (master == -1) return -errno;
    int unlocked = 0, slave = -1;
    if (ioctl(master, TIOCSPTLCK, &unlocked) != -1) slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (slave == -1) {
        int error = errno;
        close(master);
        return -error;
    }
    out[0] = master;
    out[1] = slave;
    return 0;
}

long chost_take_terminal(int fd) { return result(ioctl(fd, TIOCSCTTY, 0)); }

size_t chost_terminal_size(void) { return sizeof(struct termios); }

long chost_terminal_raw(int fd, void *saved) {
    struct termios now;
    if (tcgetattr(fd, &now) == -1) return -errno;
    memcpy(saved, &now, sizeof now);
    cfmakeraw(&now);
    return result(tcsetattr(fd, TCSANOW, &now));
}

long chost_terminal_restore(int fd, const void *saved) {
    struct termios before;
    memcpy(&before, saved, sizeof before);
    return result(tcsetattr(fd, TCSANOW, &before));
}

long chost_get_window(int fd, uint16_t *rows, uint16_t *columns) {
    struct winsize size;
    if (ioctl(fd, TIOCGWINSZ, &size) == -1) return -errno;
    *rows = size.ws_row;
    *columns = size.ws_col;
    return 0;
}

long chost_set_window(int fd, uint16_t rows, uint16_t columns) {
    struct winsize size = {.ws_row = rows, .ws_col = columns};
    return result(ioctl(fd, TIOCSWINSZ, &size));
}

int chost_is_terminal(int fd) { return isatty(fd); }

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal 424
#endif
long chost_pidfd(int pid) { return result(syscall(SYS_pidfd_open, pid, 0)); }
long chost_pidfd_signal(int pidfd, int signal) { return result(syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0)); }

long chost_dup_from(int fd, int least) { return result(fcntl(fd, F_DUPFD_CLOEXEC, least)); }

long chost_replace(int fd, int target) { return result(dup2(fd, target)); }

void chost_close_from(int first) { syscall(SYS_close_range, (unsigned)first, ~0u, 0); }

long chost_bytes_file(const void *bytes, size_t count) {
    int fd = memfd_create("stdin", MFD_CLOEXEC);
    if (fd == -1) return -errno;
    size_t done = 0;
    while (done < count) {
        ssize_t n = write(fd, (const char *)bytes + done, count - done);
        if (n == -1 && errno == EINTR) continue;
        if (n == -1) {
            int error = errno;
            close(fd);
            return -error;
        }
        done += (size_t)n;
    }
    lseek(fd, 0, SEEK_SET);
    return fd;
}

long chost_read_some(int fd, void *buffer, size_t count) { return result(read(fd, buffer, count)); }
long chost_write_some(int fd, const void *bytes, size_t count) { return result(write(fd, bytes, count)); }

long chost_set_nonblocking(int fd, int on) {
    int flags = fcntl(fd, F_GETFL);
    if (flags == -1) return -errno;
    return result(fcntl(fd, F_SETFL, on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK));
}

long chost_mkdir(const char *path, unsigned mode) { return result(mkdir(path, mode)); }
long chost_rmdir(const char *path) { return result(rmdir(path)); }
long chost_fchmod(int fd, unsigned mode) { return result(fchmod(fd, mode)); }
long chost_chdir(const char *path) { return result(chdir(path)); }

long chost_exists(const char *path) {
    struct stat status;
    return result(lstat(path, &status));
}

unsigned chost_effective_uid(void) { return geteuid(); }

long chost_realpath(const char *path, char *out) {
    char resolved[PATH_MAX];
    if (!realpath(path, resolved)) return -errno;
    size_t length = strlen(resolved);
    memcpy(out, resolved, length);
    return (long)length;
}

void chost_real_time(int64_t *seconds, int64_t *nanoseconds) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    *seconds = now.tv_sec;
    *nanoseconds = now.tv_nsec;
}
