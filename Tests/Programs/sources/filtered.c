// libseccomp: a filter with each kind of action and argument comparisons, and one built for bubblewrap's --seccomp.
#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static void trapped(int n, siginfo_t *info, void *context) {
    (void)n, (void)context;
    char text[64];
    int length = snprintf(text, sizeof text, "trapped call %d\n", info->si_syscall);
    write(1, text, length);
}

int main(int count, char **arguments) {
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    if (count > 2 && !strcmp(arguments[1], "export")) {
        seccomp_rule_add(filter, SCMP_ACT_ERRNO(EXDEV), SCMP_SYS(mkdir), 0);
        seccomp_rule_add(filter, SCMP_ACT_ERRNO(EXDEV), SCMP_SYS(mkdirat), 0);
        int fd = open(arguments[2], O_WRONLY | O_CREAT | O_TRUNC, 0644);
        return seccomp_export_bpf(filter, fd) != 0;
    }
    struct sigaction action = {.sa_sigaction = trapped, .sa_flags = SA_SIGINFO};
    sigaction(SIGSYS, &action, NULL);
    seccomp_rule_add(filter, SCMP_ACT_ERRNO(77), SCMP_SYS(getpgid), 1, SCMP_A0(SCMP_CMP_GT, 5));
    seccomp_rule_add(filter, SCMP_ACT_TRAP, SCMP_SYS(getsid), 0);
    seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS, SCMP_SYS(sync), 0);
    printf("api %u\n", seccomp_api_get());
    printf("load %d\n", seccomp_load(filter));
    printf("getpgid(0) %s\n", getpgid(0) > 0 ? "works" : "fails");
    int result = getpgid(6);
    printf("getpgid(6) %d %d\n", result, errno);
    fflush(stdout);
    syscall(SYS_getsid, 0);
    sync();
    return 0;
}
