#!/usr/bin/env python3
"""A long mixed load on a coordinator and agents, with programs killed now and then: memory and descriptors must stay flat.

Runs of a fake runner are submitted, cancelled, retried and queued behind drained agents. Workers and half of the agents
are killed all the time, the coordinator during the warm-up, so that it and the other agents then live long enough to
tell growth. In the end what was submitted is held against what is stored, as after every fault in tests/integration.
"""

import argparse
import pathlib
import random
import sys
import time
import unittest

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "integration"))
import fleet  # noqa: E402
import ledger  # noqa: E402

STEADY = ["lab-1", "lab-2"]
KILLED = ["lab-3", "lab-4"]
MIB = 2**20


def usage(pid):
    """(resident bytes, open descriptors, CPU seconds) of a process."""
    process = pathlib.Path(f"/proc/{pid}")
    resident = next(line for line in (process / "status").read_text().splitlines() if line.startswith("VmRSS"))
    times = (process / "stat").read_text().rsplit(")", 1)[1].split()[11:13]
    return int(resident.split()[1]) * 1024, len(list((process / "fd").iterdir())), sum(map(int, times)) / 100


def growth(points):
    """What a straight line through (time, value) rises from the first to the last; least squares."""
    n = len(points)
    mean_x, mean_y = sum(x for x, _ in points) / n, sum(y for _, y in points) / n
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    slope = sum((x - mean_x) * (y - mean_y) for x, y in points) / spread
    return slope * (points[-1][0] - points[0][0])


