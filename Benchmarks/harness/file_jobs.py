"""The file jobs: large files, many small files, and what people do with trees of them."""

import shlex
import shutil
from dataclasses import dataclass
from pathlib import Path

from . import trees
from .jobs import BULK, FIO, IMPORTS, INSERTS, MACRO, Job
from .programs import Programs, python

PREFIX = "files_"
FIO_BLOCK, FIO_FILE = "4k", "256M"

# Which part of the generated files a job looks at.
PARTS = {"files_find": "tree", "files_find_newer": "tree", "files_tar": "tree", "files_git_status": "repository",
         "files_import": "library"}

# The program without which a job can't run.
PROGRAMS = {"files_fio_randread": "fio", "files_git_status": "git"}


@dataclass(frozen=True)
class Sizes:
    """How much work the jobs do."""

    mebibytes: int = 1024
    package_directories: int = 200  # of 100 files each
    fio_seconds: int = 3
    tree: trees.Shape = trees.TREE
    repository: trees.Shape = trees.REPOSITORY


def _fio(seconds: int) -> list[str]:
    """Reads come from the page cache: fio writes the file itself rather than reserve its space, reads it all once before the
    clock runs, and keeps from dropping its pages."""
    line = (f'fio --name=randread --filename="$TMPDIR/fio.data" --size={FIO_FILE} --bs={FIO_BLOCK} --rw=randread '
            "--ioengine=psync --numjobs=1 --fallocate=none --invalidate=0 --pre_read=1 --time_based "
            f"--runtime={seconds} --output-format=json")
    return ["/bin/sh", "-c", line]


def _import(library: Path) -> list[str]:
    places = [str(library), str(library / "lib-dynload")]
    check = f"import asyncio; assert asyncio.__file__.startswith({str(library)!r}), asyncio.__file__"
    return [python(), "-B", "-c", f"import sys; sys.path[:] = {places!r}\n{check}\n{IMPORTS}"]


def _all(programs: Programs, directory: Path, sizes: Sizes, leaves_files: bool) -> list[Job]:
    tree, repository = (shlex.quote(str(directory / name)) for name in ("tree", "repository"))
    stamp = shlex.quote(str(directory / "tree.version"))

    def bulk(name: str, size: int) -> Job:
        return Job(name, BULK, [str(programs.bulk), name, str(size)])

    def shell(name: str, line: str, expected: str) -> Job:
        return Job(name, MACRO, ["/bin/sh", "-c", line], expected)

    def small_files(name: str) -> Job:
        return Job(name, BULK, [*bulk(name, sizes.package_directories).arguments, *(["leave"] if leaves_files else [])])

    return [
        bulk("files_seq_write", sizes.mebibytes),
        bulk("files_seq_read", sizes.mebibytes),
        Job("files_fio_randread", FIO, _fio(sizes.fio_seconds)),
        small_files("files_npm_create"),
        small_files("files_npm_walk"),
        bulk("files_npm_remove", sizes.package_directories),
        shell("files_find", f"find {tree} | wc -l", f"{sizes.tree.entries}\n"),
        shell("files_find_newer", f"find {tree} -type f ! -newer {stamp} | wc -l",
              f"{sizes.tree.directories * sizes.tree.files}\n"),
        shell("files_tar", f"tar --format=ustar -C {tree} -cf - . | cat | wc -c", f"{trees.tar_bytes(sizes.tree)}\n"),
        shell("files_git_status", f"git -c safe.directory='*' --no-optional-locks -C {repository} status --porcelain", ""),
        Job("files_import", MACRO, _import(directory / "library")),
        Job("files_sqlite", MACRO, [python(), "-c", INSERTS]),
    ]


def file_jobs(programs: Programs, directory: Path, sizes: Sizes = Sizes(), leaves_files: bool = False) -> tuple[list[Job], dict[str, str]]:
    """The jobs whose programs are there, and for each other name the reason why not. `directory` holds what `prepare` makes. With
    `leaves_files` small files stay in the scratch directory: on a disk, removing them would slow the next ones' creation down."""
    missing = {name: f"{program} isn't on PATH" for name, program in PROGRAMS.items() if not shutil.which(program)}
    return [job for job in _all(programs, directory, sizes, leaves_files) if job.name not in missing], missing


def prepare(jobs: list[Job], directory: Path, sizes: Sizes = Sizes()) -> None:
    """Generates what these jobs look at."""
    trees.generate(directory, {PARTS[job.name] for job in jobs if job.name in PARTS}, sizes.tree, sizes.repository)
