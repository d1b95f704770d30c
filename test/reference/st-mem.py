"""Writes the fixture of ST-MEM, a masked autoencoder of electrocardiograms that tells leads apart: a small model, in float64 by PyTorch.

Written from the description (Na et al., ICLR 2024): a token is a window of one lead; to tokens and to two separators of each lead the vector
of the lead is added; the encoder sees the visible windows of each lead between its separators; the decoder takes each lead by itself.
Usage: python st-mem.py [folder]; `train` is described in stepping.py.
"""

import sys
from dataclasses import replace
from pathlib import Path

import torch
from mae import AGREEMENT, Case, block, largest, layer_norm, linear, loss_of, make_weights, network_of
from mae import target_of, weighed
from maefe import SMALL, positions, windows
from method import header_of, leaves_of, make_norm, tensors_of, vit, write
from stepping import Feed, Weights, descend, leaves, line

CASE = replace(SMALL, patch=(1, 5), seed=33)


def by_lead(case: Case, x: torch.Tensor) -> torch.Tensor:
    """[B, leads N, D] -> [B, leads, N, D]"""
    return x.unflatten(1, (case.image[0], -1))


def table(case: Case, width: int) -> torch.Tensor:
    """[1, 2 leads + N, D]: nothing for separators, and for each lead the positions of its windows."""
    times = positions(case.grid[1], width)[:, 1:]
    return torch.cat([torch.zeros(1, 2 * case.image[0], width), times.repeat(1, case.image[0], 1)], dim=1).double()


