"""On which CPUs the measured processes run, and beside whom."""

import os
from dataclasses import dataclass


@dataclass(frozen=True)
class Placement:
    """Where the whole process tree of a command may run."""

    name: str
    description: str
    pinned: bool
    busy: bool

    @property
    def cpu(self) -> int | None:
        """The one CPU of a pinned placement: the last, because the first often serves interrupts."""
        return max(os.sched_getaffinity(0)) if self.pinned else None

    @property
    def neighbours(self) -> list[int | None]:
        """Where each busy neighbour runs: as many as there are CPUs, each on its own when pinned, else where it likes."""
        if not self.busy:
            return []
        return [cpu if self.pinned else None for cpu in sorted(os.sched_getaffinity(0))]


PLACEMENTS = [
    Placement("unpinned", "free on all CPUs, alone", pinned=False, busy=False),
    Placement("pinned", "all processes on one CPU, alone", pinned=True, busy=False),
    Placement("unpinned-busy", "free on all CPUs, one busy neighbour per CPU", pinned=False, busy=True),
    Placement("pinned-busy", "all processes on one CPU, one busy neighbour pinned to each CPU", pinned=True, busy=True),
]
