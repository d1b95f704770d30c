"""Writes shape-overlap.json: how near volumes come to others, by NumPy and SciPy, and the shape that overlaps most with several, by trying all sizes.

Surfaces are what an erosion takes away, distances those between all pairs of their voxels.
Usage: python shape-overlap.py
"""

import json
from pathlib import Path

import numpy as np
import scipy
from scipy.ndimage import binary_erosion
from scipy.spatial.distance import cdist

random = np.random.default_rng(7)


def ball(sizes: tuple[int, int, int], centre: list[float], radius: float) -> np.ndarray:
    places = np.stack(np.meshgrid(*(np.arange(n) for n in sizes), indexing="ij"), -1)
    return ((places - np.array(centre)) ** 2).sum(-1) <= radius**2


def surface(filled: np.ndarray) -> np.ndarray:
    """[K, 3]"""
    return np.argwhere(filled & ~binary_erosion(filled, border_value=0))


def compared(said: np.ndarray, there: np.ndarray, near: float) -> dict:
    either = (said | there).sum()
    iou = (said & there).sum() / either if either else 1.0
    own, other = surface(said), surface(there)
    if len(own) == 0 or len(other) == 0:
        none = len(own) == len(other)
        return {"iou": float(iou), "chamfer": None, "f_score": float(none), "missed": not none}
    distances = cdist(own, other)
    there_, back = distances.min(1), distances.min(0)
    precision, recall = (there_ <= near).mean(), (back <= near).mean()
    f_score = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
    return {"iou": float(iou), "chamfer": float((there_.mean() + back.mean()) / 2), "f_score": float(f_score), "missed": False}


def main() -> None:
    full, empty = np.ones((3, 4, 5), bool), np.zeros((3, 4, 5), bool)
    pairs = [
        (ball((7, 8, 6), [3, 3.5, 2.5], 2.6), ball((7, 8, 6), [3.5, 4, 3], 2.2), 1.0),
        (random.random((5, 6, 7)) < 0.2, random.random((5, 6, 7)) < 0.3, 1.0),
        (random.random((4, 9, 5)) < 0.04, random.random((4, 9, 5)) < 0.05, 1.5),
        (ball((6, 6, 6), [0, 0, 0], 1.2), ball((6, 6, 6), [5, 5, 5], 1.2), 1.0),
        (full, random.random((3, 4, 5)) < 0.5, 0.0),
        (empty, random.random((3, 4, 5)) < 0.5, 1.0),
        (full, empty, 1.0),
        (empty, empty, 1.0),
    ]
    cases = [
        {
            "sizes": said.shape,
            "said": said.astype(int).flatten().tolist(),
            "there": there.astype(int).flatten().tolist(),
            "near": near,
            **compared(said, there, near),
        }
        for said, there, near in pairs
    ]
    means = {
        name: float(np.mean([case[name] for case in cases if case[name] is not None])) for name in ("iou", "chamfer", "f_score")
    } | {"missed": sum(case["missed"] for case in cases)}
    samples = random.random((9, 40)) < np.linspace(0.05, 0.95, 40) ** 2
    often = samples.mean(0)
    order = np.argsort(-often, kind="stable")
    shares = [samples[:, order[:k]].sum() / (9 * k + samples.sum() - samples[:, order[:k]].sum()) for k in range(1, 41)]
    usual = np.zeros(40, int)
    usual[order[: int(np.argmax(shares)) + 1]] = 1
    result = {
        "cases": cases,
        "means": means,
        "likeliest": {"often": often.tolist(), "shape": usual.tolist()},
        "versions": {"scipy": scipy.__version__, "numpy": np.__version__},
    }
    Path(__file__).with_suffix(".json").write_text(json.dumps(result) + "\n")
    print(means, shares[int(np.argmax(shares))])


if __name__ == "__main__":
    main()
