// Structures of single families of calls: filters, control blocks, requests, messages. Mostly of the right shape, sometimes not.
#include "fuzzer.h"
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/seccomp.h>
#include <mqueue.h>
#include <signal.h>
#include <string.h>
#include <sys/sem.h>
#include <unistd.h>

/// A word that was `usual`, now and then another.
static uint64_t mostly(uint64_t usual) { return one_in(12) ? interesting_integer() : usual; }

static struct sock_filter instruction(unsigned left) {
    static const uint16_t codes[] = {
        BPF_LD | BPF_W | BPF_ABS, BPF_LD | BPF_IMM, BPF_LD | BPF_MEM, BPF_LDX | BPF_IMM, BPF_LDX | BPF_MEM,
            BPF_LD | BPF_W | BPF_LEN, BPF_ST, BPF_STX,
        BPF_ALU | BPF_ADD | BPF_K, BPF_ALU | BPF_DIV | BPF_X, BPF_ALU | BPF_MUL | BPF_X, BPF_ALU | BPF_LSH | BPF_K,
            BPF_ALU | BPF_RSH | BPF_X,
        BPF_ALU | BPF_NEG, BPF_ALU | BPF_XOR | BPF_X, BPF_MISC | BPF_TAX, BPF_MISC | BPF_TXA, BPF_JMP | BPF_JEQ | BPF_K,
            BPF_JMP | BPF_JGT | BPF_K,
        BPF_JMP | BPF_JSET | BPF_X, BPF_JMP | BPF_JGE | BPF_X, BPF_JMP | BPF_JA,
    };
    static const uint32_t actions[] = {
        SECCOMP_RET_ALLOW, SECCOMP_RET_ALLOW, SECCOMP_RET_ALLOW, SECCOMP_RET_LOG, SECCOMP_RET_ERRNO | 1,
            SECCOMP_RET_ERRNO | 0xffff, SECCOMP_RET_TRAP,
        SECCOMP_RET_TRACE, SECCOMP_RET_USER_NOTIF, SECCOMP_RET_KILL_THREAD, SECCOMP_RET_KILL_PROCESS,
    };
    if (left == 0 || one_in(10)) return (struct sock_filter){BPF_RET | BPF_K, 0, 0,
        (uint32_t)mostly(actions[random_below(left == 0 ? 5 : 11)])};
    struct sock_filter made = {(uint16_t)mostly(codes[random_below(sizeof codes / sizeof *codes)]), 0, 0, 0};
    if (one_in(64)) made.code = (uint16_t)interesting_integer();
    switch (BPF_CLASS(made.code)) {
    case BPF_LD: case BPF_LDX: case BPF_ST: case BPF_STX:
        made.k = (uint32_t)mostly(BPF_MODE(made.code) == BPF_ABS ? 4 * random_below(16) : random_below(16));
        break;
    case BPF_JMP:
        made.jt = (uint8_t)mostly(random_below(left)), made.jf = (uint8_t)mostly(random_below(left)),
            made.k = (uint32_t)mostly(random_below(480));
        if (BPF_OP(made.code) == BPF_JA) made.k = (uint32_t)mostly(random_below(left));
        break;
    default: made.k = (uint32_t)mostly(1 + random_below(31)); break;
    }
    return made;
}

static void *filter(void) {
    unsigned length = one_in(16) ? 4096 : 1 + (unsigned)random_below(24);
    struct sock_filter *program = place_for(length * sizeof *program);
    bool plain = one_in(2); // what the checker takes, and what lets the child go on for a while
    for (unsigned at = 0; at < length; at++) {
        program[at] = instruction(length - at - 1);
        if (plain && BPF_CLASS(program[at].code) != BPF_JMP && BPF_CLASS(program[at].code) != BPF_RET)
            program[at] = (struct sock_filter){BPF_LD | BPF_W | BPF_ABS, 0, 0, 4 * (uint32_t)random_below(16)};
    }
    struct sock_fprog *made = place_for(sizeof *made);
    *made = (struct sock_fprog){(unsigned short)mostly(length), (void *)mostly((uint64_t)program)};
    return made;
}

static void *blocks(void) {
    struct iocb **list = place_for(8 * sizeof *list);
    for (int index = 0; index < 8; index++) {
        struct iocb *block = place_for(sizeof *block);
        bool vector = one_in(3);
        memset(block, 0, sizeof *block);
        block->aio_lio_opcode = (uint16_t)mostly(vector ? 7 + random_below(2) : random_below(7));
        block->aio_fildes = (uint32_t)random_descriptor();
        block->aio_buf = mostly((uint64_t)(vector ? structure(VECTOR) : place_for(4096)));
        if (block->aio_lio_opcode == 5) block->aio_buf = random_below(64); // poll events
        block->aio_nbytes = mostly(vector ? random_below(8) : random_below(8192));
        block->aio_offset = (int64_t)mostly(random_below(20000));
        if (one_in(4)) block->aio_flags = (uint32_t)random_below(4), block->aio_resfd = (uint32_t)random_descriptor();
        if (one_in(8)) block->aio_rw_flags = (int)random_below(0x200), block->aio_reqprio = (short)interesting_integer();
        list[index] = (struct iocb *)mostly((uint64_t)block);
    }
    return list;
}

