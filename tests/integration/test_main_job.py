"""The main job on the real worker, and the shapes that scripts rely on."""

import json
import subprocess
import unittest

import fleet

LEADERBOARD_ROW = {"rank", "system", "device", "device_kind", "runtime", "profile", "value", "ci_low", "ci_high", "n",
                   "verdict", "source", "run_id"}
VERDICTS = {"UNCHECKED", "OK", "NOISY", "THROTTLED", "INTERFERED", "IMPLAUSIBLE"}
SAMPLED = {"n", "best", "median", "mean", "sd", "p95", "ci_low", "ci_high"}


class WorkerTest(fleet.FleetTest):
    def setUp(self):
        if not fleet.HAS_WORKER:
            self.skipTest("built without LibTorch: there is no worker")
        super().setUp()

    def start_with_worker(self, *names):
        lab = self.fleet
        lab.start_coordinator()
        for name in names or ("lab-1",):
            lab.start_agent(name, runners={})
        return lab

    def measure(self, workload, *settings, extra=()):
        """Submits and waits; the run, whole."""
        arguments = [word for setting in settings for word in ("--set", setting)]
        run = self.fleet.json("submit", workload, *arguments, *extra)["run_ids"][0]
        info = self.fleet.wait_for_run(run, deadline_s=120)
        self.assertEqual("succeeded", info["state"], info["reason"])
        return info


class Path(WorkerTest):
    def test_tensor_add_from_submit_to_leaderboard(self):
        lab = self.start_with_worker("lab-1", "lab-2")
        jobs = lab.json("submit", "tensor_add", "--on", "all", "--set", "n=2048", "--set", "variant=inplace", "--set",
                        "steps=300")
        self.assertLessEqual({"job_id", "run_ids"}, set(jobs))
        self.assertEqual(2, len(jobs["run_ids"]))
        for run in jobs["run_ids"]:
            self.assertEqual("succeeded", lab.wait_for_run(run, deadline_s=60)["state"])
        board = lab.json("leaderboard", "tensor_add", "--set", "n=2048", "--set", "variant=inplace")
        self.assertEqual(("tensor_add", "it_per_s", "it/s"), (board["workload"], board["metric"], board["unit"]))
        rows = [row for row in board["rows"] if row["source"] == "measured"]
        self.assertEqual({"lab-1", "lab-2"}, {row["system"] for row in rows})
        for row in rows:
            self.assertLessEqual(LEADERBOARD_ROW, set(row))
            self.assertGreater(row["value"], 0)
            self.assertEqual(("cpu", "libtorch", "stock"), (row["device_kind"], row["runtime"], row["profile"]))
            self.assertIn(row["verdict"], VERDICTS)
            self.assertIn(row["run_id"], jobs["run_ids"])

    def test_published_rows_stand_beside_ours(self):
        lab = self.start_with_worker()
        published = [row for row in lab.json("leaderboard", "tensor_add")["rows"] if row["source"] == "published"]
        self.assertTrue(published)
        for row in published:
            self.assertEqual("", row["run_id"])
            self.assertTrue(row["published_in"])
        flagged = {row["system"]: (row["rank"], row["verdict"], row["verdict_reason"]) for row in published
                   if row["verdict"]}
        self.assertEqual({
            "Nvidia RTX3060 GPU": (0, "IMPLAUSIBLE",
                                   "387 GB/s is 1.07 times the 360 GB/s that the card is specified for"),
            "Server GPU (Overheat)": (0, "THROTTLED", "its author says that it was throttled by heat")}, flagged)
        everything = lab.json("leaderboard", "tensor_add", "--include-flagged")["rows"]
        self.assertNotIn(0, [row["rank"] for row in everything])
        self.assertIn("! Server GPU (Overheat): THROTTLED, its author says", lab.cli("leaderboard", "tensor_add").stdout)

    def test_mnist_cnn_on_synthetic_data(self):
        self.start_with_worker()
        run = self.measure("mnist_cnn", "data=synthetic", "epochs=1", "steps=20", extra=("--profile", "tuned"))
        names = {metric["name"] for metric in run["result"]["metrics"]}
        self.assertIn("samples_per_s", names)
        self.assertEqual("retain", run["result"]["environment"]["allocator"])

    def test_mnist_cnn_without_data_names_the_command(self):
        lab = self.start_with_worker()
        run = lab.wait_for_run(lab.json("submit", "mnist_cnn")["run_ids"][0])
        self.assertEqual(("failed", "data_missing"), (run["state"], run["failure"]["kind"]))
        self.assertIn("fleetmark-agent data add mnist", run["failure"]["hint"])

    def test_a_corrupt_mnist_file_is_named(self):
        lab = self.start_with_worker()
        data = lab.directory / "datasets" / "mnist"
        data.mkdir(parents=True)
        for name in ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"):
            (data / name).write_bytes(b"not an IDX file")
        run = lab.wait_for_run(lab.json("submit", "mnist_cnn")["run_ids"][0])
        self.assertEqual(("failed", "data_corrupt"), (run["state"], run["failure"]["kind"]))
        self.assert_explains(run["failure"]["message"], "idx")


