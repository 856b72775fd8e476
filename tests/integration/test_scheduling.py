"""Targets, order, waiting sentences, cancel."""

import time
import unittest

import fleet


class Targets(fleet.FleetTest):
    def agents_of(self, run_ids):
        return sorted(self.fleet.wait_for_run(run)["agent"] for run in run_ids)

    def test_name_all_any_and_labels(self):
        lab = self.fleet
        lab.start_coordinator()
        lab.start_agent("lab-1", "--label", "room=a", "--label", "gpu=none")
        lab.start_agent("lab-2", "--label", "room=b", "--label", "gpu=none")
        self.assertEqual(["lab-2"], self.agents_of(lab.submit("ok", "--on", "lab-2")))
        self.assertEqual(["lab-1", "lab-2"], self.agents_of(lab.submit("ok", "--on", "all")))
        self.assertEqual(1, len(self.agents_of(lab.submit("ok", "--on", "any"))))
        self.assertEqual(["lab-1"], self.agents_of(lab.submit("ok", "--on", "room=a", "--on", "gpu=none")))

    def test_repetitions_are_runs_of_their_own(self):
        lab = self.start("lab-1")
        runs = lab.submit("ok", "--repeat", "3")
        self.assertEqual(3, len(runs))
        self.assertEqual([1, 2, 3], sorted(lab.wait_for_run(run)["repetition"] for run in runs))

    def test_any_uses_a_second_machine_while_the_first_is_busy(self):
        lab = self.start("lab-1", "lab-2")
        runs = lab.submit("hold", "--on", "any", "--repeat", "2")
        for run in runs:
            lab.wait_for_run(run, "running")
        lab.release()
        self.assertEqual(["lab-1", "lab-2"], self.agents_of(runs))

    def test_an_agent_is_added_from_the_other_side(self):
        lab = self.fleet
        lab.start_agent("lab-9", wait=False)
        lab.start_coordinator()
        lab.cli("agents", "add", lab.agents["lab-9"].address)
        lab.wait_for_agent("lab-9")
        self.assertEqual("succeeded", lab.wait_for_run(lab.submit()[0])["state"])


class Order(fleet.FleetTest):
    def test_priority_beats_age_and_age_decides_within_one(self):
        lab = self.start("lab-1")
        first = lab.submit("hold")[0]
        lab.wait_for_run(first, "running")
        waiting = [lab.submit("ok", "--on", "lab-1", "--priority", str(p))[0] for p in (0, 0, 5)]
        self.assertEqual([2, 3, 1], [lab.run(run)["queue_position"] for run in waiting])
        lab.release()
        started = [lab.wait_for_run(run)["started_unix_s"] for run in waiting]
        self.assertLess(started[2], started[0])
        self.assertLess(started[0], started[1])

    def test_one_run_a_machine_at_a_time(self):
        lab = self.start("lab-1")
        runs = lab.submit("ok", "--on", "lab-1", "--repeat", "4")
        spans = sorted((run["started_unix_s"], run["finished_unix_s"]) for run in map(lab.wait_for_run, runs))
        for before, after in zip(spans, spans[1:]):
            self.assertLessEqual(before[1], after[0] + 1e-3)

    def test_two_agents_on_one_machine_share_its_lock(self):
        lab = self.fleet
        lab.start_coordinator()
        for name in ("lab-1", "lab-2"):
            lab.start_agent(name, locks="locks")
        first = lab.submit("hold", "--on", "lab-1")[0]
        lab.wait_for_run(first, "running")
        second = lab.submit("ok", "--on", "lab-2")[0]
        lab.release()
        self.assertEqual("succeeded", lab.wait_for_run(first)["state"])
        self.assertEqual("succeeded", lab.wait_for_run(second)["state"])


class Waiting(fleet.FleetTest):
    def test_a_run_for_an_offline_agent_says_since_when_and_goes_on_later(self):
        lab = self.start("lab-3")
        lab.agents["lab-3"].kill()
        lab.wait_for_agent("lab-3", "offline")
        run = lab.submit("ok", "--on", "lab-3")[0]
        info = lab.run(run)
        self.assertEqual("queued", info["state"])
        self.assertEqual(1, info["queue_position"])
        self.assertRegex(info["reason"], r"lab-3, offline since \d\d:\d\d")
        lab.start_agent("lab-3")
        self.assertEqual("succeeded", lab.wait_for_run(run)["state"])

    def test_a_run_behind_another_names_it(self):
        lab = self.start("lab-1")
        first = lab.submit("hold")[0]
        lab.wait_for_run(first, "running")
        second = lab.submit("ok", "--on", "lab-1")[0]
        self.assert_explains(lab.run(second)["reason"], "lab-1")
        lab.release()
        lab.wait_for_run(second)

    def test_a_draining_agent_takes_nothing_new(self):
        lab = self.start("lab-1")
        lab.cli("agents", "drain", "lab-1")
        lab.wait_for_agent("lab-1", "draining")
        run = lab.submit("ok", "--on", "lab-1")[0]
        self.assert_explains(lab.run(run)["reason"], "drain")
        lab.cli("agents", "resume", "lab-1")
        self.assertEqual("succeeded", lab.wait_for_run(run)["state"])


class Cancel(fleet.FleetTest):
    def test_a_queued_run_ends_at_once(self):
        lab = self.start("lab-1")
        lab.agents["lab-1"].kill()
        lab.wait_for_agent("lab-1", "offline")
        run = lab.submit("ok", "--on", "lab-1")[0]
        lab.cli("cancel", run)
        self.assertEqual("cancelled", lab.wait_for_run(run)["state"])

    def test_the_machine_is_free_within_five_seconds_of_a_worker_that_ignores_sigterm(self):
        lab = self.start("lab-1")
        run = lab.submit("hang")[0]
        lab.wait_for_run(run, "running")
        lab.wait_for_spawn()
        lab.cli("cancel", run)
        asked = time.monotonic()
        self.assertEqual("cancelled", lab.wait_for_run(run)["state"])
        lab.wait_for_agent("lab-1", "idle")
        self.assertLess(time.monotonic() - asked, 6.0)  # 5 s, and what looking takes
        self.assertEqual([], lab.workers())

    def test_a_whole_job(self):
        lab = self.start("lab-1")
        document = lab.json("submit", "fake", "--runtime", "fake", "--set", "behaviour=hang", "--repeat", "3")
        lab.wait_for_run(document["run_ids"][0], "running")
        lab.wait_for_spawn()
        lab.cli("cancel", document["job_id"])
        for run in document["run_ids"]:
            self.assertEqual("cancelled", lab.wait_for_run(run)["state"])
        self.assertEqual(1, len(lab.spawned()))

    def test_after_the_end_it_changes_nothing(self):
        lab = self.start("lab-1")
        run = lab.submit()[0]
        before = lab.wait_for_run(run)
        lab.cli("cancel", run, expect=None)
        self.assertEqual(before, lab.run(run))


if __name__ == "__main__":
    unittest.main()
