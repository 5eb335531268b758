// Mapping, touching, protecting and unmapping anonymous memory.
#define _GNU_SOURCE
#include "benchmark.h"

#include <stddef.h>
#include <sys/mman.h>

enum { PAGE = 4096, FEW_PAGES = 16, MANY_PAGES = 4096 };

static char *map_pages(size_t pages) {
    char *address = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (address == MAP_FAILED) fail("mmap");
    return address;
}

static void unmap_pages(char *address, size_t pages) {
    if (munmap(address, pages * PAGE) < 0) fail("munmap");
}

static void touch_pages(char *address, size_t pages) {
    for (size_t page = 0; page < pages; page++) ((volatile char *)address)[page * PAGE] = 1;
}

static void map_touch_unmap(void) {
    char *address = map_pages(FEW_PAGES);
    touch_pages(address, FEW_PAGES);
    unmap_pages(address, FEW_PAGES);
}

static void map_unmap(void) { unmap_pages(map_pages(1), 1); }

// A fresh mapping each time. Small pages, because one fault on a huge page would answer for 512 of them.
static void fault_pages(void) {
    char *address = map_pages(MANY_PAGES);
    madvise(address, (size_t)MANY_PAGES * PAGE, MADV_NOHUGEPAGE);
    touch_pages(address, MANY_PAGES);
    unmap_pages(address, MANY_PAGES);
}

static char *toggled;

static void map_toggled(void) {
    toggled = map_pages(1);
    touch_pages(toggled, 1);
}

static void toggle_protection(void) {
    if (mprotect(toggled, PAGE, PROT_READ) < 0 || mprotect(toggled, PAGE, PROT_READ | PROT_WRITE) < 0) fail("mprotect");
}

static void unmap_toggled(void) { unmap_pages(toggled, 1); }

const struct benchmark memory_benchmarks[] = {
    {"map_touch_unmap_16", NULL, map_touch_unmap, NULL, 0},
    {"map_unmap", NULL, map_unmap, NULL, 0},
    {"page_fault", NULL, fault_pages, NULL, MANY_PAGES},
    {"mprotect_toggle", map_toggled, toggle_protection, unmap_toggled, 0},
    {0},
};