class Results(WorkerTest):
    def test_show_gives_the_whole_result(self):
        self.start_with_worker()
        run = self.measure("tensor_add", "n=2048", "variant=inplace", "steps=300")
        self.assertEqual(1, len(run["attempts"]))
        metrics = {metric["name"]: metric for metric in run["result"]["metrics"]}
        self.assertLessEqual({"name", "unit", "value"} | SAMPLED, set(metrics["it_per_s"]))
        result = run["result"]
        self.assertEqual("steps", result["summary"]["stop_reason"])
        self.assertEqual(300, result["summary"]["steps"] + result["summary"]["warmup_found"])
        self.assertIn(result["verdict"]["kind"], VERDICTS)
        self.assertTrue(result["verdict"]["evidence"])
        self.assertGreater(result["usage"]["rss_peak_bytes"], 1e6)
        self.assertGreater(result["usage"]["wall_s"], 0)
        self.assertGreaterEqual(result["summary"]["process_s"], 0)
        self.assertTrue(result["environment"]["host"])
        self.assertTrue(result["environment"]["runtime_version"])
        self.assertGreater(result["environment"]["threads"], 0)

    def test_a_repetition_is_a_row_of_the_board_once(self):
        lab = self.start_with_worker()
        runs = lab.json("submit", "tensor_add", "--repeat", "3", "--set", "n=256", "--set", "steps=20")["run_ids"]
        for run in runs:
            lab.wait_for_run(run)
        rows = [r for r in lab.json("leaderboard", "tensor_add", "--set", "n=256")["rows"] if r["source"] == "measured"]
        self.assertEqual(1, len(rows))
        self.assertIn(rows[0]["run_id"], runs)

    def test_agents_and_workloads_as_scripts_read_them(self):
        lab = self.start_with_worker()
        agent = lab.json("agents")["agents"][0]
        self.assertEqual(("lab-1", "idle"), (agent["name"], agent["state"]))
        self.assertEqual("cpu", agent["devices"][0]["kind"])
        names = {offer["spec"]["name"] for offer in lab.json("workloads")["workloads"]}
        self.assertLessEqual({"tensor_add", "mnist_cnn"}, names)


