"""The data of the workloads as numpy arrays: images as bytes, count x height x width x channels; labels as int64."""

import gzip
import hashlib
import pathlib
import threading

import numpy

from protocol import Failure

MNIST_FILES = ["train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte",
               "t10k-labels-idx1-ubyte"]
CIFAR_FILES = [f"data_batch_{i}.bin" for i in range(1, 6)] + ["test_batch.bin"]
CIFAR_RECORD = 3073


class Data:
    def __init__(self, name, sha256, train, test):
        self.name, self.sha256 = name, sha256
        self.train, self.test = train, test  # (images, labels) each

    def about(self):
        return {"name": self.name, "sha256": self.sha256}


def read(directory, names, hint):
    """The first of `names` that is there, plain or gzip."""
    for name in names:
        for path in (directory / name, directory / (name + ".gz")):
            if path.exists():
                raw = path.read_bytes()
                return gzip.decompress(raw) if path.suffix == ".gz" else raw
    raise Failure("data_missing", f"{directory / names[0]} is not there", hint)


def mnist(dataset_dir):
    directory = pathlib.Path(dataset_dir) / "mnist"
    hint = f"fleetmark-agent data add mnist --dataset-dir {dataset_dir}, or take data=synthetic"
    if not dataset_dir:
        raise Failure("data_missing", "there is no dataset directory to find MNIST in", hint)
    raw = [read(directory, [name, name.replace("-idx", ".idx")], hint) for name in MNIST_FILES]
    sha256 = hashlib.sha256("".join(hashlib.sha256(part).hexdigest() for part in raw).encode()).hexdigest()
    arrays = []
    for name, part in zip(MNIST_FILES, raw):
        header = 16 if "images" in name else 8
        shape = (-1, 28, 28, 1) if "images" in name else (-1,)
        try:
            arrays.append(numpy.frombuffer(part, numpy.uint8, offset=header).reshape(shape))
        except ValueError:
            raise Failure("data_corrupt", f"{directory / name} is corrupt: its size is wrong", hint) from None
    return Data("mnist", sha256, (arrays[0], arrays[1].astype(numpy.int64)), (arrays[2], arrays[3].astype(numpy.int64)))


def cifar10(dataset_dir):
    directory = pathlib.Path(dataset_dir) / "cifar-10-batches-bin"
    hint = "put CIFAR-10's six files of the binary version there, or take data=synthetic"
    if not dataset_dir:
        raise Failure("data_missing", "there is no dataset directory to find CIFAR-10 in", hint)
    raw = [read(directory, [name], hint) for name in CIFAR_FILES]
    parts = []
    for name, part in zip(CIFAR_FILES, raw):
        if not part or len(part) % CIFAR_RECORD:
            raise Failure("data_corrupt", f"{directory / name} has {len(part)} bytes, which are no images of "
                          f"{CIFAR_RECORD} bytes")
        records = numpy.frombuffer(part, numpy.uint8).reshape(-1, CIFAR_RECORD)
        parts.append((records[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1), records[:, 0].astype(numpy.int64)))
    train = tuple(numpy.concatenate(arrays) for arrays in zip(*parts[:5]))
    name = "cifar10" if (len(train[1]), len(parts[5][1])) == (50000, 10000) else "cifar10-like"
    return Data(name, hashlib.sha256(b"".join(raw)).hexdigest(), train, parts[5])


def synthetic(side, channels, train, test, seed):
    """Ten patterns under noise: not the images of fleetmark-worker, as their hash says, and learned as easily."""
    random = numpy.random.default_rng(seed)
    patterns = random.integers(0, 160, (10, side, side, channels), numpy.uint8)

    def make(count):
        labels = random.integers(0, 10, count)
        return patterns[labels] + random.integers(0, 64, (count, side, side, channels), numpy.uint8), labels

    parts = make(train), make(test)
    digest = hashlib.sha256()
    for images, labels in parts:
        digest.update(images.tobytes())
        digest.update(labels.tobytes())
    return Data("synthetic-numpy", digest.hexdigest(), *parts)


def mnist_data(given, dataset_dir):
    """What parameter `data` of mnist_cnn asks for."""
    return mnist(dataset_dir) if given["data"] == "mnist" else synthetic(28, 1, 6400, 1000, given["seed"])


def cifar_data(given, dataset_dir, train, test):
    """The same of the two workloads on CIFAR-10, with at least `train` images to train on."""
    if given["data"] == "synthetic":
        return synthetic(32, 3, train, test, given["seed"])
    data = cifar10(dataset_dir)
    if len(data.train[1]) < train:
        raise Failure("bad_parameter", f"{train} images are asked for, and CIFAR-10 has {len(data.train[1])}")
    return data


