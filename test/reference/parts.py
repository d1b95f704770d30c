"""Writes the fixture of part segmentation: a small model of clouds with a head of parts, in float64 by PyTorch, and the weights of the published one.

Written from the official repository of Point-MAE (`segmentation/models/pt.py`, `pointnet2_utils.py`): features of three layers, normed alike, their
largest and mean, what is made of the category, inverse squared distances of the three nearest centres, convolutions over single points with batch
norms. Usage: python parts.py [folder]; `train` is described in stepping.py.
"""

import importlib
import sys
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from drawing import Drawing
from mae import Network, layer_norm, network_of
from method import learned, write
from stepping import Feed, Weights, descend, leaves, line

clouds = importlib.import_module("point-mae")
STATES, EPSILON = clouds.STATES, clouds.EPSILON


@dataclass(frozen=True)
class Parts:
    points: int
    groups: int
    neighbours: int
    inner: int
    hidden: int
    encoder: Network
    layers: list[int]
    parts: list[int]
    classes: bool
    class_features: int
    propagated: list[int]
    units: list[int]

    @property
    def behind(self) -> int:
        return self.points // self.groups


SMALL = Parts(20, 5, 4, 3, 5, Network(3, 12, 2), [1, 2, 3], [2, 3, 2], True, 4, [10, 8], [9, 6])
PUBLISHED = Parts(
    *(2048, 128, 32, 128, 128, Network(12, 384, 6), [4, 8, 12]),
    *([4, 2, 2, 4, 4, 3, 3, 2, 4, 2, 6, 2, 3, 3, 3, 3], True, 64, [1536, 1024], [512, 256]),
)


def draw_unit(draw: Drawing, name: str, outputs: int, inputs: int, bias: bool = True) -> None:
    draw.matrix(f"{name}.fc", outputs, inputs, bias=bias)
    draw.norm(f"{name}.norm", outputs)
    draw.normal(f"{name}.norm.running_mean", outputs)
    draw.normal(f"{name}.norm.running_var", outputs, mean=1)


def make_weights(case: Parts, random: torch.Generator) -> Weights:
    draw, width, inner = Drawing(random), case.encoder.width, case.inner
    draw.matrix("pos_embed.fc1", case.hidden, 3)
    draw.matrix("pos_embed.fc2", width, case.hidden)
    for part, (first, middle, last) in {"first": (3, inner, 2 * inner), "second": (4 * inner, 4 * inner, width)}.items():
        draw.matrix(f"point_embed.{part}.fc1", middle, first)
        draw.norm(f"point_embed.{part}.norm", middle)
        draw.normal(f"point_embed.{part}.norm.running_mean", middle)
        draw.normal(f"point_embed.{part}.norm.running_var", middle, mean=1)
        draw.matrix(f"point_embed.{part}.fc2", last, middle)
    clouds.draw_blocks(draw, "blocks", case.encoder, False)
    draw.norm("norm", width)
    features = width * len(case.layers)
    if case.classes:
        draw_unit(draw, "head.kind", case.class_features, len(case.parts), bias=False)
    widths = [3 + features, *case.propagated]
    for i, (inputs, outputs) in enumerate(zip(widths, widths[1:])):
        draw_unit(draw, f"head.propagate.{i}", outputs, inputs)
    widths = [widths[-1] + 2 * features + (case.class_features if case.classes else 0), *case.units]
    for i, (inputs, outputs) in enumerate(zip(widths, widths[1:])):
        draw_unit(draw, f"head.hidden.{i}", outputs, inputs)
    draw.matrix("head.said", sum(case.parts), widths[-1])
    return draw.weights


def normed(w: Weights, name: str, x: torch.Tensor) -> torch.Tensor:
    """Of [B, C, N] or [B, C]."""
    state = [w[f"{name}.norm.{part}"] for part in (*STATES, "weight", "bias")]
    return F.batch_norm(x, *state, training=True, momentum=0.1, eps=1e-5)


def unit(w: Weights, name: str, x: torch.Tensor) -> torch.Tensor:
    """x [B, C, N]"""
    return normed(w, name, clouds.convolved(w, f"{name}.fc", x)).relu()


def brought(points: torch.Tensor, centres: torch.Tensor, features: torch.Tensor) -> torch.Tensor:
    """points [B, N, 3], centres [B, S, 3], features [B, S, D] -> [B, N, D]"""
    squares = torch.cdist(points, centres, compute_mode="donot_use_mm_for_euclid_dist") ** 2
    nearest, index = squares.sort(dim=-1)
    nearest, index = nearest[:, :, :3], index[:, :, :3]
    shares = 1 / (nearest + 1e-8)
    shares = shares / shares.sum(dim=2, keepdim=True)
    taken = torch.stack([own[i] for own, i in zip(features, index)])  # [B, N, 3, D]
    return (taken * shares[..., None]).sum(dim=2)


