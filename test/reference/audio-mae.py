"""Writes the fixture of Audio-MAE: a small model of spectrograms, in float64 by PyTorch.

Written from the description (Huang et al., NeurIPS 2022): the plain masked autoencoder of mae.py, whose image is a spectrogram of one
channel with time along its rows, and the decoder that attends to everything ("mode 0"). Its encoder of published size is counted
here against Hugging Face's ASTModel. Usage: python audio-mae.py [folder]; `train` is described in stepping.py.
"""

import sys
from dataclasses import replace
from pathlib import Path

# Its build may belong to another PyTorch; nothing here needs it.
sys.modules["torchaudio"] = None

import torch
from mae import CASES, Case, Network, encode, loss_of, make_weights, predict, target_of
from mae import train as train_image
from method import drawn, header_of, leaves_of, tensors_of, vit, write
from stepping import Feed, Weights

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

    image = example | {"model": [as_image(line) for line in example["model"]]}
    return train_image(image, weights, [feed | {"image": feed["spectrogram"]} for feed in feeds])


def main() -> None:
    compare()
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent)
    write(folder / "audio-mae", *run(SMALL))


if __name__ == "__main__":
    main()
