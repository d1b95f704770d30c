"""Writes the fixture of MaskFeat: a small vision transformer that predicts histograms of oriented gradients.

Written from the description of the algorithm (Wei et al., CVPR 2022): mask tokens in the encoder, one linear layer as decoder;
gradients of the image by convolution with reflected borders, hard bins by the angle, histograms by scattering.
Usage: python maskfeat.py [folder]; `train` is described in stepping.py, and also serves SimMIM, whose target are pixels.
"""

import sys
from dataclasses import replace
from math import pi
from pathlib import Path

import torch
import torch.nn.functional as F
from mae import CASES, Case, Network, block, case_of, layer_norm, linear, loss_of, make_weights, mask_of, patches_of, tables_of
from mae import target_of, weighed
from method import drawn, header_of, leaves_of, spec_of, tensors_of, write
from stepping import Feed, Weights, descend, leaves, line

BINS, CELL = 9, (8, 8)
FLAT = 1e-5
"""A slope up to it is none. Borders of nine bins are met exactly by no whole slopes but 0."""


def hog(case: Case, image: torch.Tensor, bin_count: int, cell: tuple[int, int]) -> torch.Tensor:
    """image [B, H, W, C] -> [B, N, C * bins * cells], ordered colour, bin, cell row, cell column."""
    batch, height, width, channels = image.shape
    single = image.permute(0, 3, 1, 2).reshape(batch * channels, 1, height, width)
    padded = F.pad(single, (1, 1, 1, 1), mode="reflect")
    kernel = torch.tensor([[1.0, 0, -1], [2, 0, -2], [1, 0, -1]], dtype=image.dtype)
    gx = F.conv2d(padded, kernel[None, None])
    gy = F.conv2d(padded, kernel.T[None, None])
    gx, gy = (g * (g.abs() > FLAT) for g in (gx, gy))
    phase = torch.atan2(gx, gy) / pi * bin_count
    bins = phase.floor().long() % bin_count
    votes = torch.zeros(batch * channels, bin_count, height, width, dtype=image.dtype)
    votes.scatter_add_(1, bins, torch.hypot(gx, gy))
    cells = F.normalize(F.avg_pool2d(votes, cell) * (cell[0] * cell[1]), dim=1)
    cells = cells.reshape(batch, channels * bin_count, *cells.shape[2:])
    step = (case.patch[0] // cell[0], case.patch[1] // cell[1])
    tokens = F.unfold(cells, step, stride=step)  # [B, C * bins * cells, N]
    return tokens.transpose(1, 2)


def forward(case: Case, w: dict, image: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """-> prediction [B, N, P]; hidden tokens pass through the encoder as copies of one token."""
    tokens = linear(w, "patch_embed.proj", patches_of(case, image))
    hidden = mask[:, :, None]
    tokens = tokens * (1 - hidden) + w["mask_token"] * hidden
    x = torch.cat([w["cls_token"].expand(len(tokens), -1, -1), tokens], dim=1) + w["pos_embed"]
    for i in range(case.encoder.depth):
        x = block(w, f"blocks.{i}", x, case.encoder.heads)
    return linear(w, "decoder_pred", layer_norm(w, "norm", x)[:, 1:])


def run(case: Case) -> tuple[dict, dict[str, torch.Tensor]]:
    random = torch.Generator().manual_seed(case.seed)
    image, order, restore, mask = drawn(case, random)
    target = hog(case, image, BINS, CELL)
    # One linear layer as decoder: its token has the encoder's width, and the rest of the decoder is not there.
    weights = make_weights(replace(case, decoder=replace(case.encoder, depth=0)), random)
    gone = ("decoder_embed", "decoder_pos_embed", "decoder_norm", "decoder_pred")
    weights = {name: value for name, value in weights.items() if not name.startswith(gone)}
    outputs, width = target.shape[2], case.encoder.width
    weights["decoder_pred.weight"] = (torch.randn(outputs, width, generator=random) * 0.2).double()
    weights["decoder_pred.bias"] = (torch.randn(outputs, generator=random) * 0.1).double()
    w = leaves_of(case, weights)
    terms = {"mse": loss_of("mse", "hidden", forward(case, w, image, mask), target, mask)}
    terms["mse"].backward()
    spec = spec_of(case, ["loss mse(on: hidden)"], decoder="linear", target=f"hog(bins: {BINS}, cell: {CELL[0]}x{CELL[1]})")
    tensors = tensors_of(case, w, image, order, restore)
    return header_of(case, spec, terms, terms["mse"]), tensors | {"target": target}


def train(example: dict, weights: Weights, feeds: list[Feed]) -> list[float]:
    case, own, target = case_of(example), line(example, "loss"), line(example, "target")
    w = leaves(weights, tables_of(case, weights))

    def target_values(image: torch.Tensor) -> torch.Tensor:
        if target["block"] == "pixels":
            return target_of(case, image)
        return hog(case, image, target["values"]["bins"], tuple(target["values"]["cell"]))

    def loss(feed: Feed) -> torch.Tensor:
        mask = mask_of(case, feed)
        return weighed(own, forward(case, w, feed["image"], mask), target_values(feed["image"]), mask)

    return descend(example, w, feeds, loss)


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent)
    case = replace(CASES[0], image=(32, 48, 3), patch=(16, 16), ratio=0.5, encoder=Network(depth=1, width=16, heads=2))
    write(folder / "maskfeat", *run(case))


if __name__ == "__main__":
    main()
