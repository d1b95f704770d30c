"""Writes the fixture for the probes: random features of random classes, and what kNN, ridge regression in numpy and
BatchNorm + linear in PyTorch make of them. Everything is computed in float64 from features stored as float32.

Usage: python probes.py [folder]
"""

import json
import math
import platform
import sys
from pathlib import Path

import numpy as np
import safetensors
import safetensors.torch
import torch

CLASSES, WIDTH, TRAIN, TEST = 7, 12, 240, 80
NEIGHBOURS, TEMPERATURE = 20, 0.07
PENALTIES = [2.0**e for e in range(-10, 21, 2)]
HELD_OUT = 48
EPOCHS, WARMUP, BATCH, MOMENTUM, TRUST = 4, 1, 64, 0.9, 0.001
# Per 256 samples. Large for LARS, whose steps are small beside the weights, so that twelve of them show.
RATES = {"lars": 100.0, "sgd": 0.4}


def features(random: np.random.Generator) -> dict[str, np.ndarray]:
    """Overlapping clouds around one centre a class, each feature with its own scale and offset."""
    centres = random.normal(size=(CLASSES, WIDTH))
    scale, offset = np.exp(random.normal(size=WIDTH)), random.normal(size=WIDTH)
    made = {}
    for split, count in (("train", TRAIN), ("test", TEST)):
        labels = random.integers(CLASSES, size=count)
        values = (centres[labels] + 1.2 * random.normal(size=(count, WIDTH))) * scale + offset
        made |= {f"{split}/values": values.astype(np.float32), f"{split}/labels": labels.astype(np.int32)}
    return made


def accuracy(scores: np.ndarray, labels: np.ndarray, k: int) -> float:
    best = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    right = (best == labels[:, None]) & np.isfinite(np.take_along_axis(scores, best, axis=1))
    return float(right.any(axis=1).mean())


def knn(x, y, x_test) -> np.ndarray:
    """-> votes [test, classes]; -inf for a class without any, which is never counted as predicted"""
    unit, unit_test = (a / np.linalg.norm(a, axis=1, keepdims=True) for a in (x, x_test))
    similarity = unit_test @ unit.T
    nearest = np.argsort(-similarity, axis=1, kind="stable")[:, :NEIGHBOURS]
    votes = np.zeros((len(x_test), CLASSES))
    for row, chosen in enumerate(nearest):
        np.add.at(votes[row], y[chosen], np.exp(similarity[row, chosen] / TEMPERATURE))
    votes[votes == 0] = -np.inf
    return votes


def ridge(x, y, x_test, penalty: float) -> np.ndarray:
    """Standardised features, targets -1 and 1, intercept not penalised -> scores [test, classes]"""
    mean, deviation = x.mean(axis=0), x.std(axis=0) + 1e-5
    z, z_test = (x - mean) / deviation, (x_test - mean) / deviation
    targets = 2.0 * np.eye(CLASSES)[y] - 1
    weights = np.linalg.solve(z.T @ z + penalty * np.eye(WIDTH), z.T @ (targets - targets.mean(axis=0)))
    return z_test @ weights + targets.mean(axis=0)


def learning_rate(epoch: float, peak: float) -> float:
    if epoch < WARMUP:
        return peak * epoch / WARMUP
    return peak * 0.5 * (1 + math.cos(math.pi * (epoch - WARMUP) / (EPOCHS - WARMUP)))


