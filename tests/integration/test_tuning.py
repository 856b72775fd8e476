"""`fleetmark tune`: from the search to a later run that takes what was found."""

import signal
import subprocess
import unittest

import fleet

TUNE = ("tune", "tunable", "--runtime", "fake", "--on", "lab-1", "--budget", "1m")


class Tuning(fleet.FleetTest):
    def setUp(self):
        super().setUp()
        self.start("lab-1", "lab-2")

    def measure(self, *extra, agent="lab-1", profile="tuned"):
        """A later run; it and the kernels that took effect."""
        lab = self.fleet
        ids = lab.json("submit", "tunable", "--runtime", "fake", "--on", agent, "--profile", profile, *extra)["run_ids"]
        run = lab.wait_for_run(ids[0])
        return run, run["result"]["summary"]["parameters"]["kernels"]

    def test_the_fastest_with_the_right_loss_is_found_kept_used_and_forgotten(self):
        lab = self.fleet
        run, kernels = self.measure()
        self.assertEqual(("good", {}), (kernels, run["result"]["profile_settings"]))
        board = lab.json(*TUNE)["boards"][0]
        self.assertTrue(board["is_own"])
        self.assertEqual({"kernels": "best"}, board["profile"]["settings"])
        rows = {row["name"]: row for row in board["profile"]["tried"]}
        self.assertEqual({"stock", "tuned", "kernels=best", "kernels=wrong", "kernels=broken"}, set(rows))
        self.assertEqual("kept", rows["kernels=best"]["verdict"])
        self.assertAlmostEqual(2, rows["kernels=best"]["ratio"], delta=0.1)
        self.assertEqual(("excluded", "differs"), (rows["kernels=wrong"]["verdict"], rows["kernels=wrong"]["loss_check"]))
        self.assertEqual("within stock's spread", rows["tuned"]["loss_check"])
        self.assertIn("do not work here", rows["kernels=broken"]["why"])
        # Every number is in the store, and none on a board.
        self.assertGreaterEqual(len(lab.json("runs", "--workload", "tunable", "--limit", "100")["runs"]), board["runs"])
        self.assertEqual(["tuned"], [row["profile"] for row in lab.json("leaderboard", "tunable")["rows"]])
        report = next(block["table"] for block in lab.json("report", "tunable")["sections"][0]["blocks"] if "table" in block)
        self.assertEqual(1, len(report["rows"]), report)
        # Only that profile, board and machine; what is set beats it.
        run, kernels = self.measure()
        self.assertEqual(("best", {"kernels": "best"}), (kernels, run["result"]["profile_settings"]))
        self.assertNotIn("kernels", run["parameters"])
        self.assertEqual("plain", self.measure("--set", "kernels=plain")[1])
        self.assertEqual("good", self.measure("--set", "size=3")[1])
        self.assertEqual("good", self.measure(agent="lab-2")[1])
        self.assertEqual("plain", self.measure(profile="stock")[1])
        # It outlives the coordinator.
        lab.coordinator.kill()
        lab.start_coordinator()
        lab.wait_for_agent("lab-1")
        self.assertEqual("best", self.measure()[1])
        self.assertEqual("size=1", lab.json("tune", "--list")["profiles"][0]["board"])
        self.assertEqual(1, len(lab.json("tune", "tunable", "--on", "lab-1", "--forget")["profiles"]))
        self.assertEqual("good", self.measure()[1])
        self.assert_fails(2, "tune", "tunable", "--on", "lab-1", "--forget", words=("no tuned profile", "--list"))

    def test_ctrl_c_leaves_no_run_and_keeps_nothing(self):
        lab = self.fleet
        program = subprocess.Popen([fleet.BIN / "fleetmark", *TUNE, "--set", "hold=true", "--coordinator", lab.address],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self.addCleanup(program.kill)
        lab.wait_for_agent("lab-1", "busy")
        program.send_signal(signal.SIGINT)
        _, error = program.communicate(timeout=fleet.DEADLINE_S)
        self.assertEqual(130, program.returncode, error)
        self.assertIn("nothing was kept", error)
        for run in lab.json("runs")["runs"]:
            lab.wait_for_run(run["run_id"], "cancelled")
        self.assertEqual([], lab.json("tune", "--list")["profiles"])

    def test_where_the_workloads_own_fail_the_best_that_works_is_kept(self):
        lab = self.fleet
        document = lab.cli(*TUNE, "--set", "size=2").stdout
        self.assertIn("the workload's own do not work here", document)
        self.assertEqual("best", self.measure("--set", "size=2")[1])

    def test_an_agent_that_is_away_is_refused_at_once(self):
        lab = self.fleet
        lab.agents["lab-1"].kill()
        lab.wait_for_agent("lab-1", "offline")
        self.assert_fails(2, *TUNE, words=("lab-1 is offline",))


if __name__ == "__main__":
    unittest.main()
