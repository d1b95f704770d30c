"""Writes the fixture of ConvMAE: a small model, in float64 by PyTorch.

Written from the description (Gao et al., ConvMAE, NeurIPS 2022, section 3): all stages are computed at visible places alone, place by
place, as a sparse convolution does. Checked here against PyTorch's own convolutions over whole maps whose input is multiplied by the mask, as the
authors compute them.
Usage: python convmae.py [folder]; `train` is described in stepping.py.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from drawing import Drawing
from fcmae import boxes, mixed, places_of, trained
from mae import AGREEMENT, Network, Patched, largest, layer_norm, linear, normalized, patches_of, sine_cosine, take
from mae import block as attended
from method import drawn, header_of, tensors_of, write
from stepping import Feed, Weights, descend, leaves, line

# In front of the transformer, PyTorch's own.
EPSILON = 1e-5
FIXED = ("pos_embed", "decoder_pos_embed")


@dataclass(frozen=True)
class Case(Patched):
    image: tuple[int, int, int]  # height, width, channels
    ratio: float
    stem: int
    depths: tuple[int, ...]
    widths: tuple[int, ...]
    heads: int
    decoder: Network
    normalize: bool = True
    fuse: bool = True
    seed: int = 73
    batch: int = 2
    kernel: int = 5

    @property
    def patch(self) -> tuple[int, int]:
        cell = self.stem * 2 ** (len(self.depths) - 1)
        return cell, cell

    @property
    def visible(self) -> int:
        return int(self.tokens * (1 - self.ratio))

    @property
    def last(self) -> int:
        return len(self.depths) - 1


SMALL = Case((16, 24, 3), 0.5, 2, (1, 2, 1), (4, 6, 12), 3, Network(1, 8, 2))


def draw_window(draw: Drawing, name: str, outputs: int, inputs: int, side: int) -> None:
    draw.normal(f"{name}.weight", outputs, inputs, side, side, std=(1 / inputs) ** 0.5 / side)
    draw.normal(f"{name}.bias", outputs)


def make_weights(case: Case, random: torch.Generator) -> Weights:
    draw = Drawing(random)
    for stage, (depth, width) in enumerate(zip(case.depths, case.widths, strict=True)):
        inputs, side = (case.image[2], case.stem) if stage == 0 else (case.widths[stage - 1], 2)
        draw_window(draw, f"patch_embed{stage + 1}.proj", width, inputs, side)
        draw.norm(f"patch_embed{stage + 1}.norm", width)
        if stage == case.last:
            draw.blocks(f"blocks{stage + 1}", depth, width)
            continue
        if case.fuse:
            draw_window(draw, f"stage{stage + 1}_output_decode", case.widths[-1], width, 2 ** (case.last - stage))
        for i in range(depth):
            name = f"blocks{stage + 1}.{i}"
            draw.norm(f"{name}.norm1", width)
            draw.matrix(f"{name}.conv1", width, width)
            draw_window(draw, f"{name}.attn", width, 1, case.kernel)
            draw.matrix(f"{name}.conv2", width, width)
            draw.norm(f"{name}.norm2", width)
            draw.perceptron(f"{name}.mlp", width)
    width, (rows, columns) = case.widths[-1], case.grid
    draw.matrix(f"patch_embed{len(case.depths) + 1}", width, width)
    draw.weights["pos_embed"] = sine_cosine(width, rows, columns)[:, 1:].float().double()
    draw.norm("norm", width)
    draw.matrix("decoder_embed", case.decoder.width, width)
    draw.normal("mask_token", 1, 1, case.decoder.width, std=0.3)
    draw.weights["decoder_pos_embed"] = sine_cosine(case.decoder.width, rows, columns)[:, 1:].float().double()
    draw.blocks("decoder_blocks", case.decoder.depth, case.decoder.width)
    draw.norm("decoder_norm", case.decoder.width)
    draw.matrix("decoder_pred", case.values, case.decoder.width)
    return draw.weights


def block(w: dict, name: str, x: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
    """x [n, C] of one sample at the places that are there."""
    entered = linear(w, f"{name}.conv1", layer_norm(w, f"{name}.norm1", x, EPSILON))
    x = x + linear(w, f"{name}.conv2", mixed(entered, places, w[f"{name}.attn.weight"], w[f"{name}.attn.bias"]))
    return x + linear(w, f"{name}.mlp.fc2", F.gelu(linear(w, f"{name}.mlp.fc1", layer_norm(w, f"{name}.norm2", x, EPSILON))))


def boxed(w: dict, name: str, x: torch.Tensor, side: int) -> torch.Tensor:
    """x [H, W, C] -> [H / side, W / side, C']"""
    return torch.einsum("hwcyx,ocyx->hwo", boxes(x, side), w[f"{name}.weight"]) + w[f"{name}.bias"]


def embedded(w: dict, stage: int, x: torch.Tensor, side: int) -> torch.Tensor:
    return F.gelu(layer_norm(w, f"patch_embed{stage + 1}.norm", boxed(w, f"patch_embed{stage + 1}.proj", x, side), EPSILON))


def encode(case: Case, w: dict, image: torch.Tensor, visible: torch.Tensor) -> torch.Tensor:
    """image [H, W, C] of one sample, visible [V] -> its latent at those cells, [V, D]"""
    seen = torch.zeros(case.tokens, dtype=torch.bool).index_fill(0, visible, True).reshape(case.grid)
    x, fused = image, []
    for stage, depth in enumerate(case.depths[:-1]):
        x = embedded(w, stage, x, case.stem if stage == 0 else 2)
        scale = 2 ** (case.last - stage)
        there = seen.repeat_interleave(scale, 0).repeat_interleave(scale, 1)
        places = places_of(*there.shape)[there.flatten()]
        active = x[there]
        for i in range(depth):
            active = block(w, f"blocks{stage + 1}.{i}", active, places)
        x = torch.zeros(*there.shape, active.shape[-1], dtype=x.dtype).index_put((places[:, 0], places[:, 1]), active)
        if case.fuse:
            fused.append(boxed(w, f"stage{stage + 1}_output_decode", x, scale).flatten(0, 1)[visible])
    x = embedded(w, case.last, x, 2).flatten(0, 1)
    x = (linear(w, f"patch_embed{len(case.depths) + 1}", x) + w["pos_embed"][0])[visible][None]
    for i in range(case.depths[-1]):
        x = attended(w, f"blocks{len(case.depths)}.{i}", x, case.heads)
    return layer_norm(w, "norm", x[0] + sum(fused))


def dense(case: Case, w: dict, image: torch.Tensor, visible: torch.Tensor) -> torch.Tensor:
    """The same of a batch, as the authors compute it: convolutions over whole maps, of which hidden places are zeroed in one place."""

    def convolved(name: str, x: torch.Tensor, **options) -> torch.Tensor:
        return F.conv2d(x, w[f"{name}.weight"], w[f"{name}.bias"], **options)

    def at_places(name: str, x: torch.Tensor) -> torch.Tensor:
        return linear(w, name, x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)

    def norm(name: str, x: torch.Tensor) -> torch.Tensor:
        return layer_norm(w, name, x.permute(0, 2, 3, 1), EPSILON).permute(0, 3, 1, 2)

    kept = torch.zeros(len(image), case.tokens, dtype=image.dtype).scatter(1, visible, 1.0).reshape(-1, 1, *case.grid)
    x, fused = image.permute(0, 3, 1, 2), []
    for stage, depth in enumerate(case.depths):
        name = f"patch_embed{stage + 1}"
        x = F.gelu(norm(f"{name}.norm", convolved(f"{name}.proj", x, stride=case.stem if stage == 0 else 2)))
        if stage == case.last:
            break
        scale = 2 ** (case.last - stage)
        there = kept.repeat_interleave(scale, 2).repeat_interleave(scale, 3)
        for i in range(depth):
            name = f"blocks{stage + 1}.{i}"
            entered = there * at_places(f"{name}.conv1", norm(f"{name}.norm1", x))
            mixed = convolved(f"{name}.attn", entered, padding=case.kernel // 2, groups=x.shape[1])
            x = x + at_places(f"{name}.conv2", mixed)
            x = x + at_places(f"{name}.mlp.fc2", F.gelu(at_places(f"{name}.mlp.fc1", norm(f"{name}.norm2", x))))
        if case.fuse:
            coarse = convolved(f"stage{stage + 1}_output_decode", x, stride=scale)
            fused.append(take(coarse.flatten(2).transpose(1, 2), visible))
    tokens = linear(w, f"patch_embed{len(case.depths) + 1}", x.flatten(2).transpose(1, 2)) + w["pos_embed"]
    x = take(tokens, visible)
    for i in range(case.depths[-1]):
        x = attended(w, f"blocks{len(case.depths)}.{i}", x, case.heads)
    return layer_norm(w, "norm", x + sum(fused))


def latent_of(case: Case, w: dict, image: torch.Tensor, visible: torch.Tensor) -> torch.Tensor:
    return torch.stack([encode(case, w, one, cells) for one, cells in zip(image, visible, strict=True)])


def loss_of(case: Case, w: dict, feed: Feed) -> torch.Tensor:
    latent = latent_of(case, w, feed["image"], feed["visible"])
    x = linear(w, "decoder_embed", latent)
    hidden = w["mask_token"].expand(len(x), case.tokens - case.visible, -1)
    x = take(torch.cat([x, hidden], dim=1), feed["restore"]) + w["decoder_pos_embed"]
    for i in range(case.decoder.depth):
        x = attended(w, f"decoder_blocks.{i}", x, case.decoder.heads)
    prediction = linear(w, "decoder_pred", layer_norm(w, "decoder_norm", x))
    patches = patches_of(case, feed["image"])
    target = normalized(patches) if case.normalize else patches
    return take((prediction - target) ** 2, feed["hidden"]).mean()


def spec_of(case: Case) -> str:
    height, width, channels = case.image
    depths, widths = ("({})".format(", ".join(map(str, numbers))) for numbers in (case.depths, case.widths))
    decoder = case.decoder
    return f"""edition 2026
model Reference {{
  input   image(size: {height}x{width}, channels: {channels})
  mask    random(ratio: {case.ratio * 100:g}%)
  encoder convvit(depths: {depths}, widths: {widths}, heads: {case.heads}, stem: {case.stem})
  decoder map_vit(depth: {decoder.depth}, width: {decoder.width}, heads: {decoder.heads})
  target  pixels(normalize: patch)
  loss    mse(on: hidden)
}}
"""


def run(case: Case) -> tuple[dict, dict]:
    random = torch.Generator().manual_seed(case.seed)
    weights = make_weights(case, random)
    image, order, restore, _ = drawn(case, random)
    feed = {"image": image, "visible": order[:, : case.visible], "hidden": order[:, case.visible :], "restore": restore}
    w, again = leaves(weights, FIXED), leaves(weights, FIXED)
    loss = loss_of(case, w, feed)
    loss.backward()
    with torch.no_grad():
        everything = torch.arange(case.tokens).expand(case.batch, -1)
        features, seen = (latent_of(case, weights, image, cells) for cells in (everything, feed["visible"]))
        difference = max(
            largest(features, dense(case, weights, image, everything)), largest(seen, dense(case, weights, image, feed["visible"]))
        )
        assert difference < AGREEMENT, difference
        # What is hidden is zero, and stands there as the bias of the norm.
        latent = weights["norm.bias"].expand_as(features).clone()
        latent = latent.scatter(1, feed["visible"][..., None].expand_as(seen), seen)
    header = header_of(case, spec_of(case), {"mse": loss}, loss) | {
        "dense_difference": difference,
        "training": trained(again, lambda: loss_of(case, again, feed)),
    }
    return header, tensors_of(case, w, image, order, restore) | {"features": features, "latent": latent}


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
        heads=encoder["heads"],
        decoder=Network(decoder["depth"], decoder["width"], decoder["heads"]),
        normalize=target["normalize"] == "patch",
        fuse=encoder["fuse"],
        batch=example["batch"],
        kernel=encoder["kernel"],
    )
    assert (encoder["mlp_ratio"], decoder["mlp_ratio"]) == (4, 4)
    assert example["tokens"] == {"total": case.tokens, "visible": case.visible}, (example["tokens"], case)
    w = leaves(weights, FIXED)
    return descend(example, w, feeds, lambda feed: loss_of(case, w, feed))


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent)
    write(folder / "convmae", *run(SMALL))


if __name__ == "__main__":
    main()
