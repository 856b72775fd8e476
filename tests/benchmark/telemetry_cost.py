#!/usr/bin/env python3
"""What sampling costs the run beside it: `fleetmark-agent run --telemetry alternating`, several times on a quiet machine.

Sensors are read in blocks and left alone in blocks; neighbours are compared. Prints, of each run and of all together, how
much longer a step is with sampling than without, with its 95 % interval, beside the limit of 0.5 %. They are read --times
as often as usual, and what that costs is divided by how often they really were: a cost of a few in ten thousand does not
show beside what a machine's own speed varies by, and many times that does.
"""
import argparse
import collections
import json
import math
import os
import pathlib
import statistics
import subprocess
import sys

LIMIT = 0.005
USUAL_INTERVAL_S = 0.25  # agent/sampler/sampler.h
BLOCK_S = 2  # agent/sampler/cost.h
SOURCE = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("FLEETMARK_BIN", SOURCE / "build/release/bin"))
NORMAL_975 = 1.96


def percent(share):
    return f"{100 * share:+.3f} %"


def measure(options):
    settings = [word for text in options.set for word in ("--set", text)]
    command = [BIN / "fleetmark-agent", "run", options.workload, "--telemetry", "alternating", "--json", *settings,
               "--set", f"duration_s={options.seconds}", "--telemetry-interval", str(USUAL_INTERVAL_S / options.times)]
    ended = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if ended.returncode != 0:
        sys.exit(f"error: {options.workload} failed with exit code {ended.returncode}")
    result = json.loads(ended.stdout)["result"]
    cost = result["telemetry"].get("cost")
    if cost is None or cost.get("ci_low") is None:
        sys.exit("error: it does not say what sampling costs: " + "; ".join(result["summary"]["notes"] or ["too short"]))
    return cost, result["telemetry"]


def times_as_often(telemetry, asked):
    """How many readings a block that is on had, of how many it usually has; the first and the last may be cut off."""
    if telemetry["interval_s"] > 1.5 * USUAL_INTERVAL_S / asked:
        sys.exit("error: a record of so many readings is thinned out, and they cannot be counted; take shorter runs")
    cpu = next(series for series in telemetry["series"] if series["name"] == "cpu_percent")
    read_at_s = [at_s for at_s, value in zip(telemetry["at_s"], cpu["values"]) if value != "NaN"]
    blocks = collections.Counter(int((at_s - telemetry["interval_s"] / 2) / BLOCK_S) for at_s in read_at_s)
    return statistics.median(blocks[block] for block in sorted(blocks)[1:-1]) / (BLOCK_S / USUAL_INTERVAL_S)


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--workload", default="tensor_add")
    arguments.add_argument("--set", action="append", default=[], help="a parameter, NAME=VALUE; default: n=1024")
    arguments.add_argument("--seconds", type=float, default=30, help="of each run")
    arguments.add_argument("--runs", type=int, default=10)
    arguments.add_argument("--times", type=float, default=16, help="as often as usual the sensors are read (%(default)g)")
    options = arguments.parse_args()
    options.set = options.set or ["n=1024"]
    print(f"{options.workload} {' '.join(options.set)}, {options.runs} runs of {options.seconds:g} s, sampled in alternating "
          f"blocks, {options.times:g} times as often as usual; all costs are divided by how often they really were")
    shares, variances = [], []
    for number in range(1, options.runs + 1):
        cost, telemetry = measure(options)
        times = times_as_often(telemetry, options.times)
        blocks = cost["blocks"]
        cost = {key: value / times for key, value in cost.items()}
        shares.append(cost["share"])
        variances.append(((cost["ci_high"] - cost["ci_low"]) / (2 * NORMAL_975)) ** 2)
        print(f"  run {number}: {percent(cost['share'])}, 95 % interval {percent(cost['ci_low'])} to {percent(cost['ci_high'])}, "
              f"{blocks} pairs of blocks, {times:.1f} times as often, {len(telemetry['series'])} series", flush=True)
    print("  sensors: " + ", ".join(f"{sensor['name']} {sensor['state']}" for sensor in telemetry["sensors"]))
    # Each run counts by how well it knows.
    weights = [1 / variance if variance > 0 else 1.0 for variance in variances]
    share = sum(weight * value for weight, value in zip(weights, shares)) / sum(weights)
    half = NORMAL_975 / math.sqrt(sum(weights))
    print(f"all together: {percent(share)}, 95 % interval {percent(share - half)} to {percent(share + half)}; "
          f"median of the runs {percent(statistics.median(shares))}; limit {percent(LIMIT)}")
    if share + half < LIMIT:
        print("below the limit")
        return 0
    print("ABOVE the limit" if share - half > LIMIT else "not known well enough: more runs, longer, on a quieter machine")
    return 1


if __name__ == "__main__":
    sys.exit(main())
