// io_setup(2), io_submit(2), io_getevents(2), io_cancel(2), io_destroy(2), without libaio.
#include "conformance.h"
#include <linux/aio_abi.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/uio.h>

static int setup(unsigned n, aio_context_t *context) { return syscall(SYS_io_setup, n, context); }
static int destroy(aio_context_t context) { return syscall(SYS_io_destroy, context); }
static int submit(aio_context_t context, long n, struct iocb **list) { return syscall(SYS_io_submit, context, n, list); }
static int cancel(aio_context_t context, struct iocb *block, struct io_event *result) {
    return syscall(SYS_io_cancel, context, block, result);
}
static int get(aio_context_t context, long min, long n, struct io_event *events, struct timespec *timeout) {
    return syscall(SYS_io_getevents, context, min, n, events, timeout);
}
static int submit_one(aio_context_t context, struct iocb *block) { return submit(context, 1, &block); }

/// What user space sees at the context's address.
struct ring {
    unsigned id, nr, head, tail, magic, compatible, incompatible, header_length;
    struct io_event events[];
};

static struct iocb request(int operation, int fd, void *buffer, size_t count, long long offset) {
    struct iocb block = {.aio_lio_opcode = operation, .aio_fildes = fd, .aio_buf = (uintptr_t)buffer, .aio_nbytes = count,
                         .aio_offset = offset, .aio_data = 0x1122334455667788, .aio_key = 77};
    return block;
}

static void contexts(void) {
    COVERS(io_setup, io_destroy);
    CASE(aio_setup_arguments) {
        aio_context_t context = 0;
        CHECK_ERRNO(setup(0, &context), EINVAL);
        CHECK_ERRNO(setup(8, BAD_POINTER), EFAULT);
        CHECK_ERRNO(setup(0x10000001, &context), EINVAL);
        CHECK_ERRNO(setup(65537, &context), EAGAIN);
        context = 1;
        CHECK_ERRNO(setup(8, &context), EINVAL);
        CHECK_ERRNO(destroy(0x1234), EINVAL);
        CHECK_ERRNO(destroy(0), EINVAL);
        CHECK_ERRNO(setup(8, conformance_read_only("\0\0\0\0\0\0\0\0", 8)), EFAULT);
    }
    CASE(aio_ring_in_user_memory) {
        aio_context_t context = 0;
        CHECK_EQ(setup(8, &context), 0);
        struct ring *ring = (struct ring *)context;
        CHECK_EQ(ring->magic, 0xa10a10a1);
        CHECK_EQ(ring->compatible, 1);
        CHECK_EQ(ring->incompatible, 0);
        CHECK_EQ(ring->header_length, sizeof *ring);
        CHECK_EQ(ring->head, 0);
        CHECK_EQ(ring->tail, 0);
        OBSERVE("slots %u", ring->nr);
        CHECK_EQ(context % 4096, 0);
        CHECK_EQ(destroy(context), 0);
        CHECK_ERRNO(destroy(context), EINVAL);
        CHECK_ERRNO(msync((void *)context, 4096, MS_ASYNC), ENOMEM);
    }
    CASE(aio_contexts_are_the_process_s_own) {
        aio_context_t context = 0;
        CHECK_EQ(setup(4, &context), 0);
        CHILD {
            struct io_event event;
            struct timespec now = {0};
            CHECK_ERRNO(get(context, 0, 1, &event, &now), EINVAL);
            CHECK_ERRNO(destroy(context), EINVAL);
        }
        CHECK_EQ(destroy(context), 0);
    }
}

