"""The workloads as a plain PyTorch script runs them, eagerly or through torch.compile."""

import time

import numpy
import torch
import torch.nn.functional as F
from torch import nn

import datasets
import tensor_add as adding
from measurement import Measurement, Metrics, measure_calls


def versions():
    return {"torch": torch.__version__, "numpy": numpy.__version__}


def devices():
    return [{"name": f"cuda:{i}", "kind": "cuda", "model": torch.cuda.get_device_name(i),
             "memory_bytes": float(torch.cuda.get_device_properties(i).total_memory)}
            for i in range(torch.cuda.device_count())]


def is_out_of_memory(error):
    return isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error)


def prepare(given, device):
    """What must be set before the first operation. Changes `given` to what takes effect."""
    torch.manual_seed(given.get("seed", 0))
    if given["threads"]:
        torch.set_num_threads(given["threads"])
    given["threads"] = torch.get_num_threads()
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = given["dtype"] == "tf32"


def bn(channels, kind=nn.BatchNorm2d):
    return kind(channels, eps=1e-3, momentum=0.01)


class MnistNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 32, 3), nn.Conv2d(32, 64, 3)
        self.dropout1, self.dropout2 = nn.Dropout(0.25), nn.Dropout(0.5)
        self.fc1, self.fc2 = nn.Linear(9216, 128), nn.Linear(128, 10)

    def forward(self, x):
        x = F.relu(self.conv2(F.relu(self.conv1(x))))
        x = self.dropout1(F.max_pool2d(x, 2)).flatten(1)
        return F.log_softmax(self.fc2(self.dropout2(F.relu(self.fc1(x)))), 1)


def lenet():
    return nn.Sequential(nn.Conv2d(3, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(16, 8, 5), nn.ReLU(),
                         nn.MaxPool2d(2), nn.Flatten(), nn.Linear(200, 120), nn.Linear(120, 84), nn.Linear(84, 10),
                         nn.LogSoftmax(1))


class Block(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        stride = 1 if inputs == outputs else 2
        self.first = nn.Sequential(nn.Conv2d(inputs, outputs, 3, stride, 1), bn(outputs), nn.ReLU())
        self.second = nn.Sequential(nn.Conv2d(outputs, outputs, 3, 1, 1), bn(outputs))
        self.shortcut = (nn.Identity() if stride == 1 else
                         nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride), bn(outputs)))

    def forward(self, x):
        return F.relu(self.second(self.first(x)) + self.shortcut(x))


def resnet63():
    widths = [64] + [64] * 10 + [128] * 10 + [256] * 10
    return nn.Sequential(nn.Conv2d(3, 64, 3, 1, 1), bn(64), nn.ReLU(),
                         *(Block(a, b) for a, b in zip(widths, widths[1:])), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
                         nn.Linear(256, 10), nn.LogSoftmax(1))


def image_cnn():
    layers, widths = [], [3, 32, 64, 64, 128, 128]
    for i, (inputs, outputs) in enumerate(zip(widths, widths[1:])):
        layers += [nn.Conv2d(inputs, outputs, 3, padding=1), nn.ReLU(), bn(outputs)]
        if i in (0, 2, 4):
            layers += [nn.MaxPool2d(3 if i == 0 else 2), nn.Dropout(0.25)]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(56448, 1024), nn.ReLU(), bn(1024, nn.BatchNorm1d),
                         nn.Dropout(0.5), nn.Linear(1024, 4), nn.LogSoftmax(1))


class Training:
    """A network, its optimizer and its data on a device, one step at a time."""

    def __init__(self, given, device, network, optimizer):
        self.device = torch.device(device)
        self.format = torch.channels_last if given["memory_format"] == "channels_last" else torch.contiguous_format
        self.plain = network().to(self.device, memory_format=self.format)
        self.network = torch.compile(self.plain) if given["compile"] else self.plain
        self.optimizer = optimizer(self.plain.parameters())

    def images(self, array, mean=0.0, deviation=1.0):
        """Bytes to (byte / 255 - mean) / deviation, on the device."""
        pixels = torch.from_numpy(array.transpose(0, 3, 1, 2).copy()).float().div_(255).sub_(mean).div_(deviation)
        return pixels.to(self.device).contiguous(memory_format=self.format)

    def labels(self, array):
        return torch.from_numpy(numpy.ascontiguousarray(array)).to(self.device)

    def step(self, images, labels):
        self.optimizer.zero_grad()
        output = self.network(images)
        loss = F.nll_loss(output, labels)
        loss.backward()
        self.optimizer.step()
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        return loss.detach(), output.detach()

    def evaluate(self, batches):
        self.plain.eval()
        loss = right = count = 0
        with torch.no_grad():
            for images, labels in batches:
                output = self.plain(images)
                loss += F.nll_loss(output, labels, reduction="sum").item()
                right += (output.argmax(1) == labels).sum().item()
                count += len(labels)
        self.plain.train()
        return loss / count, right / count

    def counts(self, metrics):
        trainable = sum(parameter.numel() for parameter in self.plain.parameters())
        averages = sum(buffer.numel() for buffer in self.plain.buffers() if buffer.is_floating_point())
        metrics.record("parameters_total", trainable + averages)
        metrics.record("parameters_trainable", trainable)


