"""Runs every ```sh block of README.md and docs/*.md against a live small fleet.

A block runs in bash with the built programs on PATH and FLEETMARK_COORDINATOR set; what it starts is killed afterwards.
Blocks that install, build or need another machine are not `sh` but `console` or carry one of the words below, and are
tested elsewhere (test_scripts) or by tests/run.sh itself.
"""

import json
import os
import re
import subprocess
import unittest

import fleet

TESTED_ELSEWHERE = ("deploy/quickstart.sh", "tests/run.sh", "cmake ", "apt-get ")


def blocks():
    for path in [fleet.SOURCE / "README.md", *sorted((fleet.SOURCE / "docs").glob("*.md"))]:
        text = path.read_text()
        for match in re.finditer(r"^```sh\n(.*?)^```", text, re.M | re.S):
            line = text.count("\n", 0, match.start()) + 2
            yield f"{path.relative_to(fleet.SOURCE)}:{line}", match.group(1)


class Commands(fleet.FleetTest):
    def test_every_block_runs(self):
        if not fleet.HAS_WORKER:
            self.skipTest("built without LibTorch: there is no worker")
        lab = self.fleet
        lab.start_coordinator()
        for name in ("lab-1", "lab-2"):
            lab.start_agent(name, "--label", "room=a", runners={}, locks="locks")
        run = lab.json("submit", "tensor_add", "--set", "n=256", "--set", "steps=10")["run_ids"][0]
        lab.wait_for_run(run)
        environment = {**os.environ, "PATH": f"{fleet.BIN}:{os.environ['PATH']}", "RUN": run,
                       "FLEETMARK_COORDINATOR": lab.address, "HOME": str(lab.directory), "TMPDIR": str(lab.directory)}
        count = 0
        for place, script in blocks():
            if any(word in script for word in TESTED_ELSEWHERE):
                continue
            with self.subTest(place):
                count += 1
                result = subprocess.run(["bash", "-euo", "pipefail", "-c", script], cwd=fleet.SOURCE, env=environment,
                                        capture_output=True, text=True, timeout=200, stdin=subprocess.DEVNULL)
                self.assertEqual(0, result.returncode, f"{script}\n{result.stdout}{result.stderr}")
        self.assertGreater(count, 0)


class Description(unittest.TestCase):
    """docs/workloads.md has every workload and setting of `fleetmark-worker describe`, which all else is made from."""

    def test_every_workload_parameter_and_choice_is_there(self):
        if not fleet.HAS_WORKER:
            self.skipTest("built without LibTorch: there is no worker")
        output = subprocess.run([fleet.BIN / "fleetmark-worker", "describe"], capture_output=True, check=True).stdout
        text = (fleet.SOURCE / "docs/workloads.md").read_text()
        sections = {section.split("\n", 1)[0]: section for section in text.split("\n## ")}
        for workload in json.loads(output)["workloads"]:
            words = sections[workload["name"]] + sections["Settings of all"] + sections["mnist_cnn"]
            for parameter in workload["parameters"]:
                self.assertIn(f"`{parameter['name']}`", words, workload["name"])
                for choice in parameter.get("choices", []):
                    self.assertIn(f"`{choice}`", words, f"{workload['name']}.{parameter['name']}")


if __name__ == "__main__":
    unittest.main()
