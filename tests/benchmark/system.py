#!/usr/bin/env python3
"""Measures what Fleetmark itself costs, beside a peer or a floor where there is one.

  tests/benchmark/system.py relay     tensor_add in place through coordinator and agent, against a bare program
  tests/benchmark/system.py latency   submit to the worker's main, no-op runs a second, and where the time goes
  tests/benchmark/system.py idle      an agent that does nothing: memory and CPU time

Programs are taken from build/release/bin, or from $FLEETMARK_BIN; the benchmark's own from tests/ beside bin/.
"""

import argparse
import os
import pathlib
import statistics
import subprocess
import sys
import time

SOURCE = pathlib.Path(__file__).resolve().parents[2]
os.environ.setdefault("FLEETMARK_BIN", str(SOURCE / "build/release/bin"))
sys.path.insert(0, str(SOURCE / "tests/integration"))
import fleet  # noqa: E402  (finds the programs by FLEETMARK_BIN)

PROGRAMS = ("floors", "instant_runner", "submit_load", "tensor_add_bare")


def output(*command):
    return subprocess.run([str(word) for word in command], check=True, stdout=subprocess.PIPE, text=True).stdout


def numbers(*command):
    return [float(word) for word in output(*command).split()]


def line(label, value, claim=""):
    print(f"  {label:<58} {value:>14}   {claim}".rstrip(), flush=True)


def milliseconds(values):
    return f"{statistics.median(values):.2f} ms"


def relay(options):
    """Interleaved pairs: the same tensor, threads and time, one after the other."""
    print(f"tensor_add in place, n={options.n}, {options.seconds:g} s each, {options.pairs} interleaved pairs, medians")
    with_fleet, bare = [], []
    threads = len(os.sched_getaffinity(0))
    settings = [word for text in (f"n={options.n}", "variant=inplace", f"duration_s={options.seconds}", f"threads={threads}")
                for word in ("--set", text)]
    with started(runners={}) as lab:
        for _ in range(options.pairs):
            bare.append(numbers(fleet.TESTS / "tensor_add_bare", options.n, options.seconds, threads)[0])
            run_id = lab.json("submit", "tensor_add", *settings)["run_ids"][0]
            lab.cli("watch", run_id)  # asks the coordinator once; polling would disturb what is measured
            run = lab.run(run_id)
            with_fleet.append(next(m["value"] for m in run["result"]["metrics"] if m["name"] == "it_per_s"))
    line("bare program", f"{statistics.median(bare):.2f} it/s")
    line("through coordinator and agent", f"{statistics.median(with_fleet):.2f} it/s")
    ratios = [ours / theirs for ours, theirs in zip(with_fleet, bare)]
    line("ratio, median of the pairs", f"{statistics.median(ratios):.4f}", "claim: 0.99 or better")
    line("ratio, lowest and highest pair", f"{min(ratios):.3f}..{max(ratios):.3f}")


def latency(options):
    instant = fleet.TESTS / "instant_runner"
    load = fleet.TESTS / "submit_load"
    with started(runners={"instant": instant}) as lab:
        numbers(load, lab.address, "latency", 5)  # the first calls open connections
        submits = numbers(load, lab.address, "latency", options.count)
        rates = [numbers(load, lab.address, "rate", options.count)[0] for _ in range(3)]
        fsyncs = numbers(fleet.TESTS / "floors", "fsync", options.count, lab.directory)
    spawn_true = numbers(fleet.TESTS / "floors", "spawn", options.count, "/bin/true")
    spawn_instant = numbers(fleet.TESTS / "floors", "spawn", options.count, instant, "describe")
    print(f"A run that does nothing, {options.count} times, medians")
    line("submit to the runner's main", milliseconds(submits), "claim: under 10 ms")
    line("  the same, 95th percentile", f"{statistics.quantiles(submits, n=20)[-1]:.2f} ms")
    line("no-op runs a second through one agent", f"{statistics.median(rates):.0f} /s", "claim: 100 or more")
    line("  so a run takes", f"{1e3 / statistics.median(rates):.2f} ms")
    print("Where the time goes: what kernel and disk take of it")
    line("fork, exec and reap /bin/true", milliseconds(spawn_true))
    line("fork, exec and reap the runner", milliseconds(spawn_instant))
    line("append 4 KiB and fdatasync (five in a row on the way to main)", milliseconds(fsyncs))
    if fleet.HAS_WORKER:
        version = [time_of(fleet.BIN / "fleetmark-worker", "--help") for _ in range(10)]
        line("starting fleetmark-worker: loading LibTorch, shown apart", milliseconds(version))


def time_of(*command):
    start = time.monotonic()
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    return (time.monotonic() - start) * 1e3


def idle(options):
    with started(runners={"instant": fleet.TESTS / "instant_runner"}) as lab:
        agent = lab.agents["lab-1"].process.pid
        lab.wait_for_run(lab.json("submit", "noop", "--runtime", "instant")["run_ids"][0])
        before = cpu_seconds(agent), time.monotonic()
        time.sleep(options.seconds)
        share = (cpu_seconds(agent) - before[0]) / (time.monotonic() - before[1])
        resident = int(pathlib.Path(f"/proc/{agent}/statm").read_text().split()[1]) * 4096 / 1e6
    print(f"An idle agent with a coordinator, after one run, over {options.seconds} s")
    line("resident memory", f"{resident:.1f} MB", "claim: under 20 MB")
    line("CPU time", f"{share * 100:.3f} %", "claim: under 0.2 % of a core")


def cpu_seconds(pid):
    """User and system time of all threads, of those that have ended too; a clock tick is 10 ms."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class started:
    """A fleet of one agent, idle."""

    def __init__(self, runners):
        self.runners = runners

    def __enter__(self):
        self.lab = fleet.Fleet()
        self.lab.start_coordinator()
        self.lab.start_agent("lab-1", runners=self.runners)
        return self.lab

    def __exit__(self, *_):
        self.lab.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(required=True)
    verb = verbs.add_parser("relay")
    verb.add_argument("--n", type=int, default=12288)
    verb.add_argument("--seconds", type=float, default=5)
    verb.add_argument("--pairs", type=int, default=7)
    verb.set_defaults(measure=relay)
    verb = verbs.add_parser("latency")
    verb.add_argument("--count", type=int, default=200)
    verb.set_defaults(measure=latency)
    verb = verbs.add_parser("idle")
    verb.add_argument("--seconds", type=float, default=60)
    verb.set_defaults(measure=idle)
    options = parser.parse_args()
    if missing := [name for name in PROGRAMS if not (fleet.TESTS / name).exists()]:
        sys.exit(f"error: no {', '.join(missing)} in {fleet.TESTS}; build them with the targets `all` and `benchmarks`")
    options.measure(options)


if __name__ == "__main__":
    main()
