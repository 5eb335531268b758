// The same call again and again from one place in the text: after enough of them the sandbox may patch that place.
// Meanwhile the text is unmapped, protected, written, moved, cut off, and signals come.
#include "fuzzer.h"
#include <elf.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

enum { PAGE = 4096, NUMBERS = 480, STRIDE = 16, SITES = 24, TEXT = 2 * PAGE };

/// One site per number in the text of the program itself: a file of the host's.
extern char hot_text[];
__asm__(".text\n.balign 64\nhot_text:\n.set number, 0\n.rept 480\n.balign 16\nmov %rcx, %r10\nmov $number, %eax\nsyscall\nret\n"
        ".set number, number + 1\n.endr\n");
extern const Elf64_Ehdr __ehdr_start;

struct site {
    char *code;
    const struct call *call;
};

/// What a thread calls, and the text around it. Others of the process may call and change it too.
static char *common;
static __thread char *text;

static long enter(char *code, const uint64_t *arguments) {
    return ((long (*)(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t))code)(arguments[0], arguments[1], arguments[2],
        arguments[3],
                                                                                        arguments[4], arguments[5]);
}

static bool is_forking(uint64_t number) {
    return number == SYS_fork || number == SYS_vfork || number == SYS_clone || number == SYS_clone3 || number == SYS_execve ||
        number == SYS_execveat;
}

/// Mostly what does not wait, so that the loop is hot.
static const struct call *hot_call(void) {
    static const uint64_t quick[] = {SYS_getpid, SYS_gettid, SYS_read, SYS_write, SYS_fstat, SYS_lseek, SYS_clock_gettime,
        SYS_futex, SYS_poll, SYS_readv,
                                     SYS_recvmsg, SYS_sendmsg, SYS_getppid, SYS_rt_sigprocmask, SYS_pread64, SYS_epoll_wait,
                                         SYS_madvise, SYS_mprotect, SYS_fcntl,
                                     SYS_dup, SYS_close, SYS_sched_yield, SYS_getrandom, SYS_stat, SYS_mincore, SYS_mmap,
                                         SYS_munmap};
    uint64_t wanted = quick[random_below(sizeof quick / sizeof *quick)];
    for (int count = 0; count < 4000; count++) {
        const struct call *entry = random_entry();
        if (entry->number >= NUMBERS || is_forking(entry->number)) continue;
        if (count > 2000 || entry->number == wanted || one_in(400)) return entry;
    }
    return NULL;
}

/// Writes a site to `at` and says how long it is: of a patchable shape, mostly.
static size_t write_site(unsigned char *at, uint64_t number) {
    static const unsigned char clear[] = {0x31, 0xc0, 0x0f, 0x05, 0x48, 0x3d, 0x00, 0xf0, 0xff, 0xff, 0x77, 0x01, 0xc3, 0x0f,
        0x1f, 0x80, 0, 0, 0, 0, 0xc3};
    unsigned char *start = at;
    memcpy(at, "\x49\x89\xca", 3), at += 3; // mov %rcx, %r10
    if (number == SYS_read && one_in(2)) {
        memcpy(at, clear, sizeof clear);
        if (one_in(4)) at[random_below(sizeof clear)] = (unsigned char)random_next();
        return 3 + sizeof clear;
    }
    if (one_in(8)) *at++ = one_in(2) ? 0x48 : 0x41; // a prefix: another register, a longer instruction
    *at++ = 0xb8;
    memcpy(at, &number, 4), at += 4;
    if (one_in(8)) *at++ = 0x90;
    memcpy(at, "\x0f\x05\xc3", 3);
    return (size_t)(at + 3 - start);
}

static int text_file(const unsigned char *bytes) {
    char name[] = "textA";
    name[4] = (char)('A' + random_below(4));
    int fd = one_in(2) ? memfd_create("text", 0) : open(name, O_RDWR | O_CREAT, 0777);
    if (fd >= 0) write(fd, bytes, TEXT);
    return fd;
}

/// Text of its own: sites at odd places, some across the border of two pages.
static unsigned make_text(struct site *sites) {
    unsigned char bytes[TEXT];
    unsigned count = 0;
    memset(bytes, 0xc3, sizeof bytes);
    for (size_t at = random_below(32); at + 64 < TEXT && count < SITES; at += random_below(one_in(2) ? 16 : 700)) {
        if (one_in(6) && at < PAGE) at = PAGE - random_below(16);
        const struct call *call = hot_call();
        if (!call) break;
        sites[count++] = (struct site){(char *)at, call};
        at += write_site(bytes + at, call->number);
    }
    int fd = text_file(bytes);
    text = mmap(NULL, TEXT, PROT_READ | PROT_EXEC, one_in(8) ? MAP_SHARED : MAP_PRIVATE, fd, 0);
    if (one_in(2)) close(fd);
    if (text == MAP_FAILED) return text = NULL, 0;
    for (unsigned index = 0; index < count; index++) sites[index].code = text + (size_t)sites[index].code;
    if (one_in(4)) common = text;
    return count;
}

