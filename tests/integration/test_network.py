"""Coordinator and agent on two machines with a bad cable between them: whatever it does, nothing is lost or doubled.

Each test is one kind of trouble, with a run going on and runs waiting, and ends with assert_nothing_happened.
"""

import contextlib
import os
import sqlite3
import subprocess
import unittest

import fleet
import wire

# Short, so that silence is noticed within a test. KILL runs outlive cuts shorter than the lease.
TIMES = ("--offline-after", "3", "--lease", "9")


class NetworkTest(unittest.TestCase):
    def setUp(self):
        self.wire = wire.Wire()
        self.addCleanup(self.wire.close)
        self.fleet = fleet.Fleet(coordinator_at=self.wire.left.place, agents_at=self.wire.right.place)
        self.addCleanup(self.fleet.close)

    def start(self, *times, agent=(), **keywords):
        lab = self.fleet
        lab.start_coordinator(*(times or TIMES))
        lab.start_agent("lab-1", *agent, **keywords)
        return lab

    def start_runs(self, deadline_s=fleet.DEADLINE_S):
        """One run that goes on until it is released and two that wait."""
        runs = self.fleet.submit("hold", "--on", "lab-1", "--repeat", "3")
        self.fleet.wait_for_run(runs[0], "running", deadline_s)
        self.fleet.wait_for_spawn()
        return runs

    def carry_on(self, packets=20):
        """Waits until the cable, as it is now, has carried something."""
        before = self.wire.carried
        fleet.wait_until(lambda: self.wire.carried >= before + packets, "packets get through")

    def wait_for_offline(self):
        self.fleet.wait_for_agent("lab-1", "offline")

    def assert_nothing_happened(self, runs, deadline_s=90, runs_another=True):
        """Submitted is stored, each once, by one attempt; the agent has nothing left to run or to say."""
        lab = self.fleet
        for run in runs:
            info = lab.wait_for_run(run, deadline_s=deadline_s)
            self.assertEqual("succeeded", info["state"], info)
            attempts = [attempt for attempt in info["attempts"] if attempt["state"] != "refused"]
            self.assertEqual([("stored", "succeeded", 0)],
                             [(a["state"], a["outcome"], a["conflicts"]) for a in attempts])
        self.assertEqual(sorted(runs), sorted(run["run_id"] for run in lab.json("runs", "--limit", "0")["runs"]))
        self.assertEqual(len(runs), len(lab.spawned()), "each attempt spawned one worker")
        fleet.wait_until(lambda: not lab.workers(), "no worker is left")
        fleet.wait_until(lambda: self.journaled() == 0, "the agent was told that its reports are stored", deadline_s)
        lab.wait_for_agent("lab-1", "idle", deadline_s)
        if runs_another:
            last = lab.submit()[0]
            self.assertEqual("succeeded", lab.wait_for_run(last, deadline_s=deadline_s)["state"], "the machine is free")

    def journaled(self):
        journal = sqlite3.connect(f"file:{self.fleet.directory}/agent-lab-1/journal.db?mode=ro", uri=True)
        try:
            return journal.execute("SELECT count(*) FROM attempts").fetchone()[0]
        finally:
            journal.close()


