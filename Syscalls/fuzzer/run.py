#!/usr/bin/env python3
"""Runs the fuzzer in a sandbox and watches the sandbox from outside. See README.md."""

import argparse
import os
import re
import selectors
import shutil
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import processes
from audit import TRACING, Audit

HERE = Path(__file__).resolve().parent
SUSPICIOUS = re.compile(
    r"outside its filter|Fatal error|SIGILL|SIGSEGV|SIGTRAP|sandbox-exec:|stockade-sentry:|stockade-gofer:|stuck worker|left over:")
QUIET_SECONDS = 60
HISTORY, ARGUMENTS = 8, 6
SLOT = struct.Struct(f"<IIQ{HISTORY * (1 + ARGUMENTS)}Q")
SLOTS = 28
PHASE = struct.Struct("<48sQ")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--platform", default="seccomp", choices=["seccomp", "ptrace"])
    parser.add_argument("--fast-path", default="on", choices=["on", "off", "eager"], help="of the seccomp platform")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--seconds", type=int, default=10, help="length of a round")
    parser.add_argument("--rounds", type=int, default=3, help="after each one everything is ended and measured")
    parser.add_argument("--sandbox", default=str(HERE.parent.parent / ".build/release/sandbox-exec"))
    parser.add_argument("--max-pss", type=int, default=3072, help="MiB of all processes together, then the run ends")
    parser.add_argument("--max-growth", type=int, default=4, help="MiB that the heap of the Sentry may gain from round to round")
    parser.add_argument("--debugger", action="store_true", help="have gdb print the Sentry's stack when it traps")
    parser.add_argument("--max-memory-growth", type=int, default=256, help="MiB that the memory file may gain between rounds")
    parser.add_argument("--audit", action="store_true", help="count every call that the host performs for stub processes (root, tracefs)")
    parser.add_argument("--audit-filters", action="store_true",
                        help="have the Sentry and the Gofer report host calls outside their own filters, and go on")
    parser.add_argument("--progress", action="store_true", help="print the supervisor's progress")
    parser.add_argument("--counts", action="store_true", help="print calls made and calls that succeeded per number")
    return parser.parse_args()


