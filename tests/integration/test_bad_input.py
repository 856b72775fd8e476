"""What people type wrong: one clear sentence, a hint, the right exit code."""

import json
import socket
import subprocess
import unittest

import fleet


class Usage(fleet.FleetTest):
    def setUp(self):
        super().setUp()
        self.start("lab-1")

    def submit_fails(self, *arguments, words):
        error = self.assert_fails(2, "submit", *arguments, words=words)
        self.assertTrue(error["hint"], error)
        self.assertEqual([], self.fleet.json("jobs")["jobs"])

    def test_an_unknown_workload_gets_a_suggestion(self):
        self.submit_fails("fale", "--runtime", "fake", words=("fale", "fake"))

    def test_an_unknown_parameter_gets_a_suggestion(self):
        self.submit_fails("fake", "--runtime", "fake", "--set", "sise=3", words=("sise", "size"))

    def test_a_parameter_of_the_wrong_type(self):
        self.submit_fails("fake", "--runtime", "fake", "--set", "size=big", words=("size", "big"))

    def test_a_parameter_out_of_bounds(self):
        self.submit_fails("fake", "--runtime", "fake", "--set", "size=65", words=("size", "65", "64"))

    def test_a_choice_that_is_none(self):
        self.submit_fails("fake", "--runtime", "fake", "--set", "behaviour=bad", words=("behaviour", "bad"))

    def test_a_parameter_without_a_value(self):
        self.assert_fails(2, "submit", "fake", "--set", "size", words=("size",))

    def test_a_device_that_is_not_there(self):
        self.submit_fails("fake", "--runtime", "fake", "--on", "lab-1", "--device", "cuda:1", words=("cuda:1",))

    def test_an_unknown_agent(self):
        self.submit_fails("fake", "--runtime", "fake", "--on", "lab-2", words=("lab-2", "lab-1"))

    def test_a_label_that_no_agent_has(self):
        self.submit_fails("fake", "--runtime", "fake", "--on", "room=z", words=("room=z",))

    def test_an_unknown_runtime(self):
        self.submit_fails("fake", "--runtime", "fakke", words=("fakke",))

    def test_an_unknown_profile(self):
        self.submit_fails("fake", "--runtime", "fake", "--profile", "fast", words=("fast", "tuned"))

    def test_words_of_a_filter_that_there_are_not(self):
        self.assert_fails(2, "runs", "--state", "fialed", words=("fialed", "failed"))
        self.assert_fails(2, "export", "--verdict", "NOISE", words=("NOISE", "NOISY"))
        self.assert_fails(2, "history", "fake", "--profile", "tunde", words=("tunde", "tuned"))

    def test_an_unknown_run(self):
        self.assert_fails(2, "show", "zzzz", words=("zzzz",))

    def test_an_ambiguous_id(self):
        runs = self.fleet.submit("ok", "--repeat", "40")
        letters = [run[0] for run in runs]
        letter = next(x for x in letters if letters.count(x) > 1)  # 40 ids, 32 letters
        self.assert_fails(2, "show", letter, words=(letter,))

    def test_an_unknown_verb_and_an_unknown_option(self):
        self.assert_explains(self.fleet.cli("submitt", expect=2).stderr, "submitt")
        self.assert_explains(self.fleet.cli("jobs", "--nope", expect=2).stderr, "--nope")


class Addresses(fleet.FleetTest):
    def test_no_coordinator_there(self):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.fleet.address = f"127.0.0.1:{free.getsockname()[1]}"
        error = self.assert_fails(3, "agents", words=(self.fleet.address,))
        self.assertTrue(error["hint"])

    def test_an_address_that_is_none(self):
        self.fleet.address = "nonsense:port"
        self.fleet.cli("agents", expect=2)

    def test_beyond_loopback_needs_insecure(self):
        self.fleet.address = "192.0.2.1:7800"
        self.assert_explains(self.fleet.cli("agents", expect=2).stderr, "--insecure")

    def test_a_daemon_does_not_listen_beyond_loopback_without_insecure(self):
        for program in (["fleetmark-coordinator"], ["fleetmark-agent", "serve"]):
            text = self.start_fails(*program, "--listen", "0.0.0.0:0")
            self.assert_explains(text, "--insecure")

    def test_an_address_in_use(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            address = f"127.0.0.1:{taken.getsockname()[1]}"
            for program in (["fleetmark-coordinator"], ["fleetmark-agent", "serve"]):
                self.assert_explains(self.start_fails(*program, "--listen", address), address, "in use")

    def start_fails(self, program, *arguments):
        result = subprocess.run(
            [fleet.BIN / program, *arguments, "--state-dir", self.fleet.directory / program],
            capture_output=True, text=True, timeout=30, stdin=subprocess.DEVNULL)
        self.assertNotEqual(0, result.returncode)
        self.assertGreater(result.returncode, 0, "an exit, no crash")
        return result.stderr


class ConfigurationFile(fleet.FleetTest):
    def test_a_misspelt_key_gets_a_suggestion(self):
        path = self.fleet.directory / "agent.toml"
        path.write_text('state-dri = "/nowhere"\n')
        result = subprocess.run([fleet.BIN / "fleetmark-agent", "serve", "--config", path], capture_output=True,
                                text=True, timeout=30, stdin=subprocess.DEVNULL)
        self.assertEqual(2, result.returncode)
        self.assert_explains(result.stderr, "state-dri", "state-dir")

    def test_flag_beats_environment_beats_file(self):
        lab = self.fleet
        path = lab.directory / "coordinator.toml"
        path.write_text(f'state-dir = "{lab.directory / "by-file"}"\nlog-level = "debug"\n')
        lab.spawn("coordinator", [fleet.BIN / "fleetmark-coordinator", "--config", path],
                  environment={"FLEETMARK_STATE_DIR": str(lab.directory / "by-environment")}).wait_for_address()
        self.assertTrue((lab.directory / "by-environment").is_dir())
        self.assertFalse((lab.directory / "by-file").exists())


class Json(fleet.FleetTest):
    def test_one_document_also_for_usage_errors(self):
        self.start("lab-1")
        result = self.fleet.cli("submit", "fake", "--set", "size", "--json", expect=2)
        self.assertEqual({"error"}, set(json.loads(result.stdout)))


if __name__ == "__main__":
    unittest.main()
