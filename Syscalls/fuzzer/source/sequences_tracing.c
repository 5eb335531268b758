// A child that is traced, one with filters of its own, one that confines itself.
#include "fuzzer.h"
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

/// What PTRACE_GETREGS and its kin take: half of the time as the child has it, with a few words changed.
static void change_registers(pid_t child) {
    struct user_regs_struct *registers = place_for(sizeof *registers);
    if (call(SYS_ptrace, PTRACE_GETREGS, child, 0, registers, 0, 0) < 0) return;
    uint64_t *list = (void *)registers;
    for (unsigned count = (unsigned)random_below(3); count > 0; count--)
        list[random_below(sizeof *registers / 8)] = one_in(2) ? interesting_integer() : (uint64_t)place_for(64);
    call(SYS_ptrace, PTRACE_SETREGS, child, 0, registers, 0, 0);
}

static void change_register_set(pid_t child) {
    static const uint64_t sets[] = {NT_PRSTATUS, NT_PRSTATUS, NT_PRFPREG, NT_X86_XSTATE, 0x200, 0x201};
    uint64_t set = one_in(12) ? interesting_integer() : sets[random_below(6)];
    struct iovec *vector = place_for(sizeof *vector);
    char *bytes = place_for(4096);
    *vector = (struct iovec){bytes, one_in(8) ? interesting_integer() : one_in(2) ? 4096 : random_below(1024)};
    call(SYS_ptrace, PTRACE_GETREGSET, child, set, vector, 0, 0);
    for (unsigned count = (unsigned)random_below(4); count > 0; count--) bytes[random_below(1024)] = (char)random_next();
    if (one_in(2)) vector->iov_len = random_below(4096);
    call(SYS_ptrace, PTRACE_SETREGSET, child, set, vector, 0, 0);
}

static void ask(pid_t child) {
    static const uint64_t simple[] = {PTRACE_GETSIGINFO, PTRACE_GETEVENTMSG, PTRACE_GETFPREGS, PTRACE_SETFPREGS,
        PTRACE_INTERRUPT, PTRACE_LISTEN, PTRACE_GETSIGMASK};
    switch (random_below(12)) {
    case 0: change_registers(child); break;
    case 1: change_register_set(child); break;
    case 2: call(SYS_ptrace, one_in(2) ? PTRACE_PEEKUSER : PTRACE_POKEUSER, child, one_in(4)
        ? interesting_integer() : random_below(120) * 8,
                 one_in(2) ? place_for(8) : (void *)interesting_integer(), 0, 0); break;
    case 3: call(SYS_ptrace, PTRACE_POKEUSER, child, offsetof(struct user, u_debugreg) + random_below(8) * 8,
                 one_in(2) ? (uint64_t)place_for(8) : random_next() & 0xffff0003ff, 0, 0); break;
    case 4: call(SYS_ptrace, one_in(2) ? PTRACE_PEEKDATA : PTRACE_POKEDATA, child, one_in(2) ? (void *)&ask : place_for(8),
        place_for(8), 0, 0); break;
    case 5: call(SYS_ptrace, PTRACE_SETOPTIONS, child, 0, one_in(4) ? interesting_integer() : random_next() & 0x3000ff, 0, 0);
        break;
    case 6: call(SYS_ptrace, PTRACE_SETSIGINFO, child, 0, structure(SIGNAL_INFO), 0, 0); break;
    case 7: call(SYS_ptrace, PTRACE_PEEKSIGINFO, child, structure(OUT), structure(OUT), 0, 0); break;
    case 8: call(SYS_ptrace, one_in(2) ? PTRACE_GETSIGMASK : PTRACE_SETSIGMASK, child, one_in(8) ? 16 : 8, structure(SET), 0, 0);
        break;
    case 9: call(SYS_ptrace, PTRACE_GET_SYSCALL_INFO, child, random_below(128), structure(OUT), 0, 0);
            call(SYS_ptrace, 0x4212, child, random_below(128), structure(OUT), 0, 0); break; // PTRACE_SET_SYSCALL_INFO
    case 10: call(SYS_ptrace, PTRACE_SECCOMP_GET_FILTER, child, random_below(3), structure(OUT), 0, 0); break;
    default: call(SYS_ptrace, simple[random_below(7)], child, one_in(2) ? 0 : random_below(512), structure(OUT), 0, 0); break;
    }
}

static void go_on(pid_t child) {
    static const uint64_t ways[] = {PTRACE_CONT, PTRACE_SYSCALL, PTRACE_SYSCALL, PTRACE_SINGLESTEP, PTRACE_SYSEMU,
        PTRACE_SYSEMU_SINGLESTEP, PTRACE_LISTEN, 33};
    call(SYS_ptrace, ways[random_below(8)], child, 0, one_in(3) ? random_below(66) : 0, 0, 0);
}

