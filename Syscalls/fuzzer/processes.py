"""What the host's /proc says about a sandbox: its processes, how much they hold, and what its guest threads wait in."""

import os
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
# The stub's region, see Sources/Platform/README.md: calls from here are the manager's and the zygote's.
STUB_CODE = range(0x7FFF00000000, 0x7FFF00010000)
# The manager changes address spaces, makes threads and processes, and passes files: nothing that reaches a file by name.
STUB_CALLS = {
    0, 1, 3, 9, 10, 11, 13, 14, 15, 20, 25, 28, 32, 33, 34, 46, 47, 56, 57, 60, 61, 62, 72, 131, 149, 150, 157, 186, 202, 203, 217,
    218, 231, 234, 292, 317, 435, 436,
    0x5AFE, 0x5AFF, # no calls of the host's: the doorbell, and the fast path's wait, on their way into the notification
}
# Where a guest thread is when its call, or its stop, waits for the Sentry's answer.
ANSWERED_BY_SENTRY = ("seccomp_do_user_notification", "ptrace_stop", "ptrace_do_notify", "do_signal_stop")


@dataclass(frozen=True)
class Process:
    pid: int
    start: str  # with the pid, unique

    @property
    def alive(self) -> bool:
        return _start(self.pid) == self.start

    @property
    def name(self) -> str:
        return contents(PROC / str(self.pid) / "cmdline").split("\0")[0].rsplit("/", 1)[-1]


def tree(root: int) -> list[Process]:
    """The process and its descendants."""
    children: dict[int, list[int]] = {}
    for pid in (int(name) for name in os.listdir(PROC) if name.isdigit()):
        fields = _stat(pid)
        if fields:
            children.setdefault(int(fields[1]), []).append(pid)
    found, waiting = [], [root]
    while waiting:
        pid = waiting.pop()
        found.append(Process(pid, _start(pid)))
        waiting += children.get(pid, [])
    return [process for process in found if process.start]


def pss(pid: int, part: str = "Pss") -> int:
    """KiB; 0 for one that is gone. `part`: "Pss" for all, "Pss_Anon" for heap and stacks, without guest memory."""
    for line in contents(PROC / str(pid) / "smaps_rollup").splitlines():
        if line.startswith(part + ":"):
            return int(line.split()[1])
    return 0


def memory_files(pid: int) -> int:
    """KiB that the memory files the process has open hold at present."""
    blocks: dict[int, int] = {}
    try:
        for number in os.listdir(PROC / str(pid) / "fd"):
            path = PROC / str(pid) / "fd" / number
            if os.readlink(path).startswith("/memfd:"):
                status = os.stat(path)
                blocks[status.st_ino] = status.st_blocks
    except OSError:
        pass
    return sum(blocks.values()) // 2


def count(pid: int, what: str) -> int:
    """Entries of /proc/PID/WHAT: `task`, `fd`."""
    try:
        return len(os.listdir(PROC / str(pid) / what))
    except OSError:
        return 0


def descriptors(pid: int) -> dict[str, int]:
    """What the descriptors stand for, and how many of each."""
    kinds: dict[str, int] = {}
    try:
        numbers = os.listdir(PROC / str(pid) / "fd")
    except OSError:
        return {}
    for number in numbers:
        try:
            kind = os.readlink(PROC / str(pid) / "fd" / number).split(":[")[0]
        except OSError:
            continue
        kinds[kind] = kinds.get(kind, 0) + 1
    return kinds


def state(pid: int) -> str:
    fields = _stat(pid)
    return fields[0] if fields else "gone"


def waits(pid: int) -> list[tuple[int, str, int, int]]:
    """(number, where in the host kernel, instruction pointer, filters) of each thread that is in a call."""
    found = []
    try:
        tasks = os.listdir(PROC / str(pid) / "task")
    except OSError:
        return []
    for task in tasks:
        folder = PROC / str(pid) / "task" / task
        before = contents(folder / "syscall").split()
        where = contents(folder / "wchan").split(".")[0]
        filters = [line.split()[1] for line in contents(folder / "status").splitlines() if line.startswith("Seccomp_filters")]
        after = contents(folder / "syscall").split()
        if len(before) == 9 and before == after and where not in ("", "0"):
            found.append((int(before[0]), where, int(before[8], 16), int(filters[0]) if filters else 0))
    return found


def _stat(pid: int) -> list[str]:
    text = contents(PROC / str(pid) / "stat")
    return text[text.rfind(")") + 2 :].split() if text else []


def _start(pid: int) -> str:
    fields = _stat(pid)
    return fields[19] if fields and fields[0] not in "ZX" else ""


def contents(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except (OSError, ValueError):
        return ""
