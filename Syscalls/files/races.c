// Several threads and processes at the same names, descriptors and pipes.
#include "conformance.h"
#include <dirent.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>

enum { WORKERS = 4 };
static int *shared;  // one page of counters that children share

/// Runs `body` in so many children, numbered by `worker`, and counts those that ended with status 1.
#define IN_WORKERS(count, ones, ...)                         \
    do {                                                     \
        for (int worker = 0; worker < (count); worker++)     \
            if (fork() == 0) {                               \
                (void)worker;                                \
                __VA_ARGS__;                                 \
                _exit(0);                                    \
            }                                                \
        int status_;                                         \
        (ones) = 0;                                          \
        while (wait(&status_) > 0) {                         \
            if (WIFSIGNALED(status_)) FAIL_("worker killed by signal %d", WTERMSIG(status_)); \
            (ones) += WIFEXITED(status_) && WEXITSTATUS(status_) == 1; \
        }                                                    \
    } while (0)

static void names(void) {
    int ones;
    char name[60];
    COVERS(open);
    CASE(race_exclusive_creation_has_one_winner) {
        for (int round = 0; round < 20; round++) {
            snprintf(name, sizeof name, "exclusive%d", round);
            IN_WORKERS(WORKERS, ones, if (open(name, O_CREAT | O_EXCL | O_RDWR, 0600) >= 0) _exit(1));
            CHECK_EQ(ones, 1);
        }
    }
    COVERS(mkdir, rmdir);
    CASE(race_mkdir_has_one_winner) {
        for (int round = 0; round < 20; round++) {
            snprintf(name, sizeof name, "dir%d", round);
            IN_WORKERS(WORKERS, ones, if (mkdir(name, 0755) == 0) _exit(1));
            CHECK_EQ(ones, 1);
            IN_WORKERS(WORKERS, ones, if (rmdir(name) == 0) _exit(1));
            CHECK_EQ(ones, 1);
        }
    }
    COVERS(unlink, link, symlink);
    CASE(race_unlink_has_one_winner) {
        for (int round = 0; round < 20; round++) {
            conformance_make("victim", "");
            IN_WORKERS(WORKERS, ones, if (unlink("victim") == 0) _exit(1));
            CHECK_EQ(ones, 1);
        }
    }
    CASE(race_link_has_one_winner) {
        conformance_make("origin", "");
        for (int round = 0; round < 20; round++) {
            IN_WORKERS(WORKERS, ones, if (link("origin", "linked") == 0) _exit(1));
            CHECK_EQ(ones, 1);
            unlink("linked");
            IN_WORKERS(WORKERS, ones, if (symlink("origin", "linked") == 0) _exit(1));
            CHECK_EQ(ones, 1);
            unlink("linked");
        }
        struct stat s;
        stat("origin", &s);
        CHECK_EQ(s.st_nlink, 1);
    }
    COVERS(rename);
    CASE(race_rename_has_one_winner) {
        for (int round = 0; round < 20; round++) {
            conformance_make("from", "");
            IN_WORKERS(WORKERS, ones, if (rename("from", "to") == 0) _exit(1));
            CHECK_EQ(ones, 1);
        }
    }
    CASE(race_replaced_name_always_exists) {
        conformance_make("stable", "old");
        *shared = 0;
        pid_t replacer = fork();
        if (replacer == 0) {
            for (int i = 0; i < 300; i++) {
                conformance_make("stable.new", "new");
                rename("stable.new", "stable");
            }
            *shared = 1;
            _exit(0);
        }
        int missing = 0, seen = 0;
        while (!*(volatile int *)shared) {
            int fd = open("stable", O_RDONLY);
            missing += fd < 0;
            seen++;
            close(fd);
        }
        waitpid(replacer, NULL, 0);
        CHECK_EQ(missing, 0);
        CHECK(seen > 0);
    }
    CASE(race_exchange_never_loses_either) {
        mkdir("x1", 0755);
        mkdir("x2", 0755);
        IN_WORKERS(WORKERS, ones, for (int i = 0; i < 100; i++) renameat2(AT_FDCWD, "x1", AT_FDCWD, "x2", RENAME_EXCHANGE));
        CHECK_EQ(access("x1", F_OK), 0);
        CHECK_EQ(access("x2", F_OK), 0);
    }
    CASE(race_directories_never_form_a_loop) {
        mkdir("l1", 0755);
        mkdir("l2", 0755);
        IN_WORKERS(2, ones, for (int i = 0; i < 200; i++) {
            if (worker) {
                rename("l1", "l2/l1");
                rename("l2/l1", "l1");
            } else {
                rename("l2", "l1/l2");
                rename("l1/l2", "l2");
            }
        });
        struct stat s;
        int one = stat("l1", &s) == 0 || stat("l2/l1", &s) == 0, two = stat("l2", &s) == 0 || stat("l1/l2", &s) == 0;
        CHECK(one && two);
    }
    COVERS(getdents64, unlink, open);
    CASE(race_listing_sees_what_stays) {
        mkdir("churn", 0755);
        for (int i = 0; i < 50; i++) {
            snprintf(name, sizeof name, "churn/stays%d", i);
            conformance_make(name, "");
        }
        *shared = 0;
        pid_t churner = fork();
        if (churner == 0) {
            for (int i = 0; i < 300; i++) {
                snprintf(name, sizeof name, "churn/temporary%d", i % 7);
                conformance_make(name, "");
                unlink(name);
            }
            *shared = 1;
            _exit(0);
        }
        int bad = 0;
        do {
            int stays = 0;
            DIR *d = opendir("churn");
            for (struct dirent *e; (e = readdir(d));) stays += !strncmp(e->d_name, "stays", 5);
            closedir(d);
            bad += stays != 50;
        } while (!*(volatile int *)shared);
        waitpid(churner, NULL, 0);
        CHECK_EQ(bad, 0);
    }
    COVERS(write, truncate);
    CASE(race_writes_and_truncation_stay_in_bounds) {
        conformance_make("grow", "");
        IN_WORKERS(WORKERS, ones, {
            int fd = open("grow", O_RDWR);
            static char page[4096];
            for (int i = 0; i < 200; i++) {
                if (worker == 0)
                    ftruncate(fd, (i % 5) * 1000);
                else
                    pwrite(fd, page, 4096, (i % 4) * 4096);
            }
            struct stat s;
            fstat(fd, &s);
            _exit(s.st_size > 16384);
        });
        CHECK_EQ(ones, 0);
    }
}

