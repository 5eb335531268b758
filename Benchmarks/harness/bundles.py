"""Runtimes that want an OCI bundle: runc and crun."""

import contextlib
import itertools
import json
import os
import subprocess
from pathlib import Path

from .environment import Environment
from .scratch import Scratch

# What a program needs of the host's root. Links such as /bin -> usr/bin are made again, directories are bound.
ROOT_ENTRIES = ("bin", "etc", "lib", "lib32", "lib64", "libx32", "sbin", "usr")
READ_ONLY = ["rbind", "ro", "nosuid", "nodev"]
WRITABLE = ["rbind", "rw", "nosuid", "nodev"]


def _bind(path: str, options: list[str] = READ_ONLY) -> dict:
    return {"destination": path, "source": path, "type": "bind", "options": options}


def _configuration(shown: Path, binds: list[str], disk: Scratch | None) -> dict:
    """The parts of config.json that don't change from command to command."""
    mounts = [
        {"destination": "/proc", "type": "proc", "source": "proc"},
        {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=755"]},
        {"destination": "/tmp", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "nodev", "mode=1777"]},
        *map(_bind, binds),
        _bind(str(shown)),
        *([_bind(str(disk.shared), WRITABLE)] if disk else []),
    ]
    namespaces = ["pid", "mount", "ipc", "uts", "network"]
    linux: dict = {}
    if os.geteuid() != 0:
        namespaces.append("user")
        linux["uidMappings"] = [{"containerID": 0, "hostID": os.geteuid(), "size": 1}]
        linux["gidMappings"] = [{"containerID": 0, "hostID": os.getegid(), "size": 1}]
    linux["namespaces"] = [{"type": kind} for kind in namespaces]
    return {"ociVersion": "1.0.2", "root": {"path": "rootfs", "readonly": True}, "mounts": mounts, "linux": linux}


class BundleEnvironment(Environment):
    """Writes a bundle for each command, with the host's programs as a read-only root and a tmpfs at /tmp."""

    def __init__(self, name: str, program: str, shown: Path, state: Path, disk: Scratch | None = None):
        super().__init__(name, [], str(disk.directory) if disk else "/tmp")
        self.bundle = state / f"{name}-bundle"
        self.containers = state / f"{name}-containers"
        self.runtime = [program, "--root", str(self.containers)]
        self.container_prefix = f"stockade-bench-{name}-{os.getpid()}-"
        self.numbers = itertools.count(1)
        rootfs = self.bundle / "rootfs"
        rootfs.mkdir(parents=True)
        binds = []
        for entry in ROOT_ENTRIES:
            original = Path("/", entry)
            if original.is_symlink():
                (rootfs / entry).symlink_to(os.readlink(original))
            elif original.is_dir():
                (rootfs / entry).mkdir()
                binds.append(str(original))
        for directory in ("proc", "dev", "tmp", str(shown).lstrip("/")):
            (rootfs / directory).mkdir(parents=True, exist_ok=True)
        self.configuration = _configuration(shown, binds, disk)

    def command(self, arguments: list[str]) -> list[str]:
        variables = [f"{name}={value}" for name, value in self.variables().items()]
        process = {"terminal": False, "user": {"uid": 0, "gid": 0}, "cwd": "/", "noNewPrivileges": True,
                   "args": arguments, "env": variables}
        (self.bundle / "config.json").write_text(json.dumps({**self.configuration, "process": process}))
        container = f"{self.container_prefix}{next(self.numbers)}"
        return [*self.runtime, "run", "--bundle", str(self.bundle), container]

    def discard(self) -> None:
        """Deletes the containers whose runtime was killed, and control groups that it had not yet written down."""
        for container in self.containers.iterdir() if self.containers.is_dir() else []:
            subprocess.run([*self.runtime, "delete", "--force", container.name], timeout=20, check=False,
                           stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for directory, groups, _ in os.walk("/sys/fs/cgroup"):
            for group in groups:
                if group.startswith(self.container_prefix):
                    with contextlib.suppress(OSError):
                        os.rmdir(Path(directory, group))
