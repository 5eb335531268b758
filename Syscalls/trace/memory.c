// ptrace(2): what a tracer reads and writes of a tracee's memory, by request and through /proc/PID/mem.
#include "tracee.h"
#include <sys/auxv.h>

static volatile long variable = 0x1122334455667788;
static const long constant = 0x0102030405060708;
static void exits_with_variable(void) { _exit(variable == 42 ? 3 : 4); }
static __attribute__((noinline)) void target_function(void) { __asm__ volatile("nop\n\tnop\n\tnop\n\tnop\n\tnop\n\tnop\n\tnop\n\tnop"); }
static void calls_target(void) { target_function(); }

int main(void) {
    conformance_enter();
    COVERS(ptrace);

    CASE(peek_and_poke_data) {
        pid_t child = traced(exits_with_variable);
        long seen = 0;
        CHECK_EQ(trace(PTRACE_PEEKDATA, child, ADDRESS(&variable), ADDRESS(&seen)), 0);
        CHECK_EQ(seen, 0x1122334455667788);
        CHECK_EQ(trace(PTRACE_PEEKTEXT, child, ADDRESS(&variable) + 1, ADDRESS(&seen)), 0);
        CHECK_EQ(seen & 0xff, 0x77);
        CHECK_EQ(trace(PTRACE_POKEDATA, child, ADDRESS(&variable), 42), 0);
        CHECK_EQ(go(child, 0), 3 << 8);
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
        CHECK_EQ(go(child, 0), STOP(SIGTRAP));
        struct user_regs_struct r = registers_of(child);
        CHECK_EQ(r.rip, place + 1);
        trace(PTRACE_POKETEXT, child, place, word);
        r.rip = place;
        CHECK_EQ(trace(PTRACE_SETREGS, child, 0, ADDRESS(&r)), 0);
        CHECK_EQ(go(child, 0), 0);
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
        CHECK_EQ(go(child, 0), 3 << 8);
    }
    return conformance_end();
}