class Answers:
    """What the network said in an epoch's steps, for loss and accuracy when nothing is timed."""

    def __init__(self):
        self.kept = []

    def keep(self, output, labels):
        self.kept.append((output, labels))

    def score(self):
        outputs, labels = (torch.cat(parts) for parts in zip(*self.kept))
        self.kept = []
        return F.nll_loss(outputs, labels).item(), (outputs.argmax(1) == labels).double().mean().item()


def train_epochs(training, measurement, batches, validation):
    """`batches` and `validation` are functions that begin an epoch."""
    answers = Answers()
    measurement.restart()
    while True:
        for images, labels in batches():
            _, output = training.step(images, labels)
            answers.keep(output, labels)
            if measurement.step(len(labels)):
                measurement.check_finite(answers.score()[0])
                return
        if measurement.end_epoch(*answers.score(), *training.evaluate(validation())):
            return


def mnist_cnn(workload, given, device, dataset_dir):
    data = datasets.mnist_data(given, dataset_dir)
    training = Training(given, device, MnistNet, lambda p: torch.optim.Adadelta(p, lr=1.0))
    schedule = torch.optim.lr_scheduler.StepLR(training.optimizer, 1, gamma=0.7)
    train, test = ((training.images(images, 0.1307, 0.3081), training.labels(labels)) for images, labels in
                   (data.train, data.test))
    batch = given["batch"]
    measurement = Measurement(given, -(-len(train[1]) // batch))
    epochs = 0

    def batches():
        nonlocal epochs
        if epochs:
            schedule.step()
        epochs += 1
        order = torch.randperm(len(train[1]), device=training.device)
        for chosen in order.split(batch):
            yield train[0][chosen], train[1][chosen]

    train_epochs(training, measurement, batches,
                 lambda: zip(test[0].split(given["test_batch"]), test[1].split(given["test_batch"])))
    metrics = Metrics(workload, measurement)
    metrics.rates()
    metrics.epochs()
    training.counts(metrics)
    return measurement, data.about(), []


def cifar_lenet(workload, given, device, dataset_dir):
    batch, batches = given["batch"], given["batches"]
    data = datasets.cifar_data(given, dataset_dir, batch * batches, 1000)
    training = Training(given, device, lenet, lambda p: torch.optim.SGD(p, lr=0.01, momentum=0.9))
    train, test = ((training.images(images), training.labels(labels)) for images, labels in (data.train, data.test))
    measurement = Measurement(given, batches)
    train_epochs(training, measurement,
                 lambda: zip(train[0][:batch * batches].split(batch), train[1][:batch * batches].split(batch)),
                 lambda: zip(test[0].split(1000), test[1].split(1000)))
    metrics = Metrics(workload, measurement)
    metrics.epochs(best=True)
    metrics.rates()
    training.counts(metrics)
    return measurement, data.about(), []


def cifar_resnet63(workload, given, device, dataset_dir):
    data = datasets.cifar_data(given, dataset_dir, given["batch"], 1)
    training = Training(given, device, resnet63, lambda p: torch.optim.Adam(p, lr=1e-3))
    images = training.images(data.train[0][:given["batch"]])
    labels = training.labels(data.train[1][:given["batch"]])
    measurement = Measurement(given)
    metrics = Metrics(workload, measurement)
    notes = measure_calls(metrics, given["batch"], lambda: training.step(images, labels)[0].item())
    training.counts(metrics)
    return measurement, data.about(), notes


def image_cnn_58m(workload, given, device, dataset_dir):
    training = Training(given, device, image_cnn, lambda p: torch.optim.Adam(p, lr=1e-3))
    loader, held_out = datasets.image_loaders(given)
    measurement = Measurement(given, loader.steps)
    waits = []

    def upload(batch):
        pixels, labels = batch
        images = torch.from_numpy(pixels).permute(0, 3, 1, 2).to(training.device)
        return images.contiguous(memory_format=training.format), training.labels(labels)

    def batches():
        for _ in range(loader.steps):
            asked = time.perf_counter()
            batch = loader.next()
            waits.append(time.perf_counter() - asked)
            yield upload(batch)

    train_epochs(training, measurement, batches, lambda: (upload(held_out.next()) for _ in range(held_out.steps)))
    metrics = Metrics(workload, measurement)
    metrics.step_times()
    metrics.epochs()
    metrics.rates()
    measured = waits[-measurement.steps:]
    metrics.times("data_wait_s", sum(measured) / len(measured), measured)
    training.counts(metrics)
    return measurement, loader.about(), []


def tensor_add(workload, given, device, dataset_dir):
    return adding.run(adding.in_pytorch, workload, given, device)


WORKLOADS = {function.__name__: function for function in
             (cifar_lenet, cifar_resnet63, image_cnn_58m, mnist_cnn, tensor_add)}
