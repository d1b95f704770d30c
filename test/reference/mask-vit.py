"""Writes the fixture of the tokenizer of MaskViT's examples: a small autoencoder of codes, in float64 by PyTorch.

Written from the description of finite scalar quantisation (Mentzer et al., ICLR 2024, section 3 and appendix A); the encoder is that of
fcmae.py, the decoder that of convmae.py.
Usage: python mask-vit.py [folder]; `train` is described in stepping.py.
"""

import math
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from drawing import Drawing
from fcmae import Case as Maps
from fcmae import draw_encoder
from fcmae import encode as maps_of
from mae import Network, Patched, block, layer_norm, linear, patches_of, sine_cosine, take
from method import drawn, header_of, tensors_of, write
from stepping import Feed, Weights, descend, leaves, line

FIXED = ("decoder_pos_embed",)


@dataclass(frozen=True)
class Case(Patched):
    image: tuple[int, int, int]  # height, width, channels
    ratio: float
    maps: Maps
    levels: tuple[int, ...]
    decoder: Network
    seed: int = 83
    batch: int = 2

    @property
    def patch(self) -> tuple[int, int]:
        return self.maps.patch

    @property
    def visible(self) -> int:
        return int(self.tokens * (1 - self.ratio))


SIZE = (16, 24, 2)
SMALL = Case(SIZE, 0.25, Maps(SIZE, 0.25, 2, (1, 1), (6, 10), 0), (4, 3, 2), Network(1, 8, 2))


def make_weights(case: Case, random: torch.Generator) -> Weights:
    draw = Drawing(random)
    draw_encoder(draw, case.maps)
    # Wide enough that all levels are met.
    draw.normal("quantize.weight", len(case.levels), case.maps.widths[-1], std=1.0)
    draw.normal("quantize.bias", len(case.levels))
    draw.matrix("decoder_embed", case.decoder.width, len(case.levels))
    draw.normal("mask_token", 1, 1, case.decoder.width, std=0.3)
    draw.weights["decoder_pos_embed"] = sine_cosine(case.decoder.width, *case.grid)[:, 1:].float().double()
    draw.blocks("decoder_blocks", case.decoder.depth, case.decoder.width)
    draw.norm("decoder_norm", case.decoder.width)
    draw.matrix("decoder_pred", case.values, case.decoder.width)
    return draw.weights