static int p[2];
static void *read_one(void *argument) {
    char c;
    (void)argument;
    return (void *)read(p[0], &c, 1);
}
static void *close_soon(void *argument) {
    usleep(40000);
    close(*(int *)argument);
    return NULL;
}
static void *write_soon(void *argument) {
    usleep(80000);
    write(*(int *)argument, "x", 1);
    return NULL;
}

static void descriptors(void) {
    COVERS(close, read);
    CASE(race_close_does_not_disturb_a_waiting_read) {
        pipe(p);
        pthread_t closer, writer;
        int fd = p[0];
        pthread_create(&closer, NULL, close_soon, &fd);
        pthread_create(&writer, NULL, write_soon, &p[1]);
        char c;
        CHECK_EQ(read(fd, &c, 1), 1);
        pthread_join(closer, NULL), pthread_join(writer, NULL);
        CHECK_ERRNO(close(fd), EBADF);
        close(p[1]);
    }
    CASE(race_writer_close_ends_all_readers) {
        pipe(p);
        pthread_t readers[3];
        for (int i = 0; i < 3; i++) pthread_create(&readers[i], NULL, read_one, NULL);
        usleep(40000);
        close(p[1]);
        void *result;
        for (int i = 0; i < 3; i++) {
            pthread_join(readers[i], &result);
            CHECK_EQ((long)result, 0);
        }
        close(p[0]);
    }
    COVERS(dup2, open, close);
    CASE(race_descriptor_numbers_are_unique) {
        // Threads open and close at once; no two may hold one number.
        IN_WORKERS(1, *shared, {
            static volatile int owners[64];
            static volatile int clashes;
            pthread_t threads[3];
            void *work(void *argument) {
                (void)argument;
                for (int i = 0; i < 500; i++) {
                    int fd = open("/dev/null", O_RDONLY);
                    if (fd < 0 || fd > 63) continue;
                    if (__sync_fetch_and_add(&owners[fd], 1)) clashes = 1;
                    __sync_fetch_and_sub(&owners[fd], 1);
                    close(fd);
                }
                return NULL;
            }
            for (int i = 0; i < 3; i++) pthread_create(&threads[i], NULL, work, NULL);
            for (int i = 0; i < 3; i++) pthread_join(threads[i], NULL);
            _exit(clashes);
        });
        CHECK_EQ(*shared, 0);
    }
    COVERS(read, write);
    CASE(race_pipe_delivers_each_byte_once) {
        pipe(p);
        memset(shared, 0, 4096);
        for (int i = 0; i < 3; i++)
            if (fork() == 0) {
                close(p[1]);
                unsigned char chunk[100];
                long n;
                while ((n = read(p[0], chunk, sizeof chunk)) > 0)
                    for (long k = 0; k < n; k++) __sync_fetch_and_add(&shared[chunk[k]], 1);
                _exit(0);
            }
        for (int i = 0; i < 2; i++)
            if (fork() == 0) {
                close(p[0]);
                unsigned char all[256];
                for (int k = 0; k < 256; k++) all[k] = k;
                for (int k = 0; k < 50; k++) write(p[1], all, 256);
                _exit(0);
            }
        close(p[0]), close(p[1]);
        while (wait(NULL) > 0) {
        }
        int bad = 0;
        for (int i = 0; i < 256; i++) bad |= shared[i] != 100;
        CHECK(!bad);
    }
    COVERS(eventfd2, read, write);
    CASE(race_semaphore_gives_each_unit_once) {
        int fd = eventfd(0, EFD_SEMAPHORE | EFD_NONBLOCK);
        eventfd_write(fd, 400);
        memset(shared, 0, 4096);
        int ones;
        IN_WORKERS(WORKERS, ones, {
            eventfd_t n;
            while (eventfd_read(fd, &n) == 0) __sync_fetch_and_add(shared, 1);
        });
        CHECK_EQ(*shared, 400);
        close(fd);
    }
    COVERS(flock, fcntl);
    CASE(race_locks_exclude) {
        conformance_make("mutex", "");
        memset(shared, 0, 4096);
        int ones;
        IN_WORKERS(WORKERS, ones, {
            int fd = open("mutex", O_RDWR);
            for (int i = 0; i < 100; i++) {
                struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1};
                if (fcntl(fd, F_SETLKW, &l)) _exit(1);
                int value = shared[0];
                sched_yield();
                shared[0] = value + 1;
                l.l_type = F_UNLCK;
                fcntl(fd, F_SETLK, &l);
            }
        });
        CHECK_EQ(ones, 0);
        CHECK_EQ(shared[0], 400);
    }
    COVERS(poll, write);
    CASE(race_all_pollers_wake) {
        int fd = eventfd(0, 0), ones;
        pid_t writer = fork();
        if (writer == 0) {
            usleep(60000);
            eventfd_write(fd, 1);
            _exit(0);
        }
        IN_WORKERS(3, ones, {
            struct pollfd w = {fd, POLLIN, 0};
            _exit(poll(&w, 1, 5000) == 1 ? 1 : 2);
        });
        CHECK_EQ(ones, 3);
        close(fd);
    }
}

int main(void) {
    conformance_enter();
    shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    names();
    descriptors();
    return conformance_end();
}
