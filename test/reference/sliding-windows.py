"""Writes sliding-windows.json: what MONAI's sliding windows make of arrays, with a model of a few numbers that depends on places within its window."""

import json
from pathlib import Path

import torch
from monai.inferers import sliding_window_inference

here = Path(__file__).parent
width = 3


def said(windows: torch.Tensor) -> torch.Tensor:
    """Of each place of [B, 1, ...window]: its number times 1 + its place in raster order / 10, its square, and the sum of its coordinates."""
    sides = windows.shape[2:]
    count = windows[0, 0].numel()
    order = torch.arange(count, dtype=windows.dtype).reshape(sides) / 10
    sums = sum(torch.meshgrid(*[torch.arange(side, dtype=windows.dtype) for side in sides], indexing="ij"))
    return torch.cat([windows * (1 + order), windows**2, sums.expand_as(windows)], dim=1)


def case(sides: list[int], window: list[int], overlap: float, weights: str) -> dict:
    numbers = torch.randn(1, 1, *sides).float()
    result = sliding_window_inference(numbers.double(), window, 2, said, overlap=overlap, mode=weights)
    return {
        "sides": sides,
        "window": window,
        "overlap": overlap,
        "weights": weights,
        "numbers": numbers.flatten().tolist(),
        "said": [round(v, 9) for v in result[0].movedim(0, -1).flatten().tolist()],
    }


torch.manual_seed(0)
cases = [
    case([7, 13], [4, 4], 0.5, "constant"),
    case([13, 6], [5, 4], 0.25, "gaussian"),
    case([3, 9], [6, 4], 0.6, "gaussian"),
    case([5, 4, 9], [4, 4, 3], 0.5, "gaussian"),
]
(here / "sliding-windows.json").write_text(json.dumps(cases, separators=(",", ":")) + "\n")
