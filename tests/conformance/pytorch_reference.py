"""Trains the published MNIST network by PyTorch itself, from weights and images that are sines of their index, without
dropout; prints the loss of each step and the norms of the final parameters as JSON. The C++ test does the same."""
import json
import sys

import torch
import torch.nn.functional as F

sys.path.insert(0, sys.argv[1])
from train_mnist_pytorch import Net  # noqa: E402

STEPS, BATCH = 8, 16


def sines(shape, scale):
    count = torch.Size(shape).numel()
    return (torch.sin(torch.arange(count, dtype=torch.float64) * 0.7) * scale).float().reshape(shape)


model = Net().eval()  # without dropout: the masks of two generators differ
with torch.no_grad():
    for parameter in model.parameters():
        fan_in = parameter[0].numel() if parameter.dim() > 1 else 100
        parameter.copy_(sines(parameter.shape, fan_in**-0.5))
images, labels = sines((BATCH, 1, 28, 28), 1.0), torch.arange(BATCH) % 10
optimizer = torch.optim.Adadelta(model.parameters(), lr=1.0)
losses = []
for _ in range(STEPS):
    optimizer.zero_grad()
    loss = F.nll_loss(model(images), labels)
    loss.backward()
    optimizer.step()
    losses.append(loss.item())
print(json.dumps({"losses": losses, "norms": [p.detach().double().norm().item() for p in model.parameters()]}))
