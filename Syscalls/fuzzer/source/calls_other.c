// Calls that are refused whatever they are given, and the exempt ones.
#include "fuzzer.h"
#include <sys/syscall.h>

#define A {ANY}
#define ANYTHING(number) {number, "", {A, A, A, A, A, A}}

static const struct call calls[] = {
    ANYTHING(134), ANYTHING(156), ANYTHING(167), ANYTHING(168), ANYTHING(169), ANYTHING(172), ANYTHING(173), ANYTHING(174),
        ANYTHING(175), ANYTHING(176),
    ANYTHING(177), ANYTHING(178), ANYTHING(180), ANYTHING(181), ANYTHING(182), ANYTHING(183), ANYTHING(184), ANYTHING(185),
        ANYTHING(205), ANYTHING(211),
    ANYTHING(212), ANYTHING(214), ANYTHING(215), ANYTHING(236), ANYTHING(246), ANYTHING(313), ANYTHING(320), ANYTHING(335),
        ANYTHING(336), ANYTHING(425),
    ANYTHING(426), ANYTHING(427), ANYTHING(512), ANYTHING(547), ANYTHING(0x40000000), ANYTHING(0x40000001), ANYTHING(0xffffffff),
        ANYTHING(0x5afe), ANYTHING(0x5aff),
    CALL(reboot, ONE(0xfee1dead), ONE(0x28121969, 672274793), ONE(0, 0x01234567, 0x89abcdef, 0x4321fedc), A), CALL(swapoff,
        {PATH}), CALL(iopl, {INT}),
};
const struct table other_calls = {calls, sizeof calls / sizeof *calls};
