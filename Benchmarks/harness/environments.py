"""Where a job can run: natively, in Stockade's sandbox, in a peer's."""

import shutil
from pathlib import Path

from .bundles import BundleEnvironment
from .environment import Environment
from .scratch import Scratch

NATIVE = "native"
STOCKADE_PLATFORMS = ("ptrace", "seccomp")
BIND = "-bind"  # ends the name of the product with a read-write bind around a scratch directory on a disk
RUNSC_PLATFORMS = ("systrap", "ptrace", "kvm")


def names() -> list[str]:
    """Every environment that the harness knows, in the order of the tables."""
    stockade = [f"stockade-{platform}" for platform in STOCKADE_PLATFORMS]
    return [NATIVE, *stockade, *(name + BIND for name in stockade), "bwrap", "runc", "crun",
            *(f"runsc-{platform}" for platform in RUNSC_PLATFORMS), "proot"]


def is_stockade(name: str) -> bool:
    """Whether the environment is the product rather than a peer."""
    return name.startswith("stockade-")


def is_bound(name: str) -> bool:
    """Whether the environment writes to a disk of the host through a read-write bind."""
    return name.endswith(BIND)


def _stockade(sandbox: Path, name: str, disk: Scratch | None) -> Environment:
    """Without a bind, what is written on a disk's directory stays in the overlay's memory."""
    prefix = [str(sandbox), "--platform", name.removeprefix("stockade-").removesuffix(BIND)]
    if disk and is_bound(name):
        prefix += ["--bind", f"{disk.shared}:{disk.shared}"]
    return Environment(name, [*prefix, "--"], str(disk.directory) if disk else "/tmp")


def _bubblewrap(program: str, shown: Path, disk: Scratch | None) -> Environment:
    prefix = [program, "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "--tmpfs", "/tmp"]
    if shown.is_relative_to("/tmp"):
        prefix += ["--ro-bind", str(shown), str(shown)]
    if disk:
        prefix += ["--bind", str(disk.shared), str(disk.shared)]
    return Environment("bwrap", [*prefix, "--unshare-all"], str(disk.directory) if disk else "/tmp")


def _gvisor(program: str, platform: str, state: Path, disk: Scratch | None) -> Environment:
    """Without a bind, as `do` has its own overlay over the root."""
    containers = state / f"runsc-{platform}-containers"
    prefix = [program, f"--platform={platform}", f"--root={containers}", "--network=none", "--ignore-cgroups"]
    return Environment(f"runsc-{platform}", [*prefix, "do"], str(disk.directory) if disk else "/tmp")


def candidates(sandbox: Path, shown: Path, state: Path, temporary: Path,
               disk: Scratch | None = None) -> tuple[list[Environment], dict[str, str]]:
    """The environments whose program exists, and for each other name the reason why not.

    `shown` is a host directory that jobs must be able to read, `state` is for the runtimes' own files, and `temporary` is
    the scratch directory of environments that share the host's file systems. With `disk` all have theirs on that disk.
    """
    found: list[Environment] = []
    missing: dict[str, str] = {}
    for name in names():
        program = None if name == NATIVE or is_stockade(name) else shutil.which(name.split("-")[0])
        if name == NATIVE:
            found.append(Environment(NATIVE, [], str(temporary)))
        elif is_bound(name) and disk is None:
            missing[name] = "its scratch directory is in memory"
        elif is_stockade(name):
            found.append(_stockade(sandbox, name, disk))
        elif program is None:
            missing[name] = f"{name.split('-')[0]} isn't on PATH"
        elif name == "bwrap":
            found.append(_bubblewrap(program, shown, disk))
        elif name in ("runc", "crun"):
            found.append(BundleEnvironment(name, program, shown, state, disk))
        elif name == "proot":
            found.append(Environment(name, [program, "-r", "/"], str(temporary)))
        else:
            found.append(_gvisor(program, name.removeprefix("runsc-"), state, disk))
    return found, missing