/// One or more messages with attributes that may lie about their length.
static void *netlink(void) {
    char *bytes = words(256);
    static const uint16_t types[] = {RTM_GETLINK, RTM_GETADDR, RTM_GETROUTE, RTM_GETNEIGH, RTM_NEWLINK, RTM_NEWADDR,
        RTM_NEWROUTE, RTM_DELADDR, RTM_GETRULE,
                                     RTM_SETLINK, RTM_DELLINK, RTM_GETQDISC, 20, 21, NLMSG_NOOP, NLMSG_DONE, NLMSG_ERROR};
    struct nlmsghdr *header = (void *)bytes;
    for (int count = 0; count < 3; count++) {
        uint32_t length = (uint32_t)mostly(16 + 4 * random_below(24));
        *header = (struct nlmsghdr){length, (uint16_t)mostly(types[random_below(sizeof types / sizeof *types)]),
            (uint16_t)random_below(0x1000), 1, 0};
        if (one_in(2)) header->nlmsg_flags = NLM_F_REQUEST | (one_in(2) ? NLM_F_DUMP : NLM_F_ACK);
        *((unsigned char *)header + 16) = one_in(3) ? (unsigned char)random_below(20) : 0; // the family
        struct rtattr *attribute = (void *)((char *)header + 16 + (one_in(2) ? 16 : 8));
        *attribute = (struct rtattr){(uint16_t)mostly(4 + random_below(32)), (uint16_t)random_below(40)};
        if (length > 64) break;
        header = (void *)((char *)header + ((length + 3) & ~3u));
    }
    return bytes;
}

static void *signal_event(void) {
    struct sigevent *event = words(sizeof *event);
    event->sigev_notify = (int)mostly(random_below(5)), event->sigev_signo = (int)mostly(one_in(2) ? SIGUSR1 : random_below(65));
    event->_sigev_un._tid = one_in(2) ? gettid() : (pid_t)interesting_integer();
    if (event->sigev_signo == SIGKILL || event->sigev_signo == SIGSTOP) event->sigev_signo = SIGUSR1;
    return event;
}

static void *signal_info(void) {
    siginfo_t *info = words(sizeof *info);
    info->si_code = one_in(4) ? (int)interesting_integer() : -1 - (int)random_below(8),
        info->si_signo = (int)mostly(random_below(65));
    return info;
}

static void *queue(void) {
    struct mq_attr *queue = words(sizeof *queue);
    queue->mq_flags = (long)mostly(one_in(2) ? 0 : O_NONBLOCK), queue->mq_maxmsg = (long)mostly(1 + random_below(12)),
        queue->mq_msgsize = (long)mostly(1 + random_below(300));
    return queue;
}

static void *operations(void) {
    struct sembuf *operations = place_for(8 * sizeof *operations);
    for (int index = 0; index < 8; index++)
        operations[index] = (struct sembuf){(unsigned short)mostly(random_below(4)),
            (short)mostly((uint64_t)(3 - (int)random_below(6))),
                                            (short)mostly(random_below(2) * IPC_NOWAIT | random_below(2) * SEM_UNDO)};
    return operations;
}

static void *how(void) {
    uint64_t *how = place_for(32);
    how[0] = mostly((uint64_t)(random_below(4) | random_below(2) * O_CREAT | random_below(2) * O_NONBLOCK)),
        how[1] = mostly(how[0] & O_CREAT ? 0600 : 0);
    how[2] = mostly(random_below(0x40)), how[3] = one_in(8);
    return how;
}

static void *futexes(void) {
    struct futex_waitv { uint64_t value, address; uint32_t flags, reserved; } *waits = place_for(16 * sizeof *waits);
    for (int index = 0; index < 16; index++)
        waits[index] = (struct futex_waitv){mostly(random_below(3)), mostly((uint64_t)structure(WORD)),
            (uint32_t)mostly(2 | random_below(2) * 128), one_in(16)};
    return waits;
}

static void *handle(void) {
    struct file_handle *handle = place_for(sizeof *handle + 128);
    memset(handle, 0, sizeof *handle);
    handle->handle_bytes = (unsigned)mostly(random_below(129)), handle->handle_type = (int)mostly(random_below(4));
    if (one_in(2)) memcpy(handle->f_handle, words(128), 128);
    return handle;
}

