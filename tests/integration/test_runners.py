"""Workers that crash, hang, print rubbish, flood their pipe or run out of memory: one clear sentence, nothing lost."""

import unittest

import fleet


class Misbehaviour(fleet.FleetTest):
    def outcome(self, behaviour, *extra, state="failed"):
        lab = self.start("lab-1")
        run = lab.wait_for_run(lab.submit(behaviour, *extra)[0], deadline_s=60)
        self.assertEqual(state, run["state"], run)
        self.assertEqual("succeeded", lab.wait_for_run(lab.submit("ok")[0])["state"], "the agent goes on")
        self.assertEqual([], lab.workers())
        return run

    def test_a_crash_names_its_signal_and_the_end_of_stderr(self):
        run = self.outcome("crash")
        self.assertEqual("crash", run["failure"]["kind"])
        self.assert_explains(run["failure"]["message"], "SIGSEGV")
        self.assertEqual("SIGSEGV", run["attempts"][0]["signal"])
        self.assertIn("about to crash", run["attempts"][0]["stderr_tail"])
        self.assertIn("about to crash", self.fleet.cli("logs", run["run_id"]).stdout)

    def test_a_worker_killed_by_somebody(self):
        self.assertEqual("SIGKILL", self.outcome("kernel_kill")["attempts"][0]["signal"])

    def test_an_exit_code_that_means_nothing_is_a_crash(self):
        run = self.outcome("exit")
        self.assertEqual("crash", run["failure"]["kind"])
        self.assertEqual(7, run["attempts"][0]["exit_code"])

    def test_a_deliberate_failure_keeps_its_kind_message_and_hint(self):
        failure = self.outcome("out_of_memory")["failure"]
        self.assertEqual(("out_of_memory", "the device has no memory left for 8 GiB", "lower batch"),
                         (failure["kind"], failure["message"], failure["hint"]))

    def test_missing_data_hints_at_the_command(self):
        self.assertIn("fleetmark-agent data add mnist", self.outcome("data_missing")["failure"]["hint"])

    def test_rubbish_is_a_breach_of_the_protocol(self):
        self.assertEqual("protocol", self.outcome("rubbish")["failure"]["kind"])

    def test_a_line_over_one_mebibyte_is_a_breach_of_the_protocol(self):
        self.assertEqual("protocol", self.outcome("long_line")["failure"]["kind"])

    def test_two_results_are_a_breach(self):
        self.assertEqual("protocol", self.outcome("two_results")["failure"]["kind"])

    def test_a_flood_of_events_does_not_grow_the_agent(self):
        lab = self.start("lab-1")
        run = lab.wait_for_run(lab.submit("flood")[0], deadline_s=90)
        self.assertEqual("succeeded", run["state"])
        self.assertLess(resident_bytes(lab.agents["lab-1"].process.pid), 200e6 + fleet.SANITIZER_BYTES)

    def test_a_flood_on_stderr_keeps_the_tail_alone(self):
        lab = self.start("lab-1")
        run = lab.wait_for_run(lab.submit("flood_log")[0], deadline_s=90)
        self.assertEqual("succeeded", run["state"])
        self.assertLess(len(lab.cli("logs", run["run_id"]).stdout), 32 << 20)

    def test_a_timeout_ends_a_worker_that_ignores_sigterm(self):
        run = self.outcome("hang", "--timeout", "1", state="timed_out")
        self.assert_explains(run["reason"], "1 s")

    def test_submit_wait_exits_by_how_the_run_ended(self):
        lab = self.start("lab-1")
        command = ("submit", "fake", "--runtime", "fake", "--wait", "--set")
        lab.cli(*command, "behaviour=ok", expect=0)
        lab.cli(*command, "behaviour=exit", expect=1)
        lab.cli(*command, "behaviour=hang", "--timeout", "1", expect=124)

    def test_a_failure_of_the_workload_is_not_retried(self):
        run = self.outcome("exit", "--retries", "2")
        self.assertEqual(1, len(run["attempts"]))

    def test_the_worker_gets_a_clean_environment(self):
        lab = self.start("lab-1")
        run = lab.wait_for_run(lab.submit("env", "--profile", "tuned")[0])
        names = {note.split("=")[0] for note in run["result"]["summary"]["notes"]}
        self.assertIn("GLIBC_TUNABLES", names)
        self.assertIn("OMP_NUM_THREADS", names)
        self.assertNotIn("FLEETMARK_COORDINATOR", names)
        run = lab.wait_for_run(lab.submit("env", "--profile", "stock")[0])
        self.assertNotIn("GLIBC_TUNABLES", {note.split("=")[0] for note in run["result"]["summary"]["notes"]})


class Unavailable(fleet.FleetTest):
    def test_a_runner_that_is_not_there_is_said_by_the_agent(self):
        lab = self.fleet
        lab.start_coordinator()
        lab.start_agent("lab-1", runners={"absent": lab.directory / "nothing-here"})
        runtimes = lab.wait_for_agent("lab-1")["runtimes"]
        absent = next(r for r in runtimes if r["name"] == "absent")
        self.assert_explains(absent["unavailable"], "nothing-here")


def resident_bytes(pid):
    with open(f"/proc/{pid}/statm") as statm:
        return int(statm.read().split()[1]) * 4096


if __name__ == "__main__":
    unittest.main()
