"""State directories that are taken, damaged, newer, unwritable or full: said clearly, nothing lost."""

import contextlib
import ctypes
import os
import pathlib
import shutil
import signal
import sqlite3
import subprocess
import unittest

import fleet
import ledger
import mounts


def database_in(directory):
    """The SQLite file of a daemon."""
    for path in sorted(pathlib.Path(directory).rglob("*")):
        if path.is_file() and path.read_bytes()[:15] == b"SQLite format 3":
            return path
    raise AssertionError(f"no database under {directory}")


class StartTest(fleet.FleetTest):
    def start_fails(self, name, arguments, *words, prefix=()):
        daemon = self.fleet.spawn(name, arguments, prefix=prefix)
        code = daemon.wait_for_exit()
        self.assertGreater(code, 0, daemon.text())
        self.assert_explains(daemon.text(), *words)

    def coordinator_arguments(self, state="coordinator"):
        return [fleet.BIN / "fleetmark-coordinator", "--state-dir", self.fleet.directory / state]


class Taken(StartTest):
    def test_a_second_agent_with_the_same_state_directory(self):
        lab = self.start("lab-1")
        pid = lab.agents["lab-1"].process.pid
        self.start_fails("second", lab.agent_arguments("lab-1"), "agent-lab-1", str(pid))
        self.assertEqual("succeeded", lab.wait_for_run(lab.submit()[0])["state"], "the first goes on")

    def test_a_second_coordinator_with_the_same_store(self):
        lab = self.start("lab-1")
        self.start_fails("second", self.coordinator_arguments(), str(lab.coordinator.process.pid))
        self.assertEqual("succeeded", lab.wait_for_run(lab.submit()[0])["state"])

    def test_two_agents_with_one_identity(self):
        lab = self.start("lab-1")
        shutil.copytree(lab.directory / "agent-lab-1", lab.directory / "agent-copy")
        copy = lab.spawn("copy", lab.agent_arguments("lab-1", state="agent-copy", locks="locks-copy"))
        fleet.wait_until(lambda: "identity" in copy.text(), "the copy is told that its identity is in use")
        self.assertEqual("succeeded", lab.wait_for_run(lab.submit()[0])["state"], "the first goes on")
        self.assertEqual(1, len(lab.json("agents")["agents"]))


class Damaged(StartTest):
    def test_a_corrupt_journal_is_kept_aside_and_the_agent_starts_anew(self):
        lab = self.start("lab-1")
        run = lab.wait_for_run(lab.submit()[0])
        lab.agents["lab-1"].kill()
        state = lab.directory / "agent-lab-1"
        journal = database_in(state)
        for extra in ("-wal", "-shm"):
            pathlib.Path(f"{journal}{extra}").unlink(missing_ok=True)
        damaged = os.urandom(8192)
        journal.write_bytes(damaged)
        lab.start_agent("lab-1")
        self.assertIn(damaged, [path.read_bytes() for path in state.rglob("*") if path.is_file()])
        self.assert_explains(lab.agents["lab-1"].text(), "corrupt")
        self.assertEqual("succeeded", lab.wait_for_run(lab.submit()[0])["state"])
        self.assertEqual(run, lab.run(run["run_id"]))

    def test_a_corrupt_store_is_refused(self):
        lab = self.start()
        lab.coordinator.kill()
        store = database_in(lab.directory / "coordinator")
        for extra in ("-wal", "-shm"):
            pathlib.Path(f"{store}{extra}").unlink(missing_ok=True)
        store.write_bytes(os.urandom(8192))
        self.start_fails("again", self.coordinator_arguments(), store.name)

    def test_a_store_of_a_newer_version_is_refused_and_left_alone(self):
        lab = self.start()
        lab.coordinator.kill(signal.SIGTERM)
        store = database_in(lab.directory / "coordinator")
        with sqlite3.connect(store) as database:
            database.execute("PRAGMA user_version = 1000")
        database.close()
        before = store.read_bytes()
        self.start_fails("again", self.coordinator_arguments(), store.name, "1000", "newer")
        self.assertEqual(before, store.read_bytes())


