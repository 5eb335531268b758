"""What the harness promises, whatever it measures: `python3 -m unittest discover Benchmarks/tests`."""

import contextlib
import io
import os
import shutil
import sys
import tempfile
import time
import unittest
import unittest.mock
import xml.etree.ElementTree as ElementTree
from pathlib import Path

BENCHMARKS = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(BENCHMARKS))

from harness import budgets, caches, chart, options, programs, report, scratch, text, trees  # noqa: E402
from harness.environment import Environment  # noqa: E402
from harness.environments import candidates  # noqa: E402
from harness.file_jobs import PREFIX, Sizes, file_jobs, prepare  # noqa: E402
from harness.idle import Idle, measure_idle, strays  # noqa: E402
from harness.jobs import FIO, MACRO, MICRO, Job, all_jobs  # noqa: E402
from harness.placements import PLACEMENTS  # noqa: E402
from harness.processes import adopt_orphans, descendants  # noqa: E402
from harness.runner import FAILED, OK, TIMED_OUT, Outcome, Runner  # noqa: E402
from harness.samples import Sample, Sampler, Samples  # noqa: E402
from harness.session import Session  # noqa: E402

SMALL = Sizes(mebibytes=3, package_directories=2, fio_seconds=1, tree=trees.Shape(3, 4), repository=trees.Shape(2, 5))
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

    def test_every_file_job_runs_and_checks_its_result(self):
        with tempfile.TemporaryDirectory() as directory:
            jobs, _ = file_jobs(self.built, Path(directory), SMALL)
            prepare(jobs, Path(directory), SMALL)
            for job in jobs:
                outcome = self.runner.run(self.native, job.arguments)
                self.assertEqual((job.name, job.complaint(outcome)), (job.name, ""))
                self.assertGreater(job.nanoseconds(outcome), 0)
                self.assertEqual((job.name, os.listdir(self.runner.temporary)), (job.name, []))
            shutil.rmtree(Path(directory, "tree/directory001"))
            for job in jobs:
                if job.name in ("files_find", "files_find_newer", "files_tar"):
                    self.assertIn("wrong result", job.complaint(self.runner.run(self.native, job.arguments)))

    def test_caches_are_emptied_before_each_command_of_a_cold_session_and_before_no_other_job(self):
        jobs = [Job("macro", MACRO, ["/bin/true"]), Job("micro", MICRO, ["/bin/echo", "micro", "1"])]
        with unittest.mock.patch.object(caches, "drop") as drop:
            Sampler(self.runner, [self.native], jobs).take([PINNED], rounds=2)
            self.assertEqual(drop.call_count, 0)
            Sampler(self.runner, [self.native, self.native], jobs, cold=True).take([PINNED], rounds=2)
            self.assertEqual(drop.call_count, 4)

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

    def test_a_promise_for_a_bind_says_nothing_about_an_overlay(self):
        session = _session()
        for name, ns in (("native", 100), ("stockade-ptrace", 900), ("stockade-ptrace-bind", 150)):
            session.samples.add(Sample("pinned", 1, name, "files_find", OK, ns))
        promise = budgets.Budget("find", "ratio", 2, 2, job="files_find", bind=True)
        table = budgets.table([promise], ["native", "stockade-ptrace", "stockade-ptrace-bind"], "pinned", session.samples, [])
        self.assertIn("not measured", table)
        self.assertIn("1.50×, met", table)

    def test_the_report_says_where_scratch_lies_whether_caches_were_cold_and_which_jobs_are_absent(self):
        session = _session()
        session.scratch, session.cold, session.skipped_jobs = "disk (ext4)", True, {"files_fio_randread": "fio isn't on PATH"}
        session.budgets = [budgets.Budget("call", "ns", 2000, 1, job="null_call")]
        markdown = report.markdown(session)
        self.assertIn("Scratch directory: disk (ext4). Caches of the host's files: emptied before each command.", markdown)
        self.assertIn("- files_fio_randread: fio isn't on PATH", markdown)
        self.assertNotIn("Budgets", markdown)

    def test_every_budget_names_something_that_is_measured(self):
        names = all_job_names()
        for budget in budgets.load(BENCHMARKS / "budgets.json"):
            self.assertTrue(budget.lifecycle or budget.job in names if not budget.idle else budget.idle in Idle.__dataclass_fields__)


def all_job_names() -> set[str]:
    """Those whose program this machine lacks too."""
    with tempfile.TemporaryDirectory() as directory:
        built = programs.build(BENCHMARKS, Path(directory))
        jobs, missing = file_jobs(built, Path(directory))
        return {job.name for job in all_jobs(built, Path(directory)) + jobs} | missing.keys()


