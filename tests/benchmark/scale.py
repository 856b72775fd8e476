#!/usr/bin/env python3
"""Measures how many agents one coordinator carries, and how each of its costs grows with them.

Two kinds of fleet, of agents that end every run at once (tests/benchmark/instant_agents.h):
  grpc    fleetmark-coordinator, and all agents in one other process, each at an address of its own
  memory  the same coordinator, store and service in one process with its agents: everything but gRPC to them
In each fleet the costs are measured first, quietly. Then somebody asks without a pause (agents, runs, leaderboard, by
the real command line) while jobs for all agents are dispatched, end everywhere at one moment and are stored, one after
the other: this is what the limits are for. A longer job then shows how many results a second can be stored, and what
such a flood does to the answers. In the end the store must hold every run that was submitted, once.

Exit code 1 when a limit is missed. Programs are taken from build/release/bin, or from $FLEETMARK_BIN; the benchmark's
own from tests/ beside bin/ (targets `all` and `benchmarks`). With the defaults it takes about five minutes and wants the
machine for itself.
"""

import argparse
import math
import statistics
import sys
import time

from scale_fleet import PROGRAMS, QUESTIONS, Asking, Scale, fleet

WORSE_THAN_LINEAR = 1.15  # the exponent from which growth is called so
ENOUGH_ANSWERS, MOST_JOBS = 200, 12  # asked while jobs for all come and go, until there are so many


def quantile(values, share):
    return sorted(values)[min(len(values) - 1, math.ceil(share * len(values)) - 1)]


def answer_ms(scale, question, times=7):
    took = []
    for _ in range(times):
        began = time.monotonic()
        scale.lab.cli(*question)
        took.append((time.monotonic() - began) * 1e3)
    return statistics.median(took)


