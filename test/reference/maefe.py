"""Writes the fixtures of MTAE and MLAE, masked autoencoders of electrocardiograms: small models, in float64 by PyTorch.

Written from the description (Zhang et al., IEEE TIM 2023, with the sizes and norms of the ST-MEM repository): a patch is a
window of all leads (MTAE) or a whole lead (MLAE), between two LayerNorms; positions are sines and cosines of the one axis.
Usage: python maefe.py [folder]; `train` is described in stepping.py.
"""

import importlib
import sys
from dataclasses import replace
from pathlib import Path

import torch
from mae import AGREEMENT, CASES, Case, Network, block, largest, layer_norm, linear, loss_of, make_weights, mask_of
from mae import network_of, predict, take, target_of, weighed
from method import drawn, header_of, leaves_of, make_norm, tensors_of, vit, write
from stepping import Feed, Weights, descend, leaves, line

# Signals [leads, samples, 1]: of Case, height are leads and width are samples.
SMALL = replace(CASES[0], image=(3, 20, 1), batch=2, encoder=Network(2, 16, 2), decoder=Network(1, 12, 2), ratio=0.5)
METHODS = {"mtae": replace(SMALL, patch=(3, 5), seed=31), "mlae": replace(SMALL, patch=(1, 20), seed=32)}


def windows(case: Case, signal: torch.Tensor) -> torch.Tensor:
    """[B, leads, samples, 1] -> [B, N, P]: a patch lead by lead, each sample by sample."""
    (leads, samples), size = case.patch, case.image
    parts = [
        signal[:, lead : lead + leads, at : at + samples].flatten(1)
        for lead in range(0, size[0], leads)
        for at in range(0, size[1], samples)
    ]
    return torch.stack(parts, dim=1)


