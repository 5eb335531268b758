// Record locks and open-file-description locks of fcntl(2); flock(2).
#include "conformance.h"
#include <sys/file.h>

static int lock(int fd, int command, int type, off_t start, off_t length) {
    struct flock l = {.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = length};
    return fcntl(fd, command, &l);
}
static struct flock query(int fd, int command, int type, off_t start, off_t length) {
    struct flock l = {.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = length};
    if (fcntl(fd, command, &l)) FAIL_("F_GETLK: errno %d", errno);
    return l;
}

static void records(void) {
    COVERS(fcntl);
    CASE(lock_own_ranges_never_conflict) {
        int fd = conformance_file("own", "");
        CHECK_EQ(lock(fd, F_SETLK, F_WRLCK, 0, 10), 0);
        CHECK_EQ(lock(fd, F_SETLK, F_RDLCK, 5, 10), 0);
        CHECK_EQ(query(fd, F_GETLK, F_WRLCK, 0, 0).l_type, F_UNLCK);
        close(fd);
    }
    CASE(lock_shared_and_exclusive) {
        int fd = conformance_file("kinds", "");
        lock(fd, F_SETLK, F_RDLCK, 0, 10);
        lock(fd, F_SETLK, F_WRLCK, 20, 10);
        CHILD {
            CHECK_EQ(lock(fd, F_SETLK, F_RDLCK, 0, 10), 0);
            CHECK_ERRNO(lock(fd, F_SETLK, F_WRLCK, 0, 10), EAGAIN);
            CHECK_ERRNO(lock(fd, F_SETLK, F_RDLCK, 25, 1), EAGAIN);
            CHECK_EQ(lock(fd, F_SETLK, F_WRLCK, 10, 10), 0);
            CHECK_EQ(lock(fd, F_SETLK, F_WRLCK, 30, 0), 0);
        }
        close(fd);
    }
    CASE(lock_query_reports_first_conflict) {
        int fd = conformance_file("query", "");
        lock(fd, F_SETLK, F_WRLCK, 5, 5);
        pid_t owner = getpid();
        CHILD {
            struct flock l = query(fd, F_GETLK, F_RDLCK, 0, 0);
            CHECK(l.l_type == F_WRLCK && l.l_whence == SEEK_SET && l.l_start == 5 && l.l_len == 5 && l.l_pid == owner);
            l = query(fd, F_GETLK, F_WRLCK, 0, 5);
            CHECK_EQ(l.l_type, F_UNLCK);
        }
        close(fd);
    }
    CASE(lock_to_end_of_file) {
        int fd = conformance_file("end", "");
        lock(fd, F_SETLK, F_WRLCK, 100, 0);
        CHILD {
            CHECK_ERRNO(lock(fd, F_SETLK, F_WRLCK, 1l << 50, 1), EAGAIN);
            CHECK_EQ(query(fd, F_GETLK, F_WRLCK, 0, 0).l_len, 0);
            CHECK_EQ(lock(fd, F_SETLK, F_WRLCK, 0, 100), 0);
        }
        close(fd);
    }
    CASE(lock_unlock_in_the_middle_splits) {
        int fd = conformance_file("split", "");
        lock(fd, F_SETLK, F_WRLCK, 0, 30);
        CHECK_EQ(lock(fd, F_SETLK, F_UNLCK, 10, 10), 0);
        CHILD {
            CHECK_ERRNO(lock(fd, F_SETLK, F_WRLCK, 9, 1), EAGAIN);
            CHECK_EQ(lock(fd, F_SETLK, F_WRLCK, 10, 10), 0);
            CHECK_ERRNO(lock(fd, F_SETLK, F_WRLCK, 20, 1), EAGAIN);
        }
        close(fd);
    }
    CASE(lock_neighbours_merge) {
        int fd = conformance_file("merge", "");
        lock(fd, F_SETLK, F_WRLCK, 0, 10);
        lock(fd, F_SETLK, F_WRLCK, 10, 10);
        CHILD CHECK_EQ(query(fd, F_GETLK, F_WRLCK, 0, 0).l_len, 20);
        close(fd);
    }
    CASE(lock_goes_with_any_descriptor_of_the_file) {
        int fd = conformance_file("anyclose", "");
        lock(fd, F_SETLK, F_WRLCK, 0, 10);
        close(open("anyclose", O_RDONLY));
        CHILD CHECK_EQ(lock(fd, F_SETLK, F_WRLCK, 0, 10), 0);
        close(fd);
    }
    CASE(lock_is_not_inherited) {
        int fd = conformance_file("inherit", "");
        lock(fd, F_SETLK, F_WRLCK, 0, 10);
        CHILD {
            CHECK_ERRNO(lock(fd, F_SETLK, F_WRLCK, 0, 1), EAGAIN);
            close(fd);
        }
        CHILD CHECK_ERRNO(lock(fd, F_SETLK, F_WRLCK, 0, 1), EAGAIN);
        close(fd);
    }
    CASE(lock_ends_with_its_process) {
        int fd = conformance_file("ends", "");
        CHILD lock(fd, F_SETLK, F_WRLCK, 0, 10);
        CHECK_EQ(lock(fd, F_SETLK, F_WRLCK, 0, 10), 0);
        close(fd);
    }
    CASE(lock_waits) {
        int fd = conformance_file("waits", ""), p[2];
        pipe(p);
        pid_t holder = fork();
        if (holder == 0) {
            lock(fd, F_SETLK, F_WRLCK, 0, 10);
            write(p[1], "x", 1);
            usleep(80000);
            _exit(0);
        }
        char c;
        read(p[0], &c, 1);
        CHECK_EQ(lock(fd, F_SETLKW, F_WRLCK, 0, 10), 0);
        waitpid(holder, NULL, 0);
        close(fd), close(p[0]), close(p[1]);
    }
    CASE(lock_wait_is_interrupted) {
        int fd = conformance_file("interrupted", ""), p[2];
        pipe(p);
        pid_t holder = fork();
        if (holder == 0) {
            lock(fd, F_SETLK, F_WRLCK, 0, 10);
            write(p[1], "x", 1);
            pause();
            _exit(0);
        }
        char c;
        read(p[0], &c, 1);
        conformance_alarm(30, 0);
        CHECK_ERRNO(lock(fd, F_SETLKW, F_WRLCK, 0, 10), EINTR);
        kill(holder, SIGKILL);
        waitpid(holder, NULL, 0);
        close(fd), close(p[0]), close(p[1]);
    }
    CASE(lock_wait_restarts) {
        int fd = conformance_file("restarted", ""), p[2];
        pipe(p);
        pid_t holder = fork();
        if (holder == 0) {
            lock(fd, F_SETLK, F_WRLCK, 0, 10);
            write(p[1], "x", 1);
            usleep(150000);
            _exit(0);
        }
        char c;
        read(p[0], &c, 1);
        conformance_alarm(30, SA_RESTART);
        CHECK_EQ(lock(fd, F_SETLKW, F_WRLCK, 0, 10), 0);
        CHECK_EQ(conformance_alarms, 1);
        waitpid(holder, NULL, 0);
        close(fd), close(p[0]), close(p[1]);
    }
    CASE(lock_deadlock_is_found) {
        int fd = conformance_file("deadlock", ""), p[2];
        pipe(p);
        lock(fd, F_SETLK, F_WRLCK, 0, 1);
        pid_t other = fork();
        if (other == 0) {
            lock(fd, F_SETLK, F_WRLCK, 1, 1);
            write(p[1], "x", 1);
            int r = lock(fd, F_SETLKW, F_WRLCK, 0, 1);
            _exit(r == 0 ? 0 : 1);
        }
        char c;
        read(p[0], &c, 1);
        usleep(50000);
        CHECK_ERRNO(lock(fd, F_SETLKW, F_WRLCK, 1, 1), EDEADLK);
        lock(fd, F_SETLK, F_UNLCK, 0, 1);
        int status;
        waitpid(other, &status, 0);
        CHECK_EQ(status, 0);
        close(fd), close(p[0]), close(p[1]);
    }
    CASE(lock_from_current_position_and_end) {
        int fd = conformance_file("whence", "0123456789");
        lseek(fd, 4, SEEK_SET);
        struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_CUR, .l_start = 1, .l_len = 2};
        CHECK_EQ(fcntl(fd, F_SETLK, &l), 0);
        l = (struct flock){.l_type = F_WRLCK, .l_whence = SEEK_END, .l_start = -2, .l_len = 1};
        CHECK_EQ(fcntl(fd, F_SETLK, &l), 0);
        CHILD {
            struct flock seen = query(fd, F_GETLK, F_WRLCK, 0, 7);
            CHECK(seen.l_start == 5 && seen.l_len == 2);
            seen = query(fd, F_GETLK, F_WRLCK, 7, 10);
            CHECK(seen.l_start == 8 && seen.l_len == 1);
        }
        close(fd);
    }
    CASE(lock_negative_length) {
        int fd = conformance_file("negative", "");
        CHECK_EQ(lock(fd, F_SETLK, F_WRLCK, 10, -5), 0);
        CHILD {
            struct flock l = query(fd, F_GETLK, F_WRLCK, 0, 0);
            CHECK(l.l_start == 5 && l.l_len == 5);
        }
        CHECK_ERRNO(lock(fd, F_SETLK, F_WRLCK, 3, -5), EINVAL);
        close(fd);
    }
    CASE(lock_errors) {
        int fd = conformance_file("errors", ""), r = open("errors", O_RDONLY), w = open("errors", O_WRONLY);
        CHECK_ERRNO(lock(r, F_SETLK, F_WRLCK, 0, 1), EBADF);
        CHECK_ERRNO(lock(w, F_SETLK, F_RDLCK, 0, 1), EBADF);
        CHECK_ERRNO(lock(1000, F_SETLK, F_RDLCK, 0, 1), EBADF);
        CHECK_ERRNO(lock(fd, F_SETLK, 9, 0, 1), EINVAL);
        CHECK_ERRNO(lock(fd, F_SETLK, F_WRLCK, -1, 1), EINVAL);
        CHECK_ERRNO(lock(fd, F_GETLK, F_UNLCK, 0, 1), EINVAL);
        CHECK_ERRNO(fcntl(fd, F_SETLK, BAD_POINTER), EFAULT);
        CHECK_ERRNO(fcntl(fd, F_GETLK, BAD_POINTER), EFAULT);
        struct flock l = {.l_type = F_WRLCK, .l_whence = 7, .l_len = 1};
        CHECK_ERRNO(fcntl(fd, F_SETLK, &l), EINVAL);
        CHECK_ERRNO(lock(fd, F_SETLK, F_WRLCK, 0x7fffffffffffffff, 10), EOVERFLOW);
        close(fd), close(r), close(w);
    }
}