def logits_of(case: Parts, w: Weights, array: torch.Tensor, drops: torch.Tensor | None = None, dropout: bool = False) -> torch.Tensor:
    """array [B, G, K + R, 3 or 4] -> [B, N, parts]; `drops`: two of each block, then those of points."""
    groups = array[:, :, : case.neighbours, :3]
    points = array[:, :, case.neighbours :, :3].reshape(len(array), case.points, 3)
    centres = groups[:, :, 0]
    x = clouds.point_net(w, groups - groups[:, :, :1])
    places = clouds.positions(w, "pos_embed", centres)
    blocks = 0 if drops is None else drops.shape[1] - (case.points * case.units[0] if dropout else 0)
    given = []
    for i in range(case.encoder.depth):
        own = (1, 1) if blocks == 0 else drops[:, 2 * i : 2 * i + 2, None, None].unbind(dim=1)
        x = clouds.block(w, f"blocks.{i}", x + places, case.encoder.heads, own)
        given.append(layer_norm(w, "norm", x, EPSILON))
    features = torch.cat([given[layer - 1] for layer in case.layers], dim=-1)
    whole = [features.amax(dim=1), features.mean(dim=1)]
    if case.classes:
        kind = F.one_hot(array[:, 0, 0, 3].long(), len(case.parts)).double()
        whole.append(F.leaky_relu(normed(w, "head.kind", F.linear(kind, w["head.kind.fc.weight"])), 0.2))
    x = torch.cat([points, brought(points, centres, features)], dim=-1).transpose(1, 2)
    for i in range(len(case.propagated)):
        x = unit(w, f"head.propagate.{i}", x)
    x = torch.cat([x, *(part[:, :, None].expand(-1, -1, case.points) for part in whole)], dim=1)
    for i in range(len(case.units)):
        x = unit(w, f"head.hidden.{i}", x)
        if i == 0 and dropout:
            x = x * drops[:, blocks:].reshape(len(x), case.points, -1).transpose(1, 2)
    return clouds.convolved(w, "head.said", x).transpose(1, 2)


def entropy(logits: torch.Tensor, parts: torch.Tensor) -> torch.Tensor:
    return F.nll_loss(F.log_softmax(logits, dim=-1).flatten(0, 1), parts.flatten())


def entering(case: Parts, cloud: torch.Tensor, kind: int) -> torch.Tensor:
    """points [N, 3] -> [G, K + R, 4]"""
    array = torch.cat([clouds.grouped(cloud, case.groups, case.neighbours), cloud.reshape(case.groups, case.behind, 3)], dim=1)
    return torch.cat([array, torch.full((*array.shape[:2], 1), float(kind))], dim=2)


def run(case: Parts, batch: int) -> tuple[dict, dict[str, torch.Tensor]]:
    random = torch.Generator().manual_seed(97)
    points = torch.randn(batch, case.points, 3, generator=random)
    kinds = [i % len(case.parts) for i in range(batch)]
    array = torch.stack([entering(case, *pair) for pair in zip(points, kinds)]).double()
    first = [sum(case.parts[:kind]) for kind in kinds]
    labels = torch.stack([first[i] + torch.randint(case.parts[kind], (case.points,), generator=random) for i, kind in enumerate(kinds)])
    weights = make_weights(case, random)
    w = leaves(weights, [name for name in weights if name.endswith(STATES)])
    logits = logits_of(case, w, array)
    loss = entropy(logits, labels)
    loss.backward()
    every = torch.arange(case.groups).expand(batch, -1)
    header = {
        "spec": spec_of(case),
        "batch": batch,
        "tokens": {"total": case.groups, "visible": case.groups},
        "terms": {"place_cross_entropy": loss.item()},
        "loss": loss.item(),
        "published": sum(value.numel() for name, value in make_weights(PUBLISHED, random).items()),
    }
    tensors = learned(w, weights) | {"points": array, "order": every.int(), "restore": every.int()}
    return header, tensors | {"fields/labels": labels.int(), "logits": logits.detach()}


def spec_of(case: Parts) -> str:
    whole = lambda values: f"({', '.join(map(str, values))})"  # noqa: E731
    own = "class_token: false, qkv_bias: false, norm_epsilon: 1e-5"
    return f"""edition 2026
model Reference {{
  input     points(count: {case.points}, classes: {len(case.parts)})
  tokens    groups(count: {case.groups}, neighbours: {case.neighbours}, inner: {case.inner}, all_points: true)
  positions coordinates(hidden: {case.hidden}, add: every_block)
  encoder   vit(depth: {case.encoder.depth}, width: {case.encoder.width}, heads: {case.encoder.heads}, {own})
  head      part_segmentation(parts: {whole(case.parts)}, propagated: {whole(case.propagated)}, hidden: {whole(case.units)}, class_features: {case.class_features})
  loss      place_cross_entropy
}}
"""


def train(example: dict, weights: Weights, feeds: list[Feed]) -> list[float]:
    points, tokens, placing, head = (line(example, slot)["values"] for slot in ("input", "tokens", "positions", "head"))
    encoder = network_of(line(example, "encoder"))
    layers = head["layers"] or [max(1, int(share * encoder.depth + 0.5)) for share in (1 / 3, 2 / 3, 1)]
    case = Parts(
        *(points["count"], tokens["count"], tokens["neighbours"], tokens["inner"], placing["hidden"], encoder, layers),
        *([int(n) for n in head["parts"]], points["classes"] is not None, head["class_features"]),
        *([int(n) for n in head["propagated"]], [int(n) for n in head["hidden"]]),
    )
    w = leaves(weights, [name for name in weights if name.endswith(STATES)])
    dropout = bool(head["dropout"])
    return descend(
        example,
        w,
        feeds,
        lambda feed: entropy(logits_of(case, w, feed["points"], feed.get("drops"), dropout), feed["labels"]),
    )


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent)
    write(folder / "parts", *run(SMALL, 4))


if __name__ == "__main__":
    main()
