"""Prints what needs no model for the toy of 3D-MTR: how much volumes of test things overlap with the likeliest volumes and with those of things that look alike.

Run where examples/data/views.mjs wrote its files. Usage: python mtr-baselines.py [data/views]
"""

import sys
from pathlib import Path

import numpy as np

folder = Path(sys.argv[1] if len(sys.argv) > 1 else "data/views")
PATCH, VISIBLE = 8, 8


def read(split: str, name: str) -> np.ndarray:
    return np.load(folder / split / f"{name}.npy")


def overlap(said: np.ndarray, there: np.ndarray) -> float:
    return (said & there).sum() / (said | there).sum()


def likeliest(often: np.ndarray) -> np.ndarray:
    """As many of the most frequent voxels as overlap most with all volumes together."""
    order = np.argsort(-often, kind="stable")
    common, count = np.cumsum(often[order].astype(float)), np.arange(1, often.size + 1)
    best = np.zeros(often.size, bool)
    best[order[: (common / (count + often.sum() - common)).argmax() + 1]] = True
    return best


train, test = (read(split, "shape").reshape(-1, 16**3) for split in ("train", "test"))
kinds, own = read("train", "labels"), read("test", "labels")
filled, there = train > 0.5, test > 0.5
views = {split: np.stack([read(split, view) / 255.0 for view in ("front", "side", "top")], 1) for split in ("train", "test")}

print("mean squared error of the mean volume", ((test - train.mean(0)) ** 2).mean())
print("IoU of the likeliest volume", np.mean([overlap(likeliest(train.mean(0)), one) for one in there]))
by_kind = [likeliest(train[kinds == kind].mean(0)) for kind in range(5)]
told = np.array([overlap(by_kind[kind], one) for kind, one in zip(own, there)])
print("of the likeliest volume of its kind", told.mean(), [told[own == kind].mean() for kind in range(5)])

random = np.random.default_rng(0)
found = []
for view, one in zip(views["test"], there):
    seen = np.zeros((3, 16), bool)
    for each in seen:
        each[random.permutation(16)[:VISIBLE]] = True
    pixels = np.kron(seen.reshape(3, 4, 4), np.ones((1, PATCH, PATCH), bool)).astype(bool)
    nearest = ((views["train"][:, pixels] - view[pixels]) ** 2).sum(1).argmin()
    found.append(overlap(filled[nearest], one))
print("of the training thing that is most alike in half of the patches", np.mean(found))
