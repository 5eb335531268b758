"""What a reader needs to know about the machine to judge the numbers."""

import datetime
import os
import platform
import re
import subprocess
from pathlib import Path


def _read(path: str) -> str:
    try:
        return Path(path).read_text().strip()
    except OSError:
        return ""


def _cpu_model() -> str:
    for line in _read("/proc/cpuinfo").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _memory_gib() -> float:
    return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1)


def load_average() -> list[float]:
    """Of the last 1, 5 and 15 minutes."""
    return [round(load, 2) for load in os.getloadavg()]


def host() -> dict:
    """Facts that hold for a whole session."""
    return {
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "kernel": f"{platform.system()} {platform.release()}",
        "machine": platform.machine(),
        "cpu": _cpu_model(),
        "virtual": "hypervisor" in _read("/proc/cpuinfo").split(),
        "cpus": sorted(os.sched_getaffinity(0)),
        "memory_gib": _memory_gib(),
        "load_before": load_average(),
        "scheduler_autogroup": _read("/proc/sys/kernel/sched_autogroup_enabled") == "1",
        "huge_pages": _read("/sys/kernel/mm/transparent_hugepage/enabled"),
        "nice": os.getpriority(os.PRIO_PROCESS, 0),
    }


def _version(command: list[str]) -> str:
    """The first version number in what `--version` says, which for proot is a picture."""
    try:
        done = subprocess.run([*command, "--version"], capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return "unknown"
    number = re.search(r"\d+(\.\d+)+\S*", done.stdout + done.stderr)
    return number.group() if number else "unknown"


def versions(sandbox: Path, environments: list[str]) -> dict[str, str]:
    """Of the sandbox and of the peers that are measured."""
    peers = {name.split("-")[0] for name in environments} - {"native", "stockade"}
    return {"sandbox-exec": _version([str(sandbox)]), **{peer: _version([peer]) for peer in sorted(peers)}}
