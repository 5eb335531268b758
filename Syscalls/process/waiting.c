// wait4(2) and waitid(2): every option, every selector, what is reported.
#include "conformance.h"
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>

#ifndef P_PIDFD
#define P_PIDFD 3
#endif
static long raw_waitid(int type, long id, siginfo_t *info, int options, struct rusage *usage) {
    return syscall(SYS_waitid, type, id, info, options, usage);
}
static pid_t child_that_exits(int code) {
    pid_t child = fork();
    if (child == 0) _exit(code);
    return child;
}
/// The thread that goes on when the leader of a subreaper has ended: it gets an orphan, then ends too.
static void *adopts_and_ends(void *argument) {
    int *p = argument;
    conformance_nap(20);
    pid_t middle = fork();
    if (middle == 0) {
        pid_t orphan = fork();
        if (orphan == 0) {
            conformance_nap(100);
            _exit(9);
        }
        write(p[1], &orphan, sizeof orphan);
        _exit(0);
    }
    waitpid(middle, NULL, 0);
    syscall(SYS_exit_group, 0);
    return NULL;
}
static pid_t thread_child;
static void *forks(void *argument) {
    thread_child = child_that_exits(5);
    usleep(100000);
    return argument;
}
static void interrupts(int n) { (void)n; }

int main(void) {
    COVERS(wait4, getpid);
    CASE(no_children) {
        int status;
        CHECK_ERRNO(wait4(-1, &status, 0, NULL), ECHILD);
        CHECK_ERRNO(wait4(getpid(), &status, 0, NULL), ECHILD);
        CHECK_ERRNO(wait4(1 << 22, &status, 0, NULL), ECHILD);
        CHECK_ERRNO(wait4(-1, &status, WNOHANG, NULL), ECHILD);
    }
    COVERS(waitid);
    CASE(unknown_options) {
        CHECK_ERRNO(wait4(-1, NULL, 0x100, NULL), EINVAL);
        CHECK_ERRNO(wait4(-1, NULL, WEXITED, NULL), EINVAL);
        CHECK_ERRNO(wait4(-1, NULL, WNOWAIT, NULL), EINVAL);
        siginfo_t info;
        CHECK_ERRNO(raw_waitid(P_ALL, 0, &info, 0, NULL), EINVAL);
        CHECK_ERRNO(raw_waitid(P_ALL, 0, &info, WNOHANG, NULL), EINVAL);
        CHECK_ERRNO(raw_waitid(P_ALL, 0, &info, WEXITED | 0x100, NULL), EINVAL);
    }
    COVERS(wait4);
    CASE(smallest_number) CHECK_ERRNO(wait4(INT32_MIN, NULL, 0, NULL), ESRCH);
    COVERS(waitid);
    CASE(waitid_selectors) {
        siginfo_t info;
        CHECK_ERRNO(raw_waitid(9, 0, &info, WEXITED, NULL), EINVAL);
        CHECK_ERRNO(raw_waitid(P_PID, 0, &info, WEXITED, NULL), EINVAL);
        CHECK_ERRNO(raw_waitid(P_PID, -1, &info, WEXITED, NULL), EINVAL);
        CHECK_ERRNO(raw_waitid(P_PGID, -1, &info, WEXITED, NULL), EINVAL);
        CHECK_ERRNO(raw_waitid(P_PIDFD, -1, &info, WEXITED, NULL), EINVAL);
        CHECK_ERRNO(raw_waitid(P_PIDFD, 9999, &info, WEXITED, NULL), EBADF);
        int fd = open("/dev/null", O_RDONLY);
        CHECK_ERRNO(raw_waitid(P_PIDFD, fd, &info, WEXITED, NULL), EBADF);
        close(fd);
    }
    COVERS(wait4, clone, exit_group);
    CASE(exit_status_is_eight_bits) {
        int status;
        CHECK(wait4(child_that_exits(0x1234), &status, 0, NULL) > 0);
        CHECK_EQ(status, 0x3400);
    }
    COVERS(pause);
    CASE(killed_status) {
        pid_t child = conformance_pausing_child();
        kill(child, SIGTERM);
        int status;
        CHECK_EQ(waitpid(child, &status, 0), child);
        CHECK_EQ(status, SIGTERM);
    }
    COVERS(waitid);
    CASE(waitid_reports_exit) {
        siginfo_t info;
        memset(&info, 0xff, sizeof info);
        pid_t child = child_that_exits(300);
        struct rusage usage;
        CHECK_EQ(raw_waitid(P_PID, child, &info, WEXITED, &usage), 0);
        CHECK_EQ(info.si_signo, SIGCHLD);
        CHECK_EQ(info.si_errno, 0);
        CHECK_EQ(info.si_code, CLD_EXITED);
        CHECK_EQ(info.si_pid, child);
        CHECK_EQ(info.si_uid, getuid());
        CHECK_EQ(info.si_status, 300 & 0xff);
    }
    COVERS(waitid, pause);
    CASE(waitid_reports_kill) {
        siginfo_t info = {0};
        pid_t child = conformance_pausing_child();
        kill(child, SIGKILL);
        CHECK_EQ(raw_waitid(P_PID, child, &info, WEXITED, NULL), 0);
        CHECK_EQ(info.si_code, CLD_KILLED);
        CHECK_EQ(info.si_status, SIGKILL);
    }
    CASE(nothing_ready_leaves_zeroes) {
        pid_t child = conformance_pausing_child();
        siginfo_t info;
        memset(&info, 0xff, sizeof info);
        CHECK_EQ(raw_waitid(P_ALL, 0, &info, WEXITED | WNOHANG, NULL), 0);
        CHECK_EQ(info.si_pid, 0);
        CHECK_EQ(info.si_signo, 0);
        int status = 77;
        CHECK_EQ(wait4(child, &status, WNOHANG, NULL), 0);
        CHECK_EQ(status, 77);
        conformance_end_child(child);
    }
    COVERS(waitid);
    CASE(nowait_leaves_the_child) {
        pid_t child = child_that_exits(4);
        siginfo_t info;
        for (int i = 0; i < 3; i++) {
            info.si_pid = 0;
            CHECK_EQ(raw_waitid(P_PID, child, &info, WEXITED | WNOWAIT, NULL), 0);
            CHECK_EQ(info.si_pid, child);
        }
        CHECK_EQ(waitpid(child, NULL, 0), child);
    }
    COVERS(pause);
    CASE(stops_and_continues) {
        pid_t child = conformance_pausing_child();
        int status;
        kill(child, SIGSTOP);
        CHECK_EQ(waitpid(child, &status, WUNTRACED), child);
        CHECK_EQ(status, 0x137f);
        CHECK_EQ(waitpid(child, &status, WUNTRACED | WNOHANG), 0);
        kill(child, SIGCONT);
        CHECK_EQ(waitpid(child, &status, WCONTINUED), child);
        CHECK_EQ(status, 0xffff);
        conformance_end_child(child);
    }
    COVERS(setpgid, waitid, pause);
    CASE(waitid_stop_and_continue) {
        pid_t child = conformance_pausing_child();
        siginfo_t info = {0};
        // A group of its own: SIGTSTP does not stop a member of an orphaned one.
        setpgid(child, child);
        kill(child, SIGTSTP);
        CHECK_EQ(raw_waitid(P_PID, child, &info, WSTOPPED | WNOWAIT, NULL), 0);
        CHECK_EQ(info.si_code, CLD_STOPPED);
        CHECK_EQ(info.si_status, SIGTSTP);
        CHECK_EQ(raw_waitid(P_PID, child, &info, WSTOPPED, NULL), 0);
        CHECK_EQ(raw_waitid(P_PID, child, &info, WSTOPPED | WNOHANG, NULL), 0);
        CHECK_EQ(info.si_pid, 0);
        kill(child, SIGCONT);
        CHECK_EQ(raw_waitid(P_PID, child, &info, WCONTINUED, NULL), 0);
        CHECK_EQ(info.si_code, CLD_CONTINUED);
        CHECK_EQ(info.si_status, SIGCONT);
        conformance_end_child(child);
    }
    COVERS(pause);
    CASE(unasked_stop_is_not_reported) {
        pid_t child = conformance_pausing_child();
        kill(child, SIGSTOP);
        conformance_nap(30);
        CHECK_EQ(waitpid(child, NULL, WNOHANG), 0);
        CHECK_EQ(waitpid(child, NULL, WUNTRACED), child);
        conformance_end_child(child);
    }
    COVERS(setpgid, waitid);
    CASE(group_selectors) {
        pid_t child = fork();
        if (child == 0) {
            setpgid(0, 0);
            _exit(0);
        }
        setpgid(child, child);
        CHECK_ERRNO(wait4(0, NULL, 0, NULL), ECHILD);
        CHECK_EQ(wait4(-child, NULL, 0, NULL), child);
        child = child_that_exits(0);
        siginfo_t info;
        CHECK_EQ(raw_waitid(P_PGID, 0, &info, WEXITED, NULL), 0);
        CHECK_EQ(info.si_pid, child);
    }
    COVERS(wait4, clone, exit_group);
    CASE(bad_status_address_still_reaps) {
        pid_t child = child_that_exits(0);
        CHECK_ERRNO(syscall(SYS_wait4, child, BAD_POINTER, 0, NULL), EFAULT);
        CHECK_ERRNO(waitpid(child, NULL, 0), ECHILD);
        child = child_that_exits(0);
        CHECK_ERRNO(syscall(SYS_wait4, child, NULL, 0, BAD_POINTER), EFAULT);
        CHECK_ERRNO(waitpid(child, NULL, 0), ECHILD);
    }
    COVERS(waitid);
    CASE(bad_info_address) {
        pid_t child = child_that_exits(0);
        CHECK_ERRNO(raw_waitid(P_PID, child, BAD_POINTER, WEXITED, NULL), EFAULT);
        CHECK_ERRNO(waitpid(child, NULL, 0), ECHILD);
        child = child_that_exits(0);
        CHECK_EQ(raw_waitid(P_PID, child, NULL, WEXITED, NULL), 0);
        child = child_that_exits(0);
        CHECK_ERRNO(raw_waitid(P_PID, child, conformance_readable_page(), WEXITED, NULL), EFAULT);
    }
    COVERS(clock_gettime, getrusage);
    CASE(usage_of_the_child) {
        pid_t child = fork();
        if (child == 0) {
            volatile long n = 0;
            struct timespec t;
            do {
                n++;
                clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
            } while (t.tv_nsec < 40000000 && t.tv_sec == 0);
            _exit(0);
        }
        struct rusage usage;
        memset(&usage, 0xff, sizeof usage);
        CHECK_EQ(wait4(child, NULL, 0, &usage), child);
        CHECK(usage.ru_utime.tv_sec * 1000000 + usage.ru_utime.tv_usec + usage.ru_stime.tv_usec >= 30000);
        struct rusage children;
        getrusage(RUSAGE_CHILDREN, &children);
        CHECK(children.ru_utime.tv_sec * 1000000 + children.ru_utime.tv_usec + children.ru_stime.tv_usec >= 30000);
    }
    COVERS(clone3, clock_nanosleep, wait4);
    CASE(other_threads_children) {
        pthread_t t;
        pthread_create(&t, NULL, forks, NULL);
        while (!thread_child) usleep(1000);
        CHECK_ERRNO(waitpid(thread_child, NULL, __WNOTHREAD), ECHILD);
        int status;
        CHECK_EQ(waitpid(thread_child, &status, 0), thread_child);
        CHECK_EQ(status, 5 << 8);
        pthread_join(t, NULL);
    }
    COVERS(pidfd_open, waitid, pause);
    CASE(pidfd_selector) {
        pid_t child = conformance_pausing_child();
        int fd = syscall(SYS_pidfd_open, child, 0);
        siginfo_t info = {0};
        CHECK_EQ(raw_waitid(P_PIDFD, fd, &info, WEXITED | WNOHANG, NULL), 0);
        CHECK_EQ(info.si_pid, 0);
        kill(child, SIGKILL);
        CHECK_EQ(raw_waitid(P_PIDFD, fd, &info, WEXITED, NULL), 0);
        CHECK_EQ(info.si_pid, child);
        CHECK_ERRNO(raw_waitid(P_PIDFD, fd, &info, WEXITED, NULL), ECHILD);
        close(fd);
    }
    CASE(nonblocking_pidfd) {
        pid_t child = conformance_pausing_child();
        int fd = syscall(SYS_pidfd_open, child, O_NONBLOCK);
        siginfo_t info = {0};
        CHECK_ERRNO(raw_waitid(P_PIDFD, fd, &info, WEXITED, NULL), EAGAIN);
        conformance_end_child(child);
        close(fd);
    }
    COVERS(waitid, pause);
    CASE(interrupted_wait) {
        struct sigaction a = {.sa_handler = interrupts};
        sigaction(SIGALRM, &a, NULL);
        pid_t child = conformance_pausing_child();
        ualarm(30000, 0);
        CHECK_ERRNO(waitpid(child, NULL, 0), EINTR);
        siginfo_t info;
        ualarm(30000, 0);
        CHECK_ERRNO(raw_waitid(P_PID, child, &info, WEXITED, NULL), EINTR);
        conformance_end_child(child);
    }
    COVERS(rt_sigaction, clone, exit_group, wait4);
    CASE(signal_of_the_child_does_not_interrupt) IN_FORK({
        // The children are looked at before signals are.
        struct sigaction action = {.sa_handler = interrupts};
        sigaction(SIGCHLD, &action, NULL);
        for (int i = 0; i < 20; i++) {
            pid_t child = fork();
            if (child == 0) {
                usleep(i % 4 * 5000);
                _exit(7);
            }
            int status = 0;
            CHECK_EQ(waitpid(child, &status, 0), child);
            CHECK_EQ(status, 7 << 8);
        }
    });
    CASE(restarted_wait) {
        struct sigaction a = {.sa_handler = interrupts, .sa_flags = SA_RESTART};
        sigaction(SIGALRM, &a, NULL);
        pid_t child = fork();
        if (child == 0) {
            conformance_nap(80);
            _exit(3);
        }
        ualarm(20000, 0);
        int status;
        CHECK_EQ(waitpid(child, &status, 0), child);
        CHECK_EQ(status, 3 << 8);
    }
    COVERS(rt_sigaction, wait4, clone, exit_group);
    CASE(no_zombies_with_nocldwait) IN_FORK({
        struct sigaction a = {.sa_handler = SIG_DFL, .sa_flags = SA_NOCLDWAIT};
        sigaction(SIGCHLD, &a, NULL);
        child_that_exits(0);
        CHECK_ERRNO(wait(NULL), ECHILD);
    });
    COVERS(rt_sigpending, pause);
    CASE(no_signal_for_stops_with_nocldstop) IN_FORK({
        sigset_t set;
        sigemptyset(&set);
        sigaddset(&set, SIGCHLD);
        sigprocmask(SIG_BLOCK, &set, NULL);
        struct sigaction a = {.sa_handler = interrupts, .sa_flags = SA_NOCLDSTOP};
        sigaction(SIGCHLD, &a, NULL);
        pid_t child = conformance_pausing_child();
        kill(child, SIGSTOP);
        CHECK_EQ(waitpid(child, NULL, WUNTRACED), child);
        sigset_t pending;
        sigpending(&pending);
        CHECK(!sigismember(&pending, SIGCHLD));
        conformance_end_child(child);
        sigpending(&pending);
        CHECK(sigismember(&pending, SIGCHLD));
    });
    COVERS(prctl);
    CASE(orphans_go_to_the_subreaper) IN_FORK({
        CHECK_EQ(syscall(SYS_prctl, 36, 1, 0, 0, 0), 0);
        int p[2];
        pipe(p);
        pid_t middle = fork();
        if (middle == 0) {
            pid_t orphan = fork();
            if (orphan == 0) {
                conformance_nap(50);
                _exit(8);
            }
            write(p[1], &orphan, sizeof orphan);
            _exit(0);
        }
        pid_t orphan;
        read(p[0], &orphan, sizeof orphan);
        CHECK_EQ(waitpid(middle, NULL, 0), middle);
        int status = 0;
        CHECK_EQ(waitpid(orphan, &status, 0), orphan);
        CHECK_EQ(status, 8 << 8);
    });
    COVERS(exit, wait4, prctl);
    CASE(orphans_of_a_subreaper_without_its_leader_go_on) IN_FORK({
        CHECK_EQ(syscall(SYS_prctl, 36, 1, 0, 0, 0), 0);
        int p[2];
        pipe(p);
        pid_t subreaper = fork();
        if (subreaper == 0) {
            pthread_t thread;
            syscall(SYS_prctl, 36, 1, 0, 0, 0);
            pthread_create(&thread, NULL, adopts_and_ends, p);
            syscall(SYS_exit, 0);
        }
        pid_t orphan;
        read(p[0], &orphan, sizeof orphan);
        CHECK_EQ(waitpid(subreaper, NULL, 0), subreaper);
        int status = 0;
        CHECK_EQ(waitpid(orphan, &status, 0), orphan);
        CHECK_EQ(status, 9 << 8);
    });
    return conformance_end();
}
