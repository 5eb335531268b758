#include "fuzzer.h"
#include <sys/syscall.h>

#define F {FD}
#define I {INT}
#define K {KEY_ID}
#define W {DESCRIPTION}
#define B {PAYLOAD}
#define O {OUT}
#define N {SIZE}
#define T {PID}

static const struct call calls[] = {
    CALL(add_key, W, W, B, ONE(0, 6, 16, 40), K), CALL(request_key, W, W, B, K), CALL(keyctl, ONE(0, 1, 2, 4, 5, 6, 7, 8, 9, 10,
        11, 15, 16, 17, 18, 19, 20, 21, 22, 28, 29, 30, 31, 32), K, K, {ANY}, {ANY}),
    CALL(keyctl, ONE(2, 6, 11, 17, 23), K, O, N), CALL(keyctl, ONE(10, 4, 5, 8, 9, 14, 15), K, {INT}, {INT}), CALL(keyctl,
        ONE(10), K, W, W, K),
    CALL(keyctl, I, K, I, I, I), CALL(keyctl, ONE(1), W),
    CALL(landlock_create_ruleset, {RULESET}, ONE(8, 16, 24, 24, 24, 4, 32), ONE(0, 0, 0, 1, 2)), CALL(landlock_create_ruleset,
        {NONE}, {NONE}, ONE(1, 2)),
    CALL(landlock_add_rule, F, ONE(1, 1, 2, 0), {RULE}, {NONE}), CALL(landlock_restrict_self, F, BITS(15)),
    {459, "lsm_get_self_attr", {ONE(100, 101, 102, 0), O, {SOCKLEN}, BITS(1)}}, {460, "lsm_set_self_attr", {ONE(100, 101, 102,
        0), {IN}, N, {NONE}}},
    {461, "lsm_list_modules", {O, {SOCKLEN}, {NONE}}}, CALL(seccomp, ONE(0, 1, 1, 1, 2, 3), BITS(0x3f), {FILTER}),
    CALL(prctl, ONE(22), ONE(2), {FILTER}), CALL(ptrace, ONE(0, 1, 3, 4, 7, 12, 13, 16, 17, 24, 31, 0x4200, 0x4202, 0x4204,
        0x4206, 0x4207, 0x4208, 0x420a, 0x420e), T, {ADDRESS}, O),
    CALL(bpf, I, {IN}, N), CALL(perf_event_open, {IN}, T, I, F, I), CALL(fanotify_init, I, I), CALL(fanotify_mark, F, BITS(0xff),
        {ANY}, {DIRFD}, {PATH}),
};
const struct table security_calls = {calls, sizeof calls / sizeof *calls};
