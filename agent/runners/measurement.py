"""What is measured around a training loop, whoever drives it: a loop of ours calls step() itself, Keras's fit() through a
callback. Warm-up, stop rules and statistics are those of fleetmark-worker; its sources say why."""

import math
import statistics
import time

from protocol import Failure, send
from steady import FEWEST_FOR_WARMUP, find_warmup, mean_interval, quantile, student_975

PROGRESS_INTERVAL_S = 0.5
MOST_BLOCKS, FEWEST_BLOCKS = 20, 5


class Stop(Exception):
    """Leaves a training loop that is not ours when a stop rule has fired."""


def half_width(values):
    """Half the 95 % interval of the mean, from the means of contiguous blocks; None for too few values. For the stop rule
    `until_ci`, which asks between timed steps: it is cheap. What a result says is mean_interval's."""
    if len(values) < FEWEST_BLOCKS:
        return None
    blocks = min(max(len(values) // 2, FEWEST_BLOCKS), MOST_BLOCKS)
    edges = [block * len(values) // blocks for block in range(blocks + 1)]
    means = [statistics.fmean(values[begin:end]) for begin, end in zip(edges, edges[1:])]
    return student_975(blocks - 1) * statistics.stdev(means) / math.sqrt(blocks)


def divided(value, by):
    """As fleetmark-worker divides, where zero is no error: a step time of zero is for the verdict to see and no end of the
    run."""
    if by:
        return value / by
    return math.inf if value > 0 else math.nan


def summary(values, better):
    ordered = sorted(values)
    median = quantile(ordered, 0.5)
    told = {"n": len(ordered), "best": ordered[-1] if better == "more" else ordered[0], "median": median,
            "mean": statistics.fmean(ordered), "p5": quantile(ordered, 0.05), "p95": quantile(ordered, 0.95),
            "p99": quantile(ordered, 0.99)}
    if len(ordered) > 1:  # one value has no spread that could be known
        is_known = all(map(math.isfinite, ordered))  # else statistics.stdev() fails
        told["sd"] = statistics.stdev(ordered) if is_known else math.nan
        told["mad"] = quantile(sorted(abs(value - median) for value in ordered), 0.5) if math.isfinite(median) else math.nan
    return told


class Measurement:
    """Time of each step, from the end of the one before. begin() starts the clock anew after what is not to be timed."""

    def __init__(self, parameters, steps_per_epoch=0):
        self.parameters, self.steps_per_epoch = parameters, steps_per_epoch
        self.first_call_s, self.steps, self.samples, self.measured_s = 0.0, 0, 0, 0.0
        self.step_s = []  # of the measured steps, without an epoch's last one where its batch is short
        self.totals = []  # of steps, samples and measured_s, at the end of each of step_s
        self.warmup_found, self.warmup_found_s, self.is_steady = 0, 0.0, None
        self.warmup_step_s = []  # as step_s
        self.warmup_steps, self.step_in_epoch = 0, 0
        self.epochs, self.epoch_s, self.loss_so_far = [], 0.0, None
        self.stop_reason, self.total_s = "", 0.0
        if not steps_per_epoch and not any(parameters[rule] > 0 for rule in ("steps", "duration_s", "until_ci")):
            raise Failure("bad_parameter", "nothing would ever stop this run", "set steps, duration_s or until_ci above 0")
        if steps_per_epoch and parameters["epochs"] * steps_per_epoch <= parameters["warmup"]:
            raise Failure("bad_parameter", f"warmup={parameters['warmup']} leaves nothing to measure of "
                          f"{parameters['epochs']} epochs of {steps_per_epoch} steps", "set warmup lower or epochs higher")
        self._reported = time.perf_counter()
        self.restart()
        self._next_look = 30
        send("phase", {"name": "warm-up"})

    def begin(self):
        self._last = time.perf_counter()

    def restart(self):
        """The clock of the whole training, too."""
        self._began = self._last = time.perf_counter()
        self._cpu_began = time.process_time()

    def step(self, samples):
        """One step has ended. Returns whether to stop; at the end of an epoch end_epoch() says so."""
        elapsed = time.perf_counter() - self._last
        self.epoch_s += elapsed
        self.step_in_epoch += 1
        if self.warmup_steps < self.parameters["warmup"]:
            if self.warmup_steps == 0:
                self.first_call_s = elapsed
            self.warmup_steps += 1
            if self.warmup_steps == self.parameters["warmup"] and self.step_in_epoch != self.steps_per_epoch:
                send("phase", {"name": "measure"})
        else:
            self.steps += 1
            self.measured_s += elapsed
            self.samples += samples
            if samples >= self.parameters.get("batch", 1):
                self.step_s.append(elapsed)
                self.totals.append((self.steps, self.samples, self.measured_s))
            self.stop_reason = self._fired()
        self._report()
        self._finish_if_stopped()
        self.begin()
        return bool(self.stop_reason) and self.step_in_epoch != self.steps_per_epoch

    def check_finite(self, loss):
        """To be called where training ends within an epoch."""
        self.loss_so_far = loss
        if not math.isfinite(loss):
            raise Failure("diverged", f"the loss is not finite after {self.steps} measured steps: training diverged")

    def end_epoch(self, loss=None, accuracy=None, val_loss=None, val_accuracy=None):
        """After an epoch's last step and its evaluation. Returns whether to stop."""
        scores = {"loss": loss, "accuracy": accuracy, "val_loss": val_loss, "val_accuracy": val_accuracy}
        epoch = {"epoch": len(self.epochs) + 1, "epoch_s": self.epoch_s,
                 **{name: float(value) for name, value in scores.items() if value is not None}}
        self.epochs.append(epoch)
        self.epoch_s, self.step_in_epoch = 0.0, 0
        send("training_epoch", epoch)
        if self.steps == 0 and self.warmup_steps == self.parameters["warmup"]:  # which ended with the epoch
            send("phase", {"name": "measure"})
        for name in ("loss", "val_loss"):
            if not math.isfinite(epoch.get(name, 0.0)):
                raise Failure("diverged", f"{name} is not finite after epoch {epoch['epoch']}: training diverged")
        if len(self.epochs) >= self.parameters["epochs"]:
            self.stop_reason = self.stop_reason or "epochs"
        self._finish_if_stopped()
        self.begin()
        return bool(self.stop_reason)

    def _finish_if_stopped(self):
        if self.stop_reason and self.step_in_epoch != self.steps_per_epoch:  # or its evaluation is still to come
            self.total_s = time.perf_counter() - self._began
            self.cpu_percent = divided(100 * (time.process_time() - self._cpu_began), self.total_s)
            send("phase", {"name": "finish"})
            self._keep_steady_part()

    def _keep_steady_part(self):
        """Leaves the warm-up that is found out of all that is measured; the whole training's numbers stay."""
        count, self.is_steady = find_warmup(self.step_s)
        if count:
            self.warmup_found, samples, self.warmup_found_s = self.totals[count - 1]
            self.warmup_step_s = self.step_s[:count]
            self.warmup_steps += self.warmup_found
            self.steps -= self.warmup_found
            self.samples -= samples
            self.measured_s -= self.warmup_found_s
            del self.step_s[:count]

    def warmup_notes(self):
        """What a reader must know of the warm-up."""
        left_out = f"no more than the first {self.warmup_steps} steps were left out"
        if self.is_steady is None:
            why = ("are too few to look for a warm-up among them" if len(self.step_s) < FEWEST_FOR_WARMUP else
                   "hold some that are zero, so that no warm-up was looked for")
            return [f"{len(self.step_s)} step times {why}; {left_out}"]
        return [] if self.is_steady else [
            f"no steady state was reached: step times still changed when half of the run was over; {left_out}"]

    def _fired(self):
        given = self.parameters
        if 0 < given["steps"] <= self.steps:
            return "steps"
        if given["until_ci"] > 0 and len(self.step_s) >= self._next_look and self.measured_s >= 1:
            self._next_look = len(self.step_s) + max(len(self.step_s) // 10, 1)
            if half_width(self.step_s) <= given["until_ci"] * statistics.fmean(self.step_s):
                return "until_ci"
        return "duration_s" if 0 < given["duration_s"] <= self.measured_s else ""

    def _expected(self):
        rate = self.steps / self.measured_s if self.measured_s else 0
        expected = [self.parameters["steps"], self.parameters["duration_s"] * rate]
        if self.steps_per_epoch:
            expected.append(self.parameters["epochs"] * self.steps_per_epoch - self.warmup_steps)
        return min((count for count in expected if count > 0), default=0)

    def _report(self):
        now = time.perf_counter()
        if now - self._reported < PROGRESS_INTERVAL_S:
            return
        self._reported = now
        rate = self.steps / self.measured_s if self.measured_s else 0.0
        send("progress", {"phase": "measure" if self.steps else "warm-up", "done": float(self.steps),
                          "total": float(self._expected()), "rate": rate, "rate_unit": "it/s",
                          "elapsed_s": now - self._began})


class Metrics:
    """Sends the metrics of a run with the units that fleetmark-worker declares."""

    def __init__(self, workload, measurement):
        self.known = {metric["name"]: metric for metric in workload["metrics"]}
        self.measured = measurement
        self.interval_values, self.interval = None, None  # the rates of a run have their step times in common

    def record(self, name, value, values=(), interval=None):
        metric = self.known[name]
        body = {"name": name, "unit": metric.get("unit", ""), "value": float(value)}
        if values:
            body.update(summary(values, metric.get("better", "")))
        if interval is not None:
            body["ci_low"], body["ci_high"] = interval
        send("metric", body)

    def interval_around(self, exact_mean, values):
        """The interval of the mean of `values`, moved to the mean that is known exactly."""
        if self.interval_values != values:
            self.interval_values, self.interval = list(values), mean_interval(values)
        if self.interval is None:
            return None
        shift = exact_mean - statistics.fmean(values)
        return self.interval[0] + shift, self.interval[1] + shift

    def times(self, name, value, values):
        self.record(name, value, values, self.interval_around(value, values))

    def best_time(self, name, values):
        self.record(name, min(values), values)

    def rate(self, name, units, per_step):
        """`units` in the whole measured time, `per_step` in a step."""
        step_s, value = self.measured.step_s, divided(units, self.measured.measured_s)
        interval = self.interval_around(divided(per_step, value), step_s)
        interval = (per_step / interval[1], per_step / interval[0]) if interval and interval[0] > 0 else None
        self.record(name, value, [divided(per_step, seconds) for seconds in step_s], interval)

    def rates(self):
        """samples_per_s, and it_per_s where the workload has it."""
        self.rate("samples_per_s", self.measured.samples, self.measured.parameters["batch"])
        if "it_per_s" in self.known:
            self.rate("it_per_s", self.measured.steps, 1)

    def step_times(self, name="step_s"):
        self.times(name, self.measured.measured_s / self.measured.steps, self.measured.step_s)

    def epochs(self, best=False):
        """epoch_s and the last epoch's scores."""
        if not self.measured.epochs:
            if self.measured.loss_so_far is not None:
                self.record("loss", self.measured.loss_so_far)
            return
        epoch_s = [epoch["epoch_s"] for epoch in self.measured.epochs]
        if best:
            self.best_time("epoch_s", epoch_s)
        else:
            self.times("epoch_s", statistics.fmean(epoch_s), epoch_s)
        for name in ("loss", "accuracy", "val_loss", "val_accuracy"):
            if name in self.measured.epochs[-1] and name in self.known:
                self.record(name, self.measured.epochs[-1][name])
        if self.measured.stop_reason == "epochs" and "total_s" in self.known:
            self.record("total_s", self.measured.total_s)


def measure_calls(metrics, batch, call):
    """Wall and process time of each call, of which the last ones count; in words as well."""
    measurement = metrics.measured
    measurement.restart()
    process_s, notes, stop = [], [], False
    while not stop:
        process, wall = time.process_time(), time.perf_counter()
        loss = call()
        process_s.append(time.process_time() - process)
        notes.append(f"call {len(process_s)}: {time.perf_counter() - wall:.6f} s, {process_s[-1]:.6f} s of process time")
        if not math.isfinite(loss):
            raise Failure("diverged", f"the loss is not finite after call {len(process_s)}: training diverged")
        stop = measurement.step(batch)
    measured = process_s[-measurement.steps:]
    metrics.step_times("wall_s")
    metrics.times("process_s", sum(measured) / len(measured), measured)
    metrics.rates()
    metrics.record("loss", loss)
    return notes if len(notes) <= 8 else []
