// Calls that change the machine or need a subsystem: what they refuse, and to whom. A kernel without the subsystem answers ENOSYS.
#include "conformance.h"
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <sys/io.h>
#include <sys/ptrace.h>
#include <signal.h>

#define ABSENT_OR(call, wanted) CHECK_ERRNO2(call, ENOSYS, wanted)

int main(void) {
    char buffer[256] = {0};
    COVERS(uselib);
    CASE(numbers_without_a_call) {
        CHECK_ERRNO(syscall(400), ENOSYS);
        CHECK_ERRNO(syscall(1000), ENOSYS);
        CHECK_ERRNO(syscall(-1), ENOSYS);
        CHECK_ERRNO(syscall(0x7fffffff), ENOSYS);
    }
    COVERS(uselib, create_module, nfsservctl, vserver);
    CASE(calls_removed_from_the_kernel) {
        static const int gone[] = {134, 156, 174, 177, 178, 180, 181, 182, 183, 184, 185, 205, 211, 214, 215, 236};
        for (unsigned i = 0; i < sizeof gone / sizeof *gone; i++) CHECK_ERRNO(syscall(gone[i], 0, 0, 0, 0, 0, 0), ENOSYS);
    }
    COVERS(io_uring_setup, io_uring_enter, io_uring_register);
    CASE(io_uring) {
        ABSENT_OR(syscall(425, 0, buffer), EINVAL);
        ABSENT_OR(syscall(426, 9999, 0, 0, 0, NULL, 0), EBADF);
        ABSENT_OR(syscall(427, 9999, 0, NULL, 0), EBADF);
    }
    COVERS(io_setup, io_destroy);
    CASE(asynchronous_input_and_output) {
        ABSENT_OR(syscall(SYS_io_setup, 0, buffer), EINVAL);
        ABSENT_OR(syscall(SYS_io_destroy, 0x1234), EINVAL);
    }
    COVERS(add_key, request_key, keyctl);
    CASE(keys) {
        ABSENT_OR(syscall(SYS_add_key, "user", "name", NULL, 0, 12345), ENOKEY);
        ABSENT_OR(syscall(SYS_request_key, "user", "absent", NULL, 12345), ENOKEY);
        ABSENT_OR(syscall(SYS_keyctl, 9999, 0, 0, 0, 0), EOPNOTSUPP);
    }
    COVERS(uretprobe, uprobe);
    CASE(probes_of_programs) {
        // Only code that probes have put into a program may make these calls.
        CHECK_ERRNO2(syscall(336), ENXIO, ENOSYS);
        pid_t child = fork();
        if (child == 0) _exit(syscall(335) == -1 && errno == ENOSYS ? 0 : 1);
        int status = -1;
        waitpid(child, &status, 0);
        CHECK(status == 0 || status == SIGILL);
    }
    COVERS(bpf);
    CASE(bpf_needs_privilege) AS_USER({
        union bpf_attr attribute;
        memset(&attribute, 0, sizeof attribute);
        attribute.map_type = BPF_MAP_TYPE_HASH;
        attribute.key_size = attribute.value_size = 4;
        attribute.max_entries = 1;
        CHECK_ERRNO(syscall(SYS_bpf, BPF_MAP_CREATE, &attribute, sizeof attribute), EPERM);
        CHECK_ERRNO(syscall(SYS_bpf, BPF_PROG_LOAD, &attribute, sizeof attribute), EPERM);
    });
    COVERS(perf_event_open);
    CASE(performance_counters_need_privilege) AS_USER({
        struct perf_event_attr attribute = {.type = PERF_TYPE_HARDWARE, .size = sizeof attribute, .config = PERF_COUNT_HW_CPU_CYCLES};
        CHECK_ERRNO2(syscall(SYS_perf_event_open, &attribute, -1, 0, -1, 0), EACCES, EPERM);
    });
    COVERS(userfaultfd);
    CASE(user_faults) AS_USER({
        CHECK_ERRNO2(syscall(SYS_userfaultfd, 0), EPERM, ENOSYS);
    });
    COVERS(reboot, kexec_load, init_module, delete_module, finit_module, iopl);
    CASE(machine_control_needs_privilege) AS_USER({
        CHECK_ERRNO(syscall(SYS_reboot, 0xfee1dead, 672274793, 0x01234567, NULL), EPERM);
        CHECK_ERRNO2(syscall(SYS_kexec_load, 0, 0, NULL, 0), EPERM, ENOSYS);
        CHECK_ERRNO2(syscall(SYS_init_module, NULL, 0, ""), EPERM, ENOSYS);
        CHECK_ERRNO2(syscall(SYS_delete_module, "x", 0), EPERM, ENOSYS);
        CHECK_ERRNO2(syscall(SYS_finit_module, 0, "", 0), EPERM, ENOSYS);
        CHECK_ERRNO2(syscall(SYS_iopl, 3), EPERM, ENOSYS);
        CHECK_ERRNO2(syscall(SYS_ioperm, 0, 1, 1), EPERM, ENOSYS);
        CHECK_ERRNO(syscall(SYS_swapon, "/dev/null", 0), EPERM);
        CHECK_ERRNO(syscall(SYS_swapoff, "/dev/null"), EPERM);
        CHECK_ERRNO2(syscall(SYS_acct, "/dev/null"), EPERM, ENOSYS);
        CHECK_ERRNO(syscall(SYS_vhangup), EPERM);
        CHECK_ERRNO(syscall(SYS_chroot, "/"), EPERM);
        CHECK_ERRNO(syscall(SYS_pivot_root, "/", "/"), EPERM);
        CHECK_ERRNO(syscall(SYS_mount, "x", "/", "tmpfs", 0, NULL), EPERM);
        CHECK_ERRNO(syscall(SYS_umount2, "/", 0), EPERM);
    });
    COVERS(reboot);
    CASE(reboot_words) {
        if (geteuid() == 0) CHECK_ERRNO(syscall(SYS_reboot, 1, 2, 3, NULL), EINVAL);
    }
    COVERS(modify_ldt);
    CASE(local_descriptor_table) {
        // The kernel's int is returned as it is: 32 bits.
        CHECK((int)syscall(SYS_modify_ldt, 99, buffer, 16) == -ENOSYS || errno == ENOSYS);
        CHECK_EQ((int)syscall(SYS_modify_ldt, 0, buffer, 256), 0);
        memset(buffer, 'x', sizeof buffer);
        CHECK_EQ((int)syscall(SYS_modify_ldt, 2, buffer, 256), 128);
        CHECK(buffer[0] == 0 && buffer[127] == 0 && buffer[128] == 'x');
        CHECK_EQ((int)syscall(SYS_modify_ldt, 2, BAD_POINTER, 16), -EFAULT);
        CHECK_EQ((int)syscall(SYS_modify_ldt, 1, buffer, 15), -EINVAL);
        CHECK_EQ((int)syscall(SYS_modify_ldt, 0x11, BAD_POINTER, 16), -EFAULT);
        unsigned entry[4] = {8192, 0, 0, 0x28};
        CHECK_EQ((int)syscall(SYS_modify_ldt, 0x11, entry, 16), -EINVAL);
        entry[0] = 5;
        CHECK_EQ((int)syscall(SYS_modify_ldt, 0x11, entry, 16), 0);
    }
    COVERS(ptrace, pause);
    CASE(tracing_errors) {
        CHECK_ERRNO(syscall(SYS_ptrace, PTRACE_ATTACH, 1 << 22, 0, 0), ESRCH);
        CHECK_ERRNO(syscall(SYS_ptrace, PTRACE_CONT, 1 << 22, 0, 0), ESRCH);
        pid_t child = fork();
        if (child == 0)
            for (;;) pause();
        CHECK_ERRNO(syscall(SYS_ptrace, PTRACE_CONT, child, 0, 0), ESRCH);
        CHECK_ERRNO(syscall(SYS_ptrace, PTRACE_PEEKDATA, child, 0, buffer), ESRCH);
        CHECK_ERRNO(syscall(SYS_ptrace, PTRACE_ATTACH, getpid(), 0, 0), EPERM);
        if (geteuid() == 0) AS_USER(CHECK_ERRNO(syscall(SYS_ptrace, PTRACE_ATTACH, child, 0, 0), EPERM));
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
    }
    CASE(secret_memory) CHECK_ERRNO2(syscall(447, 0xff), EINVAL, ENOSYS);
    CASE(shadow_stacks) CHECK_ERRNO2(syscall(453, 0, 4096, 0), EOPNOTSUPP, ENOSYS);
    COVERS(fanotify_init);
    CASE(file_notification_needs_privilege) AS_USER(CHECK_ERRNO2(syscall(SYS_fanotify_init, 4, 0), EPERM, ENOSYS));
    CASE(sandboxing_rules) CHECK_ERRNO2(syscall(444, NULL, 0, 1 << 20), EINVAL, ENOSYS);
    COVERS(migrate_pages, move_pages);
    CASE(memory_migration) {
        CHECK_ERRNO2(syscall(SYS_migrate_pages, 1 << 22, 1, buffer, buffer), ESRCH, ENOSYS);
        CHECK_ERRNO2(syscall(SYS_move_pages, 1 << 22, 0, NULL, NULL, NULL, 0), ESRCH, ENOSYS);
    }
    COVERS(rseq);
    CASE(restartable_sequences_arguments) {
        CHECK_ERRNO2(syscall(SYS_rseq, 0x11, 32, 0, 0x53053053), EINVAL, ENOSYS);
        CHECK_ERRNO2(syscall(SYS_rseq, 0x10, 3, 0, 0x53053053), EINVAL, ENOSYS);
        CHECK_ERRNO2(syscall(SYS_rseq, 0x10, 32, 7, 0x53053053), EINVAL, ENOSYS);
    }
    return conformance_end();
}
