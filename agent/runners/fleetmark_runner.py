#!/usr/bin/env python3
"""The runner of the runtimes that are Python frameworks: fleetmark_runner.py RUNTIME describe|run.

It speaks what fleetmark-worker speaks: `describe` prints one JSON document, `run` reads a specification from standard
input and writes events. `fleetmark-agent runtimes add RUNTIME` makes the environment that it runs in.
"""

import copy
import importlib
import json
import os
import resource
import sys
import time

STARTED = time.perf_counter()

import measurement as measurement_module  # noqa: E402
import protocol  # noqa: E402
import tensor_add  # noqa: E402

RUNTIMES = {"pytorch": ("pytorch_workloads", "torch", ""),
            "keras-tensorflow": ("keras_workloads", "tensorflow", "tensorflow"),
            "keras-jax": ("keras_workloads", "jax", "jax")}
# Of fleetmark-worker's parameters those that a framework leaves no choice of, and metrics that it cannot tell.
NO_PARAMETERS = {"pytorch": {"kernels"}, "keras-tensorflow": {"kernels", "memory_format", "pinning"},
                 "keras-jax": {"kernels", "memory_format", "pinning", "threads"}}
NO_METRICS = {"pytorch": {"alloc_count", "alloc_bytes", "load1", "tflop_per_s", "ceiling_share"}}
NO_METRICS["keras-tensorflow"] = NO_METRICS["keras-jax"] = NO_METRICS["pytorch"] | {"data_wait_s"}
COMPILE = {"name": "compile", "type": "bool", "default_value": "false", "tunable": True,
           "doc": "true: through torch.compile; the first call compiles"}
# What profile `tuned` sets beside what the agent does (threads, allocator).
TUNED = {"pytorch": {"memory_format": "channels_last"}}


def offer(runtime, workload):
    """A workload of fleetmark-worker's as this runtime offers it."""
    workload, tuned = copy.deepcopy(workload), TUNED.get(runtime, {})
    parameters = [parameter for parameter in workload["parameters"] if parameter["name"] not in NO_PARAMETERS[runtime]]
    for parameter in parameters:
        if parameter["name"] != "allocator":  # which the agent sets for every runtime
            parameter["tuned"] = dict.fromkeys(("cpu", "cuda"), tuned[parameter["name"]]) if parameter["name"] in tuned else {}
        if "tf32" in parameter.get("choices", []):
            parameter["choices"] = ["fp32", "tf32"]
        if "folder" in parameter.get("choices", []):
            parameter["choices"], parameter["doc"] = ["synthetic"], "synthetic: images made by seed"
        if parameter["name"] == "variant":
            parameter.update(tensor_add.offer(runtime, parameter))
    workload["parameters"] = parameters + ([COMPILE] if runtime == "pytorch" else [])
    workload["metrics"] = [metric for metric in workload["metrics"] if metric["name"] not in NO_METRICS[runtime]]
    return workload


def framework(runtime):
    module, package, backend = RUNTIMES[runtime]
    if backend:
        os.environ["KERAS_BACKEND"] = backend
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    try:
        loaded = importlib.import_module(module)
    except Exception as error:  # a broken installation fails in many ways, missing symbols among them
        raise protocol.Failure("unsupported", f"{runtime} cannot be imported: {error}",
                               f"set it up anew: fleetmark-agent runtimes add {runtime}") from None
    return loaded, loaded.versions()[package]


def describe(runtime):
    loaded, version = framework(runtime)
    known = protocol.known_workloads()
    devices = [protocol.cpu_device()] + [dict(device) for device in loaded.devices()]
    return {"runtime": runtime, "runtime_version": version, "versions": loaded.versions(), "devices": devices,
            "workloads": [offer(runtime, known[name]) for name in sorted(loaded.WORKLOADS)]}


