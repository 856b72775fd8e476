#!/usr/bin/env python3
"""How often the verdict on real runs is right: alone, beside a neighbour that keeps a core busy, and under a CPU quota.

Each round runs one of each, in an order that rotates: tensor_add, matmul or mnist_cnn for some seconds by `fleetmark-agent run`.
The neighbour is a process of this script's; the quota a control group that it makes (v1 or v2), which takes root. Prints
the table of confusions; fails when fewer than 95 % of the disturbed runs are flagged with the right cause, or more than
2 % of the undisturbed are flagged. It needs a machine with nothing else to do.

Programs are taken from build/release/bin, or from $FLEETMARK_BIN.
"""
import argparse
import collections
import contextlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile

SOURCE = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("FLEETMARK_BIN", SOURCE / "build/release/bin"))
RIGHT = {"alone": ("OK", ""), "neighbour": ("INTERFERED", "other processes"), "quota": ("THROTTLED", "quota")}
# With the stock allocator the speed of mnist_cnn goes up and down with its page faults, which is no clean run.
WORKLOADS = [["tensor_add", "--set", "n=512"], ["matmul", "--set", "n=1024"],
             ["mnist_cnn", "--set", "allocator=retain", "--set", "data=synthetic", "--set", "epochs=1000"]]
QUOTA_SHARE = 0.5  # of the threads


@contextlib.contextmanager
def neighbour():
    busy = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        yield None
    finally:
        busy.kill()
        busy.wait()


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
    surroundings = {"alone": contextlib.nullcontext, "neighbour": neighbour,
                    "quota": lambda: quota(options.threads)}[condition]
    with surroundings() as processes:
        command = [BIN / "fleetmark-agent", "run", *workload, "--set", f"duration_s={options.seconds}", "--set",
                   f"threads={options.threads}", "--json", "--state-dir", state_dir]
        # Without this user's external runtimes, which would be asked each time what they can do.
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False,
                              env=os.environ | {"XDG_DATA_HOME": state_dir},
                              preexec_fn=lambda: processes and processes.write_text(str(os.getpid())))
    if done.returncode != 0:
        raise SystemExit(f"{workload[0]} {condition}: exit code {done.returncode}: {done.stderr.strip()}")
    return json.loads(done.stdout)["result"]["verdict"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=5, help="of each run's measured part")
    parser.add_argument("--threads", type=int, default=1, help="of the worker: with all of them, a virtual machine that "
                        "loses one CPU for a moment waits with the others")
    parser.add_argument("--condition", action="append", choices=list(RIGHT), help="only this one (can be repeated)")
    options = parser.parse_args()
    conditions = options.condition or list(RIGHT)
    try:
        with quota(options.threads):
            pass
    except OSError as error:
        conditions = [condition for condition in conditions if condition != "quota"]
        print(f"quota: left out, no control group can be made here ({error.strerror})")
    print(f"{options.rounds} rounds, about {options.rounds * len(conditions) * (options.seconds + 3) / 60:.0f} minutes (load "
          f"average now: {os.getloadavg()[0]:.1f})", flush=True)
    called = {condition: collections.Counter() for condition in conditions}
    with tempfile.TemporaryDirectory() as state_dir:
        for number in range(options.rounds):
            for condition in conditions[number % len(conditions):] + conditions[:number % len(conditions)]:
                workload = WORKLOADS[number // len(conditions) % len(WORKLOADS)]
                verdict = measure(options, condition, workload, state_dir)
                called[condition][verdict["kind"], verdict["cause"]] += 1
                print(f"round {number + 1} {workload[0]} {condition}: {verdict['kind']} {verdict['cause']}: "
                      f"{verdict['evidence'][0]}", file=sys.stderr, flush=True)
    holds = True
    print(f"{'CONDITION':12}{'RIGHT':>8}  CALLED")
    for condition, counts in called.items():
        share = counts[RIGHT[condition]] / options.rounds
        holds = holds and share >= (0.98 if condition == "alone" else 0.95)
        print(f"{condition:12}{100 * share:6.1f} %  "
              + ", ".join(f"{count} {' '.join(name).strip()}" for name, count in counts.most_common()))
    print("holds" if holds else "FALLS SHORT")
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
