"""gRPC health and reflection, as a grpcurl-style client sees them."""

import re
import subprocess
import unittest

import fleet


def methods_of(proto):
    """What the contract names: "Service/Method" of one file of proto/fleetmark/v1."""
    text = (fleet.SOURCE / "proto/fleetmark/v1" / proto).read_text()
    service = re.search(r"^service (\w+)", text, re.M).group(1)
    return {f"method fleetmark.v1.{service}/{name}" for name in re.findall(r"^  rpc (\w+)\(", text, re.M)}


class Services(fleet.FleetTest):
    def ask(self, address):
        result = subprocess.run([fleet.TESTS / "reflection_client", address], capture_output=True, text=True, timeout=30)
        self.assertEqual(0, result.returncode, result.stderr)
        return set(result.stdout.splitlines())

    def test_the_coordinator_serves_its_contract(self):
        lab = self.start("lab-1")
        lines = self.ask(lab.address)
        self.assertIn("health SERVING", lines)
        self.assertLessEqual(methods_of("coordinator.proto"), lines)

    def test_the_agent_serves_its_contract(self):
        lab = self.start("lab-1")
        lines = self.ask(lab.agents["lab-1"].address)
        self.assertIn("health SERVING", lines)
        self.assertLessEqual(methods_of("agent.proto"), lines)


if __name__ == "__main__":
    unittest.main()
