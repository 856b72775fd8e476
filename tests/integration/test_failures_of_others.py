"""Failures that other benchmark and CI agents have shipped, each by its name. The rest of them has a home already:

finished work run again after a restart   test_sudden_death.Agent.test_killed_with_a_result_that_nobody_fetched
a result acknowledged before it is stored test_state_directories.FillsUp, test_kill.FailPoints at store.in_transaction
a full disk                               test_state_directories.Full and FillsUp
a journal that cannot be read             test_state_directories.Damaged
"""

import os
import shutil
import unittest

import fleet
import ledger


class FailureTest(fleet.FleetTest):
    def setUp(self):
        super().setUp()
        self.fleet.use_quick_runner()
        self.fleet.start_coordinator()
        self.books = ledger.Ledger(self.fleet)

    def running(self, workload, *extra, **keywords):
        """The id of a run that is on."""
        run = self.books.submit(workload, *extra, **keywords)[0]
        fleet.wait_until(lambda: self.books.states()[run] == "running" and self.fleet.workers(), f"{workload} runs")
        return run


class Orphans(FailureTest):
    """Workers whose children leave the session, ignore SIGTERM and would outlive everybody."""

    def test_after_a_cancel(self):
        self.fleet.start_agent("lab-1")
        run = self.running("hang_with_daemon")
        fleet.wait_until(lambda: len(self.fleet.workers()) > 1, "it has a daemon of its own")
        self.assertTrue(self.books.cancel(run))
        self.books.check(self)

    def test_after_the_agent_was_killed_and_started_again(self):
        self.fleet.start_agent("lab-1")
        self.running("hang_with_daemon", ends=("interrupted",))
        fleet.wait_until(lambda: len(self.fleet.workers()) > 1, "it has a daemon of its own")
        self.fleet.agents["lab-1"].kill()
        self.fleet.start_agent("lab-1")
        self.books.check(self)

    def test_after_a_result(self):
        self.fleet.start_agent("lab-1")
        self.books.submit("daemonise", "--repeat", "3")
        self.books.check(self)


class OneGpuTwice(FailureTest):
    """Two agents on one machine: one worker at a time on it, or with --share one on each device."""

    def second_waits_for_first(self, *flags):
        lab = self.fleet
        for name in ("lab-1", "lab-2"):
            lab.start_agent(name, *flags, locks="locks-shared")
        first = self.running("succeed", "--on", "lab-1", parameters={"seconds": 60})
        second = self.books.submit("succeed", "--on", "lab-2")[0]
        reason = fleet.wait_until(lambda: "busy" in lab.run(second)["reason"] and lab.run(second)["reason"],
                                  "the second run says what it waits for")
        self.assert_explains(reason, "lab-1")
        self.assertEqual(1, len(lab.workers()))
        self.assertTrue(self.books.cancel(first))
        self.books.check(self)
        self.assertEqual("succeeded", lab.run(second)["state"])

    def test_the_same_machine(self):
        self.second_waits_for_first()

    def test_the_same_device_of_a_shared_machine(self):
        self.second_waits_for_first("--share")


class Locks(FailureTest):
    def test_a_lock_holds_as_long_as_anything_that_inherited_it(self):
        """Neither the end of the worker nor of the agent unlocks the machine while a child of the worker goes on."""
        lab = self.fleet
        for name in ("lab-1", "lab-2"):
            lab.start_agent(name, locks="locks-shared")
        self.running("hang_with_daemon", "--on", "lab-1", ends=("interrupted",))
        fleet.wait_until(lambda: len(lab.workers()) > 1, "it has a daemon of its own")
        lab.agents["lab-1"].kill()
        fleet.wait_until(lambda: len(lab.workers()) == 1, "the worker has died with its agent, its child has not")
        second = self.books.submit("succeed", "--on", "lab-2")[0]
        fleet.wait_until(lambda: "busy" in lab.run(second)["reason"], "the machine is still taken")
        self.assertEqual(["hang_with_daemon"], lab.spawned())
        lab.start_agent("lab-1", locks="locks-shared")
        self.books.check(self)
        self.assertEqual("succeeded", lab.run(second)["state"])

    def test_a_lock_file_that_a_cleaner_has_removed(self):
        lab = self.fleet
        lab.start_agent("lab-1")
        for _ in range(2):
            shutil.rmtree(lab.directory / "locks-lab-1")
            self.books.submit("succeed")
            self.books.check(self)


class Gate(FailureTest):
    def test_an_agent_killed_between_fork_and_spawned(self):
        """The child that nobody knows of never becomes a worker."""
        lab = self.fleet
        agent = lab.spawn_agent("lab-1", environment={"FLEETMARK_FAILPOINT": "agent.forked"})
        lab.wait_for_agent("lab-1")
        run = self.books.submit("succeed", ends=("interrupted",))[0]
        agent.wait_for_exit()
        fleet.wait_until(lambda: lab.processes() == [lab.coordinator.process.pid], "the child has gone, too")
        lab.start_agent("lab-1")
        self.books.check(self)
        self.assertEqual([], lab.spawned())
        self.assert_explains(lab.run(run)["reason"], "restart")


class UnreadableState(FailureTest):
    def test_rubbish_in_any_file_of_the_agent_keeps_it_from_nothing(self):
        lab = self.fleet
        lab.start_agent("lab-1")
        self.books.submit("succeed")
        self.books.check(self)
        state = lab.directory / "agent-lab-1"
        names = sorted(path.relative_to(state) for path in state.rglob("*") if path.is_file())
        self.assertIn("agent_id", map(str, names))
        for name in names:
            with self.subTest(name):
                lab.agents["lab-1"].kill()
                (state / name).write_bytes(b"\xff\x00rubbish" + os.urandom(5000))
                self.assertIn("lab-1", lab.start_agent("lab-1").text())
                self.assertEqual("succeeded", lab.wait_for_run(lab.submit(None, workload="succeed")[0])["state"])


if __name__ == "__main__":
    unittest.main()
