#!/usr/bin/env python3
"""The workloads in fleetmark-worker against the same in PyTorch and Keras, and tensor_add against a bare loop as well.

Runtimes that are not set up yet are added first (fleetmark-agent runtimes add, from PyPI). Then each round runs every
cell of a workload in a fresh process, with the same parameters on the same cores, in an order that rotates; what failed
once is left out from then on and named below the table. Ratios are medians of the rounds' ratios, above 1 where
Fleetmark is faster, with the lowest and the highest round behind them.

Programs are taken from build/release/bin, or from $FLEETMARK_BIN, and the bare loop from tests/ beside it; build the
targets `all` and `benchmarks`.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

SOURCE = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("FLEETMARK_BIN", SOURCE / "build/release/bin"))
DATA_HOME = pathlib.Path(os.environ.get("XDG_DATA_HOME") or pathlib.Path.home() / ".local/share")

# Columns: runtime, profile and parameters besides the workload's.
CELLS = {
    "tuned": ("libtorch", "tuned", {}),
    "stock": ("libtorch", "stock", {}),
    "pytorch": ("pytorch", "stock", {}),
    "compiled": ("pytorch", "stock", {"compile": "true"}),
    "keras-tf": ("keras-tensorflow", "stock", {}),
    "keras-jax": ("keras-jax", "stock", {}),
    "loop": ("", "", {}),  # tensor_add_loop
}
PEERS = ("pytorch", "compiled", "keras-tf", "keras-jax")
# A ratio's name: whose rate, against the fastest of which, the least that is claimed and what is aimed at.
RATIOS = {
    "tuned / fastest peer": ("tuned", PEERS, 1.0, 1.1),
    "stock / pytorch": ("stock", ("pytorch",), 0.97, 0.97),
    "tuned / bare loop": ("tuned", ("loop",), 0.95, 0.95),
}
# Parameters, those of --quick, and how many seconds a round of all cells takes on two cores of 2025, about.
WORKLOADS = {
    "tensor_add": ({"variant": "inplace", "warmup": "10", "steps": "150"}, {"n": "4096"}, 40),
    "mnist_cnn": ({"warmup": "20", "steps": "150"}, {"steps": "60"}, 75),
    "cifar_lenet": ({"data": "synthetic", "warmup": "5", "steps": "40"}, {"steps": "15"}, 80),
    "image_cnn_58m": ({"data": "synthetic", "warmup": "2", "steps": "5"}, {"batch": "16"}, 200),
    "cifar_resnet63": ({"data": "synthetic", "warmup": "2", "steps": "4"}, {"steps": "2"}, 330),
}


def add_runtimes(options):
    for runtime in ("pytorch", "keras-tensorflow", "keras-jax"):
        if not (options.runtimes_dir / runtime / "runner").exists():
            subprocess.run([BIN / "fleetmark-agent", "runtimes", "add", runtime, "--runtimes-dir", options.runtimes_dir],
                           check=False)  # where it fails the runner is not there, which the table's end says


def execute(options, command, text=""):
    """Its standard output, or a sentence that says why there is none."""
    environment = {**os.environ, "OMP_NUM_THREADS": str(options.threads)}
    cores = sorted(os.sched_getaffinity(0))[:options.threads]
    try:
        done = subprocess.run([str(word) for word in command], input=text, capture_output=True, text=True, check=False,
                              env=environment, timeout=options.timeout,
                              preexec_fn=lambda: os.sched_setaffinity(0, cores))
    except subprocess.TimeoutExpired:
        return "", f"took over {options.timeout:g} s (--timeout)"
    except OSError as error:
        return "", str(error)
    if done.returncode == 0:
        return done.stdout, ""
    for line in done.stdout.splitlines():
        if line.startswith('{"error"'):
            return "", json.loads(line)["error"]["message"]
    return "", f"exit code {done.returncode}: {done.stderr.strip().splitlines()[-1:]}"


def parameters_of(options, workload):
    given, quick, _ = WORKLOADS[workload]
    given = {**given, **(quick if options.quick else {})}
    if workload == "mnist_cnn":
        given["data"] = "mnist" if options.dataset_dir else "synthetic"
    return given


def run(options, workload, cell):
    """The median step of one process in seconds, or None and why not."""
    runtime, profile, more = CELLS[cell]
    parameters = {**parameters_of(options, workload), **more}
    if cell == "loop":
        words = [parameters.get("n", 12288), parameters["warmup"], parameters["steps"]]
        output, problem = execute(options, [BIN.parent / "tests/tensor_add_loop", *words])
        values = [float(word) for word in output.split()]
    else:
        runner = BIN / "fleetmark-worker" if runtime == "libtorch" else options.runtimes_dir / runtime / "runner"
        if runtime != "keras-jax":  # which takes the cores that it finds
            parameters["threads"] = str(options.threads)
        specification = {"workload": workload, "device": "cpu", "profile": profile, "parameters": parameters,
                         "dataset_dir": options.dataset_dir}
        output, problem = execute(options, [runner, "run"], json.dumps(specification))
        values = [value for line in output.splitlines() for value in json.loads(line).get("samples", {}).get("values", [])]
    return (statistics.median(values), "") if values else (None, problem or "measured nothing")


def measure(options, workload):
    """Of each cell the median step of each round, and of those that failed why."""
    times = {cell: [] for cell in options.cell or CELLS if cell != "loop" or workload == "tensor_add"}
    order, problems = list(times), {}
    for number in range(options.rounds):
        for cell in [cell for cell in order if cell not in problems]:
            began = time.monotonic()
            median, problem = run(options, workload, cell)
            if problem:
                problems[cell] = problem
            times[cell].append(median)
            print(f"{workload} round {number + 1} {cell}: {problem or f'{median:.5f} s'}"
                  f" ({time.monotonic() - began:.0f} s in all)", file=sys.stderr, flush=True)
        order.append(order.pop(0))  # so that none is always the first on a machine that the others have warmed
    return {cell: values for cell, values in times.items() if cell not in problems}, problems


def verdict(value, least, aim):
    return "ok" if value >= aim else f"ok, short of the aim {aim}" if value >= least else f"SHORT of {least}"


def report(options, workload, times, problems):
    """Prints the workload's part of the table. Returns whether every ratio is at least what is claimed."""
    medians = {cell: statistics.median(values) for cell, values in times.items()}
    print(f"{workload:<15}" + "".join(f"{medians[cell]:>11.5f}" if cell in medians else f"{'-':>11}" for cell in CELLS))
    holds = True
    for name, (ours, theirs, least, aim) in RATIOS.items():
        theirs = [cell for cell in theirs if cell in medians]
        if ours not in medians or not theirs:
            continue
        peer = min(theirs, key=medians.get)
        ratios = [b / a for a, b in zip(times[ours], times[peer])]
        ratio = statistics.median(ratios)
        holds = holds and ratio >= least
        print(f"{'':15}    {name:<21} {ratio:6.3f}  ({min(ratios):.3f}..{max(ratios):.3f})  {peer:<9}  "
              f"{verdict(ratio, least, aim)}")
    for cell, problem in problems.items():
        print(f"{'':15}    {cell} did not run: {problem}")
    sys.stdout.flush()
    return holds and not problems  # the fastest peer may be among them


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workload", action="append", choices=WORKLOADS, help="only this one; may be repeated")
    parser.add_argument("--cell", action="append", choices=CELLS, help="only this column; may be repeated")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="fewer steps, smaller batches and tensors; 2 rounds")
    parser.add_argument("--threads", type=int, default=2, help="and cores, of every process")
    parser.add_argument("--dataset-dir", default="", help="train mnist_cnn on the MNIST there, not on synthetic images")
    parser.add_argument("--runtimes-dir", type=pathlib.Path, default=DATA_HOME / "fleetmark/runtimes")
    parser.add_argument("--timeout", type=float, default=600, metavar="S", help="of one process")
    options = parser.parse_args()
    options.rounds = min(options.rounds, 2) if options.quick else options.rounds
    chosen = options.workload or list(WORKLOADS)
    seconds = options.rounds * sum(WORKLOADS[workload][2] for workload in chosen) * (0.5 if options.quick else 1)
    print(f"{options.rounds} rounds on {options.threads} cores, about {seconds / 60:.0f} minutes on an idle machine (load "
          f"average now: {os.getloadavg()[0]:.1f}); seconds a step, medians of the rounds' medians", flush=True)
    add_runtimes(options)
    print(f"{'':15}" + "".join(f"{cell:>11}" for cell in CELLS), flush=True)
    results = [report(options, workload, *measure(options, workload)) for workload in chosen]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
