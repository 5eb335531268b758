// Offsets that the assembly needs; start.c checks them against the structures.
#ifndef STOCKADE_CSTUB_OFFSETS_H
#define STOCKADE_CSTUB_OFFSETS_H

#define CSTUB_GUEST_PROGRAM_OFFSET 728

// In an area.
#define CSTUB_STATE_OFFSET 64
#define CSTUB_SERVED_OFFSET 68
#define CSTUB_RINGING_OFFSET 72
#define CSTUB_BLOCKING_OFFSET 76
#define CSTUB_RESULT_OFFSET 80
#define CSTUB_ARGUMENTS_OFFSET 128
#define CSTUB_CALL_OFFSET 176
#define CSTUB_BLOCK_OFFSET 180

#endif
