"""tensor_add, each variant as a user of the framework writes it. What a framework has no equivalent of it does not offer:
TensorFlow and JAX have neither TorchScript nor an addition into memory that the caller names."""

from measurement import Measurement, Metrics
from protocol import Failure, memory_bytes

# Of each variant what a step must at least read and write, and what it holds at once, in tensors.
TRAFFIC = {"torchscript": 2, "inplace": 2, "out": 3, "alloc": 3, "upload": 9}
HELD = {"torchscript": 1, "inplace": 1, "out": 3, "alloc": 3, "upload": 3}
DOCS = {"torchscript": "the published function", "inplace": "z += z", "out": "z = x + y into the same memory",
        "alloc": "into new memory", "upload": "ones made on the host, copied, added"}
# What a step must pass over for its traffic to be the memory's and not a cache's: agent/worker/ceiling.h.
COMPARED_BYTES = 256 << 20
VARIANTS = {"pytorch": list(TRAFFIC), "keras-tensorflow": ["inplace", "alloc", "upload"],
            "keras-jax": ["inplace", "alloc", "upload"]}


def offer(runtime, parameter):
    """The parameter `variant` as this runtime has it."""
    choices = VARIANTS[runtime]
    default = parameter["default_value"] if parameter["default_value"] in choices else "inplace"
    return {**parameter, "choices": choices, "default_value": default,
            "doc": "; ".join(f"{choice}: {DOCS[choice]}" for choice in choices)}


def in_pytorch(given, device):
    import torch
    dtype = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}[given["dtype"]]
    shape, variant = (given["n"], given["n"]), given["variant"]
    wait = torch.cuda.synchronize if device.startswith("cuda") else lambda: None
    if given["compile"] and variant in ("torchscript", "upload"):
        raise Failure("unsupported", f"variant={variant} is not for torch.compile: "
                      + ("TorchScript compiles it" if variant == "torchscript" else "it would leave the copies out"),
                      "take compile=false, or variant=inplace")
    if variant == "torchscript":
        return torchscript(shape, {"fp32": 6, "bf16": 15, "fp16": 5}[given["dtype"]], device, wait)
    x, y, z = (torch.ones(shape, dtype=dtype, device=device) if number < HELD[variant] and variant != "upload" else None
               for number in range(3))

    def uploaded():
        return torch.ones(shape, dtype=dtype).to(device, copy=True)

    add = {"inplace": lambda: x.add_(x), "out": lambda: torch.add(x, y, out=z), "alloc": lambda: x + y,
           "upload": lambda: uploaded() + uploaded()}[variant]
    if given["compile"]:
        add = torch.compile(add)

    def step():
        sum_of_both = add()
        wait()
        return sum_of_both

    return step, []


def torchscript(shape, dtype, device, wait):
    """The published function. The compiler folds it to one constant, so that a step is z += z; a note says if not."""
    import torch
    ones = f"torch.ones([{shape[0]}, {shape[1]}], dtype={dtype}, device=\"{device}\")"
    published = torch.jit.CompilationUnit(f"def foo():\n    x = {ones}\n    y = {ones}\n    z = x + y\n    return z\n").foo
    for _ in range(3):  # which it compiles in
        z = published()
    folded = z.data_ptr() == published().data_ptr()

    def step():
        z.add_(published())
        wait()
        return z

    return step, ["TorchScript folded the published function to one constant: each step is z += z in place" if folded else
                  "this PyTorch did not fold the published function to one constant, as the published rows assume"]


def in_tensorflow(given, device):
    import numpy
    import tensorflow
    dtype = {"fp32": tensorflow.float32, "bf16": tensorflow.bfloat16, "fp16": tensorflow.float16}[given["dtype"]]
    shape, variant = (given["n"], given["n"]), given["variant"]
    wait = tensorflow.test.experimental.sync_devices if device.startswith("cuda") else lambda: None
    if variant == "inplace":
        z = tensorflow.Variable(tensorflow.ones(shape, dtype))

        @tensorflow.function(jit_compile=True)  # by itself TensorFlow copies a variable that is added to itself
        def add():
            z.assign_add(z)
    elif variant == "alloc":
        x, y = tensorflow.ones(shape, dtype), tensorflow.ones(shape, dtype)

        def add():
            return x + y
    else:
        def add():
            x, y = (tensorflow.constant(numpy.ones(shape, dtype.as_numpy_dtype)) for _ in range(2))
            return x + y

    def step():
        sum_of_both = add()
        wait()
        return sum_of_both

    return step, []


def in_jax(given, device):
    import jax
    import jax.numpy as jnp
    import numpy
    dtype = {"fp32": jnp.float32, "bf16": jnp.bfloat16, "fp16": jnp.float16}[given["dtype"]]
    shape, variant = (given["n"], given["n"]), given["variant"]
    if variant == "inplace":
        twice = jax.jit(lambda z: z + z, donate_argnums=0)
        held = [jnp.ones(shape, dtype)]

        def step():
            held[0] = twice(held[0]).block_until_ready()
            return held[0]

        return step, []
    add = jax.jit(jnp.add)
    if variant == "alloc":
        x, y = jnp.ones(shape, dtype), jnp.ones(shape, dtype)
        return lambda: add(x, y).block_until_ready(), []

    def uploaded():
        return jnp.array(numpy.ones(shape, dtype))

    return lambda: add(uploaded(), uploaded()).block_until_ready(), []


def tensor_bytes(given):
    return given["n"] ** 2 * (4 if given["dtype"] == "fp32" else 2)


def compared_with(ceilings, given):
    """Of the ceilings that the agent keeps of this device those that gb_per_s is to be compared with: a runner in Python
    measures none. An upload is mostly the host's making and copying."""
    if given["variant"] == "upload" or tensor_bytes(given) * HELD[given["variant"]] < COMPARED_BYTES:
        return []
    return [ceiling for ceiling in ceilings if ceiling["resource"] == "memory"]


def run(make_step, workload, given, device):
    """`make_step` is one of the three above; what a step returns is freed as the next begins."""
    variant = given["variant"]
    held_bytes = tensor_bytes(given) * HELD[variant]
    if device == "cpu" and held_bytes > memory_bytes():  # Linux would grant it and kill who uses it
        raise Failure("out_of_memory", f"tensor_add needs {1e-9 * held_bytes:.0f} GB and this machine has "
                      f"{1e-9 * memory_bytes():.0f} GB", "set n lower")
    step, notes = make_step(given, device)
    measurement = Measurement(given)
    measurement.restart()
    stop = False
    while not stop:
        kept = None
        kept = step()
        stop = measurement.step(1)
    del kept
    metrics = Metrics(workload, measurement)
    metrics.rate("it_per_s", measurement.steps, 1)
    per_step = 1e-9 * tensor_bytes(given) * TRAFFIC[variant]
    if not any("did not fold" in note for note in notes):
        metrics.rate("gb_per_s", measurement.steps * per_step, per_step)
    return measurement, {}, notes
