"""Writes maps/ and maps.json: PNG files of palettes and of grey levels with the numbers that Pillow wrote, and how scikit-learn and NumPy judge maps."""

import json
from pathlib import Path

import numpy as np
import sklearn
from PIL import Image, __version__
from scipy import __version__ as scipy_version
from scipy.ndimage import binary_erosion, distance_transform_edt, generate_binary_structure
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


def distance(said: np.ndarray, there: np.ndarray) -> float:
    """MONAI's Hausdorff distance of the 95th percentile: the larger of both directions, between edges of erosion."""
    if not said.any() or not there.any():
        return float("nan")
    edges = [mask ^ binary_erosion(mask, generate_binary_structure(mask.ndim, 1)) for mask in (said, there)]
    ways = [(0, 1), (1, 0)]
    return max(float(np.percentile(distance_transform_edt(~edges[to])[edges[of]], 95)) for of, to in ways)


surfaces = []
for sizes in ((17, 23), (7, 11, 9)):
    coarse = random.integers(0, 4, [size // 3 + 2 for size in sizes])
    own = coarse[np.ix_(*(np.arange(size) // 3 for size in sizes))]
    # Class 3 is there and not said; where nobody says, nothing counts.
    other = np.where(random.random(sizes) < 0.8, np.roll(own, 1, axis=-1), random.integers(0, 3, sizes)) % 3
    known = np.where(random.random(sizes) < 0.05, -1, own)
    surfaces.append({
        "sizes": list(sizes),
        "there": known.ravel().tolist(),
        "said": other.ravel().tolist(),
        "hd95": [None if np.isnan(d) else d for d in (distance((other == k) & (known >= 0), known == k) for k in range(5))],
    })  # fmt: skip
result = {
    "surfaces": surfaces,
    "files": {name: {"shape": [HEIGHT, WIDTH], "numbers": numbers.ravel().tolist()} for name, numbers in files.items()},
    "classes": CLASSES,
    "there": there.tolist(),
    "said": said.tolist(),
    "judged": judged,
    "versions": {"numpy": np.__version__, "scikit-learn": sklearn.__version__, "pillow": __version__, "scipy": scipy_version},
}
(here / "maps.json").write_text(json.dumps(result) + "\n")
