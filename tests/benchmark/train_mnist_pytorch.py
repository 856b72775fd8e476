#!/usr/bin/env python3
"""The peer of mnist_cnn: PyTorch's published example (pytorch/examples, mnist/main.py) as a plain script.

Model, optimizer, schedule, loss and loop are the example's. torchvision is not needed: the IDX files are read once and
normalised before training, so that the script does not wait for its data loader. Prints one JSON document.
"""
import argparse
import json
import pathlib
import time

import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.optim as optim
from torch.optim.lr_scheduler import StepLR


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 32, 3, 1)
        self.conv2 = nn.Conv2d(32, 64, 3, 1)
        self.dropout1 = nn.Dropout(0.25)
        self.dropout2 = nn.Dropout(0.5)
        self.fc1 = nn.Linear(9216, 128)
        self.fc2 = nn.Linear(128, 10)

    def forward(self, x):
        x = F.relu(self.conv1(x))
        x = F.relu(self.conv2(x))
        x = F.max_pool2d(x, 2)
        x = self.dropout1(x)
        x = torch.flatten(x, 1)
        x = F.relu(self.fc1(x))
        x = self.dropout2(x)
        x = self.fc2(x)
        return F.log_softmax(x, dim=1)


def load(directory, part):
    images = torch.frombuffer(bytearray((directory / f"{part}-images-idx3-ubyte").read_bytes()[16:]), dtype=torch.uint8)
    labels = torch.frombuffer(bytearray((directory / f"{part}-labels-idx1-ubyte").read_bytes()[8:]), dtype=torch.uint8)
    images = images.view(-1, 1, 28, 28).float().div_(255).sub_(0.1307).div_(0.3081)
    return images, labels.long()


def evaluate(model, images, labels):
    model.eval()
    loss = correct = 0
    with torch.no_grad():
        for x, y in zip(images.split(1000), labels.split(1000)):
            output = model(x)
            loss += F.nll_loss(output, y, reduction="sum").item()
            correct += output.argmax(dim=1).eq(y).sum().item()
    return loss / len(images), correct / len(images)


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--dataset-dir", required=True, type=pathlib.Path)
    arguments.add_argument("--epochs", type=int, default=14)
    arguments.add_argument("--steps", type=int, default=0, help="stop after this many timed steps")
    arguments.add_argument("--warmup", type=int, default=20)
    arguments.add_argument("--threads", type=int, default=0)
    options = arguments.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    torch.manual_seed(1)
    images, labels = load(options.dataset_dir / "mnist", "train")
    test_images, test_labels = load(options.dataset_dir / "mnist", "t10k")
    model = Net()
    optimizer = optim.Adadelta(model.parameters(), lr=1.0)
    scheduler = StepLR(optimizer, step_size=1, gamma=0.7)
    step_s, epochs, started = [], [], time.perf_counter()
    for _ in range(options.epochs):
        model.train()
        epoch_started = time.perf_counter()
        for index in torch.randperm(len(images)).split(64):
            before = time.perf_counter()
            data, target = images[index], labels[index]
            optimizer.zero_grad()
            loss = F.nll_loss(model(data), target)
            loss.backward()
            optimizer.step()
            step_s.append(time.perf_counter() - before)
            if options.steps and len(step_s) >= options.warmup + options.steps:
                break
        if options.steps and len(step_s) >= options.warmup + options.steps:
            break
        epoch_s = time.perf_counter() - epoch_started
        val_loss, val_accuracy = evaluate(model, test_images, test_labels)
        epochs.append({"epoch_s": epoch_s, "val_loss": val_loss, "val_accuracy": val_accuracy})
        scheduler.step()
    print(json.dumps({"torch": torch.__version__, "threads": torch.get_num_threads(), "epochs": epochs,
                      "total_s": time.perf_counter() - started, "step_s": step_s[options.warmup:]}))


if __name__ == "__main__":
    main()