def positions(count: int, width: int) -> torch.Tensor:
    """[1, 1 + N, D]: all sines, then all cosines; nothing for the class token."""
    angles = torch.arange(count)[:, None] / 10000 ** (torch.arange(width // 2, dtype=torch.float64) / (width // 2))
    table = torch.cat([angles.sin(), angles.cos()], dim=1)
    return torch.cat([torch.zeros(1, width), table])[None].float().double()


def encode(case: Case, w: dict, signal: torch.Tensor, visible: torch.Tensor) -> torch.Tensor:
    """-> [B, 1 + V, D]"""
    even = layer_norm(w, "patch_embed.patch_norm", windows(case, signal))
    tokens = layer_norm(w, "patch_embed.norm", linear(w, "patch_embed.proj", even)) + w["pos_embed"][:, 1:]
    x = torch.cat([w["cls_token"].expand(len(tokens), -1, -1), take(tokens, visible)], dim=1)
    for i in range(case.encoder.depth):
        x = block(w, f"blocks.{i}", x, case.encoder.heads)
    return layer_norm(w, "norm", x)


def run(name: str, case: Case) -> tuple[dict, dict[str, torch.Tensor]]:
    random = torch.Generator().manual_seed(case.seed)
    signal, order, restore, mask = drawn(case, random)
    weights = make_weights(case, random)
    for embed, network in (("pos_embed", case.encoder), ("decoder_pos_embed", case.decoder)):
        weights[embed] = positions(case.tokens, network.width)
    weights |= make_norm("patch_embed.patch_norm", case.values, random) | make_norm("patch_embed.norm", case.encoder.width, random)
    w = leaves_of(case, weights)
    prediction = predict(case, w, encode(case, w, signal, order[:, : case.visible]), restore)
    terms = {"mse": loss_of("mse", "hidden", prediction, target_of(case, signal), mask)}
    terms["mse"].backward()
    tensors = tensors_of(case, w, signal, order, restore)
    tensors["signal"] = tensors.pop("image")
    return header_of(case, spec_of(name, case), terms, terms["mse"]), tensors


def spec_of(name: str, case: Case) -> str:
    (height, width), (leads, samples, _) = case.patch, case.image
    return f"""edition 2026
model Reference {{
  input     signal(leads: {leads}, samples: {samples})
  tokens    patch(size: {height}x{width}, norm: around)
  positions sin_cos(along: [{"time" if name == "mtae" else "lead"}])
  mask      random(ratio: {case.ratio * 100:g}%)
  encoder   {vit(case.encoder)}
  decoder   {vit(case.decoder)}
  target    pixels(normalize: patch)
  loss      mse(on: hidden)
}}
"""


def case_of(example: dict, label: str | None = None) -> Case:
    """Of the lines with a label, or of those without."""
    signal = line(example, "input", label)
    return replace(
        SMALL,
        image=(signal["values"]["leads"], signal["values"]["samples"], 1),
        patch=tuple(line(example, "tokens", label)["values"]["size"]),
        ratio=line(example, "mask")["values"]["ratio"],
        encoder=network_of(line(example, "encoder", label)),
        decoder=network_of(line(example, "decoder", label)),
    )


def train_both(example: dict, weights: Weights, feeds: list[Feed]) -> list[float]:
    """MLTAE: two models of the same records, each with weights of its own, and the sum of their losses."""
    tables = [name for name in weights if name.endswith("pos_embed")]
    w, own = leaves(weights, tables), line(example, "loss")

    def loss_of_one(label: str, feed: Feed) -> torch.Tensor:
        case = case_of(example, label)
        mine = {name.removeprefix(f"{label}."): weight for name, weight in w.items() if name.startswith(f"{label}.")}
        mine["decoder_pos_embed"] = mine.pop(f"inputs.{label}.decoder_pos_embed")
        for name in ("pos_embed", "decoder_pos_embed"):
            assert largest(mine[name], positions(case.tokens, mine[name].shape[-1])) < AGREEMENT, name
        prediction = predict(case, mine, encode(case, mine, feed[label], feed[f"{label}Visible"]), feed[f"{label}Restore"])
        hidden = (feed[f"{label}Restore"] >= case.visible).double()
        return weighed(own, prediction, target_of(case, feed[label]), hidden)

    return descend(example, w, feeds, lambda feed: loss_of_one("time", feed) + loss_of_one("lead", feed))


def train_classes(example: dict, weights: Weights, feeds: list[Feed]) -> list[float]:
    """A classifier of whole records: one layer on the mean of all windows, normalised after it."""
    signal, tokens = line(example, "input")["values"], line(example, "tokens")["values"]
    image, patch = (signal["leads"], signal["samples"], 1), tuple(tokens["size"])
    case = replace(SMALL, image=image, patch=patch, ratio=0, encoder=network_of(line(example, "encoder")))
    assert largest(weights["pos_embed"], positions(case.tokens, case.encoder.width)) < AGREEMENT
    w = leaves(weights, ["pos_embed"])

    def loss(feed: Feed) -> torch.Tensor:
        even = layer_norm(w, "patch_embed.patch_norm", windows(case, feed["signal"]))
        tokens = layer_norm(w, "patch_embed.norm", linear(w, "patch_embed.proj", even)) + w["pos_embed"][:, 1:]
        x = torch.cat([w["cls_token"].expand(len(tokens), -1, -1), tokens], dim=1)
        for i in range(case.encoder.depth):
            x = block(w, f"blocks.{i}", x, case.encoder.heads)
        logits = linear(w, "head", layer_norm(w, "norm", x[:, 1:].mean(dim=1)))
        return torch.nn.functional.cross_entropy(logits, feed["labels"])

    return descend(example, w, feeds, loss)


def train(example: dict, weights: Weights, feeds: list[Feed]) -> list[float]:
    encoder = line(example, "encoder")
    if encoder is None:
        return train_both(example, weights, feeds)
    if line(example, "head") is not None:
        return train_classes(example, weights, feeds)
    if encoder["values"]["separators"] == "lead":
        return importlib.import_module("st-mem").train(example, weights, feeds)
    own, case = line(example, "loss"), case_of(example)
    assert example["tokens"] == {"total": case.tokens, "visible": case.visible}, (example["tokens"], case)
    tables = ["pos_embed", "decoder_pos_embed"]
    for name in tables:
        assert largest(weights[name], positions(case.tokens, weights[name].shape[-1])) < AGREEMENT, name
    w = leaves(weights, tables)

    def loss(feed: Feed) -> torch.Tensor:
        prediction = predict(case, w, encode(case, w, feed["signal"], feed["visible"]), feed["restore"])
        return weighed(own, prediction, target_of(case, feed["signal"]), mask_of(case, feed))

    return descend(example, w, feeds, loss)


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent)
    for name, case in METHODS.items():
        write(folder / name, *run(name, case))


if __name__ == "__main__":
    main()
