"""Runs one command under one environment, measures it, and leaves nothing behind."""

import contextlib
import os
import select
import shutil
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .environment import Environment
from .processes import kill_descendants
from .programs import Programs

OK, TIMED_OUT, FAILED = "ok", "timed out", "failed"


@dataclass(frozen=True)
class Outcome:
    """How one command ended. Times are those of the command as a whole, the sandbox's start and end included."""

    status: str
    wall_ns: int = 0
    cpu_ns: int = 0
    output: str = ""
    reason: str = ""  # of a failure


class Runner:
    """Starts commands, in a process that has called `adopt_orphans`. `directory` is private to the harness; `temporary`
    belongs to the commands, is emptied after each of them, and lies below `directory` unless it is given: then it lies on a
    disk, and what bulk/main.c leaves there stays (`leaves_files` in bulk/bulk.h)."""

    LEFT = "bulk."

    def __init__(self, programs: Programs, directory: Path, timeout: float, temporary: Path | None = None):
        self.programs = programs
        self.directory = directory
        self.temporary = temporary or directory / "tmp"
        self.is_on_disk = temporary is not None
        self.temporary.mkdir(exist_ok=self.is_on_disk)
        self.timeout = timeout
        self.neighbours: list[subprocess.Popen] = []

    def _launch(self, environment: Environment, arguments: list[str], cpu: int | None) -> subprocess.Popen:
        result = self.directory / "result"
        result.unlink(missing_ok=True)
        place = "any" if cpu is None else str(cpu)
        with open(self.directory / "output", "wb") as output, open(self.directory / "errors", "wb") as errors:
            return subprocess.Popen([self.programs.timed, result, place, *environment.command(arguments)], cwd="/",
                                    env=environment.variables(), start_new_session=True, stdin=subprocess.DEVNULL,
                                    stdout=output, stderr=errors)

    def _end(self, process: subprocess.Popen | None, environment: Environment, killed: bool) -> None:
        """SIGKILL, because sandbox-exec passes other signals on to the program inside."""
        if process and process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        kill_descendants(keep={neighbour.pid for neighbour in self.neighbours})
        if killed:
            environment.discard()
        for entry in os.scandir(self.temporary):
            if self.is_on_disk and entry.name.startswith(self.LEFT):
                continue
            if entry.is_dir(follow_symlinks=False):
                shutil.rmtree(entry, ignore_errors=True)
            else:
                os.unlink(entry)

    def run(self, environment: Environment, arguments: list[str], cpu: int | None = None,
            timeout: float | None = None) -> Outcome:
        """Runs a command to its end, or kills it when its time is over."""
        seconds = timeout or self.timeout
        process, ended = None, False
        try:
            process = self._launch(environment, arguments, cpu)
            ended = _ends_within(process, seconds)
        finally:
            self._end(process, environment, killed=not ended)
        return self._outcome() if ended else Outcome(TIMED_OUT, reason=f"killed after {seconds:g} s")

    def _outcome(self) -> Outcome:
        output = (self.directory / "output").read_text(errors="replace")
        errors = (self.directory / "errors").read_text(errors="replace").strip()
        last_line = errors.splitlines()[-1] if errors else ""
        result = self.directory / "result"
        if not result.exists():
            return Outcome(FAILED, reason=last_line or "it could not be started")
        wall, user, system, status = map(int, result.read_text().split())
        if status == 0:
            return Outcome(OK, wall, user + system, output)
        code = os.waitstatus_to_exitcode(status)
        ending = f"ended by signal {-code}" if code < 0 else f"exit status {code}"
        return Outcome(FAILED, wall, user + system, output, f"{ending}: {last_line}" if last_line else ending)

    @contextlib.contextmanager
    def running(self, environment: Environment, arguments: list[str], cpu: int | None = None) -> Iterator[int]:
        """Keeps a command running for the length of a `with` block. Gives the pid whose descendants are its processes."""
        process = None
        try:
            process = self._launch(environment, arguments, cpu)
            yield process.pid
        finally:
            self._end(process, environment, killed=True)

    @contextlib.contextmanager
    def busy_neighbours(self, cpus: list[int | None]) -> Iterator[None]:
        """One spinning process for each entry: on that CPU, or on any for None."""
        try:
            for cpu in cpus:
                command = [self.programs.spin, "any" if cpu is None else str(cpu), str(os.getpid())]
                self.neighbours.append(subprocess.Popen(command, cwd="/", env={}, start_new_session=True))
            yield
        finally:
            for neighbour in self.neighbours:
                neighbour.kill()
                neighbour.wait()
            self.neighbours.clear()


def _ends_within(process: subprocess.Popen, seconds: float) -> bool:
    """Waits without waking up in between, which would disturb what is measured."""
    descriptor = os.pidfd_open(process.pid)
    try:
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        return bool(poll.poll(seconds * 1000))
    finally:
        os.close(descriptor)
