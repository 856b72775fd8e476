"""Evidence and verdict of real runs: telemetry is stored with them, a neighbour and a CPU quota are seen."""

import contextlib
import json
import os
import pathlib
import subprocess
import sys
import unittest

import fleet

SECONDS = ("--set", "n=2048", "--set", "variant=inplace", "--set", "duration_s=3")


@contextlib.contextmanager
def neighbours(count):
    """Processes that keep so many cores busy."""
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for process in busy:
            process.kill()
            process.wait()


class Evidence(fleet.FleetTest):
    def setUp(self):
        if not fleet.HAS_WORKER:
            self.skipTest("built without LibTorch: there is no worker")
        super().setUp()

    def measure(self, *extra):
        lab = self.fleet
        lab.start_coordinator()
        lab.start_agent(runners={})
        run = lab.json("submit", "tensor_add", *SECONDS, *extra)["run_ids"][0]
        info = lab.wait_for_run(run, deadline_s=60)
        self.assertEqual("succeeded", info["state"], info["reason"])
        return info["result"]

    def test_telemetry_is_stored_with_the_run_and_judged(self):
        result = self.measure()
        telemetry = result["telemetry"]
        self.assertLessEqual(telemetry["interval_s"], 0.5)
        self.assertGreaterEqual(len(telemetry["at_s"]), 6)
        series = {entry["name"]: entry for entry in telemetry["series"]}
        self.assertLessEqual({"cpu_percent", "cpu_percent.0", "worker_cpu_percent", "other_cpu_percent", "load1",
                              "memory_used_bytes", "worker_rss_bytes", "worker_system_percent",
                              "worker_page_faults_per_s"}, set(series))
        for entry in series.values():
            self.assertEqual(len(telemetry["at_s"]), len(entry["values"]), entry["name"])
        self.assertGreater(max(value for value in series["worker_cpu_percent"]["values"] if value != "NaN"), 30)
        self.assertGreater(telemetry["measured_until_s"] - telemetry["measured_from_s"], 2.5)
        self.assertTrue(result["steadiness"]["sustained_it_per_s"] > 0)
        self.assertNotIn(result["verdict"]["kind"], ("", "UNCHECKED"))
        self.assertTrue(result["verdict"]["evidence"])

    def test_a_neighbour_on_the_cores_is_seen(self):
        with neighbours(os.cpu_count()):
            result = self.measure()
        evidence = " ".join(result["verdict"]["evidence"])
        self.assertEqual("INTERFERED", result["verdict"]["kind"], evidence)
        self.assertEqual("other processes", result["verdict"]["cause"])
        self.assert_explains(evidence, "other processes used")

    def test_without_telemetry_it_is_unchecked(self):
        verdict = self.measure("--telemetry", "off")["verdict"]
        self.assertIn("not known: there is no telemetry of this run", verdict["evidence"])
        self.assertIn(verdict["kind"], ("UNCHECKED", "NOISY", "THROTTLED"))  # the latter two by its step times


class Quota(fleet.FleetTest):
    """Takes a control group of the test's own, which is root's to make."""

    def setUp(self):
        if not fleet.HAS_WORKER:
            self.skipTest("built without LibTorch: there is no worker")
        super().setUp()
        self.is_v1 = pathlib.Path("/sys/fs/cgroup/cpu/cpu.cfs_quota_us").exists()
        self.group = pathlib.Path("/sys/fs/cgroup/cpu" if self.is_v1 else "/sys/fs/cgroup") / f"fleetmark-{os.getpid()}"
        try:
            self.group.mkdir()
            self.addCleanup(self.group.rmdir)
            if self.is_v1:
                (self.group / "cpu.cfs_period_us").write_text("100000")
                (self.group / "cpu.cfs_quota_us").write_text("20000")
            else:
                (self.group / "cpu.max").write_text("20000 100000")
        except OSError as error:
            self.skipTest(f"no control group with a CPU quota can be made here: {error}")

    def test_a_quota_is_seen(self):
        join = lambda: (self.group / "cgroup.procs").write_text(str(os.getpid()))
        command = [fleet.BIN / "fleetmark-agent", "run", "tensor_add", *SECONDS, "--json", "--lock-dir",
                   self.fleet.directory / "locks"]
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=120, preexec_fn=join,
                              check=False)
        self.assertEqual(0, done.returncode, done.stderr)
        verdict = json.loads(done.stdout)["result"]["verdict"]
        self.assertEqual(("THROTTLED", "quota"), (verdict["kind"], verdict["cause"]), verdict["evidence"])


if __name__ == "__main__":
    unittest.main()
