"""Wall clocks that are wrong or step, and agents that stand still: leases and deadlines are of other clocks."""

import os
import signal
import struct
import time
import unittest

import fleet
import ledger

HOUR = 3600


class Wall(fleet.FleetTest):
    """Each daemon's wall clock is off by what a file of its own says."""

    def setUp(self):
        super().setUp()
        self.fleet.use_quick_runner()
        for name in ("coordinator", "lab-1"):
            self.set(name, 0)
        self.start()
        self.books = ledger.Ledger(self.fleet)

    def start(self):
        """With a lease that is far shorter than the steps."""
        self.fleet.start_coordinator("--lease", "4", "--offline-after", "2", environment=self.clock_of("coordinator"))
        self.fleet.start_agent("lab-1", wait=False, environment=self.clock_of("lab-1"))
        # gRPC's first connection may fail: see what the fake clock says of its waits.
        fleet.wait_until(lambda: self.fleet.cli("agents", expect=None).returncode == 0, "the coordinator answers")
        self.fleet.wait_for_agent("lab-1")

    def clock_file(self, name):
        return self.fleet.directory / f"clock-{name}"

    def clock_of(self, name):
        environment = {"LD_PRELOAD": str(fleet.TESTS / "libshifted_clock.so"), "SHIFTED_CLOCK": str(self.clock_file(name))}
        if "ASAN_OPTIONS" in os.environ:  # its runtime wants to be the first library
            environment["ASAN_OPTIONS"] = os.environ["ASAN_OPTIONS"] + ":verify_asan_link_order=0"
        return environment

    def set(self, name, shift_s):
        self.clock_file(name).touch()
        with open(self.clock_file(name), "r+b") as file:  # in place: a daemon has it mapped
            file.write(struct.pack("=q", shift_s))

    def check_runs(self):
        self.books.check(self)
        for run in self.books.runs:
            info = self.fleet.run(run)
            self.assertEqual(1, len(info["attempts"]), "no run was interrupted")
            self.assertGreaterEqual(info["finished_unix_s"], info["started_unix_s"], run)

    def test_an_hour_off_either_way(self):
        for shifts in ({"lab-1": HOUR}, {"lab-1": -HOUR}, {"coordinator": HOUR}, {"coordinator": -HOUR}):
            with self.subTest(shifts):
                for daemon in (self.fleet.agents["lab-1"], self.fleet.coordinator):
                    daemon.kill()
                for name in ("lab-1", "coordinator"):
                    self.set(name, shifts.get(name, 0))
                self.start()
                runs = [run for target in ("lab-1", "any") for run in self.books.submit("succeed", "--on", target)]
                self.check_runs()
                for run in runs:
                    info = self.fleet.run(run)
                    self.assertLess(info["finished_unix_s"] - info["started_unix_s"], 60, "of one clock, not of two")
        self.assertNotIn("is offline: it has not answered", self.fleet.coordinator.text())

    def test_a_step_while_a_run_goes_on(self):
        for name, shift_s in (("lab-1", HOUR), ("lab-1", -HOUR), ("coordinator", HOUR), ("coordinator", -HOUR)):
            for target in ("lab-1", "any"):
                with self.subTest(f"{name} {shift_s:+} s, on {target}"):
                    run = self.books.submit("succeed", "--on", target, parameters={"seconds": 0.5})[0]
                    fleet.wait_until(lambda: self.books.states()[run] == "running", "the run is on")
                    self.set(name, shift_s)
                    self.assertEqual("succeeded", self.fleet.wait_for_run(run)["state"])
                    self.set(name, 0)
                    self.check_steps()
        self.assertNotIn("is offline", self.fleet.coordinator.text())

    def check_steps(self):
        self.books.check(self)
        for run in self.books.runs:
            self.assertEqual(1, len(self.fleet.run(run)["attempts"]), "no run was interrupted")
        self.assertNotRegex(self.fleet.cli("runs").stdout, r"-\d+(\.\d+)? ?(s|m|h|d)\b", "a duration below 0")


class Stopped(fleet.FleetTest):
    """An agent that stands still (SIGSTOP, a debugger, a frozen virtual machine) for longer than its lease."""

    LEASE_S = 2

    def setUp(self):
        super().setUp()
        (self.fleet.directory / "spawned").touch()
        self.fleet.start_coordinator("--lease", str(self.LEASE_S), "--offline-after", "1")
        self.fleet.start_agent("lab-1")
        self.books = ledger.Ledger(self.fleet)

    def stop(self, *names):
        """Returns when their leases have run out, by every clock."""
        for name in names:
            self.fleet.agents[name].process.send_signal(signal.SIGSTOP)
            self.addCleanup(self.go_on, name)
        stopped = time.monotonic()
        for name in names:
            self.fleet.wait_for_agent(name, "offline")
        time.sleep(max(0, stopped + self.LEASE_S + 0.5 - time.monotonic()))  # the time itself

    def go_on(self, name):
        self.fleet.agents[name].process.send_signal(signal.SIGCONT)

    def test_a_pinned_run_goes_on_and_is_delivered(self):
        lab = self.fleet
        run = self.books.submit("fake", "--on", "lab-1", parameters={"behaviour": "hold"})[0]
        lab.wait_for_spawn()
        self.stop("lab-1")
        self.assertEqual("running", lab.run(run)["state"], "not known: not terminal")
        self.assert_explains(lab.run(run)["reason"], "lab-1")
        lab.release()
        fleet.wait_until(lambda: not lab.workers(), "the worker has ended")
        self.go_on("lab-1")
        self.books.check(self)
        self.assertEqual(1, len(lab.run(run)["attempts"]))

    def test_runs_for_any_machine_are_measured_elsewhere_and_have_one_result(self):
        """One agent wakes while its worker still runs, and ends it; the other one when its worker has long ended."""
        lab = self.fleet
        lab.start_agent("lab-2")
        runs = self.books.submit("fake", "--on", "any", "--repeat", "2", "--retries", "1", parameters={"behaviour": "hold"})
        lab.wait_for_spawn(2)
        first = {lab.run(run)["agent"]: run for run in runs}
        self.stop("lab-1", "lab-2")
        for name in ("lab-3", "lab-4"):
            lab.start_agent(name, wait=False)
        lab.wait_for_spawn(4)
        self.go_on("lab-1")
        fleet.wait_until(lambda: len(lab.workers()) == 3, "the worker of lab-1 was killed")
        lab.release()
        for run in runs:
            lab.wait_for_run(run, "succeeded")
        fleet.wait_until(lambda: not lab.workers(), "all workers have ended")
        self.go_on("lab-2")
        lab.wait_for_agent("lab-2")
        self.books.check(self)
        for name, run in first.items():
            info = lab.run(run)
            self.assertIn(info["agent"], ("lab-3", "lab-4"))
            self.assertEqual([(name, "interrupted"), (info["agent"], "succeeded")],
                             [(a["agent"], a["outcome"]) for a in info["attempts"]])


if __name__ == "__main__":
    unittest.main()
