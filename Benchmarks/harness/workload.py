"""Generates what the macro jobs work on: a git repository and a C file. The same everywhere, made once."""

import os
import shutil
import subprocess
from pathlib import Path

from .environment import BASE_VARIABLES

VERSION = "1"  # raise it when the generated files change
DIRECTORIES, FILES_PER_DIRECTORY = 25, 20
FUNCTIONS = 200
LONG_AGO = 1_600_000_000  # older than the index, so that git trusts its cached attributes (gitformat-index(5))


def _write_repository(repository: Path) -> None:
    for directory in range(DIRECTORIES):
        folder = repository / f"module{directory:02d}"
        folder.mkdir(parents=True)
        for number in range(FILES_PER_DIRECTORY):
            file = folder / f"file{number:02d}.txt"
            file.write_text(f"line of file {number} in module {directory}\n" * (10 + number))
            os.utime(file, (LONG_AGO, LONG_AGO))
    commit_all(repository)


def commit_all(repository: Path) -> None:
    """Makes a directory a git repository with one commit of everything in it."""
    identity = ["-c", "user.name=bench", "-c", "user.email=bench@localhost", "-c", "commit.gpgsign=false"]
    variables = {**BASE_VARIABLES, "HOME": "/nonexistent", "GIT_CONFIG_NOSYSTEM": "1"}
    for command in (["init", "-q"], ["add", "."], [*identity, "commit", "-q", "-m", "Files to look at"]):
        subprocess.run(["git", "-C", repository, *command], check=True, env=variables)


def _write_program(path: Path) -> None:
    lines = ["#include <stdio.h>", "#include <stdlib.h>", "#include <string.h>", ""]
    for number in range(FUNCTIONS):
        lines += [
            f"static unsigned mix{number}(unsigned seed, const char *text) {{",
            f"    unsigned sum = seed ^ {number * 2654435761 % 2**32}u;",
            "    for (size_t i = 0; text[i]; i++) sum = sum * 31 + (unsigned char)text[i];",
            f"    return sum % {number + 7} ? sum >> {number % 13 + 1} : sum + (unsigned)strlen(text);",
            "}",
            "",
        ]
    lines += ["int main(int argc, char **argv) {", "    unsigned sum = (unsigned)argc;"]
    lines += [f"    sum += mix{number}(sum, argv[0]);" for number in range(FUNCTIONS)]
    lines += ['    printf("%u\\n", sum);', "    return 0;", "}", ""]
    path.write_text("\n".join(lines))


def generate(directory: Path) -> None:
    """Fills `directory`, unless it is complete already."""
    stamp = directory / "version"
    if stamp.exists() and stamp.read_text() == VERSION:
        return
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    _write_program(directory / "generated.c")
    if shutil.which("git"):
        _write_repository(directory / "repository")
    stamp.write_text(VERSION)