static void transfers(void) {
    struct io_event event, events[8];
    COVERS(io_submit, io_getevents);
    CASE(aio_write_and_read) {
        aio_context_t context = 0;
        setup(8, &context);
        int fd = conformance_file("data", "");
        struct iocb block = request(IOCB_CMD_PWRITE, fd, "hello world", 11, 100);
        CHECK_EQ(submit_one(context, &block), 1);
        CHECK_EQ(block.aio_key, 0);
        CHECK_EQ(get(context, 1, 8, events, NULL), 1);
        CHECK_EQ(events[0].data, 0x1122334455667788);
        CHECK_EQ(events[0].obj, (uintptr_t)&block);
        CHECK_EQ(events[0].res, 11);
        CHECK_EQ(events[0].res2, 0);
        CHECK_EQ(lseek(fd, 0, SEEK_END), 111);
        CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
        char text[32] = "";
        block = request(IOCB_CMD_PREAD, fd, text, 32, 106);
        CHECK_EQ(submit_one(context, &block), 1);
        CHECK_EQ(get(context, 1, 8, events, NULL), 1);
        CHECK_EQ(events[0].res, 5);
        CHECK(!strcmp(text, "world"));
        CHECK_EQ(lseek(fd, 0, SEEK_CUR), 0);
        block = request(IOCB_CMD_PREAD, fd, text, 32, 5000);
        CHECK_EQ(submit_one(context, &block), 1);
        CHECK_EQ(get(context, 1, 1, events, NULL), 1);
        CHECK_EQ(events[0].res, 0);
        destroy(context);
        close(fd);
    }
    CASE(aio_vectors_and_synchronisation) {
        aio_context_t context = 0;
        setup(8, &context);
        int fd = conformance_file("vectors", "");
        struct iovec out[2] = {{"ab", 2}, {"cdef", 4}};
        char first[3] = "", second[4] = "";
        struct iovec in[2] = {{first, 2}, {second, 3}};
        struct iocb blocks[4] = {request(IOCB_CMD_PWRITEV, fd, out, 2, 0), request(IOCB_CMD_FDSYNC, fd, NULL, 0, 0),
                                 request(IOCB_CMD_FSYNC, fd, NULL, 0, 0), request(IOCB_CMD_PREADV, fd, in, 2, 1)};
        int seen = 0;
        for (int i = 0; i < 4; i++) {
            CHECK_EQ(submit_one(context, &blocks[i]), 1);
            CHECK_EQ(get(context, 1, 8, events, NULL), 1);
            seen = seen * 10 + events[0].res;
        }
        CHECK_EQ(seen, 6005);
        CHECK(!memcmp(first, "bc", 2) && !memcmp(second, "def", 3));
        CHECK_EQ(blocks[0].aio_data, 0x1122334455667788);
        destroy(context);
        close(fd);
    }
    CASE(aio_submits_up_to_the_first_fault) {
        aio_context_t context = 0;
        setup(8, &context);
        int fd = conformance_file("partial", "12345");
        char text[8];
        struct iocb good = request(IOCB_CMD_PREAD, fd, text, 5, 0), bad = good, closed = good;
        bad.aio_lio_opcode = 99;
        closed.aio_fildes = 1000;
        struct iocb *list[] = {&good, &bad, &good};
        CHECK_EQ(submit(context, 3, list), 1);
        CHECK_EQ(get(context, 1, 8, events, NULL), 1);
        CHECK_ERRNO(submit_one(context, &bad), EINVAL);
        CHECK_ERRNO(submit_one(context, &closed), EBADF);
        CHECK_ERRNO(submit(context, -1, list), EINVAL);
        CHECK_ERRNO(submit(0x1000, 1, list), EINVAL);
        CHECK_EQ(submit(context, 0, list), 0);
        CHECK_ERRNO(submit(context, 1, BAD_POINTER), EFAULT);
        struct iocb *wrong[] = {(struct iocb *)16};
        CHECK_ERRNO(submit(context, 1, wrong), EFAULT);
        bad = good;
        bad.aio_reserved2 = 1;
        CHECK_ERRNO(submit_one(context, &bad), EINVAL);
        bad = good;
        bad.aio_nbytes = -1;
        CHECK_ERRNO(submit_one(context, &bad), EINVAL);
        bad = good;
        bad.aio_offset = -5;
        CHECK_ERRNO(submit_one(context, &bad), EINVAL);
        bad = good;
        bad.aio_rw_flags = 0x4000000;
        CHECK_ERRNO(submit_one(context, &bad), EOPNOTSUPP);
        bad = request(IOCB_CMD_FSYNC, fd, NULL, 1, 0);
        CHECK_ERRNO(submit_one(context, &bad), EINVAL);
        int only = open("partial", O_RDONLY), directory = open(".", O_RDONLY), place = open("partial", O_PATH);
        bad = request(IOCB_CMD_PWRITE, only, text, 5, 0);
        CHECK_ERRNO(submit_one(context, &bad), EBADF);
        bad = request(IOCB_CMD_PREAD, directory, text, 5, 0);
        CHECK_ERRNO(submit_one(context, &bad), EINVAL);
        bad = request(IOCB_CMD_PREAD, place, text, 5, 0);
        CHECK_ERRNO(submit_one(context, &bad), EBADF);
        struct timespec now = {0};
        CHECK_EQ(get(context, 0, 8, events, &now), 0);
        destroy(context);
        close(fd), close(only), close(directory), close(place);
    }
    CASE(aio_failed_operations_tell_so_by_events) {
        aio_context_t context = 0;
        setup(8, &context);
        int fd = conformance_file("fault", "12345");
        struct iocb block = request(IOCB_CMD_PREAD, fd, BAD_POINTER, 5, 0);
        CHECK_EQ(submit_one(context, &block), 1);
        CHECK_EQ(get(context, 1, 1, &event, NULL), 1);
        CHECK_EQ(event.res, -EFAULT);
        int ends[2];
        pipe2(ends, O_NONBLOCK);
        char text[8];
        block = request(IOCB_CMD_PREAD, ends[0], text, 5, 0);
        CHECK_EQ(submit_one(context, &block), 1);
        CHECK_EQ(get(context, 1, 1, &event, NULL), 1);
        CHECK_EQ(event.res, -EAGAIN);
        write(ends[1], "abc", 3);
        CHECK_EQ(submit_one(context, &block), 1);
        CHECK_EQ(get(context, 1, 1, &event, NULL), 1);
        CHECK_EQ(event.res, 3);
        destroy(context);
        close(fd), close(ends[0]), close(ends[1]);
    }
    CASE(aio_eventfd) {
        aio_context_t context = 0;
        setup(8, &context);
        int fd = conformance_file("told", "12345"), told = eventfd(0, EFD_NONBLOCK);
        char text[8];
        struct iocb block = request(IOCB_CMD_PREAD, fd, text, 5, 0);
        block.aio_flags = IOCB_FLAG_RESFD;
        block.aio_resfd = told;
        struct iocb *list[] = {&block, &block, &block};
        CHECK_EQ(submit(context, 3, list), 3);
        CHECK_EQ(get(context, 3, 8, events, NULL), 3);
        uint64_t count = 0;
        CHECK_EQ(read(told, &count, 8), 8);
        CHECK_EQ(count, 3);
        block.aio_resfd = fd;
        CHECK_ERRNO(submit_one(context, &block), EINVAL);
        block.aio_resfd = 1000;
        CHECK_ERRNO(submit_one(context, &block), EBADF);
        destroy(context);
        close(fd), close(told);
    }
    CASE(aio_appends_with_a_flag) {
        aio_context_t context = 0;
        setup(8, &context);
        int fd = conformance_file("append", "12345");
        struct iocb block = request(IOCB_CMD_PWRITE, fd, "67", 2, 0);
        block.aio_rw_flags = 0x10;  // RWF_APPEND
        CHECK_EQ(submit_one(context, &block), 1);
        CHECK_EQ(get(context, 1, 1, &event, NULL), 1);
        CHECK_EQ(event.res, 2);
        CHECK_EQ(lseek(fd, 0, SEEK_END), 7);
        destroy(context);
        close(fd);
    }
}