def encode(case: Case, w: dict, signal: torch.Tensor, visible: torch.Tensor) -> torch.Tensor:
    """-> [B, leads, 2 + V, D]: each lead between its separators, as its visible windows come."""
    leads = case.image[0]
    even = layer_norm(w, "patch_embed.patch_norm", windows(case, signal))
    tokens = layer_norm(w, "patch_embed.norm", linear(w, "patch_embed.proj", even))
    times = w["pos_embed"][:, 2 * leads :]
    placed = by_lead(case, tokens + times)  # [B, leads, N, D]
    marks = w["lead_embed"][:, :, None]  # [1, leads, 1, D]
    separator = (w["sep_token"][:, :, None] + marks).expand(len(signal), -1, -1, -1)
    windows_of_lead = case.grid[1]
    rows = []
    for sample, chosen in zip(placed, visible, strict=True):
        # The places of a sample are listed in any order of leads; each lead shows as many.
        own = [chosen[chosen // windows_of_lead == lead] % windows_of_lead for lead in range(leads)]
        rows.append(torch.stack([sample[lead, places] for lead, places in enumerate(own)]))
    seen = torch.stack(rows) + marks
    x = torch.cat([separator, seen, separator], dim=2).flatten(1, 2)
    for i in range(case.encoder.depth):
        x = block(w, f"blocks.{i}", x, case.encoder.heads)
    return by_lead(case, layer_norm(w, "norm", x))


def predict(case: Case, w: dict, latent: torch.Tensor, visible: torch.Tensor) -> torch.Tensor:
    """-> [B, leads N, P], lead by lead"""
    leads, count = case.image[0], case.grid[1]
    x = linear(w, "decoder_embed", latent)  # [B, leads, 2 + V, Dd]
    tables = w["decoder_pos_embed"]
    lines = []
    for lead in range(leads):
        samples = []
        for own, chosen in zip(x[:, lead], visible, strict=True):
            places = chosen[chosen // count == lead] % count
            whole = w["mask_token"][0].expand(count, -1).clone()
            whole = whole.index_put((places,), own[1:-1])
            placed = whole + tables[0, 2 * leads : 2 * leads + count]
            samples.append(torch.cat([own[:1], placed, own[-1:]]))
        y = torch.stack(samples)
        for i in range(case.decoder.depth):
            y = block(w, f"decoder_blocks.{i}", y, case.decoder.heads)
        lines.append(linear(w, "decoder_pred", layer_norm(w, "decoder_norm", y))[:, 1:-1])
    return torch.cat(lines, dim=1)


def weights_for(case: Case, random: torch.Generator) -> dict:
    weights = make_weights(case, random)
    del weights["cls_token"]
    for embed, network in (("pos_embed", case.encoder), ("decoder_pos_embed", case.decoder)):
        weights[embed] = table(case, network.width)
    for name, count in (("lead_embed", case.image[0]), ("sep_token", 1)):
        drawn = torch.randn(1, count, case.encoder.width, generator=random, dtype=torch.float64) * 0.3
        weights[name] = drawn.float().double()
    norms = make_norm("patch_embed.patch_norm", case.values, random)
    return weights | norms | make_norm("patch_embed.norm", case.encoder.width, random)


def run(case: Case) -> tuple[dict, dict[str, torch.Tensor]]:
    random = torch.Generator().manual_seed(case.seed)
    signal = torch.randn(case.batch, *case.image, generator=random, dtype=torch.float64).float().double()
    leads, count = case.grid
    shown = int(count * (1 - case.ratio))
    each = torch.rand(case.batch, leads, count, generator=random, dtype=torch.float64).argsort(dim=2)
    every = each + torch.arange(leads)[:, None] * count
    order = torch.cat([every[:, :, :shown].flatten(1), every[:, :, shown:].flatten(1)], dim=1)
    restore = order.argsort(dim=1)
    visible = order[:, : leads * shown]
    mask = (restore >= leads * shown).double()
    w = leaves_of(case, weights_for(case, random))
    prediction = predict(case, w, encode(case, w, signal, visible), visible)
    terms = {"mse": loss_of("mse", "hidden", prediction, target_of(case, signal), mask)}
    terms["mse"].backward()
    tensors = tensors_of(case, w, signal, order, restore)
    tensors["signal"] = tensors.pop("image")
    header = header_of(case, spec_of(case), terms, terms["mse"])
    return header | {"tokens": {"total": case.tokens, "visible": leads * shown}}, tensors


def spec_of(case: Case) -> str:
    (_, width), (leads, samples, _) = case.patch, case.image
    return f"""edition 2026
model Reference {{
  input     signal(leads: {leads}, samples: {samples})
  tokens    patch(size: 1x{width}, norm: around)
  positions sin_cos(along: [time])
  mask      random(ratio: {case.ratio * 100:g}%, each: [lead])
  encoder   {vit(case.encoder, ", class_token: false, separators: lead")}
  decoder   {vit(case.decoder, ", each: lead")}
  target    pixels(normalize: patch)
  loss      mse(on: hidden)
}}
"""


def train(example: dict, weights: Weights, feeds: list[Feed]) -> list[float]:
    signal, mask, own = (line(example, slot) for slot in ("input", "mask", "loss"))
    case = replace(
        CASE,
        image=(signal["values"]["leads"], signal["values"]["samples"], 1),
        patch=tuple(line(example, "tokens")["values"]["size"]),
        ratio=mask["values"]["ratio"],
        encoder=network_of(line(example, "encoder")),
        decoder=network_of(line(example, "decoder")),
    )
    tables = ["pos_embed", "decoder_pos_embed"]
    for name in tables:
        assert largest(weights[name], table(case, weights[name].shape[-1])) < AGREEMENT, name
    w = leaves(weights, tables)

    def loss(feed: Feed) -> torch.Tensor:
        prediction = predict(case, w, encode(case, w, feed["signal"], feed["visible"]), feed["visible"])
        return weighed(own, prediction, target_of(case, feed["signal"]), (feed["restore"] >= feed["visible"].shape[1]).double())

    return descend(example, w, feeds, loss)


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent)
    write(folder / "st-mem", *run(CASE))


if __name__ == "__main__":
    main()