class FileJobTests(unittest.TestCase):
    """What the file jobs work on, and where."""

    built = programs.Programs(*map(Path, ("/micro", "/bulk", "/timed", "/spin")))

    def test_all_names_have_the_prefix(self):
        jobs, missing = file_jobs(self.built, Path("/files"))
        self.assertTrue(all(name.startswith(PREFIX) for name in [*missing, *(job.name for job in jobs)]))

    def test_a_job_without_its_program_is_skipped_by_name(self):
        with unittest.mock.patch.object(shutil, "which", lambda program: None if program == "fio" else program):
            jobs, missing = file_jobs(self.built, Path("/files"))
        self.assertEqual(missing, {"files_fio_randread": "fio isn't on PATH"})
        self.assertNotIn("files_fio_randread", [job.name for job in jobs])

    def test_fio_counts_in_ns_for_each_read(self):
        job = Job("reads", FIO, [])
        outcome = Outcome(OK, output='fio: a warning\n{"jobs": [{"read": {"iops": 250000.0}}]}\n')
        self.assertEqual((job.complaint(outcome), job.nanoseconds(outcome)), ("", 4000))
        for output in ("", "{", '{"jobs": []}', '{"jobs": [{"read": {"iops": 0}}]}'):
            self.assertEqual(job.complaint(Outcome(OK, output=output)), "it did no read")

    def test_only_what_a_job_needs_is_generated_and_only_once(self):
        with tempfile.TemporaryDirectory() as name:
            directory = Path(name)
            prepare([Job("files_seq_read", MICRO, [])], directory, SMALL)
            self.assertEqual(list(directory.iterdir()), [])
            prepare([Job("files_tar", MACRO, [])], directory, SMALL)
            self.assertEqual({entry.name for entry in directory.iterdir()}, {"tree", "tree.version"})
            self.assertEqual(sum(1 for _ in (directory / "tree").rglob("*")) + 1, SMALL.tree.entries)
            mark = directory / "tree/mark"
            mark.touch()
            prepare([Job("files_find", MACRO, [])], directory, SMALL)
            self.assertTrue(mark.exists())
            (directory / "tree.version").write_text("0")
            prepare([Job("files_find", MACRO, [])], directory, SMALL)
            self.assertFalse(mark.exists())

    def test_the_directory_on_a_disk_is_new_and_goes_away(self):
        with tempfile.TemporaryDirectory() as name:
            with scratch.on_disk(Path(name, "files")) as disk:
                self.assertEqual((disk.shared, os.listdir(disk.directory)), (Path(name, "files"), []))
                (disk.directory / "left").touch()
            self.assertEqual(os.listdir(disk.shared), [])

    def test_the_nearest_mount_tells_the_type_of_a_file_system(self):
        self.assertEqual(scratch.file_system(Path("/proc/self")), "proc")

    def test_the_bind_of_a_disk_writes_through_and_the_overlay_does_not(self):
        disk = scratch.Scratch(Path("/files"), Path("/files/scratch"))
        with tempfile.TemporaryDirectory() as state:
            found, missing = candidates(Path("/sandbox-exec"), Path("/shown"), Path(state), disk.directory, disk)
        by_name = {environment.name: environment for environment in found}
        self.assertEqual({by_name[name].temporary for name in ("native", "stockade-seccomp", "stockade-seccomp-bind")},
                         {"/files/scratch"})
        self.assertNotIn("--bind", by_name["stockade-seccomp"].prefix)
        self.assertIn("/files:/files", by_name["stockade-seccomp-bind"].prefix)
        self.assertEqual(by_name["stockade-seccomp-bind"].prefix[1:3], ["--platform", "seccomp"])
        with tempfile.TemporaryDirectory() as state:
            found, missing = candidates(Path("/sandbox-exec"), Path("/shown"), Path(state), Path("/dev/shm"))
        bound = {"stockade-ptrace-bind", "stockade-seccomp-bind"}
        self.assertEqual({name for name in missing if name.startswith("stockade")}, bound)


class OptionTests(unittest.TestCase):
    """The command line, and what follows from what."""

    def parse(self, *arguments):
        with unittest.mock.patch.object(options, "file_system", lambda path: self.kind):
            return options.parse(["--sandbox", sys.executable, *arguments])

    def refusal(self, *arguments):
        errors = io.StringIO()
        with contextlib.redirect_stderr(errors), self.assertRaises(SystemExit):
            self.parse(*arguments)
        return errors.getvalue()

    def setUp(self):
        self.kind = "ext4"

    def test_usual_jobs_write_to_memory_and_know_no_bind(self):
        parsed = self.parse()
        self.assertEqual((parsed.files, parsed.scratch, parsed.timeout), (False, "memory", 60))
        self.assertEqual(parsed.placements, PLACEMENTS)
        self.assertFalse([name for name in parsed.environments if name.endswith("-bind")])
        alone = self.parse("--environments", "stockade-ptrace-bind")  # which is then skipped with the reason
        self.assertEqual(alone.environments, ["native", "stockade-ptrace-bind"])

    def test_file_jobs_write_to_a_disk_and_run_unpinned(self):
        for parsed in (self.parse("--files"), self.parse("--only", "files_"), self.parse("--only", "^files_tar")):
            self.assertEqual((parsed.files, parsed.scratch, [p.name for p in parsed.placements]), (True, "disk", ["unpinned"]))
        self.assertEqual(self.parse("--files", "--scratch", "memory").scratch, "memory")

    def test_a_platform_on_a_disk_means_its_overlay_and_its_bind(self):
        both = ["native", "stockade-seccomp", "stockade-seccomp-bind"]
        self.assertEqual(self.parse("--scratch", "disk", "--environments", "stockade-seccomp").environments, both)
        alone = self.parse("--scratch", "disk", "--environments", "stockade-seccomp-bind")
        self.assertEqual(alone.environments, ["native", "stockade-seccomp-bind"])

    def test_a_disk_that_is_memory_is_refused(self):
        self.kind = "tmpfs"
        self.assertIn("lies on a tmpfs", self.refusal("--scratch", "disk"))
        self.assertEqual(self.parse().scratch, "memory")

    def test_cold_needs_root(self):
        with unittest.mock.patch.object(caches, "can_drop", lambda: False):
            self.assertIn("only root may", self.refusal("--cold"))
        with unittest.mock.patch.object(caches, "can_drop", lambda: True):
            self.assertTrue(self.parse("--cold").cold)


if __name__ == "__main__":
    unittest.main()
