"""A backup of a coordinator that works on, and what becomes of agents, runs and results when it is restored."""

import contextlib
import os
import pathlib
import re
import shutil
import signal
import sqlite3
import subprocess
import unittest

import fleet


class Backup(fleet.FleetTest):
    def test_it_is_a_file_or_an_error_that_says_why(self):
        lab = self.start("lab-1")
        lab.wait_for_run(lab.submit()[0])
        path = lab.directory / "store.backup"
        self.assertIn("wrote", lab.cli("backup", path).stdout)
        self.assert_fails(2, "backup", path, words=("already", "--force"))
        document = lab.json("backup", path, "--force")
        self.assertEqual(path.stat().st_size, document["bytes"])
        self.assertEqual(64, len(document["sha256"]))
        self.assert_fails(2, "backup", lab.directory / "none" / "file", words=("none", "no such"))
        self.assertEqual(["store.backup"], [entry.name for entry in lab.directory.glob("store.backup*")])
        self.assertEqual([], list((lab.directory / "coordinator").glob("*.backup*")), "the coordinator keeps no copy")
        lab.coordinator.kill()
        self.assert_fails(3, "backup", lab.directory / "another", words=("reach",))
        self.assertFalse((lab.directory / "another").exists())

    def test_of_a_big_store_it_takes_little_memory_and_interrupted_leaves_nothing(self):
        lab = self.fleet
        lab.start_coordinator().kill()
        with contextlib.closing(sqlite3.connect(lab.directory / "coordinator" / "coordinator.db")) as store:
            rows = ((str(number), "sha", bytes(1_000_000), "conflict", 1.0) for number in range(100))
            store.executemany("INSERT INTO kept_reports VALUES (?, ?, ?, ?, ?)", rows)
            store.commit()
        coordinator = lab.start_coordinator()
        path = lab.directory / "file"
        part = lab.directory / "file.part"

        process = subprocess.Popen([fleet.BIN / "fleetmark", "backup", path], stderr=subprocess.PIPE, text=True,
                                   env={**os.environ, "FLEETMARK_COORDINATOR": lab.address})
        fleet.wait_until(part.exists, "it has begun")
        process.send_signal(signal.SIGINT)
        self.assertIn("interrupted", process.communicate(timeout=30)[1])
        self.assertEqual(130, process.returncode)
        self.assertEqual([], list(lab.directory.glob("file*")))
        copies = lab.directory / "coordinator"
        fleet.wait_until(lambda: not list(copies.glob("*.backup*")), "the coordinator has put its copy away")

        lab.cli("backup", path)
        self.assertGreater(path.stat().st_size, 100_000_000)
        status = pathlib.Path(f"/proc/{coordinator.process.pid}/status").read_text()
        peak_bytes = int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024
        self.assertLess(peak_bytes, 80e6 + fleet.SANITIZER_BYTES)

    def test_a_coordinator_without_room_for_it_says_so(self):
        self.fleet.start_coordinator("--min-free-mb", "1e12")
        self.assert_fails(5, "backup", self.fleet.directory / "file", words=("coordinator's disk", "MB"))
        self.assertEqual([], list(self.fleet.directory.glob("file*")))


