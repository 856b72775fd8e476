#!/usr/bin/env python3
"""mnist_cnn of fleetmark-worker against the same training in a plain PyTorch script, interleaved in one run.

Each round runs the script and the worker with each profile for the same number of steps with the same threads, in an order
that rotates. Prints the median step time of each and the ratios to the script (above 1: faster than it).
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess

HERE = pathlib.Path(__file__).resolve().parent


def run_script(options):
    command = [options.python, HERE / "train_mnist_pytorch.py", "--dataset-dir", options.dataset_dir,
               "--steps", str(options.steps), "--warmup", "20", "--threads", str(options.threads)]
    output = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
    return json.loads(output)["step_s"]


def run_worker(options, profile):
    command = [options.worker, "run", "mnist_cnn", "--dataset-dir", options.dataset_dir, "--profile", profile,
               "--set", f"steps={options.steps}", "--set", "warmup=20",
               "--set", f"threads={options.threads}"]
    for assignment in options.set:
        command += ["--set", assignment]
    output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return [value for line in output.splitlines() for value in json.loads(line).get("samples", {}).get("values", [])]


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--worker", required=True, help="path of fleetmark-worker")
    arguments.add_argument("--python", required=True, help="a Python that has PyTorch")
    arguments.add_argument("--dataset-dir", required=True)
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--steps", type=int, default=150)
    arguments.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)), help="of all three")
    arguments.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    options = arguments.parse_args()
    times = {"pytorch": [], "stock": [], "tuned": []}
    order = list(times)
    for _ in range(options.rounds):
        for name in order:
            times[name] += run_script(options) if name == "pytorch" else run_worker(options, name)
        order.append(order.pop(0))  # so that none is always the first on a machine that the others have warmed
    medians = {name: statistics.median(values) for name, values in times.items()}
    for name, median in medians.items():
        lowest = min(times[name])
        print(f"{name:8} median {1e3 * median:7.2f} ms a step, best {1e3 * lowest:7.2f} ms, "
              f"{medians['pytorch'] / median:.3f} of PyTorch's rate (best {min(times['pytorch']) / lowest:.3f})")


if __name__ == "__main__":
    main()
