#define _GNU_SOURCE
#include "cconfine.h"

#include <errno.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <signal.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

void *cconfine_begin(void) {
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_TRAP);
    if (!filter) return NULL;
    // All threads at once; the first mismatch of architecture ends the process.
    if (seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1) || seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS) ||
        seccomp_attr_set(filter, SCMP_FLTATR_CTL_NNP, 1)) {
        seccomp_release(filter);
        return NULL;
    }
    // A search tree where the library can (2.5); without it the filter is merely slower.
    seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
    return filter;
}

int cconfine_allow(void *filter, const char *name, const struct cconfine_condition *conditions, unsigned count) {
    int number = seccomp_syscall_resolve_name(name);
    if (number == __NR_SCMP_ERROR) return -ENOENT;
    struct scmp_arg_cmp compared[6];
    if (count > 6) return -EINVAL;
    for (unsigned i = 0; i < count; i++)
        compared[i] = SCMP_CMP64(conditions[i].argument, SCMP_CMP_MASKED_EQ, conditions[i].mask, conditions[i].value);
    return seccomp_rule_add_exact_array(filter, SCMP_ACT_ALLOW, number, count, compared);
}

int cconfine_refuse(void *filter, const char *name, int error) {
    int number = seccomp_syscall_resolve_name(name);
    if (number == __NR_SCMP_ERROR) return -ENOENT;
    return seccomp_rule_add_exact(filter, SCMP_ACT_ERRNO((uint16_t)error), number, 0);
}

int cconfine_load(void *filter) {
    int result = seccomp_load(filter);
    seccomp_release(filter);
    return result;
}

void cconfine_discard(void *filter) { seccomp_release(filter); }

static const char *reporting_program;
static int violations_go_on;

static void put(char **at, const char *text) {
    while (*text) *(*at)++ = *text++;
}
static void put_number(char **at, long number) {
    char digits[24];
    int count = 0;
    unsigned long rest = number < 0 ? -(unsigned long)number : (unsigned long)number;
    if (number < 0) *(*at)++ = '-';
    do digits[count++] = (char)('0' + rest % 10);
    while (rest /= 10);
    while (count) *(*at)++ = digits[--count];
}

static void on_violation(int signal, siginfo_t *info, void *context) {
    (void)signal;
    ucontext_t *state = context;
    char line[160], *at = line;
    put(&at, reporting_program);
    put(&at, ": host system call ");
    put_number(&at, info->si_syscall);
    put(&at, " with second argument ");
    put_number(&at, (long)state->uc_mcontext.gregs[REG_RSI]);
    put(&at, violations_go_on ? " is outside its filter: refused\n" : " is outside its filter: ending the sandbox\n");
    ssize_t written = write(2, line, (size_t)(at - line));
    (void)written;
    if (!violations_go_on) _exit(1);
    state->uc_mcontext.gregs[REG_RAX] = -EPERM;
}

int cconfine_report_violations(const char *program, int goes_on) {
    reporting_program = program;
    violations_go_on = goes_on;
    struct sigaction action = {.sa_sigaction = on_violation, .sa_flags = SA_SIGINFO | SA_NODEFER};
    return sigaction(SIGSYS, &action, NULL) == -1 ? -errno : 0;
}

static int keep_capabilities(const int *kept, unsigned count) {
    // The bounding set needs CAP_SETPCAP; without it nothing can be gained by execve(2) anyway, for no_new_privs is set first.
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1) return -errno;
    for (int capability = 0; prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; capability++) prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    cap_t own = cap_get_proc(), wanted = cap_init();
    int result = own && wanted ? 0 : -ENOMEM;
    for (unsigned i = 0; i < count && !result; i++) {
        cap_flag_value_t has = CAP_CLEAR;
        cap_value_t capability = kept[i];
        if (cap_get_flag(own, capability, CAP_PERMITTED, &has) == -1 || has != CAP_SET) continue;
        if (cap_set_flag(wanted, CAP_PERMITTED, 1, &capability, CAP_SET) == -1 || cap_set_flag(wanted, CAP_EFFECTIVE, 1, &capability, CAP_SET) == -1)
            result = -errno;
    }
    if (!result && cap_set_proc(wanted) == -1) result = -errno;
    if (own) cap_free(own);
    if (wanted) cap_free(wanted);
    return result;
}

int cconfine_drop_capabilities(void) { return keep_capabilities(NULL, 0); }

int cconfine_keep_file_capabilities(int writes) {
    static const int reading[] = {CAP_DAC_READ_SEARCH};
    static const int writing[] = {CAP_DAC_READ_SEARCH, CAP_DAC_OVERRIDE, CAP_CHOWN, CAP_FOWNER, CAP_FSETID};
    return writes ? keep_capabilities(writing, sizeof writing / sizeof *writing)
                  : keep_capabilities(reading, sizeof reading / sizeof *reading);
}

static int landlock_version(void) {
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    return version < 0 ? 0 : (int)version;
}

int cconfine_close_paths(void) {
    int version = landlock_version();
    if (version == 0) return 0;
    uint64_t handled = (1ul << 13) - 1;
    if (version >= 2) handled |= 1ul << 13;
    if (version >= 3) handled |= 1ul << 14;
    if (version >= 5) handled |= 1ul << 15;
    struct {
        uint64_t fs, network, scoped;
    } attributes = {.fs = handled, .network = version >= 4 ? 3 : 0, .scoped = version >= 6 ? 1 : 0};  // abstract Unix sockets
    size_t size = version >= 6 ? 24 : version >= 4 ? 16 : 8;
    int ruleset = (int)syscall(SYS_landlock_create_ruleset, &attributes, size, 0);
    if (ruleset == -1) return -errno;
    int result = 0;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 || syscall(SYS_landlock_restrict_self, ruleset, 0) == -1) result = -errno;
    close(ruleset);
    return result ? result : version;
}

int cconfine_hide(void) { return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == -1 ? -errno : 0; }
