"""Counts per call and per family."""

from dataclasses import dataclass, field

from comparison import Differences, differs
from execution import PASSED
from results import Results
from table import Call


@dataclass
class Tally:
    cases: int = 0
    passed: dict[str, int] = field(default_factory=dict)
    failed: dict[str, int] = field(default_factory=dict)
    intended: dict[str, int] = field(default_factory=dict)
    differing: dict[str, int] = field(default_factory=dict)

    def add(self, result: dict, platforms: list[str], is_intended: bool) -> None:
        self.cases += 1
        for platform in platforms:
            if platform not in result:
                continue
            self._count(self.passed if result[platform] == PASSED else self.failed, platform)
            if differs(result, platform):
                self._count(self.intended if is_intended else self.differing, platform)

    @staticmethod
    def _count(counts: dict[str, int], platform: str) -> None:
        counts[platform] = counts.get(platform, 0) + 1


class Summary:
    def __init__(self, calls: list[Call], results: Results, differences: Differences, platforms: list[str]):
        self.calls, self.platforms = calls, platforms
        self.by_call = {call.name: Tally() for call in calls}
        self.by_family = {call.family: Tally() for call in calls}
        self.total = Tally()
        self.unknown: set[str] = set()
        self.uncovering: list[str] = []
        family = {call.name: call.family for call in calls}
        for program, case, result in results.cases():
            is_intended = differences.allows(program, case)
            self.total.add(result, platforms, is_intended)
            if not result["covers"]:
                self.uncovering.append(f"{program} {case}")
            self.unknown |= {name for name in result["covers"] if name not in family}
            known = [name for name in result["covers"] if name in family]
            for name in known:
                self.by_call[name].add(result, platforms, is_intended)
            for name in {family[name] for name in known}:
                self.by_family[name].add(result, platforms, is_intended)

    def supported(self, support: str, family: str | None = None) -> int:
        return sum(call.support == support and family in (None, call.family) for call in self.calls)

    def covered(self, family: str | None = None) -> int:
        """Calls with at least one case."""
        return sum(self.by_call[call.name].cases > 0 and family in (None, call.family) for call in self.calls)
