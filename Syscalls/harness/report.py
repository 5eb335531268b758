"""What a person reads: the tables on the terminal, COVERAGE.md, and the README's figures."""

from pathlib import Path

from summary import Summary, Tally
from table import SUPPORT

START, END = "<!-- coverage: written by `make coverage` -->", "<!-- end of coverage -->"


def _numbers(tally: Tally, platform: str) -> list[int]:
    return [tally.passed.get(platform, 0), tally.failed.get(platform, 0), tally.differing.get(platform, 0),
            tally.intended.get(platform, 0)]


def terminal(summary: Summary) -> str:
    """Per call, then per family."""
    columns = "".join(f"  {platform:>10}: passed failed differ meant" for platform in summary.platforms)
    lines = [f"{'call':<26}{'cases':>6}{columns}"]
    def row(name: str, tally: Tally) -> str:
        cells = "".join("{:>20}{:>7}{:>7}{:>6}".format(*_numbers(tally, platform)) for platform in summary.platforms)
        return f"{name:<26}{tally.cases:>6}{cells}"
    lines += [row(call.name, summary.by_call[call.name]) for call in summary.calls if summary.by_call[call.name].cases]
    lines += ["", f"{'family':<26}{'cases':>6}{columns}"]
    lines += [row(name, tally) for name, tally in summary.by_family.items() if tally.cases]
    lines += [row("all", summary.total)]
    return "\n".join(lines)


def _table(header: list[str], rows: list[list[object]]) -> list[str]:
    return ["| " + " | ".join(header) + " |", "|" + " --- |" * len(header)] + [
        "| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]


def _per_platform(tally: Tally, platforms: list[str]) -> list[object]:
    return [number for platform in platforms for number in _numbers(tally, platform)]


def figures(summary: Summary) -> list[str]:
    """The few lines that README.md and COVERAGE.md share."""
    runnable = summary.supported("full") + summary.supported("partial")
    counts = ", ".join(f"{summary.supported(support)} {support}" for support in SUPPORT)
    total = len(summary.calls)
    lines = [f"{total} system calls up to Linux 6.18: {counts}; {runnable} can be run, {summary.covered()} have cases.", ""]
    rows = []
    for platform in summary.platforms:
        passed, failed, differing, intended = _numbers(summary.total, platform)
        rows.append([platform, summary.total.cases, passed, failed, differing, intended])
    return lines + _table(["platform", "cases", "passed", "failed", "differ from the host", "differ by intention"], rows)


def markdown(summary: Summary, about: dict) -> str:
    headings = [f"{platform}: {what}" for platform in summary.platforms for what in ("passed", "failed", "differ", "meant")]
    lines = ["# System-call coverage", "",
             "Written by `make coverage` from `table.tsv` and the last run. Host kernel of that run: "
             f"{about.get('kernel')}, {'as root' if about.get('root') else 'as an ordinary user'}.", "", *figures(summary), "",
             "A case that covers several calls counts for each of them, and once in the totals.", "", "## Families", ""]
    rows = []
    for family, tally in summary.by_family.items():
        rows.append([family, *(summary.supported(support, family) for support in SUPPORT), summary.covered(family), tally.cases,
                     *_per_platform(tally, summary.platforms)])
    lines += _table(["family", *SUPPORT, "calls with cases", "cases", *headings], rows)
    lines += ["", "## Calls", ""]
    rows = []
    for call in summary.calls:
        tally = summary.by_call[call.name]
        note = "" if call.note == "-" else call.note
        if call.errno != "-":
            note = f"{call.errno}: {note}"
        counts = _per_platform(tally, summary.platforms)
        rows.append([call.number, f"`{call.name}`", call.since, call.support, tally.cases, *counts, note])
    lines += _table(["number", "call", "since Linux", "support", "cases", *headings, "what is missing, or why it fails"], rows)
    return "\n".join(lines) + "\n"


def write_readme(path: Path, summary: Summary) -> None:
    text = path.read_text()
    if START not in text or END not in text:
        raise SystemExit(f"{path} has no lines `{START}` and `{END}`")
    before, rest = text.split(START, 1)
    after = rest.split(END, 1)[1]
    path.write_text(before + "\n".join([START, *figures(summary), END]) + after)
