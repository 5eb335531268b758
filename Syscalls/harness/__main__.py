"""`make coverage`: every conformance program on the host kernel and on every platform, compared case by case.

    python3 Syscalls/harness [--only files/open]… [--jobs N] [--platform P]… [--scratch bind]

The status is 0 when no case fails on the host and none differs from it without a reason in differences.tsv.
"""

import argparse
import os
import shlex
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import comparison
import execution
import programs
import report
import table
from results import HOST, Results
from summary import Summary

FOLDER = Path(__file__).resolve().parent.parent
REPOSITORY = FOLDER.parent
PLATFORMS = ["ptrace", "seccomp", "kvm"]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="coverage", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", default=[], help="programs whose name starts so, such as files/ or files/open")
    parser.add_argument("--platform", action="append", default=[], help="only these platforms")
    parser.add_argument(
        "--scratch", choices=execution.SCRATCHES, default="overlay", help="what the programs' files lie on inside; COVERAGE.md is of overlay")
    parser.add_argument("--bin", type=Path, default=REPOSITORY / ".build/release", help="where sandbox-exec is")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="programs at a time")
    parser.add_argument("--timeout", type=float, default=60, help="seconds that one run of a program may take")
    parser.add_argument("--quiet", action="store_true", help="no tables, only faults and totals")
    return parser.parse_args()


def run_program(program: programs.Program, sandbox_exec: Path, platforms: list[str], timeout: float, scratch: str):
    """The outcome on the host and on each platform, by name."""
    outcomes = {HOST: execution.run(program, sandbox_exec, None, timeout, scratch)}
    for platform in platforms:
        outcomes[platform] = execution.run(program, sandbox_exec, platform, timeout, scratch)
    return outcomes


def describe(fault: comparison.Fault, sandbox_exec: Path, scratch: str) -> str:
    program = programs.select(FOLDER, [fault.program])[0]
    command = execution.command(program, sandbox_exec, None if fault.where == HOST else fault.where, scratch)
    shown = [os.path.relpath(word, REPOSITORY) if word.startswith(str(REPOSITORY)) else word for word in command]
    kind = "faulty case" if fault.where == HOST else "differs"
    return f"{kind}: {fault.program} {fault.case} on {fault.where}: {fault.seen}\n    reproduce: {shlex.join(shown)}"


def main() -> int:
    options = arguments()
    only = [name for word in options.only for name in word.split()]
    sandbox_exec = options.bin.absolute() / "sandbox-exec"
    calls = table.read(FOLDER / "table.tsv")
    differences = comparison.Differences(FOLDER / "differences.tsv")
    is_overlay = options.scratch == "overlay"
    if not is_overlay:
        # Further ones; those of the overlay may or may not show here.
        differences.add(FOLDER / f"differences-{options.scratch}.tsv")
    programs.build(FOLDER)
    selected = programs.select(FOLDER, only)
    platforms = execution.platforms(sandbox_exec, options.platform or PLATFORMS)
    if not platforms:
        raise SystemExit(f"no platform works: try {sandbox_exec} --platform {PLATFORMS[0]} -- true")

    results = Results(FOLDER / ("build/results.json" if is_overlay else f"build/results-{options.scratch}.json"))
    results.keep_only({program.name for program in programs.select(FOLDER, [])})
    faults: list[comparison.Fault] = []
    stale: list[str] = []
    with ThreadPoolExecutor(options.jobs) as pool:
        runs = [(program, pool.submit(run_program, program, sandbox_exec, platforms, options.timeout, options.scratch)) for program in selected]
        for program, run in runs:
            outcomes = run.result()
            cases = comparison.merge(outcomes[HOST], {name: outcomes[name] for name in platforms})
            results.put(program.name, cases)
            new = comparison.faults(program.name, cases, outcomes, differences)
            faults += new
            if is_overlay:
                stale += [f"{program.name} {case}" for case in differences.stale(program.name, cases, platforms)]
            print(f"{program.name}: {len(cases)} cases" + (f", {len(new)} faults" if new else ""), flush=True)
    results.save(platforms)

    shown = Results(results.path)
    if only:
        shown.keep_only({program.name for program in selected})
    summary = Summary(calls, shown, differences, platforms)
    if not options.quiet:
        print("\n" + report.terminal(summary))
    print("\n" + "\n".join(report.figures(summary)))
    for name in sorted(summary.unknown):
        print(f"a case covers {name}, which is no system call of table.tsv")
    for case in summary.uncovering:
        print(f"{case} does not say which calls it covers")
    for case in stale:
        print(f"{case} stands in differences.tsv and does not differ")
    for fault in faults:
        print(describe(fault, sandbox_exec, options.scratch))
    # Documents speak of the whole suite on every platform.
    if is_overlay and not only and not options.platform:
        (FOLDER / "COVERAGE.md").write_text(report.markdown(summary, shown.about))
        report.write_readme(REPOSITORY / "README.md", summary)
    return 1 if faults or stale or summary.unknown or summary.uncovering else 0


if __name__ == "__main__":
    raise SystemExit(main())
