"""Drives the real programs: a coordinator, agents and the CLI on loopback, each test in its own directory.

Every wait is for a condition and has a deadline. Whatever a test started is dead when it ends, however it ends.
"""

import contextlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

SOURCE = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("FLEETMARK_BIN", SOURCE / "build/release/bin")).resolve()
TESTS = pathlib.Path(os.environ.get("FLEETMARK_TEST_BIN", BIN.parent / "tests")).resolve()
HAS_WORKER = (BIN / "fleetmark-worker").exists()
# AddressSanitizer keeps what was freed for a while, and a shadow of everything.
SANITIZER_BYTES = 400e6 if "ASAN_OPTIONS" in os.environ else 0
DEADLINE_S = 30.0
TERMINAL = {"succeeded", "failed", "cancelled", "timed_out", "interrupted"}


def wait_until(condition, what, deadline_s=DEADLINE_S):
    """Returns the first true value of `condition`; fails naming `what` after the deadline."""
    end = time.monotonic() + deadline_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {deadline_s:g} s: {what}")
        time.sleep(0.02)


class Place:
    """Where programs run: what stands before their command lines, where daemons listen, and their environment."""

    def __init__(self, prefix=(), host="127.0.0.1", environment=None):
        self.prefix = tuple(prefix)
        self.host = host
        self.environment = environment or {}


class Daemon:
    """One running program whose output goes to a file. `address` is where it listens."""

    def __init__(self, name, directory, arguments, listen="127.0.0.1:0", environment=None, prefix=()):
        self.name = name
        self.log = directory / f"{name}.log"
        self.address_file = directory / f"{name}.address"
        with contextlib.suppress(FileNotFoundError):
            self.address_file.unlink()
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [*prefix, "setpriv", "--pdeathsig", "KILL", *map(str, arguments), "--listen", listen,
                 "--address-file", str(self.address_file)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                env={**os.environ, **(environment or {})})

    def text(self):
        return self.log.read_text(errors="replace")

    def wait_for_address(self):
        def address():
            if self.process.poll() is not None:
                raise AssertionError(f"{self.name} ended with {self.process.returncode}:\n{self.text()}")
            return self.address_file.exists() and self.address_file.read_text().strip()
        self.address = wait_until(address, f"{self.name} says where it listens")
        return self

    def wait_for_exit(self, deadline_s=DEADLINE_S):
        return self.process.wait(deadline_s)

    def kill(self, number=signal.SIGKILL):
        """Sends the signal and waits for the end."""
        if self.process.poll() is None:
            os.kill(self.process.pid, number)
        self.process.wait(DEADLINE_S)


