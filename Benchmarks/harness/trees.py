"""Generates what the file jobs look at, each part when a job first needs it. The same everywhere, kept between sessions."""

import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .programs import python
from .workload import LONG_AGO, commit_all

VERSION = "1"  # raise it when the generated files change
LEAST_BYTES, MOST_BYTES = 100, 4000
TAR_BLOCK, TAR_RECORD = 512, 10240


@dataclass(frozen=True)
class Shape:
    """How many directories of how many files."""

    directories: int
    files: int

    @property
    def entries(self) -> int:
        """What find(1) lists: the files, their directories, and the directory around all."""
        return self.directories * self.files + self.directories + 1


TREE = Shape(500, 100)
REPOSITORY = Shape(200, 100)


def size_of(shape: Shape, directory: int, file: int) -> int:
    """Spread over the range, the same in every run."""
    return LEAST_BYTES + (directory * shape.files + file) * 2654435761 % (MOST_BYTES - LEAST_BYTES + 1)


def tar_bytes(shape: Shape) -> int:
    """The length of a tar archive of the tree: headers, contents in whole blocks, two empty blocks, in whole records."""
    length = (shape.entries + 2) * TAR_BLOCK
    for directory in range(shape.directories):
        for file in range(shape.files):
            length += -(-size_of(shape, directory, file) // TAR_BLOCK) * TAR_BLOCK
    return -(-length // TAR_RECORD) * TAR_RECORD


def _write_tree(directory: Path, shape: Shape) -> None:
    line = b"a line of a file that somebody looks for\n"
    content = line * (MOST_BYTES // len(line) + 1)
    for number in range(shape.directories):
        folder = directory / f"directory{number:03d}"
        folder.mkdir(parents=True)
        for file in range(shape.files):
            path = folder / f"file{file:02d}.txt"
            path.write_bytes(content[:size_of(shape, number, file)])
            os.utime(path, (LONG_AGO, LONG_AGO))


def _write_repository(directory: Path, shape: Shape) -> None:
    _write_tree(directory, shape)
    commit_all(directory)


def _copy_library(directory: Path) -> None:
    """Python's own library, without its tests and what the distribution adds. Times stay, so that compiled files hold."""
    question = "import sysconfig; print(sysconfig.get_path('stdlib'))"
    library = subprocess.run([python(), "-c", question], check=True, capture_output=True, text=True).stdout.strip()
    shutil.copytree(library, directory, ignore=shutil.ignore_patterns("test", "dist-packages", "site-packages", "config-*"),
                    ignore_dangling_symlinks=True)


def _makers(tree: Shape, repository: Shape) -> dict[str, Callable[[Path], None]]:
    return {
        "tree": lambda directory: _write_tree(directory, tree),
        "repository": lambda directory: _write_repository(directory, repository),
        "library": _copy_library,
    }


def generate(directory: Path, parts: set[str], tree: Shape = TREE, repository: Shape = REPOSITORY) -> None:
    """Makes those of `parts` that `directory` lacks."""
    for name, make in _makers(tree, repository).items():
        stamp = directory / f"{name}.version"
        if name not in parts or (stamp.exists() and stamp.read_text() == VERSION):
            continue
        shutil.rmtree(directory / name, ignore_errors=True)
        directory.mkdir(parents=True, exist_ok=True)
        make(directory / name)
        stamp.write_text(VERSION)
