"""`fleetmark report`: what two machines measured, as text, Markdown and HTML, beside what was published."""

import html.parser
import unittest
import xml.etree.ElementTree

import fleet

LOADING = {"src", "href", "srcset", "data", "action", "poster", "background"}


class Loads(html.parser.HTMLParser):
    """What a page would fetch or run."""

    def __init__(self, text):
        super().__init__()
        self.found = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        if tag in ("script", "link", "iframe", "img", "object", "embed"):
            self.found.append(tag)
        self.found += [name for name, _ in attributes if name in LOADING or name.startswith("on")]


def tables(document):
    return [block["table"] for section in document["sections"] for block in section["blocks"] if "table" in block]


class Report(fleet.FleetTest):
    def setUp(self):
        super().setUp()
        self.start("lab-1", "lab-2")

    def measure(self, agent, value, *extra):
        lab = self.fleet
        for run in lab.submit("ok", "--on", agent, *extra, parameters={"value": value}):
            self.assertEqual("succeeded", lab.wait_for_run(run)["state"])

    def test_two_machines_are_compared_in_every_format(self):
        lab = self.fleet
        self.measure("lab-1", 200)
        self.measure("lab-2", 100)
        text = lab.cli("report", "fake").stdout
        self.assertRegex(text, r"lab-1 cpu +lab-2 cpu +fake, stock")
        self.assertRegex(text, r"2\.0+x +± 0\.02\d* +50\.00 %|2\.0+x +\[1\.9\d+, 2\.0\d+\] +50\.00 %")
        markdown = lab.cli("report", "fake", "--format", "markdown").stdout
        self.assertIn("| lab-1 cpu | lab-2 cpu |", markdown)
        page = lab.directory / "report.html"
        lab.cli("report", "--output", page)
        self.assertEqual([], Loads(page.read_text()).found)
        self.assertNotIn("http", page.read_text())
        root = xml.etree.ElementTree.parse(page).getroot()  # well-formed, or it fails
        self.assertEqual("html", root.tag)
        self.assertIn("lab-1", "".join(root.itertext()))
        self.assertEqual([page], list(lab.directory.glob("report*")))

    def test_a_board_is_never_mixed_with_another(self):
        self.measure("lab-1", 200, "--set", "size=2")
        self.measure("lab-2", 100)
        document = self.fleet.json("report", "fake")
        self.assertEqual(["fake v1", "fake v1"], [s["title"] for s in document["sections"] if s["level"] == 1])
        self.assertEqual([], [table for table in tables(document) if "against" in table["title"]])
        one = self.fleet.json("report", "fake", "--set", "size=2")
        self.assertEqual({"lab-1"}, {row["cells"][0] for table in tables(one) for row in table["rows"]})

    def test_the_published_ratios_come_from_the_published_rows(self):
        said = {}
        for workload in ("cifar_resnet63", "cifar_lenet", "image_cnn_58m"):
            for table in tables(self.fleet.json("report", workload)):
                titles = [column["title"] for column in table["columns"]]
                for row in table["rows"] if "THE ARTICLE SAYS" in titles else []:
                    cells = dict(zip(titles, row["cells"]))
                    if cells["THE ARTICLE SAYS"]:
                        said[cells["THE ARTICLE SAYS"]] = (cells["TIMES AS FAST"], cells["TIME SAVED"])
        self.assertEqual({"159x, agrees": ("159.4x", "99.37 %"), "98.99 %, agrees": ("99.51x", "98.99 %"),
                          "85 %, agrees": ("6.422x", "84.42 %")}, said)

    def test_every_published_call_is_there_with_warm_up_apart(self):
        calls = [table for table in tables(self.fleet.json("report", "cifar_resnet63"))
                 if table["title"].startswith("Wall time")]
        self.assertEqual(9, len(calls[0]["rows"]))
        self.assertIn(["(54.79)", "(28.60)", "28.09", "28.61", "28.35"],
                      [row["cells"][-5:] for row in calls[0]["rows"]])

    def test_what_is_wrong_is_said(self):
        lab = self.fleet
        self.assert_fails(2, "report", "fale", words=("fale", "fake"))
        self.assert_fails(2, "report", "--on", "lab-3", words=("lab-3", "lab-1"))
        self.assert_fails(2, "report", "--format", "pdf", words=("pdf", "markdown"))
        self.assert_fails(2, "report", "--output", "/nonexistent/r.html", words=("/nonexistent/r.html",))
        self.assertIn("No results match", lab.cli("report").stdout)
        self.assertIn("fleetmark submit", lab.cli("report").stdout)


if __name__ == "__main__":
    unittest.main()
