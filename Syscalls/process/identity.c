// getpid(2), getppid(2), gettid(2), getpgid(2), getsid(2).
#include "conformance.h"

int main(void) {
    COVERS(getpid, gettid);
    CASE(getpid_equals_gettid_in_main_thread) CHECK_EQ(syscall(SYS_getpid), syscall(SYS_gettid));
    COVERS(getppid);
    CASE(child_sees_parent) {
        pid_t parent = getpid();
        pid_t child = fork();
        if (child == 0) _exit(getppid() == parent ? 0 : 1);
        int status;
        CHECK_EQ(waitpid(child, &status, 0), child);
        CHECK_EQ(status, 0);
    }
    COVERS(getpgid);
    CASE(getpgid_of_absent_process) CHECK_ERRNO(getpgid(0x3ffffff), ESRCH);
    COVERS(getsid);
    CASE(getsid_of_self) CHECK_EQ(getsid(0), getsid(getpid()));
    return conformance_end();
}
