"""Writes maps/ and maps.json: PNG files of palettes and of grey levels with the numbers that Pillow wrote, and how scikit-learn and NumPy judge maps."""

import json
from pathlib import Path

import numpy as np
import sklearn
from PIL import Image, __version__
from sklearn.metrics import confusion_matrix

here = Path(__file__).parent
folder = here / "maps"
folder.mkdir(exist_ok=True)
random = np.random.default_rng(5)
HEIGHT, WIDTH = 13, 19


def smooth(most: int) -> np.ndarray:
    """Numbers that lie beside equal ones, so that all filters of PNG are of use."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    wave = (np.sin(y / 3) + np.cos(x / 4) + 2) / 4
    return np.minimum(most, (wave * (most + 1)).astype(int) + random.integers(0, 2, (HEIGHT, WIDTH)))


files = {}
for bits in (1, 2, 4, 8):
    numbers = smooth(2**bits - 1)
    image = Image.fromarray(numbers.astype(np.uint8), "P")
    image.putpalette([int(n) for n in random.integers(0, 256, 3 * 2**bits)])
    image.save(folder / f"palette-{bits}.png", bits=bits, optimize=False)
    files[f"palette-{bits}.png"] = numbers
files["grey-8.png"] = smooth(255)
Image.fromarray(files["grey-8.png"].astype(np.uint8), "L").save(folder / "grey-8.png")
files["grey-1.png"] = smooth(1)
Image.fromarray(files["grey-1.png"].astype(bool)).save(folder / "grey-1.png")
files["grey-16.png"] = smooth(40_000)
Image.fromarray(files["grey-16.png"].astype(np.uint16)).save(folder / "grey-16.png")

CLASSES, SAMPLES, PLACES = 5, 3, 200
# Class 4 is nowhere, and class 3 in one sample alone; below zero: nobody says.
there = random.integers(-1, 3, (SAMPLES, PLACES))
there[1, :40] = 3
said = np.where(random.random((SAMPLES, PLACES)) < 0.6, np.maximum(there, 0), random.integers(0, 4, (SAMPLES, PLACES)))


def shares(there: np.ndarray, said: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    counts = there >= 0
    matrix = confusion_matrix(there[counts], said[counts], labels=range(CLASSES)).astype(float)
    both, wanted, found = matrix.diagonal(), matrix.sum(1), matrix.sum(0)
    with np.errstate(invalid="ignore"):
        return both / (wanted + found - both), 2 * both / (wanted + found)


iou, dice = shares(there.ravel(), said.ravel())
each = [shares(t, s)[1] for t, s in zip(there, said, strict=True)]
judged = {}
for name, first in (("all", 0), ("without_background", 1)):
    judged[name] = {
        "mean_iou": float(np.nanmean(iou[first:])),
        "right": float((there == said)[there >= 0].mean()),
        "dice": float(np.nanmean(dice[first:])),
        "dice_of_samples": float(np.mean([np.nanmean(one[first:]) for one in each])),
    }
result = {
    "files": {name: {"shape": [HEIGHT, WIDTH], "numbers": numbers.ravel().tolist()} for name, numbers in files.items()},
    "classes": CLASSES,
    "there": there.tolist(),
    "said": said.tolist(),
    "judged": judged,
    "versions": {"numpy": np.__version__, "scikit-learn": sklearn.__version__, "pillow": __version__},
}
(here / "maps.json").write_text(json.dumps(result) + "\n")
