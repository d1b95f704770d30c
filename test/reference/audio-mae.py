"""Writes the fixture of Audio-MAE: a small model of spectrograms, in float64 by PyTorch.

Written from the description (Huang et al., NeurIPS 2022): the plain masked autoencoder of mae.py, whose image is a spectrogram of one
channel with time along its rows, and the decoder that attends to everything ("mode 0"). Its encoder of published size is counted
here against Hugging Face's ASTModel; its fine-tuned classifiers are written in the form of AST. Usage: python audio-mae.py [folder]; `train` is described in stepping.py.
"""

import sys
from dataclasses import dataclass, replace
from pathlib import Path

# Its build may belong to another PyTorch; nothing here needs it.
sys.modules["torchaudio"] = None

import torch
import torch.nn.functional as F
from mae import CASES, Case, Network, block, encode, layer_norm, linear, loss_of, make_weights, predict, tables_of, take
from mae import target_of
from mae import train as train_image
from method import drawn, header_of, leaves_of, tensors_of, vit, write
from stepping import Feed, Weights, descend, leaves, line

SMALL = replace(
    CASES[0], image=(16, 12, 1), patch=(4, 6), ratio=0.8, batch=2, seed=51, encoder=Network(2, 16, 2), decoder=Network(1, 12, 2)
)
# Weights of Audio-MAE's encoder that are trained: those of its fine-tuned model but the head, 85,659,407 - 527 * 769.
PUBLISHED = 85_254_144
# Of examples/ast.mae.
AST = 86_594_063


def spec_of(case: Case) -> str:
    frames, mels, _ = case.image
    return f"""edition 2026
model Reference {{
  input     spectrogram(frames: {frames}, mels: {mels})
  tokens    patch(size: {case.patch[0]}x{case.patch[1]})
  mask      random(ratio: {case.ratio * 100:g}%)
  encoder   {vit(case.encoder)}
  decoder   {vit(case.decoder)}
  target    pixels(normalize: patch)
  loss      mse(on: hidden)
}}
"""


def run(case: Case) -> tuple[dict, dict[str, torch.Tensor]]:
    random = torch.Generator().manual_seed(case.seed)
    sound, order, restore, mask = drawn(case, random)
    w = leaves_of(case, make_weights(case, random))
    prediction = predict(case, w, encode(case, w, sound, order[:, : case.visible]), restore)
    terms = {"mse": loss_of("mse", "hidden", prediction, target_of(case, sound), mask)}
    terms["mse"].backward()
    tensors = tensors_of(case, w, sound, order, restore)
    tensors["spectrogram"] = tensors.pop("image")
    return header_of(case, spec_of(case), terms, terms["mse"]), tensors


def compare() -> None:
    """AST has a second token in front and learned positions of overlapping patches; all else is the same."""
    from transformers import ASTConfig, ASTForAudioClassification, ASTModel

    theirs = dict(ASTModel(ASTConfig()).named_parameters())
    other = ("embeddings.distillation_token", "embeddings.position_embeddings")
    count = sum(weight.numel() for name, weight in theirs.items() if name not in other)
    assert count == PUBLISHED, count
    classifier = ASTForAudioClassification(ASTConfig(num_labels=527))
    assert sum(weight.numel() for weight in classifier.parameters()) == AST


def train(example: dict, weights: Weights, feeds: list[Feed]) -> list[float]:
    """As an image of frames and bands."""

    def as_image(line: dict) -> dict:
        if line["slot"] != "input":
            return line
        values = line["values"]
        return line | {"values": {"size": [values["frames"], values["mels"]], "channels": values["channels"]}}

    if line(example, "head"):
        return train_classifier(example, weights, feeds)
    image = example | {"model": [as_image(line) for line in example["model"]]}
    return train_image(image, weights, [feed | {"image": feed["spectrogram"]} for feed in feeds])


@dataclass(frozen=True)
class Overlapping(Case):
    """Whose patches begin `stride` apart."""

    stride: tuple[int, int] = (1, 1)

    @property
    def grid(self) -> tuple[int, int]:
        rows, columns = ((self.image[i] - self.patch[i]) // self.stride[i] + 1 for i in range(2))
        return rows, columns


def overlapping_of(example: dict) -> Overlapping:
    sound, patch, encoder = (line(example, slot)["values"] for slot in ("input", "tokens", "encoder"))
    positions = line(example, "positions")
    case = Overlapping(
        **{"name": example["name"], "summary": "", "seed": 0, "batch": example["batch"], "ratio": 0, "normalize": False},
        image=(sound["frames"], sound["mels"], sound["channels"]),
        patch=tuple(patch["size"]),
        stride=tuple(patch["stride"] or patch["size"]),
        encoder=Network(encoder["depth"], encoder["width"], encoder["heads"]),
        decoder=Network(0, 0, 1),
        learned_positions=positions is not None and positions["block"] == "learned",
    )
    hidden = line(example, "mask") is not None
    assert example["tokens"]["total"] == case.tokens, (example["tokens"], case)
    assert hidden == (example["tokens"]["visible"] < case.tokens), example["tokens"]
    return case


def logits_of(
    case: Overlapping, w: dict, sound: torch.Tensor, visible: torch.Tensor | None, head: dict, drops: torch.Tensor | None
) -> torch.Tensor:
    """As transformers' AST: a convolution with a stride, the tokens in front, and what the head says. sound [B, frames, mels, 1]"""
    weight = w["patch_embed.proj.weight"].unflatten(1, case.patch)[:, None]
    patches = F.conv2d(sound.movedim(-1, 1), weight, w["patch_embed.proj.bias"], stride=case.stride)
    front = torch.cat([w[name] for name in ("cls_token", "dist_token") if name in w], dim=1)
    extra = front.shape[1]
    tokens = patches.flatten(2).transpose(1, 2) + w["pos_embed"][:, extra:]
    seen = tokens if visible is None else take(tokens, visible)
    x = torch.cat([(front + w["pos_embed"][:, :extra]).expand(len(sound), -1, -1), seen], dim=1)
    for i in range(case.encoder.depth):
        own = (1, 1) if drops is None else drops[:, 2 * i : 2 * i + 2, None, None].unbind(dim=1)
        x = block(w, f"blocks.{i}", x, case.encoder.heads, drops=own)
    if head["pool"] == "front":
        features = layer_norm(w, "norm", x)[:, :extra].mean(dim=1)
    else:
        features = layer_norm(w, "norm", x[:, extra:].mean(dim=1))
    return linear(w, "head", layer_norm(w, "head_norm", features) if head["norm"] == "own" else features)


def train_classifier(example: dict, weights: Weights, feeds: list[Feed]) -> list[float]:
    case, judge = overlapping_of(example), line(example, "loss")
    encoder, head = line(example, "encoder")["values"], line(example, "head")["values"]
    w = leaves(weights, tables_of(case, weights))

    def loss(feed: Feed) -> torch.Tensor:
        drops = feed["drops"] if encoder["drop_path"] else None
        logits = logits_of(case, w, feed["spectrogram"], feed.get("visible"), head, drops)
        if judge["block"] == "class_bce":
            return F.binary_cross_entropy_with_logits(logits, feed["labels"])
        return F.cross_entropy(logits, feed["labels"], label_smoothing=judge["values"]["smoothing"])

    return descend(example, w, feeds, loss)


def main() -> None:
    compare()
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent)
    write(folder / "audio-mae", *run(SMALL))


if __name__ == "__main__":
    main()
