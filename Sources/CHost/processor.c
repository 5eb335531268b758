#include "chost_processor.h"

#include <cpuid.h>
#include <sys/auxv.h>

uint64_t chost_xcr0(void) {
    unsigned a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_OSXSAVE)) return 0;
    unsigned low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (uint64_t)high << 32 | low;
}

uint64_t chost_auxiliary_value(uint64_t type) { return getauxval(type); }
