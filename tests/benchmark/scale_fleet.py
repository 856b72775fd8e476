"""Fleets of very many agents for tests/benchmark/scale.py: what is started, and what can be read off it."""

import contextlib
import json
import math
import os
import pathlib
import re
import sqlite3
import subprocess
import sys
import threading
import time

SOURCE = pathlib.Path(__file__).resolve().parents[2]
os.environ.setdefault("FLEETMARK_BIN", str(SOURCE / "build/release/bin"))
sys.path.insert(0, str(SOURCE / "tests/integration"))
import fleet  # noqa: E402  (finds the programs by FLEETMARK_BIN)

PROGRAMS = {"grpc": "many_agents", "memory": "agents_in_memory"}
QUESTIONS = (("agents",), ("runs", "--limit", "20"), ("leaderboard", "noop"))
PATIENCE_S = 300


class Agents:
    """The process that the agents are in, and what it says of them."""

    def __init__(self, process):
        self.process = process
        self.ask(None)

    def ask(self, word="stats"):
        """Says `word`, if any, and returns the counts since the last reset."""
        if word:
            self.process.stdin.write(word + "\n")
            self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise AssertionError(f"{self.process.args[0]} ended with {self.process.wait()}")
        return json.loads(line)

    def wait_for(self, key, count):
        return fleet.wait_until(lambda: (s := self.ask())[key] >= count and s, f"{count} are {key}", PATIENCE_S)


