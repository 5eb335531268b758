// Offsets that the assembly needs; start.c checks them against the structures.
#ifndef STOCKADE_CSTUB_OFFSETS_H
#define STOCKADE_CSTUB_OFFSETS_H

#define CSTUB_GUEST_PROGRAM_OFFSET 728

#endif
