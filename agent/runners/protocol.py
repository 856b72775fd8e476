"""What a runner and the agent say to each other: proto/fleetmark/v1/run.proto as JSON Lines, as fleetmark-worker does."""

import json
import math
import os
import pathlib
import platform
import sys

EVENT_FD = int(os.environ.get("FLEETMARK_EVENT_FD", "1"))
# The codes of common/worker_protocol.h.
EXIT_CODES = {"bad_parameter": 101, "device_unavailable": 102, "out_of_memory": 103, "data_missing": 104,
              "data_corrupt": 105, "diverged": 106, "internal": 107, "unsupported": 108}
SAMPLES_PER_LINE = 4096


class Failure(Exception):
    """A deliberate end of the run. `kind` is a key of EXIT_CODES."""

    def __init__(self, kind, message, hint=""):
        super().__init__(message)
        self.kind, self.hint = kind, hint


def plain(value):
    """Numbers as proto JSON writes them."""
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value


def send(event, body):
    line = (json.dumps({event: plain(body)}) + "\n").encode()
    while line:
        line = line[os.write(EVENT_FD, line):]


def send_samples(name, unit, values):
    for first in range(0, len(values), SAMPLES_PER_LINE):
        send("samples", {"name": name, "unit": unit, "first": first, "values": values[first:first + SAMPLES_PER_LINE]})


def fail(failure):
    send("error", {"kind": failure.kind, "message": str(failure)[:4096], "hint": failure.hint})
    sys.exit(EXIT_CODES[failure.kind])


def known_workloads():
    """The workloads as fleetmark-worker describes them, which the build left beside this file."""
    path = pathlib.Path(__file__).with_name("workloads.json")
    return {workload["name"]: workload for workload in json.loads(path.read_text())["workloads"]}


def check(specification, value, name):
    """`value` as its parameter's type. The agent checked it already; by hand a runner is on its own."""
    kind = specification["type"]
    try:
        if kind == "bool":
            number = {"true": True, "false": False}[value]
        else:
            number = {"int": int, "double": float, "choice": str}[kind](value)
    except (ValueError, KeyError):
        raise Failure("bad_parameter", f"parameter {name}={value} is not a {kind}") from None
    if kind == "choice" and value not in specification["choices"]:
        raise Failure("bad_parameter", f"parameter {name}={value} is not one of {', '.join(specification['choices'])}")
    if number != number or number < specification.get("min", number) or number > specification.get("max", number):
        raise Failure("bad_parameter", f"parameter {name}={value} is out of bounds")
    return number


def parameters_of(workload, given):
    """Every parameter of `workload`, typed: what was given, else the defaults."""
    specifications = {parameter["name"]: parameter for parameter in workload["parameters"]}
    for name in given:
        if name not in specifications:
            raise Failure("bad_parameter", f"workload {workload['name']} has no parameter {name} in this runtime",
                          "known: " + ", ".join(specifications))
    return {name: check(specification, given.get(name, specification["default_value"]), name)
            for name, specification in specifications.items()}


def as_text(value):
    return str(value).lower() if isinstance(value, bool) else str(value)


def cpu_model():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def memory_bytes():
    return float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))


def cpu_device():
    return {"name": "cpu", "kind": "cpu", "model": cpu_model(), "uuid": "cpu", "memory_bytes": memory_bytes()}


def environment(runtime, version, versions, device, parameters):
    return {"host": platform.node(), "kernel": platform.release(), "cpu_model": cpu_model(),
            "cpu_count": os.cpu_count(), "memory_bytes": memory_bytes(), "device": device, "runtime": runtime,
            "runtime_version": version, "versions": versions, "threads": parameters.get("threads", 0),
            "allocator": "retain" if "mmap_threshold" in os.environ.get("GLIBC_TUNABLES", "") else "stock",
            "memory_format": parameters.get("memory_format", "channels_last"), "dtype": parameters.get("dtype", "fp32")}
