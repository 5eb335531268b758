// ptrace(2): what a tracer reads and changes of a stopped tracee, and the errors of every request.
#include "conformance.h"
#include <elf.h>
#include <linux/audit.h>
#include <linux/ptrace.h>
#include <stddef.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/uio.h>
#include <sys/user.h>

static long trace(long request, pid_t pid, unsigned long address, unsigned long data) {
    return syscall(SYS_ptrace, request, (long)pid, address, data);
}
#ifndef PTRACE_SET_SYSCALL_INFO
#define PTRACE_SET_SYSCALL_INFO 0x4212
#endif
/// With the words that newer kernels have.
struct call_info {
    uint8_t op, reserved;
    uint16_t flags;
    uint32_t arch;
    uint64_t ip, sp, words[8];
};
#define ADDRESS(p) ((unsigned long)(p))

/// A child that asks to be traced, stops, and goes on with `body`. Returned in its first stop.
static pid_t traced(void (*body)(void)) {
    pid_t child = conformance_fork();
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (trace(PTRACE_TRACEME, 0, 0, 0)) _exit(99);
        raise(SIGSTOP);
        if (body) body();
        _exit(0);
    }
    int status = 0;
    if (waitpid(child, &status, 0) != child || status != (SIGSTOP << 8 | 0x7f)) FAIL_("first stop has status %#x", status);
    return child;
}
/// A child that nobody traces, and that sleeps until it is killed.
static pid_t sleeper(void) {
    pid_t child = conformance_fork();
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        while (1) pause();
    }
    conformance_nap(20);
    return child;
}
static void finish(pid_t child) {
    int status;
    kill(child, SIGKILL);
    while (waitpid(child, &status, __WALL) == child && WIFSTOPPED(status)) trace(PTRACE_CONT, child, 0, 0);
}
static int next(pid_t child) {
    int status = -1;
    if (waitpid(child, &status, __WALL) != child) return -1;
    return status;
}
#define SYSCALL_STOP ((SIGTRAP | 0x80) << 8 | 0x7f)

/// Runs the tracee to the entry of a call; TRACESYSGOOD is set.
static void until_call(pid_t child, unsigned long number, struct user_regs_struct *r) {
    do {
        trace(PTRACE_SYSCALL, child, 0, 0);
        CHECK_EQ(next(child), SYSCALL_STOP);
        CHECK_EQ(trace(PTRACE_GETREGS, child, 0, ADDRESS(r)), 0);
    } while (r->orig_rax != number && r->orig_rax != SYS_exit_group);
}

static volatile long variable = 0x1122334455667788;
static const long constant = 0x0102030405060708;
static volatile double floating;
static void calls_getpid(void) { syscall(SYS_getppid, 1, 2, 3, 4, 5, 6); }
static void computes(void) {
    floating = 1.5;
    raise(SIGUSR1);
    _exit(floating == 2.5 ? 7 : 8);
}
static void exits_with_variable(void) { _exit(variable == 42 ? 3 : 4); }
static void writes_variable(void) {
    variable = 5;
    variable = 6;
    _exit(variable == 6 ? 7 : 8);
}
static long set_debug_register(pid_t child, int number, unsigned long value) {
    return trace(PTRACE_POKEUSR, child, offsetof(struct user, u_debugreg) + number * 8, value);
}
static unsigned long debug_register(pid_t child, int number) {
    unsigned long value = 0;
    trace(PTRACE_PEEKUSR, child, offsetof(struct user, u_debugreg) + number * 8, ADDRESS(&value));
    return value;
}
static void breaks(void) { __asm__ volatile("int3"); }
static void steps(void) { __asm__ volatile("int3\n\tnop\n\tnop\n\tnop"); }
static __attribute__((noinline)) void target_function(void) { __asm__ volatile("nop\n\tnop\n\tnop\n\tnop\n\tnop\n\tnop\n\tnop\n\tnop"); }
static void calls_target(void) { target_function(); }
static int read_line(const char *file, pid_t pid, const char *key, char *out, int length) {
    char path[64], line[256];
    snprintf(path, sizeof path, "/proc/%d/%s", pid, file);
    FILE *f = fopen(path, "r");
    if (!f) return -1;
    int found = -1;
    while (found < 0 && fgets(line, sizeof line, f))
        if (!strncmp(line, key, strlen(key))) {
            snprintf(out, length, "%s", line + strlen(key));
            out[strcspn(out, "\n")] = 0;
            found = 0;
        }
    fclose(f);
    return found;
}

