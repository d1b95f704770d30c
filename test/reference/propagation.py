"""Writes propagation.json: labels carried along frames by given features, in PyTorch as the evaluation of DINO does it, and J, F, recall and decay of
regions in NumPy and SciPy, from the formulas of the evaluation of DAVIS 2017.

Usage: python propagation.py
"""

import json
from pathlib import Path

import numpy as np
import scipy
import torch
import torch.nn.functional as F
from scipy import ndimage

random = np.random.default_rng(3)
torch.manual_seed(3)


def near(rows: int, columns: int, radius: int) -> torch.Tensor:
    """[target, source]: whether a source lies within so many rows and columns."""
    y, x = torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij")
    y, x = y.flatten(), x.flatten()
    return ((y[:, None] - y).abs() <= radius) & ((x[:, None] - x).abs() <= radius)


def carried(features: torch.Tensor, first: torch.Tensor, kinds: int, grid: tuple, queue: int, top: int, radius: int, temperature: float):
    """features [T, N, D], first [N] -> shares [T - 1, N, K]."""
    features = F.normalize(features, dim=2)
    window = near(*grid, radius)
    known = [(features[0], F.one_hot(first, kinds).double())]
    given = []
    for own in features[1:]:
        context = known[:1] + known[1:][-queue:] if queue else known[:1]
        affinity = torch.cat([torch.exp(own @ other.T / temperature) * window for other, _ in context], 1)  # [N, sources]
        least = affinity.topk(min(top, affinity.shape[1]), dim=1).values[:, -1:]
        affinity = torch.where(affinity < least, 0.0, affinity)
        shares = affinity / affinity.sum(1, keepdim=True) @ torch.cat([labels for _, labels in context])
        known.append((own, shares))
        given.append(shares)
    return torch.stack(given)


def labels_at(shares: torch.Tensor, grid: tuple, size: tuple) -> torch.Tensor:
    maps = shares.T.reshape(1, -1, *grid)
    maps = F.interpolate(maps, size, mode="bilinear", align_corners=False)[0]
    for k in range(len(maps)):
        if maps[k].max() > 0:
            maps[k] = (maps[k] - maps[k].min()) / (maps[k].max() - maps[k].min())
    return maps.argmax(0)


def contour(region: np.ndarray) -> np.ndarray:
    wide = np.pad(region, ((0, 1), (0, 1)), mode="edge")
    right, below, across = wide[:-1, 1:], wide[1:, :-1], wide[1:, 1:]
    edge = (region ^ right) | (region ^ below)
    inner = np.zeros_like(edge)
    inner[:-1, :-1] = (region ^ across)[:-1, :-1]
    return edge | inner


def f_measure(said: np.ndarray, there: np.ndarray) -> float:
    radius = int(np.ceil(0.008 * np.linalg.norm(said.shape)))
    span = np.arange(-radius, radius + 1)
    disk = span[:, None] ** 2 + span**2 <= radius**2
    own, other = contour(said), contour(there)
    if own.sum() == 0 or other.sum() == 0:
        return float(own.sum() == other.sum())
    precision = (own & ndimage.binary_dilation(other, disk)).sum() / own.sum()
    recall = (other & ndimage.binary_dilation(own, disk)).sum() / other.sum()
    return 0.0 if precision + recall == 0 else 2 * precision * recall / (precision + recall)


def decay(values: list[float]) -> float:
    ids = (np.round(np.linspace(1, len(values), 5) + 1e-10) - 1).astype(int)
    bins = [np.mean(values[ids[i] : ids[i + 1] + 1]) for i in range(4)]
    return float(bins[0] - bins[3])


def region(size: tuple) -> np.ndarray:
    return ndimage.gaussian_filter(random.normal(size=size), 6) > 0.01


grid, size, kinds, times = (5, 7), (20, 28), 3, 6
features = torch.randn(times, grid[0] * grid[1], 4, dtype=torch.float64)
features = features + 2 * features[:1]
features = features.float().double()
first = torch.randint(kinds, (grid[0] * grid[1],))
cases = []
for how in [
    {"queue": 2, "top": 3, "radius": 1, "temperature": 0.1},
    {"queue": 0, "top": 5, "radius": 12, "temperature": 0.5},
    {"queue": 7, "top": 50, "radius": 0, "temperature": 0.1},
]:
    shares = carried(features, first, kinds, grid, **how)
    maps = [labels_at(own, grid, size).flatten().tolist() for own in shares]
    cases.append({"how": how, "shares": shares.flatten().tolist(), "maps": maps})
shape = (90, 160)
pairs = []
for i in range(8):
    there = region(shape)
    said = np.roll(there, (i, 2 * i), (0, 1)) ^ (region(shape) & (random.random() < 0.5) & region(shape))
    if i == 6:
        said = np.zeros_like(said)
    if i == 7:
        said, there = np.zeros_like(said), np.zeros_like(said)
    union = (said | there).sum()
    j = 1.0 if union == 0 else float((said & there).sum() / union)
    runs = [np.flatnonzero(np.diff(np.concatenate([[False], one.flatten(), [False]]).astype(int))).tolist() for one in (said, there)]
    pairs.append({"said": runs[0], "there": runs[1], "j": j, "f": f_measure(said, there)})
lists = [random.random(n).tolist() for n in (1, 4, 7, 23)]
result = {
    **{"grid": grid, "size": size, "kinds": kinds, "features": features.flatten().tolist(), "first": first.tolist(), "cases": cases},
    **{"shape": shape, "pairs": pairs, "decays": [{"values": one, "decay": decay(one)} for one in lists]},
    "versions": {"torch": torch.__version__, "numpy": np.__version__, "scipy": scipy.__version__},
}
Path(__file__).with_suffix(".json").write_text(json.dumps(result) + "\n")
