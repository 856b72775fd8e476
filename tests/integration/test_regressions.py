"""What others shipped broken, named after what broke. With real programs, at times that a test can wait for.

Elsewhere: cloned machines with one identity (test_state_directories.Taken), half-open connections that hang
(test_network.Connections), GOAWAY from keepalive (grpc_server_test), finished work that is run again and orphans
(test_sudden_death).
"""

import fcntl
import signal
import socket
import subprocess
import time
import unittest

import fleet
import mounts


class Heartbeat(fleet.FleetTest):
    def test_a_workload_that_saturates_the_machine_does_not_make_its_agent_look_lost(self):
        lab = self.fleet
        lab.start_coordinator("--offline-after", "5", "--lease", "6")
        lab.start_agent("lab-1")
        run = lab.submit("burn", "--on", "any")[0]  # one that a missed lease would kill
        lab.wait_for_run(run, "running")
        lab.wait_for_spawn()

        def last_seen():
            return lab.json("agents")["agents"][0]["last_seen_unix_s"]
        began = last_seen()
        fleet.wait_until(lambda: last_seen() > began + 7, "it is heard of for longer than the lease", 60)
        lab.release()
        info = lab.wait_for_run(run)
        self.assertEqual(("succeeded", 1), (info["state"], len(info["attempts"])), info)
        self.assertNotIn("offline", lab.coordinator.text())

    def test_a_lease_that_one_coordinator_could_not_renew_kills_no_healthy_run(self):
        lab = self.fleet
        lab.start_coordinator("--lease", "6", "--offline-after", "2")
        lab.start_agent("lab-1")
        run = lab.submit("hold", "--on", "any", "--retries", "1")[0]
        lab.wait_for_spawn()
        for _ in range(3):  # together longer than one lease
            lab.coordinator.kill()
            time.sleep(2.5)  # the outage itself, not a wait for anything
            lab.start_coordinator("--lease", "6", "--offline-after", "2")
            lab.wait_for_agent("lab-1", "busy")
        lab.release()
        info = lab.wait_for_run(run)
        self.assertEqual(("succeeded", 1), (info["state"], len(info["attempts"])), info)

    def test_a_run_of_a_named_machine_outlives_its_lease(self):
        lab = self.fleet
        lab.start_coordinator("--lease", "1", "--offline-after", "1")
        lab.start_agent("lab-1")
        run = lab.submit("hold", "--on", "lab-1")[0]
        lab.wait_for_spawn()
        lab.coordinator.kill()
        time.sleep(3)  # the outage itself
        lab.start_coordinator("--lease", "1", "--offline-after", "1")
        lab.release()
        info = lab.wait_for_run(run)
        self.assertEqual(("succeeded", 1), (info["state"], len(info["attempts"])), info)


