// execve(2), execveat(2), vfork(2): errors, what survives, what does not.
#include "conformance.h"
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>

static char self[256];
static char *no_environment[] = {NULL};

/// Runs this program again as `mode`; returns its wait status.
static int again(const char *mode, const char *argument) {
    pid_t child = fork();
    if (child == 0) {
        char *arguments[] = {self, (char *)mode, (char *)argument, NULL};
        execve(self, arguments, no_environment);
        _exit(120);
    }
    int status = -1;
    waitpid(child, &status, 0);
    return status;
}
static void *waits(void *argument) {
    pause();
    return argument;
}
static void *executes(void *argument) {
    char *arguments[] = {self, "pid", argument, NULL};
    execve(self, arguments, no_environment);
    _exit(121);
}
static void handler(int n) { (void)n; }
static const char *file_with(const char *name, const void *bytes, size_t count, int mode) {
    static char path[256];
    snprintf(path, sizeof path, "%s/%s", conformance_directory(), name);
    int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0700);
    write(fd, bytes, count);
    close(fd);
    chmod(path, mode);
    return path;
}
static int as_mode(int argc, char **argv) {
    const char *mode = argv[1];
    if (!strcmp(mode, "handlers")) {
        struct sigaction a, b;
        sigaction(SIGUSR1, NULL, &a);
        sigaction(SIGUSR2, NULL, &b);
        return a.sa_handler == SIG_DFL && b.sa_handler == SIG_IGN ? 0 : 1;
    }
    if (!strcmp(mode, "mask")) {
        sigset_t now, pending;
        sigprocmask(SIG_SETMASK, NULL, &now);
        sigpending(&pending);
        return sigismember(&now, SIGUSR1) && sigismember(&pending, SIGUSR1) ? 0 : 1;
    }
    if (!strcmp(mode, "altstack")) {
        stack_t s;
        sigaltstack(NULL, &s);
        return s.ss_flags == SS_DISABLE ? 0 : 1;
    }
    if (!strcmp(mode, "pid")) return getpid() == atoi(argv[2]) && syscall(SYS_gettid) == getpid() ? 0 : 1;
    if (!strcmp(mode, "name")) {
        char name[17] = "";
        prctl(PR_GET_NAME, name);
        return strcmp(name, argv[2]);
    }
    if (!strcmp(mode, "dumpable")) return prctl(PR_GET_DUMPABLE) == atoi(argv[2]) ? 0 : 1;
    if (!strcmp(mode, "argc")) return argc;
    if (!strcmp(mode, "descriptor")) return fcntl(atoi(argv[2]), F_GETFD) == -1 ? 1 : 0;
    if (!strcmp(mode, "deathsig")) {
        int s = -1;
        prctl(PR_GET_PDEATHSIG, &s);
        return s;
    }
    if (!strcmp(mode, "keepcaps")) return prctl(PR_GET_KEEPCAPS);
    return 119;
}

