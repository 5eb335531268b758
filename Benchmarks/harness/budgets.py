"""The budgets of budgets.json beside what was measured."""

import json
from dataclasses import dataclass
from pathlib import Path

from . import text
from .environments import NATIVE, is_bound, is_stockade
from .idle import Idle
from .lifecycle import Lifecycle
from .samples import Samples

# How a budget's number is written, by its unit. A ratio is to the native median of the same
# placement; of a container's life, to runc's.
WRITERS = {"ns": text.duration, "ratio": text.ratio, "KiB": text.mebibytes}


@dataclass(frozen=True)
class Budget:
    """One promise: `first` is due now, `then` later."""

    what: str
    unit: str
    first: float
    then: float
    job: str = ""  # what is measured, or
    idle: str = ""  # the field of `Idle`, or
    lifecycle: bool = False  # a container's
    bind: bool = False  # a promise for a read-write bind of a directory on a disk alone

    def limit(self, value: float) -> str:
        """Such as `≤ 4.00 µs`, or `0` where nothing at all is allowed."""
        return f"≤ {WRITERS[self.unit](value)}" if value else "0"

    def measured(self, environment: str, placement: str, samples: Samples, idle: list[Idle],
                 lifecycle: list[Lifecycle] = ()) -> float | None:
        """The measured value in the budget's unit, or None when this session has none."""
        if self.bind and not is_bound(environment):
            return None
        if self.idle:
            return next((i.value(self.idle) for i in idle if i.environment == environment), None)
        if self.lifecycle:
            value, other = (next((i.median() for i in lifecycle if i.environment == name), None) for name in (environment, "runc"))
            if self.unit != "ratio" or value is None:
                return value
            return value / other if other else None
        value, native = (samples.median(placement, name, self.job) for name in (environment, NATIVE))
        if self.unit != "ratio" or value is None:
            return value
        return value / native if native else None


def load(path: Path) -> list[Budget]:
    """Reads budgets.json."""
    return [Budget(**entry) for entry in json.loads(path.read_text())]


def table(budgets: list[Budget], environments: list[str], placement: str, samples: Samples, idle: list[Idle],
          lifecycle: list[Lifecycle] = ()) -> str:
    """Markdown with a column for each of Stockade's platforms, without the budgets that this session didn't measure."""
    columns = [name for name in environments if is_stockade(name)]
    rows = []
    for budget in budgets:
        values = [budget.measured(name, placement, samples, idle, lifecycle) for name in columns]
        if all(value is None for value in values):
            continue
        cells = ["not measured" if value is None else
                 f"{WRITERS[budget.unit](value)}, {'met' if value <= budget.first else '**missed**'}" for value in values]
        rows.append([budget.what, budget.limit(budget.first), *cells, budget.limit(budget.then)])
    return text.markdown_table(["what", "first", *columns, "then"], rows) if rows else ""
