// System V shared memory, semaphores and message queues.
#include "conformance.h"
#include <signal.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <time.h>

struct message {
    long type;
    char text[64];
};
static void nap(long ms) {
    struct timespec t = {ms / 1000, ms % 1000 * 1000000};
    while (nanosleep(&t, &t)) {
    }
}
static int change(int set, int number, int by, int flags) {
    struct sembuf operation = {number, by, flags};
    return semop(set, &operation, 1);
}
static void on_signal(int n) { (void)n; }

int main(void) {
    key_t key = 0x5c0000 + getpid();
    COVERS(shmget, shmctl);
    CASE(segment_keys) {
        CHECK_ERRNO(shmget(key, 4096, 0600), ENOENT);
        int id = shmget(key, 5000, IPC_CREAT | IPC_EXCL | 0600);
        CHECK(id >= 0);
        CHECK_EQ(shmget(key, 5000, 0), id);
        CHECK_ERRNO(shmget(key, 5000, IPC_CREAT | IPC_EXCL | 0600), EEXIST);
        CHECK_ERRNO(shmget(key, 6000, 0), EINVAL);
        CHECK_ERRNO(shmget(IPC_PRIVATE, 0, 0600), EINVAL);
        struct shmid_ds data;
        CHECK_EQ(shmctl(id, IPC_STAT, &data), 0);
        CHECK_EQ(data.shm_segsz, 5000);
        CHECK_EQ(data.shm_nattch, 0);
        CHECK_EQ(data.shm_perm.mode, 0600);
        CHECK_EQ(data.shm_cpid, getpid());
        CHECK_EQ(shmctl(id, IPC_RMID, NULL), 0);
        CHECK_ERRNO(shmget(key, 5000, 0), ENOENT);
        CHECK_ERRNO(shmctl(id, IPC_STAT, &data), EINVAL);
    }
    COVERS(shmat, shmdt, shmctl);
    CASE(segment_sharing) {
        int id = shmget(IPC_PRIVATE, 8192, 0600);
        volatile int *p = shmat(id, NULL, 0);
        CHECK((void *)p != (void *)-1);
        CHECK_EQ(p[0], 0);
        volatile int *q = shmat(id, NULL, SHM_RDONLY);
        CHECK(q != p);
        struct shmid_ds data;
        shmctl(id, IPC_STAT, &data);
        CHECK_EQ(data.shm_nattch, 2);
        pid_t child = fork();
        if (child == 0) {
            shmctl(id, IPC_STAT, &data);
            p[1] = data.shm_nattch;
            p[0] = 77;
            _exit(0);
        }
        int status = -1;
        waitpid(child, &status, 0);
        CHECK_EQ(status, 0);
        CHECK_EQ(q[0], 77);
        CHECK_EQ(p[1], 4);
        shmctl(id, IPC_STAT, &data);
        CHECK_EQ(data.shm_nattch, 2);
        CHECK_EQ(shmctl(id, IPC_RMID, NULL), 0);
        // Marked, but alive while attached.
        CHECK_EQ(shmctl(id, IPC_STAT, &data), 0);
        CHECK(data.shm_perm.mode & SHM_DEST);
        CHECK_EQ(shmdt((void *)q), 0);
        CHECK_ERRNO(shmdt((void *)q), EINVAL);
        CHECK_EQ(p[0], 77);
        CHECK_EQ(shmdt((void *)p), 0);
        CHECK_ERRNO(shmctl(id, IPC_STAT, &data), EINVAL);
    }
    CASE(segment_places) {
        int id = shmget(IPC_PRIVATE, 4096, 0600);
        char *p = shmat(id, NULL, 0);
        CHECK_ERRNO((long)shmat(id, p, 0), EINVAL);
        CHECK_ERRNO((long)shmat(id, p + 1, 0), EINVAL);
        CHECK(shmat(id, p + 1, SHM_RND | SHM_REMAP) == p);
        CHECK_ERRNO((long)shmat(id, NULL, SHM_REMAP), EINVAL);
        CHECK_ERRNO((long)shmat(-1, NULL, 0), EINVAL);
        CHECK_EQ(shmdt(p), 0);
        CHECK_ERRNO(shmdt(p + 1), EINVAL);
        CHECK_EQ(shmctl(id, IPC_RMID, NULL), 0);
    }
    COVERS(semget, semctl, semop);
    CASE(semaphore_values) {
        CHECK_ERRNO(semget(key, 3, 0600), ENOENT);
        CHECK_ERRNO(semget(IPC_PRIVATE, 0, 0600), EINVAL);
        CHECK_ERRNO(semget(IPC_PRIVATE, -1, 0600), EINVAL);
        int id = semget(key, 3, IPC_CREAT | 0600);
        CHECK(id >= 0);
        CHECK_EQ(semget(key, 0, 0), id);
        CHECK_ERRNO(semget(key, 4, 0), EINVAL);
        CHECK_EQ(semctl(id, 1, SETVAL, 5), 0);
        CHECK_ERRNO(semctl(id, 1, SETVAL, 40000), ERANGE);
        CHECK_ERRNO(semctl(id, 3, GETVAL), EINVAL);
        CHECK_EQ(semctl(id, 1, GETVAL), 5);
        CHECK_EQ(change(id, 1, -2, 0), 0);
        CHECK_EQ(semctl(id, 1, GETVAL), 3);
        CHECK_EQ(semctl(id, 1, GETPID), getpid());
        CHECK_ERRNO(change(id, 1, -4, IPC_NOWAIT), EAGAIN);
        CHECK_ERRNO(change(id, 1, 0, IPC_NOWAIT), EAGAIN);
        CHECK_ERRNO(change(id, 1, 32767, 0), ERANGE);
        CHECK_ERRNO(change(id, 3, 1, 0), EFBIG);
        // All or nothing.
        struct sembuf pair[2] = {{0, 1, 0}, {1, -9, IPC_NOWAIT}};
        CHECK_ERRNO(semop(id, pair, 2), EAGAIN);
        CHECK_EQ(semctl(id, 0, GETVAL), 0);
        unsigned short values[3] = {1, 2, 3}, seen[3];
        CHECK_EQ(semctl(id, 0, SETALL, values), 0);
        CHECK_EQ(semctl(id, 0, GETALL, seen), 0);
        CHECK(!memcmp(values, seen, sizeof seen));
        CHECK_ERRNO(semop(id, pair, 0), EINVAL);
        CHECK_ERRNO(semop(id, pair, 501), E2BIG);
        CHECK_ERRNO(semop(id, BAD_POINTER, 1), EFAULT);
        struct timespec t = {0, 10000000};
        struct sembuf operation = {0, -5, 0};
        CHECK_ERRNO(semtimedop(id, &operation, 1, &t), EAGAIN);
        CHECK_EQ(semctl(id, 0, IPC_RMID), 0);
        CHECK_ERRNO(semctl(id, 0, GETVAL), EINVAL);
    }
    COVERS(semop, semtimedop);
    CASE(semaphores_block_and_wake) {
        int id = semget(IPC_PRIVATE, 2, 0600);
        pid_t child = fork();
        if (child == 0) _exit(change(id, 0, -1, 0) == 0 && change(id, 1, 1, 0) == 0 ? 0 : 1);
        for (int i = 0; i < 100 && semctl(id, 0, GETNCNT) == 0; i++) nap(10);
        CHECK_EQ(semctl(id, 0, GETNCNT), 1);
        CHECK_EQ(change(id, 0, 1, 0), 0);
        CHECK_EQ(change(id, 1, -1, 0), 0);
        int status = -1;
        waitpid(child, &status, 0);
        CHECK_EQ(status, 0);
        child = fork();
        if (child == 0) _exit(change(id, 0, -1, 0) == -1 && errno == EIDRM ? 0 : 1);
        nap(30);
        CHECK_EQ(semctl(id, 0, IPC_RMID), 0);
        waitpid(child, &status, 0);
        CHECK_EQ(status, 0);
    }
    COVERS(semop);
    CASE(semaphores_undo_at_exit) {
        int id = semget(IPC_PRIVATE, 1, 0600);
        semctl(id, 0, SETVAL, 3);
        pid_t child = fork();
        if (child == 0) {
            change(id, 0, -2, SEM_UNDO);
            _exit(semctl(id, 0, GETVAL));
        }
        int status = -1;
        waitpid(child, &status, 0);
        CHECK_EQ(WEXITSTATUS(status), 1);
        CHECK_EQ(semctl(id, 0, GETVAL), 3);
        struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
        sigaction(SIGALRM, &action, NULL);
        alarm(1);
        CHECK_ERRNO(change(id, 0, -9, 0), EINTR);
        semctl(id, 0, IPC_RMID);
    }
    COVERS(msgget, msgsnd, msgrcv, msgctl);
    CASE(messages) {
        int id = msgget(IPC_PRIVATE, 0600);
        CHECK(id >= 0);
        struct message m = {3, "three"}, r;
        CHECK_EQ(msgsnd(id, &m, 6, 0), 0);
        m = (struct message){1, "one"};
        CHECK_EQ(msgsnd(id, &m, 4, 0), 0);
        m = (struct message){2, "two"};
        CHECK_EQ(msgsnd(id, &m, 4, 0), 0);
        m.type = 0;
        CHECK_ERRNO(msgsnd(id, &m, 4, 0), EINVAL);
        m.type = 1;
        CHECK_ERRNO(msgsnd(id, &m, 9000, 0), EINVAL);
        CHECK_EQ(msgrcv(id, &r, sizeof r.text, -2, 0), 4);
        CHECK_EQ(r.type, 1);
        CHECK_ERRNO(msgrcv(id, &r, 2, 3, 0), E2BIG);
        CHECK_EQ(msgrcv(id, &r, 2, 3, MSG_NOERROR), 2);
        CHECK(r.type == 3 && !memcmp(r.text, "th", 2));
        CHECK_ERRNO(msgrcv(id, &r, sizeof r.text, 2, MSG_EXCEPT | IPC_NOWAIT), ENOMSG);
        CHECK_EQ(msgrcv(id, &r, sizeof r.text, 0, 0), 4);
        struct msqid_ds data;
        CHECK_EQ(msgctl(id, IPC_STAT, &data), 0);
        CHECK_EQ(data.msg_qnum, 0);
        CHECK_EQ(data.msg_lspid, getpid());
        // Full: the sender waits for room.
        char *large = calloc(1, 8200);
        *(long *)large = 1;
        CHECK_EQ(msgsnd(id, large, 8192, 0), 0);
        CHECK_EQ(msgsnd(id, large, 8192, 0), 0);
        CHECK_ERRNO(msgsnd(id, large, 1, IPC_NOWAIT), EAGAIN);
        pid_t child = fork();
        if (child == 0) _exit(msgsnd(id, large, 1, 0) == 0 ? 0 : 1);
        nap(30);
        CHECK_EQ(msgrcv(id, large, 8192, 0, 0), 8192);
        int status = -1;
        waitpid(child, &status, 0);
        CHECK_EQ(status, 0);
        CHECK_EQ(msgctl(id, IPC_RMID, NULL), 0);
        CHECK_ERRNO(msgrcv(id, &r, sizeof r.text, 0, 0), EINVAL);
    }
    return conformance_end();
}
