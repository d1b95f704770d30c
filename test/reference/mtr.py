"""Trains 3D-MTR step by step, as stepping.py describes: a masked autoencoder of several views whose encoder never sees the volume that it predicts.

Written from our own definition (docs/methods/3d-mtr.md): patches of each view under a mask of its own, one encoder over the visible ones of all, a
light transformer that completes the views, and the tokens of the volume that ask, as in MultiMAE, what the encoder has seen.
"""

import importlib
from dataclasses import dataclass

import torch
from mae import AGREEMENT, Network, block, largest, layer_norm, linear, network_of, normalized, sine_cosine, take
from segmentation import patches_in
from stepping import Feed, Weights, descend, leaves, line, lines

multi = importlib.import_module("multi-mae")


@dataclass(frozen=True)
class Case:
    """What `ask` reads of it."""

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


def sides_of(example: dict, label: str) -> list[int]:
    return (line(example, "tokens", label) or line(example, "tokens"))["values"]["size"]


def train(example: dict, weights: Weights, feeds: list[Feed]) -> list[float]:
    labels = [one["label"] for one in lines(example, "input")]
    encoder, decoder = network_of(line(example, "encoder")), network_of(line(example, "decoder"))
    views, (solid,) = line(example, "encoder")["values"]["of"], lines(example, "target")[-1:]
    (asking,), shape = lines(solid, "decoder"), solid["label"]
    assert [*views, shape] == labels
    case = Case(network_of(asking | {"block": "vit"}))
    normalize = {view: line(example, "target", view)["values"]["normalize"] == "patch" for view in views}
    tables = [name for name in weights if name.endswith("pos_embed")]
    for name in tables:
        label = name.split(".")[-2]
        sizes = line(example, "input", label)["values"]["size"]
        counts = [size // side for size, side in zip(sizes, sides_of(example, label), strict=True)]
        own = waves(weights[name].shape[2], counts)
        assert largest(weights[name][0], own) < AGREEMENT, name
    w = leaves(weights, tables)

    def loss(feed: Feed) -> torch.Tensor:
        patches = {label: patches_in(feed[label], sides_of(example, label)) for label in labels}
        x = [w["cls_token"].expand(len(feed[shape]), -1, -1)]
        for view in views:
            tokens = linear(w, f"{view}.patch_embed.proj", patches[view]) + w[f"{view}.pos_embed"]
            x.append(take(tokens, feed[f"{view}Visible"]))
        x = torch.cat(x, dim=1)
        for i in range(encoder.depth):
            x = block(w, f"blocks.{i}", x, encoder.heads)
        latent = layer_norm(w, "norm", x)
        counts = [1, *(feed[f"{view}Visible"].shape[1] for view in views)]

        def all_views(narrow: torch.Tensor, token: str, place) -> list[torch.Tensor]:
            front, *seen = narrow.split(counts, dim=1)
            whole = [with_hidden(own, w[token], feed[f"{view}Restore"]) + place(view) for view, own in zip(views, seen, strict=True)]
            return [front, *whole]

        narrow = all_views(linear(w, "decoder_embed", latent), "mask_token", lambda view: w[f"{view}.decoder_pos_embed"])
        sizes = [part.shape[1] for part in narrow]
        y = torch.cat(narrow, dim=1)
        for i in range(decoder.depth):
            y = block(w, f"decoder_blocks.{i}", y, decoder.heads)
        _, *completed = layer_norm(w, "decoder_norm", y).split(sizes, dim=1)
        total = 0
        for view, own in zip(views, completed, strict=True):
            target = normalized(patches[view]) if normalize[view] else patches[view]
            error = (linear(w, f"{view}.decoder_pred", own) - target) ** 2
            total = total + take(error, feed[f"{view}Hidden"]).mean()

        def marked(label: str) -> torch.Tensor:
            return w[f"{shape}.inputs.{label}.decoder_pos_embed"] + w[f"{shape}.task_embeddings.{label}"]

        front, *whole = all_views(linear(w, f"{shape}.proj_context", latent), f"{shape}.mask_token", marked)
        context = torch.cat([front, *(take(own, feed[f"{view}Visible"]) for view, own in zip(views, whole, strict=True))], dim=1)
        queries = (w[f"{shape}.mask_token"] + marked(shape)).expand(len(latent), -1, -1)
        z = multi.ask(case, w, shape, queries, context)
        for i in range(case.decoder.depth):
            z = block(w, f"{shape}.decoder_transformer.{i}", z, case.decoder.heads)
        return total + ((linear(w, f"{shape}.out_proj", z) - patches[shape]) ** 2).mean()

    return descend(example, w, feeds, loss)