class Scale:
    """A fleet of `count` agents that have joined."""

    def __init__(self, kind, count):
        self.kind, self.count = kind, count
        self.lab = fleet.Fleet()
        self.runs = self.starts = 0

    def __enter__(self):
        extra = ("--log-level", "debug", "--reference-dir", self.lab.directory)
        began = time.monotonic()
        pipes = dict(stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if self.kind == "grpc":
            daemon = self.lab.start_coordinator(*extra)
            agents = subprocess.Popen([fleet.TESTS / "many_agents", self.lab.address, str(self.count)], **pipes)
            self.pid = daemon.process.pid
        else:
            self.log = open(self.lab.directory / "coordinator.log", "w")
            file = self.lab.directory / "coordinator.address"
            agents = subprocess.Popen(
                [fleet.TESTS / "agents_in_memory", "--agents", str(self.count), "--state-dir",
                 self.lab.directory / "coordinator", "--listen", "127.0.0.1:0", "--address-file", file, *extra],
                stderr=self.log, **pipes)
            self.lab.address = fleet.wait_until(lambda: file.exists() and file.read_text().strip(), "it listens")
            self.pid = agents.pid
        self.agents = Agents(agents)
        self.join_s = time.monotonic() - began
        return self

    def __exit__(self, *_):
        self.agents.process.kill()
        self.agents.process.wait()
        self.lab.close()

    def cpu_s(self):
        """CPU time of the coordinator, in memory without the thread that plays the agents."""
        total = time.clock_gettime(~self.pid << 3 | 2)  # clock_getcpuclockid(3)
        for task in pathlib.Path(f"/proc/{self.pid}/task").iterdir():
            with contextlib.suppress(OSError):
                if self.kind == "memory" and (task / "comm").read_text().strip() == "agents":
                    total -= int((task / "schedstat").read_text().split()[0]) * 1e-9
        return total

    def resident_mb(self, which="VmRSS"):
        text = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(which + r":\s+(\d+) kB", text)[1]) * 1024 / 1e6

    def database(self, query):
        with contextlib.closing(sqlite3.connect(self.lab.directory / "coordinator/coordinator.db")) as store:
            return store.execute(query).fetchone()

    def submit(self, repeat=1):
        """One job for all agents; returns how long the answer took."""
        began = time.monotonic()
        self.lab.cli("submit", "noop", "--runtime", "instant", "--on", "all", "--repeat", repeat, timeout_s=PATIENCE_S)
        self.runs += self.count * repeat
        return time.monotonic() - began

    def commits(self, since=0):
        """(writes, events, milliseconds) of each transaction that the log tells of behind byte `since`; its end."""
        with open(self.lab.directory / "coordinator.log", "rb") as log:
            log.seek(since)
            text = log.read()
        found = re.findall(rb"committed (\d+) writes of (\d+) events in ([\d.]+) ms", text)
        return [(int(w), int(e), float(ms)) for w, e, ms in found], since + len(text)

    def one_job(self):
        """A job for all: sent, held until all agents have it, let go in one moment, stored. Times and CPU times."""
        self.agents.ask("reset")
        self.agents.ask("hold")
        cpu, began = self.cpu_s(), time.time()
        answer_s = self.submit()
        sent = self.agents.wait_for("started", self.count)
        time.sleep(0.3)  # the answers to StartRun are part of its cost
        sent_cpu = self.cpu_s()
        self.agents.ask("release")
        ended = self.agents.wait_for("acknowledged", self.count)
        self.starts += ended["started"]
        stored = self.database("SELECT MAX(received_unix_s) FROM results")[0]
        return dict(submit_s=answer_s, dispatch_s=sent["last_start_unix_s"] - began, dispatch_cpu_s=sent_cpu - cpu,
                    store_s=stored - ended["last_report_unix_s"], store_cpu_s=self.cpu_s() - sent_cpu,
                    unseen_s=ended["longest_unseen_s"])

    def many_results(self, least):
        """A job with at least `least` runs that end as soon as they are started; stored results a second."""
        repeat = max(1, math.ceil(least / self.count))
        self.agents.ask("reset")
        self.submit(repeat)
        ended = self.agents.wait_for("acknowledged", self.count * repeat)
        self.starts += ended["started"]
        last = self.database("SELECT MAX(received_unix_s) FROM results")[0]
        return ended["started"] / (last - ended["first_start_unix_s"])

    def idle(self, seconds):
        self.agents.ask("reset")
        cpu, began = self.cpu_s(), time.monotonic()
        time.sleep(seconds)
        cpu, took = self.cpu_s() - cpu, time.monotonic() - began
        polls = self.agents.ask()
        return dict(cpu_per_s=cpu / took, cpu_per_sync=cpu / max(1, polls["syncs"]), unseen_s=polls["longest_unseen_s"])

    def faults(self):
        """What the store or an agent has that it must not have; every run was submitted here."""
        said = self.agents.ask()
        found = []
        for what, query, wanted in (
                ("runs", "SELECT COUNT(*) FROM runs", self.runs),
                ("runs that succeeded", "SELECT COUNT(*) FROM runs WHERE state = 'succeeded'", self.runs),
                ("canonical results", "SELECT COUNT(*) FROM results WHERE canonical = 1", self.runs),
                ("attempts", "SELECT COUNT(*) FROM attempts", self.runs),
                ("reports kept apart", "SELECT COUNT(*) FROM kept_reports", 0)):
            if (there := self.database(query)[0]) != wanted:
                found.append(f"{there} {what}, not {wanted}")
        if self.starts != self.runs:
            found.append(f"{self.starts} runs were started, not {self.runs}")
        return found + [f"{said[key]} {key}" for key in ("repeated_starts", "wrong_acks", "cancelled") if said[key]]


class Asking(threading.Thread):
    """Somebody who asks the command line one question after the other, until it is stopped."""

    def __init__(self, scale):
        super().__init__()
        self.scale, self.answers_s, self.is_over = scale, {}, threading.Event()

    def run(self):
        while not self.is_over.is_set():
            for question in QUESTIONS:
                began = time.monotonic()
                self.scale.lab.cli(*question)
                self.answers_s.setdefault(" ".join(question), []).append(time.monotonic() - began)

    def count(self):
        return sum(map(len, self.answers_s.values()))

    def answers_ms(self):
        """By question."""
        return {question: [s * 1e3 for s in times] for question, times in self.answers_s.items()}

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.is_over.set()
        self.join()
