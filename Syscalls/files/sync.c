// fsync(2) and its relatives, advice, cachestat, statfs(2), ustat(2), file handles.
#include "conformance.h"
#include <sys/socket.h>
#include <sys/statfs.h>
#include <sys/vfs.h>

static void stable(void) {
    COVERS(fsync, fdatasync);
    CASE(fsync_of_file_and_directory) {
        int fd = conformance_file("f", "abc"), d = open(".", O_RDONLY), r = open("f", O_RDONLY);
        CHECK_EQ(fsync(fd), 0);
        CHECK_EQ(fdatasync(fd), 0);
        CHECK_EQ(fsync(d), 0);
        CHECK_EQ(fdatasync(d), 0);
        CHECK_EQ(fsync(r), 0);
        close(fd), close(d), close(r);
    }
    CASE(fsync_errors) {
        int p[2], path = open(".", O_PATH);
        pipe(p);
        CHECK_ERRNO(fsync(p[0]), EINVAL);
        CHECK_ERRNO(fdatasync(p[1]), EINVAL);
        CHECK_ERRNO(fsync(1000), EBADF);
        CHECK_ERRNO(fsync(path), EBADF);
        close(p[0]), close(p[1]), close(path);
    }
    COVERS(sync, syncfs);
    CASE(syncfs_by_descriptor) {
        int d = open(".", O_RDONLY);
        CHECK_EQ(syncfs(d), 0);
        CHECK_ERRNO(syncfs(1000), EBADF);
        close(d);
    }
    COVERS(sync_file_range);
    CASE(sync_file_range_arguments) {
        int fd = conformance_file("r", "abc"), p[2];
        CHECK_EQ(sync_file_range(fd, 0, 0, 7), 0);
        CHECK_EQ(sync_file_range(fd, 0, 100, 0), 0);
        CHECK_ERRNO(sync_file_range(fd, -1, 0, 2), EINVAL);
        CHECK_ERRNO(sync_file_range(fd, 0, -1, 2), EINVAL);
        CHECK_ERRNO(sync_file_range(fd, 0, 0, 8), EINVAL);
        CHECK_ERRNO(sync_file_range(1000, 0, 0, 2), EBADF);
        pipe(p);
        CHECK_ERRNO(sync_file_range(p[0], 0, 0, 2), ESPIPE);
        close(fd), close(p[0]), close(p[1]);
    }
}

static void advice(void) {
    COVERS(fadvise64);
    CASE(fadvise_arguments) {
        int fd = conformance_file("a", "abc"), p[2];
        for (int kind = 0; kind <= 5; kind++) CHECK_EQ(syscall(SYS_fadvise64, fd, 0, 0, kind), 0);
        CHECK_ERRNO(syscall(SYS_fadvise64, fd, 0, 0, 6), EINVAL);
        CHECK_ERRNO(syscall(SYS_fadvise64, fd, 0, 0, -1), EINVAL);
        CHECK_ERRNO(syscall(SYS_fadvise64, fd, 0L, -1L, 0), EINVAL);
        CHECK_ERRNO(syscall(SYS_fadvise64, 1000, 0, 0, 0), EBADF);
        pipe(p);
        CHECK_ERRNO(syscall(SYS_fadvise64, p[0], 0, 0, 0), ESPIPE);
        close(fd), close(p[0]), close(p[1]);
    }
    COVERS(readahead);
    CASE(readahead_arguments) {
        int fd = conformance_file("ra", "abc"), w = open("ra", O_WRONLY), p[2];
        CHECK_EQ(syscall(SYS_readahead, fd, 0L, 4096L), 0);
        CHECK_ERRNO(syscall(SYS_readahead, w, 0L, 4096L), EBADF);
        CHECK_ERRNO(syscall(SYS_readahead, 1000, 0L, 4096L), EBADF);
        pipe(p);
        CHECK_ERRNO(syscall(SYS_readahead, p[0], 0L, 4096L), EINVAL);
        close(fd), close(w), close(p[0]), close(p[1]);
    }
    COVERS(cachestat);
    CASE(cachestat_counts_pages) {
        int fd = conformance_file("cs", "");
        char data[20000];
        memset(data, 1, sizeof data);
        write(fd, data, sizeof data);
        uint64_t range[2] = {0, 0}, result[5];
        CHECK_EQ(syscall(SYS_cachestat, fd, range, result, 0), 0);
        CHECK_EQ(result[0], 5);
        range[0] = 4096, range[1] = 8192;
        CHECK_EQ(syscall(SYS_cachestat, fd, range, result, 0), 0);
        CHECK_EQ(result[0], 2);
        close(fd);
    }
    CASE(cachestat_errors) {
        int fd = conformance_file("ce", ""), p[2];
        uint64_t range[2] = {0, 0}, result[5];
        CHECK_ERRNO(syscall(SYS_cachestat, fd, range, result, 1), EINVAL);
        CHECK_ERRNO(syscall(SYS_cachestat, fd, BAD_POINTER, result, 0), EFAULT);
        CHECK_ERRNO(syscall(SYS_cachestat, fd, range, BAD_POINTER, 0), EFAULT);
        CHECK_ERRNO(syscall(SYS_cachestat, 1000, range, result, 0), EBADF);
        pipe(p);
        close(fd), close(p[0]), close(p[1]);
    }
}