def run(runtime):
    specification = json.load(sys.stdin)
    loaded, version = framework(runtime)
    name, device = specification["workload"], specification.get("device") or "cpu"
    if name not in loaded.WORKLOADS:
        raise protocol.Failure("bad_parameter", f"{runtime} has no workload {name}",
                               "known: " + ", ".join(sorted(loaded.WORKLOADS)))
    there = {known["name"]: known for known in [protocol.cpu_device()] + loaded.devices()}
    if device not in there:
        raise protocol.Failure("device_unavailable", f"{runtime} sees no device {device} here",
                               "it sees: " + ", ".join(there))
    workload = offer(runtime, protocol.known_workloads()[name])
    given = dict(specification.get("parameters", {}))
    if specification.get("profile") == "tuned":
        there_is = {parameter["name"] for parameter in workload["parameters"]}
        given = {**{name: value for name, value in TUNED.get(runtime, {}).items() if name in there_is}, **given}
    parameters = protocol.parameters_of(workload, given)
    if parameters.get("threads") == 0:
        parameters["threads"] = int(os.environ.get("OMP_NUM_THREADS", "0"))
    pinning = os.environ.get("OMP_PROC_BIND", "none")  # from before this program was started
    if parameters.get("pinning", pinning) != pinning:
        raise protocol.Failure("unsupported", f"pinning={parameters['pinning']} cannot be had: threads are bound as "
                               f"{pinning} since the start", "run it through an agent, which sets OMP_PROC_BIND")
    if parameters["dtype"] == "tf32" and device == "cpu":
        raise protocol.Failure("unsupported", "dtype=tf32 needs a CUDA device, not cpu", "take dtype=fp32")
    loaded.prepare(parameters, device)
    environment = protocol.environment(runtime, version, loaded.versions(), there[device], parameters)
    parameters["allocator"] = environment["allocator"]
    protocol.send("started", {"environment": environment})
    protocol.send("phase", {"name": "load"})
    measurement, data, notes = loaded.WORKLOADS[name](workload, parameters, device,
                                                      specification.get("dataset_dir", ""))
    if name == "tensor_add":
        for ceiling in tensor_add.compared_with(specification.get("ceilings", []), parameters):
            protocol.send("ceiling", ceiling)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    metrics, primary = measurement_module.Metrics(workload, measurement), workload["metrics"][0]["name"]
    if primary != "step_s":
        metrics.step_times()
    metrics.record("first_call_s", measurement.first_call_s)
    metrics.record("cpu_percent", measurement.cpu_percent)
    metrics.record("rss_peak_bytes", 1024 * usage.ru_maxrss)
    protocol.send_samples("warmup_step_s", "s", measurement.warmup_step_s)
    protocol.send_samples("step_s", "s", measurement.step_s)
    if primary == "epoch_s" and not measurement.epochs:
        notes = [*notes, "epoch_s has no value, so this run is on no board: it ended before an epoch did"]
    known = {} if measurement.is_steady is None else {"is_steady": measurement.is_steady}
    protocol.send("result", {
        "primary_metric": primary, "stop_reason": measurement.stop_reason,
        "steps": measurement.steps, "warmup_steps": measurement.warmup_steps,
        "warmup_found": measurement.warmup_found, "warmup_found_s": measurement.warmup_found_s, "steps_per_sample": 1,
        **known,
        "measured_s": measurement.measured_s, "wall_s": time.perf_counter() - STARTED,
        "process_s": usage.ru_utime + usage.ru_stime, "data": data, "notes": [*notes, *measurement.warmup_notes()],
        "parameters": {name: protocol.as_text(value) for name, value in parameters.items()}})


def main():
    if len(sys.argv) != 3 or sys.argv[1] not in RUNTIMES or sys.argv[2] not in ("describe", "run"):
        print(f"usage: fleetmark_runner.py {'|'.join(RUNTIMES)} describe|run", file=sys.stderr)
        return 2
    runtime, verb = sys.argv[1:]
    if verb == "describe":
        try:
            print(json.dumps(describe(runtime)))
        except protocol.Failure as failure:
            print(f"{failure}; {failure.hint}", file=sys.stderr)
            return protocol.EXIT_CODES[failure.kind]
        return 0
    try:
        run(runtime)
    except protocol.Failure as failure:
        protocol.fail(failure)
    except Exception as error:  # whatever a framework throws, as one sentence
        loaded = sys.modules.get(RUNTIMES[runtime][0])
        text = f"{runtime} failed: {type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
        if isinstance(error, MemoryError) or (loaded is not None and loaded.is_out_of_memory(error)):
            protocol.fail(protocol.Failure("out_of_memory", text, "take a smaller batch"))
        protocol.fail(protocol.Failure("internal", text))
    return 0


if __name__ == "__main__":
    sys.exit(main())
