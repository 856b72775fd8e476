#!/usr/bin/python3
"""A runner that speaks the worker protocol and misbehaves as it is told.

It learns what to do from the run's parameters alone, as every runner does. Files beside this script let a test hold
and observe it: it writes `spawned` (one line a start: pid and behaviour) and, for `hold`, waits until `release` is
there.
"""

import json
import os
import signal
import sys
import time

HERE = os.path.dirname(os.path.abspath(sys.argv[0]))
BEHAVIOURS = ["ok", "hold", "hang", "crash", "exit", "rubbish", "flood", "flood_log", "long_line", "silent", "out_of_memory",
              "kernel_kill", "data_missing", "two_results", "env", "daemon", "burn", "epochs"]
# How fast each is and what it adds to the loss; one fails.
KERNELS = {"plain": (100, 0), "good": (150, 0.01), "best": (200, 0), "wrong": (400, 5), "broken": None}
DESCRIPTION = {
    "runtime": os.path.basename(sys.argv[0]),
    "runtime_version": "1.0",
    "devices": [{"name": "cpu", "kind": "cpu", "model": "Fake CPU", "uuid": "cpu", "memory_bytes": 1e9}],
    "workloads": [{
        "name": "fake", "version": 1, "doc": "Does as it is told", "device_kinds": ["cpu"],
        "parameters": [
            {"name": "behaviour", "type": "choice", "default_value": "ok", "choices": BEHAVIOURS, "doc": "what to do"},
            {"name": "value", "type": "double", "default_value": "100", "min": 0, "max": 1e6, "doc": "it/s to report"},
            {"name": "size", "type": "int", "default_value": "1", "min": 1, "max": 64, "doc": "of the problem",
             "defines_board": True},
        ],
        "metrics": [{"name": "it_per_s", "unit": "it/s", "better": "more", "aggregate": "median", "doc": "rate"}],
    }, {
        "name": "tunable", "version": 1, "doc": "Is as fast as its settings", "device_kinds": ["cpu"],
        "parameters": [
            {"name": "size", "type": "int", "default_value": "1", "min": 1, "max": 64, "doc": "of the problem",
             "defines_board": True},
            {"name": "seed", "type": "int", "default_value": "1", "min": 0, "max": 1000, "doc": "of the loss"},
            {"name": "kernels", "type": "choice", "default_value": "plain", "choices": list(KERNELS), "tunable": True,
             "doc": "what computes", "tuned": {"cpu": "good"}},
            {"name": "hold", "type": "bool", "default_value": "false", "doc": "wait until `release` is there"},
        ],
        "metrics": [{"name": "it_per_s", "unit": "it/s", "better": "more", "aggregate": "median", "doc": "rate"},
                    {"name": "loss", "unit": "", "better": "less", "aggregate": "last", "doc": "after the last step"}],
    }],
}
EVENTS = int(os.environ.get("FLEETMARK_EVENT_FD", "1"))


def send(event):
    os.write(EVENTS, (json.dumps(event) + "\n").encode())


def send_result(value, notes=(), parameters=None):
    send({"metric": {"name": "it_per_s", "unit": "it/s", "value": value, "n": 10, "best": value, "median": value,
                     "mean": value, "sd": 0.5, "p5": value, "p95": value, "p99": value, "ci_low": value - 1,
                     "ci_high": value + 1}})
    send({"result": {"primary_metric": "it_per_s", "stop_reason": "steps", "steps": 10, "warmup_steps": 2,
                     "measured_s": 0.1, "wall_s": 0.2, "process_s": 0.1, "notes": list(notes),
                     "parameters": parameters or {}}})


def hang(ignore_term):
    if ignore_term:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    send({"phase": {"name": "measure"}})
    while True:
        signal.pause()


def hold():
    send({"progress": {"phase": "measure", "done": 1, "total": 2, "rate": 10, "rate_unit": "it/s", "elapsed_s": 0.1}})
    while not os.path.exists(os.path.join(HERE, "release")):
        time.sleep(0.01)


