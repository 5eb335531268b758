// Filters of the sandbox's own processes by libseccomp, and capabilities by libcap.
#ifndef STOCKADE_CCONFINE_H
#define STOCKADE_CCONFINE_H

#include <stdint.h>

/// One condition on an argument: `(argument & mask) == value`.
struct cconfine_condition {
    uint32_t argument;
    uint64_t mask, value;
};

/// A filter under construction: everything that is not allowed traps. NULL when there is no memory.
void *cconfine_begin(void);
/// Allows a call by name under all of `conditions`. Returns 0, or -errno. A name that this libseccomp does not know is ENOENT.
int cconfine_allow(void *filter, const char *name, const struct cconfine_condition *conditions, unsigned count);
/// Answers a call with an errno instead of a trap.
int cconfine_refuse(void *filter, const char *name, int error);
/// Applies the filter to every thread of the process, and frees it. Returns 0, or -errno.
int cconfine_load(void *filter);
void cconfine_discard(void *filter);

/// What a trapped call does: a line on standard error that names it, then the end of the process with status 1; with `goes_on` the call
/// fails with EPERM and the process goes on. `program` must be a constant.
int cconfine_report_violations(const char *program, int goes_on);

/// Gives up every capability, for good. Returns 0, or -errno.
int cconfine_drop_capabilities(void);
/// Keeps, of the capabilities that the process has, those for files: for reading any, and with `writes` for changing them as their owner
/// may. Returns 0, or -errno.
int cconfine_keep_file_capabilities(int writes);
/// Landlock without a single rule: no path can be opened any more. Returns its version, 0 where the host has none, or -errno.
int cconfine_close_paths(void);
/// Not dumpable: other processes of the user may not trace or read this one.
int cconfine_hide(void);

#endif
