"""Where a job can run: natively, in Stockade's sandbox, in a peer's."""

import shutil
from pathlib import Path

from .bundles import BundleEnvironment
from .environment import Environment

NATIVE = "native"
STOCKADE_PLATFORMS = ("ptrace", "seccomp")
RUNSC_PLATFORMS = ("systrap", "ptrace", "kvm")


def names() -> list[str]:
    """Every environment that the harness knows, in the order of the tables."""
    return [NATIVE, *(f"stockade-{platform}" for platform in STOCKADE_PLATFORMS), "bwrap", "runc", "crun",
            *(f"runsc-{platform}" for platform in RUNSC_PLATFORMS), "proot"]


def is_stockade(name: str) -> bool:
    """Whether the environment is the product rather than a peer."""
    return name.startswith("stockade-")


def _stockade(sandbox: Path, platform: str) -> Environment:
    return Environment(f"stockade-{platform}", [str(sandbox), "--platform", platform, "--"], "/tmp")


def _bubblewrap(program: str, shown: Path) -> Environment:
    prefix = [program, "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "--tmpfs", "/tmp"]
    if shown.is_relative_to("/tmp"):
        prefix += ["--ro-bind", str(shown), str(shown)]
    return Environment("bwrap", [*prefix, "--unshare-all"], "/tmp")


def _gvisor(program: str, platform: str, state: Path) -> Environment:
    containers = state / f"runsc-{platform}-containers"
    prefix = [program, f"--platform={platform}", f"--root={containers}", "--network=none", "--ignore-cgroups"]
    return Environment(f"runsc-{platform}", [*prefix, "do"], "/tmp")


def candidates(sandbox: Path, shown: Path, state: Path, temporary: Path) -> tuple[list[Environment], dict[str, str]]:
    """The environments whose program exists, and for each other name the reason why not.

    `shown` is a host directory that jobs must be able to read, `state` is for the runtimes' own files, and `temporary` is
    the in-memory directory of environments that share the host's file systems.
    """
    found: list[Environment] = []
    missing: dict[str, str] = {}
    for name in names():
        program = None if name == NATIVE or is_stockade(name) else shutil.which(name.split("-")[0])
        if name == NATIVE:
            found.append(Environment(NATIVE, [], str(temporary)))
        elif is_stockade(name):
            found.append(_stockade(sandbox, name.removeprefix("stockade-")))
        elif program is None:
            missing[name] = f"{name.split('-')[0]} isn't on PATH"
        elif name == "bwrap":
            found.append(_bubblewrap(program, shown))
        elif name in ("runc", "crun"):
            found.append(BundleEnvironment(name, program, shown, state))
        elif name == "proot":
            found.append(Environment(name, [program, "-r", "/"], str(temporary)))
        else:
            found.append(_gvisor(program, name.removeprefix("runsc-"), state))
    return found, missing
