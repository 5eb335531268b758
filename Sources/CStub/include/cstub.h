// Freestanding code that runs in guest address spaces, and the zygote that forks stub processes.
#ifndef STOCKADE_CSTUB_H
#define STOCKADE_CSTUB_H
#endif
