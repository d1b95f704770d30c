"""Writes photographs and their segments by scikit-image's felzenszwalb.

The photographs come with scikit-image: "astronaut" is NASA's and in the public domain; "chelsea" (Stefan van der Walt) and "coffee"
(Rachel Michetti) are CC0. They are cut and made smaller, and stored as they are given to `felzenszwalb`. The segments of all cases of a
photograph are stacked in one grey PNG file, one number for each pixel. Usage: python superpixels.py [folder]
"""

import json
import platform
import sys
from pathlib import Path

import numpy as np
import scipy
import skimage
from skimage import data, io, transform
from skimage.segmentation import felzenszwalb

# Name, rows and columns of the cut, height and width.
PHOTOGRAPHS = [
    ("astronaut", (slice(0, 384), slice(64, 448)), (224, 224)),
    ("chelsea", (slice(0, 300), slice(60, 360)), (150, 150)),
    ("coffee", (slice(40, 360), slice(60, 540)), (96, 144)),
]
CASES = [
    {"scale": 1000, "sigma": 0.8, "min_size": 1000},
    {"scale": 500, "sigma": 0.8, "min_size": 100},
    {"scale": 100, "sigma": 0.8, "min_size": 20},
    {"scale": 50, "sigma": 1.6, "min_size": 40},
    {"scale": 300, "sigma": 0.3, "min_size": 1},
]


def cases_of(image: np.ndarray) -> tuple[list[dict], np.ndarray]:
    kept, stacked = [], []
    for case in CASES:
        segments = felzenszwalb(image, **case, channel_axis=-1)
        if segments.max() > 255:
            continue  # An eight-bit file has no room for them.
        same = felzenszwalb(skimage.img_as_float32(image), **case, channel_axis=-1)
        kept.append(case | {"segments": int(segments.max()) + 1, "float32_differs": int((same != segments).sum())})
        stacked.append(segments.astype(np.uint8))
    return kept, np.concatenate(stacked)


def edge_cases() -> list[dict]:
    """A step of one grey level, whose cost is exactly the limit of segments of eight pixels: rounding decides."""
    image = np.repeat(np.array([[0, 0, 1, 1]], np.uint8), 4, axis=0)[:, :, None]
    cases = []
    for scale in (6, 7, 8, 9, 10):
        segments = felzenszwalb(image, scale=scale, sigma=0, min_size=0, channel_axis=-1)
        cases.append({"scale": scale, "sigma": 0, "min_size": 0, "segments": int(segments.max()) + 1})
    return [{"shape": image.shape, "bytes": image.ravel().tolist(), "cases": cases}]


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent)
    photographs = []
    for name, cut, size in PHOTOGRAPHS:
        small = transform.resize(getattr(data, name)()[cut], size, anti_aliasing=True)
        image = np.round(small * 255).astype(np.uint8)
        cases, segments = cases_of(image)
        grey, grey_segments = cases_of(image[:, :, 1:2])
        folder.joinpath("photographs").mkdir(exist_ok=True)
        for suffix, array in [("", image), ("-segments", segments), ("-grey-segments", grey_segments)]:
            io.imsave(folder / "photographs" / f"{name}{suffix}.png", array, check_contrast=False)
        photographs.append({"name": name, "shape": image.shape, "cases": cases, "green_channel_cases": grey})
        print(name, cases, grey)
    versions = {"python": platform.python_version(), "numpy": np.__version__, "scipy": scipy.__version__}
    versions |= {"scikit-image": skimage.__version__}
    text = json.dumps({"photographs": photographs, "edges": edge_cases(), "versions": versions}, indent=2)
    folder.joinpath("superpixels.json").write_text(text + "\n")


main()
