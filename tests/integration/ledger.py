"""What was submitted to a fleet, held against what there is when the dust has settled: nothing lost, nothing twice."""

import collections
import contextlib
import fcntl
import sqlite3

import fleet

Run = collections.namedtuple("Run", "ends value")


def read(path, *queries):
    """Answers of a database that a daemon may be using: lists of rows. None while it cannot be read."""
    try:
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=5)) as database:
            answers = [database.execute(query).fetchall() for query in queries]
    except sqlite3.OperationalError:
        return None
    return answers[0] if len(answers) == 1 else answers


class Ledger:
    """Use one for each fleet, and submit through it."""

    def __init__(self, lab):
        self.lab = lab
        self.runs = {}  # by id
        self.unanswered = []  # what a run may become whose submission has, or has not, been stored
        self.store = lab.directory / "coordinator/coordinator.db"

    def submit(self, workload, *extra, ends=("succeeded",), parameters=None):
        """Returns the ids of the runs; none when the coordinator did not say whether it took the job."""
        arguments = ["submit", workload, "--runtime", "fake", "--telemetry", "off"]
        for name, value in (parameters or {}).items():
            arguments += ["--set", f"{name}={value}"]
        run = Run(set(ends), (parameters or {}).get("value"))
        result = self.lab.cli(*arguments, *extra, "--json", expect=None)
        if result.returncode != 0:
            if result.returncode not in (3, 5):
                raise AssertionError(f"submit {arguments}: exit {result.returncode}\n{result.stdout}{result.stderr}")
            self.unanswered.append(run)
            return []
        ids = fleet.json.loads(result.stdout)["run_ids"]
        self.runs.update((run_id, run) for run_id in ids)
        return ids

    def cancel(self, run_id):
        """False when the coordinator did not say whether it took it."""
        self.runs[run_id] = self.runs[run_id]._replace(ends=self.runs[run_id].ends | {"cancelled"})
        return self.lab.cli("cancel", run_id, expect=None).returncode not in (3, 5)

    def cancel_unanswered(self):
        """What was stored of jobs whose submission was not answered."""
        self.unanswered = [run._replace(ends=run.ends | {"cancelled"}) for run in self.unanswered]
        for run, state in self.states().items():
            if run not in self.runs and state in ("queued", "running"):
                self.lab.cli("cancel", run)

    def states(self):
        return dict(read(self.store, "SELECT run_id, state FROM runs") or {})

    def settle(self, deadline_s=60):
        """Waits until every run has ended, and every agent has been told that its reports are stored."""
        def unfinished():
            rows = read(self.store, "SELECT run_id, state FROM runs WHERE state IN ('queued', 'running')")
            return ["the store cannot be read"] if rows is None else rows

        def unacknowledged():
            rows = {name: read(path, "SELECT attempt_id, state FROM attempts")
                    for name, path in self.journals().items()}
            return {name: found for name, found in rows.items() if found != []}

        def wait(remaining, what):
            try:
                fleet.wait_until(lambda: not remaining(), what, deadline_s)
            except AssertionError as error:
                raise AssertionError(f"{error}: {remaining()}") from None
        wait(unfinished, "every run has ended")
        wait(unacknowledged, "every report was acknowledged")

    def journals(self):
        """Of the agents that are up."""
        return {name: self.lab.directory / f"agent-{name}/journal.db" for name, daemon in self.lab.agents.items()
                if daemon.process.poll() is None}

    def check(self, test, deadline_s=60):
        """The one assertion behind every fault: settles, and then

        - what was submitted is stored, each run ended once and as it may, with one result or none, and with its own;
        - no attempt was spawned twice, or without being stored before;
        - no process is left but the daemons, no device is locked, no file had to be repaired, and all are sound.
        """
        self.settle(deadline_s)
        jobs, runs, results, attempts, kept = read(
            self.store,
            "SELECT job_id, COUNT(*) FROM runs GROUP BY job_id",
            "SELECT run_id, job_id, state, (SELECT value FROM metrics WHERE metrics.run_id = runs.run_id "
            "AND name = 'it_per_s') FROM runs",
            "SELECT run_id, attempt_id FROM results WHERE canonical = 1",
            "SELECT attempt_id, run_id, state, outcome FROM attempts",
            "SELECT attempt_id, why FROM kept_reports")
        self.adopt(test, jobs, runs)
        test.assertEqual(set(self.runs), {run_id for run_id, *_ in runs}, "submitted = stored")
        canonical = collections.Counter(run_id for run_id, _ in results)
        for run_id, _, state, value in runs:
            run = self.runs[run_id]
            test.assertIn(state, run.ends, run_id)
            test.assertEqual(1 if state == "succeeded" else 0, canonical[run_id], f"results of {run_id}, {state}")
            if state == "succeeded" and run.value is not None:
                test.assertEqual(float(run.value), value, run_id)
        test.assertEqual([], kept, "reports that are nobody's")
        self.check_attempts(test, attempts, dict(results))
        self.check_machine(test, deadline_s)

    def adopt(self, test, jobs, runs):
        """Jobs that were stored and not answered count as submitted."""
        known = {job_id for run_id, job_id, *_ in runs if run_id in self.runs}
        strange = {job_id for job_id, _ in jobs} - known
        test.assertLessEqual(len(strange), len(self.unanswered), "jobs that nobody submitted")
        ends = {end for run in self.unanswered for end in run.ends}
        for run_id, job_id, *_ in runs:
            if job_id in strange:
                self.runs[run_id] = Run(ends, None)
        del self.unanswered[:len(strange)]

    def check_attempts(self, test, attempts, results):
        lines = (self.lab.directory / "spawned").read_text().splitlines()
        spawned = collections.Counter(line.split()[2] for line in lines)
        test.assertEqual([], [attempt for attempt, count in spawned.items() if count > 1], "spawned twice")
        by_id = {attempt: (run, state, outcome) for attempt, run, state, outcome in attempts}
        test.assertEqual(set(), set(spawned) - set(by_id), "spawned and not stored")
        for attempt, (run, state, outcome) in by_id.items():
            test.assertTrue(state == "refused" or outcome, f"attempt {attempt} has not ended: {state}")
            if state == "refused":
                test.assertNotIn(attempt, spawned, "an attempt that was refused had been spawned")
            if outcome == "succeeded":
                test.assertIn(attempt, spawned)
        for run, attempt in results.items():
            test.assertEqual((run, "stored", "succeeded"), by_id[attempt])

    def check_machine(self, test, deadline_s):
        daemons = {daemon.process.pid for daemon in self.lab.daemons}
        fleet.wait_until(lambda: not set(self.lab.processes()) - daemons, "no process is left but the daemons",
                         deadline_s)
        for lock in self.lab.directory.glob("locks-*/*"):
            with open(lock, "rb") as file:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    test.fail(f"{lock} is held: {lock.read_text()}")
        repaired = [path for pattern in ("*.corrupt-*", "*.before-schema-*")
                    for path in self.lab.directory.rglob(pattern)]
        test.assertEqual([], repaired, "files that were set aside")
        for path in [self.store, *self.journals().values()]:
            test.assertEqual([("ok",)], read(path, "PRAGMA integrity_check"), path)
        for daemon in self.lab.daemons:
            test.assertNotIn("corrupt", daemon.text())
