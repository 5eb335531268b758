// Work on a large file or on many small ones.
#pragma once
#include "../micro/benchmark.h"

#include <stdbool.h>

// One piece of work. It stands in a directory of its own, makes what it needs first, removes everything afterwards (or leaves
// small files there, see `leaves_files`), and returns the time of what its name says, in ns.
struct work {
    const char *name;
    double (*run)(long size);
    const char *unit;  // of which there are `size`
    long parts;        // how many operations one unit counts for
};

// Each table ends with an entry that has no name.
extern const struct work sequential_work[], package_work[];

// Small files that are no part of the time stay where they are. ext4 gives the inode of a file away again only minutes after
// it was removed, and until then looks at each such inode whenever a file is made near it: some 400 us for thousands of them.
extern bool leaves_files;

// Ends the program because a file isn't what was written, which `what` describes.
noreturn void wrong(const char *what);
