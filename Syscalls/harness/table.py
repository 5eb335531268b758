"""Syscalls/table.tsv: what the project says about every system call."""

from dataclasses import dataclass
from pathlib import Path

SUPPORT = ("full", "partial", "refused", "absent")


@dataclass(frozen=True)
class Call:
    number: int
    name: str
    family: str
    since: str
    support: str
    errno: str
    note: str


def read(path: Path) -> list[Call]:
    calls = []
    for index, line in enumerate(path.read_text().splitlines(), start=1):
        if not line or line.startswith("#") or line.startswith("number\t"):
            continue
        fields = line.split("\t")
        if len(fields) != 7 or fields[4] not in SUPPORT:
            raise SystemExit(f"{path}:{index}: expected seven columns, the fifth one of {', '.join(SUPPORT)}")
        calls.append(Call(int(fields[0]), *fields[1:]))
    return calls
