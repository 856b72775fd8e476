"""kill -9 of every program at random moments and at every fail point: nothing lost, nothing twice.

FLEETMARK_KILLS=1000 python3 -m unittest test_kill.RandomMoments    the long mode: so many of each program
"""

import contextlib
import fcntl
import os
import random
import signal
import sqlite3
import subprocess
import time
import unittest

import fleet
import ledger

KILLS = int(os.environ.get("FLEETMARK_KILLS", "30"))
KILLS_A_ROUND = 10
# Points that mean something else the second or third time.
LATER_PASSES = {"agent.before_announce": [1, 2, 3, 4], "agent.before_reply": [1, 3], "agent.forked": [1, 2],
                "journal.committed": [1, 2, 3, 4, 5], "journal.in_transaction": [1, 3, 5],
                "store.committed": [1, 2, 4, 6, 8], "store.in_transaction": [1, 2, 6, 9],
                "coordinator.before_reply": [1, 2, 3], "coordinator.order_answered": [1, 2],
                "worker.before_exec": [1, 2]}
# Of what a restarted agent does about its earlier self.
RECOVERY = {"agent.before_stale_kill", "agent.stale_killed"}


class KillTest(fleet.FleetTest):
    AGENTS = ("lab-1",)

    def setUp(self):
        super().setUp()
        lab = self.fleet
        lab.use_quick_runner()
        lab.start_coordinator()
        for name in self.AGENTS:
            lab.start_agent(name)
        self.books = ledger.Ledger(lab)

    def restart_agent(self, name="lab-1"):
        self.fleet.agents[name].kill()
        self.fleet.start_agent(name, wait=False)

    def restart_coordinator(self):
        self.fleet.coordinator.kill()
        self.fleet.start_coordinator()


