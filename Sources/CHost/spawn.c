#define _GNU_SOURCE
#include "chost.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <unistd.h>

ssize_t chost_write_nosignal(int fd, const void *bytes, size_t count) {
    ssize_t n = send(fd, bytes, count, MSG_NOSIGNAL);
    return n == -1 && errno == ENOTSOCK ? write(fd, bytes, count) : n;
}

int chost_socketpair(int *a, int *b) {
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == -1) return -1;
    *a = pair[0];
    *b = pair[1];
    return 0;
}

int chost_spawn(const struct chost_spawn_request *request) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    // By way of numbers that none of them has: a target may be the number of a later source.
    int free_number = 0;
    for (int i = 0; i < request->fd_count; i++) {
        if (request->fd_sources[i] >= free_number) free_number = request->fd_sources[i] + 1;
        if (request->fd_targets[i] >= free_number) free_number = request->fd_targets[i] + 1;
    }
    for (int i = 0; i < request->fd_count; i++)
        posix_spawn_file_actions_adddup2(&actions, request->fd_sources[i], free_number + i);
    for (int i = 0; i < request->fd_count; i++) {
        posix_spawn_file_actions_adddup2(&actions, free_number + i, request->fd_targets[i]);
        posix_spawn_file_actions_addclose(&actions, free_number + i);
    }
    // Nothing else of ours, close-on-exec or not.
    int first_other = 3;
    for (int i = 0; i < request->fd_count; i++)
        if (request->fd_targets[i] >= first_other) first_other = request->fd_targets[i] + 1;
    posix_spawn_file_actions_addclosefrom_np(&actions, first_other);
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    pid_t child;
    int status = posix_spawn(&child, request->path, &actions, &attributes, request->argv, request->envp);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    if (status != 0) {
        errno = status;
        return -1;
    }
    return child;
}
