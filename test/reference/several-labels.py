"""Writes the fixture for samples of which each has any number of classes: what scikit-learn measures of class scores, the loss of logits and
its slope, and BatchNorm + linear trained by it in PyTorch, in float64 from features stored as float32.

Usage: python several-labels.py [folder]
"""

import json
import math
import platform
import sys
from pathlib import Path

import numpy as np
import sklearn
import sklearn.metrics
import torch
from torch import nn

CLASSES, WIDTH, TRAIN, TEST = 4, 6, 64, 40
EPOCHS, WARMUP, BATCH, PEAK = 5, 1, 16, 0.8


def features(random: np.random.Generator, directions: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Each class adds a direction of its own; some samples have no class, some have all."""
    flags = (random.uniform(size=(count, CLASSES)) < [0.6, 0.3, 0.2, 0.4]).astype(np.uint8)
    values = flags @ directions + random.normal(size=(count, WIDTH)) * 1.5
    return values.astype(np.float32), flags


def rate(epoch: float) -> float:
    if epoch < WARMUP:
        return PEAK * epoch / WARMUP
    return PEAK * (1 + math.cos(math.pi * (epoch - WARMUP) / (EPOCHS - WARMUP))) / 2


def trained(x: np.ndarray, y: np.ndarray, start: np.ndarray, order: np.ndarray) -> tuple[nn.Module, list[float]]:
    torch.set_default_dtype(torch.float64)
    model = nn.Sequential(nn.BatchNorm1d(WIDTH, affine=False, eps=1e-6), nn.Linear(WIDTH, CLASSES))
    with torch.no_grad():
        model[1].weight.copy_(torch.from_numpy(start))
        model[1].bias.zero_()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0, momentum=0.9)
    inputs, flags = torch.from_numpy(x).double(), torch.from_numpy(y).double()
    steps, losses = TRAIN // BATCH, []
    for epoch in range(EPOCHS):
        for step in range(steps):
            chosen = torch.from_numpy(order[epoch, step * BATCH : (step + 1) * BATCH])
            optimizer.param_groups[0]["lr"] = rate(epoch + step / steps)
            loss = nn.functional.binary_cross_entropy_with_logits(model(inputs[chosen]), flags[chosen])
            losses.append(loss.item())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return model.eval(), losses


def measures(scores: np.ndarray, flags: np.ndarray) -> dict:
    named = (scores > 0).astype(np.uint8)
    metrics = sklearn.metrics
    return {
        "mean_average_precision": metrics.average_precision_score(flags, scores, average="macro"),
        "macro_f1": metrics.f1_score(flags, named, average="macro"),
        "auroc": metrics.roc_auc_score(flags, scores, average="macro"),
        "recall": metrics.recall_score(flags, named, average=None).tolist(),
        "precision": metrics.precision_score(flags, named, average=None, zero_division=0).tolist(),
    }


def main(folder: Path) -> None:
    random = np.random.default_rng(12)
    directions = random.normal(size=(CLASSES, WIDTH))
    x, y = features(random, directions, TRAIN)
    x_test, y_test = features(random, directions, TEST)
    start = random.normal(size=(CLASSES, WIDTH)) * 0.01
    order = np.stack([random.permutation(TRAIN) for _ in range(EPOCHS)])
    model, losses = trained(x, y, start, order)
    logits = model(torch.from_numpy(x_test).double()).detach().requires_grad_()
    loss = nn.functional.binary_cross_entropy_with_logits(logits, torch.from_numpy(y_test).double())
    loss.backward()
    scores = logits.detach().numpy()
    # Equal scores, which ties have to be judged by.
    tied = np.round(scores, 0)
    made = {
        "classes": CLASSES,
        "width": WIDTH,
        "train": {"values": x.ravel().tolist(), "flags": y.ravel().tolist()},
        "test": {"values": x_test.ravel().tolist(), "flags": y_test.ravel().tolist()},
        "settings": {"epochs": EPOCHS, "warmup": WARMUP, "batch": BATCH, "peak": PEAK},
        "start": start.ravel().tolist(),
        "order": order.ravel().tolist(),
        "losses": losses,
        "scores": scores.ravel().tolist(),
        "loss": loss.item(),
        "slope": logits.grad.numpy().ravel().tolist(),
        "measures": measures(scores, y_test),
        "tied": measures(tied, y_test),
        "versions": {"python": platform.python_version(), "torch": torch.__version__, "sklearn": sklearn.__version__},
    }
    (folder / "several-labels.json").write_text(json.dumps(made) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