/// Sites in the program's text, or in another mapping of it.
static unsigned find_text(struct site *sites) {
    const Elf64_Phdr *header = (const void *)((const char *)&__ehdr_start + __ehdr_start.e_phoff);
    char *base = hot_text;
    if (one_in(2))
        for (unsigned index = 0; index < __ehdr_start.e_phnum; index++) {
            if (header[index].p_type != PT_LOAD || !(header[index].p_flags & PF_X)) continue;
            uint64_t into = (uint64_t)hot_text - header[index].p_vaddr, page = into & ~(PAGE - 1ull);
            int fd = open("/proc/self/exe", O_RDONLY);
            text = mmap(NULL, NUMBERS * STRIDE + PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd,
                (off_t)(header[index].p_offset + page));
            close(fd);
            if (text == MAP_FAILED) return text = NULL, 0;
            base = text + (into - page);
        }
    unsigned count = 1 + (unsigned)random_below(4), made = 0;
    for (unsigned index = 0; index < count; index++) {
        const struct call *call = hot_call();
        if (call) sites[made++] = (struct site){base + call->number * STRIDE, call};
    }
    return made;
}

/// In a copy, so that what is broken here is nobody else's text.
static void change_text(char *place) {
    if (!place) return;
    char *page = place + random_below(2) * PAGE;
    switch (random_below(10)) {
    case 0: munmap(page, PAGE); break;
    case 1: mprotect(page, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC); break;
    case 2: mprotect(page, PAGE, (int)random_below(8)); break;
    case 3: mprotect(place, TEXT, PROT_READ | PROT_EXEC); break;
    case 4: case 5: // faults where it may not be written
        if (one_in(2)) mprotect(page, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC);
        page[random_below(PAGE)] ^= (char)(1 << random_below(8));
        if (one_in(2)) mprotect(page, PAGE, PROT_READ | PROT_EXEC);
        break;
    case 6: madvise(page, PAGE, one_in(2) ? MADV_DONTNEED : MADV_WILLNEED); break;
    case 7: mremap(page, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, one_in(2) ? place : place + 16 * PAGE); break;
    case 8: {
        int fd = open("/proc/self/mem", O_RDWR), file = open("textA", O_RDWR);
        pwrite(fd, place_for(16), random_below(16), (off_t)(page + random_below(PAGE)));
        if (one_in(2)) ftruncate(file, (off_t)random_below(TEXT));
        else pwrite(file, place_for(16), random_below(16), (off_t)random_below(TEXT));
        close(fd), close(file);
        break;
    }
    default: mmap(page, PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0); break;
    }
}

static void on_alarm(int signal) { (void)signal; }

static void disturb(void) {
    static const struct itimerval often = {{0, 300}, {0, 50}};
    switch (random_below(8)) {
    case 0: case 1: case 2: change_text(text); break;
    case 3: change_text(common); break;
    case 4: signal(SIGALRM, on_alarm), setitimer(ITIMER_REAL, &often, NULL); break;
    case 5: syscall(SYS_arch_prctl, 0x1001, one_in(2) ? 0 : one_in(2)
        ? 0x7fff10000000 + random_below(64) * PAGE : (uint64_t)place_for(PAGE)); break;
    case 6: syscall(SYS_tgkill, getpid(), shared->slots[place * THREADS + random_below(THREADS)].tid, SIGUSR1); break;
    default: {
        int child;
        if (one_in(4) && fork_briefly(&child)) return; // goes on with the loop
        break;
    }
    }
}

/// Behind the `mov` of the fourth argument: a jump through a slot.
static bool is_patched(const char *code) { return !memcmp(code + 3, "\xff\x24\x25", 3) || !memcmp(code + 3, "\xeb\x0b", 2); }

