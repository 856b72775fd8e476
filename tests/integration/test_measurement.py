"""What agent/runners measures: warm-up, stop rules and statistics as fleetmark-worker's, without any framework."""

import json
import math
import os
import random
import subprocess
import sys
import unittest
import unittest.mock

import fleet

os.environ["FLEETMARK_EVENT_FD"] = str(os.open(os.devnull, os.O_WRONLY))
sys.path.insert(0, str(fleet.SOURCE / "agent/runners"))

import measurement  # noqa: E402
import protocol  # noqa: E402
import steady  # noqa: E402


class Measurement(unittest.TestCase):
    GIVEN = {"steps": 0, "duration_s": 0.0, "until_ci": 0.0, "warmup": 2, "epochs": 2, "batch": 8}

    def test_the_statistics_are_those_of_the_worker(self):
        # common/statistics: 10 values, 5 blocks of 2, Student's t for 4 degrees of freedom.
        values = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0]
        self.assertAlmostEqual(2.776 * 10 ** 0.5 / 5 ** 0.5, measurement.half_width(values))
        self.assertIsNone(measurement.half_width(values[:4]))
        summary = measurement.summary(values, "less")
        self.assertEqual((10, 1.0, 5.5, 5.5), (summary["n"], summary["best"], summary["median"], summary["mean"]))
        self.assertAlmostEqual(9.55, summary["p95"])
        self.assertEqual(10.0, measurement.summary(values, "more")["best"])
        self.assertEqual(2.5, summary["mad"])

    def test_warm_up_is_left_out_and_steps_stop(self):
        measured = measurement.Measurement({**self.GIVEN, "steps": 3})
        self.assertEqual([False] * 4 + [True], [measured.step(8) for _ in range(5)])
        self.assertEqual((2, 3, 24, "steps"),
                         (measured.warmup_steps, len(measured.step_s), measured.samples, measured.stop_reason))

    def test_the_warm_up_that_is_found_is_left_out_of_everything(self):
        measured = measurement.Measurement({**self.GIVEN, "steps": 100})
        measured.steps, measured.samples, measured.measured_s, measured.warmup_steps = 100, 800, 45.0 + 10 * 5.0, 2
        measured.step_s = [5.0] * 10 + [0.5] * 90
        measured.totals = [(i + 1, 8 * (i + 1), sum(measured.step_s[:i + 1])) for i in range(100)]
        measured.stop_reason, measured.step_in_epoch = "steps", 100
        measured._finish_if_stopped()
        self.assertEqual((10, 50.0, 12, 90, 720, 45.0, True),
                         (measured.warmup_found, measured.warmup_found_s, measured.warmup_steps, measured.steps, measured.samples,
                          measured.measured_s, measured.is_steady))
        self.assertEqual([0.5] * 90, measured.step_s)
        self.assertEqual([], measured.warmup_notes())

    def test_too_few_steps_to_tell_are_said_and_so_is_no_steady_state(self):
        measured = measurement.Measurement({**self.GIVEN, "steps": 3})
        for _ in range(5):
            measured.step(8)
        self.assertIsNone(measured.is_steady)
        self.assertIn("3 step times are too few", measured.warmup_notes()[0])
        measured.step_s = [2 - i / 100 for i in range(100)]
        measured._keep_steady_part()
        self.assertIn("no steady state was reached", measured.warmup_notes()[0])

    def test_a_step_time_of_zero_is_sent_and_ends_no_run(self):
        known = {"metrics": [{"name": "it_per_s", "unit": "it/s", "better": "more"},
                             {"name": "step_s", "unit": "s", "better": "less"}]}

        def sent(measured, send):
            metrics = measurement.Metrics(known, measured)
            metrics.rate("it_per_s", measured.steps, 1)
            metrics.step_times()
            return [call.args[1] for call in send.mock_calls if call.args[0] == "metric"]

        with unittest.mock.patch.object(measurement, "send") as send:
            measured = measurement.Measurement({**self.GIVEN, "steps": 20})
            measured.steps, measured.step_s, measured.measured_s = 20, [0.0] + [0.5] * 19, 9.5
            rate, step_s = sent(measured, send)
        self.assertEqual((20 / 9.5, math.inf, 0.0), (rate["value"], rate["best"], step_s["best"]))
        self.assertTrue(math.isnan(rate["sd"]))
        self.assertEqual((2.0, 0.0), (rate["median"], rate["mad"]))
        self.assertLess(rate["ci_low"], rate["value"])
        with unittest.mock.patch.object(measurement, "send") as send, \
                unittest.mock.patch.object(measurement.time, "perf_counter", return_value=7.0):
            measured = measurement.Measurement({**self.GIVEN, "steps": 3})
            self.assertTrue([measured.step(8) for _ in range(5)][-1])
            rate, step_s = sent(measured, send)
        self.assertEqual([0.0] * 3, measured.step_s)
        self.assertEqual((math.inf, 0.0), (rate["value"], step_s["value"]))
        self.assertNotIn("ci_low", rate)

    def test_epochs_stop_and_their_time_holds_the_warm_up(self):
        measured = measurement.Measurement(self.GIVEN, steps_per_epoch=4)
        for epoch in range(2):
            for samples in (8, 8, 8, 5):
                self.assertFalse(measured.step(samples))
            self.assertEqual(epoch == 1, measured.end_epoch(loss=1.0))
        self.assertEqual(("epochs", 6), (measured.stop_reason, measured.steps))
        self.assertEqual(4, len(measured.step_s), "a short batch's time is not that of a step")
        self.assertEqual(8 + 5 + 29, measured.samples)
        self.assertGreater(measured.epochs[0]["epoch_s"], 0)

    def test_an_epoch_whose_last_step_stops_the_run_is_complete(self):
        measured = measurement.Measurement({**self.GIVEN, "steps": 2}, steps_per_epoch=4)
        self.assertEqual([False] * 4, [measured.step(8) for _ in range(4)])
        self.assertTrue(measured.end_epoch(loss=1.0))
        self.assertEqual(("steps", 1), (measured.stop_reason, len(measured.epochs)))

    def test_finish_is_said_once_after_the_last_evaluation(self):
        with unittest.mock.patch.object(measurement, "send") as send:
            measured = measurement.Measurement({**self.GIVEN, "steps": 2}, steps_per_epoch=4)
            for _ in range(4):
                measured.step(8)
            self.assertNotIn(unittest.mock.call("phase", {"name": "finish"}), send.mock_calls)
            measured.end_epoch(loss=1.0)
        self.assertEqual(1, send.mock_calls.count(unittest.mock.call("phase", {"name": "finish"})))
        self.assertEqual(unittest.mock.call("phase", {"name": "finish"}), send.mock_calls[-1])

    def test_the_measured_part_begins_behind_the_evaluation_of_a_warm_up_that_was_an_epoch(self):
        for warmup, expected in ((4, ["training_epoch", "measure"]), (3, ["measure", "training_epoch"])):
            with unittest.mock.patch.object(measurement, "send") as send:
                measured = measurement.Measurement({**self.GIVEN, "warmup": warmup}, steps_per_epoch=4)
                for _ in range(4):
                    measured.step(8)
                measured.end_epoch(loss=1.0)
            said = [call.args[1].get("name") or call.args[0] for call in send.mock_calls if call.args[0] != "progress"]
            self.assertEqual(expected, said[-2:])

    def test_a_loss_that_is_not_finite_ends_the_run(self):
        measured = measurement.Measurement(self.GIVEN, steps_per_epoch=4)
        with self.assertRaises(protocol.Failure) as caught:
            measured.end_epoch(loss=float("nan"))
        self.assertEqual("diverged", caught.exception.kind)

    def test_a_loss_that_is_not_finite_within_an_epoch_as_well(self):
        with self.assertRaises(protocol.Failure):
            measurement.Measurement(self.GIVEN, steps_per_epoch=4).check_finite(float("inf"))

    def test_a_run_that_nothing_would_stop_is_refused(self):
        with self.assertRaises(protocol.Failure):
            measurement.Measurement(self.GIVEN)

    def test_a_warm_up_that_leaves_nothing_is_refused(self):
        with self.assertRaises(protocol.Failure):
            measurement.Measurement({**self.GIVEN, "warmup": 8}, steps_per_epoch=4)

    def test_parameters_are_checked_and_typed(self):
        workload = {"name": "w", "parameters": [
            {"name": "batch", "type": "int", "default_value": "4", "min": 1, "max": 8},
            {"name": "data", "type": "choice", "default_value": "a", "choices": ["a", "b"]},
            {"name": "compile", "type": "bool", "default_value": "false"}]}
        self.assertEqual({"batch": 2, "data": "a", "compile": True},
                         protocol.parameters_of(workload, {"batch": "2", "compile": "true"}))
        for wrong in ({"batch": "9"}, {"batch": "x"}, {"data": "c"}, {"compile": "yes"}, {"bacth": "1"}):
            with self.assertRaises(protocol.Failure, msg=wrong) as caught:
                protocol.parameters_of(workload, wrong)
            self.assertEqual("bad_parameter", caught.exception.kind)


