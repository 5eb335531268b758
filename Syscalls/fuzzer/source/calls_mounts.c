#include "fuzzer.h"
#include <fcntl.h>
#include <sys/syscall.h>

#define F {FD}
#define D {DIRFD}
#define P {PATH}
#define O {OUT}
#define N {SIZE}
#define W {DESCRIPTION}
#define AT BITS(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH | AT_RECURSIVE | 1)

static const struct call calls[] = {
    CALL(mount, W, P, W, BITS(0x1f7ffff), {PAYLOAD}), CALL(mount, W, P, W, ONE(0, 1, 0x20, 0x1000, 0x5000, 0x2000, 0x40000,
        0x100000), {NONE}),
    CALL(umount2, P, BITS(15)), CALL(pivot_root, P, P), CALL(open_tree, D, P,
        BITS(0x89801 | AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW)),
    CALL(open_tree, D, P, ONE(1, 0x80001, 0x8001)), CALL(move_mount, F, P, D, P, BITS(0x377)), CALL(move_mount, F, {PAYLOAD}, D,
        P, ONE(4, 0x44)),
    CALL(fsopen, W, BITS(1)), CALL(fsconfig, F, ONE(0, 1, 1, 2, 3, 4, 5, 6, 6, 6, 7, 8), W, {PAYLOAD}, {INT}), CALL(fsconfig, F,
        ONE(6), {NONE}, {NONE}, {NONE}),
    CALL(fsmount, F, BITS(1), BITS(0x2000ff)), CALL(fspick, D, P, BITS(15)), CALL(mount_setattr, D, P, AT, {MOUNT_ATTRIBUTES},
        ONE(32, 32, 24, 40)),
    {467, "open_tree_attr", {D, P, BITS(0x89801 | AT_EMPTY_PATH), {MOUNT_ATTRIBUTES}, ONE(32, 32, 24, 40)}},
    {457, "statmount", {{MOUNT_REQUEST}, O, N, {NONE}}}, {457, "statmount", {{MOUNT_REQUEST}, O, ONE(512, 1024, 4096), {NONE}}},
    {458, "listmount", {{MOUNT_REQUEST}, O, ONE(1, 8, 64, -1, 100000), BITS(1)}},
    CALL(name_to_handle_at, D, P, {HANDLE}, O, BITS(0x1600)), CALL(open_by_handle_at, D, {HANDLE}, ONE(0, 2, O_PATH,
        O_DIRECTORY)),
    CALL(quotactl, {INT}, P, {INT}, O), {443, "quotactl_fd", {F, {INT}, {INT}, O}},
};
const struct table mount_calls = {calls, sizeof calls / sizeof *calls};
