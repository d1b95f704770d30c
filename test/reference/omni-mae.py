"""Writes the fixture of OmniMAE: clips and images, which are clips of two equal frames, through the same small network, in float64 by PyTorch.

Written from the description (Girdhar et al., CVPR 2023, with the sizes and constants of the official repository), by the parts of VideoMAE's
script: tubelets are hidden one by one, keys have a bias, and so has the layer into the decoder. The loss is that of a batch of clips and a batch of
images together. Usage: python omni-mae.py [folder]; `train` is described in stepping.py.
"""

import importlib
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from drawing import Drawing
from mae import Network, block, layer_norm, linear, network_of, take
from method import learned, write
from stepping import Feed, Weights, descend, leaves, line

video = importlib.import_module("video-mae")


@dataclass(frozen=True)
class Case(video.Case):
    @property
    def visible(self) -> int:
        """floor(r N) of all N tubelets are hidden."""
        return self.tokens - int(self.ratio * self.tokens)


CLIPS = Case(47, 2, (6, 8, 12, 3), (2, 4, 4), 0.7, Network(2, 24, 2), Network(1, 12, 2))
IMAGES = replace(CLIPS, batch=3, clip=(2, 8, 12, 3), ratio=0.5)


def make_weights(case: Case, random: torch.Generator) -> Weights:
    draw = Drawing(random)
    encoder, decoder = case.encoder, case.decoder
    draw.matrix("patch_embed.proj", encoder.width, case.values)
    draw.blocks("blocks", encoder.depth, encoder.width)
    draw.norm("norm", encoder.width)
    draw.matrix("decoder_embed", decoder.width, encoder.width)
    draw.normal("mask_token", 1, 1, decoder.width, std=0.3)
    draw.blocks("decoder_blocks", decoder.depth, decoder.width)
    draw.norm("decoder_norm", decoder.width)
    draw.matrix("decoder_pred", case.values, decoder.width)
    return draw.weights


def predict(case: Case, w: Weights, clip: torch.Tensor, visible: torch.Tensor, restore: torch.Tensor) -> torch.Tensor:
    """-> [B, N, P]; an image's tubelets have the first places of a clip's"""
    tokens = linear(w, "patch_embed.proj", video.tubelets(case, clip))
    x = take(tokens + video.positions(case.tokens, case.encoder.width), visible)
    for i in range(case.encoder.depth):
        x = block(w, f"blocks.{i}", x, case.encoder.heads)
    narrow = linear(w, "decoder_embed", layer_norm(w, "norm", x))
    hidden = w["mask_token"].expand(len(x), case.tokens - visible.shape[1], -1)
    x = take(torch.cat([narrow, hidden], dim=1), restore) + video.positions(case.tokens, case.decoder.width)
    for i in range(case.decoder.depth):
        x = block(w, f"decoder_blocks.{i}", x, case.decoder.heads)
    return linear(w, "decoder_pred", layer_norm(w, "decoder_norm", x))


def loss_of(case: Case, w: Weights, clip: torch.Tensor, restore: torch.Tensor) -> torch.Tensor:
    order = restore.argsort(dim=1)
    error = (predict(case, w, clip, order[:, : case.visible], restore) - video.target_of(case, clip)) ** 2
    return take(error, order[:, case.visible :]).mean()


def drawn(case: Case, random: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """-> clips, whose frames are all alike where there are two, and where each tubelet stands, visible ones first"""
    frames, *image = case.clip
    shape = (case.batch, 1 if frames == 2 else frames, *image)
    clips = torch.randn(*shape, generator=random, dtype=torch.float64).float().double().expand(-1, frames, -1, -1, -1)
    return clips.contiguous(), torch.rand(case.batch, case.tokens, generator=random).argsort(dim=1).argsort(dim=1)


def spec_of(case: Case) -> str:
    frames, height, width, channels = case.clip
    return f"""edition 2026
model Reference {{
  input     video(frames: {frames}, size: {height}x{width}, channels: {channels})
  tokens    patch(size: {"x".join(map(str, case.tubelet))})
  positions sin_cos(order: flat)
  mask      random(ratio: {case.ratio * 100:g}%, round: hidden_down)
  encoder   vit(depth: {case.encoder.depth}, width: {case.encoder.width}, heads: {case.encoder.heads}, class_token: false)
  decoder   vit(depth: {case.decoder.depth}, width: {case.decoder.width}, heads: {case.decoder.heads})
  target    pixels(normalize: {case.normalize})
  loss      mse(on: hidden)
}}
"""


def run(case: Case, weights: Weights, random: torch.Generator) -> tuple[dict, dict[str, torch.Tensor]]:
    clip, restore = drawn(case, random)
    w = leaves(weights, [])
    loss = loss_of(case, w, clip, restore)
    loss.backward()
    header = {
        "spec": spec_of(case),
        "batch": case.batch,
        "tokens": {"total": case.tokens, "visible": case.visible},
        "terms": {"mse": loss.item()},
        "loss": loss.item(),
    }
    tables = {"pos_embed": case.encoder.width, "decoder_pos_embed": case.decoder.width}
    fixed = {f"weights/{name}": video.positions(case.tokens, width).float() for name, width in tables.items()}
    return header, learned(w) | fixed | {"video": clip, "order": restore.argsort(dim=1).int(), "restore": restore.int()}


def case_of(model: list[dict], batch: int) -> Case:
    within = {"model": model}
    clip, own = line(within, "input")["values"], line(within, "mask")["values"]
    assert own["round"] == "hidden_down" and own["along"] is None, own
    return Case(
        seed=0,
        batch=batch,
        clip=(clip["frames"], *clip["size"], clip["channels"]),
        tubelet=tuple(line(within, "tokens")["values"]["size"]),
        ratio=own["ratio"],
        encoder=network_of(line(within, "encoder")),
        decoder=network_of(line(within, "decoder")),
        normalize=line(within, "target")["values"]["normalize"],
    )


def train(example: dict, weights: Weights, feeds: list[Feed]) -> list[float]:
    models = [example["model"], *(one["model"] for one in example.get("beside", []))]
    cases = {case.clip[0]: case for case in (case_of(model, example["batch"]) for model in models)}
    # Each model has tables of its own, which follow from it.
    trained = {name: weight for name, weight in weights.items() if not name.endswith("pos_embed")}
    w = leaves(trained, [])
    return descend(example, w, feeds, lambda feed: loss_of(cases[feed["video"].shape[1]], w, feed["video"], feed["restore"]))


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent)
    random = torch.Generator().manual_seed(CLIPS.seed)
    weights = make_weights(CLIPS, random)
    write(folder / "omni-mae", *run(CLIPS, weights, random))
    write(folder / "omni-mae-images", *run(IMAGES, weights, random))


if __name__ == "__main__":
    main()