@mounts.needs_mount
class Full(StartTest):
    """State directories on a small file system in a mount namespace of the daemon's own."""

    def small(self, path, kilobytes, free=None):
        """A command prefix that mounts a tmpfs at `path` and, with `free`, fills it but for so many kilobytes."""
        path.mkdir(parents=True, exist_ok=True)
        script = f'mount -t tmpfs -o size={kilobytes}k tmpfs "{path}"'
        if free is not None:
            script += f' && head -c {(kilobytes - free) * 1024} /dev/zero > "{path}/ballast"'
        return mounts.prefix(script)

    def test_a_full_state_directory(self):
        for name, arguments in (("coordinator", self.coordinator_arguments("full-coordinator")),
                                ("agent", self.fleet.agent_arguments("lab-1", state="full-agent"))):
            path = self.fleet.directory / f"full-{name}"
            self.start_fails(name, arguments, str(path), prefix=self.small(path, 64, free=0))

    def test_a_nearly_full_disk_refuses_new_work_on_the_agent(self):
        lab = self.fleet
        lab.start_coordinator()
        path = lab.directory / "agent-lab-1"
        daemon = lab.spawn("lab-1", lab.agent_arguments("lab-1"), prefix=self.small(path, 20480, free=4096))
        daemon.wait_for_address()
        run = lab.submit("ok", "--on", "lab-1")[0] if self.registered("lab-1") else None
        self.assertIsNotNone(run)
        fleet.wait_until(lambda: "disk" in lab.run(run)["reason"].lower(), "the run waits because of the disk")
        self.assertEqual("queued", lab.run(run)["state"])
        self.assertEqual([], lab.spawned())
        lab.cli("cancel", run)

    def test_a_nearly_full_disk_refuses_new_work_on_the_coordinator(self):
        lab = self.fleet
        path = lab.directory / "coordinator"
        lab.start_coordinator(prefix=self.small(path, 20480, free=4096))
        lab.start_agent("lab-1")
        result = lab.cli("submit", "fake", "--runtime", "fake", expect=5)
        self.assert_explains(result.stderr, "disk")
        self.assertEqual([], lab.json("jobs")["jobs"])

    def registered(self, name):
        return fleet.wait_until(lambda: any(a["name"] == name for a in self.fleet.json("agents")["agents"]),
                                f"{name} is registered")


class SmallDisk:
    """A tmpfs at `path`, in a mount namespace of this process and of what it starts, with which it vanishes."""

    def __init__(self, test, path, kilobytes):
        libc = ctypes.CDLL(None, use_errno=True)
        new_mount_namespace = 0x20000  # CLONE_NEWNS
        test.assertEqual(0, libc.unshare(new_mount_namespace), os.strerror(ctypes.get_errno()))
        subprocess.run(["mount", "--make-rprivate", "/"], check=True)
        path.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", path], check=True)
        test.addCleanup(subprocess.run, ["umount", "--lazy", path], check=True)
        self.ballast = path / "ballast"

    def fill(self):
        with open(self.ballast, "ab", buffering=0) as ballast:
            for size in (1 << 16, 1 << 12, 1):  # to the last byte
                try:
                    while ballast.write(b"x" * size):
                        pass
                except OSError:
                    continue

    def make_room(self):
        self.ballast.unlink()


