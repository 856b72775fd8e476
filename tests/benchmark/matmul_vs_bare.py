#!/usr/bin/env python3
"""`matmul` of fleetmark-worker against bare calls of the libraries' sgemm, interleaved in fresh processes.

The libraries are what this machine has of MKL (within LibTorch's wheel), OpenBLAS and oneDNN. Prints the median rate of each
and what the worker's two profiles reach of the best of them.
"""
import argparse
import array
import ctypes
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time


def call_sgemm(library, symbol, n, seconds):
    """Times one library's product of n x n matrices in this process; prints the rates of its calls in GFLOP/s."""
    sgemm = getattr(ctypes.CDLL(library), symbol)
    a, b, c = ((ctypes.c_float * (n * n)).from_buffer(array.array("f", [0.5, -1.25, 2.0, 0.125] * (n * n // 4 + 1)))
               for _ in range(3))
    one, zero = ctypes.c_float(1), ctypes.c_float(0)
    if symbol == "sgemm_":  # Fortran's: everything by address
        extent, plain = ctypes.byref(ctypes.c_int(n)), ctypes.byref(ctypes.c_char(b"N"))
        arguments = (plain, plain, extent, extent, extent, ctypes.byref(one), a, extent, b, extent, ctypes.byref(zero), c,
                     extent)
    else:
        extent, plain = ctypes.c_longlong(n), ctypes.c_char(b"N")
        arguments = (plain, plain, extent, extent, extent, one, a, extent, b, extent, zero, c, extent)
    rates = []
    for _ in range(5):
        sgemm(*arguments)
    ends = time.perf_counter() + seconds
    while time.perf_counter() < ends:
        began = time.perf_counter()
        sgemm(*arguments)
        rates.append(2e-9 * n**3 / (time.perf_counter() - began))
    print(json.dumps(rates))


def bare_libraries(torch_library):
    there = {}
    for name, library, symbol in (("MKL", torch_library, "sgemm_"), ("OpenBLAS", "libopenblas.so.0", "sgemm_"),
                                  ("oneDNN", "libdnnl.so.2", "dnnl_sgemm")):
        if not library:
            continue
        found = subprocess.run([sys.executable, "-c", f"import ctypes; ctypes.CDLL({library!r}).{symbol}"],
                               stderr=subprocess.PIPE, text=True)
        if found.returncode == 0:
            there[name] = (library, symbol)
        else:
            print(f"{name} is left out: {found.stderr.splitlines()[-1]}")
    return there


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--worker", type=pathlib.Path, required=True, help="path of fleetmark-worker")
    arguments.add_argument("--torch-library", default="", help="libtorch_cpu.so of a wheel, which holds MKL")
    arguments.add_argument("--n", type=int, default=2048)
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--seconds", type=float, default=3, help="of each in a round")
    arguments.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    arguments.add_argument("--call", nargs=2, help=argparse.SUPPRESS)
    options = arguments.parse_args()
    if options.call:
        return call_sgemm(*options.call, options.n, options.seconds)
    bare = bare_libraries(options.torch_library)
    if not bare:
        sys.exit("there is nothing to compare with: install libopenblas0-openmp, or name --torch-library")
    rates = {name: [] for name in [*bare, "stock", "tuned"]}
    order = list(rates)
    environment = {**os.environ, "OMP_NUM_THREADS": str(options.threads)}
    for _ in range(options.rounds):
        for name in order:
            if name in bare:
                command = [sys.executable, __file__, *sys.argv[1:], "--call", *bare[name]]
                output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment).stdout
                rates[name] += json.loads(output)
                continue
            command = [options.worker, "run", "matmul", "--profile", name, "--set", f"n={options.n}", "--set",
                       f"duration_s={options.seconds}", "--set", f"threads={options.threads}"]
            output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
            for line in output.splitlines():
                rates[name] += [2e-9 * options.n**3 / s for s in json.loads(line).get("samples", {}).get("values", [])]
        order.append(order.pop(0))  # so that none is always the first on a machine that the others have warmed
    medians = {name: statistics.median(values) for name, values in rates.items()}
    best = max(medians[name] for name in bare)
    for name, median in medians.items():
        print(f"{name:9} median {median:8.1f} GFLOP/s, best {max(rates[name]):8.1f}, {median / best:.3f} of the best bare call")
    holds = medians["tuned"] >= 0.95 * best
    print("tuned reaches 0.95 of it" if holds else "tuned falls SHORT of 0.95 of it")
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
