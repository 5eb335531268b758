"""What container engines wait for: create, start and delete of a container that runs `true`."""

import contextlib
import json
import os
import select
import shutil
import statistics
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

from .environments import is_stockade

TIMEOUT = 30.0
RUNS_PER_ROUND = 10
STEPS = ("create", "start", "delete")
STREAMS = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL}


@dataclass
class Lifecycle:
    """Wall times of one runtime in ns: of each step, and of all from the first command to the end of the last, the program's
    own end included."""

    environment: str
    steps: dict[str, list[int]] = field(default_factory=lambda: {step: [] for step in STEPS})
    total: list[int] = field(default_factory=list)
    reason: str = ""  # why there are no more samples

    def median(self, step: str = "") -> float | None:
        values = self.steps[step] if step else self.total
        return statistics.median(values) if values and not self.reason else None


class _Runtime:
    """One runtime with a bundle and a state directory of its own."""

    def __init__(self, name: str, command: list[str], directory: Path):
        self.found = Lifecycle(name)
        self.command = [*command, "--root", str(directory / "containers")]
        self.bundle = directory
        rootfs = directory / "rootfs"
        (rootfs / "bin").mkdir(parents=True)
        for place in ("proc", "dev"):
            (rootfs / place).mkdir()
        shutil.copy(shutil.which("busybox") or "", rootfs / "bin/true")
        namespaces = ["pid", "mount", "ipc", "uts", "network"]
        linux: dict = {}
        if os.geteuid() != 0:
            namespaces.append("user")
            linux = {"uidMappings": [{"containerID": 0, "hostID": os.geteuid(), "size": 1}],
                     "gidMappings": [{"containerID": 0, "hostID": os.getegid(), "size": 1}]}
        linux["namespaces"] = [{"type": kind} for kind in namespaces]
        process = {"terminal": False, "user": {"uid": 0, "gid": 0}, "cwd": "/", "args": ["/bin/true"], "env": []}
        mounts = [{"destination": "/proc", "type": "proc", "source": "proc"},
                  {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=755"]}]
        (directory / "config.json").write_text(json.dumps(
            {"ociVersion": "1.0.2", "root": {"path": "rootfs", "readonly": True}, "process": process, "mounts": mounts, "linux": linux}))

    def _run(self, step: str, *words: str) -> int:
        begin = time.perf_counter_ns()
        # A file: a pipe would stay open with the container.
        with (self.bundle / "messages").open("wb") as messages:
            subprocess.run([*self.command, step, *words], check=True, timeout=TIMEOUT, stderr=messages, **STREAMS)
        end = time.perf_counter_ns()
        self.found.steps[step].append(end - begin)
        return end

    def once(self, name: str) -> None:
        file = self.bundle / "pid"
        begin = time.perf_counter_ns()
        try:
            self._run("create", "--bundle", str(self.bundle), "--pid-file", str(file), name)
            process = os.pidfd_open(int(file.read_text()))
            try:
                self._run("start", name)
                if not select.select([process], [], [], TIMEOUT)[0]:
                    raise TimeoutError("`true` does not end")
            finally:
                os.close(process)
            self.found.total.append(self._run("delete", name) - begin)
        except (OSError, ValueError, subprocess.SubprocessError) as problem:
            said = (self.bundle / "messages").read_text(errors="replace").strip().splitlines()
            self.found.reason = said[-1] if said else str(problem)
            with contextlib.suppress(OSError, subprocess.SubprocessError):
                subprocess.run([*self.command, "delete", "--force", name], timeout=TIMEOUT, check=False,
                               stderr=subprocess.DEVNULL, **STREAMS)


def _commands(stockade: Path, environments: list[str]) -> dict[str, list[str]]:
    """How each environment's runtime is called, of those that have one."""
    commands = {}
    for name in environments:
        kind, _, platform = name.partition("-")
        program = str(stockade) if is_stockade(name) else shutil.which(kind)
        if is_stockade(name):
            commands[name] = [program, "--platform", platform]
        elif kind == "runsc" and program:
            commands[name] = [program, f"--platform={platform}", "--network=none", "--ignore-cgroups"]
        elif kind in ("runc", "crun") and program:
            commands[name] = [program]
    return commands


def measure_lifecycle(stockade: Path, environments: list[str], directory: Path, rounds: int) -> list[Lifecycle]:
    """Each runtime in turn; each one's first container warms the page cache and isn't counted. Nothing without busybox, whose `true`
    needs no other file."""
    if not shutil.which("busybox") or not stockade.exists():
        return []
    runtimes = [_Runtime(name, command, directory / f"lifecycle-{number}") for number, (name, command) in enumerate(_commands(stockade, environments).items())]
    for number in range(rounds * RUNS_PER_ROUND + 1):
        for runtime in runtimes:
            if not runtime.found.reason:
                runtime.once(f"stockade-bench-{os.getpid()}-{number}")
            if number == 0 and not runtime.found.reason:
                runtime.found = Lifecycle(runtime.found.environment)
    return [runtime.found for runtime in runtimes]
