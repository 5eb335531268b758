#include "cstub.h"
