"""Writes the fixture of MAE-ST: a small model of clips, in float64 by PyTorch.

Written from the description (Feichtenhofer et al., NeurIPS 2022, with what the official repository does): tubelets are hidden anywhere in
space and time; positions are learned, a vector for each time and one for each place; the decoder has a class token of its own in the place
of the encoder's; some frames are predicted, patch by patch normalised. Usage: python mae-st.py [folder]; `train` is described in stepping.py.
"""

import importlib
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from drawing import Drawing
from mae import Network, block, layer_norm, linear, network_of, normalized, take
from method import header_of, learned, vit, write
from stepping import Feed, Weights, descend, leaves, line

video_mae = importlib.import_module("video-mae")


@dataclass(frozen=True)
class Case(video_mae.Case):
    times: int | None = None

    @property
    def visible(self) -> int:
        return int(self.tokens * (1 - self.ratio))

    @property
    def predicted(self) -> int:
        """Frames that are predicted."""
        return self.times or self.clip[0]


SMALL = Case(61, 2, (8, 8, 12, 2), (4, 4, 4), 0.6, Network(2, 24, 2), Network(1, 16, 2), "patch", 4)


def make_weights(case: Case, random: torch.Generator) -> Weights:
    draw = Drawing(random)

    def positions(name: str, width: int) -> None:
        slots, rows, columns = case.grid
        draw.normal(f"{name}.class", 1, 1, width, std=0.3)
        draw.normal(f"{name}.temporal", 1, slots, width, std=0.3)
        draw.normal(f"{name}.spatial", 1, rows * columns, width, std=0.3)

    encoder, decoder = case.encoder, case.decoder
    positions("pos_embed", encoder.width)
    draw.matrix("patch_embed.proj", encoder.width, case.values)
    draw.normal("cls_token", 1, 1, encoder.width, std=0.3)
    draw.blocks("blocks", encoder.depth, encoder.width)
    draw.norm("norm", encoder.width)
    positions("decoder_pos_embed", decoder.width)
    draw.matrix("decoder_embed", decoder.width, encoder.width)
    draw.normal("mask_token", 1, 1, decoder.width, std=0.3)
    draw.normal("decoder_cls_token", 1, 1, decoder.width, std=0.3)
    draw.blocks("decoder_blocks", decoder.depth, decoder.width)
    draw.norm("decoder_norm", decoder.width)
    draw.matrix("decoder_pred", case.values * case.predicted // case.clip[0], decoder.width)
    return draw.weights


def positions_of(w: dict, name: str) -> torch.Tensor:
    """[1, N, D]: of each time all places."""
    return (w[f"{name}.temporal"][0, :, None] + w[f"{name}.spatial"][0, None]).flatten(0, 1)[None]


def with_token(w: dict, token: str, positions: str, tokens: torch.Tensor) -> torch.Tensor:
    first = w[token] + w[f"{positions}.class"]
    return torch.cat([first.expand(len(tokens), -1, -1), tokens], dim=1)


def predict(case: Case, w: dict, clip: torch.Tensor, visible: torch.Tensor, restore: torch.Tensor) -> torch.Tensor:
    """-> [B, N, P]"""
    tokens = linear(w, "patch_embed.proj", video_mae.tubelets(case, clip)) + positions_of(w, "pos_embed")
    x = with_token(w, "cls_token", "pos_embed", take(tokens, visible))
    for i in range(case.encoder.depth):
        x = block(w, f"blocks.{i}", x, case.encoder.heads)
    narrow = linear(w, "decoder_embed", layer_norm(w, "norm", x)[:, 1:])
    hidden = w["mask_token"].expand(len(x), case.tokens - visible.shape[1], -1)
    x = take(torch.cat([narrow, hidden], dim=1), restore) + positions_of(w, "decoder_pos_embed")
    x = with_token(w, "decoder_cls_token", "decoder_pos_embed", x)
    for i in range(case.decoder.depth):
        x = block(w, f"decoder_blocks.{i}", x, case.decoder.heads)
    return linear(w, "decoder_pred", layer_norm(w, "decoder_norm", x)[:, 1:])


def target_of(case: Case, clip: torch.Tensor) -> torch.Tensor:
    """Of each tubelet its share of the frames that are predicted."""
    frames = clip[:, torch.linspace(0, case.clip[0] - 1, case.predicted).long()]
    share = case.tubelet[0] * case.predicted // case.clip[0]
    cut = replace(case, clip=(case.predicted, *case.clip[1:]), tubelet=(share, *case.tubelet[1:]))
    patches = video_mae.tubelets(cut, frames)
    if case.normalize == "none":
        return patches
    return normalized(patches)


def loss_of(case: Case, w: dict, clip: torch.Tensor, visible: torch.Tensor, hidden: torch.Tensor, restore) -> torch.Tensor:
    error = (predict(case, w, clip, visible, restore) - target_of(case, clip)) ** 2
    return take(error, hidden).mean()


def run(case: Case) -> tuple[dict, dict[str, torch.Tensor]]:
    random = torch.Generator().manual_seed(case.seed)
    order = torch.rand(case.batch, case.tokens, generator=random, dtype=torch.float64).argsort(dim=1)
    restore = order.argsort(dim=1)
    clip = torch.randn(case.batch, *case.clip, generator=random, dtype=torch.float64).float().double()
    w = leaves(make_weights(case, random), [])
    loss = loss_of(case, w, clip, order[:, : case.visible], order[:, case.visible :], restore)
    loss.backward()
    header = header_of(case, spec_of(case), {"mse": loss}, loss)
    return header, learned(w) | {"video": clip, "order": order.int(), "restore": restore.int()}


def spec_of(case: Case) -> str:
    frames, height, width, channels = case.clip
    return f"""edition 2026
model Reference {{
  input     video(frames: {frames}, size: {height}x{width}, channels: {channels})
  tokens    patch(size: {"x".join(map(str, case.tubelet))})
  positions separable
  mask      random(ratio: {case.ratio * 100:g}%)
  encoder   {vit(case.encoder)}
  decoder   {vit(case.decoder, ", class_token: own")}
  target    pixels(normalize: {case.normalize}, times: {case.times})
  loss      mse(on: hidden)
}}
"""


def train(example: dict, weights: Weights, feeds: list[Feed]) -> list[float]:
    video, mask, own, target = (line(example, slot)["values"] for slot in ("input", "mask", "loss", "target"))
    assert own["on"] == "hidden" and line(example, "decoder")["values"]["class_token"] == "own"
    case = Case(
        seed=0,
        batch=example["batch"],
        clip=(video["frames"], *video["size"], video["channels"]),
        tubelet=tuple(line(example, "tokens")["values"]["size"]),
        ratio=mask["ratio"],
        encoder=network_of(line(example, "encoder")),
        decoder=network_of(line(example, "decoder")),
        normalize=target["normalize"],
        times=target["times"],
    )
    assert example["tokens"] == {"total": case.tokens, "visible": case.visible}, (example["tokens"], case)
    w = leaves(weights, [])

    def loss(feed: Feed) -> torch.Tensor:
        return loss_of(case, w, feed["video"], feed["visible"], feed["hidden"], feed["restore"])

    return descend(example, w, feeds, loss)


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent)
    write(folder / "mae-st", *run(SMALL))


if __name__ == "__main__":
    main()
