"""Programs of different versions: one apart they work with each other, further apart they say which is to be upgraded.

The newer ones are today's, linked with another range of protocol versions (protocol_ahead.cc).
"""

import unittest

import fleet


def ahead(program, versions):
    return fleet.TESTS / f"fleetmark-{program}-ahead-{versions}"


class Skew(fleet.FleetTest):
    def assert_works(self, cli=None):
        lab = self.fleet
        document = lab.cli("submit", "fake", "--runtime", "fake", "--wait", "--json", program=cli).stdout
        self.assertIn('"succeeded"', document)
        self.assertIn("lab-1", lab.cli("agents", program=cli).stdout)

    def test_an_agent_one_version_newer_works(self):
        self.fleet.start_coordinator()
        self.fleet.start_agent("lab-1", program=ahead("agent", 1))
        self.assert_works()
        self.assertRegex(self.fleet.coordinator.text(), r"agent lab-1 joined from \S+, protocol 2\n", "the older's newest")

    def test_an_agent_and_a_command_line_one_version_older_work(self):
        self.fleet.start_coordinator(program=ahead("coordinator", 1))
        self.fleet.start_agent("lab-1")
        self.assert_works()

    def test_a_command_line_one_version_newer_works(self):
        self.start("lab-1")
        self.assert_works(cli=ahead("cli", 1))

    def test_an_agent_too_new_says_that_the_coordinator_is_to_be_upgraded(self):
        lab = self.fleet
        lab.start_coordinator()
        agent = lab.start_agent("lab-1", wait=False, program=ahead("agent", 2))
        fleet.wait_until(lambda: "cannot register" in agent.text(), "the agent is told")
        self.assert_explains(agent.text(), "speaks protocol 3 to 4", "the coordinator 1 to 2", "(upgrade the coordinator)")
        self.assertEqual([], lab.json("agents")["agents"])
        error = self.assert_fails(2, "agents", "add", agent.address, words=["upgrade the coordinator"])
        self.assertEqual("protocol", error["kind"])

    def test_an_agent_too_old_says_that_it_is_to_be_upgraded(self):
        lab = self.fleet
        lab.start_coordinator(program=ahead("coordinator", 2))
        agent = lab.start_agent("lab-1", wait=False)
        fleet.wait_until(lambda: "cannot register" in agent.text(), "the agent is told")
        self.assert_explains(agent.text(), "agent lab-1", "speaks protocol 1 to 2", "(upgrade agent lab-1")

    def test_an_agent_that_was_upgraded_too_far_is_offline_and_says_why(self):
        lab = self.start("lab-1")
        address = lab.agents["lab-1"].address
        lab.agents["lab-1"].kill()
        lab.start_agent("lab-1", wait=False, listen=address, program=ahead("agent", 2))
        shown = fleet.wait_until(lambda: next((a for a in lab.json("agents")["agents"] if "protocol" in a["reason"]), None),
                                 "the list of agents says why")
        self.assertEqual("offline", shown["state"])
        self.assert_explains(shown["reason"], "speaks protocol 3 to 4", "upgrade the coordinator")
        lab.agents["lab-1"].kill()
        lab.start_agent("lab-1", listen=address)  # and put back it works
        self.assert_works()

    def test_a_command_line_too_new_says_that_the_coordinator_is_to_be_upgraded(self):
        lab = self.start("lab-1")
        refused = lab.cli("submit", "fake", "--runtime", "fake", expect=2, program=ahead("cli", 2))
        self.assert_explains(refused.stderr, "fleetmark, the command line", "upgrade the coordinator")
        refused = lab.cli("watch", "x", expect=2, program=ahead("cli", 2))
        self.assert_explains(refused.stderr, "upgrade the coordinator")
        self.assertEqual([], lab.json("jobs")["jobs"])
        version = lab.cli("version", program=ahead("cli", 2)).stdout
        self.assert_explains(version, "protocol 3 to 4", "protocol 1 to 2", "upgrade the coordinator")

    def test_a_command_line_too_old_says_that_it_is_to_be_upgraded(self):
        self.fleet.start_coordinator(program=ahead("coordinator", 2))
        error = self.assert_fails(2, "agents", words=["upgrade fleetmark, the command line"])
        self.assertEqual("protocol", error["kind"])
        self.assert_explains(self.fleet.cli("version").stdout, "upgrade fleetmark, the command line")


if __name__ == "__main__":
    unittest.main()
