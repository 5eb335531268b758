"""The command line."""

import argparse
import re
from pathlib import Path

from . import caches
from .environments import BIND, NATIVE, is_bound, names
from .file_jobs import PREFIX
from .placements import PLACEMENTS
from .scratch import DISK, IN_MEMORY, MEMORY, file_system

BENCHMARKS = Path(__file__).resolve().parent.parent


def _words(known: list[str]):
    def parse(value: str) -> list[str]:
        words = value.split(",")
        for word in words:
            if word not in known:
                raise argparse.ArgumentTypeError(f"{word!r} is none of {', '.join(known)}")
        return words
    return parse


def _pattern(value: str) -> re.Pattern:
    try:
        return re.compile(value)
    except re.error as error:
        raise argparse.ArgumentTypeError(f"{value!r} is no regular expression: {error}") from error


def _positive(kind):
    def parse(value: str):
        number = kind(value)
        if number <= 0:
            raise argparse.ArgumentTypeError(f"{value} is not above 0")
        return number
    return parse


def _environments(wanted: list[str] | None, scratch: str) -> list[str]:
    """Native, and what is wanted, in the order of the tables; all of them by default. On a disk a platform of the product means
    both its environments, the overlay and the bind."""
    meant = {NATIVE, *(wanted or [name for name in names() if not is_bound(name)])}
    if scratch == DISK:
        meant |= {name + BIND for name in meant}
    return [name for name in names() if name in meant]


def _existing(path: Path) -> Path:
    """The nearest directory around `path` that exists."""
    return path if path.exists() else _existing(path.parent)


def parse(arguments: list[str]) -> argparse.Namespace:
    """Reads the options and fills in what depends on `--quick` and `--files`."""
    parser = argparse.ArgumentParser(
        prog="bench.py", description="Measure Stockade's sandbox beside native and beside other sandboxes.")
    parser.add_argument("--sandbox", type=Path, default=BENCHMARKS.parent / ".build/release/sandbox-exec", metavar="FILE",
                        help="the sandbox-exec to measure")
    parser.add_argument("--quick", action="store_true", help="one round, unpinned and alone, only the jobs that matter most")
    parser.add_argument("--only", type=_pattern, metavar="REGEX", help="only jobs whose name matches; `idle` and `lifecycle` are two of them")
    parser.add_argument("--files", action="store_true",
                        help="the file jobs instead of the others; `--only` with their prefix in it means this too")
    parser.add_argument("--scratch", choices=(MEMORY, DISK),
                        help="where the directory lies that jobs write to (default: memory; with --files, disk)")
    parser.add_argument("--cold", action="store_true",
                        help="empty the host's caches before each command that reads its files; needs root")
    parser.add_argument("--environments", type=_words(names()), metavar="LIST",
                        help=f"only these, and native: {','.join(names())}")
    parser.add_argument("--placements", type=_words([p.name for p in PLACEMENTS]), metavar="LIST",
                        help=f"only these: {','.join(p.name for p in PLACEMENTS)}")
    parser.add_argument("--rounds", type=_positive(int), metavar="N", help="samples of each number (default: 3)")
    parser.add_argument("--idle", type=_positive(float), metavar="SECONDS", help="how long sandboxes idle (default: 60)")
    parser.add_argument("--timeout", type=_positive(float), metavar="SECONDS",
                        help="end of the patience with one command (default: 60; with --files, 300)")
    parser.add_argument("--output", type=Path, default=BENCHMARKS / "build", metavar="DIR", help="where the reports go")
    options = parser.parse_args(arguments)
    options.sandbox, options.output = options.sandbox.resolve(), options.output.resolve()
    if not options.sandbox.is_file():
        parser.error(f"{options.sandbox} doesn't exist; `make build` makes it, --sandbox names another")
    options.files = options.files or (options.only is not None and PREFIX in options.only.pattern)
    options.scratch = options.scratch or (DISK if options.files else MEMORY)
    if options.scratch == DISK and (kind := file_system(_existing(options.output))) in IN_MEMORY:
        parser.error(f"{options.output} lies on a {kind}, not on a disk; --output names a directory elsewhere")
    if options.cold and not caches.can_drop():
        parser.error(f"--cold has to write to {caches.SWITCH}, which only root may, outside of containers")
    options.environments = _environments(options.environments, options.scratch)
    options.rounds = options.rounds or (1 if options.quick else 3)
    options.idle = options.idle or (10 if options.quick else 60)
    options.timeout = options.timeout or (300 if options.files else 60)
    default_placements = ["unpinned"] if options.quick or options.files else [p.name for p in PLACEMENTS]
    options.placements = [p for p in PLACEMENTS if p.name in (options.placements or default_placements)]
    return options
