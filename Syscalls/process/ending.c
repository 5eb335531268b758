// exit(2), exit_group(2): threads, leaders that end first, fatal signals, concurrent forks and waits.
#include "conformance.h"
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

static void *pauses(void *argument) {
    for (;;) pause();
    return argument;
}
static void *ends_the_process(void *argument) {
    conformance_nap(20);
    syscall(SYS_exit_group, (long)argument);
    return NULL;
}
static void *raises_later(void *argument) {
    conformance_nap(20);
    syscall(SYS_tkill, syscall(SYS_gettid), (int)(long)argument);
    for (;;) pause();
    return NULL;
}
static void *writes_later(void *argument) {
    conformance_nap(60);
    write((int)(long)argument, "late", 4);
    syscall(SYS_exit_group, 12);
    return NULL;
}
static void *exits_later(void *argument) {
    conformance_nap(40);
    syscall(SYS_exit, 4);
    return argument;
}
static int status_of(pid_t child) {
    int status = -1;
    waitpid(child, &status, 0);
    return status;
}
static atomic_int reaped, forked;
static void *forks_and_waits(void *argument) {
    for (int i = 0; i < 20; i++) {
        pid_t child = fork();
        if (child == 0) _exit(i);
        if (child < 0) continue;
        forked++;
        int status;
        if (waitpid(child, &status, 0) == child && status == i << 8) reaped++;
    }
    return argument;
}
static void *waits_for_any(void *argument) {
    int status;
    while (wait(&status) > 0) reaped++;
    return argument;
}
static volatile sig_atomic_t child_signals;
static void on_child(int n) {
    (void)n;
    child_signals++;
    while (waitpid(-1, NULL, WNOHANG) > 0) reaped++;
}
static volatile long spun;
static void *spins(void *argument) {
    for (;;) spun++;
    return argument;
}

int main(void) {
    pthread_t t;
    COVERS(clone, clone3, exit_group, wait4);
    CASE(exit_group_ends_waiting_threads) {
        pid_t child = fork();
        if (child == 0) {
            for (int i = 0; i < 8; i++) pthread_create(&t, NULL, pauses, NULL);
            _exit(5);
        }
        CHECK_EQ(status_of(child), 5 << 8);
    }
    CASE(exit_group_ends_running_threads) {
        pid_t child = fork();
        if (child == 0) {
            for (int i = 0; i < 3; i++) pthread_create(&t, NULL, spins, NULL);
            conformance_nap(20);
            _exit(6);
        }
        CHECK_EQ(status_of(child), 6 << 8);
    }
    COVERS(pause);
    CASE(any_thread_may_end_the_process) {
        pid_t child = fork();
        if (child == 0) {
            pthread_create(&t, NULL, ends_the_process, (void *)7L);
            for (;;) pause();
        }
        CHECK_EQ(status_of(child), 7 << 8);
    }
    CASE(fatal_signal_to_one_thread_ends_all) {
        pid_t child = fork();
        if (child == 0) {
            pthread_create(&t, NULL, raises_later, (void *)SIGUSR1);
            for (;;) pause();
        }
        CHECK_EQ(status_of(child), SIGUSR1);
    }
    COVERS(pipe, clone, clone3, exit, wait4, kill);
    CASE(leader_may_end_first) {
        int p[2];
        pipe(p);
        pid_t child = fork();
        if (child == 0) {
            pthread_create(&t, NULL, writes_later, (void *)(long)p[1]);
            syscall(SYS_exit, 3);
        }
        conformance_nap(25);
        CHECK_EQ(waitpid(child, NULL, WNOHANG), 0);
        CHECK_EQ(kill(child, 0), 0);
        char text[8];
        CHECK_EQ(read(p[0], text, 8), 4);
        CHECK_EQ(status_of(child), 12 << 8);
        close(p[0]);
        close(p[1]);
    }
    COVERS(clone, clone3, exit, wait4);
    CASE(last_threads_status_is_the_process_status) {
        pid_t child = fork();
        if (child == 0) {
            pthread_create(&t, NULL, exits_later, NULL);
            syscall(SYS_exit, 9);
        }
        CHECK_EQ(status_of(child), 4 << 8);
    }
    COVERS(clone, clone3, exit, kill, wait4);
    CASE(zombie_leader_takes_signals_for_its_threads) {
        pid_t child = fork();
        if (child == 0) {
            pthread_create(&t, NULL, pauses, NULL);
            syscall(SYS_exit, 0);
        }
        conformance_nap(40);
        CHECK_EQ(kill(child, SIGTERM), 0);
        CHECK_EQ(status_of(child), SIGTERM);
    }
    COVERS(pause);
    CASE(stop_and_kill_of_many_threads) {
        pid_t child = fork();
        if (child == 0) {
            for (int i = 0; i < 4; i++) pthread_create(&t, NULL, i % 2 ? pauses : spins, NULL);
            for (;;) pause();
        }
        conformance_nap(20);
        int status;
        for (int i = 0; i < 3; i++) {
            kill(child, SIGSTOP);
            CHECK_EQ(waitpid(child, &status, WUNTRACED), child);
            CHECK(WIFSTOPPED(status));
            kill(child, SIGCONT);
            CHECK_EQ(waitpid(child, &status, WCONTINUED), child);
        }
        kill(child, SIGKILL);
        CHECK_EQ(status_of(child), SIGKILL);
    }
    COVERS(clone3);
    CASE(threads_fork_and_wait_at_once) IN_FORK({
        pthread_t all[4];
        for (int i = 0; i < 4; i++) pthread_create(&all[i], NULL, forks_and_waits, NULL);
        for (int i = 0; i < 4; i++) pthread_join(all[i], NULL);
        CHECK_EQ(forked, 80);
        CHECK_EQ(reaped, 80);
    });
    COVERS(clone, exit_group, clone3);
    CASE(several_waiters_share_the_children) IN_FORK({
        reaped = 0;
        for (int i = 0; i < 30; i++)
            if (fork() == 0) {
                conformance_nap(i);
                _exit(0);
            }
        pthread_t all[3];
        for (int i = 0; i < 3; i++) pthread_create(&all[i], NULL, waits_for_any, NULL);
        for (int i = 0; i < 3; i++) pthread_join(all[i], NULL);
        CHECK_EQ(reaped, 30);
    });
    COVERS(rt_sigaction, clone, exit_group);
    CASE(child_signals_reap_all) IN_FORK({
        struct sigaction a = {.sa_handler = on_child, .sa_flags = SA_RESTART};
        sigaction(SIGCHLD, &a, NULL);
        reaped = 0;
        for (int i = 0; i < 30; i++)
            if (fork() == 0) _exit(0);
        for (int i = 0; i < 400 && reaped < 30; i++) conformance_nap(5);
        CHECK_EQ(reaped, 30);
        CHECK(child_signals >= 1 && child_signals <= 30);
    });
    COVERS(pause);
    CASE(descriptors_close_at_the_end) {
        int p[2];
        pipe(p);
        pid_t child = fork();
        if (child == 0) {
            for (;;) pause();
        }
        close(p[1]);
        kill(child, SIGKILL);
        char c;
        CHECK_EQ(read(p[0], &c, 1), 0);
        waitpid(child, NULL, 0);
        close(p[0]);
    }
    COVERS(clone3);
    CASE(exit_code_of_the_thread_is_dropped) IN_FORK({
        pthread_create(&t, NULL, (void *(*)(void *))(void *)conformance_nap, (void *)1L);
        CHECK_EQ(pthread_join(t, NULL), 0);
    });
    return conformance_end();
}
