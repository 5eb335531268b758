"""Everything that one run of the harness has found."""

from dataclasses import asdict, dataclass, field

from .budgets import Budget
from .idle import Idle
from .jobs import Job
from .lifecycle import Lifecycle
from .placements import Placement
from .samples import Samples


@dataclass
class Session:
    """What the reports are made from."""

    facts: dict
    environments: list[str]
    skipped: dict[str, str]
    jobs: list[Job]
    placements: list[Placement]
    rounds: int
    budgets: list[Budget]
    scratch: str = ""  # where it lies, such as `disk (ext4)`
    cold: bool = False
    skipped_jobs: dict[str, str] = field(default_factory=dict)
    samples: Samples = field(default_factory=Samples)
    strays: dict[str, list[str]] = field(default_factory=dict)
    idle: list[Idle] = field(default_factory=list)
    lifecycle: list[Lifecycle] = field(default_factory=list)

    @property
    def budget_placement(self) -> str:
        """Budgets are promises for an unpinned sandbox on an idle machine, where the session has measured that."""
        names = [placement.name for placement in self.placements]
        return "unpinned" if "unpinned" in names else names[0]

    def as_json(self) -> dict:
        """Host facts and every raw sample."""
        return {
            "facts": self.facts,
            "environments": self.environments,
            "skipped": self.skipped,
            "rounds": self.rounds,
            "scratch": self.scratch,
            "cold": self.cold,
            "skipped_jobs": self.skipped_jobs,
            "jobs": [asdict(job) for job in self.jobs],
            "placements": [asdict(placement) for placement in self.placements],
            "strays": self.strays,
            "samples": self.samples.as_json(),
            "idle": [asdict(entry) for entry in self.idle],
            "lifecycle": [asdict(entry) for entry in self.lifecycle],
            "budgets": [asdict(budget) for budget in self.budgets],
        }
