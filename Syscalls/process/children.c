// fork(2), vfork(2), execve(2), wait(2), process groups and sessions; 500 children.
#include "conformance.h"
#include <fcntl.h>
#include <signal.h>

static int exit_status(pid_t child) {
    int status;
    if (waitpid(child, &status, 0) != child) return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

int main(int argc, char **argv) {
    if (argc == 2) return atoi(argv[1]);
    COVERS(fork, wait4);
    CASE(five_hundred_children) {
        int sum = 0;
        for (int i = 0; i < 500; i++) {
            pid_t child = fork();
            if (child == 0) _exit(i % 200);
            if (child == -1) FAIL_("fork %d: errno %d", i, errno);
        }
        int status;
        while (wait(&status) > 0) sum += WEXITSTATUS(status);
        CHECK_EQ(sum, 2 * 19900 + 4950);
        CHECK_EQ(errno, ECHILD);
    }
    COVERS(fork);
    CASE(memory_is_copied) {
        static int value = 1;
        char *heap = malloc(100000);
        memset(heap, 'a', 100000);
        pid_t child = fork();
        if (child == 0) {
            value = 2;
            memset(heap, 'b', 100000);
            _exit(value + (heap[99999] == 'b' ? 0 : 50));
        }
        CHECK_EQ(exit_status(child), 2);
        CHECK_EQ(value, 1);
        CHECK_EQ(heap[99999], 'a');
        free(heap);
    }
    CASE(shared_memory_is_shared) {
        int *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        pid_t child = fork();
        if (child == 0) {
            *shared = 7;
            _exit(0);
        }
        exit_status(child);
        CHECK_EQ(*shared, 7);
        munmap(shared, 4096);
    }
    COVERS(vfork, execve);
    CASE(vfork_and_exec) {
        pid_t child = vfork();
        if (child == 0) {
            execl("/proc/self/exe", "self", "33", NULL);
            _exit(99);
        }
        CHECK_EQ(exit_status(child), 33);
    }
    CASE(exec_errors) {
        char *none[] = {NULL};
        CHECK_ERRNO(execve("/no/such/file", none, none), ENOENT);
        CHECK_ERRNO(execve("/etc/passwd/x", none, none), ENOTDIR);
        CHECK_ERRNO(execve("/etc", none, none), EACCES);
        CHECK_ERRNO(execve("/etc/passwd", none, none), EACCES);
        CHECK_ERRNO(execve(BAD_POINTER, none, none), EFAULT);
    }
    CASE(script_with_interpreter) {
        char path[128];
        snprintf(path, sizeof path, "%s/script", conformance_directory());
        FILE *f = fopen(path, "w");
        fprintf(f, "#!/bin/sh -e\nexit $1\n");
        fclose(f);
        chmod(path, 0755);
        pid_t child = fork();
        if (child == 0) {
            execl(path, path, "21", NULL);
            _exit(99);
        }
        CHECK_EQ(exit_status(child), 21);
        unlink(path);
    }
    COVERS(execve, fcntl);
    CASE(close_on_exec) {
        int fd = open("/dev/null", O_RDONLY | O_CLOEXEC), kept = open("/dev/null", O_RDONLY);
        char command[128];
        snprintf(command, sizeof command, "test ! -e /proc/self/fd/%d && test -e /proc/self/fd/%d", fd, kept);
        CHECK_EQ(system(command), 0);
        close(fd);
        close(kept);
    }
    COVERS(wait4);
    CASE(wait_errors) {
        CHECK_ERRNO(waitpid(-1, NULL, 0), ECHILD);
        CHECK_ERRNO(waitpid(1, NULL, 0x100), EINVAL);
    }
    COVERS(wait4, waitid);
    CASE(nohang_and_nowait) {
        int p[2];
        pipe(p);
        pid_t child = fork();
        if (child == 0) {
            char c;
            close(p[1]);
            read(p[0], &c, 1);
            _exit(3);
        }
        int status;
        CHECK_EQ(waitpid(child, &status, WNOHANG), 0);
        close(p[1]);
        siginfo_t info;
        CHECK_EQ(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT), 0);
        CHECK_EQ(info.si_status, 3);
        CHECK_EQ(exit_status(child), 3);
        close(p[0]);
    }
    COVERS(setpgid, getpgid);
    CASE(process_groups) {
        pid_t child = fork();
        if (child == 0) {
            setpgid(0, 0);
            _exit(getpgrp() == getpid() && setsid() == -1 && errno == EPERM ? 0 : 1);
        }
        CHECK_EQ(exit_status(child), 0);
        child = fork();
        if (child == 0) _exit(setsid() == getpid() && getsid(0) == getpid() ? 0 : 1);
        CHECK_EQ(exit_status(child), 0);
        CHECK_ERRNO(setpgid(0, -1), EINVAL);
    }
    COVERS(kill);
    CASE(group_kill) {
        pid_t child = fork();
        if (child == 0) {
            setpgid(0, 0);
            if (fork() == 0)
                for (;;) pause();
            for (;;) pause();
        }
        setpgid(child, child);
        usleep(20000);
        CHECK_EQ(kill(-child, SIGTERM), 0);
        CHECK_EQ(exit_status(child), 1000 + SIGTERM);
    }
    COVERS(execve);
    CASE(too_long_argument_list) {
        char *big = malloc(200000);
        memset(big, 'x', 199999);
        big[199999] = 0;
        char *arguments[] = {"x", big, NULL};
        CHECK_ERRNO(execve("/bin/true", arguments, NULL), E2BIG);
        free(big);
    }
    return conformance_end();
}
