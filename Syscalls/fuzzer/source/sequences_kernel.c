// Namespaces, mounts, contexts, keys, process files, handles, queues, netlink: objects whose calls build on each other.
#include "fuzzer.h"
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static void write_text(const char *path, const char *text) {
    int fd = open(path, O_WRONLY);
    if (fd < 0) return;
    call(SYS_write, fd, text, strlen(text), 0, 0, 0);
    close(fd);
}

static void map_users(void) {
    static const char *const maps[] = {"0 0 1", "0 65534 1", "0 1000 1", "0 0 4294967295", "0 0 1\n1 1 1", "4294967295 0 1",
        "0 0 0", "x", "0 0 1 2", "65534 65534 1"};
    char text[32];
    if (one_in(2)) write_text("/proc/self/setgroups", one_in(4) ? "allow" : "deny");
    snprintf(text, sizeof text, "0 %u 1", getuid());
    write_text("/proc/self/uid_map", one_in(2) ? text : maps[random_below(10)]);
    write_text("/proc/self/gid_map", one_in(2) ? text : maps[random_below(10)]);
}

void use_namespaces(void) {
    static const uint64_t kinds[] = {CLONE_NEWUSER, CLONE_NEWNS, CLONE_NEWPID, CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWNET,
        CLONE_NEWCGROUP};
    int child, grandchild;
    if (!fork_briefly(&child)) return end_child(child);
    uint64_t flags = one_in(2) ? CLONE_NEWUSER : 0;
    for (unsigned count = 1 + (unsigned)random_below(4); count > 0; count--) flags |= kinds[random_below(7)];
    call(SYS_unshare, flags, 0, 0, 0, 0, 0);
    if (one_in(2)) map_users();
    if (one_in(2) && fork_briefly(&grandchild)) { // the first of a process namespace, perhaps
        if (one_in(4)) call(SYS_reboot, 0xfee1dead, 0x28121969, one_in(2) ? 0x4321fedc : 0x01234567, 0, 0, 0);
        if (one_in(2)) use_mounts();
        finish_child(20);
    }
    for (unsigned count = (unsigned)random_below(4); count > 0; count--) {
        random_object();
        call(SYS_setns, random_descriptor(), one_in(2) ? 0 : kinds[random_below(7)], 0, 0, 0, 0);
    }
    if (one_in(2)) use_mounts();
    finish_child(20);
}

void use_mounts(void) {
    static const char *const types[] = {"tmpfs", "proc", "sysfs", "mqueue", "devpts", "ramfs", "devtmpfs", "tmpfs"};
    uint64_t *request = place_for(40);
    int context = (int)call(SYS_fsopen, types[random_below(8)], random_below(2), 0, 0, 0, 0);
    mkdir("d", 0777);
    for (unsigned count = (unsigned)random_below(4); count > 0; count--)
        call(SYS_fsconfig, context, one_in(4) ? random_below(9) : 1, structure(DESCRIPTION), structure(PAYLOAD), 0, 0);
    if (one_in(2)) call(SYS_fsconfig, context, 1, strcpy(place_for(8), "size"), strcpy(place_for(8), "1m"), 0, 0);
    call(SYS_fsconfig, context, 6, 0, 0, 0, 0);
    int mount = (int)call(SYS_fsmount, context, random_below(2), random_below(2) ? 0 : random_below(256), 0, 0, 0);
    if (one_in(4)) mount = (int)call(SYS_open_tree, AT_FDCWD, one_in(2) ? "d" : "/proc/self", 1 | (one_in(4) ? 0x8000 : 0), 0, 0,
        0);
    if (mount >= 0 && one_in(3)) call(SYS_openat, mount, one_in(2) ? "a" : ".", O_CREAT | O_RDWR, 0600, 0, 0); // detached
    if (one_in(2)) call(SYS_mount_setattr, mount, "", AT_EMPTY_PATH | (one_in(2) ? 0x8000 : 0), structure(MOUNT_ATTRIBUTES), 32,
        0);
    call(SYS_move_mount, mount, "", AT_FDCWD, one_in(4) ? random_path() : "d", 4 | (one_in(8) ? 0x200 : 0), 0);
    if (one_in(4)) call(SYS_mount, one_in(2) ? "d" : ".", "d", 0, 0x1000 | (one_in(4) ? 0x20 : 0), 0, 0);
    if (one_in(4)) call(SYS_mount, 0, one_in(2) ? "d" : "/", 0, 1ull << (17 + random_below(4)) | (one_in(2) ? 0x4000 : 0), 0, 0);
    if (one_in(2)) close(context);
    if (one_in(2)) close(mount);
    uint64_t *list = place_for(64 * 8);
    memset(request, 0, 40), request[0] = 24, request[1] = UINT64_MAX;
    long count = call(458, request, list, 64, random_below(2), 0, 0);
    for (long index = 0; index < count && index < 64; index++) remember(MOUNT_POOL, list[index]);
    for (int times = 0; times < 4 && count > 0; times++) {
        request[1] = one_in(4) ? recall(MOUNT_POOL) : list[random_below((uint64_t)count)], request[2] = one_in(2)
            ? 0x3f : random_below(0x2000);
        call(457, request, place_for(2048), one_in(2) ? 2048 : random_below(700), 0, 0, 0);
    }
    for (int times = 0; times < 3; times++) random_call();
    if (one_in(2)) call(SYS_umount2, "d", random_below(16), 0, 0, 0, 0);
}