int main(int argc, char **argv) {
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    self[length > 0 ? length : 0] = 0;
    if (argc == 0 || (argc == 1 && !argv[0][0])) return 44;
    if (argc > 1) return as_mode(argc, argv);
    char *plain[] = {"x", NULL};

    COVERS(execve);
    CASE(missing_names) {
        CHECK_ERRNO(execve("/nonexistent/x", plain, no_environment), ENOENT);
        CHECK_ERRNO(execve("", plain, no_environment), ENOENT);
    }
    CASE(directories_cannot_be_executed) CHECK_ERRNO(execve("/", plain, no_environment), EACCES);
    CASE(devices_cannot_be_executed) CHECK_ERRNO(execve("/dev/null", plain, no_environment), EACCES);
    CASE(file_as_directory) CHECK_ERRNO(execve("/proc/self/exe/x", plain, no_environment), ENOTDIR);
    COVERS(execve, chmod);
    CASE(execute_permission_is_needed) {
        const char *path = file_with("plain", "#!/bin/sh\n", 10, 0600);
        CHECK_ERRNO(execve(path, plain, no_environment), EACCES);
    }
    CASE(unknown_format) {
        CHECK_ERRNO(execve(file_with("text", "hello there\n", 12, 0700), plain, no_environment), ENOEXEC);
        CHECK_ERRNO(execve(file_with("empty", "", 0, 0700), plain, no_environment), ENOEXEC);
        CHECK_ERRNO(execve(file_with("elf", "\177ELF", 4, 0700), plain, no_environment), ENOEXEC);
    }
    CASE(interpreter_is_missing) {
        CHECK_ERRNO(execve(file_with("script", "#!/nonexistent/sh\n", 18, 0700), plain, no_environment), ENOENT);
        CHECK_ERRNO(execve(file_with("blank", "#!\n", 3, 0700), plain, no_environment), ENOEXEC);
        CHECK_ERRNO(execve(file_with("spaces", "#!   \n", 6, 0700), plain, no_environment), ENOEXEC);
    }
    CASE(interpreters_nest_to_a_bound) {
        char text[300];
        snprintf(text, sizeof text, "#!%s/loop\n", conformance_directory());
        const char *path = file_with("loop", text, strlen(text), 0700);
        CHECK_ERRNO(execve(path, plain, no_environment), ELOOP);
    }
    COVERS(symlink, execve);
    CASE(symbolic_links_loop) {
        char path[128];
        snprintf(path, sizeof path, "%s/circle", conformance_directory());
        symlink(path, path);
        CHECK_ERRNO(execve(path, plain, no_environment), ELOOP);
    }
    COVERS(execve);
    CASE(names_that_are_too_long) {
        char name[5000];
        memset(name, 'a', sizeof name);
        name[0] = '/';
        name[4999] = 0;
        CHECK_ERRNO(execve(name, plain, no_environment), ENAMETOOLONG);
        name[300] = 0;
        CHECK_ERRNO(execve(name, plain, no_environment), ENAMETOOLONG);
    }
    CASE(bad_addresses) {
        CHECK_ERRNO(execve(BAD_POINTER, plain, no_environment), EFAULT);
        CHECK_ERRNO(execve(NULL, plain, no_environment), EFAULT);
        CHECK_ERRNO(execve(self, BAD_POINTER, no_environment), EFAULT);
        CHECK_ERRNO(execve(self, plain, BAD_POINTER), EFAULT);
        char *bad[] = {"x", BAD_POINTER, NULL};
        CHECK_ERRNO(execve(self, bad, no_environment), EFAULT);
        CHECK_ERRNO(execve(self, plain, bad), EFAULT);
        char **edge = conformance_before_hole(8);
        edge[0] = "x";
        CHECK_ERRNO(execve(self, edge, no_environment), EFAULT);
        char *text = conformance_before_hole(3);
        memcpy(text, "abc", 3);
        CHECK_ERRNO(execve(text, plain, no_environment), EFAULT);
    }
    CASE(one_string_is_bounded) {
        char *long_string = malloc(131073);
        memset(long_string, 'x', 131072);
        long_string[131072] = 0;
        char *arguments[] = {self, "argc", long_string, NULL};
        CHECK_ERRNO(execve(self, arguments, no_environment), E2BIG);
        long_string[131071] = 0;
        CHECK_EQ(again("argc", long_string), 3 << 8);
        free(long_string);
    }
    CASE(empty_argument_list_becomes_one_empty_string) {
        pid_t child = fork();
        if (child == 0) {
            syscall(SYS_execve, self, NULL, NULL);
            _exit(120);
        }
        int status;
        waitpid(child, &status, 0);
        CHECK_EQ(status, 44 << 8);
    }
    CASE(busy_text) {
        char path[128];
        snprintf(path, sizeof path, "%s/busy", conformance_directory());
        int fd = open(path, O_CREAT | O_RDWR, 0700);
        write(fd, "#!/bin/sh\n", 10);
        CHECK_ERRNO(execve(path, plain, no_environment), ETXTBSY);
        close(fd);
    }
    COVERS(execveat);
    CASE(execveat_flags) {
        CHECK_ERRNO(syscall(SYS_execveat, AT_FDCWD, self, plain, no_environment, 0x1), EINVAL);
        CHECK_ERRNO(syscall(SYS_execveat, AT_FDCWD, "", plain, no_environment, 0), ENOENT);
        CHECK_ERRNO(syscall(SYS_execveat, 9999, "x", plain, no_environment, 0), EBADF);
        CHECK_ERRNO(syscall(SYS_execveat, 9999, "", plain, no_environment, AT_EMPTY_PATH), EBADF);
        CHECK_ERRNO(syscall(SYS_execveat, AT_FDCWD, BAD_POINTER, plain, no_environment, 0), EFAULT);
    }
    CASE(execveat_on_a_file_as_directory) {
        int fd = open("/proc/self/status", O_RDONLY);
        CHECK_ERRNO(syscall(SYS_execveat, fd, "x", plain, no_environment, 0), ENOTDIR);
        CHECK_ERRNO(syscall(SYS_execveat, fd, "", plain, no_environment, AT_EMPTY_PATH), EACCES);
        close(fd);
    }
    COVERS(link, symlink, execveat);
    CASE(execveat_does_not_follow) {
        char path[128];
        snprintf(path, sizeof path, "%s/link", conformance_directory());
        symlink(self, path);
        CHECK_ERRNO(syscall(SYS_execveat, AT_FDCWD, path, plain, no_environment, AT_SYMLINK_NOFOLLOW), ELOOP);
    }
    COVERS(execveat);
    CASE(execveat_of_a_descriptor) {
        int fd = open(self, O_PATH | O_CLOEXEC);
        pid_t child = fork();
        if (child == 0) {
            char *arguments[] = {self, "argc", NULL};
            syscall(SYS_execveat, fd, "", arguments, no_environment, AT_EMPTY_PATH);
            _exit(120);
        }
        int status;
        waitpid(child, &status, 0);
        CHECK_EQ(status, 2 << 8);
        close(fd);
    }
    CASE(execveat_check_only) {
        CHECK_EQ(syscall(SYS_execveat, AT_FDCWD, self, plain, no_environment, 0x10000), 0);
        CHECK_ERRNO(syscall(SYS_execveat, AT_FDCWD, "/dev/null", plain, no_environment, 0x10000), EACCES);
    }
    COVERS(execveat, chmod);
    CASE(script_of_a_closing_descriptor) {
        int fd = open(file_with("fdscript", "#!/bin/sh\nexit 3\n", 17, 0700), O_RDONLY | O_CLOEXEC);
        CHECK_ERRNO(syscall(SYS_execveat, fd, "", plain, no_environment, AT_EMPTY_PATH), ENOENT);
        close(fd);
    }
    COVERS(execve);
    CASE(handlers_are_reset_and_ignored_stay) {
        signal(SIGUSR1, handler);
        signal(SIGUSR2, SIG_IGN);
        CHECK_EQ(again("handlers", NULL), 0);
        signal(SIGUSR1, SIG_DFL);
        signal(SIGUSR2, SIG_DFL);
    }
    CASE(mask_and_pending_signals_stay) {
        int status;
        pid_t child = fork();
        if (child == 0) {
            sigset_t s;
            sigemptyset(&s);
            sigaddset(&s, SIGUSR1);
            sigprocmask(SIG_BLOCK, &s, NULL);
            raise(SIGUSR1);
            char *arguments[] = {self, "mask", NULL};
            execve(self, arguments, no_environment);
        }
        waitpid(child, &status, 0);
        CHECK_EQ(status, 0);
    }
    COVERS(sigaltstack, execve);
    CASE(alternate_stack_is_dropped) {
        static char alternate[16384];
        stack_t s = {.ss_sp = alternate, .ss_size = sizeof alternate};
        sigaltstack(&s, NULL);
        CHECK_EQ(again("altstack", NULL), 0);
        s.ss_flags = SS_DISABLE;
        sigaltstack(&s, NULL);
    }
    COVERS(pause);
    CASE(other_threads_end_and_the_leader_number_stays) {
        pid_t child = fork();
        if (child == 0) {
            char number[16];
            snprintf(number, sizeof number, "%d", getpid());
            pthread_t t;
            for (int i = 0; i < 4; i++) pthread_create(&t, NULL, waits, NULL);
            pthread_create(&t, NULL, executes, number);
            pause();
        }
        int status;
        waitpid(child, &status, 0);
        CHECK_EQ(status, 0);
    }
    COVERS(prctl, execve);
    CASE(name_is_the_last_component) {
        char path[128], *slash = strrchr(self, '/');
        char name[16];
        snprintf(name, sizeof name, "%.15s", slash + 1);
        prctl(PR_SET_NAME, "other");
        CHECK_EQ(again("name", name), 0);
        (void)path;
    }
    CASE(dumpable_is_set_again) IN_FORK({
        prctl(PR_SET_DUMPABLE, 0);
        CHECK_EQ(again("dumpable", "1"), 0);
    });
    CASE(keep_capabilities_is_cleared) IN_FORK({
        prctl(PR_SET_KEEPCAPS, 1);
        CHECK_EQ(again("keepcaps", NULL), 0);
    });
    CASE(death_signal_is_kept_by_exec_and_cleared_by_fork) {
        prctl(PR_SET_PDEATHSIG, SIGUSR1);
        CHECK_EQ(again("deathsig", NULL), 0);
        prctl(PR_SET_PDEATHSIG, 0);
        pid_t child = fork();
        if (child == 0) {
            prctl(PR_SET_PDEATHSIG, SIGUSR1);
            char *arguments[] = {self, "deathsig", NULL};
            execve(self, arguments, no_environment);
        }
        int status;
        waitpid(child, &status, 0);
        CHECK_EQ(status, SIGUSR1 << 8);
    }
    COVERS(dup, fcntl, execve);
    CASE(descriptors_stay_unless_marked) {
        int fd = dup(0);
        char number[16];
        snprintf(number, sizeof number, "%d", fd);
        CHECK_EQ(again("descriptor", number), 0);
        fcntl(fd, F_SETFD, FD_CLOEXEC);
        CHECK_EQ(again("descriptor", number), 1 << 8);
        close(fd);
    }
    COVERS(vfork);
    CASE(vfork_parent_waits_and_shares) {
        static volatile int shared;
        shared = 0;
        pid_t child = vfork();
        if (child == 0) {
            shared = 5;
            _exit(1);
        }
        CHECK_EQ(shared, 5);
        int status;
        CHECK_EQ(waitpid(child, &status, 0), child);
        CHECK_EQ(status, 1 << 8);
    }
    COVERS(dup, vfork, fcntl);
    CASE(vfork_child_keeps_its_own_descriptors) {
        int fd = dup(0);
        static volatile int number;
        number = fd;
        pid_t child = vfork();
        if (child == 0) {
            close(number);
            _exit(0);
        }
        CHECK(fcntl(fd, F_GETFD) >= 0);
        close(fd);
        waitpid(child, NULL, 0);
    }
    COVERS(vfork, execve);
    CASE(vfork_and_failed_exec) {
        static volatile int seen;
        pid_t child = vfork();
        if (child == 0) {
            execve("/nonexistent", plain, no_environment);
            seen = errno;
            _exit(0);
        }
        CHECK_EQ(seen, ENOENT);
        waitpid(child, NULL, 0);
    }
    COVERS(prlimit64, vfork);
    CASE(process_limit_refuses_fork) AS_USER({
        struct rlimit none = {0, 0};
        setrlimit(RLIMIT_NPROC, &none);
        CHECK_ERRNO(fork(), EAGAIN);
        CHECK_ERRNO(vfork(), EAGAIN);
    });
    return conformance_end();
}
