// fcntl(2) commands other than locks; dup(2), dup2(2), dup3(2), close(2), close_range(2).
#include "conformance.h"
#include <sys/resource.h>
#include <time.h>
#include <sys/socket.h>

#ifndef F_DUPFD_QUERY
#define F_DUPFD_QUERY 1027
#endif
#ifndef F_CREATED_QUERY
#define F_CREATED_QUERY 1028
#endif
#define CLOSE_RANGE(first, last, flags) syscall(SYS_close_range, (unsigned)(first), (unsigned)(last), flags)
static int is_open(int fd) { return fcntl(fd, F_GETFD) != -1; }

static void duplicates(void) {
    COVERS(dup);
    CASE(dup_takes_lowest_and_clears_close_on_exec) {
        int fd = open("/dev/null", O_RDONLY | O_CLOEXEC), other = dup(fd);
        CHECK(other > fd);
        CHECK_EQ(fcntl(other, F_GETFD), 0);
        CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
        close(fd), close(other);
    }
    CASE(dup_errors) {
        CHECK_ERRNO(dup(-1), EBADF);
        CHECK_ERRNO(dup(1000), EBADF);
    }
    CASE(dup_shares_status_flags) {
        int p[2];
        pipe(p);
        int other = dup(p[0]);
        fcntl(p[0], F_SETFL, O_NONBLOCK);
        CHECK_EQ(fcntl(other, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
        close(p[0]), close(p[1]), close(other);
    }
    COVERS(dup2);
    CASE(dup2_replaces) {
        int p[2], fd = open("/dev/null", O_RDWR);
        pipe(p);
        CHECK_EQ(syscall(SYS_dup2, fd, p[1]), p[1]);
        char c;
        CHECK_EQ(read(p[0], &c, 1), 0);
        close(fd), close(p[0]), close(p[1]);
    }
    CASE(dup2_to_itself) {
        int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
        CHECK_EQ(syscall(SYS_dup2, fd, fd), fd);
        CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
        close(fd);
        CHECK_ERRNO(syscall(SYS_dup2, fd, fd), EBADF);
    }
    CASE(dup2_errors) {
        CHECK_ERRNO(syscall(SYS_dup2, 1000, 5), EBADF);
        CHECK_ERRNO(syscall(SYS_dup2, 0, -1), EBADF);
        struct rlimit limit;
        getrlimit(RLIMIT_NOFILE, &limit);
        CHECK_ERRNO(syscall(SYS_dup2, 0, (int)limit.rlim_cur), EBADF);
    }
    COVERS(dup3);
    CASE(dup3_close_on_exec) {
        int fd = open("/dev/null", O_RDWR);
        CHECK_EQ(syscall(SYS_dup3, fd, 60, O_CLOEXEC), 60);
        CHECK_EQ(fcntl(60, F_GETFD), FD_CLOEXEC);
        CHECK_EQ(syscall(SYS_dup3, fd, 60, 0), 60);
        CHECK_EQ(fcntl(60, F_GETFD), 0);
        close(fd), close(60);
    }
    CASE(dup3_errors) {
        CHECK_ERRNO(syscall(SYS_dup3, 0, 0, 0), EINVAL);
        CHECK_ERRNO(syscall(SYS_dup3, 0, 61, O_NONBLOCK), EINVAL);
        CHECK_ERRNO(syscall(SYS_dup3, 1000, 61, 0), EBADF);
        CHECK_ERRNO(syscall(SYS_dup3, 0, -1, 0), EBADF);
    }
    COVERS(close);
    CASE(close_twice) {
        int fd = open("/dev/null", O_RDONLY);
        CHECK_EQ(close(fd), 0);
        CHECK_ERRNO(close(fd), EBADF);
        CHECK_ERRNO(close(-1), EBADF);
        CHECK_ERRNO(close(0x7fffffff), EBADF);
    }
    COVERS(close_range);
    CASE(close_range_closes) {
        for (int i = 70; i < 80; i++) dup2(0, i);
        CHECK_EQ(CLOSE_RANGE(72, 75, 0), 0);
        CHECK(is_open(71) && !is_open(72) && !is_open(75) && is_open(76));
        CHECK_EQ(CLOSE_RANGE(70, 90, 0), 0);
        CHECK(!is_open(70) && !is_open(79));
    }
    CASE(close_range_of_nothing) CHECK_EQ(CLOSE_RANGE(500, 600, 0), 0);
    CASE(close_range_close_on_exec) {
        for (int i = 70; i < 74; i++) dup2(0, i);
        CHECK_EQ(CLOSE_RANGE(71, 72, 4), 0);
        CHECK_EQ(fcntl(70, F_GETFD), 0);
        CHECK_EQ(fcntl(71, F_GETFD), FD_CLOEXEC);
        CHECK_EQ(fcntl(72, F_GETFD), FD_CLOEXEC);
        CHECK_EQ(fcntl(73, F_GETFD), 0);
        CLOSE_RANGE(70, 73, 0);
    }
    CASE(close_range_unshare) CHILD {
        dup2(0, 70);
        CHECK_EQ(CLOSE_RANGE(70, ~0u, 2), 0);
        CHECK(!is_open(70));
    }
    CASE(close_range_errors) {
        CHECK_ERRNO(CLOSE_RANGE(5, 4, 0), EINVAL);
        CHECK_ERRNO(CLOSE_RANGE(500, 600, 8), EINVAL);
    }
    CASE(close_range_to_the_last) CHILD {
        dup2(0, 90);
        CHECK_EQ(CLOSE_RANGE(80, ~0u, 0), 0);
        CHECK(!is_open(90));
    }
}

static void commands(void) {
    COVERS(fcntl);
    CASE(fcntl_duplicate_from_minimum) {
        int a = fcntl(0, F_DUPFD, 100), b = fcntl(0, F_DUPFD, 100), c = fcntl(0, F_DUPFD_CLOEXEC, 100);
        CHECK(a == 100 && b == 101 && c == 102);
        CHECK_EQ(fcntl(b, F_GETFD), 0);
        CHECK_EQ(fcntl(c, F_GETFD), FD_CLOEXEC);
        close(a), close(b), close(c);
    }
    CASE(fcntl_duplicate_errors) {
        struct rlimit limit;
        getrlimit(RLIMIT_NOFILE, &limit);
        CHECK_ERRNO(fcntl(0, F_DUPFD, -1), EINVAL);
        CHECK_ERRNO(fcntl(0, F_DUPFD, (int)limit.rlim_cur), EINVAL);
        CHECK_ERRNO(fcntl(1000, F_DUPFD, 0), EBADF);
    }
    CASE(fcntl_duplicate_over_limit) CHILD {
        struct rlimit limit = {10, 10};
        setrlimit(RLIMIT_NOFILE, &limit);
        while (dup(0) >= 0) {
        }
        CHECK_ERRNO(fcntl(0, F_DUPFD, 9), EMFILE);
        CHECK_ERRNO(fcntl(0, F_DUPFD, 10), EINVAL);
    }
    CASE(fcntl_unknown_command) {
        CHECK_ERRNO(fcntl(0, 999), EINVAL);
        CHECK_ERRNO(fcntl(1000, 999), EBADF);
    }
    CASE(fcntl_descriptor_flags) {
        int fd = open("/dev/null", O_RDONLY);
        CHECK_EQ(fcntl(fd, F_SETFD, FD_CLOEXEC), 0);
        CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
        CHECK_EQ(fcntl(fd, F_SETFD, 0xff & ~FD_CLOEXEC), 0);
        CHECK_EQ(fcntl(fd, F_GETFD), 0);
        close(fd);
    }
    CASE(fcntl_status_flags) {
        int fd = open("status", O_RDWR | O_CREAT | O_TRUNC, 0600);
        CHECK_EQ(fcntl(fd, F_SETFL, O_APPEND | O_NONBLOCK | O_WRONLY | O_TRUNC), 0);
        CHECK_EQ(fcntl(fd, F_GETFL) & ~0100000, O_RDWR | O_APPEND | O_NONBLOCK);
        CHECK_EQ(fcntl(fd, F_SETFL, 0), 0);
        CHECK_EQ(fcntl(fd, F_GETFL) & ~0100000, O_RDWR);
        close(fd);
    }
    CASE(fcntl_append_takes_effect) {
        int fd = conformance_file("late_append", "0123");
        fcntl(fd, F_SETFL, O_APPEND);
        CHECK_EQ(pwrite(fd, "x", 1, 0), 1);
        struct stat s;
        fstat(fd, &s);
        CHECK_EQ(s.st_size, 5);
        close(fd);
    }
    CASE(fcntl_on_path_descriptor) {
        int fd = open(".", O_PATH);
        CHECK_EQ(fcntl(fd, F_GETFD), 0);
        CHECK(fcntl(fd, F_GETFL) & O_PATH);
        CHECK_ERRNO(fcntl(fd, F_SETFL, 0), EBADF);
        CHECK_ERRNO(fcntl(fd, F_GETOWN), EBADF);
        int other = fcntl(fd, F_DUPFD, 0);
        CHECK(other >= 0);
        close(fd), close(other);
    }
    CASE(fcntl_same_description) {
        int a = open("/dev/null", O_RDONLY), b = dup(a), c = open("/dev/null", O_RDONLY);
        CHECK_EQ(fcntl(a, F_DUPFD_QUERY, b), 1);
        CHECK_EQ(fcntl(a, F_DUPFD_QUERY, c), 0);
        close(a), close(b), close(c);
    }
    CASE(fcntl_created_query) {
        unlink("created");
        int a = open("created", O_RDWR | O_CREAT, 0600), b = open("created", O_RDWR | O_CREAT, 0600);
        CHECK_EQ(fcntl(a, F_CREATED_QUERY), 1);
        CHECK_EQ(fcntl(b, F_CREATED_QUERY), 0);
        close(a), close(b);
    }
    CASE(fcntl_owner) {
        int s[2];
        socketpair(AF_UNIX, SOCK_STREAM, 0, s);
        CHECK_EQ(fcntl(s[0], F_GETOWN), 0);
        CHECK_EQ(fcntl(s[0], F_SETOWN, getpid()), 0);
        CHECK_EQ(fcntl(s[0], F_GETOWN), getpid());
        struct f_owner_ex owner = {F_OWNER_TID, getpid()};
        CHECK_EQ(fcntl(s[0], F_SETOWN_EX, &owner), 0);
        owner.pid = 0;
        CHECK_EQ(fcntl(s[0], F_GETOWN_EX, &owner), 0);
        CHECK(owner.type == F_OWNER_TID && owner.pid == getpid());
        CHECK_ERRNO(fcntl(s[0], F_SETOWN, 0x3ffff0), ESRCH);
        CHECK_ERRNO(fcntl(s[0], F_SETOWN_EX, BAD_POINTER), EFAULT);
        owner.type = 9;
        CHECK_ERRNO(fcntl(s[0], F_SETOWN_EX, &owner), EINVAL);
        close(s[0]), close(s[1]);
    }
    CASE(fcntl_signal) {
        int p[2];
        pipe(p);
        CHECK_EQ(fcntl(p[0], F_GETSIG), 0);
        CHECK_EQ(fcntl(p[0], F_SETSIG, SIGUSR1), 0);
        CHECK_EQ(fcntl(p[0], F_GETSIG), SIGUSR1);
        CHECK_ERRNO(fcntl(p[0], F_SETSIG, 65), EINVAL);
        CHECK_ERRNO(fcntl(p[0], F_SETSIG, -1), EINVAL);
        close(p[0]), close(p[1]);
    }
    CASE(fcntl_pipe_size) {
        int p[2], fd = conformance_file("nopipe", "");
        pipe(p);
        CHECK_EQ(fcntl(p[0], F_GETPIPE_SZ), 65536);
        CHECK_EQ(fcntl(p[0], F_SETPIPE_SZ, 5000), 8192);
        CHECK_EQ(fcntl(p[1], F_GETPIPE_SZ), 8192);
        CHECK_EQ(fcntl(p[0], F_SETPIPE_SZ, 1), 4096);
        CHECK_EQ(fcntl(p[0], F_SETPIPE_SZ, 1 << 20), 1 << 20);
        CHECK_EQ(fcntl(p[0], F_SETPIPE_SZ, 0), 4096);
        CHECK_ERRNO(fcntl(p[0], F_SETPIPE_SZ, (1u << 31) + 1), EINVAL);
        CHECK_ERRNO(fcntl(fd, F_GETPIPE_SZ), EBADF);
        CHECK_ERRNO(fcntl(fd, F_SETPIPE_SZ, 4096), EBADF);
        close(p[0]), close(p[1]), close(fd);
    }
    CASE(fcntl_pipe_size_below_content) {
        int p[2];
        pipe(p);
        static char data[20000];
        write(p[1], data, sizeof data);
        CHECK_ERRNO(fcntl(p[1], F_SETPIPE_SZ, 4096), EBUSY);
        close(p[0]), close(p[1]);
    }
    CASE(fcntl_no_access_time_of_stranger) CHILD {
        int fd = conformance_file("noatime", "");
        CHECK_EQ(fcntl(fd, F_SETFL, O_NOATIME), 0);
        fcntl(fd, F_SETFL, 0);
        if (conformance_is_root()) {
            conformance_become_nobody();
            CHECK_ERRNO(fcntl(fd, F_SETFL, O_NOATIME), EPERM);
        }
    }
    CASE(fcntl_seals_of_plain_file) {
        int p[2];
        pipe(p);
        CHECK_ERRNO(fcntl(p[0], F_GET_SEALS), EINVAL);
        close(p[0]), close(p[1]);
    }
    CASE(fcntl_lease_none) {
        int fd = conformance_file("lease", "");
        CHECK_EQ(fcntl(fd, F_GETLEASE), F_UNLCK);
        CHECK_ERRNO(fcntl(fd, F_SETLEASE, 77), EINVAL);
        close(fd);
    }
    CASE(fcntl_async_signal) CHILD {
        int p[2];
        pipe(p);
        struct sigaction action = {.sa_handler = conformance_on_alarm};
        sigaction(SIGIO, &action, NULL);
        conformance_alarms = 0;
        CHECK_EQ(fcntl(p[0], F_SETOWN, getpid()), 0);
        CHECK_EQ(fcntl(p[0], F_SETFL, O_ASYNC), 0);
        CHECK(fcntl(p[0], F_GETFL) & O_ASYNC);
        write(p[1], "x", 1);
        for (int i = 0; i < 200 && conformance_alarms == 0; i++) usleep(5000);
        CHECK_EQ(conformance_alarms, 1);
        fcntl(p[0], F_SETFL, 0);
        write(p[1], "y", 1);
        usleep(30000);
        CHECK_EQ(conformance_alarms, 1);
    }
    CASE(fcntl_chosen_signal_tells_the_descriptor) CHILD {
        int p[2];
        pipe(p);
        sigset_t set;
        sigemptyset(&set);
        sigaddset(&set, SIGRTMIN);
        sigprocmask(SIG_BLOCK, &set, NULL);
        fcntl(p[0], F_SETOWN, getpid());
        CHECK_EQ(fcntl(p[0], F_SETSIG, SIGRTMIN), 0);
        fcntl(p[0], F_SETFL, O_ASYNC);
        write(p[1], "x", 1);
        siginfo_t info;
        struct timespec t = {2, 0};
        CHECK_EQ(sigtimedwait(&set, &info, &t), SIGRTMIN);
        CHECK(info.si_code == POLL_IN && info.si_fd == p[0] && (info.si_band & 1));
    }
    CASE(fcntl_signal_to_process_group_and_thread) CHILD {
        int p[2];
        pipe(p);
        setpgid(0, 0);
        struct sigaction action = {.sa_handler = conformance_on_alarm};
        sigaction(SIGIO, &action, NULL);
        conformance_alarms = 0;
        fcntl(p[0], F_SETOWN, -getpid());
        CHECK_EQ(fcntl(p[0], F_GETOWN), -getpid());
        fcntl(p[0], F_SETFL, O_ASYNC);
        write(p[1], "x", 1);
        for (int i = 0; i < 200 && conformance_alarms == 0; i++) usleep(5000);
        CHECK_EQ(conformance_alarms, 1);
        struct f_owner_ex owner = {F_OWNER_TID, getpid()};
        fcntl(p[0], F_SETOWN_EX, &owner);
        write(p[1], "y", 1);
        for (int i = 0; i < 200 && conformance_alarms == 1; i++) usleep(5000);
        CHECK_EQ(conformance_alarms, 2);
    }
    CASE(fcntl_write_hints) CHILD {
        int fd = conformance_file("hint", "");
        uint64_t hint = 9;
        CHECK_EQ(fcntl(fd, F_GET_RW_HINT, &hint), 0);
        CHECK_EQ(hint, 0);
        hint = RWH_WRITE_LIFE_SHORT;
        CHECK_EQ(fcntl(fd, F_SET_RW_HINT, &hint), 0);
        hint = 0;
        CHECK_EQ(fcntl(fd, F_GET_RW_HINT, &hint), 0);
        CHECK_EQ(hint, RWH_WRITE_LIFE_SHORT);
        hint = 6;
        CHECK_ERRNO(fcntl(fd, F_SET_RW_HINT, &hint), EINVAL);
        CHECK_ERRNO(fcntl(fd, F_SET_RW_HINT, BAD_POINTER), EFAULT);
        CHECK_ERRNO(fcntl(fd, F_GET_RW_HINT, BAD_POINTER), EFAULT);
    }
}

static volatile int notices, notice_code, notice_fd;
static void on_notice(int n, siginfo_t *info, void *context) {
    (void)n, (void)context;
    notices++;
    notice_code = info->si_code;
    notice_fd = info->si_fd;
}
/// Signals may come a moment after the call.
static int noticed(int wanted) {
    for (int i = 0; i < 100 && notices < wanted; i++) conformance_nap(5);
    conformance_nap(10);
    return notices;
}

static void notification(void) {
    COVERS(fcntl);
    CASE(fcntl_directory_notices) CHILD {
        struct sigaction action = {.sa_sigaction = on_notice, .sa_flags = SA_SIGINFO | SA_RESTART};
        sigaction(SIGRTMIN, &action, NULL);
        mkdir("noticed", 0755);
        mkdir("elsewhere", 0755);
        int fd = open("noticed", O_RDONLY);
        CHECK_EQ(fcntl(fd, F_SETSIG, SIGRTMIN), 0);
        CHECK_EQ(fcntl(fd, F_NOTIFY, DN_CREATE), 0);
        CHECK_EQ(fcntl(fd, F_GETOWN), getpid());
        conformance_make("elsewhere/file", "x");
        CHECK_EQ(noticed(0), 0);
        conformance_make("noticed/file", "x");
        CHECK_EQ(noticed(1), 1);
        CHECK_EQ(notice_code, POLL_MSG);
        CHECK_EQ(notice_fd, fd);
        // Once, unless DN_MULTISHOT says otherwise.
        conformance_make("noticed/second", "x");
        CHECK_EQ(noticed(1), 1);
        CHECK_EQ(fcntl(fd, F_NOTIFY, DN_DELETE | DN_ATTRIB | DN_MULTISHOT), 0);
        chmod("noticed/file", 0600);
        CHECK_EQ(noticed(2), 2);
        unlink("noticed/file");
        CHECK_EQ(noticed(3), 3);
        CHECK_EQ(fcntl(fd, F_NOTIFY, 0), 0);
        unlink("noticed/second");
        CHECK_EQ(noticed(3), 3);
        CHECK_EQ(fcntl(fd, F_NOTIFY, DN_MODIFY | DN_MULTISHOT), 0);
        close(fd);
        conformance_make("noticed/third", "x");
        CHECK_EQ(noticed(3), 3);
        int file = open("noticed/third", O_RDONLY);
        CHECK_ERRNO(fcntl(file, F_NOTIFY, DN_MODIFY), ENOTDIR);
        CHECK_EQ(fcntl(file, F_NOTIFY, 0), 0);
        close(file);
    }
}

int main(void) {
    conformance_enter();
    notification();
    duplicates();
    commands();
    return conformance_end();
}
