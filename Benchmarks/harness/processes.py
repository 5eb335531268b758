"""What /proc says about a tree of processes, and how to end one."""

import ctypes
import os
import signal
import time
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36


def adopt_orphans() -> None:
    """Makes this process the parent of every orphan below it, so that none escapes `kill_descendants` (prctl(2))."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER)")


def _parents() -> dict[int, int]:
    parents = {}
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            stat = Path("/proc", entry, "stat").read_text(errors="replace")
        except OSError:
            continue  # it ended meanwhile
        parents[int(entry)] = int(stat.rpartition(")")[2].split()[1])
    return parents


def descendants(root: int) -> list[int]:
    """All processes below `root`, parents before children, zombies included."""
    children: dict[int, list[int]] = {}
    for pid, parent in _parents().items():
        children.setdefault(parent, []).append(pid)
    found = list(children.get(root, []))
    for pid in found:
        found.extend(children.get(pid, []))
    return found


def kill_descendants(keep: set[int] = frozenset(), patience: float = 10.0) -> None:
    """Kills and reaps everything below this process except `keep`. Needs `adopt_orphans`."""
    deadline = time.monotonic() + patience
    while pids := [pid for pid in descendants(os.getpid()) if pid not in keep]:
        if time.monotonic() > deadline:
            raise TimeoutError(f"processes survive SIGKILL: {pids}")
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        for pid in pids:
            try:
                os.waitpid(pid, os.WNOHANG)
            except ChildProcessError:
                pass  # a grandchild: its parent is about to end, then it is ours
        time.sleep(0.005)


def command_name(pid: int) -> str:
    """The name that ps(1) shows."""
    return Path(f"/proc/{pid}/comm").read_text(errors="replace").strip()


def proportional_set_kib(pid: int) -> int:
    """Memory of a process, each page divided by the number of processes that map it (smaps_rollup, proc(5))."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    return 0


def _threads(pid: int) -> list[Path]:
    return list(Path(f"/proc/{pid}/task").iterdir())


def cpu_ns(pid: int) -> int:
    """Time that a process's living threads have spent on a CPU."""
    return sum(int((thread / "schedstat").read_text().split()[0]) for thread in _threads(pid))


def _status_field(thread: Path, field: str) -> str:
    for line in (thread / "status").read_text(errors="replace").splitlines():
        if line.startswith(field + ":"):
            return line.split(":", 1)[1].strip()
    return ""


def wake_ups(pid: int) -> int:
    """How often a process's living threads have gone to sleep, which is how often something woke them."""
    return sum(int(_status_field(thread, "voluntary_ctxt_switches") or 0) for thread in _threads(pid))


def allowed_cpus(pid: int) -> set[str]:
    """The CPU lists, such as `0-3`, that a process's threads may run on."""
    return {_status_field(thread, "Cpus_allowed_list") for thread in _threads(pid)}
