"""Runs one program and reads its lines."""

import os
import shutil
import signal
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from programs import Program

PASSED = "ok"


@dataclass
class Outcome:
    """What one run of a program printed: a verdict per case, what it observed, and the calls it covers."""

    verdicts: dict[str, str] = field(default_factory=dict)
    observed: dict[str, str] = field(default_factory=dict)
    covers: dict[str, list[str]] = field(default_factory=dict)
    repeated: list[str] = field(default_factory=list)
    # How it ended when not by itself with status 0 or 1.
    ending: str = ""


def platforms(sandbox_exec: Path, candidates: list[str]) -> list[str]:
    """Those of `candidates` on which a program runs at all."""
    found = []
    for name in candidates:
        status, _, _ = _run([str(sandbox_exec), "--platform", name, "--", "true"], 30, dict(os.environ))
        if status == 0:
            found.append(name)
    return found


# Where programs make their files inside: in the overlay over the host's /tmp, in a tmpfs, in a directory of the host that they may write.
SCRATCHES = ["overlay", "tmpfs", "bind"]
INSIDE = "/scratch"


def command(program: Program, sandbox_exec: Path, platform: str | None, kind: str = "overlay", scratch: str = "DIR") -> list[str]:
    if platform is None:
        return [str(program.binary)]
    mounts = {"overlay": [], "tmpfs": ["--tmpfs", INSIDE], "bind": ["--bind", f"{scratch}:{INSIDE}"]}[kind]
    place = ["--env", f"CONFORMANCE_DIR={INSIDE}"] if mounts else []
    return [str(sandbox_exec), "--platform", platform, *mounts, *place, "--", str(program.binary)]


def run(program: Program, sandbox_exec: Path, platform: str | None, timeout: float, kind: str = "overlay") -> Outcome:
    scratch = tempfile.mkdtemp(prefix="conformance.")
    os.chmod(scratch, 0o755)
    environment = dict(os.environ)
    if kind != "overlay":
        # Without device nodes and set-ID bits: `--tmpfs` is mounted nodev, and the host gets neither.
        environment["CONFORMANCE_PLAIN"] = "1"
    # Inside, what a program leaves in /tmp is forgotten; on the host it is removed here.
    if platform is None:
        environment["CONFORMANCE_DIR"] = scratch
    if program.prepares:
        prepared = scratch + "/prepared"
        _run([str(program.binary)], timeout, environment | {"CONFORMANCE_PREPARE": prepared})
        environment["CONFORMANCE_PREPARED"] = prepared if platform is None or kind != "bind" else INSIDE + "/prepared"
    try:
        status, text, timed_out = _run(command(program, sandbox_exec, platform, kind, scratch), timeout, environment)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    outcome = _read(text)
    if timed_out:
        outcome.ending = f"not over after {timeout:g} s"
    elif status not in (0, 1):
        outcome.ending = f"signal {-status}" if status < 0 else f"status {status}"
    return outcome


def _run(arguments: list[str], timeout: float, environment: dict[str, str]) -> tuple[int, str, bool]:
    """Status, output and whether the time was over. Ended by SIGKILL to its group: sandbox-exec passes other signals on."""
    process = subprocess.Popen(
        arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment,
        start_new_session=True)
    try:
        output, _ = process.communicate(timeout=timeout)
        timed_out = False
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        output, _ = process.communicate()
        timed_out = True
    return process.returncode, output.decode(errors="replace"), timed_out


def _read(text: str) -> Outcome:
    outcome = Outcome()
    covered: list[str] = []
    observed: list[str] = []
    for line in text.splitlines():
        if line.startswith("= "):
            observed.append(line.removeprefix("= "))
            continue
        if line.startswith("# covers "):
            covered = [name.strip() for name in line.removeprefix("# covers ").split(",")]
            continue
        name, verdict = _case(line)
        if name is None:
            continue
        if name in outcome.verdicts:
            outcome.repeated.append(name)
        outcome.verdicts[name] = verdict
        outcome.covers[name] = covered
        outcome.observed[name] = "; ".join(observed)
        observed = []
    return outcome


def _case(line: str) -> tuple[str | None, str]:
    if line.startswith("ok "):
        return line.removeprefix("ok "), PASSED
    if line.startswith("not ok "):
        name, _, seen = line.removeprefix("not ok ").partition(": ")
        return name, seen or "failed"
    return None, ""
