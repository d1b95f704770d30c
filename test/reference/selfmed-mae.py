"""Writes the fixture of SelfMedMAE: a small model of volumes, in float64 by PyTorch.

Written from the description (Zhou et al., ISBI 2023): a patch is a box of voxels, positions are fixed sines and cosines of each axis, a class
token stands in front of encoder and decoder, hidden patches are predicted. Patches are normalised with the variance of n - 1, as ours; the
official code divides by n.
Usage: python selfmed-mae.py [folder]; `train` is described in stepping.py.
"""

import sys
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from drawing import Drawing
from mae import AGREEMENT, Network, block, largest, layer_norm, linear, network_of, take
from method import header_of, learned, write
from stepping import Feed, Weights, descend, leaves, line


@dataclass(frozen=True)
class Case:
    seed: int
    batch: int
    volume: tuple[int, int, int]  # depth, height, width
    patch: tuple[int, int, int]
    ratio: float
    encoder: Network
    decoder: Network
    normalize: str = "patch"

    @property
    def grid(self) -> tuple[int, int, int]:
        return tuple(size // side for size, side in zip(self.volume, self.patch, strict=True))

    @property
    def tokens(self) -> int:
        depth, rows, columns = self.grid
        return depth * rows * columns

    @property
    def visible(self) -> int:
        return int(self.tokens * (1 - self.ratio) + 1e-9)

    @property
    def values(self) -> int:
        depth, height, width = self.patch
        return depth * height * width


SMALL = Case(61, 2, (4, 8, 6), (2, 4, 3), 0.5, Network(2, 24, 2), Network(1, 12, 2))


def positions(case: Case, width: int) -> torch.Tensor:
    """[1, 1 + N, D]: of each axis a third, column, row and depth; all sines, then all cosines. Nothing for the class token."""
    share = width // 3
    frequencies = 10000 ** (-torch.arange(share // 2, dtype=torch.float64) / (share // 2))

    def axis(places: torch.Tensor) -> torch.Tensor:
        angles = places.double()[:, None] * frequencies
        return torch.cat([angles.sin(), angles.cos()], dim=1)

    depth, row, column = (part.flatten() for part in torch.meshgrid(*(torch.arange(n) for n in case.grid), indexing="ij"))
    table = torch.cat([axis(column), axis(row), axis(depth)], dim=1)
    return torch.cat([torch.zeros(1, width), table])[None].float().double()


def make_weights(case: Case, random: torch.Generator) -> Weights:
    draw = Drawing(random)

    def blocks(name: str, network: Network) -> None:
        width = network.width
        for i in range(network.depth):
            draw.norm(f"{name}.{i}.norm1", width)
            draw.matrix(f"{name}.{i}.attn.qkv", 3 * width, width)
            draw.matrix(f"{name}.{i}.attn.proj", width, width)
            draw.norm(f"{name}.{i}.norm2", width)
            draw.perceptron(f"{name}.{i}.mlp", width)

    encoder, decoder = case.encoder, case.decoder
    draw.weights["pos_embed"] = positions(case, encoder.width)
    draw.normal("cls_token", 1, 1, encoder.width, std=0.3)
    draw.matrix("patch_embed.proj", encoder.width, case.values)
    blocks("blocks", encoder)
    draw.norm("norm", encoder.width)
    draw.matrix("decoder_embed", decoder.width, encoder.width)
    draw.normal("mask_token", 1, 1, decoder.width, std=0.3)
    draw.weights["decoder_pos_embed"] = positions(case, decoder.width)
    blocks("decoder_blocks", decoder)
    draw.norm("decoder_norm", decoder.width)
    draw.matrix("decoder_pred", case.values, decoder.width)
    return draw.weights


def boxes(case: Case, volume: torch.Tensor) -> torch.Tensor:
    """[B, D, H, W, 1] -> [B, N, P]: in raster order; within a patch slice, row, column."""
    (depth, rows, columns), (slices, height, width) = case.grid, case.patch
    return (
        volume.reshape(-1, depth, slices, rows, height, columns, width)
        .permute(0, 1, 3, 5, 2, 4, 6)
        .reshape(len(volume), case.tokens, case.values)
    )


def predict(case: Case, w: dict, volume: torch.Tensor, visible: torch.Tensor, restore: torch.Tensor) -> torch.Tensor:
    """-> [B, N, P]"""
    tokens = linear(w, "patch_embed.proj", boxes(case, volume)) + w["pos_embed"][:, 1:]
    first = w["cls_token"].expand(len(tokens), -1, -1)
    x = torch.cat([first, take(tokens, visible)], dim=1)
    for i in range(case.encoder.depth):
        x = block(w, f"blocks.{i}", x, case.encoder.heads)
    narrow = linear(w, "decoder_embed", layer_norm(w, "norm", x))
    hidden = w["mask_token"].expand(len(x), case.tokens - visible.shape[1], -1)
    patches = take(torch.cat([narrow[:, 1:], hidden], dim=1), restore)
    x = torch.cat([narrow[:, :1], patches], dim=1) + w["decoder_pos_embed"]
    for i in range(case.decoder.depth):
        x = block(w, f"decoder_blocks.{i}", x, case.decoder.heads)
    return linear(w, "decoder_pred", layer_norm(w, "decoder_norm", x))[:, 1:]


def target_of(case: Case, volume: torch.Tensor) -> torch.Tensor:
    patches = boxes(case, volume)
    if case.normalize == "none":
        return patches
    variance = patches.var(dim=2, keepdim=True, correction=1)
    return (patches - patches.mean(dim=2, keepdim=True)) / (variance + 1e-6).sqrt()


def loss_of(case: Case, w: dict, volume: torch.Tensor, visible: torch.Tensor, hidden: torch.Tensor, restore) -> torch.Tensor:
    error = (predict(case, w, volume, visible, restore) - target_of(case, volume)) ** 2
    return take(error, hidden).mean()


def run(case: Case) -> tuple[dict, dict[str, torch.Tensor]]:
    random = torch.Generator().manual_seed(case.seed)
    volume = torch.rand(case.batch, *case.volume, 1, generator=random).double()
    order = torch.rand(case.batch, case.tokens, generator=random).argsort(dim=1)
    restore = order.argsort(dim=1)
    weights = make_weights(case, random)
    w = leaves(weights, ["pos_embed", "decoder_pos_embed"])
    visible, hidden = order[:, : case.visible], order[:, case.visible :]
    loss = loss_of(case, w, volume, visible, hidden, restore)
    loss.backward()
    header = header_of(case, spec_of(case), {"mse": loss}, loss)
    return header, learned(w) | {"volume": volume, "order": order.int(), "restore": restore.int()}


def spec_of(case: Case) -> str:
    vit = "vit(depth: {0.depth}, width: {0.width}, heads: {0.heads})"
    return f"""edition 2026
model Reference {{
  input   volume(size: {"x".join(map(str, case.volume))})
  tokens  patch(size: {"x".join(map(str, case.patch))})
  mask    random(ratio: {case.ratio * 100:g}%)
  encoder {vit.format(case.encoder)}
  decoder {vit.format(case.decoder)}
  target  pixels(normalize: patch)
  loss    mse(on: hidden)
}}
"""


def train(example: dict, weights: Weights, feeds: list[Feed]) -> list[float]:
    volume, tokens, mask = (line(example, slot)["values"] for slot in ("input", "tokens", "mask"))
    case = replace(
        SMALL,
        volume=tuple(volume["size"]),
        patch=tuple(tokens["size"]),
        ratio=mask["ratio"],
        encoder=network_of(line(example, "encoder")),
        decoder=network_of(line(example, "decoder")),
        normalize=line(example, "target")["values"]["normalize"],
    )
    assert example["tokens"] == {"total": case.tokens, "visible": case.visible}, (example["tokens"], case)
    tables = ["pos_embed", "decoder_pos_embed"]
    for name in tables:
        assert largest(weights[name], positions(case, weights[name].shape[-1])) < AGREEMENT, name
    w = leaves(weights, tables)
    return descend(
        example,
        w,
        feeds,
        lambda feed: loss_of(case, w, feed["volume"], feed["visible"], feed["hidden"], feed["restore"]),
    )


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent)
    write(folder / "selfmed-mae", *run(SMALL))


if __name__ == "__main__":
    main()