static void events_and_time(void) {
    struct io_event events[64];
    COVERS(io_getevents);
    CASE(aio_getevents_arguments) {
        aio_context_t context = 0;
        setup(8, &context);
        struct timespec now = {0};
        CHECK_ERRNO(get(context, 2, 1, events, &now), EINVAL);
        CHECK_ERRNO(get(context, -1, 1, events, &now), EINVAL);
        CHECK_ERRNO(get(context, 0, 1, events, BAD_POINTER), EFAULT);
        CHECK_ERRNO(get(0x1000, 0, 1, events, &now), EINVAL);
        CHECK_EQ(get(context, 0, 0, events, &now), 0);
        CHECK_EQ(get(context, 1, 8, events, &now), 0);
        CHECK_EQ(get(context, 0, 8, events, NULL), 0);
        int fd = conformance_file("one", "1");
        char text[4];
        struct iocb block = request(IOCB_CMD_PREAD, fd, text, 1, 0);
        submit_one(context, &block);
        CHECK_ERRNO(get(context, 1, 1, BAD_POINTER, &now), EFAULT);
        CHECK_EQ(get(context, 1, 1, events, &now), 1);
        destroy(context);
        close(fd);
    }
    CASE(aio_getevents_waits) {
        aio_context_t context = 0;
        setup(8, &context);
        long long start = conformance_now_ms();
        struct timespec timeout = {0, 60 * 1000000};
        CHECK_EQ(get(context, 1, 8, events, &timeout), 0);
        CHECK(conformance_now_ms() - start >= 55);
        conformance_alarm(50, SA_RESTART);
        CHECK_ERRNO(get(context, 1, 8, events, NULL), EINTR);
        CHECK_EQ(conformance_alarms, 1);
        destroy(context);
    }
    CASE(aio_user_space_takes_events_from_the_ring) {
        aio_context_t context = 0;
        setup(8, &context);
        struct ring *ring = (struct ring *)context;
        int fd = conformance_file("ring", "12345");
        char text[8];
        struct iocb block = request(IOCB_CMD_PREAD, fd, text, 5, 0);
        submit_one(context, &block);
        submit_one(context, &block);
        CHECK_EQ(ring->tail, 2);
        CHECK_EQ(ring->head, 0);
        CHECK_EQ(ring->events[0].res, 5);
        ring->head = 1;
        struct timespec now = {0};
        CHECK_EQ(get(context, 0, 8, events, &now), 1);
        CHECK_EQ(ring->head, 2);
        CHECK_EQ(get(context, 0, 8, events, &now), 0);
        destroy(context);
        close(fd);
    }
    CASE(aio_ring_is_full) {
        aio_context_t context = 0;
        setup(1, &context);
        struct ring *ring = (struct ring *)context;
        int fd = conformance_file("full", "12345");
        char text[8];
        struct iocb block = request(IOCB_CMD_PREAD, fd, text, 5, 0);
        unsigned done = 0;
        while (submit_one(context, &block) == 1) done++;
        CHECK_EQ(errno, EAGAIN);
        CHECK(done >= ring->nr - 1 - 64 && done < ring->nr);
        unsigned got = 0;
        struct timespec now = {0};
        for (int n; (n = get(context, 0, 64, events, &now)) > 0;) got += n;
        CHECK_EQ(got, done);
        CHECK_EQ(submit_one(context, &block), 1);
        CHECK_EQ(get(context, 1, 1, events, NULL), 1);
        destroy(context);
        close(fd);
    }
    COVERS(io_pgetevents);
    CASE(aio_getevents_with_a_mask) {
        struct set {
            sigset_t *set;
            size_t size;
        };
        aio_context_t context = 0;
        setup(8, &context);
        struct timespec now = {0}, timeout = {0, 50 * 1000000};
        sigset_t mask, old;
        sigemptyset(&mask);
        sigaddset(&mask, SIGALRM);
        struct set argument = {&mask, 8}, wrong = {&mask, 16}, none = {NULL, 16};
        CHECK_EQ(syscall(SYS_io_pgetevents, context, 0, 8, events, &now, NULL), 0);
        CHECK_EQ(syscall(SYS_io_pgetevents, context, 0, 8, events, &now, &argument), 0);
        CHECK_ERRNO(syscall(SYS_io_pgetevents, context, 0, 8, events, &now, &wrong), EINVAL);
        CHECK_EQ(syscall(SYS_io_pgetevents, context, 0, 8, events, &now, &none), 0);
        CHECK_ERRNO(syscall(SYS_io_pgetevents, context, 0, 8, events, &now, BAD_POINTER), EFAULT);
        conformance_alarm(20, 0);
        CHECK_EQ(syscall(SYS_io_pgetevents, context, 1, 8, events, &timeout, &argument), 0);
        CHECK_EQ(conformance_alarms, 1);
        sigprocmask(SIG_BLOCK, &mask, &old);
        conformance_alarm(20, 0);
        conformance_nap(40);
        CHECK_EQ(conformance_alarms, 0);
        sigemptyset(&mask);
        CHECK_ERRNO(syscall(SYS_io_pgetevents, context, 1, 8, events, NULL, &argument), EINTR);
        CHECK_EQ(conformance_alarms, 1);
        sigprocmask(SIG_SETMASK, NULL, &mask);
        CHECK(sigismember(&mask, SIGALRM));
        sigprocmask(SIG_SETMASK, &old, NULL);
        destroy(context);
    }
}

