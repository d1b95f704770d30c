"""Writes the fixture of masked autoencoders of clips that look for anomalies: cubes of which whole frames are erased, in float64 by PyTorch.

Written from the descriptions (Yu et al., ACM MM 2020; Ristea et al., CVPR 2024): the transformer of MAE over tubelets, with learned positions or sines
and cosines of each axis, with or without a class token, judged where frames are erased or everywhere. Scores are recorded by anomaly.py.
Usage: python uvad.py [folder]; `train` is described in stepping.py.
"""

import importlib
import math
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from drawing import Drawing
from mae import AGREEMENT, Network, block, largest, layer_norm, linear, take
from method import header_of, learned, vit, write
from stepping import Feed, Weights, descend, leaves, line

video_mae = importlib.import_module("video-mae")
axis_positions = importlib.import_module("selfmed-mae").positions


@dataclass(frozen=True)
class Case:
    clip: tuple[int, int, int, int]  # frames, height, width, channels
    tubelet: tuple[int, int, int]
    visible: int
    encoder: Network
    decoder: Network
    on: str = "hidden"
    # Only the middle frame of each token is predicted; patches count by how much moves in them.
    middle: bool = False
    motion: bool = False
    batch: int = 2

    @property
    def grid(self) -> tuple[int, int, int]:
        return tuple(size // side for size, side in zip(self.clip, self.tubelet, strict=False))

    @property
    def tokens(self) -> int:
        slots, rows, columns = self.grid
        return slots * rows * columns


SMALL = Case((5, 8, 8, 1), (1, 4, 4), 16, Network(2, 24, 2), Network(1, 12, 2))


def begin(case: Case, w: dict, clip: torch.Tensor, visible: torch.Tensor, restore: torch.Tensor) -> tuple[int, torch.Tensor]:
    """-> tokens in front, and every token at its place, as the decoder's blocks see it: [B, first + N, D]"""
    first = int("cls_token" in w)
    x = take(linear(w, "patch_embed.proj", video_mae.tubelets(case, clip)) + w["pos_embed"][:, first:], visible)
    if first:
        x = torch.cat([(w["cls_token"] + w["pos_embed"][:, :1]).expand(len(x), -1, -1), x], dim=1)
    for i in range(case.encoder.depth):
        x = block(w, f"blocks.{i}", x, case.encoder.heads)
    narrow = linear(w, "decoder_embed", layer_norm(w, "norm", x))
    hidden = w["mask_token"].expand(len(x), case.tokens - visible.shape[1], -1)
    x = torch.cat([narrow[:, :first], take(torch.cat([narrow[:, first:], hidden], dim=1), restore)], dim=1)
    return first, x + w["decoder_pos_embed"]


def predict(case: Case, w: dict, clip: torch.Tensor, visible: torch.Tensor, restore: torch.Tensor) -> torch.Tensor:
    """-> [B, N, P]"""
    first, x = begin(case, w, clip, visible, restore)
    for i in range(case.decoder.depth):
        x = block(w, f"decoder_blocks.{i}", x, case.decoder.heads)
    return linear(w, "decoder_pred", layer_norm(w, "decoder_norm", x))[:, first:]


def loss_of(case: Case, w: dict, clip: torch.Tensor, visible: torch.Tensor, hidden: torch.Tensor, restore) -> torch.Tensor:
    return error_of(case, predict(case, w, clip, visible, restore), clip, hidden)


def error_of(case: Case, predicted: torch.Tensor, clip: torch.Tensor, hidden: torch.Tensor) -> torch.Tensor:
    times, size = case.clip[0], case.tubelet[0]
    frames = clip[:, [slot * size + size // 2 for slot in range(times // size)]] if case.middle else clip
    single = replace(case, clip=(times // size, *case.clip[1:]), tubelet=(1, *case.tubelet[1:])) if case.middle else case
    error = (predicted - video_mae.tubelets(single, frames)) ** 2
    if case.motion:
        weights = motion_of(case, clip)
        error, weights = (take(one, hidden) if case.on == "hidden" else one for one in (error, weights))
        return ((error.mean(dim=2) * weights[..., 0]).sum(dim=1) / (weights[..., 0].sum(dim=1) + 1e-6)).mean()
    return (take(error, hidden) if case.on == "hidden" else error).mean()


def motion_of(case: Case, clip: torch.Tensor) -> torch.Tensor:
    """The largest difference between first and last frame in each token, the mean over channels: [B, N, 1]"""
    moved = (clip[:, -1] - clip[:, 0]).abs().permute(0, 3, 1, 2)
    largest_of_patches = torch.nn.functional.max_pool2d(moved, case.tubelet[1:]).mean(dim=1).flatten(1)
    return largest_of_patches.repeat(1, case.grid[0])[..., None]


def make_weights(case: Case, random: torch.Generator) -> Weights:
    draw = Drawing(random)
    encoder, decoder = case.encoder, case.decoder
    values = math.prod(case.tubelet) * case.clip[3]
    predicted = math.prod(case.tubelet[case.middle :]) * case.clip[3]
    draw.normal("pos_embed", 1, case.tokens, encoder.width)
    draw.matrix("patch_embed.proj", encoder.width, values)
    draw.blocks("blocks", encoder.depth, encoder.width)
    draw.norm("norm", encoder.width)
    draw.normal("decoder_pos_embed", 1, case.tokens, decoder.width)
    draw.matrix("decoder_embed", decoder.width, encoder.width)
    draw.normal("mask_token", 1, 1, decoder.width, std=0.3)
    draw.blocks("decoder_blocks", decoder.depth, decoder.width)
    draw.norm("decoder_norm", decoder.width)
    draw.matrix("decoder_pred", predicted, decoder.width)
    return draw.weights


def erased(case: Case, random: torch.Generator) -> torch.Tensor:
    """An order of the tokens for each clip, visible ones first: all tokens of some slots are hidden. [B, N]"""
    slots, rows, columns = case.grid
    place = torch.arange(rows * columns)
    orders = [torch.randperm(slots, generator=random) for _ in range(case.batch)]
    return torch.stack([(order[:, None] * rows * columns + place).flatten() for order in orders])


def run(case: Case) -> tuple[dict, dict[str, torch.Tensor]]:
    random = torch.Generator().manual_seed(47)
    order = erased(case, random)
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
  positions learned
  mask      random(ratio: {100 - 100 * case.visible / case.tokens:g}%, along: [time])
  encoder   {vit(case.encoder, ", class_token: false")}
  decoder   {vit(case.decoder)}
  target    pixels(normalize: none)
  loss      mse(on: hidden)
}}
"""


def case_of(example: dict) -> Case:
    video = line(example, "input")["values"]

    def network(slot: str) -> Network:
        values = line(example, slot)["values"]
        return Network(values["depth"], values["width"], values["heads"])

    judged = line(example, "loss")
    case = Case(
        clip=(video["frames"], *video["size"], video["channels"]),
        tubelet=tuple(line(example, "tokens")["values"]["size"]),
        visible=example["tokens"]["visible"],
        encoder=network("encoder"),
        decoder=network("decoder"),
        on=judged["values"]["on"] if judged else "all",
        middle=line(example, "target")["block"] == "middle",
        motion=bool(judged) and judged["block"] == "motion_mse",
    )
    assert example["tokens"]["total"] == case.tokens and line(example, "target")["values"]["normalize"] == "none"
    return case


def agree_on_tables(case: Case, example: dict, weights: Weights) -> list[str]:
    """-> the tables that are not learned, which are what we say that they are."""
    tables = [] if line(example, "positions")["block"] == "learned" else ["pos_embed", "decoder_pos_embed"]
    for name in tables:
        # Of each axis a third, as of volumes; nothing for the class token.
        table = axis_positions(case, weights[name].shape[-1])[:, -weights[name].shape[1] :]
        assert largest(weights[name], table) < AGREEMENT, name
    return tables


def train(example: dict, weights: Weights, feeds: list[Feed]) -> list[float]:
    case = case_of(example)
    w = leaves(weights, agree_on_tables(case, example, weights))

    def loss(feed: Feed) -> torch.Tensor:
        return loss_of(case, w, feed["video"], feed["visible"], feed["hidden"], feed["restore"])

    return descend(example, w, feeds, loss)


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent)
    write(folder / "uvad", *run(SMALL))


if __name__ == "__main__":
    main()
