"""Writes the fixture of AED-MAE: a decoder of whole clips, and a student that begins behind its first block, in float64 by PyTorch.

Written from the description (Ristea et al., CVPR 2024) and read beside the released code: the decoder predicts middle frames, and patches count by how much
moves in them; the student has a block, a norm and a layer of its own, and is judged by how far it is from what the decoder says of hidden tokens, which it does not change. In the fixture both losses stand together, so that the first block is
trained by both; examples train the student alone.
Usage: python aed-mae.py [folder]; `train` is described in stepping.py.
"""

import importlib
import sys
from dataclasses import dataclass
from pathlib import Path

import torch
from drawing import Drawing
from mae import Network, block, layer_norm, linear, take
from method import header_of, learned, vit, write
from stepping import Feed, Weights, descend, leaves, line

uvad = importlib.import_module("uvad")
video_mae = importlib.import_module("video-mae")


@dataclass(frozen=True)
class Case(uvad.Case):
    after: int = 1
    student: Network = Network(1, 12, 2)
    # The target's own loss, beside which the student's stands; null: the student is trained alone.
    beside: float | None = 0.5


SMALL = Case((3, 8, 8, 2), (3, 2, 2), 8, Network(2, 24, 2), Network(3, 12, 2), on="all", middle=True, motion=True)


def predict(case: Case, w: dict, clip: torch.Tensor, visible: torch.Tensor, restore: torch.Tensor):
    """-> what the decoder says, and what the student says, [B, N, P] each"""
    first, x = uvad.begin(case, w, clip, visible, restore)
    for i in range(case.after):
        x = block(w, f"decoder_blocks.{i}", x, case.decoder.heads)
    own = x
    for i in range(case.student.depth):
        own = block(w, f"student.decoder_blocks.{i}", own, case.student.heads)
    for i in range(case.after, case.decoder.depth):
        x = block(w, f"decoder_blocks.{i}", x, case.decoder.heads)

    def last(of: str, tokens: torch.Tensor) -> torch.Tensor:
        return linear(w, f"{of}decoder_pred", layer_norm(w, f"{of}decoder_norm", tokens))[:, first:]

    return last("", x), last("student.", own)


def losses_of(case: Case, w: dict, clip, visible, hidden, restore) -> tuple[torch.Tensor, torch.Tensor]:
    teacher, student = predict(case, w, clip, visible, restore)
    return uvad.error_of(case, teacher, clip, hidden), take((student - teacher.detach()) ** 2, hidden).mean()


def make_weights(case: Case, random: torch.Generator) -> Weights:
    own = uvad.make_weights(case, random)
    draw = Drawing(random)
    width = case.decoder.width
    # With a class token, which has a place of its own in both tables.
    draw.normal("cls_token", 1, 1, case.encoder.width)
    for name in ("pos_embed", "decoder_pos_embed"):
        draw.normal(name, 1, case.tokens + 1, own[name].shape[-1])
    draw.blocks("student.decoder_blocks", case.student.depth, width)
    draw.norm("student.decoder_norm", width)
    draw.matrix("student.decoder_pred", own["decoder_pred.bias"].shape[0], width)
    return own | draw.weights


def run(case: Case) -> tuple[dict, dict[str, torch.Tensor]]:
    random = torch.Generator().manual_seed(53)
    order = torch.rand(case.batch, case.tokens, generator=random, dtype=torch.float64).argsort(dim=1)
    restore = order.argsort(dim=1)
    clip = torch.randn(case.batch, *case.clip, generator=random, dtype=torch.float64).float().double()
    w = leaves(make_weights(case, random), [])
    teacher, student = losses_of(case, w, clip, order[:, : case.visible], order[:, case.visible :], restore)
    loss = teacher + case.beside * student
    loss.backward()
    header = header_of(case, spec_of(case), {"motion_mse": teacher, "student.mse": student}, loss)
    return header, learned(w) | {"video": clip, "order": order.int(), "restore": restore.int()}


def spec_of(case: Case) -> str:
    frames, height, width, channels = case.clip
    student = vit(case.student).replace("vit(", f"branch(after: {case.after}, ")
    return f"""edition 2026
model Reference {{
  input     video(frames: {frames}, size: {height}x{width}, channels: {channels})
  tokens    patch(size: {"x".join(map(str, case.tubelet))})
  positions learned
  mask      random(ratio: {100 - 100 * case.visible / case.tokens:g}%)
  encoder   {vit(case.encoder)}
  decoder   {vit(case.decoder)}
  target    middle(normalize: none)
  target    student: imitation {{
    decoder {student}
    loss    mse(on: hidden, weight: {case.beside})
  }}
  loss      motion_mse(on: {case.on})
}}
"""


def train(example: dict, weights: Weights, feeds: list[Feed]) -> list[float]:
    target = line(example, "target", "student")
    branch, judged = line(target, "decoder")["values"], line(target, "loss")["values"]
    assert line(example, "loss") is None and (judged["on"], judged["weight"]) == ("hidden", 1), "the student is trained alone"
    own = uvad.case_of(example)
    student = Network(branch["depth"], branch["width"], branch["heads"])
    case = Case(**own.__dict__, after=branch["after"], student=student, beside=None)
    resting = [name for name in weights if name not in example["only"]]
    assert all(name.startswith("student.") for name in example["only"])
    uvad.agree_on_tables(case, example, weights)
    w = leaves(weights, resting)

    def loss(feed: Feed) -> torch.Tensor:
        return losses_of(case, w, feed["video"], feed["visible"], feed["hidden"], feed["restore"])[1]

    return descend(example, w, feeds, loss)


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent)
    write(folder / "aed-mae", *run(SMALL))


if __name__ == "__main__":
    main()