def burn():
    """Two processes for each processor that do nothing but compute, until this one is gone."""
    parent = os.getpid()
    for _ in range(2 * os.cpu_count()):
        if os.fork() == 0:
            while os.getppid() == parent:
                sum(range(100_000))
            os._exit(0)


def leave_a_daemon():
    """A process of another session, with all that was inherited."""
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            signal.pause()
        os._exit(0)
    os.wait()


def flood(write):
    line = b"x" * 4095 + b"\n"
    for _ in range(16384):  # 64 MiB
        write(line)


def run_tunable(parameters, profile):
    if parameters.get("hold") == "true":
        hold()
    kernels = parameters.get("kernels", "good" if profile == "tuned" else "plain")
    if KERNELS[kernels] is None or (kernels, parameters.get("size")) == ("good", "2"):
        send({"error": {"kind": "unsupported", "message": f"kernels={kernels} do not work here", "hint": ""}})
        sys.exit(108)
    rate, excess = KERNELS[kernels]
    send({"metric": {"name": "loss", "unit": "", "value": 1 + int(parameters.get("seed", "1")) / 100 + excess}})
    # A number that wavers a little, as all do.
    send_result(rate * (1 + (os.getpid() % 7) / 10000), parameters={"kernels": kernels})


def run():
    spec = json.load(sys.stdin)
    parameters = spec.get("parameters", {})
    if spec["workload"] == "tunable":
        run_tunable(parameters, spec.get("profile"))
        return
    behaviour = parameters.get("behaviour", "ok")
    with open(os.path.join(HERE, "spawned"), "a") as spawned:
        spawned.write(f"{os.getpid()} {behaviour} {os.environ.get('FLEETMARK_ATTEMPT', '')}\n")
    send({"started": {"environment": {"host": "fake", "runtime": "fake", "runtime_version": "1.0"}}})
    value = float(parameters.get("value", "100"))
    if behaviour == "daemon":
        leave_a_daemon()
    if behaviour == "burn":
        burn()
    if behaviour == "epochs":
        send({"training_epoch": {"epoch": 1, "epoch_s": 0.5, "loss": 0.25, "val_accuracy": 0.9}})
        send({"training_epoch": {"epoch": 2, "epoch_s": 0.25}})
    if behaviour in ("hold", "daemon", "burn", "epochs"):
        hold()
    elif behaviour in ("hang", "silent"):
        hang(ignore_term=behaviour == "hang")
    elif behaviour == "crash":
        sys.stderr.write("about to crash\n")
        sys.stderr.flush()
        signal.signal(signal.SIGSEGV, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGSEGV)
    elif behaviour == "exit":
        sys.exit(7)
    elif behaviour == "rubbish":
        os.write(EVENTS, b"\x00\xff this is no JSON\n")
    elif behaviour == "flood":
        send({"phase": {"name": "measure"}})
        flood(lambda line: send({"progress": {"phase": "measure", "done": 1, "total": 2, "elapsed_s": 0}}))
    elif behaviour == "flood_log":
        flood(lambda line: os.write(2, line))
    elif behaviour == "long_line":
        os.write(EVENTS, b"[" * (1 << 21) + b"\n")
    elif behaviour == "out_of_memory":
        send({"error": {"kind": "out_of_memory", "message": "the device has no memory left for 8 GiB", "hint": "lower batch"}})
        sys.exit(103)
    elif behaviour == "kernel_kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif behaviour == "data_missing":
        send({"error": {"kind": "data_missing", "message": "MNIST is not in the dataset directory",
                        "hint": "run: fleetmark-agent data add mnist"}})
        sys.exit(104)
    elif behaviour == "two_results":
        send_result(value)
    elif behaviour == "env":
        send_result(value, [f"{name}={text}" for name, text in sorted(os.environ.items())])
        return
    send_result(value)


if sys.argv[1:] == ["describe"]:
    print(json.dumps(DESCRIPTION))
else:
    run()
