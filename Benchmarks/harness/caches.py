"""The host's caches of files: what `--cold` empties."""

import os
from pathlib import Path

SWITCH = Path("/proc/sys/vm/drop_caches")
EVERYTHING = "3\n"  # the page cache, and the dentries and inodes (proc(5))


def can_drop() -> bool:
    """Only root may, and only where /proc/sys is writable."""
    return os.geteuid() == 0 and os.access(SWITCH, os.W_OK)


def drop() -> None:
    """Empties the caches of the whole host. What is dirty is written first, because dirty pages are kept."""
    os.sync()
    SWITCH.write_text(EVERYTHING)
