"""The conformance programs: FAMILY/NAME.c is built as build/FAMILY-NAME."""

import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Program:
    name: str  # FAMILY/NAME
    binary: Path
    # It works on files made beforehand, on the host, by itself: with CONFORMANCE_PREPARE.
    prepares: bool

    @property
    def family(self) -> str:
        return self.name.split("/")[0]


def build(folder: Path) -> None:
    done = subprocess.run(["make", "--no-print-directory", "-s", "-C", str(folder)])
    if done.returncode != 0:
        raise SystemExit("the conformance programs do not build")


def select(folder: Path, only: list[str]) -> list[Program]:
    """All programs, or those whose name starts with one of `only` (`files/`, `files/open`)."""
    names = sorted(f"{source.parent.name}/{source.stem}" for source in folder.glob("*/*.c"))
    if only:
        names = [name for name in names if any(name == wanted or name.startswith(wanted) for wanted in only)]
        if not names:
            raise SystemExit(f"no conformance program is called {' or '.join(only)}")
    return [_program(folder, name) for name in names]


def _program(folder: Path, name: str) -> Program:
    prepares = "CONFORMANCE_PREPARED" in (folder / f"{name}.c").read_text()
    return Program(name, folder / "build" / name.replace("/", "-"), prepares)