def synthetic_image(index, side, classes, seed):
    """A grating whose direction and colour are its class; its phase and noise follow from the index."""
    random = numpy.random.default_rng((seed, index))
    label = int(random.integers(classes))
    angle, phase = numpy.pi * label / classes, 2 * numpy.pi * random.random()
    rows, columns = numpy.mgrid[0:side, 0:side] * (2 * numpy.pi * 8 / side)
    wave = numpy.sin(phase + columns * numpy.cos(angle) + rows * numpy.sin(angle))
    strength = numpy.full(3, 30.0)
    strength[label % 3] = 60
    noise = random.integers(0, 64, (side, side, 3))
    return (96 + wave[..., None] * strength + noise).astype(numpy.uint8), label


def place(image, random, side):
    """Flips, turns by up to 25 degrees, moves by a tenth, zooms by a fifth, bilinearly; numbers from 0 to 1. With no
    `random`, only scales."""
    height, width = image.shape[:2]
    draw = (lambda: random.uniform(-1, 1)) if random is not None else (lambda: 0.0)
    mirrored = random is not None and draw() < 0
    angle, right, down = numpy.radians(25) * draw(), 0.1 * draw(), 0.1 * draw()
    scale_x = (1 + 0.2 * draw()) * width / side * (-1 if mirrored else 1)
    scale_y = (1 + 0.2 * draw()) * height / side
    at = numpy.arange(side, dtype=numpy.float32) - (side - 1) / 2
    cosine, sine = numpy.cos(angle), numpy.sin(angle)
    x = (width - 1) / 2 + right * width + scale_x * (cosine * at[None, :] - sine * at[:, None])
    y = (height - 1) / 2 + down * height + scale_y * (cosine * at[:, None] + sine * at[None, :])
    x, y = x.clip(0, width - 1).astype(numpy.float32), y.clip(0, height - 1).astype(numpy.float32)
    left, top = x.astype(numpy.int32), y.astype(numpy.int32)
    x, y = (x - left)[..., None], (y - top)[..., None]
    far_x, far_y = numpy.minimum(left + 1, width - 1), numpy.minimum(top + 1, height - 1)
    upper = image[top, left] * (1 - x) + image[top, far_x] * x
    lower = image[far_y, left] * (1 - x) + image[far_y, far_x] * x
    return (upper * (1 - y) + lower * y) / numpy.float32(255)


class ImageLoader:
    """Batches of synthetic images, made by threads ahead of time, epoch after epoch."""

    READY = 4  # beside those that threads are at

    def __init__(self, images, batch, threads, seed, augment):
        self.steps, self._batch_size, self._seed, self._augment = images // batch, batch, seed, augment
        if self.steps == 0:
            raise Failure("bad_parameter", f"batch={batch} needs at least as many images, and there are {images}",
                          "set batch lower or images higher")
        self._ready, self._claimed, self._delivered = {}, 0, 0
        self._changed = threading.Condition()
        for _ in range(threads):
            threading.Thread(target=self._work, args=(threads + self.READY,), daemon=True).start()

    def about(self):
        made_from = f"gratings {self.steps * self._batch_size} {self._seed}"
        return {"name": "synthetic-numpy", "sha256": hashlib.sha256(made_from.encode()).hexdigest()}

    def _make(self, number):
        side, classes = 256, 4
        epoch, step = divmod(number, self.steps)
        order = numpy.random.default_rng((self._seed, epoch)).permutation(self.steps * self._batch_size)
        chosen = order[step * self._batch_size:(step + 1) * self._batch_size]
        pixels = numpy.empty((len(chosen), side, side, 3), numpy.float32)
        labels = numpy.empty(len(chosen), numpy.int64)
        for i, index in enumerate(chosen.tolist()):
            image, labels[i] = synthetic_image(index, side, classes, self._seed)
            random = numpy.random.default_rng((self._seed, epoch, index)) if self._augment else None
            pixels[i] = place(image, random, side)
        return pixels, labels

    def _work(self, most_ahead):
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._claimed < self._delivered + most_ahead)
                number, self._claimed = self._claimed, self._claimed + 1
            try:
                batch = self._make(number)
            except Exception as error:  # next() raises it where somebody sees it
                batch = error
            with self._changed:
                self._ready[number] = batch
                self._changed.notify_all()

    def next(self):
        with self._changed:
            self._changed.wait_for(lambda: self._delivered in self._ready)
            batch = self._ready.pop(self._delivered)
            self._delivered += 1
            self._changed.notify_all()
        if isinstance(batch, Exception):
            raise batch
        return batch


def image_loaders(given):
    """Of image_cnn_58m: for training, and what is held out."""
    held_out = min(-(-given["images"] // 4), 256)
    return (ImageLoader(given["images"], given["batch"], given["loader_threads"], given["seed"], augment=True),
            ImageLoader(held_out, min(given["batch"], held_out), 1, given["seed"] + 1, augment=False))