static void systems(void) {
    struct statfs s, t;
    COVERS(statfs, fstatfs);
    CASE(statfs_of_directory) {
        int d = open(".", O_RDONLY), path = open(".", O_PATH);
        CHECK_EQ(syscall(SYS_statfs, ".", &s), 0);
        CHECK(s.f_bsize > 0 && s.f_blocks > 0 && s.f_bfree <= s.f_blocks && s.f_bavail <= s.f_bfree);
        CHECK_EQ(s.f_namelen, 255);
        CHECK_EQ(syscall(SYS_fstatfs, d, &t), 0);
        CHECK_EQ(s.f_type, t.f_type);
        CHECK_EQ(syscall(SYS_fstatfs, path, &t), 0);
        close(d), close(path);
    }
    CASE(statfs_of_known_types) {
        CHECK_EQ(syscall(SYS_statfs, "/proc", &s), 0);
        CHECK_EQ(s.f_type, 0x9fa0);
        CHECK_EQ(s.f_namelen, 255);
        CHECK_EQ(syscall(SYS_statfs, "/sys", &s), 0);
        CHECK_EQ(s.f_type, 0x62656572);
        CHECK_EQ(syscall(SYS_statfs, "/dev/shm", &s), 0);
        CHECK_EQ(s.f_type, 0x01021994);
        CHECK_EQ(syscall(SYS_statfs, "/dev/pts", &s), 0);
        CHECK_EQ(s.f_type, 0x1cd1);
        int p[2];
        pipe(p);
        CHECK_EQ(syscall(SYS_fstatfs, p[0], &s), 0);
        CHECK_EQ(s.f_type, 0x50495045);
        close(p[0]), close(p[1]);
    }
    CASE(statfs_errors) {
        CHECK_ERRNO(syscall(SYS_statfs, "absent", &s), ENOENT);
        CHECK_ERRNO(syscall(SYS_statfs, BAD_POINTER, &s), EFAULT);
        CHECK_ERRNO(syscall(SYS_statfs, ".", BAD_POINTER), EFAULT);
        CHECK_ERRNO(syscall(SYS_fstatfs, 1000, &s), EBADF);
        CHECK_ERRNO(syscall(SYS_fstatfs, 0, BAD_POINTER), EFAULT);
    }
    COVERS(ustat);
    CASE(ustat_by_device) {
        struct stat status;
        char b[64];
        stat("/dev/shm", &status);
        CHECK_EQ(syscall(SYS_ustat, status.st_dev, b), 0);
        CHECK_ERRNO(syscall(SYS_ustat, 0xfffffff, b), EINVAL);
        CHECK_ERRNO(syscall(SYS_ustat, status.st_dev, BAD_POINTER), EFAULT);
    }
    COVERS(open_by_handle_at, name_to_handle_at);
    CASE(handles_need_privilege) CHILD {
        struct {
            unsigned bytes;
            int type;
            char data[128];
        } handle = {8, 1, ""};
        int d = open(".", O_RDONLY);
        conformance_become_nobody();
        CHECK_ERRNO(syscall(SYS_open_by_handle_at, d, &handle, O_RDONLY), EPERM);
    }
    CASE(handles_of_process_files) {
        struct {
            unsigned bytes;
            int type;
            char data[128];
        } handle = {128, 1, ""};
        int id;
        CHECK_ERRNO(syscall(SYS_name_to_handle_at, AT_FDCWD, "/proc/self/stat", &handle, &id, 0), EOPNOTSUPP);
        CHECK_ERRNO(syscall(SYS_name_to_handle_at, AT_FDCWD, "absent", &handle, &id, 0), ENOENT);
        CHECK_ERRNO(syscall(SYS_name_to_handle_at, AT_FDCWD, "/proc/self/stat", &handle, &id, 0x8000), EINVAL);
        CHECK_ERRNO(syscall(SYS_name_to_handle_at, 1000, "x", &handle, &id, 0), EBADF);
        CHECK_ERRNO(syscall(SYS_name_to_handle_at, AT_FDCWD, BAD_POINTER, &handle, &id, 0), EFAULT);
    }
    COVERS(sysfs);
    CASE(sysfs_lists_types) {
        long count = syscall(SYS_sysfs, 3);
        char b[100];
        CHECK(count > 1);
        long index = syscall(SYS_sysfs, 1, "proc");
        CHECK(index >= 0);
        CHECK_EQ(syscall(SYS_sysfs, 2, index, b), 0);
        CHECK(!strcmp(b, "proc"));
        CHECK_ERRNO(syscall(SYS_sysfs, 2, count, b), EINVAL);
        CHECK_ERRNO(syscall(SYS_sysfs, 1, "nosuchfs"), EINVAL);
        CHECK_ERRNO(syscall(SYS_sysfs, 9), EINVAL);
        CHECK_ERRNO(syscall(SYS_sysfs, 1, BAD_POINTER), EFAULT);
    }
}

int main(void) {
    conformance_enter();
    stable();
    advice();
    systems();
    return conformance_end();
}
