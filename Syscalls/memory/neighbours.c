// Areas that lie side by side and continue each other's memory, and yet are not the same:
// what happens to one is not to reach the other.
#include "conformance.h"
#include <setjmp.h>

enum { PAGE = 4096 };

static sigjmp_buf escape;
static void on_fault(int signal) { siglongjmp(escape, signal); }
static int fault_at(volatile char *address) {
    int signal = sigsetjmp(escape, 1);
    if (signal) return signal;
    (void)*address;
    return 0;
}

static char *pages(int count) {
    return mmap(NULL, (size_t)count * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

int main(void) {
    signal(SIGSEGV, on_fault);
    signal(SIGBUS, on_fault);
    conformance_enter();

    COVERS(mmap, fork, madvise);
    CASE(store_to_the_second_of_two_shared_mappings) {
        int fd = open("shared", O_RDWR | O_CREAT, 0600);
        static char contents[4 * PAGE] = {[0] = 'a', [2 * PAGE] = 'e'};
        CHECK_EQ(write(fd, contents, sizeof contents), 4 * PAGE);
        char *memory = pages(4);
        // Read only at first, so that nothing is there for stores.
        for (int part = 0; part < 2; part++)
            mmap(memory + part * 2 * PAGE, 2 * PAGE, PROT_READ, MAP_SHARED | MAP_FIXED, fd, part * 2 * PAGE);
        CHECK_EQ(memory[0], 'a');
        CHECK_EQ(memory[2 * PAGE], 'e');
        CHECK_EQ(mprotect(memory, 4 * PAGE, PROT_READ | PROT_WRITE), 0);
        memory[2 * PAGE] = 'E';
        memory[3 * PAGE] = 'X';
        memory[0] = 'A';
        char seen[2];
        pread(fd, seen, 1, 0), pread(fd, seen + 1, 1, 2 * PAGE);
        CHECK_EQ(seen[0], 'A');
        CHECK_EQ(seen[1], 'E');
        munmap(memory, 4 * PAGE);
        close(fd);
    }
    CASE(store_to_a_private_mapping_beside_another) {
        int fd = open("private", O_RDWR | O_CREAT, 0600);
        static char contents[64 * PAGE];
        CHECK_EQ(write(fd, contents, sizeof contents), 64 * PAGE);
        char *memory = pages(64);
        for (int part = 0; part < 2; part++)
            mmap(memory + part * 32 * PAGE, 32 * PAGE, PROT_READ, (part ? MAP_SHARED : MAP_PRIVATE) | MAP_FIXED, fd,
                 part * 32 * PAGE);
        CHECK_EQ(memory[31 * PAGE] + memory[32 * PAGE], 0);
        CHECK_EQ(mprotect(memory, 64 * PAGE, PROT_READ | PROT_WRITE), 0);
        memory[31 * PAGE] = 'p';
        memory[32 * PAGE] = 's';
        memory[33 * PAGE] = 't';
        char seen[3] = {0};
        pread(fd, seen, 1, 31 * PAGE), pread(fd, seen + 1, 1, 32 * PAGE), pread(fd, seen + 2, 1, 33 * PAGE);
        CHECK_EQ(seen[0], 0);
        CHECK_EQ(seen[1], 's');
        CHECK_EQ(seen[2], 't');
        munmap(memory, 64 * PAGE);
        close(fd);
    }
    CASE(memory_not_inherited_beside_memory_that_is) {
        char *memory = pages(6);
        memset(memory, 'm', 6 * PAGE);
        CHECK_EQ(madvise(memory + 2 * PAGE, 2 * PAGE, MADV_DONTFORK), 0);
        CHILD {
            CHECK_EQ(memory[PAGE], 'm');
            CHECK_EQ(memory[4 * PAGE], 'm');
            CHECK_EQ(fault_at(memory + 2 * PAGE), SIGSEGV);
            CHECK_EQ(fault_at(memory + 3 * PAGE), SIGSEGV);
            memory[PAGE] = 'c';
        }
        CHECK_EQ(memory[PAGE], 'm');
        CHECK_EQ(memory[2 * PAGE], 'm');
        munmap(memory, 6 * PAGE);
    }
    CASE(memory_wiped_beside_memory_that_is_not) {
        char *memory = pages(6);
        memset(memory, 'm', 6 * PAGE);
        CHECK_EQ(madvise(memory + 2 * PAGE, 2 * PAGE, MADV_WIPEONFORK), 0);
        CHILD {
            CHECK_EQ(memory[PAGE], 'm');
            CHECK_EQ(memory[2 * PAGE], 0);
            CHECK_EQ(memory[3 * PAGE], 0);
            CHECK_EQ(memory[4 * PAGE], 'm');
            memset(memory, 'c', 6 * PAGE);
            CHECK_EQ(memory[2 * PAGE], 'c');
            FILE *maps = fopen("/proc/self/smaps", "r"); // counts what is there
            char line[256];
            while (maps && fgets(line, sizeof line, maps)) {}
        }
        CHECK_EQ(memory[2 * PAGE], 'm');
        munmap(memory, 6 * PAGE);
    }
    return conformance_end();
}
