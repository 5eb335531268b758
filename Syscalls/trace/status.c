// ptrace(2): what /proc tells of a stopped tracee.
#include "tracee.h"

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

    CASE(proc_status_of_a_tracee) {
        pid_t child = traced(NULL);
        char text[64] = "";
        read_line("status", child, "TracerPid:\t", text, sizeof text);
        CHECK_EQ(atoi(text), getpid());
        read_line("status", child, "State:\t", text, sizeof text);
        CHECK(!strcmp(text, "t (tracing stop)"));
        CHECK_EQ(letter_of(child), 't');
        finish(child);
    }
    CASE(proc_syscall_of_a_tracee) {
        pid_t child = traced(calls_getppid);
        struct user_regs_struct r;
        char text[256] = "", wanted[256];
        int status;
        do {
            status = go_to_call(child);
            r = registers_of(child);
        } while (status == STOP(SIGTRAP) && r.orig_rax != SYS_getppid);
        CHECK_EQ(status, STOP(SIGTRAP));
        read_line("syscall", child, "", text, sizeof text);
        snprintf(wanted, sizeof wanted, "%d 0x1 0x2 0x3 0x4 0x5 0x6 0x%llx 0x%llx", SYS_getppid, r.rsp, r.rip);
        CHECK(!strcmp(text, wanted));
        finish(child);
    }
    return conformance_end();
}
