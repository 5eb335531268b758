"""Takes the samples, round by round."""

import contextlib
import statistics
import sys
import time
from dataclasses import asdict, dataclass

from . import caches
from .environment import Environment
from .jobs import Job
from .placements import Placement
from .runner import FAILED, OK, TIMED_OUT, Runner


LONG = 10.0  # seconds of a job in one round that are worth a line, so that nobody waits in the dark


@dataclass(frozen=True)
class Sample:
    """One run of one job."""

    placement: str
    round: int
    environment: str
    job: str
    status: str
    ns: float | None = None
    wall_ns: int | None = None
    cpu_ns: int | None = None
    reason: str = ""


class Samples:
    """All samples of a session, in the order in which they were taken."""

    def __init__(self) -> None:
        self.all: list[Sample] = []
        self._cells: dict[tuple[str, str, str], list[Sample]] = {}

    def add(self, sample: Sample) -> None:
        self.all.append(sample)
        self._cells.setdefault((sample.placement, sample.environment, sample.job), []).append(sample)

    def of(self, placement: str, environment: str, job: str) -> list[Sample]:
        """The samples of one table cell."""
        return self._cells.get((placement, environment, job), [])

    def median(self, placement: str, environment: str, job: str) -> float | None:
        """Median over the runs that ended well, in ns."""
        values = [s.ns for s in self.of(placement, environment, job) if s.status == OK]
        return statistics.median(values) if values else None

    def troubles(self) -> list[Sample]:
        """The samples that have no value."""
        return [s for s in self.all if s.status != OK]

    def as_json(self) -> list[dict]:
        return [asdict(sample) for sample in self.all]


class Sampler:
    """Runs jobs in rounds. Within a round each job visits every environment in turn, so that a slow moment of the machine
    hits all alike, and each round starts with another environment. When `cold`, the host's caches are emptied before each
    run of a job that reads its files."""

    def __init__(self, runner: Runner, environments: list[Environment], jobs: list[Job], cold: bool = False):
        self.runner = runner
        self.environments = environments
        self.jobs = jobs
        self.cold = cold
        self.samples = Samples()

    def _has_timed_out(self, placement: Placement, environment: Environment, job: Job) -> bool:
        return any(sample.status == TIMED_OUT for sample in self.samples.of(placement.name, environment.name, job.name))

    def _sample(self, placement: Placement, number: int, environment: Environment, job: Job) -> Sample:
        label = (placement.name, number, environment.name, job.name)
        if self._has_timed_out(placement, environment, job):
            return Sample(*label, TIMED_OUT, reason="not tried again")
        if self.cold and job.reads_host:
            caches.drop()
        outcome = self.runner.run(environment, job.arguments, placement.cpu)
        if complaint := job.complaint(outcome):
            return Sample(*label, outcome.status if outcome.status != OK else FAILED, reason=complaint)
        return Sample(*label, OK, job.nanoseconds(outcome), outcome.wall_ns, outcome.cpu_ns)

    def _round(self, jobs: list[Job], placement: Placement, number: int) -> None:
        first = (number - 1) % len(self.environments)
        order = self.environments[first:] + self.environments[:first]
        for job in jobs:
            begin = time.monotonic()
            self._warm_up(placement, job)
            for _ in range(job.runs_per_round):
                for environment in order:
                    self.samples.add(self._sample(placement, number, environment, job))
            if (taken := time.monotonic() - begin) > LONG:
                print(f"  {job.name}: {taken:.0f} s", file=sys.stderr, flush=True)

    def _warm_up(self, placement: Placement, job: Job) -> None:
        """Fills the page cache and gets memory from a hypervisor, which otherwise the first environment would do for the others.
        Just before the job, because both may be taken back meanwhile."""
        if job.is_warmed and not self.cold and not self._has_timed_out(placement, self.environments[0], job):
            self.runner.run(self.environments[0], job.arguments)

    def take(self, placements: list[Placement], rounds: int) -> Samples:
        """Takes all samples. The neighbours of a placement run only during its share of each round."""
        for jobs in ([job for job in self.jobs if not job.is_last], [job for job in self.jobs if job.is_last]):
            for number in range(1, rounds + 1):
                for placement in placements if jobs else []:
                    self._take_round(jobs, placement, number, rounds)
        return self.samples

    def _take_round(self, jobs: list[Job], placement: Placement, number: int, rounds: int) -> None:
        begin = time.monotonic()
        with contextlib.ExitStack() as stack:
            if placement.busy:
                stack.enter_context(self.runner.busy_neighbours(placement.neighbours))
            self._round(jobs, placement, number)
        taken = time.monotonic() - begin
        print(f"round {number} of {rounds}, {placement.name}: {taken:.0f} s", file=sys.stderr, flush=True)
