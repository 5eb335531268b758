#include "chost_random.h"

#include <sys/random.h>

ssize_t chost_getrandom(void *bytes, size_t count) { return getrandom(bytes, count, 0); }