int main(void) {
    conformance_enter();
    COVERS(ptrace);

    // MARK: errors
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
        pid_t child = sleeper();
        long requests[] = {PTRACE_PEEKDATA, PTRACE_POKEDATA, PTRACE_PEEKUSR, PTRACE_GETREGS, PTRACE_CONT, PTRACE_KILL, PTRACE_DETACH,
                           PTRACE_SETOPTIONS, PTRACE_GETSIGINFO, PTRACE_INTERRUPT, PTRACE_LISTEN, 0x5555};
        for (unsigned i = 0; i < sizeof requests / sizeof *requests; i++) CHECK_ERRNO(trace(requests[i], child, 0, 0), ESRCH);
        finish(child);
    }
    CASE(requests_need_a_stop) {
        pid_t child = sleeper();
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
        pid_t child = sleeper();
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
            pid_t child = sleeper();
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
            pid_t child = sleeper();
            CHECK_EQ(trace(PTRACE_ATTACH, child, 0, 0), 0);
            CHECK_EQ(next(child), SIGSTOP << 8 | 0x7f);
            finish(child);
        });
    }
    CASE(set_ptracer) {
        // EINVAL without Yama, as here.
        CHECK_ERRNO(prctl(PR_SET_PTRACER, getpid(), 0, 0, 0), EINVAL);
    }

    // MARK: memory
    CASE(peek_and_poke_data) {
        pid_t child = traced(exits_with_variable);
        long seen = 0;
        CHECK_EQ(trace(PTRACE_PEEKDATA, child, ADDRESS(&variable), ADDRESS(&seen)), 0);
        CHECK_EQ(seen, 0x1122334455667788);
        CHECK_EQ(trace(PTRACE_PEEKTEXT, child, ADDRESS(&variable) + 1, ADDRESS(&seen)), 0);
        CHECK_EQ(seen & 0xff, 0x77);
        CHECK_EQ(trace(PTRACE_POKEDATA, child, ADDRESS(&variable), 42), 0);
        trace(PTRACE_CONT, child, 0, 0);
        CHECK_EQ(next(child), 3 << 8);
        CHECK_EQ(variable, 0x1122334455667788);
    }
    CASE(poke_read_only) {
        pid_t child = traced(NULL);
        long seen = 0;
        CHECK_EQ(trace(PTRACE_POKETEXT, child, ADDRESS(&constant), 99), 0);
        CHECK_EQ(trace(PTRACE_PEEKTEXT, child, ADDRESS(&constant), ADDRESS(&seen)), 0);
        CHECK_EQ(seen, 99);
        CHECK_EQ(*(volatile const long *)&constant, 0x0102030405060708);
        finish(child);
    }
    CASE(peek_no_access) {
        char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        strcpy(page, "hidden");
        mprotect(page, 4096, PROT_NONE);
        pid_t child = traced(NULL);
        char seen[8] = "";
        CHECK_EQ(trace(PTRACE_PEEKDATA, child, ADDRESS(page), ADDRESS(seen)), 0);
        CHECK(!strcmp(seen, "hidden"));
        CHECK_EQ(trace(PTRACE_POKEDATA, child, ADDRESS(page), 0x41), 0);
        finish(child);
        munmap(page, 4096);
    }
    CASE(poke_shared_read_only) {
        int fd = conformance_file("shared", "0123456789abcdef");
        char *page = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
        pid_t child = traced(NULL);
        CHECK_ERRNO(trace(PTRACE_POKEDATA, child, ADDRESS(page), 0x41), EIO);
        finish(child);
        munmap(page, 4096);
        close(fd);
    }
    CASE(poke_private_file) {
        int fd = conformance_file("private", "0123456789abcdef");
        char *page = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
        pid_t child = traced(NULL);
        long seen = 0;
        CHECK_EQ(trace(PTRACE_POKETEXT, child, ADDRESS(page), 0x4141414141414141), 0);
        CHECK_EQ(trace(PTRACE_PEEKTEXT, child, ADDRESS(page), ADDRESS(&seen)), 0);
        CHECK_EQ(seen, 0x4141414141414141);
        CHECK_EQ(page[0], '0');
        char content[17] = "";
        pread(fd, content, 16, 0);
        CHECK(!strcmp(content, "0123456789abcdef"));
        finish(child);
        munmap(page, 4096);
        close(fd);
    }
    CASE(bad_addresses) {
        pid_t child = traced(NULL);
        long seen;
        CHECK_ERRNO(trace(PTRACE_PEEKDATA, child, 0x10, ADDRESS(&seen)), EIO);
        CHECK_ERRNO(trace(PTRACE_POKEDATA, child, 0x10, 0), EIO);
        CHECK_ERRNO(trace(PTRACE_PEEKDATA, child, ADDRESS(&variable), 0x10), EFAULT);
        CHECK_ERRNO(trace(PTRACE_PEEKDATA, child, ADDRESS(conformance_before_hole(4)), ADDRESS(&seen)), EIO);
        finish(child);
    }
    CASE(peek_vdso) {
        unsigned long place = getauxval(AT_SYSINFO_EHDR);
        if (place) {
            pid_t child = traced(NULL);
            char seen[8] = "";
            CHECK_EQ(trace(PTRACE_PEEKDATA, child, place, ADDRESS(seen)), 0);
            CHECK(!memcmp(seen, "\177ELF", 4));
            finish(child);
        }
    }
    CASE(breakpoint_in_text) {
        pid_t child = traced(calls_target);
        long word = 0;
        unsigned long place = ADDRESS(target_function);
        trace(PTRACE_PEEKTEXT, child, place, ADDRESS(&word));
        CHECK_EQ(trace(PTRACE_POKETEXT, child, place, (word & ~0xffL) | 0xcc), 0);
        trace(PTRACE_CONT, child, 0, 0);
        CHECK_EQ(next(child), SIGTRAP << 8 | 0x7f);
        struct user_regs_struct r;
        CHECK_EQ(trace(PTRACE_GETREGS, child, 0, ADDRESS(&r)), 0);
        CHECK_EQ(r.rip, place + 1);
        trace(PTRACE_POKETEXT, child, place, word);
        r.rip = place;
        CHECK_EQ(trace(PTRACE_SETREGS, child, 0, ADDRESS(&r)), 0);
        trace(PTRACE_CONT, child, 0, 0);
        CHECK_EQ(next(child), 0);
    }
    CASE(proc_mem) {
        pid_t child = traced(exits_with_variable);
        char path[32];
        snprintf(path, sizeof path, "/proc/%d/mem", child);
        int fd = open(path, O_RDWR);
        long seen = 0, new = 42;
        CHECK_EQ(pread(fd, &seen, sizeof seen, (off_t)ADDRESS(&constant)), 8);
        CHECK_EQ(seen, 0x0102030405060708);
        CHECK_EQ(pwrite(fd, &seen, sizeof seen, (off_t)ADDRESS(target_function)), 8);
        CHECK_EQ(pwrite(fd, &new, sizeof new, (off_t)ADDRESS(&variable)), 8);
        CHECK_ERRNO(pread(fd, &seen, sizeof seen, 0x10), EIO);
        close(fd);
        trace(PTRACE_CONT, child, 0, 0);
        CHECK_EQ(next(child), 3 << 8);
    }

    // MARK: registers
    CASE(registers_at_a_system_call) {
        pid_t child = traced(calls_getpid);
        trace(PTRACE_SETOPTIONS, child, 0, PTRACE_O_TRACESYSGOOD);
        struct user_regs_struct r;
        until_call(child, SYS_getppid, &r);
        CHECK_EQ(r.orig_rax, SYS_getppid);
        CHECK_EQ((long)r.rax, -ENOSYS);
        CHECK_EQ(r.rdi, 1);
        CHECK_EQ(r.rsi, 2);
        CHECK_EQ(r.rdx, 3);
        CHECK_EQ(r.r10, 4);
        CHECK_EQ(r.r8, 5);
        CHECK_EQ(r.r9, 6);
        CHECK_EQ(r.cs, 0x33);
        CHECK_EQ(r.ss, 0x2b);
        CHECK_EQ(r.rcx, r.rip);
        trace(PTRACE_SYSCALL, child, 0, 0);
        CHECK_EQ(next(child), SYSCALL_STOP);
        trace(PTRACE_GETREGS, child, 0, ADDRESS(&r));
        CHECK_EQ(r.orig_rax, SYS_getppid);
        CHECK_EQ(r.rax, getpid());
        finish(child);
    }
    CASE(result_is_changed) {
        pid_t child = traced(exits_with_variable);
        trace(PTRACE_SETOPTIONS, child, 0, PTRACE_O_TRACESYSGOOD);
        struct user_regs_struct r;
        // The exit status is the first argument of exit_group.
        until_call(child, SYS_exit_group, &r);
        CHECK_EQ(trace(PTRACE_POKEUSR, child, offsetof(struct user, regs.rdi), 77), 0);
        trace(PTRACE_CONT, child, 0, 0);
        CHECK_EQ(next(child), 77 << 8);
    }
    CASE(peek_user) {
        pid_t child = traced(NULL);
        struct user_regs_struct r;
        long seen = 0;
        trace(PTRACE_GETREGS, child, 0, ADDRESS(&r));
        CHECK_EQ(trace(PTRACE_PEEKUSR, child, offsetof(struct user, regs.rip), ADDRESS(&seen)), 0);
        CHECK_EQ(seen, r.rip);
        CHECK_EQ(trace(PTRACE_PEEKUSR, child, offsetof(struct user, regs.gs), ADDRESS(&seen)), 0);
        CHECK_EQ(seen, r.gs);
        CHECK_EQ(trace(PTRACE_PEEKUSR, child, offsetof(struct user, start_code), ADDRESS(&seen)), 0);
        CHECK_EQ(seen, 0);
        CHECK_ERRNO(trace(PTRACE_PEEKUSR, child, 4, ADDRESS(&seen)), EIO);
        // The kernel has two more words than the C library.
        CHECK_ERRNO(trace(PTRACE_PEEKUSR, child, sizeof(struct user) + 16, ADDRESS(&seen)), EIO);
        CHECK_ERRNO(trace(PTRACE_PEEKUSR, child, 0, 0x10), EFAULT);
        finish(child);
    }
    CASE(debug_registers_are_clear) {
        pid_t child = traced(NULL);
        for (int i = 0; i < 8; i++) {
            long seen = -1;
            CHECK_EQ(trace(PTRACE_PEEKUSR, child, offsetof(struct user, u_debugreg) + i * 8, ADDRESS(&seen)), 0);
            CHECK_EQ(seen, i == 6 ? 0xffff0ff0 : 0);
        }
        CHECK_EQ(trace(PTRACE_POKEUSR, child, offsetof(struct user, u_debugreg) + 7 * 8, 0), 0);
        CHECK_ERRNO(trace(PTRACE_POKEUSR, child, offsetof(struct user, u_debugreg) + 4 * 8, 0), EIO);
        finish(child);
    }
    CASE(watchpoint) {
        pid_t child = traced(writes_variable);
        siginfo_t info;
        CHECK_EQ(set_debug_register(child, 0, ADDRESS(&variable)), 0);
        CHECK_EQ(set_debug_register(child, 7, 1 | 1 << 16 | 2 << 18), 0);
        CHECK_EQ(debug_register(child, 0), ADDRESS(&variable));
        trace(PTRACE_CONT, child, 0, 0);
        CHECK_EQ(next(child), SIGTRAP << 8 | 0x7f);
        trace(PTRACE_GETSIGINFO, child, 0, ADDRESS(&info));
        CHECK_EQ(info.si_code, TRAP_HWBKPT);
        CHECK_EQ(debug_register(child, 6) & 15, 1);
        long seen = 0;
        trace(PTRACE_PEEKDATA, child, ADDRESS(&variable), ADDRESS(&seen));
        CHECK_EQ(seen, 5);
        // The next store.
        CHECK_EQ(set_debug_register(child, 6, 0), 0);
        trace(PTRACE_CONT, child, 0, 0);
        CHECK_EQ(next(child), SIGTRAP << 8 | 0x7f);
        trace(PTRACE_PEEKDATA, child, ADDRESS(&variable), ADDRESS(&seen));
        CHECK_EQ(seen, 6);
        CHECK_EQ(set_debug_register(child, 7, 0), 0);
        trace(PTRACE_CONT, child, 0, 0);
        CHECK_EQ(next(child), 7 << 8);
    }
    CASE(hardware_breakpoint) {
        pid_t child = traced(calls_target);
        CHECK_EQ(set_debug_register(child, 1, ADDRESS(target_function)), 0);
        CHECK_EQ(set_debug_register(child, 7, 1 << 2), 0);
        trace(PTRACE_CONT, child, 0, 0);
        CHECK_EQ(next(child), SIGTRAP << 8 | 0x7f);
        struct user_regs_struct r;
        trace(PTRACE_GETREGS, child, 0, ADDRESS(&r));
        CHECK_EQ(r.rip, ADDRESS(target_function));
        CHECK_EQ(debug_register(child, 6) & 15, 2);
        // It goes on from there.
        trace(PTRACE_CONT, child, 0, 0);
        CHECK_EQ(next(child), 0);
    }
    CASE(debug_registers_end_with_the_trace) {
        pid_t child = traced(calls_target);
        CHECK_EQ(set_debug_register(child, 0, ADDRESS(target_function)), 0);
        CHECK_EQ(set_debug_register(child, 7, 1), 0);
        CHECK_EQ(set_debug_register(child, 7, 0), 0);
        CHECK_EQ(trace(PTRACE_DETACH, child, 0, 0), 0);
        CHECK_EQ(next(child), 0);
    }
    CASE(bad_debug_registers) {
        pid_t child = traced(NULL);
        CHECK_EQ(set_debug_register(child, 0, ADDRESS(&variable)), 0);
        // I/O, and an instruction of more than one byte.
        CHECK_ERRNO(set_debug_register(child, 7, 1 | 2 << 16), EINVAL);
        CHECK_ERRNO(set_debug_register(child, 7, 1 | 3 << 18), EINVAL);
        CHECK_EQ(debug_register(child, 7), 0);
        CHECK_EQ(set_debug_register(child, 0, ADDRESS(&variable) + 1), 0);
        CHECK_ERRNO(set_debug_register(child, 7, 1 | 1 << 16 | 2 << 18), EINVAL);
        CHECK_ERRNO(set_debug_register(child, 5, 0), EIO);
        finish(child);
    }
    CASE(poke_user_is_checked) {
        pid_t child = traced(NULL);
        CHECK_ERRNO(trace(PTRACE_POKEUSR, child, offsetof(struct user, regs.cs), 0), EIO);
        CHECK_ERRNO(trace(PTRACE_POKEUSR, child, offsetof(struct user, regs.cs), 0x10), EIO);
        CHECK_ERRNO(trace(PTRACE_POKEUSR, child, offsetof(struct user, regs.fs_base), 0x8000000000000000), EIO);
        CHECK_ERRNO(trace(PTRACE_POKEUSR, child, offsetof(struct user, start_code), 0), EIO);
        CHECK_ERRNO(trace(PTRACE_POKEUSR, child, 3, 0), EIO);
        CHECK_EQ(trace(PTRACE_POKEUSR, child, offsetof(struct user, regs.eflags), ~0UL), 0);
        long flags = 0;
        trace(PTRACE_PEEKUSR, child, offsetof(struct user, regs.eflags), ADDRESS(&flags));
        CHECK_EQ(flags & ~0x54dd5UL & ~2UL, 0x200);
        finish(child);
    }
    CASE(register_sets) {
        pid_t child = traced(NULL);
        struct user_regs_struct r, whole;
        struct iovec vector = {&r, sizeof r + 64};
        CHECK_EQ(trace(PTRACE_GETREGSET, child, NT_PRSTATUS, ADDRESS(&vector)), 0);
        CHECK_EQ(vector.iov_len, sizeof r);
        trace(PTRACE_GETREGS, child, 0, ADDRESS(&whole));
        CHECK(!memcmp(&r, &whole, sizeof r));
        long two[2] = {0};
        vector = (struct iovec){two, 16};
        CHECK_EQ(trace(PTRACE_GETREGSET, child, NT_PRSTATUS, ADDRESS(&vector)), 0);
        CHECK_EQ(two[1], whole.r14);
        two[0] = 0xabcd;
        vector = (struct iovec){two, 8};
        CHECK_EQ(trace(PTRACE_SETREGSET, child, NT_PRSTATUS, ADDRESS(&vector)), 0);
        trace(PTRACE_GETREGS, child, 0, ADDRESS(&whole));
        CHECK_EQ(whole.r15, 0xabcd);
        vector = (struct iovec){two, 7};
        CHECK_ERRNO(trace(PTRACE_GETREGSET, child, NT_PRSTATUS, ADDRESS(&vector)), EINVAL);
        CHECK_ERRNO(trace(PTRACE_GETREGSET, child, 0x999, ADDRESS(&vector)), EINVAL);
        CHECK_ERRNO(trace(PTRACE_GETREGSET, child, NT_PRSTATUS, 0x10), EFAULT);
        vector = (struct iovec){(void *)0x10, 16};
        CHECK_ERRNO(trace(PTRACE_GETREGSET, child, NT_PRSTATUS, ADDRESS(&vector)), EFAULT);
        finish(child);
    }
    CASE(floating_point_registers) {
        pid_t child = traced(computes);
        struct user_fpregs_struct fp;
        trace(PTRACE_CONT, child, 0, 0);
        CHECK_EQ(next(child), SIGUSR1 << 8 | 0x7f);
        CHECK_EQ(trace(PTRACE_GETFPREGS, child, 0, ADDRESS(&fp)), 0);
        CHECK_EQ(fp.mxcsr, 0x1f80);
        CHECK_EQ(fp.cwd, 0x37f);
        fp.xmm_space[0] = 0x1234;
        CHECK_EQ(trace(PTRACE_SETFPREGS, child, 0, ADDRESS(&fp)), 0);
        struct user_fpregs_struct again;
        CHECK_EQ(trace(PTRACE_GETFPREGS, child, 0, ADDRESS(&again)), 0);
        CHECK_EQ(again.xmm_space[0], 0x1234);
        struct iovec vector = {&again, sizeof again};
        CHECK_EQ(trace(PTRACE_GETREGSET, child, NT_PRFPREG, ADDRESS(&vector)), 0);
        CHECK_EQ(vector.iov_len, 512);
        CHECK_EQ(again.xmm_space[0], 0x1234);
        CHECK_ERRNO(trace(PTRACE_GETFPREGS, child, 0, 0x10), EFAULT);
        finish(child);
    }
    CASE(extended_state) {
        pid_t child = traced(NULL);
        static char image[32768];
        struct iovec vector = {image, sizeof image};
        CHECK_EQ(trace(PTRACE_GETREGSET, child, NT_X86_XSTATE, ADDRESS(&vector)), 0);
        OBSERVE("%s", vector.iov_len >= 576 && vector.iov_len % 8 == 0 ? "a whole image" : "something else");
        CHECK_EQ(*(long *)(image + 464) & 3, 3);
        *(long *)(image + 160) = 0x77;
        image[512] |= 2;
        CHECK_EQ(trace(PTRACE_SETREGSET, child, NT_X86_XSTATE, ADDRESS(&vector)), 0);
        struct user_fpregs_struct fp;
        trace(PTRACE_GETFPREGS, child, 0, ADDRESS(&fp));
        CHECK_EQ(fp.xmm_space[0], 0x77);
        vector.iov_len = 512;
        CHECK_ERRNO(trace(PTRACE_SETREGSET, child, NT_X86_XSTATE, ADDRESS(&vector)), EFAULT);
        finish(child);
    }
    CASE(arch_prctl_of_a_tracee) {
        pid_t child = traced(NULL);
        unsigned long base = 0;
        struct user_regs_struct r;
        trace(PTRACE_GETREGS, child, 0, ADDRESS(&r));
        CHECK_EQ(trace(PTRACE_ARCH_PRCTL, child, ADDRESS(&base), 0x1003), 0);
        CHECK_EQ(base, r.fs_base);
        CHECK_EQ(trace(PTRACE_ARCH_PRCTL, child, 0x1000, 0x1001), 0);
        trace(PTRACE_GETREGS, child, 0, ADDRESS(&r));
        CHECK_EQ(r.gs_base, 0x1000);
        CHECK_ERRNO(trace(PTRACE_ARCH_PRCTL, child, 0, 0x99), EINVAL);
        finish(child);
    }

    // MARK: signals
    CASE(signal_information) {
        pid_t child = traced(computes);
        siginfo_t info;
        trace(PTRACE_CONT, child, 0, 0);
        CHECK_EQ(next(child), SIGUSR1 << 8 | 0x7f);
        CHECK_EQ(trace(PTRACE_GETSIGINFO, child, 0, ADDRESS(&info)), 0);
        CHECK_EQ(info.si_signo, SIGUSR1);
        CHECK_EQ(info.si_code, SI_TKILL);
        CHECK_EQ(info.si_pid, child);
        info.si_code = SI_USER;
        CHECK_EQ(trace(PTRACE_SETSIGINFO, child, 0, ADDRESS(&info)), 0);
        trace(PTRACE_GETSIGINFO, child, 0, ADDRESS(&info));
        CHECK_EQ(info.si_code, SI_USER);
        CHECK_ERRNO(trace(PTRACE_GETSIGINFO, child, 0, 0x10), EFAULT);
        CHECK_ERRNO(trace(PTRACE_SETSIGINFO, child, 0, 0x10), EFAULT);
        finish(child);
    }
    CASE(signal_mask) {
        pid_t child = traced(NULL);
        unsigned long mask = 0;
        CHECK_EQ(trace(PTRACE_GETSIGMASK, child, 8, ADDRESS(&mask)), 0);
        CHECK_EQ(mask, 0);
        mask = ~0UL;
        CHECK_EQ(trace(PTRACE_SETSIGMASK, child, 8, ADDRESS(&mask)), 0);
        trace(PTRACE_GETSIGMASK, child, 8, ADDRESS(&mask));
        CHECK_EQ(mask, ~(1UL << (SIGKILL - 1) | 1UL << (SIGSTOP - 1)));
        CHECK_ERRNO(trace(PTRACE_GETSIGMASK, child, 4, ADDRESS(&mask)), EINVAL);
        CHECK_ERRNO(trace(PTRACE_SETSIGMASK, child, 16, ADDRESS(&mask)), EINVAL);
        CHECK_ERRNO(trace(PTRACE_GETSIGMASK, child, 8, 0x10), EFAULT);
        finish(child);
    }
    CASE(pending_signals_are_peeked) {
        pid_t child = traced(NULL);
        unsigned long mask = 1UL << (SIGUSR1 - 1) | 1UL << (SIGUSR2 - 1);
        trace(PTRACE_SETSIGMASK, child, 8, ADDRESS(&mask));
        kill(child, SIGUSR1);
        syscall(SYS_tgkill, child, child, SIGUSR2);
        siginfo_t list[4];
        struct ptrace_peeksiginfo_args a = {0, 1, 4};
        CHECK_EQ(trace(PTRACE_PEEKSIGINFO, child, ADDRESS(&a), ADDRESS(list)), 1);
        CHECK_EQ(list[0].si_signo, SIGUSR1);
        a.flags = 0;
        CHECK_EQ(trace(PTRACE_PEEKSIGINFO, child, ADDRESS(&a), ADDRESS(list)), 1);
        CHECK_EQ(list[0].si_signo, SIGUSR2);
        CHECK_EQ(list[0].si_code, SI_TKILL);
        a.off = 1;
        CHECK_EQ(trace(PTRACE_PEEKSIGINFO, child, ADDRESS(&a), ADDRESS(list)), 0);
        a.flags = 2;
        CHECK_ERRNO(trace(PTRACE_PEEKSIGINFO, child, ADDRESS(&a), ADDRESS(list)), EINVAL);
        a = (struct ptrace_peeksiginfo_args){0, 0, -1};
        CHECK_ERRNO(trace(PTRACE_PEEKSIGINFO, child, ADDRESS(&a), ADDRESS(list)), EINVAL);
        a = (struct ptrace_peeksiginfo_args){0, 0, 1};
        CHECK_ERRNO(trace(PTRACE_PEEKSIGINFO, child, ADDRESS(&a), 0x10), EFAULT);
        CHECK_ERRNO(trace(PTRACE_PEEKSIGINFO, child, 0x10, ADDRESS(list)), EFAULT);
        finish(child);
    }

    // MARK: GET_SYSCALL_INFO
    CASE(system_call_information) {
        pid_t child = traced(calls_getpid);
        struct ptrace_syscall_info info;
        memset(&info, 0x55, sizeof info);
        long size = trace(PTRACE_GET_SYSCALL_INFO, child, sizeof info, ADDRESS(&info));
        CHECK_EQ(size, 24);
        CHECK_EQ(info.op, 0);
        CHECK_EQ(info.arch, AUDIT_ARCH_X86_64);
        trace(PTRACE_SETOPTIONS, child, 0, PTRACE_O_TRACESYSGOOD);
        do {
            trace(PTRACE_SYSCALL, child, 0, 0);
            CHECK_EQ(next(child), SYSCALL_STOP);
            size = trace(PTRACE_GET_SYSCALL_INFO, child, sizeof info, ADDRESS(&info));
        } while (info.op != 1 || (info.entry.nr != SYS_getppid && info.entry.nr != SYS_exit_group));
        CHECK_EQ(size, 80);
        CHECK_EQ(info.entry.nr, SYS_getppid);
        for (int i = 0; i < 6; i++) CHECK_EQ(info.entry.args[i], i + 1);
        struct user_regs_struct r;
        trace(PTRACE_GETREGS, child, 0, ADDRESS(&r));
        CHECK_EQ(info.instruction_pointer, r.rip);
        CHECK_EQ(info.stack_pointer, r.rsp);
        long message = 0;
        CHECK_EQ(trace(PTRACE_GETEVENTMSG, child, 0, ADDRESS(&message)), 0);
        CHECK_EQ(message, 1);
        trace(PTRACE_SYSCALL, child, 0, 0);
        CHECK_EQ(next(child), SYSCALL_STOP);
        CHECK_EQ(trace(PTRACE_GET_SYSCALL_INFO, child, sizeof info, ADDRESS(&info)), 33);
        CHECK_EQ(info.op, 2);
        CHECK_EQ(info.exit.rval, getpid());
        CHECK_EQ(info.exit.is_error, 0);
        CHECK_EQ(trace(PTRACE_GET_SYSCALL_INFO, child, 4, ADDRESS(&info)), 33);
        CHECK_ERRNO(trace(PTRACE_GET_SYSCALL_INFO, child, 80, 0x10), EFAULT);
        finish(child);
    }
    CASE(system_call_information_is_set) {
        pid_t child = traced(calls_getpid);
        struct call_info info = {0};
        trace(PTRACE_SETOPTIONS, child, 0, PTRACE_O_TRACESYSGOOD);
        do {
            trace(PTRACE_SYSCALL, child, 0, 0);
            CHECK_EQ(next(child), SYSCALL_STOP);
            trace(PTRACE_GET_SYSCALL_INFO, child, sizeof info, ADDRESS(&info));
        } while (info.op != 1 || (info.words[0] != SYS_getppid && info.words[0] != SYS_exit_group));
        // Linux knows the request since 6.16.
        errno = 0;
        if (trace(PTRACE_SET_SYSCALL_INFO, child, sizeof info, ADDRESS(&info)) == 0 || errno != EIO) {
            CHECK_ERRNO(trace(PTRACE_SET_SYSCALL_INFO, child, 24, ADDRESS(&info)), EINVAL);
            CHECK_ERRNO(trace(PTRACE_SET_SYSCALL_INFO, child, sizeof info, 0x10), EFAULT);
            info.flags = 1;
            CHECK_ERRNO(trace(PTRACE_SET_SYSCALL_INFO, child, sizeof info, ADDRESS(&info)), EINVAL);
            info.flags = 0;
            info.op = 2;
            CHECK_ERRNO(trace(PTRACE_SET_SYSCALL_INFO, child, sizeof info, ADDRESS(&info)), EINVAL);
            info.op = 1;
            info.words[0] = 1UL << 40;
            CHECK_ERRNO(trace(PTRACE_SET_SYSCALL_INFO, child, sizeof info, ADDRESS(&info)), ERANGE);
            info.words[0] = SYS_getpgid;
            info.words[1] = 0;
            CHECK_EQ(trace(PTRACE_SET_SYSCALL_INFO, child, sizeof info, ADDRESS(&info)), 0);
            struct user_regs_struct r;
            trace(PTRACE_GETREGS, child, 0, ADDRESS(&r));
            CHECK_EQ(r.orig_rax, SYS_getpgid);
            CHECK_EQ(r.rdi, 0);
            trace(PTRACE_SYSCALL, child, 0, 0);
            CHECK_EQ(next(child), SYSCALL_STOP);
            trace(PTRACE_GET_SYSCALL_INFO, child, sizeof info, ADDRESS(&info));
            CHECK_EQ(info.op, 2);
            CHECK_EQ(info.words[0], getpgrp());
            info.words[0] = -EDOM;
            info.words[1] = 1;
            CHECK_EQ(trace(PTRACE_SET_SYSCALL_INFO, child, sizeof info, ADDRESS(&info)), 0);
            trace(PTRACE_GETREGS, child, 0, ADDRESS(&r));
            CHECK_EQ((long)r.rax, -EDOM);
            // An error is an int.
            info.words[0] = 1UL << 40 | 5;
            info.words[1] = 2;
            CHECK_EQ(trace(PTRACE_SET_SYSCALL_INFO, child, sizeof info, ADDRESS(&info)), 0);
            trace(PTRACE_GETREGS, child, 0, ADDRESS(&r));
            CHECK_EQ(r.rax, 5);
        }
        finish(child);
    }
    CASE(system_call_is_replaced) {
        pid_t child = traced(calls_getpid);
        trace(PTRACE_SETOPTIONS, child, 0, PTRACE_O_TRACESYSGOOD);
        struct user_regs_struct r;
        until_call(child, SYS_getppid, &r);
        CHECK_EQ(trace(PTRACE_POKEUSR, child, offsetof(struct user, regs.orig_rax), SYS_getpid), 0);
        trace(PTRACE_SYSCALL, child, 0, 0);
        CHECK_EQ(next(child), SYSCALL_STOP);
        trace(PTRACE_GETREGS, child, 0, ADDRESS(&r));
        CHECK_EQ(r.rax, child);
        CHECK_EQ(r.orig_rax, SYS_getpid);
        finish(child);
    }
    CASE(system_call_is_skipped) {
        pid_t child = traced(calls_getpid);
        trace(PTRACE_SETOPTIONS, child, 0, PTRACE_O_TRACESYSGOOD);
        struct user_regs_struct r;
        until_call(child, SYS_getppid, &r);
        trace(PTRACE_POKEUSR, child, offsetof(struct user, regs.orig_rax), -1);
        trace(PTRACE_POKEUSR, child, offsetof(struct user, regs.rax), 1234);
        trace(PTRACE_SYSCALL, child, 0, 0);
        CHECK_EQ(next(child), SYSCALL_STOP);
        trace(PTRACE_GETREGS, child, 0, ADDRESS(&r));
        CHECK_EQ(r.rax, 1234);
        finish(child);
    }
    CASE(sysemu) {
        pid_t child = traced(calls_getpid);
        trace(PTRACE_SETOPTIONS, child, 0, PTRACE_O_TRACESYSGOOD);
        struct user_regs_struct r;
        int calls = 0;
        do {
            trace(PTRACE_SYSEMU, child, 0, 0);
            CHECK_EQ(next(child), SYSCALL_STOP);
            trace(PTRACE_GETREGS, child, 0, ADDRESS(&r));
            CHECK_EQ((long)r.rax, -ENOSYS);
            calls++;
            if (r.orig_rax == SYS_getppid) {
                r.rax = 4242;
                trace(PTRACE_SETREGS, child, 0, ADDRESS(&r));
            }
        } while (r.orig_rax != SYS_exit_group && calls < 20);
        CHECK_EQ(r.orig_rax, SYS_exit_group);
        trace(PTRACE_CONT, child, 0, 0);
        finish(child);
    }

    // MARK: steps
    CASE(single_steps) {
        pid_t child = traced(steps);
        trace(PTRACE_CONT, child, 0, 0);
        CHECK_EQ(next(child), SIGTRAP << 8 | 0x7f);
        siginfo_t info;
        trace(PTRACE_GETSIGINFO, child, 0, ADDRESS(&info));
        CHECK_EQ(info.si_code, SI_KERNEL);
        struct user_regs_struct r;
        trace(PTRACE_GETREGS, child, 0, ADDRESS(&r));
        unsigned long place = r.rip;
        for (int i = 1; i <= 3; i++) {
            CHECK_EQ(trace(PTRACE_SINGLESTEP, child, 0, 0), 0);
            CHECK_EQ(next(child), SIGTRAP << 8 | 0x7f);
            trace(PTRACE_GETREGS, child, 0, ADDRESS(&r));
            CHECK_EQ(r.rip, place + i);
            CHECK_EQ(r.eflags & 0x100, 0);
            CHECK_EQ((long)r.orig_rax, -1);
        }
        trace(PTRACE_GETSIGINFO, child, 0, ADDRESS(&info));
        CHECK_EQ(info.si_code, TRAP_TRACE);
        CHECK_EQ((unsigned long)info.si_addr, r.rip);
        trace(PTRACE_CONT, child, 0, 0);
        CHECK_EQ(next(child), 0);
    }
    CASE(step_over_a_system_call) {
        pid_t child = traced(calls_getpid);
        trace(PTRACE_SETOPTIONS, child, 0, PTRACE_O_TRACESYSGOOD);
        struct user_regs_struct r;
        until_call(child, SYS_getppid, &r);
        unsigned long place = r.rip;
        trace(PTRACE_SINGLESTEP, child, 0, 0);
        CHECK_EQ(next(child), SIGTRAP << 8 | 0x7f);
        trace(PTRACE_GETREGS, child, 0, ADDRESS(&r));
        CHECK_EQ(r.rip, place);
        CHECK_EQ(r.rax, getpid());
        siginfo_t info;
        trace(PTRACE_GETSIGINFO, child, 0, ADDRESS(&info));
        CHECK_EQ(info.si_code, TRAP_BRKPT);
        trace(PTRACE_SINGLESTEP, child, 0, 0);
        CHECK_EQ(next(child), SIGTRAP << 8 | 0x7f);
        trace(PTRACE_GETREGS, child, 0, ADDRESS(&r));
        CHECK(r.rip != place);
        finish(child);
    }
    CASE(many_steps) {
        pid_t child = traced(calls_getpid);
        int count = 0, status;
        // Through the C library, system calls and all, to the end.
        while (trace(PTRACE_SINGLESTEP, child, 0, 0) == 0 && (status = next(child)) == (SIGTRAP << 8 | 0x7f) && count < 20000) count++;
        CHECK_EQ(status, 0);
        CHECK(count > 20);
    }
    CASE(breakpoint_without_handler_kills) {
        pid_t child = traced(breaks);
        trace(PTRACE_CONT, child, 0, 0);
        CHECK_EQ(next(child), SIGTRAP << 8 | 0x7f);
        trace(PTRACE_CONT, child, 0, SIGTRAP);
        CHECK_EQ(next(child) & 0x7f, SIGTRAP);
    }

    // MARK: /proc
    CASE(proc_status_of_a_tracee) {
        pid_t child = traced(NULL);
        char text[64] = "";
        read_line("status", child, "TracerPid:\t", text, sizeof text);
        CHECK_EQ(atoi(text), getpid());
        read_line("status", child, "State:\t", text, sizeof text);
        CHECK(!strcmp(text, "t (tracing stop)"));
        snprintf(text, sizeof text, "%d (", child);
        char stat[256] = "";
        read_line("stat", child, text, stat, sizeof stat);
        char *letter = strrchr(stat, ')');
        CHECK(letter && letter[2] == 't');
        finish(child);
    }
    CASE(proc_syscall_of_a_tracee) {
        pid_t child = traced(calls_getpid);
        struct user_regs_struct r;
        char text[256] = "", wanted[256];
        do {
            trace(PTRACE_SYSCALL, child, 0, 0);
            CHECK_EQ(next(child), SIGTRAP << 8 | 0x7f);
            trace(PTRACE_GETREGS, child, 0, ADDRESS(&r));
        } while (r.orig_rax != SYS_getppid);
        read_line("syscall", child, "", text, sizeof text);
        snprintf(wanted, sizeof wanted, "%d 0x1 0x2 0x3 0x4 0x5 0x6 0x%llx 0x%llx", SYS_getppid, r.rsp, r.rip);
        CHECK(!strcmp(text, wanted));
        finish(child);
    }
    return conformance_end();
}
