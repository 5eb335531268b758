"""What is measured: single operations (micro), work on many bytes or files (bulk, fio) and whole commands (macro)."""

import json
import shlex
import subprocess
from dataclasses import dataclass
from pathlib import Path

from .programs import Programs, python
from .runner import OK, Outcome

MICRO, BULK, FIO, MACRO = "micro", "bulk", "fio", "macro"
PRINTED = (MICRO, BULK)  # kinds of programs that print their name and what was measured

# How often a command runs in one round: short ones more often, because one sample of them says little.
RUNS_PER_ROUND = {"start_true": 10, "start_python": 5, "import_modules": 2, "git_status": 3, "find_tree": 3, "tar_tree": 2,
                  "compile": 2, "sqlite_inserts": 2, "spawn_100": 2}

QUICK = {"null_call", "pread_4096", "open_close", "stat", "pipe_round_trip", "map_touch_unmap_16", "fork_exit_wait",
         "start_true", "start_python", "compile", "git_status", "find_tree"}

# Removes so many small files that making others is slow on a disk for minutes (`leaves_files` in bulk/bulk.h).
LAST = {"files_npm_remove"}

MODULES = """argparse asyncio base64 bz2 calendar cgi collections concurrent.futures configparser csv ctypes dataclasses
datetime decimal difflib email.mime.multipart fractions ftplib glob gzip hashlib html.parser http.client http.server imaplib
inspect ipaddress json logging.config lzma mimetypes multiprocessing pathlib pdb pickle platform plistlib pprint pydoc queue
random sched secrets selectors shelve shutil smtplib socketserver sqlite3 ssl statistics string subprocess tarfile tempfile
textwrap threading timeit tokenize traceback typing unittest urllib.request uuid venv wave webbrowser xml.dom.minidom
xml.etree.ElementTree xmlrpc.client zipfile zoneinfo""".split()

IMPORTS = f"""
import importlib
for name in {MODULES!r}:
    try:
        importlib.import_module(name)
    except ModuleNotFoundError:  # not part of every version
        pass
"""

INSERTS = """
import os, sqlite3
database = sqlite3.connect(os.path.join(os.environ["TMPDIR"], "bench.db"), isolation_level=None)
database.execute("CREATE TABLE item (number INTEGER PRIMARY KEY, name TEXT)")
for start in range(0, 20000, 100):
    database.execute("BEGIN")
    database.executemany("INSERT INTO item VALUES (?, ?)", ((n, f"item {n}") for n in range(start, start + 100)))
    database.execute("COMMIT")
assert database.execute("SELECT count(*) FROM item").fetchone() == (20000,)
"""


@dataclass(frozen=True)
class Job:
    """One row of the tables."""

    name: str
    kind: str
    arguments: list[str]
    expected: str | None = None  # what it has to print; None stands for anything

    @property
    def runs_per_round(self) -> int:
        """How many samples one round takes."""
        return RUNS_PER_ROUND.get(self.name, 1)

    @property
    def is_last(self) -> bool:
        """Whether all rounds of other jobs come before its first."""
        return self.name in LAST

    @property
    def is_quick(self) -> bool:
        """Whether `--quick` runs it."""
        return self.name in QUICK

    @property
    def reads_host(self) -> bool:
        """Whether files of the host are part of what is measured, so that `--cold` means something."""
        return self.kind == MACRO

    @property
    def is_warmed(self) -> bool:
        """Whether a first run differs from later ones: what it reads and writes takes room in the host's memory."""
        return self.kind in (MACRO, BULK)

    def nanoseconds(self, outcome: Outcome) -> float:
        """The measured value of a run that ended well: what it printed, the time of one of fio's operations, or a command's
        wall time."""
        if self.kind == FIO:
            return 1e9 / _operations_per_second(outcome.output)
        return float(outcome.output.split()[1]) if self.kind in PRINTED else float(outcome.wall_ns)

    def complaint(self, outcome: Outcome) -> str:
        """Why a run has no value, or an empty text."""
        if outcome.status != OK:
            return outcome.reason
        if self.kind in PRINTED and outcome.output.split()[:1] != [self.name]:
            return "it printed no result"
        if self.kind == FIO and not _operations_per_second(outcome.output):
            return "it did no read"
        if self.expected is not None and outcome.output != self.expected:
            return f"wrong result: it printed {outcome.output[:60]!r} instead of {self.expected[:60]!r}"
        return ""


def _operations_per_second(output: str) -> float:
    """Of fio's report in JSON, which may follow a warning; 0 where there is none."""
    try:
        return float(json.loads(output[max(output.find("{"), 0):])["jobs"][0]["read"]["iops"])
    except (ValueError, KeyError, IndexError):
        return 0.0


def _micro(programs: Programs) -> list[Job]:
    names = subprocess.run([programs.micro, "--list"], check=True, capture_output=True, text=True).stdout.split()
    return [Job(name, MICRO, [str(programs.micro), name]) for name in names]


def _shell(line: str) -> list[str]:
    return ["/bin/sh", "-c", line]


def tree() -> str:
    """A directory of some thousand files to find and to pack."""
    return next((path for path in ("/usr/include", "/usr/share/doc") if Path(path).is_dir()), "/etc")


def _macro(workload: Path) -> list[Job]:
    repository, source = (shlex.quote(str(workload / name)) for name in ("repository", "generated.c"))
    spawn = "i=0; while [ $i -lt 100 ]; do /bin/true; i=$((i+1)); done"
    commands = {
        "start_true": ["/bin/true"],
        "start_python": [python(), "-c", "pass"],
        "import_modules": [python(), "-c", IMPORTS],
        "git_status": _shell(f"git -c safe.directory='*' --no-optional-locks -C {repository} status --porcelain"),
        "find_tree": _shell(f"find {tree()} >/dev/null"),
        "tar_tree": _shell(f"tar -C {tree()} -cf - . | cat >/dev/null"),
        "compile": _shell(f'gcc -O1 -c {source} -o "$TMPDIR/generated.o"'),
        "sqlite_inserts": [python(), "-c", INSERTS],
        "spawn_100": _shell(spawn),
    }
    return [Job(name, MACRO, arguments) for name, arguments in commands.items()]


def all_jobs(programs: Programs, workload: Path) -> list[Job]:
    """Every job, in the order of the tables."""
    return _micro(programs) + _macro(workload)