/// struct mnt_id_req, struct mount_attr, struct landlock_ruleset_attr and what a rule may be.
static void *mount_request(void) {
    uint64_t *request = place_for(40);
    uint32_t head[2] = {(uint32_t)mostly(one_in(2) ? 24 : 32), one_in(16)};
    memcpy(request, head, 8);
    request[1] = one_in(4) ? UINT64_MAX : recall(MOUNT_POOL), request[2] = mostly(one_in(4)
        ? recall(MOUNT_POOL) : random_below(0x2000)), request[3] = one_in(8), request[4] = 0;
    return request;
}

static void *mount_attributes(void) {
    uint64_t *attributes = place_for(32);
    attributes[0] = mostly(random_next() & random_next() & 0x2000ff),
        attributes[1] = mostly(random_next() & random_next() & 0x2000ff);
    attributes[2] = one_in(3) ? 1ull << (17 + random_below(4)) : 0, attributes[3] = one_in(8) ? (uint64_t)random_descriptor() : 0;
    return attributes;
}

static void *ruleset(void) {
    uint64_t *rules = place_for(24);
    rules[0] = mostly(random_next() & 0xffff), rules[1] = mostly(random_below(4)), rules[2] = mostly(random_below(4));
    return rules;
}

static void *rule(void) {
    uint64_t *rule = place_for(16);
    rule[0] = mostly(random_next() & random_next() & 0xffff);
    uint32_t file = (uint32_t)random_descriptor();
    if (one_in(2)) memcpy(&rule[1], &file, 4);
    else rule[0] = mostly(random_below(4)), rule[1] = mostly(7000 + random_below(4));
    return rule;
}

static void *scheduling(void) {
    uint32_t *words32 = place_for(64);
    memset(words32, 0, 64);
    words32[0] = (uint32_t)mostly(48 + random_below(2) * 8), words32[1] = (uint32_t)mostly(random_below(7)),
        words32[4] = (uint32_t)mostly(random_below(20));
    words32[5] = (uint32_t)mostly(random_below(3));
    for (int index = 6; index < 12; index++) words32[index] = one_in(3) ? (uint32_t)interesting_integer() : 0;
    return words32;
}

static void *properties(void) {
    uint64_t *properties = place_for(32);
    memset(properties, 0, 32);
    properties[0] = mostly(random_next() & random_next() & 0xff);
    if (one_in(4)) properties[1] = interesting_integer();
    return properties;
}

static void *text(const char *const *choices, size_t count) {
    char *text = place_for(64);
    strcpy(text, choices[random_below(count)]);
    if (one_in(24)) text[random_below(4)] ^= (char)(1 << random_below(8));
    return text;
}

void *kernel_structure(enum type type) {
    static const char *const payloads[] = {"", "secret", "fuzz:a", ".hidden", "user", "keyring",
        "a very much longer payload than the others are", "\xff\xfe"};
    static const char *const words_of_types[] = {"user", "keyring", "logon", "tmpfs", "proc", "sysfs", "ramfs", "mqueue",
        "devpts", "size", "mode", "source",
                                                 "cgroup2", "overlay", "big_key", "devtmpfs", "ro", "uid", "asymmetric"};
    static const char *const attributes[] = {"user.a", "user.b", "user.a", "user.", "trusted.a", "security.capability",
        "security.a", "system.posix_acl_access",
                                             "system.posix_acl_default", "system.a", "none"};
    switch (type) {
    case FILTER: return filter();
    case BLOCKS: return blocks();
    case NETLINK: return netlink();
    case SIGNAL_EVENT: return signal_event();
    case SIGNAL_INFO: return signal_info();
    case QUEUE: return queue();
    case OPERATIONS: return operations();
    case TYPED: {
        int64_t *message = words(256);
        message[0] = (int64_t)mostly(1 + random_below(4));
        return message;
    }
    case HOW: return how();
    case FUTEXES: return futexes();
    case HANDLE: return handle();
    case MOUNT_REQUEST: return mount_request();
    case MOUNT_ATTRIBUTES: return mount_attributes();
    case RULESET: return ruleset();
    case RULE: return rule();
    case SCHEDULING: return scheduling();
    case PROPERTIES: return properties();
    case DESCRIPTION: return text(words_of_types, sizeof words_of_types / sizeof *words_of_types);
    case PAYLOAD: return text(payloads, sizeof payloads / sizeof *payloads);
    case ATTRIBUTE: return text(attributes, sizeof attributes / sizeof *attributes);
    case VALUE: { // struct xattr_args
        uint64_t *value = place_for(24);
        value[0] = mostly((uint64_t)place_for(512)), value[1] = mostly(random_below(300)) & 0xffffffff, value[2] = one_in(16);
        if (one_in(4)) value[1] |= random_below(4) << 32;
        return value;
    }
    default: return words(128);
    }
}
