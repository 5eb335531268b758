"""What a sandbox costs while its program sleeps: memory, CPU time, wake-ups."""

import contextlib
import time
from dataclasses import dataclass

from .environment import Environment
from .placements import Placement
from .processes import allowed_cpus, command_name, cpu_ns, descendants, proportional_set_kib, wake_ups
from .runner import Runner

SLEEP = ["/bin/sleep", "1000000"]
SETTLE = 2.0  # seconds from the start of a sandbox until it counts as idle


@dataclass(frozen=True)
class Idle:
    """Sums over all processes of one sandbox, the sleeping program included."""

    environment: str
    processes: int
    pss_kib: int
    cpu_ns: int
    wake_ups: int
    seconds: float
    unreadable: int  # processes whose memory this user may not look at: then `pss_kib` is too small

    @property
    def failed(self) -> bool:
        """Whether the sandbox wasn't there for the whole time."""
        return self.processes == 0

    def value(self, name: str) -> float | None:
        """A field, or None where it says less than the truth."""
        incomplete = name == "pss_kib" and self.unreadable > 0
        return None if self.failed or incomplete else getattr(self, name)


@dataclass(frozen=True)
class _Use:
    processes: int
    cpu_ns: int
    wake_ups: int


def _memory(pids: list[int]) -> tuple[int, int]:
    total = unreadable = 0
    for pid in pids:
        try:
            total += proportional_set_kib(pid)
        except OSError:
            unreadable += 1
    return total, unreadable


def _use(launcher: int) -> _Use:
    processes = cpu = wakes = 0
    for pid in descendants(launcher):
        with contextlib.suppress(OSError):  # it ended meanwhile
            cpu, wakes, processes = cpu + cpu_ns(pid), wakes + wake_ups(pid), processes + 1
    return _Use(processes, cpu, wakes)


def measure_idle(runner: Runner, environments: list[Environment], seconds: float) -> list[Idle]:
    """Memory is measured one sandbox at a time, because sandboxes that share pages would look smaller together; CPU time
    of all at once, because that takes long."""
    memory = {}
    for environment in environments:
        with runner.running(environment, SLEEP) as launcher:
            time.sleep(SETTLE)
            pids = descendants(launcher)
            memory[environment.name] = (len(pids), *_memory(pids))
    with contextlib.ExitStack() as stack:
        launchers = {e.name: stack.enter_context(runner.running(e, SLEEP)) for e in environments}
        time.sleep(SETTLE)
        before = {name: _use(launcher) for name, launcher in launchers.items()}
        time.sleep(seconds)
        after = {name: _use(launcher) for name, launcher in launchers.items()}
    results = []
    for name, (processes, pss_kib, unreadable) in memory.items():
        start, end = before[name], after[name]
        lasted = processes > 0 and start.processes > 0 and end.processes > 0
        results.append(Idle(name, processes if lasted else 0, pss_kib, end.cpu_ns - start.cpu_ns,
                            end.wake_ups - start.wake_ups, seconds, unreadable))
    return results


def strays(runner: Runner, environments: list[Environment], placement: Placement) -> list[str]:
    """Processes that run outside a pinned placement because they changed their own affinity: such numbers mislead."""
    if placement.cpu is None:
        return []
    found = []
    for environment in environments:
        with runner.running(environment, SLEEP, placement.cpu) as launcher:
            time.sleep(0.5)
            for pid in descendants(launcher):
                with contextlib.suppress(OSError):
                    for cpus in allowed_cpus(pid) - {str(placement.cpu)}:
                        found.append(f"{environment.name}: {command_name(pid)} may run on CPUs {cpus}")
    return found
