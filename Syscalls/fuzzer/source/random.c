#include "fuzzer.h"

static __thread uint64_t state;

void random_seed(uint64_t seed) { state = seed; }

/// SplitMix64: every seed gives a good sequence.
uint64_t random_next(void) {
    uint64_t word = state += 0x9e3779b97f4a7c15;
    word = (word ^ word >> 30) * 0xbf58476d1ce4e5b9;
    word = (word ^ word >> 27) * 0x94d049bb133111eb;
    return word ^ word >> 31;
}

uint64_t random_below(uint64_t bound) { return random_next() % bound; }

bool one_in(uint64_t count) { return random_below(count) == 0; }