class Shutdown(fleet.FleetTest):
    """SIGTERM ends a daemon within seconds, whoever still talks with it or does not answer it."""

    MOST_S = 15  # of a busy machine; alone it is about one

    def connect_and_say_nothing(self, address):
        host, port = address.rsplit(":", 1)
        for greeting in (b"", b"PRI * HTTP/2.0\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0"):
            connection = socket.create_connection((host, int(port)))
            connection.sendall(greeting)
            self.addCleanup(connection.close)

    def watch(self, run, number):
        """A watcher that has been told of the run."""
        said = self.fleet.directory / f"watcher-{number}"
        with open(said, "wb") as output:
            watcher = subprocess.Popen([fleet.BIN / "fleetmark", "watch", run, "--coordinator", self.fleet.address],
                                       stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        self.addCleanup(watcher.wait)
        self.addCleanup(watcher.kill)
        fleet.wait_until(lambda: said.stat().st_size > 0, "the watcher shows the run")
        return watcher

    def assert_ends(self, daemon):
        daemon.process.send_signal(signal.SIGTERM)
        self.assertEqual(0, daemon.wait_for_exit(self.MOST_S), daemon.text())

    def busy_fleet(self):
        lab = self.start("lab-1")
        run = lab.submit("hold", "--on", "lab-1")[0]
        lab.wait_for_run(run, "running")
        lab.wait_for_spawn()
        for daemon in (lab.coordinator, lab.agents["lab-1"]):
            self.connect_and_say_nothing(daemon.address)
        return lab, run, [self.watch(run, number) for number in range(3)]

    def test_of_the_coordinator_with_watchers_and_an_agent_that_does_not_answer(self):
        lab, run, watchers = self.busy_fleet()
        lab.agents["lab-1"].process.send_signal(signal.SIGSTOP)
        self.assert_ends(lab.coordinator)
        lab.agents["lab-1"].process.send_signal(signal.SIGCONT)
        lab.start_coordinator()
        lab.release()
        self.assertEqual("succeeded", lab.wait_for_run(run)["state"])
        for watcher in watchers:  # each has found the coordinator again
            self.assertEqual(0, watcher.wait(60))

    def test_of_an_agent_with_a_run_and_a_coordinator_that_does_not_answer(self):
        lab, run, _ = self.busy_fleet()
        lab.coordinator.process.send_signal(signal.SIGSTOP)
        self.assert_ends(lab.agents["lab-1"])
        self.assertEqual([], lab.workers())
        lab.coordinator.process.send_signal(signal.SIGCONT)
        lab.start_agent("lab-1")
        self.assertEqual("interrupted", lab.wait_for_run(run)["state"])

    def test_of_an_agent_that_cannot_reach_its_coordinator(self):
        lab = self.fleet
        with socket.create_server(("127.0.0.1", 0)) as silent:  # accepts, and that is all
            lab.address = "127.0.0.1:%d" % silent.getsockname()[1]
            self.assert_ends(lab.start_agent("lab-1", wait=False))


@mounts.needs_mount
class Reboot(fleet.FleetTest):
    def test_what_the_boot_before_was_granted_is_void_and_a_new_lease_is_given(self):
        lab = self.start("lab-1")
        run = lab.submit("hold", "--on", "any", "--retries", "1")[0]  # one that depends on its lease
        lab.wait_for_spawn()
        lab.agents["lab-1"].kill()
        boot_id = lab.directory / "boot_id"
        boot_id.write_text("6e1b1a52-0000-4000-8000-000000000001\n")
        lab.agents_at = fleet.Place(prefix=mounts.prefix(f'mount --bind "{boot_id}" /proc/sys/kernel/random/boot_id'))
        lab.start_agent("lab-1", wait=False)
        lab.wait_for_spawn(2)
        lab.release()
        info = lab.wait_for_run(run)
        self.assertEqual([("interrupted", "agent_restarted"), ("succeeded", "")],
                         [(a["outcome"], a.get("failure", {}).get("kind", "")) for a in info["attempts"]])
        self.assertEqual(["hold", "hold"], lab.spawned())


class Locks(fleet.FleetTest):
    def is_locked(self):
        with open(self.fleet.directory / "locks" / "machine", "rb") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
            return False

    def test_an_inherited_lock_is_held_by_whatever_the_worker_left_and_no_agent_unlocks_it(self):
        lab = self.fleet
        lab.start_coordinator()
        for name in ("lab-1", "lab-2"):
            lab.start_agent(name, locks="locks")
        self.assertFalse((lab.directory / "locks" / "machine").exists() and self.is_locked())
        first = lab.submit("daemon", "--on", "lab-1")[0]
        lab.wait_for_spawn()
        lab.wait_for_run(first, "running")
        fleet.wait_until(lambda: len(lab.workers()) == 2, "the worker and its daemon")
        self.assertTrue(self.is_locked())
        lab.agents["lab-1"].kill()
        fleet.wait_until(lambda: len(lab.workers()) == 1, "the worker dies with its agent, its daemon does not")
        self.assertTrue(self.is_locked())
        second = lab.submit("ok", "--on", "lab-2")[0]
        fleet.wait_until(lambda: "held by run" in lab.run(second)["reason"], "the other agent says who has the machine")
        self.assertEqual(["daemon"], lab.spawned())
        lab.start_agent("lab-1", locks="locks", wait=False)  # kills what is left of its attempt
        self.assertEqual("interrupted", lab.wait_for_run(first)["state"])
        self.assertEqual("succeeded", lab.wait_for_run(second)["state"])
        self.assertFalse(self.is_locked())


if __name__ == "__main__":
    unittest.main()
