"""Writes the fixtures of classifiers: logits, smoothed cross-entropy and gradients of a small vision transformer with a head.

The transformer is that of mae.py, over all patches. Usage: python classifier.py [folder]; `train` is described in
stepping.py.
"""

import sys
from pathlib import Path

import torch
import torch.nn.functional as F
from mae import CASES, Case, block, case_of, layer_norm, linear, make_weights, patches_of, tables_of
from method import drawn, header_of, leaves_of, tensors_of, vit, write
from perceptual import train_eyes
from stepping import Feed, Weights, descend, leaves, line

CLASSES = 7
SMOOTHING = 0.1


def last_tokens(case: Case, w: dict, image: torch.Tensor, drops: torch.Tensor | None = None) -> torch.Tensor:
    """-> [B, 1 + N, D], before the final norm. `drops` [B, numbers]: two for each block."""
    tokens = linear(w, "patch_embed.proj", patches_of(case, image)) + w["pos_embed"][:, 1:]
    cls = (w["cls_token"] + w["pos_embed"][:, :1]).expand(len(image), -1, -1)
    x = torch.cat([cls, tokens], dim=1)
    for i in range(case.encoder.depth):
        own = (1, 1) if drops is None else drops[:, 2 * i : 2 * i + 2, None, None].unbind(dim=1)
        x = block(w, f"blocks.{i}", x, case.encoder.heads, drops=own)
    return x


def logits_of(case: Case, w: dict, image: torch.Tensor, pool: str, dropped: dict | None = None) -> torch.Tensor:
    """`dropped`: the drops of the blocks, and of the features in front of the head."""
    dropped = dropped or {}
    x = last_tokens(case, w, image, dropped.get("blocks"))
    features = layer_norm(w, "norm", x[:, 0] if pool == "class_token" else x[:, 1:].mean(dim=1))
    return linear(w, "head", features * dropped.get("features", 1))


def run(case: Case, pool: str) -> tuple[dict, dict[str, torch.Tensor]]:
    random = torch.Generator().manual_seed(case.seed)
    encoder = {k: v for k, v in make_weights(case, random).items() if "decoder" not in k and k != "mask_token"}
    head = torch.randn(CLASSES, case.encoder.width + 1, generator=random, dtype=torch.float64).float().double()
    w = leaves_of(case, {**encoder, "head.weight": head[:, 1:].clone(), "head.bias": head[:, 0].clone()})
    image, order, restore, _ = drawn(case, random)
    labels = torch.randint(CLASSES, (case.batch,), generator=random)
    logits = logits_of(case, w, image, pool)
    terms = {"cross_entropy": F.cross_entropy(logits, labels, label_smoothing=SMOOTHING)}
    terms["cross_entropy"].backward()
    height, width, channels = case.image
    lines = [
        f"input image(size: {height}x{width}, channels: {channels})",
        f"tokens patch(size: {case.patch[0]}x{case.patch[1]})",
        *(["positions learned"] if case.learned_positions else []),
        f"encoder {vit(case.encoder)}",
        f"head classifier(classes: {CLASSES}, pool: {pool})",
        f"loss cross_entropy(smoothing: {SMOOTHING * 100:g}%)",
    ]
    spec = "\n".join(["edition 2026", "model Reference {", *(f"  {line}" for line in lines), "}", ""])
    tensors = tensors_of(case, w, image, order, restore)
    fields = {"fields/labels": F.one_hot(labels, CLASSES).double(), "logits": logits.detach()}
    header = header_of(case, spec, terms, terms["cross_entropy"])
    return {**header, "tokens": {"total": case.tokens, "visible": case.tokens}}, tensors | fields


def train(example: dict, weights: Weights, feeds: list[Feed]) -> list[float]:
    if line(example, "encoder")["block"] == "convnext":
        return train_eyes(example, weights, feeds)
    case, head, judge = case_of(example), line(example, "head")["values"], line(example, "loss")["values"]
    w = leaves(weights, tables_of(case, weights))

    encoder = line(example, "encoder")["values"]
    blocks = 2 * case.encoder.depth if encoder["drop_path"] else 0

    def loss(feed: Feed) -> torch.Tensor:
        dropped = {}
        if blocks > 0:
            dropped["blocks"] = feed["drops"][:, :blocks]
        if head["dropout"]:
            dropped["features"] = feed["drops"][:, blocks:]
        logits = logits_of(case, w, feed["image"], head["pool"], dropped)
        return judge["weight"] * F.cross_entropy(logits, feed["labels"], label_smoothing=judge["smoothing"])

    return descend(example, w, feeds, loss)


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent)
    write(folder / "classifier-mean", *run(CASES[1], "mean"))
    write(folder / "classifier-class-token", *run(CASES[2], "class_token"))


if __name__ == "__main__":
    main()
