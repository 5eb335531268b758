"""The C programs, built here: the micro-benchmarks, the bulk work on files, and the two tools that the harness itself uses."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

FLAGS = ["-O2", "-Wall", "-Wextra", "-static", "-pthread"]


@dataclass(frozen=True)
class Programs:
    """Paths of the built programs."""

    micro: Path
    bulk: Path
    timed: Path
    spin: Path


def _compile(output: Path, sources: list[Path]) -> Path:
    subprocess.run(["cc", *FLAGS, "-o", output, *sources], check=True)
    return output


def build(source: Path, output: Path) -> Programs:
    """Compiles what `source` holds into `output`."""
    return Programs(
        micro=_compile(output / "micro", sorted((source / "micro").glob("*.c"))),
        bulk=_compile(output / "bulk", [*sorted((source / "bulk").glob("*.c")), source / "micro/support.c"]),
        timed=_compile(output / "timed", [source / "tools/timed.c"]),
        spin=_compile(output / "spin", [source / "tools/spin.c"]),
    )


def python() -> str:
    """The distribution's Python, because the one on the caller's PATH may be a wrapper script."""
    return "/usr/bin/python3" if Path("/usr/bin/python3").exists() else sys.executable
