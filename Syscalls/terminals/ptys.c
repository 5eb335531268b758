// Pseudo-terminals: sessions, hang-up, job control, window size.
#include "conformance.h"
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <termios.h>

static volatile int hups, conts, winches;
static void on_signal(int n) {
    if (n == SIGHUP) hups++;
    if (n == SIGCONT) conts++;
    if (n == SIGWINCH) winches++;
}

static int open_pair(int *slave) {
    int master = open("/dev/ptmx", O_RDWR | O_NOCTTY);
    int unlock = 0;
    ioctl(master, TIOCSPTLCK, &unlock);
    *slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY);
    return master;
}

/// What poll(2) sees at once.
static int events(int fd) {
    struct pollfd p = {.fd = fd, .events = POLLIN | POLLOUT};
    return poll(&p, 1, 0) < 0 ? -1 : p.revents;
}

/// Makes `slave` the controlling terminal of a new session, in a child.
static void lead(int master, int slave) {
    setsid();
    ioctl(slave, TIOCSCTTY, 0);
    close(master);
}

int main(void) {
    COVERS(setsid, ioctl);
    CASE(leader_exit_keeps_the_line) {
        int slave, master = open_pair(&slave);
        pid_t leader = fork();
        if (!leader) {
            lead(master, slave);
            write(slave, "x\n", 2);
            _exit(tcgetsid(slave) == getpid() ? 0 : 1);
        }
        int status;
        CHECK_EQ(waitpid(leader, &status, 0), leader);
        CHECK_EQ(status, 0);
        char text[8];
        CHECK_EQ(read(master, text, sizeof text), 3);
        CHECK_EQ(events(master), POLLOUT);
        CHECK_EQ(write(slave, "y", 1), 1);
        CHECK_EQ(read(master, text, sizeof text), 1);
        CHECK_ERRNO(tcgetsid(slave), ENOTTY);
        close(slave);
        CHECK_EQ(events(master), POLLOUT | POLLHUP);
        CHECK_ERRNO(read(master, text, sizeof text), EIO);
        close(master);
    }
    CASE(leader_exit_hangs_up_the_foreground) {
        int slave, master = open_pair(&slave), report[2];
        pipe(report);
        pid_t leader = fork();
        if (!leader) {
            lead(master, slave);
            pid_t child = fork();
            if (!child) {
                signal(SIGHUP, on_signal);
                signal(SIGCONT, on_signal);
                // Blocked until it is waited for: it may come at once.
                sigset_t hangup, none;
                sigemptyset(&none);
                sigemptyset(&hangup);
                sigaddset(&hangup, SIGHUP);
                sigprocmask(SIG_BLOCK, &hangup, NULL);
                write(report[1], "r", 1);
                sigsuspend(&none);
                usleep(20000);
                char seen[2] = {(char)hups, (char)conts};
                write(report[1], seen, 2);
                _exit(0);
            }
            char byte;
            read(report[0], &byte, 1);
            _exit(0);
        }
        close(report[1]);
        waitpid(leader, NULL, 0);
        char seen[2] = {0, 0};
        CHECK_EQ(read(report[0], seen, 2), 2);
        CHECK_EQ(seen[0], 1);
        CHECK_EQ(seen[1], 0);
        close(report[0]), close(slave), close(master);
    }
    CASE(master_close_hangs_up_the_session) {
        int slave, master = open_pair(&slave), report[2];
        pipe(report);
        pid_t leader = fork();
        if (!leader) {
            lead(master, slave);
            signal(SIGHUP, on_signal);
            write(report[1], "r", 1);
            while (!hups) usleep(1000);
            char byte;
            char seen[4] = {(char)hups, (char)(read(slave, &byte, 1) == 0), (char)(write(slave, "z", 1) == -1 && errno == EIO),
                            (char)((events(slave) & (POLLHUP | POLLERR | POLLIN)) == (POLLHUP | POLLERR | POLLIN))};
            write(report[1], seen, 4);
            _exit(open("/dev/tty", O_RDWR) == -1 && errno == ENXIO ? 0 : 1);
        }
        close(report[1]);
        char byte, seen[4] = {0};
        CHECK_EQ(read(report[0], &byte, 1), 1);
        close(master);
        CHECK_EQ(read(report[0], seen, 4), 4);
        CHECK_EQ(seen[0], 1);
        CHECK_EQ(seen[1], 1);
        CHECK_EQ(seen[2], 1);
        CHECK_EQ(seen[3], 1);
        int status;
        waitpid(leader, &status, 0);
        CHECK_EQ(status, 0);
        close(slave), close(report[0]);
    }
    COVERS(ioctl);
    CASE(foreground_group_gets_typed_signals) {
        int slave, master = open_pair(&slave), report[2];
        pipe(report);
        pid_t leader = fork();
        if (!leader) {
            lead(master, slave);
            write(report[1], "r", 1);
            for (;;) pause();
        }
        char byte;
        read(report[0], &byte, 1);
        CHECK_EQ(write(master, "\003", 1), 1);
        int status;
        waitpid(leader, &status, 0);
        CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGINT);
        CHECK_EQ(read(master, &byte, 1), 1);
        CHECK_EQ(byte, '^');
        close(slave), close(master), close(report[0]), close(report[1]);
    }
    COVERS(ioctl, wait4);
    CASE(suspend_character_stops) {
        int slave, master = open_pair(&slave), report[2];
        pipe(report);
        pid_t leader = fork();
        if (!leader) {
            lead(master, slave);
            pid_t child = fork();
            if (!child) {
                setpgid(0, 0);
                signal(SIGTTOU, SIG_IGN);
                tcsetpgrp(slave, getpid());
                write(report[1], "r", 1);
                for (;;) pause();
            }
            int status;
            waitpid(child, &status, WUNTRACED);
            int stopped = WIFSTOPPED(status) && WSTOPSIG(status) == SIGTSTP;
            kill(child, SIGKILL);
            waitpid(child, &status, 0);
            _exit(stopped ? 0 : 1);
        }
        char byte;
        read(report[0], &byte, 1);
        CHECK_EQ(write(master, "\032", 1), 1);
        int status;
        waitpid(leader, &status, 0);
        CHECK_EQ(status, 0);
        close(slave), close(master), close(report[0]), close(report[1]);
    }
    COVERS(read, ioctl);
    CASE(background_read_stops) {
        int slave, master = open_pair(&slave);
        pid_t leader = fork();
        if (!leader) {
            lead(master, slave);
            pid_t child = fork();
            if (!child) {
                setpgid(0, 0);
                char byte;
                read(slave, &byte, 1);
                _exit(1);
            }
            int status;
            waitpid(child, &status, WUNTRACED);
            int stopped = WIFSTOPPED(status) && WSTOPSIG(status) == SIGTTIN;
            kill(child, SIGKILL);
            waitpid(child, &status, 0);
            _exit(stopped ? 0 : 1);
        }
        int status;
        waitpid(leader, &status, 0);
        CHECK_EQ(status, 0);
        close(slave), close(master);
    }
    COVERS(ioctl);
    CASE(window_size) {
        int slave, master = open_pair(&slave), report[2];
        pipe(report);
        pid_t leader = fork();
        if (!leader) {
            lead(master, slave);
            signal(SIGWINCH, on_signal);
            write(report[1], "r", 1);
            while (!winches) usleep(1000);
            struct winsize size;
            ioctl(slave, TIOCGWINSZ, &size);
            _exit(size.ws_row == 33 && size.ws_col == 77 ? 0 : 1);
        }
        char byte;
        read(report[0], &byte, 1);
        struct winsize size = {.ws_row = 33, .ws_col = 77};
        CHECK_EQ(ioctl(master, TIOCSWINSZ, &size), 0);
        int status;
        waitpid(leader, &status, 0);
        CHECK_EQ(status, 0);
        close(slave), close(master), close(report[0]), close(report[1]);
    }
    COVERS(ioctl, read, write);
    CASE(lines_and_raw_bytes) {
        int slave, master = open_pair(&slave);
        struct termios t;
        char text[16];
        CHECK_EQ(tcgetattr(slave, &t), 0);
        t.c_lflag &= ~(tcflag_t)ECHO;
        CHECK_EQ(tcsetattr(slave, TCSANOW, &t), 0);
        CHECK_EQ(write(master, "abc\177d\nef", 8), 8);
        CHECK_EQ(read(slave, text, sizeof text), 4);
        CHECK(!memcmp(text, "abd\n", 4));
        CHECK_EQ(events(slave), POLLOUT);
        CHECK_EQ(write(master, "\004", 1), 1);
        CHECK_EQ(read(slave, text, sizeof text), 2);
        CHECK_EQ(write(master, "\004", 1), 1);
        CHECK_EQ(read(slave, text, sizeof text), 0);
        cfmakeraw(&t);
        CHECK_EQ(tcsetattr(slave, TCSANOW, &t), 0);
        CHECK_EQ(write(master, "\003\r", 2), 2);
        CHECK_EQ(read(slave, text, sizeof text), 2);
        CHECK_EQ(text[0], 3);
        CHECK_EQ(text[1], '\r');
        CHECK_ERRNO(fsync(slave), EINVAL);
        CHECK_ERRNO(fdatasync(master), EINVAL);
        CHECK_ERRNO(lseek(slave, 0, SEEK_CUR), ESPIPE);
        close(slave), close(master);
    }
    COVERS(vhangup);
    CASE(hang_up_of_the_own_terminal) if (geteuid() == 0) {
        int slave, master = open_pair(&slave);
        pid_t leader = fork();
        if (!leader) {
            struct sigaction action = {.sa_handler = on_signal};
            sigaction(SIGHUP, &action, NULL);
            sigaction(SIGCONT, &action, NULL);
            lead(master, slave);
            hups = conts = 0;
            CHECK_EQ(syscall(SYS_vhangup), 0);
            CHECK_EQ(hups, 1);
            CHECK_EQ(conts, 1);
            char byte;
            CHECK_EQ(read(slave, &byte, 1), 0);
            CHECK_ERRNO(write(slave, "x", 1), EIO);
            CHECK_ERRNO(tcgetsid(slave), EIO);
            CHECK_ERRNO(open("/dev/tty", O_RDWR), ENXIO);
            CHECK_EQ(syscall(SYS_vhangup), 0);
            _exit(0);
        }
        int status = -1;
        CHECK_EQ(waitpid(leader, &status, 0), leader);
        CHECK_EQ(status, 0);
        close(slave), close(master);
    }
    CASE(hang_up_needs_privilege) AS_USER(CHECK_ERRNO(syscall(SYS_vhangup), EPERM));
    return conformance_end();
}
