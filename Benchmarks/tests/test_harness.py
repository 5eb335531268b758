"""What the harness promises, whatever it measures: `python3 -m unittest discover Benchmarks/tests`."""

import os
import sys
import tempfile
import time
import unittest
import xml.etree.ElementTree as ElementTree
from pathlib import Path

BENCHMARKS = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(BENCHMARKS))

from harness import budgets, chart, programs, report, text  # noqa: E402
from harness.environment import Environment  # noqa: E402
from harness.idle import Idle, measure_idle, strays  # noqa: E402
from harness.jobs import MACRO, Job, all_jobs  # noqa: E402
from harness.placements import PLACEMENTS  # noqa: E402
from harness.processes import adopt_orphans, descendants  # noqa: E402
from harness.runner import FAILED, OK, TIMED_OUT, Runner  # noqa: E402
from harness.samples import Sample, Sampler, Samples  # noqa: E402
from harness.session import Session  # noqa: E402

PINNED = next(placement for placement in PLACEMENTS if placement.name == "pinned")


class RunnerTests(unittest.TestCase):
    """Commands end, are measured, and leave nothing behind."""

    @classmethod
    def setUpClass(cls):
        adopt_orphans()
        cls.directory = tempfile.TemporaryDirectory()
        cls.built = programs.build(BENCHMARKS, Path(cls.directory.name))
        cls.runner = Runner(cls.built, Path(cls.directory.name), timeout=20)
        cls.native = Environment("native", [], str(cls.runner.temporary))

    @classmethod
    def tearDownClass(cls):
        cls.directory.cleanup()

    def tearDown(self):
        self.assertEqual(descendants(os.getpid()), [])
        self.assertEqual(os.listdir(self.runner.temporary), [])

    def shell(self, line, **options):
        return self.runner.run(self.native, ["/bin/sh", "-c", line], **options)

    def test_times_a_command_and_keeps_its_output(self):
        outcome = self.shell("echo said; sleep 0.2")
        self.assertEqual((outcome.status, outcome.output), (OK, "said\n"))
        self.assertAlmostEqual(outcome.wall_ns / 1e9, 0.2, delta=0.15)

    def test_reports_exit_status_signal_and_last_line_of_a_failure(self):
        self.assertEqual(self.shell("echo why >&2; exit 3").reason, "exit status 3: why")
        self.assertEqual(self.shell("kill -9 $$").reason, "ended by signal 9")
        self.assertEqual(self.runner.run(self.native, ["/no/such/file"]).status, FAILED)

    def test_kills_what_a_timed_out_command_has_started_even_in_other_sessions(self):
        begin = time.monotonic()
        outcome = self.shell("trap '' TERM; setsid sleep 100 & sleep 100 & touch $TMPDIR/left; wait", timeout=0.5)
        self.assertEqual(outcome.status, TIMED_OUT)
        self.assertLess(time.monotonic() - begin, 5)

    def test_kills_daemons_that_outlive_their_command(self):
        self.assertEqual(self.shell("setsid sleep 100 & exit 0").status, OK)

    def test_pins_the_whole_tree(self):
        outcome = self.shell("sh -c 'grep Cpus_allowed_list /proc/self/status'", cpu=PINNED.cpu)
        self.assertEqual(outcome.output.split()[1], str(PINNED.cpu))

    def test_names_processes_that_leave_a_pinned_placement(self):
        cpus = f"{min(os.sched_getaffinity(0))}-{max(os.sched_getaffinity(0))}"
        fugitive = Environment("fugitive", ["taskset", "-c", cpus], str(self.runner.temporary))
        if len(os.sched_getaffinity(0)) > 1:
            self.assertEqual(len(strays(self.runner, [self.native, fugitive], PINNED)), 1)

    def test_neighbours_spin_beside_commands_and_end_with_their_block(self):
        with self.runner.busy_neighbours([None, PINNED.cpu]):
            self.shell("true")
            self.assertEqual(len(descendants(os.getpid())), 2)

    def test_an_exception_ends_a_kept_command(self):
        with self.assertRaises(KeyboardInterrupt), self.runner.running(self.native, ["/bin/sleep", "100"]):
            raise KeyboardInterrupt

    def test_a_sleeping_program_uses_no_cpu(self):
        broken = Environment("broken", ["/bin/false"], "/tmp")
        native, failed = measure_idle(self.runner, [self.native, broken], 0.5)
        self.assertEqual((native.processes, native.cpu_ns, failed.failed), (1, 0, True))
        self.assertGreater(native.pss_kib, 0)

    def test_every_micro_benchmark_prints_its_result(self):
        for job in all_jobs(self.built, Path("/nonexistent")):
            if job.kind != MACRO:
                outcome = self.runner.run(self.native, job.arguments)
                self.assertEqual(job.complaint(outcome), "")
                self.assertGreater(job.nanoseconds(outcome), 0)

    def test_a_job_that_timed_out_is_reported_and_not_tried_again(self):
        self.runner.timeout = 0.3
        endless = Job("endless", MACRO, ["/bin/sleep", "100"])
        samples = Sampler(self.runner, [self.native], [endless]).take([PINNED], rounds=2)
        self.runner.timeout = 20
        self.assertEqual([sample.status for sample in samples.all], [TIMED_OUT, TIMED_OUT])
        self.assertEqual(samples.all[1].reason, "not tried again")


