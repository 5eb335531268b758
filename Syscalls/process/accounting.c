// acct(2): what is written of processes that end. Only the root user may.
#include "conformance.h"
#include <sys/acct.h>

int main(void) {
    conformance_enter();
    COVERS(acct);
    CASE(acct_needs_privilege) AS_USER({
        CHECK_ERRNO(acct("/dev/null"), EPERM);
        CHECK_ERRNO(acct(NULL), EPERM);
    });
    CASE(acct_arguments) if (geteuid() == 0) {
        mkdir("directory", 0755);
        CHECK_ERRNO(acct("absent"), ENOENT);
        CHECK_ERRNO(acct("directory"), EISDIR);
        CHECK_ERRNO(acct("/dev/null"), EACCES);
        CHECK_ERRNO(acct(BAD_POINTER), EFAULT);
        CHECK_EQ(acct(NULL), 0);
    }
    CASE(acct_writes_records) if (geteuid() == 0) {
        conformance_make("records", "");
        CHECK_EQ(acct("records"), 0);
        pid_t first = fork();
        if (first == 0) _exit(7);
        waitpid(first, NULL, 0);
        pid_t second = fork();
        if (second == 0) kill(getpid(), SIGTERM);
        waitpid(second, NULL, 0);
        CHECK_EQ(acct(NULL), 0);
        pid_t third = fork();
        if (third == 0) _exit(0);
        waitpid(third, NULL, 0);
        struct acct_v3 record;
        CHECK_EQ(sizeof record, 64);
        int fd = open("records", O_RDONLY), seen = 0;
        time_t now = time(NULL);
        // Processes of others end as well.
        while (read(fd, &record, sizeof record) == sizeof record) {
            CHECK_EQ(record.ac_version, 3);
            CHECK((pid_t)record.ac_pid != third);
            if ((pid_t)record.ac_pid != first && (pid_t)record.ac_pid != second) continue;
            seen++;
            CHECK_EQ(record.ac_ppid, getpid());
            CHECK_EQ(record.ac_uid, 0);
            CHECK(record.ac_flag & 1);
            CHECK(now - record.ac_btime < 60 && now >= (time_t)record.ac_btime - 1);
            CHECK(record.ac_mem > 0);
            CHECK(!strncmp(record.ac_comm, "process-account", 15));
            if ((pid_t)record.ac_pid == first) CHECK(record.ac_exitcode == 7 << 8 && !(record.ac_flag & 0x10));
            if ((pid_t)record.ac_pid == second) CHECK(record.ac_exitcode == SIGTERM && record.ac_flag & 0x10);
        }
        CHECK_EQ(seen, 2);
        close(fd);
    }
    return conformance_end();
}
