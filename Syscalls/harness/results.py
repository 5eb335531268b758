"""The last run of every program, kept as JSON: a run of a few programs replaces only theirs."""

import json
import os
from pathlib import Path

HOST = "host"


class Results:
    """`programs[program][case]` is `{"covers": [...], "host": verdict, PLATFORM: verdict}`; a verdict is "ok" or the failure."""

    def __init__(self, path: Path):
        self.path = path
        self.programs: dict[str, dict[str, dict]] = {}
        self.about: dict[str, object] = {}
        if path.exists():
            stored = json.loads(path.read_text())
            self.programs, self.about = stored["programs"], stored["about"]

    def put(self, program: str, cases: dict[str, dict]) -> None:
        self.programs[program] = cases

    def keep_only(self, programs: set[str]) -> None:
        self.programs = {name: cases for name, cases in self.programs.items() if name in programs}

    def save(self, platforms: list[str]) -> None:
        # Versions only: the documents that tell of a run say nothing of the machine.
        version = "Linux " + ".".join(os.uname().release.split(".")[:2])
        self.about = {"kernel": version, "root": os.geteuid() == 0, "platforms": platforms}
        self.path.parent.mkdir(exist_ok=True)
        self.path.write_text(json.dumps({"about": self.about, "programs": self.programs}, indent=1, sort_keys=True))

    def cases(self):
        """(program, case, its results) in order."""
        for program in sorted(self.programs):
            for case, result in self.programs[program].items():
                yield program, case, result