@mounts.needs_mount
class FillsUp(StartTest):
    """A disk that is full to the last byte while runs go on, and later is not. No threshold keeps anybody from it."""

    def start_on_small_disk(self, full):
        """A fleet of which `full`, \"coordinator\" or \"lab-1\", keeps its state on a disk of its own."""
        lab = self.fleet
        lab.use_quick_runner()
        self.disk = SmallDisk(self, lab.directory / ("coordinator" if full == "coordinator" else f"agent-{full}"), 8192)
        self.books = ledger.Ledger(lab)
        lab.start_coordinator("--min-free-mb", "0")
        lab.start_agent("lab-1", "--min-free-mb", "0")

    def start_or_say_why_not(self, daemon):
        """On a full disk either is right. True when it serves."""
        with contextlib.suppress(AssertionError):
            daemon.wait_for_address()
            return True
        self.assert_explains(daemon.text(), "free some space")
        return False

    def submit(self, **parameters):
        return self.books.submit("succeed", "--on", "lab-1", "--repeat", "3", "--retries", "9", parameters=parameters)

    def fill_while_a_run_goes_on(self):
        runs = self.submit(seconds=0.5)
        fleet.wait_until(lambda: self.books.states()[runs[0]] == "running", "the first run is on")
        self.disk.fill()
        fleet.wait_until(lambda: not self.fleet.workers(), "its worker has ended")
        return runs

    def test_the_agents(self):
        self.start_on_small_disk("lab-1")
        run = self.fill_while_a_run_goes_on()[0]
        agent = self.fleet.agents["lab-1"]
        fleet.wait_until(lambda: "until the journal can be written" in agent.text(), "the agent keeps the result in mind")
        self.assertEqual("running", self.books.states()[run], "nothing is made up")
        self.disk.make_room()
        self.books.check(self)
        self.assertEqual(1, len(self.fleet.run(run)["attempts"]), "the result was not lost")
        self.submit()
        self.books.check(self)

    def test_the_agents_which_is_killed_before_there_is_room(self):
        self.start_on_small_disk("lab-1")
        self.fill_while_a_run_goes_on()
        self.fleet.agents["lab-1"].kill()
        serves = self.start_or_say_why_not(self.fleet.spawn_agent("lab-1", "--min-free-mb", "0"))
        self.disk.make_room()
        if not serves:
            self.fleet.start_agent("lab-1", "--min-free-mb", "0")
        self.books.check(self)

    def test_the_coordinators_and_no_result_is_acknowledged_before_it_is_durable(self):
        self.start_on_small_disk("coordinator")
        run = self.fill_while_a_run_goes_on()[0]
        fleet.wait_until(lambda: "could not store" in self.fleet.coordinator.text(), "the coordinator cannot store")
        self.assertEqual([], self.submit(), "a job that cannot be stored is not taken")
        self.assert_explains(self.fleet.cli("submit", "succeed", "--runtime", "fake", expect=5).stderr, "full")
        journal = self.fleet.directory / "agent-lab-1/journal.db"
        fleet.wait_until(lambda: ("RESULT",) in ledger.read(journal, "SELECT state FROM attempts"),
                         "the agent keeps the result until it is stored")
        self.disk.make_room()
        self.books.check(self)
        self.assertEqual(1, len(self.fleet.run(run)["attempts"]))
        self.submit()
        self.books.check(self)

    def test_the_coordinators_which_is_killed_before_there_is_room(self):
        self.start_on_small_disk("coordinator")
        run = self.fill_while_a_run_goes_on()[0]
        self.fleet.coordinator.kill()
        serves = self.start_or_say_why_not(self.fleet.spawn_coordinator("--min-free-mb", "0"))
        self.disk.make_room()
        if not serves:
            self.fleet.start_coordinator("--min-free-mb", "0")
        self.books.check(self)
        self.assertEqual(1, len(self.fleet.run(run)["attempts"]))


class Unwritable(StartTest):
    def test_a_state_directory_that_cannot_be_made(self):
        blocker = self.fleet.directory / "file"
        blocker.write_text("")
        self.start_fails("coordinator", self.coordinator_arguments("file/state"), str(blocker))
        self.start_fails("agent", self.fleet.agent_arguments("lab-1", state="file/state"), str(blocker))


@mounts.needs_mount
class ReadOnly(StartTest):
    def test_a_read_only_state_directory(self):
        for name, arguments in (("coordinator", self.coordinator_arguments("ro-coordinator")),
                                ("agent", self.fleet.agent_arguments("lab-1", state="ro-agent"))):
            path = self.fleet.directory / f"ro-{name}"
            path.mkdir()
            self.start_fails(name, arguments, str(path), prefix=mounts.prefix(f'mount -t tmpfs -o ro tmpfs "{path}"'))


if __name__ == "__main__":
    unittest.main()