static int late[2];
static void *write_later(void *argument) {
    conformance_nap(30);
    write(late[1], "x", 1);
    return argument;
}

static void polls(void) {
    struct io_event event;
    COVERS(io_submit, io_cancel);
    CASE(aio_poll) {
        aio_context_t context = 0;
        setup(8, &context);
        pipe(late);
        struct iocb block = request(IOCB_CMD_POLL, late[0], (void *)POLLIN, 0, 0);
        CHECK_EQ(submit_one(context, &block), 1);
        struct timespec now = {0};
        CHECK_EQ(get(context, 0, 1, &event, &now), 0);
        pthread_t thread;
        pthread_create(&thread, NULL, write_later, NULL);
        CHECK_EQ(get(context, 1, 1, &event, NULL), 1);
        pthread_join(thread, NULL);
        // What woke it up may tell more than was asked for.
        CHECK(event.res & POLLIN);
        CHECK_EQ(event.obj, (uintptr_t)&block);
        CHECK_EQ(submit_one(context, &block), 1);
        CHECK_EQ(get(context, 1, 1, &event, NULL), 1);
        CHECK_EQ(event.res, POLLIN);
        close(late[0]);
        block = request(IOCB_CMD_POLL, late[1], (void *)POLLIN, 0, 0);
        CHECK_EQ(submit_one(context, &block), 1);
        CHECK_EQ(get(context, 1, 1, &event, NULL), 1);
        CHECK_EQ(event.res, POLLERR);
        close(late[1]);
        block.aio_buf = 0x10000;
        block.aio_fildes = 0;
        CHECK_ERRNO(submit_one(context, &block), EINVAL);
        destroy(context);
    }
    CASE(aio_poll_with_eventfd) {
        aio_context_t context = 0;
        setup(8, &context);
        pipe(late);
        int told = eventfd(0, 0);
        struct iocb block = request(IOCB_CMD_POLL, late[0], (void *)POLLIN, 0, 0);
        block.aio_flags = IOCB_FLAG_RESFD;
        block.aio_resfd = told;
        CHECK_EQ(submit_one(context, &block), 1);
        pthread_t thread;
        pthread_create(&thread, NULL, write_later, NULL);
        uint64_t count = 0;
        CHECK_EQ(read(told, &count, 8), 8);
        CHECK_EQ(count, 1);
        pthread_join(thread, NULL);
        CHECK_EQ(get(context, 1, 1, &event, NULL), 1);
        destroy(context);
        close(told), close(late[0]), close(late[1]);
    }
    CASE(aio_cancel) {
        aio_context_t context = 0;
        setup(8, &context);
        pipe(late);
        struct iocb block = request(IOCB_CMD_POLL, late[0], (void *)POLLIN, 0, 0), other = block;
        CHECK_ERRNO(cancel(context, &block, &event), EINVAL);
        CHECK_EQ(submit_one(context, &block), 1);
        other.aio_key = 0;
        CHECK_ERRNO(cancel(context, &other, &event), EINVAL);
        CHECK_ERRNO(cancel(0x1000, &block, &event), EINVAL);
        CHECK_ERRNO(cancel(context, BAD_POINTER, &event), EFAULT);
        CHECK_ERRNO(cancel(context, &block, &event), EINPROGRESS);
        CHECK_EQ(get(context, 1, 1, &event, NULL), 1);
        CHECK_EQ(event.res, 0);
        CHECK_EQ(event.obj, (uintptr_t)&block);
        CHECK_ERRNO(cancel(context, &block, &event), EINVAL);
        destroy(context);
        close(late[0]), close(late[1]);
    }
    CASE(aio_destroy_with_a_poll_under_way) {
        aio_context_t context = 0;
        setup(8, &context);
        pipe(late);
        struct iocb block = request(IOCB_CMD_POLL, late[0], (void *)POLLIN, 0, 0);
        CHECK_EQ(submit_one(context, &block), 1);
        CHECK_EQ(destroy(context), 0);
        CHECK_EQ(write(late[1], "x", 1), 1);
        close(late[0]), close(late[1]);
    }
    CASE(aio_ends_with_the_process) {
        CHILD {
            aio_context_t context = 0;
            setup(8, &context);
            pipe(late);
            struct iocb block = request(IOCB_CMD_POLL, late[0], (void *)POLLIN, 0, 0);
            CHECK_EQ(submit_one(context, &block), 1);
        }
    }
}

int main(void) {
    conformance_enter();
    contexts();
    transfers();
    events_and_time();
    polls();
    return conformance_end();
}
