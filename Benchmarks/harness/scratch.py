"""Where jobs write: the scratch directory, in memory or on a disk."""

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

MEMORY, DISK = "memory", "disk"
IN_MEMORY = {"tmpfs", "ramfs"}


@dataclass(frozen=True)
class Scratch:
    """A scratch directory on a disk of the host. `shared` is the directory around it, with the generated trees of the file
    jobs: what an environment with a read-write bind binds."""

    shared: Path
    directory: Path


def file_system(path: Path) -> str:
    """The type of the file system that holds `path`, such as ext4: the last mount that is nearest to it."""
    nearest, kind = Path("/"), "unknown"
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        fields, _, source = line.partition(" - ")
        point = Path(fields.split()[4].encode().decode("unicode_escape"))
        if path.is_relative_to(point) and point.is_relative_to(nearest):
            nearest, kind = point, source.split()[0]
    return kind


@contextlib.contextmanager
def on_disk(shared: Path) -> Iterator[Scratch]:
    """A new scratch directory below `shared`, for the length of a `with` block."""
    shared.mkdir(parents=True, exist_ok=True)
    directory = Path(tempfile.mkdtemp(prefix="scratch-", dir=shared))
    try:
        yield Scratch(shared, directory)
    finally:
        shutil.rmtree(directory, ignore_errors=True)
