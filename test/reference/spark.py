"""Writes the fixture of SparK: a small ConvNeXt with its light UNet, in float64 by PyTorch.

Written from the description (Tian et al., ICLR 2023, sections 3 and 4, and the official repository). The encoder is computed on visible places
alone, by fcmae.py; the decoder by PyTorch's own convolutions and batch norms.
Usage: python spark.py [folder]; `train` is described in stepping.py.
"""

import math
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import fcmae
import torch
import torch.nn.functional as F
from drawing import Drawing
from mae import layer_norm, linear, normalized, patches_of, take
from method import drawn, header_of, tensors_of, write
from stepping import Feed, Weights, descend, leaves, line


@dataclass(frozen=True)
class Case(fcmae.Case):
    version: int = 1

    @property
    def visible(self) -> int:
        return round(self.tokens * (1 - self.ratio))


# The deepest map has another width than its block.
SMALL = Case((16, 24, 3), 0.6, 2, (1, 2), (6, 10), 8)
STATES = ("running_mean", "running_var")


def draw_batch_norm(draw: Drawing, name: str, width: int) -> None:
    draw.norm(name, width)
    draw.normal(f"{name}.running_mean", width)
    draw.normal(f"{name}.running_var", width, mean=1)


def draw_decoder(draw: Drawing, case: Case) -> None:
    widths = list(reversed(case.widths))
    for i, width in enumerate(widths):
        draw.norm(f"densify_norms.{i}", width)
        draw.normal(f"mask_tokens.{i}", 1, 1, width, std=0.3)
    draw_projections(draw, case, widths)


