"""Writes the moments of the crops that torchvision's RandomResizedCrop draws, and the sizes of its Resize.

Usage: python crops.py [folder]
"""

import json
import platform
import sys
from pathlib import Path

import torch
import torchvision
from torchvision.transforms import RandomResizedCrop, Resize

DRAWS = 20_000
SCALE, RATIO = (0.2, 1.0), (0.75, 1.3333)
# Height, width: square, wide, tall, and two on which nothing ever fits, so that the fallback shows.
SIZES = [(100, 100), (60, 200), (333, 250), (10, 1000), (400, 3)]


def moments(height: int, width: int) -> dict:
    image = torch.zeros(1, height, width)
    crops = torch.tensor([RandomResizedCrop.get_params(image, SCALE, RATIO) for _ in range(DRAWS)]).double()
    names = ("top", "left", "height", "width")
    area = crops[:, 2] * crops[:, 3] / (height * width)
    columns = {**dict(zip(names, crops.T)), "area": area}
    return {name: {"mean": float(column.mean()), "std": float(column.std())} for name, column in columns.items()}


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent)
    torch.manual_seed(0)
    fixture = {
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "torchvision": torchvision.__version__,
        },
        "draws": DRAWS,
        "scale": SCALE,
        "ratio": RATIO,
        "crops": [{"size": size, "moments": moments(*size)} for size in SIZES],
        "shorter_side": [
            {"size": size, "shorter": 256, "resized": list(Resize(256)(torch.zeros(1, *size)).shape[1:])} for size in SIZES
        ],
    }
    (folder / "crops.json").write_text(json.dumps(fixture, indent=1) + "\n")


main()
