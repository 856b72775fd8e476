"""Suites: several jobs under one name, submitted whole or not at all."""

import unittest

import fleet

TWO_JOBS = """
doc = "two small ones"
[[job]]
workload = "fake"
runtime = "fake"
set = { behaviour = "ok", size = 2 }
repeat = 2
[[job]]
workload = "fake"
runtime = "fake"
note = "second"
"""


class Suites(fleet.FleetTest):
    def suite(self, text):
        path = self.fleet.directory / "mine.toml"
        path.write_text(text)
        return path

    def test_the_jobs_of_a_file_run_and_flags_beat_it(self):
        lab = self.start("lab-1")
        document = lab.json("submit", "--suite", self.suite(TWO_JOBS), "--on", "lab-1", "--profile", "tuned", "--wait")
        self.assertEqual([2, 1], [len(job["run_ids"]) for job in document["jobs"]])
        self.assertEqual({"succeeded"}, {run["state"] for run in document["runs"]})
        self.assertEqual({"tuned"}, {run["profile"] for run in document["runs"]})
        self.assertEqual("2", document["runs"][0]["parameters"]["size"])

    def test_a_suite_with_a_job_that_is_refused_leaves_nothing_behind(self):
        lab = self.start("lab-1")
        self.fleet.cli("agents", "drain", "lab-1")
        refused = self.suite(TWO_JOBS + 'set = { size = 65 }\n')
        error = lab.json("submit", "--suite", refused, expect=2)["error"]
        self.assert_explains(error["message"], "mine.toml", "size=65")
        self.assertEqual({"cancelled"}, {job["state"] for job in lab.json("jobs")["jobs"]})

    def test_what_is_misspelt_is_named_with_its_line(self):
        lab = self.start("lab-1")
        error = lab.json("submit", "--suite", self.suite(TWO_JOBS.replace("note", "nota")), expect=2)["error"]
        self.assertIn("mine.toml:11: ", error["message"])
        self.assertIn("note", error["hint"])
        self.assertEqual([], lab.json("jobs")["jobs"])
        self.assertIn("classics", lab.json("submit", "--suite", "clasics", expect=2)["error"]["hint"])
        lab.cli("submit", expect=2)
        lab.cli("submit", "fake", "--suite", "quick", expect=2)


if __name__ == "__main__":
    unittest.main()
