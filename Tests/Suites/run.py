"""Suites that others wrote, natively and in a sandbox on every platform, compared test by test.

    python3 Tests/Suites/run.py [--bin FOLDER] [--platform P]… [--only SUITE[/UNIT]]… [--prefix COMMAND]

`fetch.sh` must have run before. The status is 0 when nothing differs but what differences.tsv explains.
"""

import argparse
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import suites

HERE = Path(__file__).resolve().parent
NATIVE = "native"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", type=Path, default=HERE.parent.parent / ".build/release", help="where sandbox-exec is")
    parser.add_argument("--folder", type=Path, default=HERE / "build", help="what fetch.sh filled")
    parser.add_argument("--platform", action="append", default=[])
    parser.add_argument("--only", action="append", default=[], help="a suite, or SUITE/UNIT")
    parser.add_argument("--timeout", type=int, default=600, help="seconds that one unit may take")
    parser.add_argument("--prefix", default="", help="words before every command, such as `nice -n 10`")
    parser.add_argument("--keep", type=Path, help="a folder for the outputs")
    return parser.parse_args()


def run(script: str, sandbox: list[str], options: argparse.Namespace, folder: Path) -> tuple[str, int]:
    """The output of one unit, which starts with a fresh copy of its suite's folder natively and an overlay inside."""
    limit = ["timeout", "-s", "KILL", str(options.timeout)]
    command = [*shlex.split(options.prefix), *limit, *sandbox, "sh", "-c", script]
    environment = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LC_ALL": "C.UTF-8", "TERM": "dumb"}
    with tempfile.TemporaryFile() as output:
        # A session of its own: some tests signal their process group.
        ended = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, env=environment, start_new_session=True)
        output.seek(0)
        return output.read().decode("utf-8", "replace"), ended.returncode


def explained() -> dict[tuple[str, str, str], str]:
    """differences.tsv: suite, unit and test (`*` for any), and why it differs."""
    found = {}
    for line in (HERE / "differences.tsv").read_text().splitlines():
        if line and not line.startswith("#"):
            suite, unit, test, reason = line.split("\t")
            found[suite, unit, test] = reason
    return found


def main() -> int:
    options = arguments()
    platforms = options.platform or ["seccomp", "ptrace"]
    reasons = explained()
    faults = 0
    for kind in suites.ALL:
        suite = kind(options.folder.resolve())
        wanted = [word for word in options.only if word.split("/")[0] == suite.name]
        if options.only and not wanted:
            continue
        counts = dict.fromkeys([NATIVE, *platforms, "different", "explained"], 0)
        tests = 0
        for unit in suite.units():
            if wanted and suite.name not in wanted and f"{suite.name}/{unit}" not in wanted:
                continue
            if unit in suite.excluded:
                continue
            results = {}
            for place in [NATIVE, *platforms]:
                sandbox = [] if place == NATIVE else [str(options.bin.absolute() / "sandbox-exec"), "--platform", place, "--"]
                with tempfile.TemporaryDirectory(dir="/tmp", prefix="suite.") as copy:
                    output, status = run(suite.script(unit), sandbox, options, Path(copy))
                if options.keep:
                    options.keep.mkdir(parents=True, exist_ok=True)
                    (options.keep / f"{suite.name}.{unit}.{place}").write_text(output)
                results[place] = suite.verdicts(output, status)
                counts[place] += sum(verdict in ("PASS", "ok", "as expected") for verdict in results[place].values())
            tests += len(results[NATIVE])
            for place in platforms:
                for test in sorted(results[NATIVE].keys() | results[place].keys()):
                    host, inside = results[NATIVE].get(test, "absent"), results[place].get(test, "absent")
                    if host == inside:
                        continue
                    reason = next((reasons[key] for key in [(suite.name, unit, test), (suite.name, unit, "*")] if key in reasons), None)
                    counts["explained" if reason else "different"] += 1
                    faults += reason is None
                    print(f"{'explained' if reason else 'DIFFERENT'} {suite.name}/{unit} {test} on {place}: {inside}, natively {host}"
                          + (f" ({reason})" if reason else ""), flush=True)
            print(f"{suite.name}/{unit}: {len(results[NATIVE])} tests", flush=True)
        print(f"== {suite.name}: {tests} tests; passed: {', '.join(f'{place} {counts[place]}' for place in [NATIVE, *platforms])}; "
              f"{counts['different']} different, {counts['explained']} explained", flush=True)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