void run_hot(void) {
    static const struct itimerval never = {{0, 0}, {0, 0}};
    struct site sites[SITES];
    unsigned count = one_in(2) ? make_text(sites) : find_text(sites);
    pid_t self = getpid();
    for (unsigned round = 0; count > 0 && round < 4; round++) {
        struct site *site = &sites[random_below(count)];
        uint64_t arguments[MAX_ARGUMENTS];
        for (unsigned calls = 64 + (unsigned)random_below(600); calls > 0; calls--) {
            if (calls % 8 == 0 || one_in(16))
                for (int index = 0; index < MAX_ARGUMENTS;
                    index++) arguments[index] = argument_value(&site->call->arguments[index]);
            if (!record_call(site->call->number, arguments)) continue;
            long result = enter(site->code, arguments);
            if (result >= 0 || result < -4095) count_success(site->call->number);
            if (one_in(80)) disturb();
        }
        __atomic_fetch_add(&shared->hot, 1, __ATOMIC_RELAXED);
        if (is_patched(site->code)) __atomic_fetch_add(&shared->patched, 1, __ATOMIC_RELAXED);
    }
    if (getpid() != self) finish_child(8);
    setitimer(ITIMER_REAL, &never, NULL);
    if (text && text != common) munmap(text, TEXT);
    text = NULL;
}

// Registers and frames that no program would have: the way into the stub's code, blocks and areas.

static uint64_t strange_place(void) {
    switch (random_below(7)) {
    case 0: case 1: return 0x7fff00000000 + random_below(0x2000); // the stub's code
    case 2: return 0x1f0000 + random_below(0x10000);              // blocks of patched sites
    case 3: return 0x7fff10000000 + random_below(64 * PAGE);      // areas of threads
    case 4: return (uint64_t)hot_text + random_below(NUMBERS * STRIDE);
    default: return interesting_integer();
    }
}

static void on_forge(int signal, siginfo_t *info, void *context) {
    ucontext_t *frame = context;
    (void)signal, (void)info;
    for (int index = 0; index < NGREG; index++)
        if (index != REG_RSP && index != REG_CSGSFS && one_in(3)) frame->uc_mcontext.gregs[index] = (greg_t)(one_in(2)
            ? strange_place() : (uint64_t)place_for(64));
    if (!one_in(6)) frame->uc_mcontext.gregs[REG_RIP] = (greg_t)strange_place();
    if (one_in(4)) frame->uc_mcontext.gregs[REG_RAX] = (greg_t)random_below(480);
    if (one_in(6)) frame->uc_mcontext.gregs[REG_RSP] = (greg_t)strange_place();
    if (one_in(6)) frame->uc_mcontext.gregs[REG_CSGSFS] = (greg_t)interesting_integer();
    if (one_in(6)) frame->uc_mcontext.fpregs = (void *)(one_in(2) ? strange_place() : (uint64_t)place_for(1024));
    else if (one_in(4)) memset((char *)frame->uc_mcontext.fpregs + random_below(512), (int)random_next(), random_below(32));
    if (one_in(4)) memset(&frame->uc_sigmask, (int)random_next(), 8);
    if (one_in(6)) frame->uc_stack = (stack_t){(void *)strange_place(), (int)random_below(4), random_below(1 << 20)};
    if (one_in(8)) frame->uc_flags = interesting_integer();
}

static void raise_forged(void) { raise(SIGUSR2); }

/// Words in the areas of the process's threads, which guests may write.
static void spoil_areas(void) {
    enum { AREA = 16 << 10 };
    uint64_t own;
    __asm__ volatile("rdgsbase %0" : "=r"(own));
    for (int count = 0; count < 200; count++) {
        uint64_t area = own && one_in(2) ? own + (random_below(9) - 4) * AREA : 0x7fff10000000 + random_below(32) * AREA;
        uint64_t *word = (uint64_t *)(area + random_below(one_in(2) ? 64 : AREA / 8) * 8);
        *word = one_in(2) ? interesting_integer() : random_below(16);
    }
}

static int calling_thread(void *unused) {
    uint64_t arguments[MAX_ARGUMENTS] = {0};
    (void)unused;
    for (int count = 0; count < 20000; count++) enter(hot_text + SYS_getppid * STRIDE, arguments);
    syscall(SYS_exit, 0);
    return 0;
}

void forge_frames(void) {
    enum { STACK = 64 << 10 };
    static __thread char alternate[1 << 15];
    int child;
    if (!fork_briefly(&child)) return end_child(child);
    stack_t stack = {alternate, 0, sizeof alternate};
    sigaltstack(&stack, NULL);
    if (one_in(2)) {
        char *memory = mmap(NULL, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (memory != MAP_FAILED)
            clone(calling_thread, memory + STACK,
                CLONE_VM | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM | CLONE_FS | CLONE_FILES, NULL, NULL, NULL, NULL);
        for (int count = 0; count < 8; count++) guarded(spoil_areas);
    }
    for (int count = 0; count < 12; count++) {
        install_handlers();
        struct sigaction action = {.sa_sigaction = on_forge, .sa_flags = SA_SIGINFO | SA_NODEFER};
        sigaction(SIGUSR2, &action, NULL);
        guarded(raise_forged);
    }
    finish_child(6);
}