def linear(x, y, x_test, optimizer: str, start: torch.Tensor, order: np.ndarray) -> dict[str, torch.Tensor]:
    """BatchNorm without affine and a linear layer, trained for some epochs in the given order of samples."""
    x, y, x_test = torch.from_numpy(x), torch.from_numpy(y).long(), torch.from_numpy(x_test)
    norm = torch.nn.BatchNorm1d(WIDTH, affine=False, eps=1e-6).double()
    head = torch.nn.Linear(WIDTH, CLASSES).double()
    with torch.no_grad():
        head.weight.copy_(start)
        head.bias.zero_()
    momenta = {p: torch.zeros_like(p) for p in head.parameters()}
    batches, losses = TRAIN // BATCH, []
    for epoch in range(EPOCHS):
        for i in range(batches):
            rate = learning_rate(epoch + i / batches, RATES[optimizer] * BATCH / 256)
            chosen = torch.from_numpy(order[epoch, i * BATCH : (i + 1) * BATCH]).long()
            loss = torch.nn.functional.cross_entropy(head(norm(x[chosen])), y[chosen])
            losses.append(loss.item())
            for p, gradient in zip(momenta, torch.autograd.grad(loss, list(momenta)), strict=True):
                if optimizer == "lars" and p.ndim > 1:
                    gradient = gradient * TRUST * p.norm() / gradient.norm()
                momenta[p] = MOMENTUM * momenta[p] + gradient
                p.data -= rate * momenta[p]
    norm.eval()
    with torch.no_grad():
        scores = head(norm(x_test))
    found = {"weight": head.weight.data, "bias": head.bias.data, "scores": scores, "losses": torch.tensor(losses, dtype=torch.float64)}
    return {f"linear/{optimizer}/{key}": value.double() for key, value in found.items()}


def effective_rank(features: np.ndarray) -> float:
    sigma = np.linalg.svd(features.astype(np.float64), compute_uv=False)
    p = sigma / sigma.sum()
    return float(np.exp(-(p[p > 0] * np.log(p[p > 0])).sum()))


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
    random = np.random.default_rng(7)
    data = features(random)
    x, y = data["train/values"].astype(np.float64), data["train/labels"]
    x_test, y_test = data["test/values"].astype(np.float64), data["test/labels"]
    held = np.sort(random.permutation(TRAIN)[:HELD_OUT])
    fitted = np.setdiff1d(np.arange(TRAIN), held)
    order = np.stack([random.permutation(TRAIN) for _ in range(EPOCHS)])
    start = random.normal(size=(CLASSES, WIDTH)) * 0.01

    votes = knn(x, y, x_test)
    held_out = [accuracy(ridge(x[fitted], y[fitted], x[held], p), y[held], 1) for p in PENALTIES]
    tensors = {name: torch.from_numpy(value) for name, value in data.items()}
    tensors |= {"knn/votes": torch.from_numpy(votes), "ridge/held_out": torch.from_numpy(held.astype(np.int32))}
    tensors |= {f"ridge/scores/{i}": torch.from_numpy(ridge(x, y, x_test, PENALTIES[i])) for i in (0, 8, 12)}
    tensors |= {"linear/start": torch.from_numpy(start), "linear/order": torch.from_numpy(order.astype(np.int32))}
    for optimizer in ("lars", "sgd"):
        tensors |= linear(x, y, x_test, optimizer, tensors["linear/start"], order)

    header = {
        "classes": CLASSES,
        "knn": {
            "k": NEIGHBOURS,
            "temperature": TEMPERATURE,
            "top1": accuracy(votes, y_test, 1),
            "top5": accuracy(votes, y_test, 5),
        },
        "ridge": {
            "penalties": PENALTIES,
            "held_out_top1": held_out,
            "test_top1": [accuracy(ridge(x, y, x_test, p), y_test, 1) for p in PENALTIES],
        },
        "linear": {
            "epochs": EPOCHS,
            "warmup": WARMUP,
            "batch": BATCH,
            "rates": RATES,
            "momentum": MOMENTUM,
            "trust": TRUST,
            **{o: {"top1": accuracy(tensors[f"linear/{o}/scores"].numpy(), y_test, 1)} for o in ("lars", "sgd")},
        },
        "rank": {"train": effective_rank(x), "test": effective_rank(x_test)},
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__.split("+")[0],
            "numpy": np.__version__,
            "safetensors": safetensors.__version__,
        },
    }
    stored = {name: value.contiguous() for name, value in tensors.items()}
    safetensors.torch.save_file(stored, folder / "probes.safetensors")
    (folder / "probes.json").write_text(json.dumps(header, indent=2) + "\n")
    print(json.dumps(header["knn"]), json.dumps(header["ridge"]), json.dumps(header["linear"]))


if __name__ == "__main__":
    main()
