"""Writes what NumPy, SciPy and scikit-learn make of random attention, tokens and features, in float64: the measures of `mae diagnose`, from their
formulas. Usage: python diagnostics.py [folder]
"""

import json
import sys
from pathlib import Path

import numpy as np
import scipy
import scipy.linalg
import sklearn
import sklearn.metrics

folder = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent)
random = np.random.default_rng(5)
BATCH, HEADS, SIDE, PATCH, WIDTH, ROWS, CLASSES = 2, 2, 4, 7, 5, 40, 3
N = SIDE * SIDE
tenth = lambda x: np.asarray(x, dtype=np.float32).astype(np.float64)  # noqa: E731: what a file of float32 keeps

scores = random.normal(size=(3, BATCH, HEADS, N + 1, N + 1)) * 2
maps = tenth(np.exp(scores) / np.exp(scores).sum(-1, keepdims=True))
tokens = tenth(random.normal(size=(BATCH, N, WIDTH)) + random.normal(size=(BATCH, 1, WIDTH)))
places = np.array([(i // SIDE * PATCH, i % SIDE * PATCH) for i in range(N)], dtype=np.float64)
distances = np.linalg.norm(places[:, None] - places[None], axis=-1)


def attention(one: np.ndarray) -> np.ndarray:
    """[B, H, N + 1, N + 1] -> [B, H, 3]"""
    rows = one[:, :, 1:, 1:] + 1e-8
    rows /= rows.sum(-1, keepdims=True)
    distance = (rows * distances).sum(-1).mean(-1)
    entropy = scipy.stats.entropy(rows, axis=-1).mean(-1)
    keys = rows.mean(2)
    information = (rows * np.log(rows / keys[:, :, None]) / N).sum((2, 3))
    return np.stack([distance, entropy, information / np.sqrt(np.log(N) * scipy.stats.entropy(keys, axis=-1))], -1)


def of_tokens() -> np.ndarray:
    """[B, 3 + bins]"""
    unit = tokens / np.linalg.norm(tokens, axis=-1, keepdims=True)
    upper = np.triu_indices(N, 1)
    cosines = np.stack([(one @ one.T)[upper] for one in unit])
    spectrum = np.abs(np.fft.fft2(tokens.reshape(BATCH, SIDE, SIDE, WIDTH), axes=(1, 2)))
    bins = range(SIDE // 2 + 1)
    amplitudes = np.stack([np.log(spectrum[:, k, k]).mean(-1) for k in bins], -1)
    facts = np.stack([cosines.mean(1), cosines.var(1), tokens.var(axis=1).mean(-1)], -1)
    return np.concatenate([facts, amplitudes], -1)


def exploitation(visible: np.ndarray) -> np.ndarray:
    """-> [B, layers, 2]"""
    given = []
    rolled = np.stack([np.eye(N + 1)] * BATCH)
    for one in maps:
        rolled = (0.5 * np.eye(N + 1) + 0.5 * one.mean(1)) @ rolled
        layer = []
        for sample, seen in zip(rolled[:, 1:, 1:], visible.astype(bool), strict=True):
            layer.append([sample[~seen][:, seen].sum(1).mean() / seen.sum(), sample[~seen][:, ~seen].sum(1).mean() / (~seen).sum()])
        given.append(layer)
    return np.moveaxis(np.array(given), 0, 1)


visible = np.zeros((BATCH, N))
for row in visible:
    row[random.permutation(N)[:5]] = 1

centres = random.normal(size=(CLASSES, WIDTH)) * 6
labels = random.integers(CLASSES, size=ROWS)
features = tenth(centres[labels] + random.normal(size=(ROWS, WIDTH)))
other = tenth(features @ random.normal(size=(WIDTH, 8)) + random.normal(size=(ROWS, 8)))
singular = np.linalg.svd(features - features.mean(0), compute_uv=False)
unit = features / np.linalg.norm(features, axis=1, keepdims=True)
turned = tenth(features + 0.3 * random.normal(size=features.shape))
squares = ((unit[:, None] - unit[None]) ** 2).sum(-1)[np.triu_indices(ROWS, 1)]
first, second = features - features.mean(0), other - other.mean(0)
groups = random.integers(4, size=ROWS)

# Two groups of tokens, and noise: the cut.
scene = tenth(np.where(np.arange(N)[:, None] < 6, [2.0, 0, 0, 1, 0], [0, 2.0, 1, 0, 0]) + 0.5 * random.normal(size=(N, WIDTH)))
flat = scene / np.linalg.norm(scene, axis=1, keepdims=True)
edges = np.maximum(flat @ flat.T, 0) + 1e-6
degrees = np.diag(edges.sum(1))
_, vectors = scipy.linalg.eigh(degrees - edges, degrees)
side = vectors[:, 1] > 0
side = side if side.sum() * 2 <= N else ~side
pairs = np.triu_indices(N, 1)
same = (side[:, None] == side[None])[pairs]
cosines = (flat @ flat.T)[pairs]

written = {
    "versions": {"numpy": np.__version__, "scipy": scipy.__version__, "sklearn": sklearn.__version__},
    "sizes": {"batch": BATCH, "heads": HEADS, "side": SIDE, "patch": PATCH, "width": WIDTH, "rows": ROWS, "classes": CLASSES},
    "maps": maps.reshape(3, -1).tolist(), "tokens": tokens.ravel().tolist(), "visible": visible.ravel().tolist(),
    "attention": attention(maps[0]).ravel().tolist(), "of_tokens": of_tokens().ravel().tolist(), "exploitation": exploitation(visible).ravel().tolist(),
    "features": features.ravel().tolist(), "turned": turned.ravel().tolist(), "other": other.ravel().tolist(), "labels": labels.tolist(),
    "groups": groups.tolist(),
    "spectrum": singular.tolist(), "participation_ratio": (singular**2).sum() ** 2 / (singular**4).sum(),
    "variance": float(features.var(axis=0).mean()),
    "excess": float(np.exp(np.log(maps[0][:, :, 0, 1:].max(-1) / np.median(maps[0][:, :, 0, 1:], axis=-1)).mean())),
    "uniformity": float(np.log(np.exp(-2 * squares).mean())),
    "alignment": float(((unit - turned / np.linalg.norm(turned, axis=1, keepdims=True)) ** 2).sum(1).mean()),
    "kernel_alignment": float(np.linalg.norm(first.T @ second) ** 2 / (np.linalg.norm(first.T @ first) * np.linalg.norm(second.T @ second))),
    "shared_information": float(sklearn.metrics.normalized_mutual_info_score(groups, labels)),
    "scene": scene.ravel().tolist(), "sides": side.astype(int).tolist(), "gap": float(cosines[same].mean() - cosines[~same].mean()),
}  # fmt: skip
(folder / "diagnostics.json").write_text(json.dumps(written) + "\n")
