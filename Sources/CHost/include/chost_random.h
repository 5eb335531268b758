#ifndef STOCKADE_CHOST_RANDOM_H
#define STOCKADE_CHOST_RANDOM_H

#include <stddef.h>
#include <sys/types.h>

/// getrandom(2) from the urandom source: bytes stored, or -1 and errno.
ssize_t chost_getrandom(void *bytes, size_t count);

#endif
