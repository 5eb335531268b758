#define _GNU_SOURCE
#include "chost_notify.h"
#include "cstub.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

// Linux 6.6; older headers lack it.
#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS _IOW('!', 4, uint64_t)
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP 1ul
#endif

int chost_notify_wake_on_this_cpu(int listener) {
    return ioctl(listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS, SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP) == -1 ? -1 : 0;
}

int chost_notify_is_native(uint32_t architecture) { return architecture == AUDIT_ARCH_X86_64; }

int chost_notify_answer(int listener, uint64_t id, int64_t value) {
    struct seccomp_notif_resp response = {.id = id, .val = value};
    for (;;) {
        if (ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &response) == 0) return CHOST_NOTIFY_OK;
        if (errno == EINTR) continue;
        return errno == ENOENT ? CHOST_NOTIFY_MISSED : CHOST_NOTIFY_GONE;
    }
}

static int has_hung_up(int listener) {
    struct pollfd entry = {.fd = listener, .events = POLLIN};
    return poll(&entry, 1, 0) > 0 && (entry.revents & (POLLHUP | POLLIN)) == POLLHUP;
}

static int receive(int listener, struct chost_notification *n) {
    struct seccomp_notif raw;
    for (;;) {
        memset(&raw, 0, sizeof raw);
        if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &raw) == 0) break;
        if (errno == EINTR) return CHOST_NOTIFY_MISSED;
        // ENOENT: a signal took the thread out of its wait just now, or the thread is gone, which only the hang-up tells.
        return errno == ENOENT && !has_hung_up(listener) ? CHOST_NOTIFY_MISSED : CHOST_NOTIFY_GONE;
    }
    n->id = raw.id;
    n->thread = (int32_t)raw.pid;
    n->architecture = raw.data.arch;
    n->number = raw.data.nr;
    n->instruction_pointer = raw.data.instruction_pointer;
    for (int i = 0; i < 6; i++) n->arguments[i] = raw.data.args[i];
    return CHOST_NOTIFY_OK;
}

static int wait_until_ready(int listener, int milliseconds) {
    struct pollfd entry = {.fd = listener, .events = POLLIN};
    for (;;) {
        int ready = poll(&entry, 1, milliseconds);
        if (ready == -1 && errno == EINTR) continue;
        if (ready == 0) return CHOST_NOTIFY_TIMEOUT;
        return ready > 0 && (entry.revents & POLLIN) ? CHOST_NOTIFY_OK : CHOST_NOTIFY_GONE;
    }
}

int chost_notify_receive(int listener, int polls, struct chost_notification *n) {
    for (;;) {
        int outcome = polls ? wait_until_ready(listener, -1) : CHOST_NOTIFY_OK;
        if (outcome != CHOST_NOTIFY_OK) return outcome;
        outcome = receive(listener, n);
        if (outcome != CHOST_NOTIFY_MISSED) return outcome;
    }
}

int chost_notify_receive_within(int listener, int milliseconds, struct chost_notification *n) {
    for (;;) {
        int outcome = wait_until_ready(listener, milliseconds);
        if (outcome != CHOST_NOTIFY_OK) return outcome;
        outcome = receive(listener, n);
        if (outcome != CHOST_NOTIFY_MISSED) return outcome;
    }
}

/// What lies at CSTUB_BIRTH.
struct birth {
    struct {
        uint64_t base;
        uint64_t flags;
        uint64_t size;
    } stack;
    struct msghdr message;
    struct iovec vector;
    struct {
        uint64_t length;
        int32_t level, type;
        int32_t descriptor, pad;
    } control;
    char byte;
};
_Static_assert(sizeof(struct birth) <= CSTUB_BIRTH_SIZE, "fits its place");

void chost_stub_prepare_birth(void *slot, uint64_t area) {
    struct birth *birth = (struct birth *)((char *)slot + (CSTUB_BIRTH - CSTUB_ORDER));
    memset(birth, 0, sizeof *birth);
    birth->stack.base = area;
    birth->stack.size = CSTUB_AREA_SIZE;
    birth->message.msg_iov = (struct iovec *)(CSTUB_BIRTH + offsetof(struct birth, vector));
    birth->message.msg_iovlen = 1;
    birth->message.msg_control = (void *)(CSTUB_BIRTH + offsetof(struct birth, control));
    birth->message.msg_controllen = sizeof birth->control;
    birth->vector.iov_base = (void *)(CSTUB_BIRTH + offsetof(struct birth, byte));
    birth->vector.iov_len = 1;
    birth->control.length = 20;
    birth->control.level = SOL_SOCKET;
    birth->control.type = SCM_RIGHTS;
    birth->control.descriptor = CSTUB_FD_RECEIVED;
}

uint64_t chost_stub_birth_stack(void) { return CSTUB_BIRTH + offsetof(struct birth, stack); }
uint64_t chost_stub_birth_message(void) { return CSTUB_BIRTH + offsetof(struct birth, message); }

int chost_stub_receive_listener(int socket) {
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control;
    char byte;
    struct iovec vector = {&byte, 1};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    ssize_t n;
    do n = recvmsg(socket, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    while (n == -1 && errno == EINTR);
    if (n == -1) return -1;
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    if (!header || header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS || header->cmsg_len != CMSG_LEN(sizeof(int))) {
        errno = EPROTO;
        return -1;
    }
    int descriptor;
    memcpy(&descriptor, CMSG_DATA(header), sizeof descriptor);
    return descriptor;
}

void chost_unbind(int thread) {
    unsigned long mask[16] = {0};
    if (syscall(SYS_sched_getaffinity, 0, sizeof mask, mask) != -1) syscall(SYS_sched_setaffinity, thread, sizeof mask, mask);
}

int chost_stub_kick_notifying(int pid, int tid) { return (int)syscall(SYS_tgkill, pid, tid, CSTUB_KICK); }

int chost_has_fsgsbase(void) { return (getauxval(AT_HWCAP2) & 2) != 0; }