static void descriptions(void) {
    COVERS(fcntl);
    CASE(description_locks_conflict_between_opens) {
        int a = conformance_file("ofd", ""), b = open("ofd", O_RDWR);
        CHECK_EQ(lock(a, F_OFD_SETLK, F_WRLCK, 0, 10), 0);
        CHECK_ERRNO(lock(b, F_OFD_SETLK, F_WRLCK, 5, 1), EAGAIN);
        CHECK_ERRNO(lock(b, F_SETLK, F_WRLCK, 5, 1), EAGAIN);
        struct flock l = query(b, F_OFD_GETLK, F_WRLCK, 0, 0);
        CHECK(l.l_type == F_WRLCK && l.l_pid == -1 && l.l_len == 10);
        close(a), close(b);
    }
    CASE(description_locks_are_inherited_and_shared) {
        int a = conformance_file("ofd2", "");
        lock(a, F_OFD_SETLK, F_WRLCK, 0, 10);
        CHILD {
            CHECK_EQ(lock(a, F_OFD_SETLK, F_WRLCK, 0, 10), 0);
            int b = open("ofd2", O_RDWR);
            CHECK_ERRNO(lock(b, F_OFD_SETLK, F_WRLCK, 0, 10), EAGAIN);
        }
        close(a);
    }
    CASE(description_locks_go_with_last_descriptor) {
        int a = conformance_file("ofd3", ""), copy = dup(a), b = open("ofd3", O_RDWR);
        lock(a, F_OFD_SETLK, F_WRLCK, 0, 10);
        close(a);
        CHECK_ERRNO(lock(b, F_OFD_SETLK, F_WRLCK, 0, 10), EAGAIN);
        close(copy);
        CHECK_EQ(lock(b, F_OFD_SETLK, F_WRLCK, 0, 10), 0);
        close(b);
    }
    CASE(description_locks_want_no_process) {
        int a = conformance_file("ofd4", "");
        struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1, .l_pid = 1};
        CHECK_ERRNO(fcntl(a, F_OFD_SETLK, &l), EINVAL);
        CHECK_ERRNO(fcntl(a, F_OFD_GETLK, &l), EINVAL);
        close(a);
    }
    CASE(description_locks_are_told_to_their_owner) {
        int a = conformance_file("ofd6", ""), other = open("ofd6", O_RDWR);
        lock(a, F_OFD_SETLK, F_RDLCK, 10, 5);
        lock(other, F_OFD_SETLK, F_RDLCK, 0, 5);
        struct flock l = query(a, F_OFD_GETLK, F_UNLCK, 0, 0);
        CHECK(l.l_type == F_RDLCK && l.l_start == 10 && l.l_len == 5 && l.l_pid == -1);
        CHECK_EQ(query(a, F_OFD_GETLK, F_UNLCK, 0, 10).l_type, F_UNLCK);
        close(a), close(other);
    }
    CASE(description_lock_waits) {
        int a = conformance_file("ofd5", ""), b = open("ofd5", O_RDWR);
        lock(a, F_OFD_SETLK, F_WRLCK, 0, 1);
        pid_t child = fork();
        if (child == 0) _exit(lock(b, F_OFD_SETLKW, F_WRLCK, 0, 1) == 0 ? 0 : 1);
        usleep(50000);
        int status = -1;
        CHECK_EQ(waitpid(child, &status, WNOHANG), 0);
        lock(a, F_OFD_SETLK, F_UNLCK, 0, 1);
        waitpid(child, &status, 0);
        CHECK_EQ(status, 0);
        close(a), close(b);
    }
}

