#!/usr/bin/env python3
"""How often the verdict on real runs is right: alone, beside a neighbour that keeps a core busy, and under a CPU quota.

Each round runs one of each, in an order that rotates: tensor_add, matmul or mnist_cnn for some seconds by
`fleetmark-agent run`. The neighbour is a process of this script's; the quota a control group that it makes (v1 or v2),
which takes root.

Whether a run alone was clean is not for its own step times to say. Such a run has a CPU of its own for each of its
threads, and on each of them a witness (steadiness_witness.cc) times the same little arithmetic 25 times a second, at
1 % of it: where the tenths of the run differ by over 5 % for one of them, the machine itself was unsteady (a virtual
one whose host others use), and the run is shown and not judged.

Prints the table of confusions; fails when fewer than 95 % of the disturbed runs are flagged with the right cause, or
more than 2 % of the clean ones are flagged. It needs a machine with nothing else to do.

Programs are taken from build/release/bin, or from $FLEETMARK_BIN; the witness from tests beside it, where the target
`benchmarks` puts it.
"""
import argparse
import collections
import contextlib
import json
import math
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

SOURCE = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("FLEETMARK_BIN", SOURCE / "build/release/bin"))
WITNESS = BIN.parent / "tests/steadiness_witness"
MOST_UNSTEADY = 0.05  # of the witness's time, between two tenths of a run
RIGHT = {"alone": ("OK", ""), "neighbour": ("INTERFERED", "other processes"), "quota": ("THROTTLED", "quota")}
# Runs that can be clean on a host that others share: what fits the cache of one core (matmul of n=1024 drifts by a
# tenth with the cache that all have), and memory that is kept: with the stock allocator mnist_cnn follows its page
# faults.
WORKLOADS = [["tensor_add", "--set", "n=512"], ["matmul", "--set", "n=256"],
             ["mnist_cnn", "--set", "allocator=retain", "--set", "data=synthetic", "--set", "epochs=1000"]]
QUOTA_SHARE = 0.5  # of the threads


class Witness:
    """How fast one CPU is, in the eyes of somebody who does the same all the time."""

    def __init__(self, cpu):
        self.cpu = cpu

    def __enter__(self):
        self.output = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen([WITNESS], stdout=self.output,
                                        preexec_fn=lambda: os.sched_setaffinity(0, {self.cpu}))
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        self.output.seek(0)
        self.seen = [tuple(map(float, line.split())) for line in self.output]  # (Unix time, seconds that it took)
        self.output.close()

    def unsteadiness(self, from_unix_s, until_unix_s):
        tenths = [[] for _ in range(10)]
        for at, took in self.seen:
            if from_unix_s <= at < until_unix_s:
                tenths[int(10 * (at - from_unix_s) / (until_unix_s - from_unix_s))].append(took)
        if not all(tenths):
            return math.inf  # it did not get to see all of it
        medians = [statistics.median(tenth) for tenth in tenths]
        return max(medians) / min(medians) - 1