/// Asynchronous requests, their context perhaps gone before they are done.
void use_contexts(void) {
    uint64_t *context = place_for(8);
    *context = one_in(16);
    if (call(SYS_io_setup, 1 + random_below(one_in(8) ? 70000 : 32), context, 0, 0, 0, 0) != 0) return;
    uint64_t id = *context;
    for (unsigned count = 1 + (unsigned)random_below(4); count > 0; count--) {
        struct iocb **list = kernel_structure(BLOCKS);
        call(SYS_io_submit, id, 1 + random_below(8), list, 0, 0, 0);
        if (one_in(3)) call(SYS_io_cancel, id, list[random_below(8)], structure(OUT), 0, 0, 0);
        if (one_in(2)) call(SYS_io_getevents, id, random_below(3), 1 + random_below(8), structure(OUT), structure(TIME), 0);
        if (one_in(6)) call(SYS_munmap, id, 4096, 0, 0, 0, 0); // the ring
        if (one_in(8)) call(SYS_mremap, id, 4096, 8192, 1, 0, 0);
    }
    if (one_in(2)) call(SYS_io_destroy, id, 0, 0, 0, 0, 0);
}

void use_keys(void) {
    if (one_in(2)) call(SYS_keyctl, 1, one_in(2) ? 0 : structure(DESCRIPTION), 0, 0, 0, 0);
    long ring = call(SYS_add_key, "keyring", structure(DESCRIPTION), 0, 0, -(int64_t)(1 + random_below(4)), 0), key = 0;
    for (unsigned count = 1 + (unsigned)random_below(6); count > 0; count--) {
        key = call(SYS_add_key, one_in(4) ? "logon" : "user", structure(DESCRIPTION), place_for(64), 1 + random_below(one_in(8)
            ? 33000 : 64), ring, 0);
        if (one_in(2)) call(SYS_keyctl, 8, ring, one_in(2) ? ring : key, 0, 0, 0);
                                         // link, perhaps to itself
        if (one_in(2)) call(SYS_keyctl, one_in(2) ? 11 : 6, one_in(2) ? ring : key, place_for(512), random_below(512), 0, 0);
            // read, describe
        if (one_in(3)) call(SYS_keyctl, 5, key, random_next() & 0x3f3f3f3f, 0, 0, 0);
        if (one_in(3)) call(SYS_keyctl, 15, key, random_below(3), 0, 0, 0);
        if (one_in(4)) call(SYS_keyctl, one_in(2) ? 3 : 21, key, 0, 0, 0, 0); // revoke, invalidate
        if (one_in(4)) call(SYS_keyctl, 30, key, ring, one_in(2) ? ring : -(int64_t)(1 + random_below(4)), random_below(2), 0);
    }
    if (one_in(4)) call(SYS_keyctl, 18, 0, 0, 0, 0, 0); // to the parent
    if (one_in(2)) call(SYS_keyctl, 7, ring, 0, 0, 0, 0);
}

void use_process_files(void) {
    int child;
    if (fork_briefly(&child)) {
        if (one_in(2)) pause();
        finish_child(10);
    }
    if (child <= 0) return;
    int file = (int)call(SYS_pidfd_open, child, one_in(4) ? 04000 : 0, 0, 0, 0, 0);
    for (unsigned count = (unsigned)random_below(6); count > 0; count--) {
        switch (random_below(8)) {
        case 0: call(SYS_pidfd_send_signal, file, random_below(66), one_in(2) ? 0 : structure(SIGNAL_INFO), one_in(4)
            ? random_below(8) : 0, 0, 0); break;
        case 1: call(SYS_pidfd_getfd, file, random_below(40), 0, 0, 0, 0); break;
        case 2: call(SYS_process_madvise, file, structure(VECTOR), random_below(8), one_in(2) ? 20 : 21, 0, 0); break;
        case 3: call(SYS_waitid, 3, file, structure(OUT), 1 | random_below(16), 0, 0); break;
        case 4: call(SYS_setns, file, one_in(2) ? 0x02000000 : random_next() & 0x7e020000, 0, 0, 0, 0); break;
        case 5: call(SYS_ioctl, file, 0xff01 + random_below(12), structure(IN), 0, 0, 0); break;
        case 6: call(SYS_kcmp, getpid(), child, random_below(9), 3, 3, 0); break;
        default: call(SYS_process_vm_readv, child, structure(VECTOR), 4, structure(VECTOR), 4, 0); break;
        }
    }
    if (one_in(2)) call(SYS_pidfd_send_signal, file, SIGKILL, 0, 0, 0, 0), call(448, file, 0, 0, 0, 0, 0); // process_mrelease
    if (one_in(2)) close(file);
    end_child(child);
}

