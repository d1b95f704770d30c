"""Writes the fixture of a masked autoencoder of brain waves: a small model, in float64 by PyTorch.

Each electrode, with all its times and bands, is a token: bands are the channels of convolutions over time of several widths, GELU
follows, and one linear layer maps what they give at all times. A plain masked autoencoder follows; the target is the electrode's own values.
Usage: python mv-sstma.py [folder]; `train` is described in stepping.py.
"""

import sys
from dataclasses import replace
from pathlib import Path

import torch
import torch.nn.functional as F
from drawing import Drawing
from mae import CASES, Case, Network, block, layer_norm, linear, loss_of, make_weights, network_of, patches_of, predict
from mae import take, weighed
from method import drawn, header_of, leaves_of, tensors_of, vit, write
from stepping import Feed, Weights, descend, leaves, line

# Of Case, height are electrodes, width are times and channels are bands.
KERNELS, FEATURES = (1, 3, 5), 4
SMALL = replace(
    CASES[0],
    **{"image": (6, 8, 3), "patch": (1, 8), "batch": 2, "seed": 41, "ratio": 0.5, "learned_positions": True},
    **{"encoder": Network(2, 16, 2), "decoder": Network(1, 12, 2), "normalize": False},
)


def embed(case: Case, w: dict, waves: torch.Tensor, kernels: tuple) -> torch.Tensor:
    """[B, electrodes, times, bands] -> [B, N, D]"""
    lines = waves.flatten(0, 1).transpose(1, 2)  # [B electrodes, bands, times]
    scales = [
        F.gelu(F.conv1d(lines, w[f"scales.width_{k}.weight"][:, :, 0], w[f"scales.width_{k}.bias"], padding=k // 2))
        for k in kernels
    ]
    seen = torch.cat(scales, dim=1).transpose(1, 2).unflatten(0, waves.shape[:2])  # [B, electrodes, times, features]
    times = case.patch[1]
    windows = seen.unflatten(2, (-1, times)).flatten(3).flatten(1, 2)
    return linear(w, "patch_embed.proj", windows)


def encode(case: Case, w: dict, waves: torch.Tensor, visible: torch.Tensor, kernels: tuple) -> torch.Tensor:
    tokens = embed(case, w, waves, kernels) + w["pos_embed"][:, 1:]
    cls = (w["cls_token"] + w["pos_embed"][:, :1]).expand(len(waves), -1, -1)
    x = torch.cat([cls, take(tokens, visible)], dim=1)
    for i in range(case.encoder.depth):
        x = block(w, f"blocks.{i}", x, case.encoder.heads)
    return layer_norm(w, "norm", x)


def weights_for(case: Case, random: torch.Generator) -> dict:
    weights = make_weights(case, random)
    draw = Drawing(random)
    bands = case.image[2]
    for k in KERNELS:
        draw.normal(f"scales.width_{k}.weight", FEATURES, bands, 1, k, std=0.4)
        draw.normal(f"scales.width_{k}.bias", FEATURES)
    draw.matrix("patch_embed.proj", case.encoder.width, case.patch[1] * FEATURES * len(KERNELS))
    return weights | draw.weights


def run(case: Case) -> tuple[dict, dict[str, torch.Tensor]]:
    random = torch.Generator().manual_seed(case.seed)
    waves, order, restore, mask = drawn(case, random)
    w = leaves_of(case, weights_for(case, random))
    prediction = predict(case, w, encode(case, w, waves, order[:, : case.visible], KERNELS), restore)
    terms = {"mse": loss_of("mse", "hidden", prediction, patches_of(case, waves), mask)}
    terms["mse"].backward()
    tensors = tensors_of(case, w, waves, order, restore)
    tensors["signal"] = tensors.pop("image")
    return header_of(case, spec_of(case), terms, terms["mse"]), tensors


def spec_of(case: Case) -> str:
    electrodes, times, bands = case.image
    kernels = ", ".join(str(k) for k in KERNELS)
    return f"""edition 2026
model Reference {{
  input     signal(leads: {electrodes}, samples: {times}, channels: {bands})
  tokens    multi_scale(size: 1x{case.patch[1]}, kernels: ({kernels}), features: {FEATURES})
  positions learned
  mask      random(ratio: {case.ratio * 100:g}%)
  encoder   {vit(case.encoder)}
  decoder   {vit(case.decoder)}
  target    pixels(normalize: none)
  loss      mse(on: hidden)
}}
"""


def train(example: dict, weights: Weights, feeds: list[Feed]) -> list[float]:
    signal, tokens, head = (line(example, slot) for slot in ("input", "tokens", "head"))
    values = signal["values"]
    kernels = tuple(int(k) for k in tokens["values"]["kernels"])
    case = replace(
        SMALL,
        image=(values["leads"], values["samples"], values["channels"]),
        patch=tuple(tokens["values"]["size"]),
        ratio=0 if head else line(example, "mask")["values"]["ratio"],
        encoder=network_of(line(example, "encoder")),
        decoder=network_of(line(example, "decoder")),
    )
    w = leaves(weights, [])
    own = line(example, "loss")

    def of_patches(feed: Feed) -> torch.Tensor:
        waves = feed["signal"]
        prediction = predict(case, w, encode(case, w, waves, feed["visible"], kernels), feed["restore"])
        mask = (feed["restore"] >= feed["visible"].shape[1]).double()
        return weighed(own, prediction, patches_of(case, waves), mask)

    def of_classes(feed: Feed) -> torch.Tensor:
        waves = feed["signal"]
        tokens = embed(case, w, waves, kernels) + w["pos_embed"][:, 1:]
        x = torch.cat([(w["cls_token"] + w["pos_embed"][:, :1]).expand(len(waves), -1, -1), tokens], dim=1)
        for i in range(case.encoder.depth):
            x = block(w, f"blocks.{i}", x, case.encoder.heads)
        logits = linear(w, "head", layer_norm(w, "norm", x[:, 1:].mean(dim=1)))
        return F.cross_entropy(logits, feed["labels"])

    return descend(example, w, feeds, of_classes if head else of_patches)


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent)
    write(folder / "mv-sstma", *run(SMALL))


if __name__ == "__main__":
    main()