def _session() -> Session:
    """Two environments, two jobs; the sandbox takes 10 times as long for one and fails the other."""
    facts = {"date": "today", "kernel": "Linux", "machine": "x86_64", "cpus": [0], "cpu": "CPU", "virtual": True,
             "memory_gib": 1, "load_before": [0], "versions": {}}
    session = Session(facts, ["native", "stockade-ptrace"], {"crun": "it is <absent>"},
                      [Job("null_call", MACRO, []), Job("broken", MACRO, [])], [PINNED], 2, [])
    session.samples = Samples()
    for number, (native, sandbox) in enumerate([(100, 1000), (300, 3000), (200, 2000)]):
        session.samples.add(Sample("pinned", number, "native", "null_call", OK, native))
        session.samples.add(Sample("pinned", number, "stockade-ptrace", "null_call", OK, sandbox))
        session.samples.add(Sample("pinned", number, "native", "broken", OK, native))
        session.samples.add(Sample("pinned", number, "stockade-ptrace", "broken", FAILED, reason="exit status 1"))
    return session


class ReportTests(unittest.TestCase):
    """Numbers reach the reader, and so does their absence."""

    def test_durations_have_three_digits(self):
        self.assertEqual([text.duration(ns) for ns in (0, 24.12, 999.9, 4210, 130e6, 2e9)],
                         ["0 ns", "24.1 ns", "1.00 µs", "4.21 µs", "130 ms", "2.00 s"])

    def test_table_gives_median_and_ratio_or_what_went_wrong(self):
        lines = report.markdown(_session()).splitlines()
        self.assertIn("| null_call | 200 ns | 2.00 µs (10.0×) |", lines)
        self.assertTrue(any(line.startswith("| broken ") and "failed" in line for line in lines))
        self.assertIn("- crun: it is <absent>", lines)

    def test_chart_is_well_formed_and_names_failures(self):
        tree = ElementTree.fromstring(chart.svg(_session(), PINNED))
        words = [element.text for element in tree.iter("{http://www.w3.org/2000/svg}text")]
        self.assertIn("10.0×", words)
        self.assertIn("stockade-ptrace: failed", words)

    def test_budgets_are_met_missed_or_not_measured(self):
        promises = [
            budgets.Budget("call", "ns", 2000, 1, job="null_call"),
            budgets.Budget("ratio", "ratio", 9, 1, job="null_call"),
            budgets.Budget("memory", "KiB", 1024, 1, idle="pss_kib"),
            budgets.Budget("absent", "ns", 1, 1, job="absent"),
        ]
        idle = [Idle("stockade-ptrace", 3, 500, 0, 0, 1, unreadable=1)]
        session = _session()
        table = budgets.table(promises, session.environments, "pinned", session.samples, idle)
        self.assertIn("2.00 µs, met", table)
        self.assertIn("10.0×, **missed**", table)
        self.assertNotIn("memory", table)
        self.assertNotIn("absent", table)

    def test_every_budget_names_something_that_is_measured(self):
        names = {job.name for job in all_jobs_by_name()}
        for budget in budgets.load(BENCHMARKS / "budgets.json"):
            self.assertTrue(budget.lifecycle or budget.job in names if not budget.idle else budget.idle in Idle.__dataclass_fields__)


def all_jobs_by_name() -> list[Job]:
    with tempfile.TemporaryDirectory() as directory:
        return all_jobs(programs.build(BENCHMARKS, Path(directory)), Path(directory))


if __name__ == "__main__":
    unittest.main()
