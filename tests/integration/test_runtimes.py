"""Python frameworks as runtimes: how they are set up, what is said of those that are not, and a real run in PyTorch."""

import json
import os
import subprocess
import sys
import unittest

import fleet

# The Python whose packages hold the LibTorch under test, PyTorch's and numpy with it; "" with Debian's LibTorch.
TORCH_PYTHON = os.environ.get("FLEETMARK_TORCH_PYTHON", "")


class RuntimesTest(fleet.FleetTest):
    def runtimes(self, *arguments, expect=0):
        command = [fleet.BIN / "fleetmark-agent", "runtimes", *arguments,
                   "--runtimes-dir", self.fleet.directory / "runtimes"]
        result = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=120,
                                stdin=subprocess.DEVNULL)
        self.assertEqual(expect, result.returncode, result.stdout + result.stderr)
        return result


class Setup(RuntimesTest):
    def test_what_is_not_set_up_says_how(self):
        self.assertIn("fleetmark-agent runtimes add keras-jax", self.runtimes("list").stdout)
        lab = self.start("lab-1")
        known = {runtime["name"]: runtime for runtime in lab.json("agents")["agents"][0]["runtimes"]}
        for name in ("pytorch", "keras-tensorflow", "keras-jax"):
            self.assertIn(f"fleetmark-agent runtimes add {name}", known[name]["unavailable"])
        error = lab.json("submit", "mnist_cnn", "--runtime", "keras-jax", "--on", "lab-1", expect=2)["error"]
        self.assertIn("runtimes add keras-jax", error["message"])

    def test_a_runtime_that_there_is_not(self):
        self.assert_explains(self.runtimes("add", "keras-jx", expect=2).stderr, "keras-jx", "keras-jax")

    def test_a_python_without_the_framework_sets_nothing_up(self):
        result = self.runtimes("add", "keras-jax", "--python", "/usr/bin/python3", expect=3)
        self.assert_explains(result.stderr, "keras-jax", "cannot be imported")
        self.assertIn("keras-jax        Keras on JAX; not set up", self.runtimes("list").stdout)

    def test_a_framework_that_broke_since_is_said_by_name(self):
        runner = self.fleet.directory / "runtimes" / "pytorch" / "runner"
        runner.parent.mkdir(parents=True)
        runner.write_text("#!/bin/sh\necho 'libtorch_cpu.so is gone' >&2\nexit 108\n")
        runner.chmod(0o755)
        lab = self.start("lab-1")
        known = {runtime["name"]: runtime for runtime in lab.json("agents")["agents"][0]["runtimes"]}
        self.assert_explains(known["pytorch"]["unavailable"], "libtorch_cpu.so is gone")


class Offers(unittest.TestCase):
    def test_tensor_add_has_the_variants_that_a_framework_has(self):
        script = ("import fleetmark_runner, json, protocol; print(json.dumps({runtime: fleetmark_runner.offer(runtime, "
                  "protocol.known_workloads()['tensor_add']) for runtime in fleetmark_runner.RUNTIMES}))")
        offered = json.loads(subprocess.check_output([sys.executable, "-B", "-c", script], cwd=fleet.BIN / "runners"))
        variant = {runtime: next(parameter for parameter in workload["parameters"] if parameter["name"] == "variant")
                   for runtime, workload in offered.items()}
        self.assertEqual(["torchscript", "inplace", "out", "alloc", "upload"], variant["pytorch"]["choices"])
        for runtime in ("keras-tensorflow", "keras-jax"):
            self.assertEqual(["inplace", "alloc", "upload"], variant[runtime]["choices"])
            self.assertEqual("inplace", variant[runtime]["default_value"])
            self.assertNotIn("torchscript", variant[runtime]["doc"])


    def test_tensor_add_tells_the_kept_ceiling_that_it_is_to_be_compared_with(self):
        memory = {"resource": "memory", "dtype": "", "rate": 1e11, "measured_unix_s": 7}
        kept = [memory, {**memory, "resource": "arithmetic", "dtype": "fp32"}]
        cases = [("inplace", 8192, "fp32", [memory]), ("inplace", 8191, "fp32", []), ("inplace", 8192, "bf16", []),
                 ("alloc", 8192, "bf16", [memory]), ("upload", 8192, "fp32", [])]
        for variant, n, dtype, told in cases:
            with self.subTest(variant=variant, n=n, dtype=dtype):
                given = {"variant": variant, "n": n, "dtype": dtype}
                script = f"import json, tensor_add; print(json.dumps(tensor_add.compared_with({kept}, {given})))"
                output = subprocess.check_output([sys.executable, "-B", "-c", script], cwd=fleet.BIN / "runners")
                self.assertEqual(told, json.loads(output))