class History(fleet.FleetTest):
    def test_results_are_found_again_by_what_they_were(self):
        lab = self.start("lab-1", "lab-2")
        runs = []
        for value, name in ((10, "lab-1"), (20, "lab-1"), (30, "lab-2")):
            run = lab.submit("ok", "--on", name, parameters={"value": value})[0]
            lab.wait_for_run(run)
            runs.append(run)
        found = lambda *words: {run["run_id"] for run in lab.json("runs", *words)["runs"]}
        self.assertEqual(set(runs), found())
        self.assertEqual(set(runs), found("--workload", "fake", "--runtime", "fake", "--device", "cpu", "--since", "7d"))
        self.assertEqual({runs[2]}, found("--on", "lab-2"))
        self.assertEqual({runs[1]}, found("--set", "value=20"))
        self.assertEqual(set(runs), found("--verdict", "NOISY"))  # the fake runner's interval is 2 wide
        self.assertEqual(set(), found("--verdict", "OK"))
        self.assertEqual(set(), found("--until", "2020-01-01"))
        self.assertEqual(set(), found("--state", "failed"))
        points = lab.json("history", "fake", "--on", "lab-1", "--runtime", "fake")["points"]
        self.assertEqual([(10, runs[0]), (20, runs[1])], [(p["value"], p["run_id"]) for p in points])
        self.assertAlmostEqual(1.0, points[1]["change"])

    def test_everything_is_there_after_a_restart(self):
        lab = self.start("lab-1")
        before = lab.wait_for_run(lab.submit()[0])
        lab.coordinator.kill()
        lab.start_coordinator()
        self.assertEqual(before, lab.run(before["run_id"]))


class Standalone(WorkerTest):
    """Without servers."""

    def agent(self, *arguments, expect=0):
        result = subprocess.run([fleet.BIN / "fleetmark-agent", *map(str, arguments)], capture_output=True, text=True,
                                timeout=120, stdin=subprocess.DEVNULL)
        self.assertEqual(expect, result.returncode, result.stdout + result.stderr)
        return result

    def test_the_agent_measures_this_machine_alone(self):
        output = self.agent("run", "tensor_add", "--set", "n=256", "--set", "steps=20", "--lock-dir",
                            self.fleet.directory / "locks", "--state-dir", self.fleet.directory / "state").stdout
        self.assert_explains(output, "it_per_s", "it/s")

    def test_an_epoch_is_told_with_the_scores_that_it_has(self):
        lab, errors = self.fleet, self.fleet.directory / "errors"
        command = [fleet.BIN / "fleetmark-agent", "run", "fake", "--runtime", "fake", "--runner", f"fake={lab.runner}",
                   "--set", "behaviour=epochs", "--lock-dir", lab.directory / "locks", "--state-dir",
                   lab.directory / "state"]
        with open(errors, "wb") as file:
            agent = subprocess.Popen(list(map(str, command)), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=file)
        self.addCleanup(agent.wait)
        self.addCleanup(agent.kill)
        fleet.wait_until(lambda: "epoch 2 " in errors.read_text(), "both epochs are told")
        lab.release()
        self.assertEqual(0, agent.wait(fleet.DEADLINE_S), errors.read_text())
        self.assertEqual(["epoch 1  0.500 s  loss 0.2500  val_accuracy 0.9000", "epoch 2  0.250 s"],
                         [line for line in errors.read_text().splitlines() if line.startswith("epoch")])

    def test_the_worker_by_hand(self):
        worker = fleet.BIN / "fleetmark-worker"
        described = json.loads(subprocess.run([worker, "describe"], capture_output=True, check=True).stdout)
        self.assertEqual("libtorch", described["runtime"])
        spec = {"workload": "tensor_add", "workload_version": 1, "runtime": "libtorch", "device": "cpu",
                "profile": "stock", "parameters": {"n": "256", "steps": "10"}}
        result = subprocess.run([worker, "run"], input=json.dumps(spec), capture_output=True, text=True, timeout=60)
        self.assertEqual(0, result.returncode, result.stderr)
        events = [json.loads(line) for line in result.stdout.splitlines()]
        self.assertIn("started", events[0])
        self.assertIn("result", events[-1])

    def test_data_add_takes_files_at_hand_and_verifies_them(self):
        files = self.fleet.directory / "files"
        files.mkdir()
        (files / "train-images-idx3-ubyte").write_bytes(b"wrong")
        result = self.agent("data", "add", "mnist", "--from", files, "--dataset-dir", self.fleet.directory / "datasets",
                            expect=2)
        self.assert_explains(result.stderr, "mnist")
        self.assertFalse(list((self.fleet.directory / "datasets").rglob("train-images*")))


if __name__ == "__main__":
    unittest.main()
