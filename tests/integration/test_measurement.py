"""What agent/runners measures: warm-up, stop rules and statistics as fleetmark-worker's, without any framework."""

import os
import sys
import unittest

import fleet

os.environ["FLEETMARK_EVENT_FD"] = str(os.open(os.devnull, os.O_WRONLY))
sys.path.insert(0, str(fleet.SOURCE / "agent/runners"))

import measurement  # noqa: E402
import protocol  # noqa: E402


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

    def test_warm_up_is_left_out_and_steps_stop(self):
        measured = measurement.Measurement({**self.GIVEN, "steps": 3})
        self.assertEqual([False] * 4 + [True], [measured.step(8) for _ in range(5)])
        self.assertEqual((2, 3, 24, "steps"),
                         (measured.warmup_steps, len(measured.step_s), measured.samples, measured.stop_reason))

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


if __name__ == "__main__":
    unittest.main()