class Books(KillTest):
    """The judge of all these tests sees what it is there to see."""

    def sees(self, what, *words):
        with self.assertRaises(AssertionError, msg=what) as caught:
            self.books.check(self, deadline_s=0.2)
        self.assert_explains(str(caught.exception), *words)

    def change(self, sql):
        with contextlib.closing(sqlite3.connect(self.books.store)) as database:
            database.executescript(f"BEGIN; {sql}; COMMIT")

    def test_each_way_to_lose_or_double_something(self):
        lab = self.fleet
        runs = self.books.submit("succeed", "--repeat", "2", parameters={"value": 7})
        self.books.check(self)
        lab.coordinator.kill()
        for what, damage, repair, *words in (
                ("a run that is lost", f"UPDATE runs SET run_id = 'x' || run_id WHERE run_id = '{runs[0]}'",
                 f"UPDATE runs SET run_id = '{runs[0]}' WHERE run_id = 'x{runs[0]}'", "submitted = stored"),
                ("a run that never ends", f"UPDATE runs SET state = 'running' WHERE run_id = '{runs[0]}'",
                 "UPDATE runs SET state = 'succeeded'", "every run has ended", runs[0]),
                ("a run that ended otherwise", f"UPDATE runs SET state = 'failed' WHERE run_id = '{runs[0]}'",
                 "UPDATE runs SET state = 'succeeded'", "failed", runs[0]),
                ("a result that is lost", f"UPDATE results SET canonical = 0 WHERE run_id = '{runs[0]}'",
                 "UPDATE results SET canonical = 1", "results of", runs[0]),
                ("another run's result", f"UPDATE metrics SET value = 8 WHERE name = 'it_per_s' AND run_id = '{runs[0]}'",
                 "UPDATE metrics SET value = 7 WHERE name = 'it_per_s'", "8.0", runs[0]),
                ("a conflict", "INSERT INTO kept_reports VALUES ('a', 'b', x'', 'conflict', 0)",
                 "DELETE FROM kept_reports", "conflict"),
                ("an attempt in the air", f"UPDATE attempts SET outcome = '' WHERE run_id = '{runs[0]}'",
                 "UPDATE attempts SET outcome = 'succeeded'", "has not ended"),
                ("a refused attempt that ran", f"UPDATE attempts SET state = 'refused' WHERE run_id = '{runs[0]}'",
                 "UPDATE attempts SET state = 'stored'", "refused")):
            with self.subTest(what):
                self.change("PRAGMA foreign_keys = OFF; " + damage)
                self.sees(what, *words)
                self.change(repair)
        self.books.check(self)

    def test_each_way_to_leave_something_behind(self):
        lab = self.fleet
        self.books.submit("succeed")
        self.books.check(self)
        spawned = lab.directory / "spawned"
        lines = spawned.read_text()
        spawned.write_text(lines * 2)
        self.sees("an attempt that ran twice", "spawned twice")
        spawned.write_text(lines + "1 succeed nobodys\n")
        self.sees("an attempt that nobody stored", "spawned and not stored")
        spawned.write_text(lines)
        with open(lab.directory / "locks-lab-1/machine", "rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self.sees("a machine that is locked", "is held")
        aside = lab.directory / "agent-lab-1/journal.db.corrupt-1"
        aside.touch()
        self.sees("a journal that was set aside", "set aside")
        aside.unlink()
        orphan = subprocess.Popen(["tail", "--follow", spawned], stdout=subprocess.DEVNULL)
        # Right after its exec a process has no command line yet.
        fleet.wait_until(lambda: orphan.pid in lab.processes(), "the orphan shows")
        self.sees("a process that nobody knows of", "no process is left")
        orphan.kill()
        orphan.wait()
        self.books.check(self)


class RandomMoments(KillTest):
    """Pinned runs and runs for any machine, with and without retries, under way on two machines all the time."""

    AGENTS = ("lab-1", "lab-2")

    def kills(self, kill, ends=("succeeded",), retries=100, kills=KILLS):
        def submit(number):
            for target in ("lab-1", "lab-2", "any"):
                self.books.submit("succeed", "--on", target, "--repeat", "2", "--retries", str(retries), ends=ends,
                                  parameters={"value": number})
        self.rounds(submit, kill, kills)

    def rounds(self, submit, kill, kills=KILLS):
        dice = random.Random(self.id())
        for number in range(1, kills + 1):
            submit(number)
            time.sleep(dice.uniform(0, 0.1))  # the moment itself, not a wait for anything
            kill(dice)
            if number % KILLS_A_ROUND == 0 or number == kills:
                self.books.check(self)

    def test_the_coordinator(self):
        self.kills(lambda dice: self.restart_coordinator())

    def test_an_agent(self):
        self.kills(lambda dice: self.restart_agent(dice.choice(self.AGENTS)))

    def test_an_agent_whose_runs_nobody_retries(self):
        self.kills(lambda dice: self.restart_agent(dice.choice(self.AGENTS)), ends=("succeeded", "interrupted"),
                   retries=0, kills=KILLS // 3)

    def test_a_worker(self):
        def submit(number):
            self.books.submit("succeed", ends=("succeeded", "failed"), parameters={"value": number, "seconds": 0.3})
            fleet.wait_until(self.fleet.workers, "a worker runs")

        def kill(dice):
            for pid in self.fleet.workers()[:1]:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        self.rounds(submit, kill)
        # The workload's own failure: it is not tried again.
        failed = list(self.books.states().values()).count("failed")
        self.assertGreater(failed, KILLS // 2, "most were killed before they had told their result")

    def test_both_daemons(self):
        def kill_both(dice):
            name = dice.choice(self.AGENTS)
            self.fleet.agents[name].kill()
            self.restart_coordinator()
            self.fleet.start_agent(name, wait=False)
        self.kills(kill_both, kills=KILLS // 3)


def fail_points():
    """All that there are, by the program that passes them: the words of the agent's refusal."""
    refusal = subprocess.run([fleet.BIN / "fleetmark-agent", "serve"], env={**os.environ, "FLEETMARK_FAILPOINT": "?"},
                             capture_output=True, text=True)
    names = refusal.stderr.rsplit("one of ", 1)[1].strip().split(", ")
    return {"coordinator": [name for name in names if name.split(".")[0] in ("store", "coordinator")],
            "worker": [name for name in names if name.startswith("worker.")],
            "agent": [name for name in names if name.split(".")[0] in ("agent", "journal")]}


class FailPoints(KillTest):
    """The same two jobs at each: one that succeeds and one that is cancelled while it runs. Every point is reached."""

    def passes(self, program):
        for name in fail_points()[program]:
            for count in LATER_PASSES.get(name, [1]):
                yield f"{name}:{count}"

    def armed(self, point):
        return {"FLEETMARK_FAILPOINT": point}

    def play(self, is_dead, ends=("succeeded",)):
        """Submits both jobs and cancels the second one, or as much of it as is possible before the end of `is_dead`."""
        fleet.wait_until(lambda: is_dead() or self.fleet.coordinator.address_file.exists(), "the coordinator is there")
        # It may die and not say whether it took the job.
        self.books.submit("succeed", "--retries", "9", ends=ends)
        sleepers = self.books.submit("succeed", "--retries", "9", parameters={"seconds": 60}, ends=ends)
        if not sleepers:
            return []
        fleet.wait_until(lambda: is_dead() or self.books.states().get(sleepers[0], "queued") != "queued",
                         "the second run has begun, or the victim is dead")
        return [run for run in sleepers if not self.books.cancel(run)]

    def finish(self, uncancelled):
        for run in uncancelled:
            self.assertTrue(self.books.cancel(run))
        self.books.cancel_unanswered()
        self.books.check(self)

    def wait_for_death(self, daemon, point):
        for _ in range(30):  # what is committed together, and so how often, is a matter of time
            try:
                return self.assertEqual(-signal.SIGKILL, daemon.wait_for_exit(1), point)
            except subprocess.TimeoutExpired:
                self.books.submit("succeed", "--retries", "9")
        self.fail(f"{point} was never reached")

    def test_the_agent(self):
        lab = self.fleet
        for point in self.passes("agent"):
            with self.subTest(point):
                interrupted = self.stop_agent(point)
                agent = lab.spawn_agent("lab-1", environment=self.armed(point))
                uncancelled = self.play(lambda: agent.process.poll() is not None)
                if point.startswith("agent.stopping"):
                    agent.process.terminate()
                self.wait_for_death(agent, point)
                lab.start_agent("lab-1", wait=False)
                self.finish(uncancelled + interrupted)

    def stop_agent(self, point):
        """Kills it; where its recovery is to be disturbed, with a run under way, which is returned."""
        runs = []
        if point.split(":")[0] in RECOVERY:
            runs = self.books.submit("succeed", "--retries", "9", ends=("interrupted",), parameters={"seconds": 60})
            fleet.wait_until(self.fleet.workers, "the run is on")
        self.fleet.agents["lab-1"].kill()
        return runs

    def test_the_coordinator(self):
        lab = self.fleet
        for point in self.passes("coordinator"):
            with self.subTest(point):
                lab.coordinator.kill()
                coordinator = lab.spawn_coordinator(environment=self.armed(point))
                uncancelled = self.play(lambda: coordinator.process.poll() is not None)
                self.wait_for_death(coordinator, point)
                lab.start_coordinator()
                self.finish(uncancelled)

    def test_the_worker(self):
        lab = self.fleet
        for point in self.passes("worker"):
            with self.subTest(point):
                lab.agents["lab-1"].kill()
                lab.start_agent("lab-1", environment=self.armed(point))
                self.finish(self.play(lambda: False, ends=("succeeded", "failed", "interrupted")))
                signals = ledger.read(self.books.store, "SELECT DISTINCT signal FROM attempts")
                self.assertIn(("SIGKILL",), signals, f"{point} was reached")

    def test_a_name_that_is_none_is_refused(self):
        for program in (["fleetmark-agent", "serve"], ["fleetmark-coordinator"]):
            refusal = subprocess.run([fleet.BIN / program[0], *program[1:]], capture_output=True, text=True,
                                     env={**os.environ, "FLEETMARK_FAILPOINT": "agent.forke"})
            self.assertEqual(2, refusal.returncode, refusal.stderr)
            self.assert_explains(refusal.stderr, "agent.forke", "agent.forked")


if __name__ == "__main__":
    unittest.main()
