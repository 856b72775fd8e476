"""Trains the networks by PyTorch itself, from weights and images that are sines of their index; prints the losses of the
first steps and the norms of the final parameters as JSON. The C++ test does the same."""
import json
import sys

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

sys.path.insert(0, sys.argv[1])
from pytorch_workloads import MnistNet  # noqa: E402


class LeNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(3, 16, 5), nn.Conv2d(16, 8, 5)
        self.dense1, self.dense2, self.dense3 = nn.Linear(200, 120), nn.Linear(120, 84), nn.Linear(84, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        return F.log_softmax(self.dense3(self.dense2(self.dense1(x.flatten(1)))), 1)


class Convolution(nn.Module):
    def __init__(self, inputs, outputs, kernel, stride):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2)
        self.norm = nn.BatchNorm2d(outputs, eps=1e-3, momentum=0.01)

    def forward(self, x):
        return self.norm(self.conv(x))


class Block(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        stride = 1 if inputs == outputs else 2
        self.first, self.second = Convolution(inputs, outputs, 3, stride), Convolution(outputs, outputs, 3, 1)
        self.shortcut = nn.Identity() if stride == 1 else Convolution(inputs, outputs, 1, stride)

    def forward(self, x):
        return F.relu(self.second(F.relu(self.first(x))) + self.shortcut(x))


class ResNet63(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = Convolution(3, 64, 3, 1)
        widths = [64] + [64] * 10 + [128] * 10 + [256] * 10
        self.blocks = nn.Sequential(*(Block(a, b) for a, b in zip(widths, widths[1:])))
        self.dense = nn.Linear(256, 10)

    def forward(self, x):
        x = self.blocks(F.relu(self.first(x)))
        return F.log_softmax(self.dense(x.mean((2, 3))), 1)


class ImageCnn(nn.Module):
    def __init__(self):
        super().__init__()
        widths = [3, 32, 64, 64, 128, 128]
        layers = []
        for i, (inputs, outputs) in enumerate(zip(widths, widths[1:])):
            layers += [nn.Conv2d(inputs, outputs, 3, padding=1), nn.ReLU(), nn.BatchNorm2d(outputs, 1e-3, 0.01)]
            if i in (0, 2, 4):
                layers += [nn.MaxPool2d(3 if i == 0 else 2), nn.Dropout(0.25)]
        layers += [nn.Flatten(), nn.Linear(56448, 1024), nn.ReLU(), nn.BatchNorm1d(1024, 1e-3, 0.01), nn.Dropout(0.5),
                   nn.Linear(1024, 4)]
        self.layers = nn.Sequential(*layers)

    def forward(self, x):
        return F.log_softmax(self.layers(x), 1)


class Bottleneck(nn.Module):
    def __init__(self, inputs, width, stride):
        super().__init__()
        outputs = 4 * width

        def convolution(a, b, kernel, stride=1):
            return [nn.Conv2d(a, b, kernel, stride, kernel // 2, bias=False), nn.BatchNorm2d(b)]

        self.residual = nn.Sequential(*convolution(inputs, width, 1), nn.ReLU(), *convolution(width, width, 3, stride),
                                      nn.ReLU(), *convolution(width, outputs, 1))
        self.shortcut = nn.Sequential(*convolution(inputs, outputs, 1, stride)) if inputs != outputs else nn.Identity()

    def forward(self, x):
        return F.relu(self.residual(x) + self.shortcut(x))


class ResNet50(nn.Module):
    def __init__(self):
        super().__init__()
        layers = [nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(3, 2, 1)]
        inputs = 64
        for width, blocks in ((64, 3), (128, 4), (256, 6), (512, 3)):
            for block in range(blocks):
                layers.append(Bottleneck(inputs, width, 2 if block == 0 and width > 64 else 1))
                inputs = 4 * width
        self.layers, self.dense = nn.Sequential(*layers), nn.Linear(inputs, 1000)

    def forward(self, x):
        return F.log_softmax(self.dense(self.layers(x).mean((2, 3))), 1)


class Gpt2Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm1, self.qkv, self.project = nn.LayerNorm(768), nn.Linear(768, 2304), nn.Linear(768, 768)
        self.norm2, self.widen, self.narrow = nn.LayerNorm(768), nn.Linear(768, 3072), nn.Linear(3072, 768)

    def forward(self, x):
        q, k, v = (part.unflatten(2, (12, 64)).transpose(1, 2) for part in self.qkv(self.norm1(x)).split(768, 2))
        future = torch.ones(x.shape[1], x.shape[1], dtype=torch.bool).triu(1)
        weights = ((q @ k.transpose(2, 3)) / 8).masked_fill(future, -torch.inf).softmax(3)
        x = x + self.project((weights @ v).transpose(1, 2).flatten(2))
        return x + self.narrow(F.gelu(self.widen(self.norm2(x)), approximate="tanh"))


class Gpt2(nn.Module):
    def __init__(self, context):
        super().__init__()
        self.tokens, self.positions = (nn.Parameter(torch.empty(count, 768)) for count in (50257, context))
        self.blocks, self.norm = nn.Sequential(*(Gpt2Block() for _ in range(12))), nn.LayerNorm(768)

    def forward(self, tokens):
        x = self.norm(self.blocks(F.embedding(tokens, self.tokens) + self.positions))
        return F.log_softmax((x @ self.tokens.T).flatten(0, 1), 1)


def sines(shape, scale):
    count = torch.Size(shape).numel()
    return (torch.sin(torch.arange(count, dtype=torch.float64) * 0.7) * scale).float().reshape(shape)


def flops(make, image):
    """Of a training step of one sample, as PyTorch's counter has it; without any arithmetic."""
    with torch.device("meta"), FlopCounterMode(display=False) as counter:
        make()(inputs_of(2, image, 1)).sum().backward()
    return counter.get_total_flops() / 2


def inputs_of(batch, image, classes):
    if len(image) == 1:  # the length of a text
        return (torch.arange(batch * image[0]) * 7919 % classes).reshape(batch, *image)
    return sines((batch, *image), 1.0)


def train(make, optimizer, batch, image, steps, classes=10):
    network = make()
    offset = 0.5 if list(network.buffers()) else 0  # batch normalisation by weights around 0 would let nothing through
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.dim() > 1:
                parameter.copy_(sines(parameter.shape, parameter[0].numel() ** -0.5))
            else:
                parameter.copy_(sines(parameter.shape, 0.1) + offset)
    inputs = inputs_of(batch, image, classes)
    labels = torch.arange(inputs.numel() if len(image) == 1 else batch) % classes
    torch.manual_seed(7)  # of the dropout
    optimizer = optimizer(network.parameters())
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        with torch.set_grad_enabled(steps > 1):
            loss = F.nll_loss(network(inputs), labels)
        losses.append(loss.item())
        if steps > 1:
            loss.backward()
            optimizer.step()
    return {"losses": losses, "norms": [p.detach().double().norm().item() for p in network.parameters()],
            "flops": flops(make, image)}


torch.set_num_threads(1)  # several wait for each other spinning, which takes for ever beside other tests
# One step is the forward pass alone: oneDNN takes seconds to compile ResNet-50's backward.
print(json.dumps({
    "mnist_cnn": train(lambda: MnistNet().eval(), lambda p: torch.optim.Adadelta(p, lr=1.0), 16, (1, 28, 28), 8),
    "cifar_lenet": train(LeNet, lambda p: torch.optim.SGD(p, lr=0.01, momentum=0.9), 16, (3, 32, 32), 8),
    "cifar_resnet63": train(ResNet63, lambda p: torch.optim.Adam(p, lr=1e-3), 4, (3, 32, 32), 3),
    "image_cnn_58m": train(ImageCnn, lambda p: torch.optim.Adam(p, lr=1e-3), 4, (3, 256, 256), 3, classes=4),
    "resnet50": train(ResNet50, lambda p: torch.optim.SGD(p, lr=0.01), 2, (3, 224, 224), 1, classes=1000),
    "transformer_lm": train(lambda: Gpt2(24), lambda p: torch.optim.Adam(p, lr=1e-3), 2, (24,), 2, classes=50257),
}))
