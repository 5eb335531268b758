"""The suites: what their units are, how one is run, and what its output says of each test."""

import re
from pathlib import Path

Verdicts = dict[str, str]


class Suite:
    """Tests that others wrote. A unit is what one command runs; its output gives a verdict for each test."""

    name = ""
    # Units that are never run, with the reason: they would change the host they run on, or take too long.
    excluded: dict[str, str] = {}

    def __init__(self, folder: Path):
        self.folder = folder

    def units(self) -> list[str]:
        raise NotImplementedError

    def script(self, unit: str) -> str:
        """A shell script; it may write below the suite's folder, which is a copy on the host and an overlay inside."""
        raise NotImplementedError

    def verdicts(self, output: str, status: int) -> Verdicts:
        raise NotImplementedError


class Busybox(Suite):
    """busybox's testsuite, on Debian's binary: the tests of one applet are a unit."""

    name = "busybox"
    excluded = {"mount": "mounts on the host", "mdev": "makes device nodes", "mkfs.minix": "the binary has none"}

    @property
    def tests(self) -> Path:
        return next(self.folder.glob("busybox-*/testsuite"))

    def units(self) -> list[str]:
        names = {path.name.removesuffix(".tests") for path in self.tests.glob("*.tests")}
        names |= {path.name for path in self.tests.iterdir() if path.is_dir()}
        return sorted(names)

    def script(self, unit: str) -> str:
        return f"cd {self.tests} && umask 022 && bindir={self.folder}/busybox/bin SKIP_KNOWN_BUGS=1 sh ./runtest {unit}"

    def verdicts(self, output: str, status: int) -> Verdicts:
        return {name: verdict for verdict, name in re.findall(r"^(PASS|FAIL|SKIPPED|UNTESTED): (.*)$", output, re.M)}


class Bash(Suite):
    """bash's own tests, on Debian's bash: each prints nothing when its output is the expected one."""

    name = "bash"
    excluded = {"run-all": "runs the others", "run-minimal": "runs the others"}

    @property
    def tests(self) -> Path:
        return next(self.folder.glob("bash-*/tests"))

    def units(self) -> list[str]:
        return sorted(path.name for path in self.tests.glob("run-*"))

    def script(self, unit: str) -> str:
        return (
            f"cd {self.tests} && export THIS_SH=/bin/bash PATH=.:{self.folder}/helpers:$PATH TMPDIR=/tmp "
            f"BASH_TSTOUT=/tmp/bashtst.$$ BUILD_DIR={self.tests.parent}; sh {unit} 2>&1; status=$?; rm -f $BASH_TSTOUT; exit $status"
        )

    def verdicts(self, output: str, status: int) -> Verdicts:
        # A warning that a difference is harmless is no difference.
        lines = [line for line in output.splitlines() if not line.startswith("warning:")]
        # The lines differ by machine in places (process numbers, versions): what counts is where they lie.
        places = sorted(line for line in lines if re.fullmatch(r"[0-9,]+[acd][0-9,]+", line))
        return {"output": "as expected" if status == 0 and not places else f"status {status}, {' '.join(places) or 'no differences'}"}


class CPython(Suite):
    """CPython's regression tests of what an operating system gives, on Debian's interpreter."""

    name = "cpython"
    modules = (
        "os posix posixpath subprocess threading signal select selectors mmap socket fcntl pty tempfile shutil multiprocessing_fork "
        "epoll poll wait3 wait4 fork1 eintr threadsignals threadedtempfile time resource pwd grp stat fileio pathlib glob pipes popen "
        "socketserver ioctl openpty posix_spawn getpass mailbox dbm tarfile zipfile concurrent_futures"
    ).split()
    excluded = {"concurrent_futures": "runs for very long"}

    def units(self) -> list[str]:
        import importlib.util

        return [name for name in self.modules if name not in self.excluded and importlib.util.find_spec(f"test.test_{name}")]

    def script(self, unit: str) -> str:
        # Left out are a test that sets the clock, and the host's along with it, and protocols that a kernel need not have.
        ignored = " ".join(f"-i '*{word}*'" for word in ("test_monotonic_settime", "UDPLITE", "VSOCK"))
        return f"cd /tmp && exec /usr/bin/python3 -X dev -W ignore -m test --verbose --timeout 240 {ignored} test_{unit} 2>&1"

    def verdicts(self, output: str, status: int) -> Verdicts:
        # What a test prints comes between its name and its verdict.
        found: Verdicts = {}
        starts = list(re.finditer(r"^(test\w*|setUp\w+|tearDown\w+) \(([\w.<>]+)\)", output, re.M))
        for start, end in zip(starts, [*(match.start() for match in starts[1:]), len(output)]):
            name, owner = start.groups()
            verdict = re.search(r"(?:^|\.\.\. |\s)(ok|FAIL|ERROR|skipped|expected failure)(?: ['\"].*)?$", output[start.end():end], re.M)
            if verdict:
                found.setdefault(owner if owner.endswith(name) else f"{owner}.{name}", verdict.group(1))
        found["status"] = str(status)
        return found


ALL = [Busybox, Bash, CPython]
