"""Writes the fixture of MAETok: a small autoencoder that holds an image in a few latents, and predicts pixels and edges from them.

Written from the description (Chen et al., ICML 2025, section 3.1): hidden patches enter the encoder as copies of one learned token; learned latent
tokens stand behind them, with places of their own; what the encoder makes of those alone is made narrow and goes on. A decoder for each target
sees the latents, with other places, and a copy of one learned token for each patch.
Usage: python maetok.py [folder]; `train` is described in stepping.py.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

import torch
from drawing import Drawing
from mae import (
    AGREEMENT,
    Case,
    Network,
    block,
    largest,
    layer_norm,
    linear,
    loss_of,
    network_of,
    patches_of,
    sine_cosine,
)
from maskfeat import hog
from method import drawn, header_of, tensors_of, vit, write
from stepping import Feed, Weights, descend, leaves, line, lines


@dataclass(frozen=True)
class Target:
    """What is predicted from the latents, by a decoder of its own."""

    label: str | None
    kind: str  # pixels, hog
    on: str
    decoder: Network
    bins: int = 9
    cell: tuple[int, int] = (8, 8)

    @property
    def prefix(self) -> str:
        return "" if self.label is None else f"{self.label}."

    def values(self, case: Case, image: torch.Tensor) -> torch.Tensor:
        return patches_of(case, image) if self.kind == "pixels" else hog(case, image, self.bins, self.cell)


@dataclass(frozen=True)
class Latents:
    count: int
    width: int


SMALL = Case(
    name="maetok",
    summary="",
    seed=91,
    batch=3,
    image=(16, 24, 3),
    patch=(8, 8),
    ratio=0.5,
    encoder=Network(2, 16, 2),
    decoder=Network(1, 12, 2),
    normalize=False,
    learned_positions=True,
)
TABLES = ("pos_embed", "decoder_pos_embed")
ENCODER = ("pos_embed", "patch_embed", "hidden_token", "blocks", "norm", "latent_", "quant_conv")
LATENTS = Latents(4, 6)
TARGETS = (
    Target(None, "pixels", "all", Network(1, 12, 2)),
    Target("edges", "hog", "hidden", Network(1, 8, 2), bins=3, cell=(4, 4)),
)


def make_weights(case: Case, random: torch.Generator) -> dict[str, torch.Tensor]:
    draw = Drawing(random)
    width = case.encoder.width
    draw.normal("pos_embed", 1, case.tokens, width, std=0.3)
    draw.matrix("patch_embed.proj", width, case.values)
    draw.normal("hidden_token", 1, 1, width, std=0.3)
    draw.blocks("blocks", case.encoder.depth, width)
    draw.norm("norm", width)
    draw.normal("latent_tokens", 1, LATENTS.count, width, std=0.3)
    draw.normal("latent_pos_embed", 1, LATENTS.count, width, std=0.3)
    draw.matrix("quant_conv", LATENTS.width, width)
    image = torch.zeros(1, *case.image, dtype=torch.float64)
    for target in TARGETS:
        own, narrow = target.prefix, target.decoder.width
        draw.normal(f"{own}decoder_latent_pos_embed", 1, LATENTS.count, narrow, std=0.3)
        draw.normal(f"{own}decoder_pos_embed", 1, case.tokens, narrow, std=0.3)
        draw.matrix(f"{own}decoder_embed", narrow, LATENTS.width)
        draw.normal(f"{own}mask_token", 1, 1, narrow, std=0.3)
        draw.blocks(f"{own}decoder_blocks", target.decoder.depth, narrow)
        draw.norm(f"{own}decoder_norm", narrow)
        draw.matrix(f"{own}decoder_pred", target.values(case, image).shape[2], narrow)
    return draw.weights


def encode(case: Case, latents: Latents, w: dict, image: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """mask [B, N], 1 = hidden -> latents [B, count, width]"""
    tokens = linear(w, "patch_embed.proj", patches_of(case, image))
    tokens = torch.where(mask[:, :, None] > 0, w["hidden_token"], tokens) + w["pos_embed"]
    asking = (w["latent_tokens"] + w["latent_pos_embed"]).expand(len(image), -1, -1)
    x = torch.cat([tokens, asking], dim=1)
    for i in range(case.encoder.depth):
        x = block(w, f"blocks.{i}", x, case.encoder.heads)
    return linear(w, "quant_conv", layer_norm(w, "norm", x)[:, -latents.count :])


def decode(target: Target, w: dict, latents: torch.Tensor) -> torch.Tensor:
    """-> prediction [B, N, P]"""
    own = target.prefix
    told = linear(w, f"{own}decoder_embed", latents) + w[f"{own}decoder_latent_pos_embed"]
    patches = (w[f"{own}mask_token"] + w[f"{own}decoder_pos_embed"]).expand(len(latents), -1, -1)
    x = torch.cat([patches, told], dim=1)
    for i in range(target.decoder.depth):
        x = block(w, f"{own}decoder_blocks.{i}", x, target.decoder.heads)
    return linear(w, f"{own}decoder_pred", layer_norm(w, f"{own}decoder_norm", x[:, : patches.shape[1]]))


def terms_of(case: Case, targets, latents: Latents, w: dict, image: torch.Tensor, mask: torch.Tensor) -> dict:
    told = encode(case, latents, w, image, mask)
    return {
        f"{target.prefix}mse": loss_of("mse", target.on, decode(target, w, told), target.values(case, image), mask)
        for target in targets
    }


def run(case: Case) -> tuple[dict, dict[str, torch.Tensor]]:
    random = torch.Generator().manual_seed(case.seed)
    image, order, restore, mask = drawn(case, random)
    w = leaves(make_weights(case, random), [])
    terms = terms_of(case, TARGETS, LATENTS, w, image, mask)
    total = sum(terms.values())
    total.backward()
    tensors = tensors_of(case, w, image, order, restore) | {"latent": encode(case, LATENTS, w, image, mask).detach()}
    return header_of(case, spec_of(case), terms, total), tensors


def spec_of(case: Case) -> str:
    (height, width, channels), (pixels, edges) = case.image, TARGETS
    return "\n".join(
        [
            "edition 2026",
            "model Reference {",
            f"  input     image(size: {height}x{width}, channels: {channels})",
            f"  tokens    patch(size: {case.patch[0]}x{case.patch[1]})",
            "  positions learned",
            f"  mask      random(ratio: {case.ratio * 100:g}%, hidden: token)",
            f"  encoder   {vit(case.encoder, ', class_token: false')}",
            f"  latents   learned(count: {LATENTS.count}, width: {LATENTS.width})",
            f"  decoder   {vit(pixels.decoder)}",
            "  target    pixels(normalize: none)",
            "  loss      mse(on: all)",
            f"  target    edges: hog(bins: {edges.bins}, cell: {edges.cell[0]}x{edges.cell[1]}) {{",
            f"    decoder {vit(edges.decoder)}",
            "    loss    mse(on: hidden)",
            "  }",
            "}",
            "",
        ]
    )


def target_of(within: dict, target: dict, label: str | None) -> Target:
    (loss,), (decoder,) = lines(within, "loss"), lines(within, "decoder")
    assert loss["block"] == "mse" and loss["values"]["weight"] == 1, loss
    values = target["values"]
    sizes = {"bins": values["bins"], "cell": tuple(values["cell"])} if target["block"] == "hog" else {}
    return Target(label, target["block"], loss["values"]["on"], network_of(decoder), **sizes)


def train(example: dict, weights: Weights, feeds: list[Feed]) -> list[float]:
    image, mask, own = (line(example, slot) for slot in ("input", "mask", "latents"))
    assert mask["values"]["hidden"] == "token", mask
    case = Case(
        name=example["name"],
        summary="",
        seed=0,
        batch=example["batch"],
        image=(*image["values"]["size"], image["values"]["channels"]),
        patch=tuple(line(example, "tokens")["values"]["size"]),
        ratio=0.5,
        encoder=network_of(line(example, "encoder")),
        decoder=network_of(line(example, "decoder")),
        normalize=False,
        learned_positions=line(example, "positions")["block"] == "learned",
    )
    latents = Latents(own["values"]["count"], own["values"]["width"])
    every = lines(example, "target")
    targets = [target_of(example if one["label"] is None else one, one, one["label"]) for one in every]
    tables = [] if case.learned_positions else [name for name in weights if name.split(".")[-1] in TABLES]
    for name in tables:
        assert largest(weights[name], sine_cosine(weights[name].shape[2], *case.grid)[:, 1:]) < AGREEMENT, name
    assert example.get("freeze") in (None, "encoder"), example["freeze"]
    frozen = [name for name in weights if name.startswith(ENCODER)] if "freeze" in example else []
    w = leaves(weights, {*tables, *frozen})

    def loss(feed: Feed) -> torch.Tensor:
        hidden = (feed["restore"] >= feed["visible"].shape[1]).double()
        return sum(terms_of(case, targets, latents, w, feed["image"], hidden).values())

    return descend(example, w, feeds, loss)


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent)
    write(folder / "maetok", *run(SMALL))


if __name__ == "__main__":
    main()