def autoregression(seed, n, phi, warmup=0):
    noise, state, values = random.Random(seed), 0.0, []
    for i in range(n):
        state = phi * state + noise.gauss(0, 1)
        values.append(0.02 + 0.0005 * state + (0.01 * math.exp(-3 * i / warmup) if warmup else 0))
    return values


class Steady(unittest.TestCase):
    """agent/runners/steady.py says of the same step times what common/ says."""

    def test_warm_up_and_interval_are_those_of_the_worker(self):
        traces = {"independent": autoregression(1, 500, 0), "autocorrelated": autoregression(2, 3000, 0.8),
                  "with warm-up": autoregression(3, 400, 0.5, 60), "short": autoregression(4, 10, 0),
                  "in blocks": autoregression(5, 20000, 0.2), "too short": autoregression(6, 9, 0),
                  "drifting": [1 + i / 100 for i in range(101)], "alternating": [1.0, 2.0] * 60,
                  "constant": [0.1] * 177, "with zeros": [0.0, 0.1] * 80, "negative": [-0.1] * 120 + [0.1],
                  "not a number": [0.1] * 120 + [math.nan], "infinite": [math.inf] + [0.1] * 120}
        answer = subprocess.run([fleet.TESTS / "step_statistics"], text=True, capture_output=True, check=True, input="".join(
            " ".join(map(repr, trace)) + "\n" for trace in traces.values())).stdout
        seen = set()
        for (name, trace), line in zip(traces.items(), answer.splitlines(), strict=True):
            with self.subTest(name):
                expected = json.loads(line)
                self.assertEqual((expected["warmup"], expected["is_steady"]), steady.find_warmup(trace))
                interval = steady.mean_interval(trace)
                self.assertEqual(expected["interval"] is None, interval is None)
                for ours, theirs in zip(interval or (), expected["interval"] or ()):
                    self.assertAlmostEqual(theirs, ours, delta=1e-9 * abs(theirs))
                seen.add((expected["warmup"] > 0, expected["is_steady"], interval is None))
        self.assertLessEqual({(True, True, False), (False, False, False), (False, None, True)}, seen)


if __name__ == "__main__":
    unittest.main()
