"""Writes retrieval.json: vectors of two kinds for each sample, some of them alike, and the recalls by NumPy. Usage: python retrieval.py [folder]"""

import json
import platform
import sys
from pathlib import Path

import numpy as np

COUNT, WIDTH = 40, 6


def recall(asking: np.ndarray, asked: np.ndarray, depth: int) -> float:
    unit = [x / np.linalg.norm(x, axis=1, keepdims=True) for x in (asking, asked)]
    order = np.argsort(-(unit[0] @ unit[1].T), axis=1, kind="stable")[:, :depth]
    return float(np.mean([i in order[i] for i in range(COUNT)]))


def main(folder: Path) -> None:
    random = np.random.default_rng(5)
    first = random.normal(size=(COUNT, WIDTH)).astype(np.float32)
    second = (first + 0.9 * random.normal(size=(COUNT, WIDTH))).astype(np.float32)
    a, b = first.astype(np.float64), second.astype(np.float64)
    found = {
        "count": COUNT,
        "width": WIDTH,
        "first": first.flatten().tolist(),
        "second": second.flatten().tolist(),
        "there": {f"recall_{k}": recall(a, b, k) for k in (1, 5, 10)},
        "back": {f"recall_{k}": recall(b, a, k) for k in (1, 5, 10)},
        "versions": {"python": platform.python_version(), "numpy": np.__version__},
    }
    (folder / "retrieval.json").write_text(json.dumps(found) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent))