class Fleet:
    """A coordinator with agents. Use as a context manager or through FleetTest."""

    def __init__(self, coordinator_at=Place(), agents_at=Place()):
        self.coordinator_at = coordinator_at  # the CLI, too
        self.agents_at = agents_at
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="fleetmark-"))
        self.runner = self.directory / "fake"
        shutil.copy(pathlib.Path(__file__).with_name("fake_runner.py"), self.runner)
        self.runner.chmod(0o755)
        self.coordinator = None
        self.address = None
        self.agents = {}
        self.daemons = []

    def close(self):
        for daemon in reversed(self.daemons):
            if daemon.process.poll() is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(daemon.process.pid, signal.SIGKILL)
                daemon.process.wait()
        for pid in self.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        shutil.rmtree(self.directory, ignore_errors=True)

    def processes(self, is_ours=None):
        """Pids of the processes whose command line names this fleet's directory, or has a word for which `is_ours`."""
        is_ours = is_ours or (lambda word: str(self.directory) in word)
        found = []
        for entry in pathlib.Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                command = (entry / "cmdline").read_bytes().decode(errors="replace").split("\0")
                if any(map(is_ours, command)):  # a zombie has no command line
                    found.append(int(entry.name))
        return found

    def use_quick_runner(self):
        """Runs go through the runner in C++, which starts in a millisecond: its workloads are its behaviours."""
        self.runner.unlink()
        self.runner.symlink_to(TESTS / "fleetmark-fake-runner")
        (self.directory / "spawned").touch()

    def workers(self):
        return self.processes(lambda word: word == str(self.runner))

    # ---- programs ----

    def spawn(self, name, arguments, place=Place(), listen=None, prefix=(), environment=None):
        daemon = Daemon(name, self.directory, arguments, listen=listen or f"{place.host}:0",
                        prefix=[*place.prefix, *prefix], environment={**place.environment, **(environment or {})})
        self.daemons.append(daemon)
        return daemon

    def start_coordinator(self, *extra, **keywords):
        """Starts it; again on the same store and at the same address, so that agents find it."""
        self.spawn_coordinator(*extra, **keywords).wait_for_address()
        self.address = self.coordinator.address
        return self.coordinator

    def spawn_coordinator(self, *extra, program=None, **keywords):
        """Starts it without a look at whether it comes up."""
        arguments = [program or BIN / "fleetmark-coordinator", "--state-dir", self.directory / "coordinator", *extra]
        self.coordinator = self.spawn("coordinator", arguments, place=self.coordinator_at, listen=self.address, **keywords)
        return self.coordinator

    def agent_arguments(self, name, *extra, state=None, runners=None, locks=None, program=None):
        arguments = [program or BIN / "fleetmark-agent", "serve", "--name", name,
                     "--state-dir", self.directory / (state or f"agent-{name}"),
                     "--lock-dir", self.directory / (locks or f"locks-{name}"),
                     "--dataset-dir", self.directory / "datasets", "--runtimes-dir", self.directory / "runtimes"]
        for runner, path in (runners or {"fake": self.runner}).items():
            arguments += ["--runner", f"{runner}={path}"]
        if self.address:
            arguments += ["--coordinator", self.address]
        return [*arguments, *extra]

    def spawn_agent(self, name="lab-1", *extra, listen=None, environment=None, prefix=(), **keywords):
        """Starts it without a look at whether it comes up."""
        arguments = self.agent_arguments(name, *extra, **keywords)
        self.agents[name] = self.spawn(name, arguments, place=self.agents_at, listen=listen, environment=environment,
                                       prefix=prefix)
        return self.agents[name]

    def start_agent(self, name="lab-1", *extra, wait=True, join_deadline_s=DEADLINE_S, **keywords):
        daemon = self.spawn_agent(name, *extra, **keywords).wait_for_address()
        if wait:
            self.wait_for_agent(name, deadline_s=join_deadline_s)
        return daemon

    # ---- the CLI ----

    def cli(self, *arguments, expect=0, timeout_s=60, environment=None, program=None):
        """Runs `fleetmark ARGUMENTS`; fails when it does not exit with `expect` (None: any)."""
        command = [*self.coordinator_at.prefix, program or BIN / "fleetmark", *map(str, arguments)]
        result = subprocess.run(command, capture_output=True, text=True, timeout=timeout_s, stdin=subprocess.DEVNULL,
                                env={**os.environ, "FLEETMARK_COORDINATOR": self.address or "",
                                     **self.coordinator_at.environment, **(environment or {})})
        if expect is not None and result.returncode != expect:
            raise AssertionError(f"fleetmark {' '.join(map(str, arguments))}: exit {result.returncode}, expected "
                                 f"{expect}\n{result.stdout}{result.stderr}")
        return result

    def json(self, *arguments, expect=0, **keywords):
        """The one document that the CLI prints with --json."""
        output = self.cli(*arguments, "--json", expect=expect, **keywords).stdout
        try:
            return json.loads(output)
        except json.JSONDecodeError as error:
            raise AssertionError(f"fleetmark {arguments}: no single JSON document ({error}):\n{output}") from error

    def wait_for_agent(self, name, state="idle", deadline_s=DEADLINE_S):
        def seen():
            return next((a for a in self.json("agents")["agents"] if a["name"] == name and a["state"] == state), None)
        return wait_until(seen, f"agent {name} is {state}", deadline_s)

    def submit(self, behaviour="ok", *extra, workload="fake", runtime="fake", parameters=None):
        """Submits one job of the fake runner; returns the ids of its runs."""
        arguments = ["submit", workload, "--runtime", runtime]
        if behaviour:
            parameters = {"behaviour": behaviour, **(parameters or {})}
        for name, value in (parameters or {}).items():
            arguments += ["--set", f"{name}={value}"]
        return self.json(*arguments, *extra)["run_ids"]

    def run(self, run_id):
        return self.json("show", run_id)

    def wait_for_run(self, run_id, states=TERMINAL, deadline_s=DEADLINE_S):
        states = {states} if isinstance(states, str) else set(states)
        last = {}

        def reached():
            last.update(self.run(run_id))
            return last["state"] in states
        try:
            wait_until(reached, f"run {run_id} is one of {sorted(states)}", deadline_s)
        except AssertionError as error:
            raise AssertionError(f"{error}; it is {last.get('state')}: {last.get('reason')}") from None
        return last

    # ---- the fake runner's files ----

    def spawned(self):
        """Behaviours of the runners that were started, in order."""
        path = self.directory / "spawned"
        return [line.split()[1] for line in path.read_text().splitlines()] if path.exists() else []

    def wait_for_spawn(self, count=1):
        return wait_until(lambda: len(self.spawned()) >= count, f"{count} runners were spawned")

    def release(self):
        (self.directory / "release").touch()


class FleetTest(unittest.TestCase):
    """A test with a fleet of its own: self.fleet, empty at first."""

    def setUp(self):
        self.fleet = Fleet()
        self.addCleanup(self.fleet.close)

    def start(self, *agents):
        """A coordinator and these agents (one when none is named), idle."""
        self.fleet.start_coordinator()
        for name in agents or ("lab-1",):
            self.fleet.start_agent(name)
        return self.fleet

    def assert_explains(self, text, *words):
        """An error for people: it has every one of `words`."""
        for word in words:
            self.assertIn(word.lower(), text.lower())

    def assert_fails(self, code, *arguments, words=()):
        """The CLI exits with `code` and says it as text and as the one JSON document."""
        plain = self.fleet.cli(*arguments, expect=code)
        self.assert_explains(plain.stderr, *words)
        error = self.fleet.json(*arguments, expect=code)["error"]
        self.assertEqual({"code", "kind", "message", "hint"}, set(error))
        self.assertTrue(error["message"])
        return error
