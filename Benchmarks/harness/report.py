"""The Markdown report."""

from . import budgets, text
from .environments import NATIVE
from .idle import Idle
from .jobs import Job
from .lifecycle import STEPS, Lifecycle
from .placements import Placement
from .runner import OK, TIMED_OUT
from .samples import Samples
from .session import Session


def _cell(samples: Samples, placement: str, environment: str, job: str) -> str:
    """Median and ratio to native; or what went wrong, so that no job vanishes from the table."""
    taken = samples.of(placement, environment, job)
    troubles = [sample.status for sample in taken if sample.status != OK]
    trouble = TIMED_OUT if TIMED_OUT in troubles else "failed"
    value = samples.median(placement, environment, job)
    if value is None:
        return trouble if taken else "not run"
    cell = text.duration(value)
    native = samples.median(placement, NATIVE, job)
    if native and environment != NATIVE:
        cell += f" ({text.ratio(value / native)})"
    return f"{cell}, {len(troubles)} of {len(taken)} {trouble}" if troubles else cell


def _placement_table(session: Session, placement: Placement) -> str:
    names = session.environments
    rows = [[job.name, *(_cell(session.samples, placement.name, name, job.name) for name in names)] for job in session.jobs]
    return text.markdown_table(["job", *names], rows)


def _idle_table(idle: list[Idle]) -> str:
    rows = []
    for entry in idle:
        if entry.failed:
            rows.append([entry.environment, "failed", "", "", ""])
            continue
        memory = text.mebibytes(entry.pss_kib)
        if entry.unreadable:
            memory += f" and {entry.unreadable} unreadable"
        rows.append([entry.environment, str(entry.processes), memory, text.duration(entry.cpu_ns), str(entry.wake_ups)])
    return text.markdown_table(["environment", "processes", "PSS", "CPU time", "wake-ups"], rows)


def _lifecycle_table(found: list[Lifecycle]) -> str:
    rows = []
    for entry in found:
        if entry.median() is None:
            rows.append([entry.environment, f"failed: {entry.reason}", *[""] * len(STEPS)])
        else:
            rows.append([entry.environment, *(text.duration(entry.median(step)) for step in ("", *STEPS))])
    return text.markdown_table(["runtime", "all", *STEPS], rows)


def _facts(session: Session) -> list[str]:
    facts = session.facts
    kind = "virtual machine" if facts["virtual"] else "no hypervisor seen"
    load = " ".join(map(str, facts["load_before"]))
    versions = ", ".join(f"{name} {version}" for name, version in facts["versions"].items())
    return [
        f"{facts['date']}; {facts['kernel']} {facts['machine']}; {len(facts['cpus'])} × {facts['cpu']} ({kind}); "
        f"{facts['memory_gib']} GiB; load before: {load}.",
        "",
        f"Medians over {session.rounds} {'round' if session.rounds == 1 else 'rounds'}, in brackets the ratio to native.",
        "",
        f"Scratch directory: {session.scratch}. Caches of the host's files: {'emptied before each command' if session.cold else 'warm'}.",
        "",
        f"Versions: {versions}.",
    ]


def _list(title: str, entries: list[str]) -> list[str]:
    return ["", title, "", *(f"- {entry}" for entry in entries)] if entries else []


def _troubles(samples: Samples) -> list[str]:
    lines = (f"{s.environment}, {s.job}, {s.placement}, round {s.round}: {s.status}"
             + (f" ({s.reason})" if s.reason else "") for s in samples.troubles())
    return list(dict.fromkeys(lines))


def markdown(session: Session) -> str:
    """The whole report."""
    lines = ["# Benchmarks", "", *_facts(session)]
    lines += _list("Skipped environments:", [f"{name}: {reason}" for name, reason in session.skipped.items()])
    lines += _list("Skipped jobs:", [f"{name}: {reason}" for name, reason in session.skipped_jobs.items()])
    for placement in session.placements if session.jobs else []:
        lines += ["", f"## {placement.name}: {placement.description}", "", _placement_table(session, placement)]
        lines += _list("Outside their placement:", session.strays.get(placement.name, []))
    lines += _list("Runs without a result:", _troubles(session.samples))
    if session.idle:
        lines += ["", f"## Idle for {session.idle[0].seconds:g} s, unpinned, alone", "", _idle_table(session.idle)]
    if session.lifecycle:
        lines += ["", "## Create, start and delete a container that runs `true`, unpinned, alone", "", _lifecycle_table(session.lifecycle)]
    placement = session.budget_placement
    table = budgets.table(session.budgets, session.environments, placement, session.samples, session.idle, session.lifecycle)
    if table and not session.cold:  # promises are for warm caches
        lines += ["", f"## Budgets (jobs {placement}, idle sandboxes unpinned)", "", table]
    return "\n".join(lines) + "\n"