@unittest.skipUnless(TORCH_PYTHON, "Debian's LibTorch comes without PyTorch")
class PyTorch(RuntimesTest):
    def test_the_workloads_run_in_pytorch_with_the_same_metrics(self):
        self.runtimes("add", "pytorch", "--python", TORCH_PYTHON)
        lab = self.fleet
        lab.start_coordinator()
        lab.start_agent("lab-1", runners={"libtorch": fleet.BIN / "fleetmark-worker"})
        arguments = ("--on", "lab-1", "--runtime", "all", "--wait", "--set")
        submitted = lab.json("submit", "mnist_cnn", *arguments, "data=synthetic", "--set", "epochs=1",
                             "--set", "batch=128", timeout_s=300)
        runs = {run["runtime"]: run for run in submitted["runs"]}
        self.assertEqual({"libtorch", "pytorch"}, set(runs))
        self.assertEqual(2, len(submitted["left_out"]))
        metrics = {name: {m["name"]: m for m in run["result"]["metrics"]} for name, run in runs.items()}
        self.assertLessEqual(set(metrics["pytorch"]), set(metrics["libtorch"]))
        for name in ("samples_per_s", "epoch_s", "val_accuracy", "first_call_s", "parameters_total"):
            self.assertEqual(metrics["libtorch"][name]["unit"], metrics["pytorch"][name]["unit"])
        self.assertEqual(1199882, metrics["pytorch"]["parameters_total"]["value"])
        self.assertGreater(metrics["pytorch"]["val_accuracy"]["value"], 0.5)
        self.assertLess(metrics["pytorch"]["samples_per_s"]["ci_low"], metrics["pytorch"]["samples_per_s"]["value"])
        board = lab.json("leaderboard", "mnist_cnn", "--set", "data=synthetic", "--set", "batch=128")
        self.assertEqual({"libtorch", "pytorch"}, {row["runtime"] for row in board["rows"]})
        resnet = lab.json("submit", "cifar_resnet63", "--on", "lab-1", "--runtime", "pytorch", "--wait", "--set",
                          "batch=2", timeout_s=120)["runs"][0]["result"]
        notes = resnet["summary"]["notes"]
        self.assertEqual(["call 1: ", "call 2: ", "call 3: ", "call 4: "], [note[:8] for note in notes[:4]])
        self.assertIn("2 step times are too few to look for a warm-up", notes[4])
        self.assertNotIn("is_steady", resnet["summary"])
        self.assertEqual(15206538, {m["name"]: m for m in resnet["metrics"]}["parameters_total"]["value"])
        add = lab.json("submit", "tensor_add", "--on", "lab-1", "--runtime", "pytorch", "--profile", "tuned", "--wait",
                       "--set", "n=256", "--set", "steps=20", timeout_s=120)["runs"][0]["result"]
        self.assertIn("TorchScript folded", add["summary"]["notes"][0])
        rate = {m["name"]: m["value"] for m in add["metrics"]}
        self.assertAlmostEqual(1, rate["gb_per_s"] / (rate["it_per_s"] * 2 * 256 * 256 * 4e-9), places=6)
        missing = lab.json("submit", "mnist_cnn", "--on", "lab-1", "--runtime", "pytorch", "--wait", expect=1)
        self.assertEqual("data_missing", missing["runs"][0]["failure"]["kind"])


if __name__ == "__main__":
    unittest.main()
