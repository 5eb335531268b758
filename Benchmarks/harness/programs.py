"""Builds the C programs: the micro-benchmarks, and the two tools that the harness itself uses."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

FLAGS = ["-O2", "-Wall", "-Wextra", "-static", "-pthread"]


@dataclass(frozen=True)
class Programs:
    """Paths of the built programs."""

    micro: Path
    timed: Path
    spin: Path


def _compile(output: Path, sources: list[Path]) -> Path:
    subprocess.run(["cc", *FLAGS, "-o", output, *sources], check=True)
    return output


def build(source: Path, output: Path) -> Programs:
    """Compiles what `source` holds into `output`."""
    return Programs(
        micro=_compile(output / "micro", sorted((source / "micro").glob("*.c"))),
        timed=_compile(output / "timed", [source / "tools/timed.c"]),
        spin=_compile(output / "spin", [source / "tools/spin.c"]),
    )
