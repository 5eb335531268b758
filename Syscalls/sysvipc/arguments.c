// System V shared memory, semaphores, message queues: arguments, permissions, limits, blocking, removal under waiters.
#include "conformance.h"
#include <signal.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>

struct message {
    long type;
    char text[256];
};
union semun {
    int val;
    struct semid_ds *buf;
    unsigned short *array;
};
static long raw_semop(int id, void *operations, size_t n, void *limit) { return syscall(SYS_semtimedop, id, operations, n, limit); }
static long attach(int id, void *at, int flags) { return (long)shmat(id, at, flags); }
static int gone_after(int id, int kind, int ms) {
    pid_t child = fork();
    if (child == 0) {
        conformance_nap(ms);
        if (kind == 0) semctl(id, 0, IPC_RMID);
        if (kind == 1) msgctl(id, IPC_RMID, NULL);
        _exit(0);
    }
    return child;
}

int main(void) {
    struct message m = {.type = 1};
    COVERS(shmget, shmat, shmdt, shmctl);
    CASE(segment_sizes) {
        CHECK_ERRNO(shmget(IPC_PRIVATE, 0, 0600), EINVAL);
        CHECK_ERRNO2(shmget(IPC_PRIVATE, -1UL, 0600), EINVAL, ENOSPC);
        int id = shmget(IPC_PRIVATE, 1, 0600);
        char *p = shmat(id, NULL, 0);
        p[4095] = 1;
        shmdt(p);
        shmctl(id, IPC_RMID, NULL);
    }
    COVERS(shmget, shmdt, shmctl);
    CASE(attachment_addresses) {
        int id = shmget(IPC_PRIVATE, 4096, 0600);
        char *hole = mmap(NULL, 8192, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        munmap(hole, 8192);
        CHECK_ERRNO(attach(id, hole + 1, 0), EINVAL);
        CHECK_EQ(attach(id, hole + 1, SHM_RND), (long)hole);
        CHECK_ERRNO(attach(id, hole, 0), EINVAL);
        CHECK_EQ(attach(id, hole, SHM_REMAP), (long)hole);
        CHECK_ERRNO(attach(id, NULL, SHM_REMAP), EINVAL);
        CHECK_ERRNO(shmdt(hole + 1), EINVAL);
        CHECK_EQ(shmdt(hole), 0);
        CHECK_ERRNO(shmdt(hole), EINVAL);
        shmctl(id, IPC_RMID, NULL);
        CHECK_ERRNO(attach(id, NULL, 0), EINVAL);
        CHECK_ERRNO(attach(-1, NULL, 0), EINVAL);
    }
    COVERS(shmget, shmat, shmctl, shmdt);
    CASE(removed_segment_lives_while_attached) {
        int id = shmget(IPC_PRIVATE, 4096, 0600);
        char *p = shmat(id, NULL, 0);
        shmctl(id, IPC_RMID, NULL);
        struct shmid_ds d;
        CHECK_EQ(shmctl(id, IPC_STAT, &d), 0);
        CHECK(d.shm_perm.mode & 01000);
        p[0] = 'x';
        shmdt(p);
        CHECK_ERRNO(shmctl(id, IPC_STAT, &d), EINVAL);
    }
    COVERS(shmget, shmctl);
    CASE(segment_permissions) {
        int id = shmget(IPC_PRIVATE, 4096, 0400);
        AS_USER({
            struct shmid_ds d;
            if (geteuid() == 1000 && getuid() == 1000) {
                long r = attach(id, NULL, 0);
                CHECK(r == -1 && errno == EACCES);
            }
            (void)d;
        });
        shmctl(id, IPC_RMID, NULL);
    }
    CASE(segment_control_errors) {
        int id = shmget(IPC_PRIVATE, 4096, 0600);
        CHECK_ERRNO(shmctl(id, IPC_STAT, BAD_POINTER), EFAULT);
        CHECK_ERRNO(shmctl(id, IPC_SET, BAD_POINTER), EFAULT);
        CHECK_ERRNO(shmctl(id, 999, NULL), EINVAL);
        CHECK_ERRNO(shmctl(id, -1, NULL), EINVAL);
        CHECK_ERRNO(shmctl(-1, IPC_RMID, NULL), EINVAL);
        if (geteuid() == 0) AS_USER({
            struct shmid_ds d;
            CHECK_ERRNO(shmctl(id, IPC_STAT, &d), EACCES);
            CHECK_ERRNO(shmctl(id, IPC_RMID, NULL), EPERM);
            memset(&d, 0, sizeof d);
            CHECK_ERRNO(shmctl(id, IPC_SET, &d), EPERM);
            CHECK_ERRNO(shmctl(id, SHM_LOCK, NULL), EPERM);
        });
        CHECK_EQ(shmctl(id, IPC_RMID, NULL), 0);
    }
    COVERS(shmget);
    CASE(huge_segments_without_a_pool) CHECK_ERRNO2(shmget(IPC_PRIVATE, 2 << 20, SHM_HUGETLB | 0600), ENOMEM, EPERM);
    COVERS(semget);
    CASE(semaphore_counts) {
        CHECK_ERRNO(semget(IPC_PRIVATE, 0, 0600), EINVAL);
        CHECK_ERRNO(semget(IPC_PRIVATE, -1, 0600), EINVAL);
        CHECK_ERRNO(semget(IPC_PRIVATE, 32001, 0600), EINVAL);
        CHECK_ERRNO(semget(0x5eeeeeee, 1, 0600), ENOENT);
    }
    COVERS(semget, semctl);
    CASE(operation_arguments) {
        int id = semget(IPC_PRIVATE, 2, 0600);
        struct sembuf o[2] = {{0, 1, 0}, {5, 1, 0}};
        CHECK_ERRNO(raw_semop(id, o, 0, NULL), EINVAL);
        CHECK_ERRNO(raw_semop(id, o, 501, NULL), E2BIG);
        CHECK_ERRNO(raw_semop(id, o, 2, NULL), EFBIG);
        CHECK_ERRNO(raw_semop(id, BAD_POINTER, 1, NULL), EFAULT);
        CHECK_ERRNO(raw_semop(-1, o, 1, NULL), EINVAL);
        CHECK_ERRNO(raw_semop(id, o, 1, BAD_POINTER), EFAULT);
        struct timespec bad = {0, 1000000000};
        CHECK_ERRNO(raw_semop(id, o, 1, &bad), EINVAL);
        o[0].sem_op = 32767;
        CHECK_EQ(raw_semop(id, o, 1, NULL), 0);
        o[0].sem_op = 1;
        CHECK_ERRNO(raw_semop(id, o, 1, NULL), ERANGE);
        semctl(id, 0, IPC_RMID);
        CHECK_ERRNO2(raw_semop(id, o, 1, NULL), EINVAL, EIDRM);
    }
    CASE(operations_are_all_or_nothing) {
        int id = semget(IPC_PRIVATE, 2, 0600);
        struct sembuf o[2] = {{0, 3, 0}, {1, -1, IPC_NOWAIT}};
        CHECK_ERRNO(raw_semop(id, o, 2, NULL), EAGAIN);
        CHECK_EQ(semctl(id, 0, GETVAL), 0);
        struct sembuf zero = {0, 0, 0};
        CHECK_EQ(raw_semop(id, &zero, 1, NULL), 0);
        struct timespec soon = {0, 30000000};
        struct sembuf down = {1, -1, 0};
        CHECK_ERRNO(raw_semop(id, &down, 1, &soon), EAGAIN);
        semctl(id, 0, IPC_RMID);
    }
    CASE(control_values) {
        int id = semget(IPC_PRIVATE, 3, 0600);
        unsigned short all[3] = {1, 2, 3};
        union semun u = {.array = all};
        CHECK_EQ(semctl(id, 0, SETALL, u), 0);
        CHECK_EQ(semctl(id, 1, GETVAL), 2);
        CHECK_EQ(semctl(id, 1, GETPID), getpid());
        CHECK_EQ(semctl(id, 1, GETNCNT), 0);
        CHECK_EQ(semctl(id, 1, GETZCNT), 0);
        u.val = 32768;
        CHECK_ERRNO(semctl(id, 0, SETVAL, u), ERANGE);
        u.val = -1;
        CHECK_ERRNO(semctl(id, 0, SETVAL, u), ERANGE);
        CHECK_ERRNO(semctl(id, 3, GETVAL), EINVAL);
        CHECK_ERRNO(semctl(id, -1, GETVAL), EINVAL);
        CHECK_ERRNO(semctl(id, 0, 999), EINVAL);
        all[2] = 40000;
        u.array = all;
        CHECK_ERRNO(semctl(id, 0, SETALL, u), ERANGE);
        u.array = BAD_POINTER;
        CHECK_ERRNO(semctl(id, 0, SETALL, u), EFAULT);
        CHECK_ERRNO(semctl(id, 0, GETALL, u), EFAULT);
        u.buf = BAD_POINTER;
        CHECK_ERRNO(semctl(id, 0, IPC_STAT, u), EFAULT);
        struct semid_ds d;
        u.buf = &d;
        CHECK_EQ(semctl(id, 0, IPC_STAT, u), 0);
        CHECK_EQ(d.sem_nsems, 3);
        semctl(id, 0, IPC_RMID);
    }
    CASE(semaphore_permissions) {
        int id = semget(IPC_PRIVATE, 1, 0600);
        if (geteuid() == 0) AS_USER({
            struct sembuf up = {0, 1, 0};
            CHECK_ERRNO(semctl(id, 0, GETVAL), EACCES);
            CHECK_ERRNO(raw_semop(id, &up, 1, NULL), EACCES);
            CHECK_ERRNO(semctl(id, 0, IPC_RMID), EPERM);
        });
        semctl(id, 0, IPC_RMID);
    }
    COVERS(semget, semctl, msgctl);
    CASE(removal_wakes_semaphore_waiters) {
        int id = semget(IPC_PRIVATE, 1, 0600);
        struct sembuf down = {0, -1, 0};
        pid_t child = gone_after(id, 0, 30);
        CHECK_ERRNO(raw_semop(id, &down, 1, NULL), EIDRM);
        waitpid(child, NULL, 0);
    }
    COVERS(msgget, msgsnd, msgrcv, msgctl);
    CASE(message_arguments) {
        int id = msgget(IPC_PRIVATE, 0600);
        CHECK_ERRNO(msgsnd(id, &m, 8193, IPC_NOWAIT), EINVAL);
        CHECK_ERRNO(msgsnd(id, &m, -1, IPC_NOWAIT), EINVAL);
        m.type = 0;
        CHECK_ERRNO(msgsnd(id, &m, 1, IPC_NOWAIT), EINVAL);
        m.type = -1;
        CHECK_ERRNO(msgsnd(id, &m, 1, IPC_NOWAIT), EINVAL);
        m.type = 1;
        CHECK_ERRNO(msgsnd(id, BAD_POINTER, 1, IPC_NOWAIT), EFAULT);
        CHECK_ERRNO(msgsnd(-1, &m, 1, IPC_NOWAIT), EINVAL);
        CHECK_EQ(msgsnd(id, &m, 0, IPC_NOWAIT), 0);
        CHECK_EQ(msgrcv(id, &m, sizeof m.text, 0, IPC_NOWAIT), 0);
        CHECK_ERRNO(msgrcv(id, &m, sizeof m.text, 0, IPC_NOWAIT), ENOMSG);
        CHECK_ERRNO(msgrcv(id, &m, -1, 0, IPC_NOWAIT), EINVAL);
        CHECK_ERRNO(msgctl(id, 999, NULL), EINVAL);
        CHECK_ERRNO(msgctl(id, IPC_STAT, BAD_POINTER), EFAULT);
        msgctl(id, IPC_RMID, NULL);
        CHECK_ERRNO2(msgsnd(id, &m, 1, IPC_NOWAIT), EINVAL, EIDRM);
    }
    CASE(message_selection) {
        int id = msgget(IPC_PRIVATE, 0600);
        static const int types[] = {5, 3, 9, 3};
        for (int i = 0; i < 4; i++) {
            m.type = types[i];
            m.text[0] = 'a' + i;
            msgsnd(id, &m, 1, 0);
        }
        CHECK_EQ(msgrcv(id, &m, 8, 3, 0), 1);
        CHECK_EQ(m.text[0], 'b');
        CHECK_EQ(msgrcv(id, &m, 8, -4, 0), 1);
        CHECK_EQ(m.text[0], 'd');
        CHECK_EQ(msgrcv(id, &m, 8, 5, MSG_EXCEPT), 1);
        CHECK_EQ(m.text[0], 'c');
        CHECK_ERRNO(msgrcv(id, &m, 8, 7, IPC_NOWAIT), ENOMSG);
        msgctl(id, IPC_RMID, NULL);
    }
    CASE(messages_that_are_too_long) {
        int id = msgget(IPC_PRIVATE, 0600);
        msgsnd(id, &m, 100, 0);
        CHECK_ERRNO(msgrcv(id, &m, 50, 0, IPC_NOWAIT), E2BIG);
        CHECK_EQ(msgrcv(id, &m, 50, 0, IPC_NOWAIT | MSG_NOERROR), 50);
        CHECK_ERRNO(msgrcv(id, &m, 50, 0, IPC_NOWAIT), ENOMSG);
        msgctl(id, IPC_RMID, NULL);
    }
    COVERS(msgget, msgctl, msgsnd, semctl);
    CASE(full_queues) {
        int id = msgget(IPC_PRIVATE, 0600);
        struct msqid_ds d;
        msgctl(id, IPC_STAT, &d);
        d.msg_qbytes = 100;
        CHECK_EQ(msgctl(id, IPC_SET, &d), 0);
        CHECK_EQ(msgsnd(id, &m, 90, IPC_NOWAIT), 0);
        CHECK_ERRNO(msgsnd(id, &m, 20, IPC_NOWAIT), EAGAIN);
        msgctl(id, IPC_STAT, &d);
        CHECK(d.msg_cbytes == 90 && d.msg_qnum == 1 && d.msg_lspid == getpid());
        AS_USER({
            d.msg_qbytes = 1 << 24;
            CHECK_ERRNO(msgctl(id, IPC_SET, &d), EPERM);
        });
        pid_t child = gone_after(id, 1, 30);
        CHECK_ERRNO(msgsnd(id, &m, 20, 0), EIDRM);
        waitpid(child, NULL, 0);
    }
    COVERS(msgget, msgrcv, semctl, msgctl);
    CASE(removal_wakes_receivers) {
        int id = msgget(IPC_PRIVATE, 0600);
        pid_t child = gone_after(id, 1, 30);
        CHECK_ERRNO(msgrcv(id, &m, 20, 0, 0), EIDRM);
        waitpid(child, NULL, 0);
    }
    COVERS(msgget, msgctl);
    CASE(keys) {
        key_t key = 0x6c000000 + getpid();
        int id = msgget(key, IPC_CREAT | 0600);
        CHECK_EQ(msgget(key, 0), id);
        CHECK_ERRNO(msgget(key, IPC_CREAT | IPC_EXCL | 0600), EEXIST);
        if (geteuid() == 0) AS_USER({
            CHECK_ERRNO(msgget(key, 0600), EACCES);
            CHECK_EQ(msgget(key, 0), id);
        });
        msgctl(id, IPC_RMID, NULL);
        CHECK_ERRNO(msgget(key, 0), ENOENT);
    }
    return conformance_end();
}
