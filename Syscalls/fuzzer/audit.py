"""Which calls of the stub processes the host kernel performs: all of them, from the trace point raw_syscalls:sys_enter.

The kernel passes that point after seccomp and after PTRACE_SYSEMU: a call that a filter answers, or that a tracer takes, never
gets there. What gets there from a stub process is therefore done by the host. Needs root and tracefs.
"""

import os
import re
from collections import Counter
from pathlib import Path

TRACING = Path("/sys/kernel/tracing")
EVENT = re.compile(r"-(\d+)\s+\[\d+\].*NR (-?\d+) \(([0-9a-f]+)")
LOST = re.compile(r"LOST (\d+) EVENTS")
# A manager is the first thread of its process: it changes address spaces, makes threads and processes, passes files, ends processes.
# The zygote looks for its parent (110), closes what it inherited (436) and reports (44).
MANAGER_CALLS = {
    0, 1, 3, 9, 10, 11, 13, 14, 15, 20, 24, 25, 28, 33, 34, 37, 44, 46, 47, 56, 61, 62, 72, 110, 131, 149, 150, 157, 158, 186, 203, 218, 231,
    234, 292, 317, 435, 436,
}
# Other threads prepare themselves (sigaltstack, seccomp, pause for the tracer), return from the handler, end.
THREAD_CALLS = {15, 34, 60, 131, 231, 317}
# uretprobe and uprobe: Linux exempts them from every seccomp filter (6.13 and 6.18 on). Outside a probe they end in SIGILL or ENXIO.
EXEMPT_CALLS = {335, 336}

# So frequent and so certainly the stub's own that the kernel need not report them: tens of thousands a second otherwise.
UNREPORTED_CALLS = {0, 1, 3, 9, 10, 11, 15, 24, 25, 28, 46, 47, 131}
READS = 64


class Audit:
    def __init__(self, name: str) -> None:
        self.folder = TRACING / "instances" / name
        self.folder.mkdir()
        self.calls: Counter[tuple[str, int]] = Counter()
        self.lost = 0
        self.pending = ""
        self.followed: set[int] = set()
        self._write("options/event-fork", "1")
        self._write("buffer_size_kb", "16384")
        self._write("events/raw_syscalls/sys_enter/filter", " && ".join(f"id != {number}" for number in sorted(UNREPORTED_CALLS)))
        self.pipe = os.open(self.folder / "trace_pipe", os.O_RDONLY | os.O_NONBLOCK)

    def follow(self, pids: set[int]) -> None:
        """Traces these processes and what they make from now on."""
        fresh = pids - self.followed
        if not fresh:
            return
        file = os.open(self.folder / "set_event_pid", os.O_WRONLY | os.O_APPEND)
        for pid in fresh:
            try:
                os.write(file, f"{pid}\n".encode())
            except OSError:  # gone already
                pass
        os.close(file)
        if not self.followed:
            self._write("events/raw_syscalls/sys_enter/enable", "1")
        self.followed |= fresh

    def read(self, managers: set[int]) -> None:
        """Counts what has happened since. `managers`: the processes seen so far; other threads are guests' threads."""
        for _ in range(READS): # more may come than can be read: what is lost is counted
            try:
                chunk = os.read(self.pipe, 1 << 20)
            except BlockingIOError:
                return
            if not chunk:
                return
            *lines, self.pending = (self.pending + chunk.decode(errors="replace")).split("\n")
            for line in lines:
                if event := EVENT.search(line):
                    role = "process" if int(event[1]) in managers else "thread"
                    self.calls[role, int(event[2])] += 1
                elif lost := LOST.search(line):
                    self.lost += int(lost[1])

    def unexpected(self) -> dict[tuple[str, int], int]:
        # A process that came and went between two looks counts as a thread: what a manager may do is no fault for those.
        return {key: count for key, count in self.calls.items() if key[1] not in MANAGER_CALLS | THREAD_CALLS | EXEMPT_CALLS}

    def close(self) -> None:
        os.close(self.pipe)
        self._write("events/raw_syscalls/sys_enter/enable", "0")
        self.folder.rmdir()

    def _write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text)