static void whole(void) {
    COVERS(flock);
    CASE(flock_kinds) {
        int a = conformance_file("fl", ""), b = open("fl", O_RDONLY);
        CHECK_EQ(flock(a, LOCK_SH), 0);
        CHECK_EQ(flock(b, LOCK_SH | LOCK_NB), 0);
        CHECK_ERRNO(flock(a, LOCK_EX | LOCK_NB), EWOULDBLOCK);
        CHECK_EQ(flock(b, LOCK_UN), 0);
        CHECK_EQ(flock(a, LOCK_EX | LOCK_NB), 0);
        CHECK_ERRNO(flock(b, LOCK_SH | LOCK_NB), EWOULDBLOCK);
        close(a), close(b);
    }
    CASE(flock_belongs_to_description) {
        int a = conformance_file("fl2", ""), copy = dup(a), b = open("fl2", O_RDWR);
        flock(a, LOCK_EX);
        CHECK_EQ(flock(copy, LOCK_EX | LOCK_NB), 0);
        close(a);
        CHECK_ERRNO(flock(b, LOCK_EX | LOCK_NB), EWOULDBLOCK);
        CHECK_EQ(flock(copy, LOCK_UN), 0);
        CHECK_EQ(flock(b, LOCK_EX | LOCK_NB), 0);
        close(copy), close(b);
    }
    CASE(flock_is_independent_of_record_locks) {
        int a = conformance_file("fl3", ""), b = open("fl3", O_RDWR);
        flock(a, LOCK_EX);
        CHECK_EQ(lock(b, F_OFD_SETLK, F_WRLCK, 0, 10), 0);
        close(a), close(b);
    }
    CASE(flock_waits_and_is_interrupted) {
        int a = conformance_file("fl4", ""), b = open("fl4", O_RDWR);
        flock(a, LOCK_EX);
        conformance_alarm(30, 0);
        CHECK_ERRNO(flock(b, LOCK_EX), EINTR);
        close(a), close(b);
    }
    CASE(flock_is_granted_at_close) {
        int a = conformance_file("fl5", "");
        flock(a, LOCK_EX);
        pid_t child = fork();
        if (child == 0) {
            close(a);
            int b = open("fl5", O_RDWR);
            _exit(flock(b, LOCK_EX) ? 1 : 0);
        }
        usleep(50000);
        close(a);
        int status = -1;
        waitpid(child, &status, 0);
        CHECK_EQ(status, 0);
    }
    CASE(flock_errors) {
        int fd = conformance_file("fl6", ""), path = open("fl6", O_PATH);
        CHECK_ERRNO(flock(fd, 0), EINVAL);
        CHECK_ERRNO(flock(fd, LOCK_SH | LOCK_EX), EINVAL);
        CHECK_ERRNO(flock(1000, LOCK_SH), EBADF);
        CHECK_ERRNO(flock(path, LOCK_SH), EBADF);
        close(fd), close(path);
    }
    CASE(flock_of_directory) {
        int a = open(".", O_RDONLY), b = open(".", O_RDONLY);
        CHECK_EQ(flock(a, LOCK_EX), 0);
        CHECK_ERRNO(flock(b, LOCK_SH | LOCK_NB), EWOULDBLOCK);
        close(a), close(b);
    }
}

int main(void) {
    conformance_enter();
    records();
    descriptions();
    whole();
    return conformance_end();
}
