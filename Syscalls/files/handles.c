// name_to_handle_at(2) and open_by_handle_at(2), on tmpfs.
#include "conformance.h"

struct handle {
    unsigned bytes;
    int type;
    unsigned char data[128];
};
static int name_to(int at, const char *path, struct handle *handle, int *mount, int flags) {
    return syscall(SYS_name_to_handle_at, at, path, handle, mount, flags);
}
static int open_by(int at, struct handle *handle, int flags) { return syscall(SYS_open_by_handle_at, at, handle, flags); }

int main(void) {
    conformance_enter();
    int mount = 0;
    struct handle handle = {128, 0, {0}};
    char folder[64];
    snprintf(folder, sizeof folder, "/dev/shm/handles.%d", getpid());
    if (mkdir(folder, 0755) || chdir(folder)) return 2;
    COVERS(name_to_handle_at);
    CASE(handle_of_a_file) {
        conformance_make("file", "text");
        handle.bytes = 128;
        CHECK_EQ(name_to(AT_FDCWD, "file", &handle, &mount, 0), 0);
        CHECK_EQ(handle.bytes, 12);
        CHECK_EQ(handle.type, 1);
        CHECK(mount > 0);
        struct handle again = {128, 0, {0}};
        int other = 0, fd = open("file", O_RDONLY);
        CHECK_EQ(name_to(fd, "", &again, &other, AT_EMPTY_PATH), 0);
        CHECK_EQ(other, mount);
        CHECK(!memcmp(&again, &handle, 20));
        close(fd);
        again.bytes = 128;
        CHECK_EQ(name_to(AT_FDCWD, ".", &again, &mount, 0), 0);
        CHECK(memcmp(again.data, handle.data, 12));
        symlink("file", "link");
        again.bytes = 128;
        CHECK_EQ(name_to(AT_FDCWD, "link", &again, &mount, AT_SYMLINK_FOLLOW), 0);
        CHECK(!memcmp(again.data, handle.data, 12));
    }
    CASE(handle_arguments) {
        handle.bytes = 4;
        CHECK_ERRNO(name_to(AT_FDCWD, "file", &handle, &mount, 0), EOVERFLOW);
        CHECK_EQ(handle.bytes, 12);
        handle.bytes = 129;
        CHECK_ERRNO(name_to(AT_FDCWD, "file", &handle, &mount, 0), EINVAL);
        handle.bytes = 128;
        CHECK_ERRNO(name_to(AT_FDCWD, "absent", &handle, &mount, 0), ENOENT);
        CHECK_ERRNO(name_to(AT_FDCWD, "file", &handle, &mount, 0x800), EINVAL);
        CHECK_ERRNO(name_to(AT_FDCWD, "file", &handle, &mount, 0x202), EINVAL);
        CHECK_ERRNO(name_to(AT_FDCWD, "file", BAD_POINTER, &mount, 0), EFAULT);
        CHECK_ERRNO(name_to(AT_FDCWD, "file", &handle, BAD_POINTER, 0), EFAULT);
        CHECK_ERRNO(name_to(1000, "file", &handle, &mount, 0), EBADF);
        CHECK_ERRNO(name_to(AT_FDCWD, "/proc/self/stat", &handle, &mount, 0), EOPNOTSUPP);
        handle.bytes = 128;
        CHECK_EQ(name_to(AT_FDCWD, "/proc/self/stat", &handle, &mount, 0x200), 0);
        CHECK_EQ(handle.bytes, 12);
        CHECK_EQ(handle.type, 0x81);
    }
    COVERS(open_by_handle_at);
    CASE(handle_opened) if (geteuid() == 0) {
        int here = open(".", O_RDONLY);
        handle.bytes = 128;
        CHECK_EQ(name_to(AT_FDCWD, "file", &handle, &mount, 0), 0);
        CHECK_EQ(rename("file", "moved"), 0);
        int fd = open_by(here, &handle, O_RDWR);
        CHECK(fd >= 0);
        char text[8] = "";
        CHECK_EQ(read(fd, text, 8), 4);
        CHECK(!strcmp(text, "text"));
        struct stat one, two;
        fstat(fd, &one), stat("moved", &two);
        CHECK_EQ(one.st_ino, two.st_ino);
        close(fd);
        fd = open_by(AT_FDCWD, &handle, O_RDONLY | O_CLOEXEC);
        CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
        close(fd);
        struct handle folder_handle = {128, 0, {0}};
        name_to(AT_FDCWD, ".", &folder_handle, &mount, 0);
        fd = open_by(here, &folder_handle, O_RDONLY | O_DIRECTORY);
        CHECK(fd >= 0);
        CHECK_EQ(faccessat(fd, "moved", F_OK, 0), 0);
        close(fd);
        CHECK_ERRNO(open_by(here, &folder_handle, O_RDWR), EISDIR);
        CHECK_ERRNO(open_by(1000, &handle, O_RDONLY), EBADF);
        CHECK_ERRNO(open_by(here, BAD_POINTER, O_RDONLY), EFAULT);
        struct handle wrong = handle;
        wrong.bytes = 0;
        CHECK_ERRNO(open_by(here, &wrong, O_RDONLY), EINVAL);
        wrong = handle;
        wrong.bytes = 129;
        CHECK_ERRNO(open_by(here, &wrong, O_RDONLY), EINVAL);
        wrong = handle;
        wrong.data[4] ^= 0x55;
        wrong.data[5] ^= 0x55;
        CHECK_ERRNO(open_by(here, &wrong, O_RDONLY), ESTALE);
        wrong = handle;
        wrong.type = 0x100001;
        CHECK_ERRNO(open_by(here, &wrong, O_RDONLY), EINVAL);
        AS_USER(CHECK_ERRNO(open_by(here, &handle, O_RDONLY), EPERM));
        unlink("moved");
        CHECK_ERRNO(open_by(here, &handle, O_RDONLY), ESTALE);
        close(here);
    }
    unlink("link"), unlink("file"), unlink("moved");
    rmdir(folder);
    return conformance_end();
}