class Run:
    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.faults: list[str] = []
        self.idle: list[dict[str, int]] = []
        self.kinds: list[dict[str, int]] = []
        self.seen: set[processes.Process] = set()
        self.counts: dict[int, tuple[int, int]] = {}
        self.samples: dict[str, int] = {}
        self.last = "nothing printed"
        self.sentry = self.gofer = 0
        self.ready = False
        self.audit = Audit(f"stockade-fuzz-{os.getpid()}") if options.audit else None
        self.debugger: subprocess.Popen | None = None

    @property
    def command(self) -> str:
        o = self.options
        fast = f" --fast-path {o.fast_path}" if o.fast_path != "on" else ""
        return f"python3 Syscalls/fuzzer/run.py --platform {o.platform}{fast} --seed {o.seed} --seconds {o.seconds} --rounds {o.rounds}"

    def fault(self, text: str) -> None:
        self.faults.append(text)
        print(f"FAULT {text}", flush=True)

    def run(self) -> int:
        print(self.command, flush=True)
        with tempfile.TemporaryDirectory(prefix="stockade-fuzz-") as folder:
            record = Path(folder) / "record"
            record.touch()
            granted = Path(folder) / "granted"
            granted.mkdir()
            os.chmod(granted, 0o777)
            os.chmod(folder, 0o777)
            o = self.options
            sandbox = subprocess.Popen(
                [o.sandbox, "--platform", o.platform, "--fast-path", o.fast_path] + ["--audit"] * o.audit_filters
                + ["--bind", f"{record}:/record", "--bind", f"{granted}:/granted", "--", str(HERE / "build/fuzzer"), "--seed",
                 str(o.seed), "--seconds", str(o.seconds), "--rounds", str(o.rounds), "--record", "/record"],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            try:
                self.watch(sandbox)
            finally:
                if sandbox.poll() is None:
                    sandbox.kill()
                status = sandbox.wait()
            self.after(status)
            if self.faults:
                self.print_record(record)
        return self.summary()

    def watch(self, sandbox: subprocess.Popen) -> None:
        selector = selectors.DefaultSelector()
        selector.register(sandbox.stdout, selectors.EVENT_READ)
        os.set_blocking(sandbox.stdout.fileno(), False)
        pending, silent, last = b"", 0.0, time.monotonic()
        while True:
            ready = selector.select(timeout=0.25)
            for _ in ready:
                chunk = os.read(sandbox.stdout.fileno(), 65536)
                if not chunk:
                    return
                silent = 0.0
                *lines, pending = (pending + chunk).split(b"\n")
                for line in lines:
                    self.line(re.sub(r"[^ -~]", "?", line.decode("latin-1")), sandbox.pid)
            # What passed while this was running too: a host may be busy, or sleep. Checked only when there is nothing to read.
            silent, last = silent + min(time.monotonic() - last, 1), time.monotonic()
            if not ready and silent > QUIET_SECONDS:
                self.fault(f"hang: nothing from the supervisor for {QUIET_SECONDS} s; last: {self.last}")
                self.describe_hang()
                return
            self.sample(sandbox.pid)

    def line(self, line: str, root: int) -> None:
        word = line.split(" ", 1)[0]
        if word == "count":
            number, made, succeeded = (int(field) for field in line.split()[1:])
            self.counts[number] = (made, succeeded)
            return
        self.last = line
        if word in ("ready", "idle"):
            self.ready = True
            self.idle.append(self.measure(root))
            self.kinds.append(processes.descriptors(self.sentry))
            line += " " + " ".join(f"{key}={value}" for key, value in self.idle[-1].items())
        if word != "progress" or self.options.progress:
            print(line, flush=True)
        if SUSPICIOUS.search(line):
            self.fault(line)

    def find_sentry(self, found: list[processes.Process]) -> None:
        if not self.sentry:
            self.sentry = next((process.pid for process in found if process.name == "stockade-sentry"), 0)
            self.gofer = next((process.pid for process in found if process.name == "stockade-gofer"), 0)
            if self.sentry and self.options.debugger:
                script = ["handle SIGSEGV SIGBUS SIGSYS SIGPIPE SIGUSR1 SIGUSR2 SIGCHLD SIGURG SIG34 nostop noprint pass", "continue", "bt 24",
                          "detach"]
                self.debugger = subprocess.Popen(["gdb", "-q", "-nx", "-batch", "-p", str(self.sentry)] + [f"-ex={line}" for line in script],
                                 stdin=subprocess.DEVNULL, stdout=open("/tmp/stockade-fuzz-gdb.log", "w"), stderr=subprocess.STDOUT)

    def sample(self, root: int) -> None:
        """Looks at every process, and at what guest threads do on the host."""
        found = processes.tree(root)
        self.seen.update(found)
        self.find_sentry(found)
        if self.audit and self.sentry:
            # Later ones are followed because they are made by these; a process id found here could be another's when it is written.
            stubs = set() if self.ready else {
                process.pid for process in found if process.pid not in (root, self.sentry) and process.name == ""}
            self.audit.follow(stubs)
            self.audit.read({process.pid for process in self.seen})
        for process in found:
            if process.pid in (root, self.sentry) or process.name.startswith(("stockade-gofer", "sandbox-exec")):
                continue
            for number, where, pointer, filters in processes.waits(process.pid):
                self.judge(process, number, where, pointer, filters)
        total = sum(processes.pss(process.pid) for process in found) // 1024
        if total > self.options.max_pss:
            self.fault(f"memory: {total} MiB in {len(found)} processes; last: {self.last}")
            os.kill(root, 9)

    def judge(self, process: processes.Process, number: int, where: str, pointer: int, filters: int) -> None:
        if where.startswith(processes.ANSWERED_BY_SENTRY):
            kind = "waiting for the Sentry"
        elif pointer in processes.STUB_CODE and number in processes.STUB_CALLS:
            kind = "the stub's own call"
        elif number == -1 or filters == 0 and pointer == 0:
            kind = "not in a call"
        elif filters == 0 and not self.ready:
            kind = "a part of the sandbox that starts"
        else:
            kind = "on the host"
            self.fault(f"guest call on the host? process {process.pid}: call {number} at {pointer:#x} in {where}, filters {filters}")
        self.samples[kind] = self.samples.get(kind, 0) + 1

    def measure(self, root: int) -> dict[str, int]:
        found = processes.tree(root)
        self.find_sentry(found)
        return {"processes": len(found), "sentry_kib": processes.pss(self.sentry),
                "heap_kib": processes.pss(self.sentry, "Pss_Anon"), "all_kib": sum(processes.pss(p.pid) for p in found),
                "memory_file_kib": processes.memory_files(self.sentry), "gofer_kib": processes.pss(self.gofer, "Pss_Anon"),
                "threads": processes.count(self.sentry, "task"), "descriptors": processes.count(self.sentry, "fd"),
                "gofer_descriptors": processes.count(self.gofer, "fd")}

    def describe_hang(self) -> None:
        for task in sorted(os.listdir(f"/proc/{self.sentry}/task")):
            folder = Path(f"/proc/{self.sentry}/task/{task}")
            if not folder.is_dir():
                continue
            print("  sentry", task, *(processes.contents(folder / name).strip()[:60] for name in ("comm", "wchan", "syscall")))
        if self.debugger:
            self.debugger.kill()
            self.debugger.wait()
        if shutil.which("gdb"):
            subprocess.run(["gdb", "-q", "-nx", "-batch", "-p", str(self.sentry), "-ex", "thread apply all bt 24"],
                           stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def after(self, status: int) -> None:
        if self.audit:
            self.audit.read({process.pid for process in self.seen})
            self.audit.close()
            print("performed by the host for stub processes: " + ", ".join(
                f"{role} {number}: {count}" for (role, number), count in sorted(self.audit.calls.items())) + f"; {self.audit.lost} lost")
            if unexpected := self.audit.unexpected():
                self.fault(f"calls reached the host: {unexpected}")
        if status != 0:
            self.fault(f"the sandbox ended with {status}; last: {self.last}")
        deadline = time.monotonic() + 5
        while any(process.alive for process in self.seen) and time.monotonic() < deadline:
            time.sleep(0.1)
        left = [process.pid for process in self.seen if process.alive]
        if left:
            self.fault(f"left behind: {left}")
        if len(self.idle) > 2: # the first measurement is before the first round, the second has the pools filled
            first, last = self.idle[1], self.idle[-1]
            self.compare_descriptors(first["descriptors"], last["descriptors"])
            rounds = len(self.idle) - 2
            if last["heap_kib"] - first["heap_kib"] > self.options.max_growth * 1024 * rounds:
                self.fault(f"the Sentry's heap grew from {first['heap_kib']} to {last['heap_kib']} KiB in {rounds} rounds")
            if last["memory_file_kib"] - first["memory_file_kib"] > self.options.max_memory_growth * 1024:
                self.fault(f"the memory file grew from {first['memory_file_kib']} to {last['memory_file_kib']} KiB in {rounds} rounds")
            for what, room in (("gofer_kib", self.options.max_growth * 1024), ("gofer_descriptors", 64)):
                if last[what] > first[what] + room:
                    self.fault(f"{what} grew from {first[what]} to {last[what]} in {rounds} rounds")
        if len(self.idle) > 1:
            for what, room in (("threads", 16), ("processes", 16)):
                if self.idle[-1][what] > self.idle[0][what] + room:
                    self.fault(f"{what} of the Sentry: {self.idle[0][what]} before, {self.idle[-1][what]} when all had ended")

    def compare_descriptors(self, first: int, last: int) -> None:
        """Between rounds: what is kept for the next guest is there after the first one."""
        if last > first + 24:
            grown = {kind: f"{self.kinds[1].get(kind, 0)} to {number}" for kind, number in self.kinds[-1].items()
                     if number > self.kinds[1].get(kind, 0)}
            self.fault(f"descriptors of the Sentry grew from {first} to {last}: {grown}")

    def print_record(self, record: Path) -> None:
        """Where the supervisor is, then the last calls of each thread: the newest first."""
        data = record.read_bytes()
        phase = data[SLOTS * SLOT.size :][: PHASE.size]
        if len(phase) == PHASE.size:
            text, step = PHASE.unpack(phase)
            print(f"supervisor: {text.rstrip(bytes(1)).decode('latin-1')} {step}")
        for index in range(SLOTS):
            if len(data) < (index + 1) * SLOT.size:
                break
            pid, tid, made, *words = SLOT.unpack_from(data, index * SLOT.size)
            if made == 0:
                continue
            print(f"slot {index}: process {pid} thread {tid} made {made}")
            for back in range(min(made, 4)):
                at = (made - 1 - back) % HISTORY * (1 + ARGUMENTS)
                print(f"    {words[at]}({', '.join(hex(word) for word in words[at + 1 : at + 1 + ARGUMENTS])})")

    def print_coverage(self) -> None:
        """Runnable calls of the table: which were made, and which of them ever succeeded."""
        rows = [line.split("\t") for line in (HERE.parent / "table.tsv").read_text().splitlines() if line[:1].isdigit()]
        runnable = {int(row[0]): row[1] for row in rows if row[4] in ("full", "partial")}
        unmade = [name for number, name in runnable.items() if not self.counts.get(number, (0, 0))[0]]
        failed = [name for number, name in runnable.items() if self.counts.get(number, (0, 0))[0] and not self.counts[number][1]]
        print(f"of {len(runnable)} runnable calls {len(runnable) - len(unmade)} were made; not: {' '.join(unmade) or 'none'}")
        print(f"made, but never with success: {' '.join(failed) or 'none'}")

    def summary(self) -> int:
        made = sum(count for count, _ in self.counts.values())
        used = sum(1 for number in self.counts if number < 512)
        if self.options.counts:
            for number, (count, succeeded) in sorted(self.counts.items()):
                print(f"  {number:4} made {count:8} succeeded {succeeded:8}")
        print(f"{made} calls of {used} numbers; guest threads seen: "
              + ", ".join(f"{count} {kind}" for kind, count in sorted(self.samples.items())))
        self.print_coverage()
        if len(self.idle) > 1:
            print("from the first round's end to the last's: " + ", ".join(
                f"{key} {self.idle[1][key]} to {value}" for key, value in self.idle[-1].items()))
        print(f"{len(self.faults)} faults" + (f"; again: {self.command}" if self.faults else ""), flush=True)
        return 1 if self.faults else 0


def main() -> int:
    options = arguments()
    if subprocess.run(["make", "-s", "-C", str(HERE)]).returncode != 0:
        return 2
    if options.audit and not (TRACING / "instances").is_dir():
        print("--audit needs tracefs: mount -t tracefs tracefs /sys/kernel/tracing", file=sys.stderr)
        return 2
    return Run(options).run()


if __name__ == "__main__":
    sys.exit(main())
