"""Trains heads that move one array onto another step by step, as stepping.py describes: the transformer and necks of segmentation.py, VoxelMorph's
integration by scaling and squaring and its losses, with grid_sample of torch.nn.functional.
"""

import torch
import torch.nn.functional as F
from segmentation import CONV, features_of, layers_of, maps_of, pointwise, resized
from stepping import Feed, Weights, descend, leaves, line, lines
from warp import integrated, read


def correlation(a: torch.Tensor, b: torch.Tensor, window: int) -> torch.Tensor:
    """1 - the mean of VoxelMorph's local correlation; [B, C, ...S]."""
    axes, channels = a.ndim - 2, a.shape[1]
    ones = torch.ones(channels, 1, *[window] * axes, dtype=torch.float64)
    total = lambda x: CONV[axes](x, ones, padding=window // 2, groups=channels)  # noqa: E731
    count = window**axes
    mean_a, mean_b = total(a) / count, total(b) / count
    cross = total(a * b) - mean_b * total(a) - mean_a * total(b) + mean_a * mean_b * count
    own_a = total(a * a) - 2 * mean_a * total(a) + mean_a**2 * count
    own_b = total(b * b) - 2 * mean_b * total(b) + mean_b**2 * count
    return 1 - (cross**2 / (own_a * own_b + 1e-5)).mean()


def train(example: dict, weights: Weights, feeds: list[Feed]) -> list[float]:
    encoder, head, tokens = line(example, "encoder"), line(example, "head"), lines(example, "tokens")[0]
    names = [one["label"] for one in lines(example, "input")]
    states = [name for name in weights if name.split(".")[-1] in ("running_mean", "running_var")]
    w = leaves(weights, [*states, *[name for name in weights if name.endswith("pos_embed")]])
    depth, neck, sides = encoder["values"]["depth"], head["values"]["neck"], tokens["values"]["size"]

    def loss(feed: Feed) -> torch.Tensor:
        arrays = [feed[name] for name in names]
        labels = tuple(f"{name}." for name in names)
        maps = maps_of(w, encoder, arrays, sides, layers_of(head, depth), labels=labels)
        said = resized(pointwise(w, "head.said", features_of(w, neck, maps, arrays, sides)), arrays[0].shape[1:-1])
        way = integrated(said.movedim(1, -1), head["values"]["steps"])
        moved = read(arrays[0], way, "zeros")

        def similarity(values: dict) -> torch.Tensor:
            if values["measure"] == "mse":
                return F.mse_loss(moved, arrays[1])
            return correlation(moved.movedim(-1, 1), arrays[1].movedim(-1, 1), values["window"])

        def smoothness(_: dict) -> torch.Tensor:
            return torch.stack([way.diff(dim=axis).pow(2).mean() for axis in range(1, way.ndim - 1)]).mean()

        terms = {"similarity": similarity, "smoothness": smoothness}
        return sum(one["values"]["weight"] * terms[one["block"]](one["values"]) for one in lines(example, "loss"))

    return descend(example, w, feeds, loss)