class Silence(NetworkTest):
    def test_everything_is_lost_for_a_while(self):
        lab = self.start()
        runs = self.start_runs()
        self.wire.cut()
        self.wait_for_offline()
        self.assertIn("unreachable", lab.run(runs[0])["reason"])
        lab.release()
        fleet.wait_until(lambda: not lab.workers(), "the run ends while nobody can be told")
        self.wire.heal()
        self.assert_nothing_happened(runs)

    def test_what_the_agent_says_is_lost(self):
        lab = self.start()
        runs = self.start_runs()
        self.wire.loss[self.wire.right] = 1.0
        self.wait_for_offline()
        lab.release()
        fleet.wait_until(lambda: not lab.workers(), "the run ends while nobody can be told")
        self.wire.heal()
        self.assert_nothing_happened(runs)

    def test_what_the_coordinator_says_is_lost(self):
        lab = self.start()
        runs = self.start_runs()
        self.wire.loss[self.wire.left] = 1.0
        self.wait_for_offline()
        lab.release()
        fleet.wait_until(lambda: not lab.workers(), "the run ends while nobody can be told")
        self.wire.heal()
        self.assert_nothing_happened(runs)

    def test_the_agent_has_another_address_while_it_runs(self):
        lab = self.start(agent=("--advertise", "10.111.0.2:7810"), listen="0.0.0.0:7810")
        runs = self.start_runs()
        self.wire.right.move_to("10.111.0.77")
        self.wait_for_offline()
        lab.cli("agents", "add", "10.111.0.77:7810")
        lab.wait_for_agent("lab-1", "busy")
        lab.release()
        self.assert_nothing_happened(runs)
        self.assertEqual(["10.111.0.77:7810"], [agent["address"] for agent in lab.json("agents")["agents"]])

    def start(self, *times, agent=(), listen=None):
        self.fleet.start_coordinator(*(times or TIMES))
        self.fleet.start_agent("lab-1", *agent, listen=listen)
        return self.fleet


class Connections(NetworkTest):
    def test_connections_are_reset(self):
        lab = self.start()
        runs = self.start_runs()
        self.wire.resetting = True
        fleet.wait_until(lambda: self.wire.resets >= 4, "connections were reset again and again")
        lab.release()
        fleet.wait_until(lambda: not lab.workers(), "the run ends meanwhile")
        self.wire.heal()
        self.assert_nothing_happened(runs)

    def test_idle_connections_are_cut_and_nobody_is_told(self):
        """A NAT that forgets: connections are half open for ever, unless somebody asks whether they still are."""
        lab = self.start("--offline-after", "60", "--lease", "60")
        runs = self.start_runs()
        before = self.sockets()
        watcher = self.watch_from_afar(runs[0])
        fleet.wait_until(lambda: self.sockets() > before, "the watcher has connected")
        self.carry_on()
        self.assertGreater(self.wire.forget(), 0)
        lab.release()
        self.assert_nothing_happened(runs)
        self.assertEqual(0, watcher.wait(90), "it has noticed, connected again and seen the end")
        fleet.wait_until(lambda: self.sockets() <= before, "the coordinator and the agent hold no dead connection", 90)

    def watch_from_afar(self, run):
        place = self.wire.right.place
        watcher = subprocess.Popen(
            [*place.prefix, fleet.BIN / "fleetmark", "watch", run, "--coordinator", self.fleet.address, "--insecure"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(watcher.wait)
        self.addCleanup(watcher.kill)
        return watcher

    def sockets(self):
        """How many both daemons have open."""
        found = 0
        for daemon in (self.fleet.coordinator, self.fleet.agents["lab-1"]):
            for entry in os.listdir(f"/proc/{daemon.process.pid}/fd"):
                with contextlib.suppress(FileNotFoundError):
                    found += os.readlink(f"/proc/{daemon.process.pid}/fd/{entry}").startswith("socket:")
        return found


class Loss(NetworkTest):
    def test_a_third_of_all_packets_is_lost(self):
        self.wire.loss = {end: 0.3 for end in self.wire.loss}
        # TCP doubles its pause with each loss: half a minute of silence is not rare, and then the agent is offline for it.
        patience_s = 120
        lab = self.start("--offline-after", "30", "--lease", "60", join_deadline_s=patience_s)
        runs = self.start_runs(patience_s)
        lab.release()
        self.assert_nothing_happened(runs, patience_s)


class Delay(NetworkTest):
    def test_every_packet_takes_two_seconds(self):
        lab = self.fleet
        lab.start_coordinator("--offline-after", "30", "--lease", "60")
        self.wire.delay_s = 2
        lab.start_agent("lab-1", join_deadline_s=90)
        runs = lab.submit("ok", "--on", "lab-1")
        self.assert_nothing_happened(runs, runs_another=False)  # which would take half a minute more


if __name__ == "__main__":
    unittest.main()