@contextlib.contextmanager
def neighbour():
    count = -(-os.cpu_count() // 10)  # so much that the verdict has to see it beside a worker of one thread
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield None
    finally:
        for process in busy:
            process.kill()
            process.wait()


@contextlib.contextmanager
def quota(threads):
    """Yields the file that takes the pid of who is to be held back."""
    is_v1 = pathlib.Path("/sys/fs/cgroup/cpu/cpu.cfs_quota_us").exists()
    group = pathlib.Path("/sys/fs/cgroup/cpu" if is_v1 else "/sys/fs/cgroup") / f"fleetmark-quota-{os.getpid()}"
    group.mkdir()
    try:
        allowed = int(100_000 * QUOTA_SHARE * threads)
        if is_v1:
            (group / "cpu.cfs_period_us").write_text("100000")
            (group / "cpu.cfs_quota_us").write_text(str(allowed))
        else:
            (group / "cpu.max").write_text(f"{allowed} 100000")
        yield group / "cgroup.procs"
    finally:
        group.rmdir()


def measure(options, condition, workload, state_dir):
    """What the verdict says, and under which condition it was: "alone" may turn out to have been "unsteady"; and for
    how unsteady each witness had the machine, none of them beside a disturbed run."""
    surroundings = {"alone": contextlib.nullcontext, "neighbour": neighbour,
                    "quota": lambda: quota(options.threads)}[condition]
    cpus = sorted(os.sched_getaffinity(0))
    command = [BIN / "fleetmark-agent", "run", *workload, "--set", f"duration_s={options.seconds}", "--set",
               f"threads={options.threads}", "--json", "--state-dir", state_dir]
    with surroundings() as processes, contextlib.ExitStack() as stack:
        witnesses = [stack.enter_context(Witness(cpu)) for cpu in cpus[:options.threads] if condition == "alone"]

        def confine():
            if witnesses:
                os.sched_setaffinity(0, cpus[:options.threads])
            if processes:
                processes.write_text(str(os.getpid()))

        # Without this user's external runtimes, which would be asked each time what they can do.
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False,
                              env=os.environ | {"XDG_DATA_HOME": state_dir}, preexec_fn=confine)
    if done.returncode != 0:
        raise SystemExit(f"{workload[0]} {condition}: exit code {done.returncode}: {done.stderr.strip()}")
    report = json.loads(done.stdout)
    began, telemetry = report["started_unix_s"], report["result"]["telemetry"]
    unsteadiness = [witness.unsteadiness(began + telemetry["measured_from_s"], began + telemetry["measured_until_s"])
                    for witness in witnesses]
    is_unsteady = max(unsteadiness, default=0) > MOST_UNSTEADY
    return report["result"]["verdict"], "unsteady" if is_unsteady else condition, unsteadiness


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=5, help="of each run's measured part")
    parser.add_argument("--threads", type=int, default=1, help="of the worker: with all of them, a virtual machine "
                        "that loses one CPU for a moment waits with the others")
    parser.add_argument("--condition", action="append", choices=list(RIGHT), help="only this one (can be repeated)")
    options = parser.parse_args()
    conditions = options.condition or list(RIGHT)
    try:
        with quota(options.threads):
            pass
    except OSError as error:
        conditions = [condition for condition in conditions if condition != "quota"]
        print(f"quota: left out, no control group can be made here ({error.strerror})")
    if not conditions:
        return "nothing is left to do"
    print(f"{options.rounds} rounds, about {options.rounds * len(conditions) * (options.seconds + 3) / 60:.0f} minutes (load "
          f"average now: {os.getloadavg()[0]:.1f})", flush=True)
    called = collections.defaultdict(collections.Counter)
    with tempfile.TemporaryDirectory() as state_dir:
        for number in range(options.rounds):
            for condition in conditions[number % len(conditions):] + conditions[:number % len(conditions)]:
                workload = WORKLOADS[number // len(conditions) % len(WORKLOADS)]
                verdict, was, unsteadiness = measure(options, condition, workload, state_dir)
                called[was][verdict["kind"], verdict["cause"]] += 1
                seen = " and ".join(f"{100 * share:.1f} %" for share in unsteadiness)
                print(f"round {number + 1} {workload[0]} {was}{seen and f' ({seen})'}: {verdict['kind']} "
                      f"{verdict['cause']}: {verdict['evidence'][0]}", file=sys.stderr, flush=True)
    # Of a machine that is never steady nothing can be said.
    holds = "alone" not in conditions or called["alone"].total() >= options.rounds / 4
    print(f"{'CONDITION':12}{'RUNS':>5}{'RIGHT':>9}  CALLED")
    for condition, counts in sorted(called.items()):
        share = counts[RIGHT[condition]] / counts.total() if condition in RIGHT else None
        holds = holds and (share is None or share >= (0.98 if condition == "alone" else 0.95))
        right = "-" if share is None else f"{100 * share:.1f} %"
        print(f"{condition:12}{counts.total():5}{right:>9}  "
              + ", ".join(f"{count} {' '.join(name).strip()}" for name, count in counts.most_common()))
    print("holds" if holds else "FALLS SHORT")
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