def draw_projections(draw: Drawing, case: Case, widths: list[int]) -> None:
    """All of the decoder but what enters it; widths of the maps, the deepest first."""
    for i, width in enumerate(widths):
        own = case.decoder // 2**i
        if i > 0:
            draw.normal(f"densify_projs.{i}.weight", own, width, 3, 3, std=0.2)
            draw.normal(f"densify_projs.{i}.bias", own)
        elif width != own:
            draw.matrix(f"densify_projs.{i}", own, width)
    for i in range(int(math.log2(case.cell))):
        inputs, outputs = case.decoder // 2**i, case.decoder // 2 ** (i + 1)
        draw.normal(f"dec.{i}.up_sample.weight", inputs, inputs, 4, 4, std=0.2)
        draw.normal(f"dec.{i}.up_sample.bias", inputs)
        draw.normal(f"dec.{i}.conv.0.weight", inputs, inputs, 3, 3, std=0.2)
        draw_batch_norm(draw, f"dec.{i}.conv.1", inputs)
        draw.normal(f"dec.{i}.conv.3.weight", outputs, inputs, 3, 3, std=0.2)
        draw_batch_norm(draw, f"dec.{i}.conv.4", outputs)
    draw.matrix("proj", case.image[2], case.decoder // case.cell)


def make_weights(case: Case, random: torch.Generator) -> Weights:
    draw = Drawing(random)
    fcmae.draw_encoder(draw, case)
    draw_decoder(draw, case)
    return draw.weights


def batch_norm(w: dict, name: str, x: torch.Tensor) -> torch.Tensor:
    """x [B, C, H, W], by its own statistics; the running ones move."""
    mean, variance = w[f"{name}.running_mean"], w[f"{name}.running_var"]
    return F.batch_norm(x, mean, variance, w[f"{name}.weight"], w[f"{name}.bias"], training=True, momentum=0.1, eps=1e-5)


def decode(case: Case, w: dict, maps: list[torch.Tensor], seen: torch.Tensor, norm: Callable | None = None) -> torch.Tensor:
    """maps [B, h, w, C], the finest first; seen [B, N] -> image [B, H, W, C]. `norm`: of maps, by its name; if absent, of each place."""
    rows, columns = case.grid
    x = None
    for i in range(int(math.log2(case.cell))):
        if i < len(maps):
            name = f"densify_norms.{i}"
            deep = norm(name, maps[-1 - i]) if norm else layer_norm(w, name, maps[-1 - i])
            there = seen.reshape(-1, rows, columns).repeat_interleave(2**i, 1).repeat_interleave(2**i, 2)
            filled = torch.where(there[..., None], deep, w[f"mask_tokens.{i}"][0])
            if i == 0:
                dense = linear(w, "densify_projs.0", filled) if "densify_projs.0.weight" in w else filled
                dense = dense.permute(0, 3, 1, 2)
            else:
                name = f"densify_projs.{i}"
                dense = F.conv2d(filled.permute(0, 3, 1, 2), w[f"{name}.weight"], w[f"{name}.bias"], padding=1)
            x = dense if x is None else x + dense
        x = F.conv_transpose2d(x, w[f"dec.{i}.up_sample.weight"], w[f"dec.{i}.up_sample.bias"], stride=2, padding=1)
        x = F.relu6(batch_norm(w, f"dec.{i}.conv.1", F.conv2d(x, w[f"dec.{i}.conv.0.weight"], padding=1)))
        x = batch_norm(w, f"dec.{i}.conv.4", F.conv2d(x, w[f"dec.{i}.conv.3.weight"], padding=1))
    return linear(w, "proj", x.permute(0, 2, 3, 1))


def loss_of(case: Case, w: dict, image: torch.Tensor, visible: torch.Tensor, hidden: torch.Tensor) -> torch.Tensor:
    seen = torch.zeros(len(image), case.tokens, dtype=torch.bool).scatter(1, visible.long(), True)
    each = [fcmae.encode(case, w, one, cells) for one, cells in zip(image, seen, strict=True)]
    maps = [torch.stack(level) for level in zip(*each, strict=True)]
    patches = patches_of(case, image)
    target = normalized(patches) if case.normalize else patches
    return take((patches_of(case, decode(case, w, maps, seen)) - target) ** 2, hidden).mean()


def spec_of(case: Case) -> str:
    height, width, channels = case.image
    depths, widths = ("({})".format(", ".join(map(str, each))) for each in (case.depths, case.widths))
    return f"""edition 2026
model Reference {{
  input   image(size: {height}x{width}, channels: {channels})
  mask    random(ratio: {case.ratio * 100:g}%, round: nearest)
  encoder convnext(depths: {depths}, widths: {widths}, stem: {case.stem}, version: 1)
  decoder unet(width: {case.decoder})
  target  pixels(normalize: patch)
  loss    mse(on: hidden)
}}
"""


def states_of(weights: Weights) -> list[str]:
    return [name for name in weights if name.endswith(STATES)]


def run(case: Case) -> tuple[dict, dict]:
    random = torch.Generator().manual_seed(case.seed)
    weights = make_weights(case, random)
    image, order, restore, _ = drawn(case, random)
    visible, hidden = order[:, : case.visible], order[:, case.visible :]
    w = leaves(weights, states_of(weights))
    loss = loss_of(case, w, image, visible, hidden)
    loss.backward()
    moved = leaves(weights, states_of(weights))
    training = fcmae.trained(moved, lambda: loss_of(case, moved, image, visible, hidden))
    tensors = tensors_of(case, w, image, order, restore, weights)
    # What the running statistics are after one batch, and after all.
    tensors |= {f"moved/{name}": w[name] for name in states_of(weights)}
    tensors |= {f"trained/{name}": moved[name] for name in states_of(weights)}
    return header_of(case, spec_of(case), {"mse": loss}, loss) | {"training": training}, tensors


def train(example: dict, weights: Weights, feeds: list[Feed]) -> list[float]:
    image, mask, encoder, decoder, target = (
        line(example, slot)["values"] for slot in ("input", "mask", "encoder", "decoder", "target")
    )
    case = Case(
        image=(*image["size"], image["channels"]),
        ratio=mask["ratio"],
        stem=encoder["stem"],
        depths=tuple(encoder["depths"]),
        widths=tuple(encoder["widths"]),
        decoder=decoder["width"],
        version=encoder["version"],
        normalize=target["normalize"] == "patch",
        batch=example["batch"],
        kernel=encoder["kernel"],
    )
    assert example["tokens"] == {"total": case.tokens, "visible": case.visible}, (example["tokens"], case)
    w = leaves(weights, states_of(weights))
    return descend(example, w, feeds, lambda feed: loss_of(case, w, feed["image"], feed["visible"], feed["hidden"]))


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent)
    write(folder / "spark", *run(SMALL))


if __name__ == "__main__":
    main()
