"""The copy of the sandbox that a session measures."""

import os
import shutil
from pathlib import Path


def copy(sandbox: Path, directory: Path) -> Path:
    """Copies `sandbox` and the programs that it starts, its `stockade` siblings, and returns the copy's path.

    A rebuild during a session then changes nothing, and no sandbox outside the session shares the pages of these files,
    which would make memory look smaller.
    """
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir()
    for file in sandbox.parent.iterdir():
        wanted = file.name in (sandbox.name, "stockade") or file.name.startswith("stockade-")
        if wanted and file.is_file() and os.access(file, os.X_OK):
            shutil.copy2(file, directory)
    return directory / sandbox.name
