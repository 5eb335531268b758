"""Case by case: the sandbox against the host kernel, less the differences that are meant."""

from dataclasses import dataclass
from pathlib import Path

from execution import PASSED, Outcome
from results import HOST

MISSING = "missing"


@dataclass(frozen=True)
class Fault:
    program: str
    case: str
    where: str  # "host" or the platform
    seen: str


class Differences:
    """differences.tsv: program, case, reason. The case differs from the host by intention, on every platform."""

    def __init__(self, path: Path):
        self.reasons: dict[tuple[str, str], str] = {}
        self.add(path)

    def add(self, path: Path) -> None:
        for index, line in enumerate(path.read_text().splitlines() if path.exists() else [], start=1):
            if not line or line.startswith("#"):
                continue
            fields = line.split("\t")
            if len(fields) != 3 or not fields[2].strip():
                raise SystemExit(f"{path}:{index}: expected program, case and reason, separated by tabs")
            self.reasons[fields[0], fields[1]] = fields[2]

    def stale(self, program: str, cases: dict[str, dict], platforms: list[str]) -> list[str]:
        """Cases of a program that stand here and differ nowhere, or are no more."""
        known = [case for name, case in self.reasons if name == program]
        return [case for case in known if case not in cases or not any(differs(cases[case], name) for name in platforms)]

    def allows(self, program: str, case: str) -> bool:
        return (program, case) in self.reasons


def merge(host: Outcome, inside: dict[str, Outcome]) -> dict[str, dict]:
    """The results of one program: every case that any run printed."""
    cases: dict[str, dict] = {}
    for outcome in [host, *inside.values()]:
        for case in outcome.verdicts:
            cases.setdefault(case, {"covers": host.covers.get(case) or outcome.covers.get(case) or []})
    for case, result in cases.items():
        result[HOST] = host.verdicts.get(case, MISSING)
        for platform, outcome in inside.items():
            result[platform] = _verdict(case, host, outcome)
    return cases


def _verdict(case: str, host: Outcome, inside: Outcome) -> str:
    """What a case came to inside: one that held, but observed something else than on the host, has not held."""
    verdict = inside.verdicts.get(case, _absent(inside))
    seen, wanted = inside.observed.get(case, ""), host.observed.get(case, "")
    if verdict == PASSED and case in host.verdicts and seen != wanted:
        return f"observed {seen or 'nothing'}, on the host {wanted or 'nothing'}"
    return verdict


def _absent(outcome: Outcome) -> str:
    return f"{MISSING}: {outcome.ending}" if outcome.ending else MISSING


def differs(result: dict, platform: str) -> bool:
    return (result[platform] == PASSED) != (result[HOST] == PASSED)


def faults(program: str, cases: dict[str, dict], outcomes: dict[str, Outcome], differences: Differences) -> list[Fault]:
    """What is wrong with a program's run: faulty cases, differences without a reason, and ends that no case explains."""
    found = []
    for case, result in cases.items():
        if result[HOST] != PASSED:
            found.append(Fault(program, case, HOST, result[HOST]))
        for platform in outcomes:
            if platform != HOST and differs(result, platform) and not differences.allows(program, case):
                found.append(Fault(program, case, platform, result[platform]))
    for where, outcome in outcomes.items():
        found += [Fault(program, case, where, "two cases have this name") for case in set(outcome.repeated)]
        if outcome.ending:
            found.append(Fault(program, "(end)", where, outcome.ending))
        elif not outcome.verdicts:
            found.append(Fault(program, "(end)", where, "no case was printed"))
    return found