def measure(kind, count, options):
    with Scale(kind, count) as scale:
        idle = scale.idle(options.idle_s)
        quiet = [scale.one_job() for _ in range(max(1, min(20, 300 // count)))]
        cost = {key: statistics.median(job[key] for job in quiet) for key in quiet[0]}
        answers = {" ".join(question): answer_ms(scale, question) for question in QUESTIONS}
        version_ms = answer_ms(scale, ("version",))
        _, end = scale.commits()
        busy = []
        with Asking(scale) as asking:
            while asking.count() < ENOUGH_ANSWERS and len(busy) < MOST_JOBS:
                busy.append(scale.one_job())
        with Asking(scale) as flooded:
            rate = scale.many_results(options.results)
        return dict(kind=kind, count=count, idle=idle, cost=cost, answers=answers, busy=busy, rate=rate,
                    asked_ms=asking.answers_ms(), flooded_ms=flooded.answers_ms(), version_ms=version_ms,
                    unseen_s=max(b["unseen_s"] for b in [*busy, idle]), commits=scale.commits(end)[0],
                    resident_mb=scale.resident_mb(), most_mb=scale.resident_mb("VmHWM"), join_s=scale.join_s,
                    faults=scale.faults())


def check(label, value, unit, limit=None, missed=None):
    verdict = ""
    if limit is not None:
        verdict = f"limit {limit:g} {unit}: " + ("ok" if value <= limit else "MISSED")
        if value > limit:
            missed.append(f"{label}: {value:.4g} {unit}")
    print(f"  {label:<62} {value:>9.4g} {unit:<4} {verdict}".rstrip(), flush=True)


def show_limits(m, missed):
    where = "over gRPC" if m["kind"] == "grpc" else "in memory"
    label = f"{m['count']} agents {where}"
    mine = []
    every = [ms for times in m["asked_ms"].values() for ms in times]
    print(f"\n{label}, all joined within {m['join_s']:.1f} s; {len(m['busy'])} jobs for all, {len(every)} answers")
    check("longest time that an agent was not heard", m["unseen_s"], "s", 10, mine)
    check("a job to all of them: until the last StartRun", max(b["dispatch_s"] for b in m["busy"]), "s", 10, mine)
    check("  stored, after the last result", max(b["store_s"] for b in m["busy"]), "s", 30, mine)
    check("an answer of the command line meanwhile, median", statistics.median(every), "ms")
    check("  99th percentile", quantile(every, 0.99), "ms", 200, mine)
    for question, times in m["asked_ms"].items():
        check(f"    of `fleetmark {question}`: 99th percentile", quantile(times, 0.99), "ms")
    check("  (`fleetmark version` on the idle fleet)", m["version_ms"], "ms")
    check("a longer job: stored results a second", m["rate"], "/s")
    check("  99th percentile of the answers meanwhile", quantile(sum(m["flooded_ms"].values(), []), 0.99), "ms")
    times = [ms for _, _, ms in m["commits"]]
    check("a commit, median", statistics.median(times), "ms")
    check("  99th percentile", quantile(times, 0.99), "ms")
    check("events in a commit, mean", statistics.mean(e for _, e, _ in m["commits"]), "")
    check("  most", max(e for _, e, _ in m["commits"]), "")
    is_limited = m["kind"] == "grpc" and m["count"] == 1000
    check("the coordinator's memory, at its most", m["most_mb"], "MB", 256 if is_limited else None, mine)
    for fault in m["faults"]:
        print(f"  WRONG: {fault}")
    missed += [f"{label}: {text}" for text in mine + m["faults"]]


# What is asked of growth: a total may grow as the fleet does, and what one poll, run or result costs not at all.
GROWTH = (
    ("idle: CPU of one second", "ms", 1, lambda m: m["idle"]["cpu_per_s"] * 1e3),
    ("  of each Sync", "us", 0, lambda m: m["idle"]["cpu_per_sync"] * 1e6),
    ("submit --on all: its answer", "ms", 1, lambda m: m["cost"]["submit_s"] * 1e3),
    ("  CPU until all have it, of each run", "us", 0, lambda m: m["cost"]["dispatch_cpu_s"] / m["count"] * 1e6),
    ("all end at once: CPU of each result", "us", 0, lambda m: m["cost"]["store_cpu_s"] / m["count"] * 1e6),
    ("agents: its answer", "ms", 1, lambda m: m["answers"]["agents"]),
    ("runs --limit 20: its answer", "ms", 1, lambda m: m["answers"]["runs --limit 20"]),
    ("leaderboard: its answer", "ms", 1, lambda m: m["answers"]["leaderboard noop"]),
    ("memory", "MB", 1, lambda m: m["resident_mb"]),
)


def show_growth(measured):
    measured = sorted(measured, key=lambda m: m["count"])
    if len(measured) < 2:
        return
    head = "".join(f"{m['count']:>10}" for m in measured)
    print(f"\nHow the costs grow: {measured[0]['kind']}, medians, nobody asks meanwhile; exponent of the last step")
    print(f"  {'agents':<40} {'':<3}{head}   exponent")
    for label, unit, allowed, of in GROWTH:
        values = [of(m) for m in measured]
        last, before = measured[-1]["count"], measured[-2]["count"]
        exponent = math.log(values[-1] / values[-2]) / math.log(last / before)
        verdict = "worse than linear" if exponent > allowed + WORSE_THAN_LINEAR - 1 else ""
        numbers = "".join(f"{value:>10.4g}" for value in values)
        print(f"  {label:<40} {unit:<3}{numbers}   {exponent:>6.2f} {verdict}".rstrip(), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--agents", default="10,100,1000,10000", help="sizes of the fleets in memory (%(default)s)")
    parser.add_argument("--grpc-agents", default="1000", help="sizes of the fleets over gRPC; '' for none (%(default)s)")
    parser.add_argument("--idle-s", type=float, default=21, help="how long each idle fleet is watched (%(default)s)")
    parser.add_argument("--results", type=int, default=10_000, help="runs of the longer job, at least (%(default)s)")
    parser.add_argument("--quick", action="store_true", help="fleets of 10 and 100 only, and briefly: that it works at all")
    options = parser.parse_args()
    if options.quick:
        options.agents, options.grpc_agents, options.idle_s, options.results = "10,100", "100", 3, 500
    sizes = [(kind, int(size)) for kind, text in (("memory", options.agents), ("grpc", options.grpc_agents))
             for size in text.split(",") if size]
    needed = {PROGRAMS[kind] for kind, _ in sizes}
    if missing := [name for name in needed if not (fleet.TESTS / name).exists()]:
        sys.exit(f"error: no {', '.join(missing)} in {fleet.TESTS}; build them with the targets `all` and `benchmarks`")
    measured, missed = [], []
    for kind, size in sizes:
        measured.append(measure(kind, size, options))
        show_limits(measured[-1], missed)
    for kind in ("memory", "grpc"):
        show_growth([m for m in measured if m["kind"] == kind])
    if missed:
        sys.exit("\nlimits missed:\n  " + "\n  ".join(missed))


if __name__ == "__main__":
    main()
