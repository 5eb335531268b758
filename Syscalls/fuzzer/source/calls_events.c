#include "fuzzer.h"
#include <fcntl.h>
#include <sys/syscall.h>

#define F {FD}
#define EIGHT ONE(8, 8, 8, 8, 8, 0, 16)

static const struct call calls[] = {
    CALL(poll, {POLLS}, {SIZE}, ONE(0, 1, 10, -1)), CALL(ppoll, {POLLS}, {INT}, {TIME}, {SET}, EIGHT),
    CALL(select, {SIZE}, {SET}, {SET}, {SET}, {TIME}), CALL(pselect6, {INT}, {SET}, {SET}, {SET}, {TIME}, {IN}),
    CALL(epoll_create, {INT}),
    CALL(epoll_create1, BITS(O_CLOEXEC)), CALL(epoll_ctl, F, ONE(1, 1, 1, 2, 3), F, {EVENT}),
    CALL(epoll_ctl, F, ONE(1), F, {EVENT}),
    CALL(epoll_wait, F, {OUT}, {INT}, ONE(0, 1, 10, -1)), CALL(epoll_pwait, F, {OUT}, {INT}, ONE(0, 1, 10, -1), {SET}, EIGHT),
    {441, "epoll_pwait2", {F, {OUT}, {INT}, {TIME}, {SET}, EIGHT}}, CALL(eventfd, {ANY}),
    CALL(eventfd2, {INT}, BITS(O_CLOEXEC | O_NONBLOCK | 1)),
    CALL(signalfd, F, {SET}, EIGHT), CALL(signalfd4, F, {SET}, EIGHT, BITS(O_CLOEXEC | O_NONBLOCK)),
    CALL(timerfd_create, {INT}, BITS(O_CLOEXEC | O_NONBLOCK)), CALL(timerfd_settime, F, BITS(3), {TIME}, {OUT}),
    CALL(timerfd_gettime, F, {OUT}),
    CALL(inotify_init), CALL(inotify_init1, BITS(O_CLOEXEC | O_NONBLOCK)), CALL(inotify_add_watch, F, {PATH}, BITS(0xf700ffff)),
    CALL(inotify_rm_watch, F, {INT}), CALL(mq_open, {STRING}, BITS(O_CREAT | O_EXCL | O_NONBLOCK | 3), {MODE}, {QUEUE}),
    CALL(mq_unlink, {STRING}),
    CALL(mq_timedsend, F, {IN}, {SIZE}, {INT}, {TIME}), CALL(mq_timedreceive, F, {OUT}, {SIZE}, {OUT}, {TIME}),
    CALL(mq_notify, F, {SIGNAL_EVENT}),
    CALL(mq_getsetattr, F, {QUEUE}, {OUT}),
    CALL(io_setup, {INT}, {OFFSET_POINTER}), CALL(io_setup, ONE(1, 4, 64), {OFFSET_POINTER}), CALL(io_destroy, {AIO_ID}),
    CALL(io_submit, {AIO_ID}, {INT}, {BLOCKS}), CALL(io_submit, {AIO_ID}, ONE(1, 2, 4), {BLOCKS}), CALL(io_cancel, {AIO_ID},
        {IN}, {OUT}),
    CALL(io_getevents, {AIO_ID}, {INT}, {INT}, {OUT}, {TIME}), CALL(io_pgetevents, {AIO_ID}, {INT}, {INT}, {OUT}, {TIME}, {IN}),
};
const struct table event_calls = {calls, sizeof calls / sizeof *calls};