def quantized(x: torch.Tensor, levels: tuple[int, ...]) -> torch.Tensor:
    """x [..., L] -> the nearest level of each number; the gradient is that of the bounded number."""
    columns = []
    for number, count in zip(x.unbind(dim=-1), levels, strict=True):
        reach, offset = (count - 1) * (1 - 1e-3) / 2, 0.0 if count % 2 else 0.5
        bounded = torch.tanh(number + math.tan(offset / reach)) * reach - offset
        columns.append((bounded + (bounded.round() - bounded).detach()) / (count // 2))
    return torch.stack(columns, dim=-1)


def codes_of(values: torch.Tensor, levels: tuple[int, ...]) -> torch.Tensor:
    """Levels [..., L] -> int64 [...]: the digits of a number, the first of which counts for one."""
    code, worth = torch.zeros(values.shape[:-1], dtype=torch.int64), 1
    for digit, count in zip(values.unbind(dim=-1), levels, strict=True):
        code = code + worth * (digit * (count // 2) + count // 2).round().long()
        worth *= count
    return code


def values_of(codes: torch.Tensor, levels: tuple[int, ...]) -> torch.Tensor:
    """int64 [...] -> levels [..., L]"""
    digits, rest = [], codes
    for count in levels:
        digits.append(((rest % count) - count // 2).double() / (count // 2))
        rest = rest // count
    return torch.stack(digits, dim=-1)


def map_of(case: Case, w: dict, image: torch.Tensor, visible: torch.Tensor) -> torch.Tensor:
    """image [B, H, W, C], visible [B, V] -> the levels of every place, zeros where it is hidden, [B, N, L]"""
    rows = []
    for one, cells in zip(image, visible, strict=True):
        seen = torch.zeros(case.tokens, dtype=torch.bool).index_fill(0, cells, True)
        deep = maps_of(case.maps, w, one, seen)[-1].flatten(0, 1)
        rows.append(quantized(linear(w, "quantize", deep), case.levels) * seen[:, None])
    return torch.stack(rows)


def picture_of(case: Case, w: dict, values: torch.Tensor, visible: torch.Tensor, restore: torch.Tensor) -> torch.Tensor:
    """Levels [B, N, L] -> [B, N, P]"""
    x = linear(w, "decoder_embed", take(values, visible))
    hidden = w["mask_token"].expand(len(x), case.tokens - visible.shape[1], -1)
    x = take(torch.cat([x, hidden], dim=1), restore) + w["decoder_pos_embed"]
    for i in range(case.decoder.depth):
        x = block(w, f"decoder_blocks.{i}", x, case.decoder.heads)
    return linear(w, "decoder_pred", layer_norm(w, "decoder_norm", x))


def loss_of(case: Case, w: dict, image: torch.Tensor, visible: torch.Tensor, restore: torch.Tensor) -> torch.Tensor:
    prediction = picture_of(case, w, map_of(case, w, image, visible), visible, restore)
    return ((prediction - patches_of(case, image)) ** 2).mean()


def network_text(case: Case) -> str:
    maps = case.maps
    return f"quantized(through: convnext(depths: {maps.depths}, widths: {maps.widths}, stem: {maps.stem}), levels: {case.levels})"


def spec_of(case: Case) -> str:
    height, width, channels = case.image
    decoder = case.decoder
    return f"""edition 2026
model Reference {{
  input   image(size: {height}x{width}, channels: {channels})
  mask    random(ratio: {case.ratio * 100:g}%)
  encoder {network_text(case)}
  decoder map_vit(depth: {decoder.depth}, width: {decoder.width}, heads: {decoder.heads})
  target  pixels(normalize: none)
  loss    mse(on: all)
}}
"""


def run(case: Case) -> tuple[dict, dict]:
    random = torch.Generator().manual_seed(case.seed)
    weights = make_weights(case, random)
    image, order, restore, _ = drawn(case, random)
    visible = order[:, : case.visible]
    w = leaves(weights, FIXED)
    loss = loss_of(case, w, image, visible, restore)
    loss.backward()
    latent = map_of(case, weights, image, visible).detach()
    everything = torch.arange(case.tokens).expand(case.batch, -1)
    whole = map_of(case, weights, image, everything)
    codes = codes_of(whole, case.levels)
    assert len(codes.unique()) > 8, codes
    assert torch.equal(values_of(codes, case.levels), whole.double())
    extra = {"latent": latent, "codes": codes.int()}
    return header_of(case, spec_of(case), {"mse": loss}, loss), tensors_of(case, w, image, order, restore) | extra


def case_of_network(network: dict, size: tuple[int, int, int], decoder: dict, ratio: float) -> Case:
    through = network["through"]["values"]
    assert through["version"] == 2 and not through["norm"] and decoder["mlp_ratio"] == 4, (through, decoder)
    depths, widths = tuple(through["depths"]), tuple(through["widths"])
    maps = Maps(size, ratio, through["stem"], depths, widths, 0, kernel=through["kernel"])
    return Case(size, ratio, maps, tuple(network["levels"]), Network(decoder["depth"], decoder["width"], decoder["heads"]))


def train(example: dict, weights: Weights, feeds: list[Feed]) -> list[float]:
    image, mask, encoder, decoder, target, judge = (
        line(example, slot)["values"] for slot in ("input", "mask", "encoder", "decoder", "target", "loss")
    )
    assert target["normalize"] == "none" and judge["on"] == "all", example["name"]
    case = replace(
        case_of_network(encoder, (*image["size"], image["channels"]), decoder, mask["ratio"]), batch=example["batch"]
    )
    assert example["tokens"] == {"total": case.tokens, "visible": case.visible}, (example["tokens"], case)
    w = leaves(weights, FIXED)
    return descend(example, w, feeds, lambda feed: loss_of(case, w, feed["image"], feed["visible"], feed["restore"]))


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent)
    write(folder / "frame-codes", *run(SMALL))


if __name__ == "__main__":
    main()
