// What cases about namespaces and mounts share: every case works in namespaces of its own, in a child, so that it needs no privilege
// and leaves nothing behind.
#ifndef STOCKADE_NAMESPACES_H
#define STOCKADE_NAMESPACES_H

#include "conformance.h"
#include <sched.h>
#include <sys/mount.h>

#ifndef CLONE_NEWCGROUP
#define CLONE_NEWCGROUP 0x02000000
#endif

/// A whole write to a file of /proc; the errno of the failure, 0 for none.
static inline int write_file(const char *path, const char *text) {
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0) return errno;
    errno = 0;
    int error = write(fd, text, strlen(text)) == (ssize_t)strlen(text) ? 0 : errno;
    close(fd);
    return error;
}

/// The first line of a file, without its end.
static inline const char *first_line(const char *path) {
    static char line[4096];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t count = fd < 0 ? -1 : read(fd, line, sizeof line - 1);
    if (fd >= 0) close(fd);
    line[count < 0 ? 0 : count] = 0;
    line[strcspn(line, "\n")] = 0;
    return line;
}

/// The line of a file that begins with `key`, without it.
static inline const char *line_of(const char *path, const char *key) {
    static char text[65536];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t count = 0, more;
    while (fd >= 0 && (more = read(fd, text + count, sizeof text - 1 - count)) > 0) count += more;
    if (fd >= 0) close(fd);
    text[count] = 0;
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
        if (!strncmp(line, key, strlen(key))) return line + strlen(key);
    return "";
}

/// Becomes root of a new user namespace, with further namespaces of its own; mounts there pass nothing on.
static inline int enter_namespaces(int flags) {
    uid_t uid = geteuid();
    gid_t gid = getegid();
    if (unshare(CLONE_NEWUSER | flags)) {
        FAIL_("unshare(%#x): errno %d", flags, errno);
        return -1;
    }
    char map[64];
    int error = write_file("/proc/self/setgroups", "deny");
    snprintf(map, sizeof map, "0 %d 1", uid);
    if (!error) error = write_file("/proc/self/uid_map", map);
    snprintf(map, sizeof map, "0 %d 1", gid);
    if (!error) error = write_file("/proc/self/gid_map", map);
    if (!error && (flags & CLONE_NEWNS) && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL)) error = errno;
    if (error) FAIL_("cannot set the namespaces up: errno %d", error);
    return error ? -1 : 0;
}

/// Runs the block in a child that is root of its own user and mount namespace, in an empty tmpfs.
#define IN_MOUNTS                                                                    \
    CHILD if (!enter_namespaces(CLONE_NEWNS) && !mkdir_quietly("work") &&            \
              !mount("work", "work", "tmpfs", 0, NULL) && !chdir("work"))
/// The same in a user namespace and those of `flags`.
#define IN_NAMESPACES(flags) CHILD if (!enter_namespaces(flags))

static inline int mkdir_quietly(const char *name) { return mkdir(name, 0755) && errno != EEXIST ? -1 : 0; }

/// The fields of the last mount at `place` in /proc/self/mountinfo after the place: options and optional fields.
static inline const char *mount_line(const char *place) {
    static char found[1024];
    char path[512], wanted[600], line[2048];
    snprintf(path, sizeof path, "%s", place);
    if (place[0] != '/') {
        char here[400];
        if (!getcwd(here, sizeof here)) return "";
        snprintf(path, sizeof path, "%s/%s", here, place);
    }
    snprintf(wanted, sizeof wanted, " %s ", path);
    found[0] = 0;
    FILE *file = fopen("/proc/self/mountinfo", "re");
    while (file && fgets(line, sizeof line, file)) {
        char *at = strstr(line, wanted);
        if (!at) continue;
        snprintf(found, sizeof found, "%s", at + strlen(wanted));
        found[strcspn(found, "\n")] = 0;
    }
    if (file) fclose(file);
    return found;
}
static inline int is_mounted(const char *place) { return mount_line(place)[0] != 0; }
static inline int mount_has(const char *place, const char *word) { return strstr(mount_line(place), word) != NULL; }
static inline int exists(const char *path) { return access(path, F_OK) == 0; }
static inline void touch(const char *path) { close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0644)); }

#endif
