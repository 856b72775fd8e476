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


def rows_by_parameter(section):
    """The cells that tell of each parameter in the first table of a section that names it: its values, its default."""
    rows = [line.split("|")[1:] for line in section.splitlines() if line.startswith("| `")]
    return {name: cells for name_cell, *cells in reversed(rows) for name in re.findall(r"`(\w+)`", name_cell)}


class Description(unittest.TestCase):
    """docs/workloads.md has every workload and setting of `fleetmark-worker describe`, which all else is made from."""

    def test_every_workload_parameter_choice_and_default_is_there(self):
        if not fleet.HAS_WORKER:
            self.skipTest("built without LibTorch: there is no worker")
        output = subprocess.run([fleet.BIN / "fleetmark-worker", "describe"], capture_output=True, check=True).stdout
        text = (fleet.SOURCE / "docs/workloads.md").read_text()
        sections = {section.split("\n", 1)[0]: section for section in text.split("\n## ")}
        above, common = rows_by_parameter(sections["mnist_cnn"]), rows_by_parameter(sections["Settings of all"])
        for workload in json.loads(output)["workloads"]:
            own = rows_by_parameter(sections[workload["name"]])
            for parameter in workload["parameters"]:
                name = parameter["name"]
                place = f"{workload['name']}.{name}"
                with self.subTest(place):
                    self.assertIn(name, own | common)
                    values, default = own[name][:2] if name in own else 2 * [" ".join(common[name])]
                    if "as above" in values:
                        values, default = above[name][:2]
                    if "see below" in values:
                        values = sections[workload["name"]]
                    for choice in parameter.get("choices", []):
                        self.assertIn(f"`{choice}`", values)
                    if "each workload has its own default" not in default:
                        tick = "`" if "choices" in parameter else r"\b"
                        self.assertRegex(default, tick + re.escape(parameter["default_value"]) + tick)


if __name__ == "__main__":
    unittest.main()
