// ptrace(2): whom a task may trace, and the errors of every request.
#include "tracee.h"

static volatile long variable;

int main(void) {
    conformance_enter();
    COVERS(ptrace);

    CASE(no_such_task) {
        CHECK_ERRNO(trace(PTRACE_ATTACH, 999999, 0, 0), ESRCH);
        CHECK_ERRNO(trace(PTRACE_SEIZE, 0, 0, 0), ESRCH);
        CHECK_ERRNO(trace(PTRACE_CONT, -1, 0, 0), ESRCH);
        CHECK_ERRNO(trace(PTRACE_PEEKDATA, 999999, 0, 0), ESRCH);
    }
    CASE(not_oneself) {
        CHECK_ERRNO(trace(PTRACE_ATTACH, getpid(), 0, 0), EPERM);
        CHECK_ERRNO(trace(PTRACE_SEIZE, getpid(), 0, 0), EPERM);
        CHECK_ERRNO(trace(PTRACE_CONT, getpid(), 0, 0), ESRCH);
    }
    CASE(requests_need_a_tracee) {
        pid_t child = running(NULL);
        long requests[] = {PTRACE_PEEKDATA, PTRACE_POKEDATA, PTRACE_PEEKUSR, PTRACE_GETREGS, PTRACE_CONT, PTRACE_KILL, PTRACE_DETACH,
                           PTRACE_SETOPTIONS, PTRACE_GETSIGINFO, PTRACE_INTERRUPT, PTRACE_LISTEN, 0x5555};
        for (unsigned i = 0; i < sizeof requests / sizeof *requests; i++) CHECK_ERRNO(trace(requests[i], child, 0, 0), ESRCH);
        finish(child);
    }
    CASE(requests_need_a_stop) {
        pid_t child = running(NULL);
        CHECK_EQ(trace(PTRACE_SEIZE, child, 0, 0), 0);
        CHECK_ERRNO(trace(PTRACE_CONT, child, 0, 0), ESRCH);
        CHECK_ERRNO(trace(PTRACE_PEEKDATA, child, ADDRESS(&variable), ADDRESS(&variable)), ESRCH);
        CHECK_ERRNO(trace(PTRACE_LISTEN, child, 0, 0), ESRCH);
        CHECK_ERRNO(trace(PTRACE_DETACH, child, 0, 0), ESRCH);
        CHECK_EQ(trace(PTRACE_INTERRUPT, child, 0, 0), 0);
        finish(child);
    }
    CASE(traced_once) {
        pid_t child = traced(NULL);
        CHECK_ERRNO(trace(PTRACE_ATTACH, child, 0, 0), EPERM);
        CHECK_ERRNO(trace(PTRACE_SEIZE, child, 0, 0), EPERM);
        finish(child);
    }
    CASE(traceme_twice) CHILD {
        CHECK_EQ(trace(PTRACE_TRACEME, 0, 0, 0), 0);
        CHECK_ERRNO(trace(PTRACE_TRACEME, 0, 0, 0), EPERM);
    }
    CASE(zombie_is_not_attached) {
        pid_t child = conformance_fork();
        if (child == 0) _exit(0);
        siginfo_t info;
        waitid(P_PID, child, &info, WEXITED | WNOWAIT);
        CHECK_ERRNO(trace(PTRACE_ATTACH, child, 0, 0), EPERM);
        waitpid(child, NULL, 0);
    }
    CASE(unknown_request) {
        pid_t child = traced(NULL);
        CHECK_ERRNO(trace(0x5555, child, 0, 0), EIO);
        CHECK_ERRNO(trace(33333, child, 0, 0), EIO);
        finish(child);
    }
    CASE(seize_arguments) {
        pid_t child = running(NULL);
        CHECK_ERRNO(trace(PTRACE_SEIZE, child, 1, 0), EIO);
        CHECK_ERRNO(trace(PTRACE_SEIZE, child, 0, 0x8000), EIO);
        CHECK_EQ(trace(PTRACE_SEIZE, child, 0, PTRACE_O_TRACESYSGOOD), 0);
        finish(child);
    }
    CASE(unknown_options) {
        pid_t child = traced(NULL);
        CHECK_ERRNO(trace(PTRACE_SETOPTIONS, child, 0, 0x100), EINVAL);
        CHECK_ERRNO(trace(PTRACE_SETOPTIONS, child, 0, 1UL << 40), EINVAL);
        CHECK_EQ(trace(PTRACE_SETOPTIONS, child, 0, 0xff | PTRACE_O_EXITKILL), 0);
        finish(child);
    }
    CASE(resumption_signals) {
        pid_t child = traced(NULL);
        CHECK_ERRNO(trace(PTRACE_CONT, child, 0, 65), EIO);
        CHECK_ERRNO(trace(PTRACE_SYSCALL, child, 0, 1000), EIO);
        CHECK_ERRNO(trace(PTRACE_DETACH, child, 0, -1), EIO);
        finish(child);
    }
    CASE(seized_only) {
        pid_t child = traced(NULL);
        CHECK_ERRNO(trace(PTRACE_INTERRUPT, child, 0, 0), EIO);
        CHECK_ERRNO(trace(PTRACE_LISTEN, child, 0, 0), EIO);
        finish(child);
    }
    CASE(other_user_is_not_attached) {
        if (conformance_is_root()) {
            pid_t child = running(NULL);
            AS_USER(CHECK_ERRNO(trace(PTRACE_ATTACH, child, 0, 0), EPERM));
            finish(child);
        }
    }
    CASE(undumpable_is_not_attached) {
        AS_USER({
            // A process that changed its user was made undumpable.
            prctl(PR_SET_DUMPABLE, 1);
            pid_t child = conformance_fork();
            if (child == 0) {
                prctl(PR_SET_DUMPABLE, 0);
                while (1) pause();
            }
            conformance_nap(30);
            CHECK_ERRNO(trace(PTRACE_ATTACH, child, 0, 0), EPERM);
            finish(child);
        });
    }
    CASE(same_user_is_attached) {
        AS_USER({
            prctl(PR_SET_DUMPABLE, 1);
            pid_t child = running(NULL);
            CHECK_EQ(trace(PTRACE_ATTACH, child, 0, 0), 0);
            CHECK_EQ(next(child), STOP(SIGSTOP));
            finish(child);
        });
    }
    CASE(set_ptracer) {
        // EINVAL without Yama, as here.
        CHECK_ERRNO(prctl(PR_SET_PTRACER, getpid(), 0, 0, 0), EINVAL);
    }
    return conformance_end();
}