void trace_child(void) {
    int child;
    if (fork_briefly(&child)) {
        if (one_in(2)) ptrace(PTRACE_TRACEME, 0, 0, 0);
        if (one_in(2)) raise(SIGSTOP);
        if (one_in(2)) run_hot();
        finish_child(20);
    }
    if (child <= 0) return;
    call(SYS_ptrace, one_in(2) ? PTRACE_SEIZE : PTRACE_ATTACH, child, 0, one_in(2) ? 0 : random_next() & 0x3000ff, 0, 0);
    for (unsigned count = 10 + (unsigned)random_below(40); count > 0; count--) {
        int status;
        pid_t who = waitpid(one_in(8) ? -1 : child, &status, __WALL | WNOHANG | WUNTRACED);
        if (who == child && (WIFEXITED(status) || WIFSIGNALED(status))) return;
        if (who < 0 && errno == ECHILD) return;
        for (unsigned asked = (unsigned)random_below(4); asked > 0; asked--) ask(child);
        if (who == 0 && one_in(3)) usleep(200);
        go_on(who > 0 && one_in(4) ? who : child);
    }
    if (one_in(3)) call(SYS_ptrace, PTRACE_DETACH, child, 0, random_below(66), 0, 0);
    if (one_in(3)) return; // left to the end of the tracer
    end_child(child);
}

/// The listener's side: what a supervisor may do, and what it may not.
static void answer(int listener) {
    struct seccomp_notif *request = place_for(sizeof *request);
    struct seccomp_notif_resp *response = place_for(sizeof *response);
    struct seccomp_notif_addfd *addition = place_for(sizeof *addition);
    for (unsigned count = 10 + (unsigned)random_below(20); count > 0; count--) {
        memset(request, one_in(16), sizeof *request);
        if (call(SYS_ioctl, listener, SECCOMP_IOCTL_NOTIF_RECV, request, 0, 0, 0) < 0 && errno != ENOENT) break;
        if (one_in(2)) call(SYS_ioctl, listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &request->id, 0, 0, 0);
        if (one_in(3)) {
            *addition = (struct seccomp_notif_addfd){one_in(8) ? interesting_integer() : request->id, (unsigned)random_below(4),
                (unsigned)random_descriptor(),
                                                     one_in(2) ? 0 : (unsigned)random_descriptor(), one_in(2) ? 0 : 02000000};
            call(SYS_ioctl, listener, SECCOMP_IOCTL_NOTIF_ADDFD, addition, 0, 0, 0);
        }
        *response = (struct seccomp_notif_resp){one_in(8) ? interesting_integer() : request->id, one_in(2)
            ? 0 : (int64_t)interesting_integer(),
                                                one_in(2) ? 0 : -(int)random_below(140), one_in(2)
                                                    ? 1 : (unsigned)random_below(4)};
        if (response->flags == 1) response->error = 0, response->val = 0;
        if (!one_in(8)) call(SYS_ioctl, listener, SECCOMP_IOCTL_NOTIF_SEND, response, 0, 0, 0);
        if (one_in(8)) call(SYS_ioctl, listener, 0x40082104, random_below(4), 0, 0, 0); // SECCOMP_IOCTL_NOTIF_SET_FLAGS
    }
}

void filter_child(void) {
    // Asks the supervisor about one call, allows the others.
    static struct sock_filter one[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1), BPF_STMT(BPF_RET | BPF_K,
            SECCOMP_RET_USER_NOTIF),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    static const struct sock_fprog program = {4, one};
    int child, grandchild;
    if (!fork_briefly(&child)) return end_child(child);
    if (!one_in(4)) prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    long listener = -1;
    if (one_in(2)) {
        listener = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER | (one_in(4) ? 0x20 : 0),
            &program);
    } else {
        for (unsigned count = 1 + (unsigned)random_below(4); count > 0; count--) {
            long made = syscall(SYS_seccomp, one_in(8) ? random_below(4) : SECCOMP_SET_MODE_FILTER, one_in(2)
                ? 0 : random_below(64), structure(FILTER));
            if (made > 2) listener = made;
        }
    }
    if (listener >= 0 && fork_briefly(&grandchild)) {
        for (int count = 0; count < 20; count++) {
            call(SYS_getppid, 0, 0, 0, 0, 0, 0);
            if (one_in(4)) guarded(random_call);
        }
        if (one_in(2)) run_hot();
        _exit(0);
    }
    if (listener >= 0) answer((int)listener);
    finish_child(20);
}

void confine_child(void) {
    int child;
    if (!fork_briefly(&child)) return end_child(child);
    if (!one_in(8)) prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    for (unsigned count = 1 + (unsigned)random_below(3); count > 0; count--) {
        int ruleset = (int)call(SYS_landlock_create_ruleset, structure(RULESET), 24, 0, 0, 0, 0);
        for (unsigned rules = (unsigned)random_below(4); rules > 0; rules--) {
            uint64_t *rule = structure(RULE);
            int folder = openat(AT_FDCWD, one_in(2) ? "." : "/usr", O_PATH);
            if (one_in(2)) memcpy(&rule[1], &folder, 4);
            call(SYS_landlock_add_rule, ruleset, 1 + random_below(2), rule, 0, 0, 0);
            close(folder);
        }
        if (syscall(SYS_landlock_restrict_self, ruleset, one_in(2)
            ? 0 : random_below(16)) == 0) count_call(SYS_landlock_restrict_self);
        if (one_in(2)) close(ruleset);
    }
    finish_child(30);
}
