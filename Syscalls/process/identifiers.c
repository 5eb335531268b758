// Process, thread, parent, group and session numbers: getpid(2), setpgid(2), setsid(2) and their relatives.
#include "conformance.h"
#include <pthread.h>
#include <sched.h>
#include <signal.h>

static void *thread_ids(void *argument) {
    long *ids = argument;
    ids[0] = getpid();
    ids[1] = syscall(SYS_gettid);
    ids[2] = getppid();
    return NULL;
}

int main(void) {
    COVERS(getppid, gettid);
    CASE(threads_share_the_process_number) {
        long ids[3];
        pthread_t t;
        pthread_create(&t, NULL, thread_ids, ids);
        pthread_join(t, NULL);
        CHECK_EQ(ids[0], getpid());
        CHECK(ids[1] != ids[0] && ids[1] > 0);
        CHECK_EQ(ids[2], getppid());
        CHECK_EQ(syscall(SYS_gettid), getpid());
    }
    COVERS(getppid);
    CASE(parent_number) {
        pid_t me = getpid();
        IN_FORK(CHECK_EQ(getppid(), me));
    }
    COVERS(getpgid, getsid, getpgrp);
    CASE(getpgid_and_getsid_errors) {
        CHECK_ERRNO(getpgid(1 << 22), ESRCH);
        CHECK_ERRNO(getpgid(-1), ESRCH);
        CHECK_ERRNO(getsid(1 << 22), ESRCH);
        CHECK_ERRNO(getsid(-1), ESRCH);
        CHECK_EQ(getpgid(0), getpgrp());
        CHECK_EQ(getpgid(getpid()), getpgrp());
        CHECK_EQ(getsid(0), getsid(getpid()));
    }
    COVERS(setpgid, getpgrp, getppid);
    CASE(setpgid_errors) {
        CHECK_ERRNO(setpgid(-1, 0), EINVAL);
        CHECK_ERRNO(setpgid(-1, getpgrp()), ESRCH);
        CHECK_ERRNO(setpgid(0, -1), EINVAL);
        CHECK_ERRNO(setpgid(1 << 22, 0), ESRCH);
        IN_FORK(CHECK_ERRNO(setpgid(getppid(), 0), ESRCH));
    }
    COVERS(getpgid, getpgrp, setpgid, pause);
    CASE(child_moves_to_its_own_group) {
        pid_t child = conformance_pausing_child();
        CHECK_EQ(getpgid(child), getpgrp());
        CHECK_EQ(setpgid(child, 0), 0);
        CHECK_EQ(getpgid(child), child);
        CHECK_EQ(setpgid(child, child), 0);
        CHECK_EQ(setpgid(child, getpgrp()), 0);
        CHECK_EQ(getpgid(child), getpgrp());
        conformance_end_child(child);
    }
    COVERS(setpgid, setsid, pause, getsid);
    CASE(group_must_exist_in_the_session) {
        pid_t child = conformance_pausing_child();
        CHECK_ERRNO(setpgid(child, 1 << 22), EPERM);
        pid_t other = fork();
        if (other == 0) {
            setsid();
            for (;;) pause();
        }
        while (getsid(other) != other) usleep(1000);
        CHECK_ERRNO(setpgid(child, other), EPERM);
        CHECK_ERRNO(setpgid(other, 0), EPERM);
        conformance_end_child(child);
        conformance_end_child(other);
    }
    COVERS(dup2, execve, setpgid);
    CASE(child_that_executed_cannot_be_moved) {
        int p[2];
        pipe(p);
        pid_t child = fork();
        if (child == 0) {
            dup2(p[1], 1);
            close(p[0]);
            execl("/bin/sh", "sh", "-c", "echo; sleep 20", NULL);
        }
        char c;
        read(p[0], &c, 1);
        CHECK_ERRNO(setpgid(child, 0), EACCES);
        conformance_end_child(child);
        close(p[0]);
        close(p[1]);
    }
    COVERS(setpgid, pause);
    CASE(grandchild_is_no_child) {
        int p[2];
        pipe(p);
        pid_t child = fork();
        if (child == 0) {
            pid_t grandchild = conformance_pausing_child();
            write(p[1], &grandchild, sizeof grandchild);
            waitpid(grandchild, NULL, 0);
            _exit(0);
        }
        pid_t grandchild;
        read(p[0], &grandchild, sizeof grandchild);
        CHECK_ERRNO(setpgid(grandchild, 0), ESRCH);
        kill(grandchild, SIGKILL);
        waitpid(child, NULL, 0);
        close(p[0]);
        close(p[1]);
    }
    COVERS(setsid, getsid, getpgrp, setpgid);
    CASE(new_session) IN_FORK({
        CHECK_EQ(setsid(), getpid());
        CHECK_EQ(getsid(0), getpid());
        CHECK_EQ(getpgrp(), getpid());
        CHECK_ERRNO(setsid(), EPERM);
        CHECK_ERRNO(setpgid(0, 0), EPERM);
    });
    COVERS(setpgid, setsid);
    CASE(group_leader_makes_no_session) IN_FORK({
        CHECK_EQ(setpgid(0, 0), 0);
        CHECK_ERRNO(setsid(), EPERM);
    });
    COVERS(setpgid, waitid, getpgid);
    CASE(zombie_keeps_its_group) {
        pid_t child = fork();
        if (child == 0) {
            setpgid(0, 0);
            _exit(0);
        }
        siginfo_t info;
        waitid(P_PID, child, &info, WEXITED | WNOWAIT);
        CHECK_EQ(getpgid(child), child);
        CHECK_EQ(kill(child, 0), 0);
        CHECK_EQ(kill(-child, 0), 0);
        waitpid(child, NULL, 0);
        CHECK_ERRNO(kill(-child, 0), ESRCH);
    }
    COVERS(waitid, setpgid);
    CASE(zombie_cannot_be_moved) {
        pid_t child = fork();
        if (child == 0) _exit(0);
        siginfo_t info;
        waitid(P_PID, child, &info, WEXITED | WNOWAIT);
        CHECK_EQ(setpgid(child, child), 0);
        waitpid(child, NULL, 0);
    }
    COVERS(set_tid_address, gettid);
    CASE(set_tid_address_returns_the_thread) {
        static int word;
        CHECK_EQ(syscall(SYS_set_tid_address, &word), syscall(SYS_gettid));
        CHECK_EQ(syscall(SYS_set_tid_address, BAD_POINTER), syscall(SYS_gettid));
        CHECK_EQ(syscall(SYS_set_tid_address, NULL), syscall(SYS_gettid));
    }
    COVERS(clone, exit_group, wait4);
    CASE(numbers_are_not_reused_at_once) {
        pid_t first = fork();
        if (first == 0) _exit(0);
        waitpid(first, NULL, 0);
        pid_t second = fork();
        if (second == 0) _exit(0);
        waitpid(second, NULL, 0);
        CHECK(first != second);
    }
    COVERS(prctl, setsid, setpgid, pause);
    CASE(orphaned_stopped_group_is_hung_up) IN_FORK({
        syscall(SYS_prctl, 36, 1, 0, 0, 0);
        int p[2];
        pipe(p);
        pid_t middle = fork();
        if (middle == 0) {
            setsid();
            pid_t stopped = fork();
            if (stopped == 0) {
                setpgid(0, 0);
                for (;;) pause();
            }
            setpgid(stopped, stopped);
            kill(stopped, SIGSTOP);
            waitpid(stopped, NULL, WUNTRACED);
            write(p[1], &stopped, sizeof stopped);
            _exit(0);
        }
        pid_t stopped;
        read(p[0], &stopped, sizeof stopped);
        waitpid(middle, NULL, 0);
        int status = 0;
        CHECK_EQ(waitpid(stopped, &status, 0), stopped);
        CHECK_EQ(status, SIGHUP);
    });
    return conformance_end();
}
