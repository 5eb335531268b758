// sendfile(2), splice(2) and copy_file_range(2) between every two kinds of files: what moves, or why nothing does.
#include "conformance.h"
#include <netinet/in.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/eventfd.h>

enum { REGULAR, APPENDING, MEMORY, PIPE, SOCKET, DATAGRAM, NOTHING, ZERO, PROCESS, DIRECTORY, EVENT, KINDS };
static const char *const kind_names[KINDS] = {"regular", "appending", "memfd", "pipe", "socket", "datagram", "null", "zero", "proc", "directory", "eventfd"};
static const char content[] = "0123456789abcdefghij";
enum { LENGTH = 20, WANTED = 12 };

struct end {
    int fd;     // what the call gets
    int check;  // where it can be read again, or -1
};

/// A source with content, or a target, made anew.
static struct end make(int kind, int isTarget) {
    static int number;
    char name[32];
    int p[2];
    snprintf(name, sizeof name, "k%d", number++);
    switch (kind) {
    case REGULAR:
    case APPENDING: {
        int fd = conformance_file(name, isTarget ? "" : content);
        if (kind == APPENDING) {
            int other = open(name, O_RDWR | O_APPEND);
            return (struct end){other, fd};
        }
        return (struct end){fd, dup(fd)};
    }
    case MEMORY: {
        int fd = memfd_create("m", 0);
        if (!isTarget) pwrite(fd, content, LENGTH, 0);
        return (struct end){fd, dup(fd)};
    }
    case PIPE:
        pipe2(p, O_NONBLOCK);
        if (isTarget) return (struct end){p[1], p[0]};
        write(p[1], content, LENGTH);
        close(p[1]);
        return (struct end){p[0], -1};
    case SOCKET:
    case DATAGRAM:
        socketpair(AF_UNIX, (kind == SOCKET ? SOCK_STREAM : SOCK_DGRAM) | SOCK_NONBLOCK, 0, p);
        if (isTarget) return (struct end){p[0], p[1]};
        write(p[1], content, LENGTH);
        close(p[1]);
        return (struct end){p[0], -1};
    case NOTHING: return (struct end){open("/dev/null", O_RDWR), -1};
    case ZERO: return (struct end){open("/dev/zero", O_RDWR), -1};
    case PROCESS: return (struct end){isTarget ? open("/proc/self/comm", O_RDWR) : open("/proc/sys/kernel/ngroups_max", O_RDONLY), -1};
    case DIRECTORY: return (struct end){open(".", O_RDONLY | O_DIRECTORY), -1};
    default: return (struct end){eventfd(7, EFD_NONBLOCK), -1};
    }
}

static const char *error_name(int error) {
    static char text[16];
    snprintf(text, sizeof text, "errno %d", error);
    return error ? text : "";
}

/// What one call did: its result, the source's position afterwards, and what arrived.
static void observe(int from, int to, long result, struct end in, struct end out) {
    int error = result < 0 ? errno : 0;
    char arrived[64] = "";
    long n = 0;
    if (out.check >= 0) n = to == REGULAR || to == APPENDING || to == MEMORY ? pread(out.check, arrived, 63, 0) : read(out.check, arrived, 63);
    long position = from == REGULAR || from == APPENDING || from == MEMORY ? lseek(in.fd, 0, SEEK_CUR) : 0;
    for (long i = 0; i < n; i++)
        arrived[i] = !arrived[i] ? '0' : arrived[i] < ' ' ? '.' : arrived[i];
    OBSERVE("%s: %ld %s at %ld got %.*s", kind_names[to], result, error_name(error), position, (int)(n > 0 ? n : 0), arrived);
    close(in.fd), close(out.fd);
    if (in.check >= 0) close(in.check);
    if (out.check >= 0) close(out.check);
}

enum { SENDFILE, SPLICE, COPY, CALLS };

/// One case for each kind of source.
static void matrix(int call) {
    static const char *const calls[CALLS] = {"sendfile", "splice", "copy_file_range"};
    for (int from = 0; from < KINDS; from++) {
        char name[64];
        snprintf(name, sizeof name, "%s_from_%s", calls[call], kind_names[from]);
        if (!conformance_begin(name)) continue;
        for (int to = 0; to < KINDS; to++) {
            struct end in = make(from, 0), out = make(to, 1);
            errno = 0;
            long n = call == SENDFILE ? sendfile(out.fd, in.fd, NULL, WANTED)
                     : call == SPLICE ? splice(in.fd, NULL, out.fd, NULL, WANTED, SPLICE_F_NONBLOCK)
                                      : syscall(SYS_copy_file_range, in.fd, NULL, out.fd, NULL, (long)WANTED, 0);
            observe(from, to, n, in, out);
        }
        conformance_report(name);
    }
}

static void moving(void) {
    COVERS(sendfile);
    matrix(SENDFILE);
    COVERS(splice);
    matrix(SPLICE);
    COVERS(copy_file_range);
    matrix(COPY);
    COVERS(tee, splice);
    CASE(between_pipes_by_tee) for (int to = 0; to < KINDS; to++) {
        struct end in = make(PIPE, 0), out = make(to, 1);
        errno = 0;
        long n = tee(in.fd, out.fd, WANTED, SPLICE_F_NONBLOCK);
        observe(PIPE, to, n, in, out);
    }
}

static void offsets(void) {
    COVERS(splice);
    CASE(splice_at_offsets) {
        int in = conformance_file("in", content), out = conformance_file("out", "................"), p[2];
        char b[64] = "";
        loff_t from = 4, to = 2;
        pipe(p);
        CHECK_EQ(splice(in, &from, p[1], NULL, 6, 0), 6);
        CHECK_EQ(from, 10);
        CHECK_EQ(lseek(in, 0, SEEK_CUR), 0);
        CHECK_EQ(splice(p[0], NULL, out, &to, 6, 0), 6);
        CHECK_EQ(to, 8);
        CHECK(pread(out, b, 16, 0) == 16 && !strcmp(b, "..456789........"));
        CHECK_ERRNO(splice(in, &from, p[1], &to, 1, 0), ESPIPE);
        CHECK_ERRNO(splice(p[0], &from, out, &to, 1, 0), ESPIPE);
        from = 100;
        CHECK_EQ(splice(in, &from, p[1], NULL, 6, 0), 0);
        close(in), close(out), close(p[0]), close(p[1]);
    }
}

int main(void) {
    conformance_enter();
    moving();
    offsets();
    return conformance_end();
}