def lows(points, windows=8):
    """The least of each of so many parts: what is open while nothing runs."""
    size = max(1, len(points) // windows)
    return [min(points[i:i + size], key=lambda point: point[1]) for i in range(0, len(points), size)]


class Soak:
    def __init__(self, lab, options):
        self.lab = lab
        self.options = options
        self.books = ledger.Ledger(lab)
        self.dice = random.Random(options.seed)
        self.drained = None
        self.kills = {"worker": 0, "agent": 0, "coordinator": 0}
        self.recent = []  # runs that may be cancelled
        self.sleepers = []  # runs that end only then
        self.samples = {name: [] for name in ["coordinator", *STEADY, *KILLED]}

    def start(self):
        self.lab.use_quick_runner()
        self.lab.start_coordinator("--log-level", "warn")
        for name in STEADY + KILLED:
            self.lab.start_agent(name, "--log-level", "warn")

    def daemons(self):
        return {"coordinator": self.lab.coordinator, **self.lab.agents}

    def submit(self):
        """One of each kind of job in turn; most are short."""
        target = self.dice.choice([*STEADY, *KILLED, "any"])
        ends = {"succeeded", "failed", "interrupted"}  # a worker or agent may be killed under it
        repeat = self.dice.randint(1, 2 * self.options.runs_per_job - 1)
        workload, parameters = self.dice.choice([("succeed", {"seconds": 0.05}), ("succeed", {}), ("succeed", {}),
                                                 ("noop", {}), ("crash", {}), ("succeed", {"seconds": 60})])
        if parameters.get("seconds") == 60:
            repeat = 1
        retries = ["--retries", "5"] if self.dice.random() < 0.5 else []
        runs = self.books.submit(workload, "--on", target, "--repeat", str(repeat), *retries, ends=ends,
                                 parameters=parameters)
        self.recent = self.recent[-30:] + runs
        if runs and parameters.get("seconds") == 60:
            self.sleepers.append(self.recent[-1])

    def disturb(self, warming_up):
        """Something that people or machines do to a fleet."""
        what = self.dice.random()
        if what < 0.3 and self.recent:
            self.books.cancel(self.dice.choice(self.recent))
        elif what < 0.5:
            if self.drained:
                self.lab.cli("agents", "resume", self.drained, expect=None)
                self.drained = None
            else:
                self.drained = self.dice.choice(STEADY)
                self.lab.cli("agents", "drain", self.drained, expect=None)
        elif what < 0.75:
            for pid in self.lab.workers()[:1]:
                self.kill_process(pid)
        elif what < 0.95 or not warming_up:
            name = self.dice.choice(KILLED)
            self.lab.agents[name].kill()
            self.lab.start_agent(name, "--log-level", "warn", wait=False)
            self.kills["agent"] += 1
        else:
            self.lab.coordinator.kill()
            self.lab.start_coordinator("--log-level", "warn")
            self.kills["coordinator"] += 1

    def kill_process(self, pid):
        try:
            fleet.os.kill(pid, fleet.signal.SIGKILL)
            self.kills["worker"] += 1
        except ProcessLookupError:
            pass  # it has just ended

    def end_sleepers(self):
        for run in self.sleepers:
            self.books.cancel(run)
        self.sleepers = []

    def sample(self, at, print_it):
        row = f"{at / 60:6.1f} min {len(self.books.runs):7d} runs "
        for name, daemon in self.daemons().items():
            resident, descriptors, cpu_s = usage(daemon.process.pid)
            self.samples[name].append((at, daemon.process.pid, resident, descriptors))
            row += f"  {name} {resident / MIB:6.1f} MiB {descriptors:3d} fd {cpu_s:6.1f} s"
        if print_it:
            print(row, flush=True)

    def load(self):
        length, warm_up = self.options.minutes * 60, self.options.minutes * 60 * self.options.warm_up
        begin = time.monotonic()
        next_sample = next_print = 0.0
        while (now := time.monotonic() - begin) < length:
            self.submit()
            if self.dice.random() < 0.3:
                self.disturb(now < warm_up)
            if self.dice.random() < 0.2:
                self.end_sleepers()
            if now >= next_sample:
                self.sample(now, now >= next_print)
                next_sample = now + length / 200
                next_print = next_print if now < next_print else now + length / 15
            time.sleep(self.options.pause_s)

    def finish(self):
        self.end_sleepers()
        for name in STEADY:
            self.lab.cli("agents", "resume", name, expect=None)
        self.books.check(unittest.TestCase(), deadline_s=300)
        states = list(self.books.states().values())
        print("stored: " + ", ".join(f"{states.count(state)} {state}" for state in sorted(set(states))))
        print("killed: " + ", ".join(f"{count} x {name}" for name, count in self.kills.items()))

    def verdict(self):
        """Prints how each daemon grew after the warm-up; the names of those that did."""
        grown = []
        for name in ["coordinator", *STEADY]:
            pid = self.samples[name][-1][1]
            points = [point for point in self.samples[name]
                      if point[1] == pid and point[0] >= self.options.minutes * 60 * self.options.warm_up]
            resident = growth([(at, resident) for at, _, resident, _ in points])
            descriptors = growth(lows([(at, descriptors) for at, *_, descriptors in points]))
            share = resident / points[0][2]
            print(f"{name}: {resident / MIB:+.2f} MiB ({share:+.1%}) and {descriptors:+.1f} descriptors in "
                  f"{(points[-1][0] - points[0][0]) / 60:.1f} min, {len(points)} samples")
            if (resident > self.options.most_mib * MIB and share > 0.05) or descriptors > 3:
                grown.append(name)
        return grown


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=30, help="how long [30]")
    parser.add_argument("--warm-up", type=float, default=0.25, help="share of it that is not judged [0.25]")
    parser.add_argument("--pause-s", type=float, default=0.4, help="between two jobs [0.4]")
    parser.add_argument("--runs-per-job", type=int, default=3, help="on average [3]")
    parser.add_argument("--most-mib", type=float, default=2, help="growth that is noise [2]")
    parser.add_argument("--seed", type=int, default=1, help="of the order of things [1]")
    options = parser.parse_args()
    lab = fleet.Fleet()
    try:
        soak = Soak(lab, options)
        soak.start()
        soak.load()
        soak.finish()
        grown = soak.verdict()
    finally:
        lab.close()
    if grown:
        sys.exit(f"grew: {', '.join(grown)}")
    print("flat")


if __name__ == "__main__":
    main()