void use_handles(void) {
    struct file_handle *handle = place_for(sizeof *handle + 128);
    int *mount = place_for(4);
    handle->handle_bytes = 128, handle->handle_type = 0;
    call(SYS_name_to_handle_at, AT_FDCWD, one_in(4) ? random_path() : one_in(2) ? "a" : "/dev/shm", handle, mount, one_in(2)
        ? 0x1000 : 0, 0);
    if (one_in(3)) unlink("a");
    for (int count = 0; count < 3; count++) {
        if (one_in(2)) handle->f_handle[random_below(32)] ^= (unsigned char)(1 << random_below(8));
        if (one_in(6)) handle->handle_bytes = (unsigned)random_below(130), handle->handle_type = (int)random_below(8);
        call(SYS_open_by_handle_at, AT_FDCWD, handle, one_in(2) ? O_RDONLY : O_RDWR | O_PATH, 0, 0, 0);
    }
}

void use_queues(void) {
    int queue = (int)call(SYS_mq_open, one_in(2) ? "a" : "b", O_RDWR | O_CREAT, 0600, one_in(2) ? 0 : structure(QUEUE), 0, 0);
    long messages = call(SYS_msgget, random_below(3), 01600, 0, 0, 0, 0), semaphores = call(SYS_semget, random_below(3),
        1 + random_below(4), 01600, 0, 0, 0);
    for (unsigned count = (unsigned)random_below(8); count > 0; count--) {
        switch (random_below(8)) {
        case 0: call(SYS_mq_timedsend, queue, place_for(4096), random_below(300), random_below(40000), structure(TIME), 0); break;
        case 1: call(SYS_mq_timedreceive, queue, place_for(9000), 8192, structure(INT_POINTER), structure(TIME), 0); break;
        case 2: call(SYS_mq_notify, queue, one_in(4) ? 0 : structure(SIGNAL_EVENT), 0, 0, 0, 0); break;
        case 3: call(SYS_msgsnd, messages, structure(TYPED), random_below(9000), 04000, 0, 0); break;
        case 4: call(SYS_msgrcv, messages, place_for(9000), random_below(9000), random_below(5) - 2,
            04000 | random_below(8) << 12, 0); break;
        case 5: call(SYS_semtimedop, semaphores, structure(OPERATIONS), 1 + random_below(4), structure(TIME), 0, 0); break;
        case 6: call(SYS_semctl, semaphores, random_below(5), random_below(20), one_in(2)
            ? structure(IN) : (void *)random_below(40000), 0, 0); break;
        default: call(SYS_msgctl, messages, random_below(4), structure(IN), 0, 0, 0); break;
        }
    }
    if (one_in(2)) call(SYS_mq_unlink, one_in(2) ? "a" : "b", 0, 0, 0, 0, 0);
    if (one_in(2)) call(SYS_msgctl, messages, 0, 0, 0, 0, 0), call(SYS_semctl, semaphores, 0, 0, 0, 0, 0);
    if (one_in(2)) close(queue);
}

void use_network(void) {
    int file = socket(AF_NETLINK, SOCK_RAW | (one_in(2) ? SOCK_NONBLOCK : 0), one_in(3) ? 4 : 0);
    for (unsigned count = 1 + (unsigned)random_below(4); count > 0; count--) {
        char *message = structure(NETLINK);
        call(SYS_sendto, file, message, one_in(4) ? random_below(256) : *(uint32_t *)message & 255, MSG_DONTWAIT, 0, 0);
        if (one_in(2)) call(SYS_recvmsg, file, structure(MESSAGE), MSG_DONTWAIT | random_below(64), 0, 0, 0);
        else call(SYS_recvfrom, file, place_for(8192), random_below(8192), MSG_DONTWAIT | random_below(64), 0, 0);
    }
    if (one_in(2)) close(file);
}
