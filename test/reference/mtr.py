"""Writes the fixture of 3D-MTR: a small model of two views and a volume, in float64 by PyTorch.

Written from our own definition (docs/methods/3d-mtr.md): patches of each view under a mask of its own, one encoder over the visible ones of all, a
light transformer that completes the views, and the boxes of the volume, which the encoder never sees: they ask, as in MultiMAE, what it has seen, and say
which voxels are filled.
Usage: python mtr.py [folder]; `train` is described in stepping.py.
"""

import importlib
import sys
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from drawing import Drawing
from mae import AGREEMENT, Network, block, largest, layer_norm, linear, network_of, normalized, sine_cosine, take
from method import learned, vit, write
from segmentation import patches_in
from stepping import Feed, Weights, descend, leaves, line, lines

multi = importlib.import_module("multi-mae")


@dataclass(frozen=True)
class Input:
    size: tuple[int, ...]
    patch: tuple[int, ...]
    normalize: bool = False

    @property
    def counts(self) -> list[int]:
        return [size // side for size, side in zip(self.size, self.patch, strict=True)]


@dataclass(frozen=True)
class Case:
    views: dict[str, Input]
    shape: str
    solid: Input
    encoder: Network
    decoder: Network
    asking: Network  # the blocks behind the one that asks

    @property
    def inputs(self) -> dict[str, Input]:
        return {**self.views, self.shape: self.solid}


SMALL = Case(
    {"front": Input((8, 12), (4, 4)), "top": Input((8, 8), (4, 4), normalize=True)},
    "volume",
    Input((4, 8, 6), (2, 4, 3)),
    Network(2, 24, 2),
    Network(1, 12, 2),
    Network(1, 12, 2),
)
BATCH = 3


@dataclass(frozen=True)
class Asking:
    """What MultiMAE's `ask` reads of a case."""

    decoder: Network


def waves(width: int, counts: list[int]) -> torch.Tensor:
    """[N, D]: of each axis, the last one first, a sine and a cosine of as many rates."""
    if len(counts) == 2:
        return sine_cosine(width, *counts)[0, 1:]
    each = width // (2 * len(counts))
    rates = 10000.0 ** (-torch.arange(each, dtype=torch.float64) / each)
    places = torch.stack(torch.meshgrid(*(torch.arange(n, dtype=torch.float64) for n in counts), indexing="ij"), -1).reshape(-1, len(counts))
    parts = [torch.cat([(p := places[:, axis, None] * rates).sin(), p.cos()], dim=1) for axis in reversed(range(len(counts)))]
    return torch.cat(parts, dim=1)


def with_hidden(tokens: torch.Tensor, token: torch.Tensor, restore: torch.Tensor) -> torch.Tensor:
    """tokens [B, V, D] and as many copies of one as are hidden, each at its place."""
    hidden = token.expand(len(tokens), restore.shape[1] - tokens.shape[1], -1)
    return take(torch.cat([tokens, hidden], dim=1), restore)


def through(w: Weights, name: str, network: Network, x: torch.Tensor) -> torch.Tensor:
    for i in range(network.depth):
        x = block(w, f"{name}.{i}", x, network.heads)
    return x


def terms_of(case: Case, w: Weights, feed: Feed) -> dict[str, torch.Tensor]:
    patches = {label: patches_in(feed[label], own.patch) for label, own in case.inputs.items()}
    batch = len(feed[case.shape])
    seen = [
        take(linear(w, f"{view}.patch_embed.proj", patches[view]) + w[f"{view}.pos_embed"], feed[f"{view}Visible"])
        for view in case.views
    ]
    x = torch.cat([w["cls_token"].expand(batch, -1, -1), *seen], dim=1)
    latent = layer_norm(w, "norm", through(w, "blocks", case.encoder, x))
    counts = [1, *(own.shape[1] for own in seen)]

    def whole(narrow: torch.Tensor, token: str, place) -> list[torch.Tensor]:
        """The token in front, and those of each view with their places."""
        front, *parts = narrow.split(counts, dim=1)
        return [front, *(with_hidden(own, w[token], feed[f"{view}Restore"]) + place(view) for view, own in zip(case.views, parts, strict=True))]

    every = whole(linear(w, "decoder_embed", latent), "mask_token", lambda view: w[f"{view}.decoder_pos_embed"])
    y = layer_norm(w, "decoder_norm", through(w, "decoder_blocks", case.decoder, torch.cat(every, dim=1)))
    _, *completed = y.split([own.shape[1] for own in every], dim=1)
    terms = {}
    for (view, own), tokens in zip(case.views.items(), completed, strict=True):
        target = normalized(patches[view]) if own.normalize else patches[view]
        error = (linear(w, f"{view}.decoder_pred", tokens) - target) ** 2
        terms[f"{view}.mse"] = take(error, feed[f"{view}Hidden"]).mean()
    terms[f"{case.shape}.bce"] = F.binary_cross_entropy_with_logits(logits_of(case, w, feed, latent, whole), patches[case.shape])
    return terms


def logits_of(case: Case, w: Weights, feed: Feed, latent: torch.Tensor, whole) -> torch.Tensor:
    shape = case.shape

    def marked(label: str) -> torch.Tensor:
        return w[f"{shape}.inputs.{label}.decoder_pos_embed"] + w[f"{shape}.task_embeddings.{label}"]

    front, *views = whole(linear(w, f"{shape}.proj_context", latent), f"{shape}.mask_token", marked)
    seen = [take(own, feed[f"{view}Visible"]) for view, own in zip(case.views, views, strict=True)]
    boxes = (w[f"{shape}.mask_token"] + marked(shape)).expand(len(latent), -1, -1)
    told = multi.ask(Asking(case.asking), w, shape, boxes, torch.cat([front, *seen], dim=1))
    return linear(w, f"{shape}.out_proj", through(w, f"{shape}.decoder_transformer", case.asking, told))


def make_weights(case: Case, random: torch.Generator) -> Weights:
    draw = Drawing(random)
    width, narrow, own = case.encoder.width, case.decoder.width, case.asking.width
    draw.normal("cls_token", 1, 1, width, std=0.3)
    draw.blocks("blocks", case.encoder.depth, width)
    draw.norm("norm", width)
    draw.matrix("decoder_embed", narrow, width)
    draw.normal("mask_token", 1, 1, narrow, std=0.3)
    draw.blocks("decoder_blocks", case.decoder.depth, narrow)
    draw.norm("decoder_norm", narrow)
    for label, one in case.inputs.items():
        draw.normal(f"{case.shape}.task_embeddings.{label}", 1, 1, own, std=0.3)
        draw.weights[f"{case.shape}.inputs.{label}.decoder_pos_embed"] = waves(own, one.counts)[None].float().double()
    for label, one in case.views.items():
        values = torch.Size(one.patch).numel()
        draw.matrix(f"{label}.patch_embed.proj", width, values)
        draw.matrix(f"{label}.decoder_pred", values, narrow)
        for name, size in (("pos_embed", width), ("decoder_pos_embed", narrow)):
            draw.weights[f"{label}.{name}"] = waves(size, one.counts)[None].float().double()
    shape = case.shape
    draw.matrix(f"{shape}.proj_context", own, width)
    draw.normal(f"{shape}.mask_token", 1, 1, own, std=0.3)
    for part in ("query_norm", "context_norm", "out_norm"):
        draw.norm(f"{shape}.{part}", own)
    draw.matrix(f"{shape}.decoder.q", own, own)
    draw.matrix(f"{shape}.decoder.kv", 2 * own, own)
    draw.matrix(f"{shape}.decoder.proj", own, own)
    draw.perceptron(f"{shape}.mlp", own)
    draw.blocks(f"{shape}.decoder_transformer", case.asking.depth, own)
    draw.matrix(f"{shape}.out_proj", torch.Size(case.solid.patch).numel(), own)
    return draw.weights


def tables_of(weights: Weights) -> list[str]:
    return [name for name in weights if name.endswith("pos_embed")]


def spec_of(case: Case) -> str:
    def sides(values: tuple[int, ...]) -> str:
        return "x".join(map(str, values))

    seen = f", of: [{', '.join(case.views)}]"
    return "\n".join(
        [
            "edition 2026",
            "model Reference {",
            *(f"  input     {view}: image(size: {sides(own.size)}, channels: 1)" for view, own in case.views.items()),
            f"  input     {case.shape}: volume(size: {sides(case.solid.size)})",
            *(f"  tokens    {label}: patch(size: {sides(own.patch)})" for label, own in case.inputs.items()),
            *(f"  mask      {view}: random(ratio: 50%)" for view in case.views),
            f"  encoder   {vit(case.encoder, seen)}",
            f"  decoder   {vit(case.decoder)}",
            *(f"  target    {view}: pixels(normalize: {'patch' if own.normalize else 'none'})" for view, own in case.views.items()),
            "  loss      mse(on: hidden)",
            f"  target    {case.shape}: occupancy {{",
            f"    decoder {vit(case.asking).replace('vit', 'queries')}",
            "    loss    bce(on: all)",
            "  }",
            "}",
            "",
        ]
    )


def run(case: Case) -> tuple[dict, dict[str, torch.Tensor]]:
    random = torch.Generator().manual_seed(97)
    feed: Feed = {view: torch.randn(BATCH, *own.size, 1, generator=random).double() for view, own in case.views.items()}
    feed[case.shape] = (torch.rand(BATCH, *case.solid.size, 1, generator=random) < 0.3).double()
    orders, tokens = {}, {}
    for view, own in case.views.items():
        count = torch.Size(own.counts).numel()
        order = torch.rand(BATCH, count, generator=random).argsort(dim=1)
        orders[view], tokens[view] = order, {"total": count, "visible": count // 2}
        feed |= {f"{view}Visible": order[:, : count // 2], f"{view}Hidden": order[:, count // 2 :], f"{view}Restore": order.argsort(dim=1)}
    weights = make_weights(case, random)
    w = leaves(weights, tables_of(weights))
    terms = terms_of(case, w, feed)
    total = sum(terms.values())
    total.backward()
    header = {
        "spec": spec_of(case),
        "batch": BATCH,
        "tokens": {name: sum(one[name] for one in tokens.values()) for name in ("total", "visible")},
        "inputs": {view: {"tokens": own} for view, own in tokens.items()},
        "terms": {name: term.item() for name, term in terms.items()},
        "loss": total.item(),
    }
    tensors = learned(w) | {label: feed[label] for label in case.inputs}
    for view, order in orders.items():
        tensors |= {f"order/{view}": order.int(), f"restore/{view}": order.argsort(dim=1).int()}
    return header, tensors


def input_of(example: dict, label: str) -> Input:
    tokens = line(example, "tokens", label) or line(example, "tokens")
    normalize = line(example, "target", label)["values"].get("normalize") == "patch"
    return Input(tuple(line(example, "input", label)["values"]["size"]), tuple(tokens["values"]["size"]), normalize)


def train(example: dict, weights: Weights, feeds: list[Feed]) -> list[float]:
    views = line(example, "encoder")["values"]["of"]
    (solid,) = lines(example, "target")[-1:]
    assert solid["block"] == "occupancy" and [*views, solid["label"]] == [one["label"] for one in lines(example, "input")]
    case = Case(
        {view: input_of(example, view) for view in views},
        solid["label"],
        input_of(example, solid["label"]),
        network_of(line(example, "encoder")),
        network_of(line(example, "decoder")),
        network_of(line(solid, "decoder") | {"block": "vit"}),
    )
    tables = tables_of(weights)
    for name in tables:
        own = case.inputs[name.split(".")[-2]]
        assert largest(weights[name][0], waves(weights[name].shape[2], own.counts)) < AGREEMENT, name
    w = leaves(weights, tables)
    return descend(example, w, feeds, lambda feed: sum(terms_of(case, w, feed).values()))


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent)
    write(folder / "mtr", *run(SMALL))


if __name__ == "__main__":
    main()
