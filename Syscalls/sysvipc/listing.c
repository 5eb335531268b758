// /proc/sysvipc: what ipcs(1) reads.
#include "conformance.h"
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>

/// The line of `id` in a table, and the heading.
static int find(const char *table, int id, char *line, char *head) {
    char path[64];
    snprintf(path, sizeof path, "/proc/sysvipc/%s", table);
    FILE *file = fopen(path, "r");
    if (!file) return 0;
    int found = 0, key, seen;
    fgets(head, 256, file);
    while (!found && fgets(line, 256, file)) found = sscanf(line, "%d %d", &key, &seen) == 2 && seen == id;
    fclose(file);
    return found;
}

int main(void) {
    char line[256], head[256], wanted[256];
    conformance_enter();
    COVERS(shmget, shmctl);
    CASE(listing_of_segments) {
        int id = shmget(IPC_PRIVATE, 8192, IPC_CREAT | 0640);
        CHECK(find("shm", id, line, head));
        OBSERVE("%s", head);
        snprintf(wanted, sizeof wanted, "%10d %10d  %4o %21lu %5u %5u  %5lu %5u %5u %5u %5u ", 0, id, 0640, 8192ul, getpid(), 0, 0ul, geteuid(), getegid(),
                 geteuid(), getegid());
        CHECK(!strncmp(line, wanted, strlen(wanted)));
        CHECK_EQ(strlen(line), strlen(head));
        shmctl(id, IPC_RMID, NULL);
        CHECK(!find("shm", id, line, head));
    }
    COVERS(semget, semctl);
    CASE(listing_of_semaphores) {
        int id = semget(IPC_PRIVATE, 3, IPC_CREAT | 0600);
        CHECK(find("sem", id, line, head));
        OBSERVE("%s", head);
        snprintf(wanted, sizeof wanted, "%10d %10d  %4o %10u %5u %5u %5u %5u %10d ", 0, id, 0600, 3, geteuid(), getegid(), geteuid(), getegid(), 0);
        CHECK(!strncmp(line, wanted, strlen(wanted)));
        semctl(id, 0, IPC_RMID);
    }
    COVERS(msgget, msgsnd, msgctl);
    CASE(listing_of_queues) {
        int id = msgget(IPC_PRIVATE, IPC_CREAT | 0604);
        struct { long type; char text[5]; } message = {1, "four"};
        msgsnd(id, &message, 5, 0);
        CHECK(find("msg", id, line, head));
        OBSERVE("%s", head);
        snprintf(wanted, sizeof wanted, "%10d %10d  %4o  %10lu %10lu %5u %5u %5u %5u %5u %5u ", 0, id, 0604, 5ul, 1ul, getpid(), 0, geteuid(), getegid(),
                 geteuid(), getegid());
        CHECK(!strncmp(line, wanted, strlen(wanted)));
        msgctl(id, IPC_RMID, NULL);
    }
    return conformance_end();
}
