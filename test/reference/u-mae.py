"""Writes the fixtures of U-MAE: losses and gradients of a small masked autoencoder with the uniformity term.

The model is that of mae.py; the term is written from the description of the algorithm (Zhang et al., NeurIPS 2022).
Usage: python u-mae.py [folder]; `train` is described in stepping.py.
"""

import sys
from dataclasses import replace
from pathlib import Path

import torch
import torch.nn.functional as F
from mae import CASES, Case, case_of, encode, layer_norm, loss_of, make_weights, mask_of, predict, tables_of, target_of, weighed
from method import drawn, header_of, leaves_of, make_norm, spec_of, tensors_of, write
from stepping import Feed, Weights, descend, leaves, lines

WEIGHT = 0.5


def uniformity(z: torch.Tensor) -> torch.Tensor:
    """z [B, D]: mean of the squared entries of the matrix of cosines."""
    unit = F.normalize(z, dim=1)
    return (unit @ unit.T).pow(2).mean()


def features(w: dict, latent: torch.Tensor, on: str) -> torch.Tensor:
    """latent [B, 1 + V, D] -> [B, D]"""
    if on == "class_token":
        return layer_norm(w, "norm", latent)[:, 0]
    return layer_norm(w, "fc_norm", latent[:, 1:].mean(dim=1))


def run(case: Case, on: str) -> tuple[dict, dict[str, torch.Tensor]]:
    random = torch.Generator().manual_seed(case.seed)
    weights = make_weights(case, random)
    if on == "patches":
        weights |= make_norm("fc_norm", case.encoder.width, random)
    image, order, restore, mask = drawn(case, random)
    w = leaves_of(case, weights)
    latent = encode(case, w, image, order[:, : case.visible])
    terms = {
        "mse": loss_of("mse", "hidden", predict(case, w, latent, restore), target_of(case, image), mask),
        "uniformity": uniformity(features(w, latent, on)),
    }
    total = terms["mse"] + WEIGHT * terms["uniformity"]
    total.backward()
    spec = spec_of(case, ["loss mse(on: hidden)", f"loss uniformity(on: {on}, weight: {WEIGHT})"])
    return header_of(case, spec, terms, total), tensors_of(case, w, image, order, restore)


def train(example: dict, weights: Weights, feeds: list[Feed]) -> list[float]:
    case = case_of(example)
    w = leaves(weights, tables_of(case, weights))
    (added,) = (loss for loss in lines(example, "loss") if loss["block"] == "uniformity")
    (own,) = (loss for loss in lines(example, "loss") if loss is not added)

    def loss(feed: Feed) -> torch.Tensor:
        latent = encode(case, w, feed["image"], feed["visible"])
        prediction = predict(case, w, latent, feed["restore"])
        reconstruction = weighed(own, prediction, target_of(case, feed["image"]), mask_of(case, feed))
        return reconstruction + added["values"]["weight"] * uniformity(features(w, latent, added["values"]["on"]))

    return descend(example, w, feeds, loss)


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent)
    for on in ("class_token", "patches"):
        write(folder / f"u-mae-{on.replace('_', '-')}", *run(replace(CASES[0], batch=4), on))


if __name__ == "__main__":
    main()
