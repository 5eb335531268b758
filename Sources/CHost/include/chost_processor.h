// What the processor and the host kernel say about extended state.
#ifndef STOCKADE_CHOST_PROCESSOR_H
#define STOCKADE_CHOST_PROCESSOR_H

#include <stdint.h>

/// XCR0: the state components that XSAVE manages; 0 where the processor has no XSAVE.
uint64_t chost_xcr0(void);

/// getauxval(3).
uint64_t chost_auxiliary_value(uint64_t type);

#endif
