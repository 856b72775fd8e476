"""kill -9 of the worker, the agent and the coordinator at chosen moments: the run ends in a true state, its result once.

Random moments and fail points are in test_kill.py.
"""

import os
import signal
import unittest

import fleet


class Worker(fleet.FleetTest):
    def test_killed_while_it_runs(self):
        lab = self.start("lab-1")
        run = lab.submit("hold")[0]
        lab.wait_for_run(run, "running")
        lab.wait_for_spawn()
        os.kill(lab.workers()[0], signal.SIGKILL)
        info = lab.wait_for_run(run)
        self.assertEqual(("failed", "SIGKILL"), (info["state"], info["attempts"][0]["signal"]))


class Agent(fleet.FleetTest):
    def test_killed_while_the_run_is_queued(self):
        lab = self.start("lab-1")
        first, second = lab.submit("hold", "--repeat", "2", "--on", "lab-1")
        lab.wait_for_run(first, "running")
        lab.agents["lab-1"].kill()
        lab.release()
        lab.start_agent("lab-1")
        self.assertEqual("interrupted", lab.wait_for_run(first)["state"])
        self.assertEqual("succeeded", lab.wait_for_run(second)["state"])

    def test_killed_while_the_worker_runs_takes_it_along_and_never_spawns_it_again(self):
        lab = self.start("lab-1")
        run = lab.submit("hang")[0]
        lab.wait_for_spawn()
        lab.agents["lab-1"].kill()
        fleet.wait_until(lambda: not lab.workers(), "the worker is gone with its agent")
        self.assertEqual("running", lab.run(run)["state"], "not known yet: not terminal")
        lab.start_agent("lab-1")
        info = lab.wait_for_run(run)
        self.assertEqual(("interrupted", 1), (info["state"], len(info["attempts"])))
        self.assert_explains(info["reason"], "agent", "restart")
        self.assertEqual(["hang"], lab.spawned())

    def test_an_interrupted_run_is_retried_when_asked_for(self):
        lab = self.start("lab-1")
        run = lab.submit("hold", "--retries", "1")[0]
        lab.wait_for_spawn()
        lab.agents["lab-1"].kill()
        lab.release()
        lab.start_agent("lab-1")
        info = lab.wait_for_run(run)
        self.assertEqual(("succeeded", 2), (info["state"], len(info["attempts"])))
        self.assertEqual(["interrupted", "succeeded"], [a["outcome"] for a in info["attempts"]])

    def test_killed_with_a_result_that_nobody_fetched(self):
        lab = self.start("lab-1")
        run = lab.submit("hold")[0]
        lab.wait_for_spawn()
        lab.coordinator.kill()
        lab.release()
        fleet.wait_until(lambda: not lab.workers(), "the worker has ended")
        # Its last line may still be in the pipe; the agent's own log says when the report is in the journal.
        fleet.wait_until(lambda: "succeeded" in lab.agents["lab-1"].text(), "the agent has journaled the result")
        lab.agents["lab-1"].kill()
        lab.start_coordinator()
        lab.start_agent("lab-1")
        info = lab.wait_for_run(run)
        self.assertEqual(("succeeded", 1), (info["state"], len(info["attempts"])))
        self.assertEqual(100, info["result"]["metrics"][0]["value"])
        self.assertEqual(["hold"], lab.spawned())


class Coordinator(fleet.FleetTest):
    def test_killed_while_runs_wait(self):
        lab = self.start("lab-1")
        lab.agents["lab-1"].kill()
        runs = lab.submit("ok", "--on", "lab-1", "--repeat", "3")
        lab.coordinator.kill()
        lab.start_coordinator()
        lab.start_agent("lab-1")
        self.assertEqual(["succeeded"] * 3, [lab.wait_for_run(run)["state"] for run in runs])
        self.assertEqual(3, len(lab.spawned()))

    def test_killed_while_the_worker_runs(self):
        lab = self.start("lab-1")
        run = lab.submit("hold")[0]
        lab.wait_for_spawn()
        lab.coordinator.kill()
        lab.start_coordinator()
        lab.wait_for_agent("lab-1", "busy")
        lab.release()
        info = lab.wait_for_run(run)
        self.assertEqual(("succeeded", 1), (info["state"], len(info["attempts"])))
        self.assertEqual(["hold"], lab.spawned())

    def test_killed_while_the_worker_ends(self):
        lab = self.start("lab-1")
        run = lab.submit("hold")[0]
        lab.wait_for_spawn()
        lab.coordinator.kill()
        lab.release()
        fleet.wait_until(lambda: not lab.workers(), "the worker has ended")
        lab.start_coordinator()
        info = lab.wait_for_run(run)
        self.assertEqual(("succeeded", 1), (info["state"], len(info["attempts"])))

    def test_a_clean_stop_loses_nothing_either(self):
        lab = self.start("lab-1")
        run = lab.submit("hold")[0]
        lab.wait_for_spawn()
        lab.coordinator.kill(signal.SIGTERM)
        self.assertEqual(0, lab.coordinator.process.returncode, lab.coordinator.text())
        lab.start_coordinator()
        lab.release()
        self.assertEqual("succeeded", lab.wait_for_run(run)["state"])


if __name__ == "__main__":
    unittest.main()