class Restore(fleet.FleetTest):
    def restore(self, path, state, expect=0):
        result = subprocess.run(
            [fleet.BIN / "fleetmark-coordinator", "restore", path, "--state-dir", state], capture_output=True, text=True)
        self.assertEqual(expect, result.returncode, result.stderr)
        return result

    def queue(self, lab, agent, behaviour, value):
        return lab.submit(behaviour, "--on", agent, parameters={"value": value})[0]

    def test_nothing_that_agents_still_hold_is_lost_and_nothing_is_doubled(self):
        lab = self.fleet
        lab.start_coordinator()
        other = lab.directory / "second"
        other.mkdir()
        shutil.copy(lab.runner, other / "fake")
        lab.start_agent("under-way")
        lab.start_agent("ready", runners={"fake": other / "fake"})
        lab.start_agent("gone")
        before = self.queue(lab, "gone", "ok", 1)
        stored = lab.wait_for_run(before)
        for agent in lab.agents:
            lab.cli("agents", "drain", agent)
        under_way = self.queue(lab, "under-way", "hold", 2)
        ready = self.queue(lab, "ready", "hold", 3)
        gone = self.queue(lab, "gone", "ok", 4)
        backup = lab.directory / "backup"
        lab.cli("backup", backup)

        for agent in lab.agents:
            lab.cli("agents", "resume", agent)
        lab.wait_for_run(gone)
        after = self.queue(lab, "gone", "ok", 5)
        lab.wait_for_run(after)
        lab.wait_for_run(under_way, "running")
        lab.wait_for_run(ready, "running")
        attempts = {run: lab.run(run)["attempts"][0]["attempt_id"] for run in (under_way, ready)}
        epoch = lab.json("version")["coordinator"]["coordinator_epoch"]
        lab.coordinator.kill()
        (other / "release").touch()
        shutil.rmtree(lab.directory / "coordinator")

        self.assertIn("restored 4 runs", self.restore(backup, lab.directory / "coordinator").stdout)
        lab.start_coordinator()
        for agent in lab.agents:
            lab.wait_for_agent(agent, "draining")  # as they were then
            lab.cli("agents", "resume", agent)
        self.assertGreater(lab.json("version")["coordinator"]["coordinator_epoch"], epoch)
        self.assertEqual(stored, lab.run(before))
        self.assertEqual(3, lab.wait_for_run(ready)["result"]["metrics"][0]["value"])
        self.assertEqual("running", lab.run(under_way)["state"])
        lab.release()
        self.assertEqual(2, lab.wait_for_run(under_way)["result"]["metrics"][0]["value"])
        for run, attempt in attempts.items():
            self.assertEqual([attempt], [one["attempt_id"] for one in lab.run(run)["attempts"]])
        self.assertEqual(["hold"], (other / "spawned").read_text().split()[1::2])
        self.assertEqual("succeeded", lab.wait_for_run(gone)["state"], "measured again: its result went with the store")
        self.assertEqual({"ok": 4, "hold": 1}, {word: lab.spawned().count(word) for word in ("ok", "hold")})
        lab.cli("show", after, expect=2)
        self.assertEqual("succeeded", lab.wait_for_run(self.queue(lab, "gone", "ok", 6))["state"])

    def test_a_backup_that_is_no_good_or_has_no_place_is_refused_by_name(self):
        lab = self.start("lab-1")
        backup = lab.directory / "backup"
        lab.cli("backup", backup)
        self.assert_explains(self.restore(backup, lab.directory / "coordinator", 2).stderr, "in use", "process")
        lab.coordinator.kill()
        self.assert_explains(self.restore(backup, lab.directory / "coordinator", 2).stderr, "already", "move")
        self.assert_explains(self.restore(lab.directory / "none", lab.directory / "new", 2).stderr, "no backup")
        (lab.directory / "rubbish").write_bytes(b"x" * 8192)
        self.assert_explains(self.restore(lab.directory / "rubbish", lab.directory / "new", 5).stderr, "rubbish")
        self.assertFalse((lab.directory / "new" / "coordinator.db").exists())

    def test_a_backup_that_was_copied_into_place_is_refused_with_the_command_that_does_it(self):
        lab = self.start("lab-1")
        backup = lab.directory / "backup"
        lab.cli("backup", backup)
        lab.coordinator.kill()
        shutil.rmtree(lab.directory / "coordinator")
        (lab.directory / "coordinator").mkdir()
        shutil.copy(backup, lab.directory / "coordinator" / "coordinator.db")
        daemon = lab.spawn("coordinator", [fleet.BIN / "fleetmark-coordinator", "--state-dir", lab.directory / "coordinator"])
        self.assertEqual(2, daemon.wait_for_exit())
        self.assert_explains(daemon.text(), "is a backup", "fleetmark-coordinator restore")


class Copy(fleet.FleetTest):
    def test_beside_the_original_it_is_refused_however_often_it_starts(self):
        lab = self.start("lab-1")
        lab.coordinator.kill()
        shutil.copytree(lab.directory / "coordinator", lab.directory / "copy")
        original = lab.start_coordinator()
        lab.wait_for_agent("lab-1")
        for _ in range(3):  # by now its epoch is higher than the original's
            copy = lab.spawn("copy", [fleet.BIN / "fleetmark-coordinator", "--state-dir", lab.directory / "copy"])
            copy.wait_for_address()
            lab.address = copy.address
            agent = lab.wait_for_agent("lab-1", "offline")
            fleet.wait_until(lambda: "copy" in lab.json("agents")["agents"][0]["reason"], "it says why")
            copy.kill()
        lab.address = original.address
        self.assertEqual("idle", lab.wait_for_agent("lab-1")["state"], agent)
        self.assertEqual("succeeded", lab.wait_for_run(lab.submit()[0])["state"])


if __name__ == "__main__":
    unittest.main()
