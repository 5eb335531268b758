#!/usr/bin/env python3
"""Measures the sandbox beside native and beside other sandboxes. See README.md."""

import argparse
import contextlib
import json
import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path

from harness import budgets, chart, facts, product, programs, report, scratch, workload
from harness.environment import Environment
from harness.environments import NATIVE, candidates, is_bound, is_stockade
from harness.file_jobs import file_jobs, prepare
from harness.idle import measure_idle, strays
from harness.jobs import Job, all_jobs
from harness.lifecycle import measure_lifecycle
from harness.options import BENCHMARKS, parse
from harness.processes import adopt_orphans, kill_descendants
from harness.programs import Programs
from harness.runner import OK, Runner
from harness.samples import Sampler
from harness.scratch import DISK, Scratch
from harness.session import Session

PROBE_TIMEOUT = 20.0


def working(runner: Runner, found: list[Environment], skipped: dict[str, str]) -> list[Environment]:
    """The environments that can run /bin/true. Adds the others to `skipped`."""
    able = []
    for environment in found:
        outcome = runner.run(environment, ["/bin/true"], timeout=PROBE_TIMEOUT)
        if outcome.status == OK:
            able.append(environment)
        else:
            skipped[environment.name] = outcome.reason
    return able


def check_essential(working_names: list[str], wanted: list[str]) -> None:
    """Ends the harness when nothing useful can come of it."""
    if NATIVE not in working_names:
        sys.exit("bench.py: /bin/true fails natively, so there is nothing to compare with")
    if any(map(is_stockade, wanted)) and not any(map(is_stockade, working_names)):
        sys.exit("bench.py: the sandbox can't run /bin/true on any platform; `--environments` without it measures the peers")


def chosen_jobs(options: argparse.Namespace, built: Programs) -> tuple[list[Job], dict[str, str]]:
    """What --files, --quick and --only leave over, with everything that these jobs read; and why other jobs can't run."""
    def is_wanted(name: str) -> bool:
        return not options.only or bool(options.only.search(name))
    if options.files:
        files = options.output / "files"
        found, missing = file_jobs(built, files, leaves_files=options.scratch == DISK)
        jobs = [job for job in found if is_wanted(job.name)]
        prepare(jobs, files)
        return jobs, {name: reason for name, reason in missing.items() if is_wanted(name)}
    workload.generate(options.output / "workload")
    jobs = all_jobs(built, options.output / "workload")
    return [job for job in jobs if is_wanted(job.name) and (options.only or job.is_quick or not options.quick)], {}


def measure(options: argparse.Namespace, directory: Path) -> Session:
    """Everything between the options and the reports."""
    options.output.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as stack:
        disk = stack.enter_context(scratch.on_disk(options.output / "files")) if options.scratch == DISK else None
        return measure_with(options, directory, disk)


def measure_with(options: argparse.Namespace, directory: Path, disk: Scratch | None) -> Session:
    """The same with a scratch directory on a disk, or without."""
    built = programs.build(BENCHMARKS, options.output)
    sandbox = product.copy(options.sandbox, options.output / "product")
    runner = Runner(built, directory, options.timeout, disk.directory if disk else None)

    state = directory / "state"
    state.mkdir()
    found, missing = candidates(sandbox, options.output, state, runner.temporary, disk)
    skipped = {name: reason for name, reason in missing.items() if name in options.environments}
    environments = working(runner, [e for e in found if e.name in options.environments], skipped)
    names = [environment.name for environment in environments]
    for name, reason in skipped.items():
        print(f"skipping {name}: {reason}", file=sys.stderr)
    check_essential(names, options.environments)
    jobs, skipped_jobs = chosen_jobs(options, built)
    for name, reason in skipped_jobs.items():
        print(f"skipping {name}: {reason}", file=sys.stderr)

    session = Session(
        facts={**facts.host(), "versions": facts.versions(sandbox, names)},
        environments=names,
        skipped=skipped,
        jobs=jobs,
        placements=options.placements,
        rounds=options.rounds,
        budgets=budgets.load(BENCHMARKS / "budgets.json"),
        scratch=f"{options.scratch} ({scratch.file_system(runner.temporary)})",
        cold=options.cold,
        skipped_jobs=skipped_jobs,
    )
    if session.jobs:
        session.strays = {p.name: strays(runner, environments, p) for p in options.placements if p.pinned}
        session.samples = Sampler(runner, environments, session.jobs, options.cold).take(options.placements, options.rounds)
    def is_measured(name: str) -> bool:
        return bool(options.only.search(name)) if options.only else not options.files
    unbound = [environment for environment in environments if not is_bound(environment.name)]
    if is_measured("idle"):
        session.idle = measure_idle(runner, unbound, options.idle)
    if is_measured("lifecycle"):
        session.lifecycle = measure_lifecycle(sandbox.parent / "stockade", [e.name for e in unbound], directory, options.rounds)
    session.facts["load_after"] = facts.load_average()
    return session


def write_reports(session: Session, output: Path) -> None:
    """Markdown also goes to standard output."""
    markdown = report.markdown(session)
    (output / "results.md").write_text(markdown)
    (output / "results.json").write_text(json.dumps(session.as_json(), indent=1) + "\n")
    for placement in session.placements if session.jobs else []:
        (output / f"results-{placement.name}.svg").write_text(chart.svg(session, placement))
    print(markdown, end="")
    print(f"reports: {output}/results.md, results.json, results-PLACEMENT.svg", file=sys.stderr)


def interrupt(number: int, _frame: object) -> None:
    """Turns every polite request to end into the exception that unwinds all `finally` blocks; only the first counts."""
    for wanted in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(wanted, signal.SIG_IGN)
    raise KeyboardInterrupt(128 + number)


def main() -> int:
    """The harness, from the command line to the exit status."""
    options = parse(sys.argv[1:])
    for wanted in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(wanted, interrupt)
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    adopt_orphans()
    directory = Path(tempfile.mkdtemp(prefix="stockade-bench-", dir=memory))
    try:
        session = measure(options, directory)
        write_reports(session, options.output)
    except KeyboardInterrupt as interruption:
        print("\ninterrupted: everything that was started is ended, no report was written", file=sys.stderr)
        return interruption.args[0] if interruption.args else 130
    finally:
        kill_descendants()
        shutil.rmtree(directory, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
