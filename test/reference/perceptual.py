"""Writes the fixture of a masked autoencoder with a perceptual loss: hidden pixels, and how far the completed picture is for a frozen network.

The distance is that of LPIPS without its learned weights (Zhang et al., CVPR 2018): at each place of each map of a network, both pictures' features
are divided by their length; the squared differences are summed over features, averaged over places, and summed over maps. The network is a
ConvNeXt V2 of two stages, of fcmae.py.
Usage: python perceptual.py [folder]; `train` is described in stepping.py.
"""

import sys
from pathlib import Path

import torch
import torch.nn.functional as F
from drawing import Drawing
from fcmae import Case as Eyes
from fcmae import draw_encoder
from fcmae import encode as maps_of
from mae import CASES, Case, case_of, encode, linear, loss_of, make_weights, mask_of, patches_of, predict, tables_of, target_of, weighed
from method import drawn, header_of, leaves_of, spec_of, tensors_of, write
from stepping import Feed, Weights, descend, leaves, line, lines

BRANCH = "perceptual."


def completed(case: Case, image: torch.Tensor, prediction: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """The picture with its hidden patches predicted, in pixels."""
    patches = patches_of(case, image)
    if case.normalize:
        mean, variance = patches.mean(dim=-1, keepdim=True), patches.var(dim=-1, keepdim=True, correction=1)
        prediction = prediction * (variance + 1e-6).sqrt() + mean
    filled = torch.where(mask[:, :, None] > 0, prediction, patches)
    (rows, columns), (height, width) = case.grid, case.patch
    cut = filled.reshape(len(image), rows, columns, height, width, case.image[2]).transpose(2, 3)
    return cut.reshape(image.shape)


def look(eyes: Eyes, w: dict, image: torch.Tensor) -> list[torch.Tensor]:
    """-> the maps of each stage, [B, h, w, C]"""
    own = {name.removeprefix(BRANCH): value for name, value in w.items() if name.startswith(BRANCH)}
    everything = torch.ones(eyes.tokens, dtype=torch.bool)
    return [torch.stack(maps) for maps in zip(*(maps_of(eyes, own, one, everything) for one in image), strict=True)]


def distance(eyes: Eyes, w: dict, predicted: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    total = torch.zeros((), dtype=torch.float64)
    for a, b in zip(look(eyes, w, predicted), look(eyes, w, wanted), strict=True):
        a, b = (x / (x.square().sum(dim=-1, keepdim=True) + 1e-10).sqrt() for x in (a, b))
        total = total + (a - b.detach()).square().sum(dim=-1).mean()
    return total


def terms_of(case: Case, eyes: Eyes, w: dict, image: torch.Tensor, visible, restore, mask: torch.Tensor) -> dict:
    prediction = predict(case, w, encode(case, w, image, visible), restore)
    return {
        "mse": loss_of("mse", "hidden", prediction, target_of(case, image), mask),
        "perceptual": distance(eyes, w, completed(case, image, prediction, mask), image),
    }


def eyes_text(eyes: Eyes) -> str:
    return f"convnext(depths: {eyes.depths}, widths: {eyes.widths}, stem: {eyes.stem})"


def run(case: Case, eyes: Eyes, weight: float) -> tuple[dict, dict[str, torch.Tensor]]:
    random = torch.Generator().manual_seed(case.seed)
    image, order, restore, mask = drawn(case, random)
    weights = make_weights(case, random)
    draw = Drawing(random)
    draw_encoder(draw, eyes)
    w = leaves_of(case, weights) | {f"{BRANCH}{name}": value for name, value in draw.weights.items()}
    terms = terms_of(case, eyes, w, image, order[:, : case.visible], restore, mask)
    total = terms["mse"] + weight * terms["perceptual"]
    total.backward()
    spec = spec_of(case, ["loss mse(on: hidden)", f"loss perceptual(through: {eyes_text(eyes)}, weight: {weight})"])
    return header_of(case, spec, terms, total), tensors_of(case, w, image, order, restore)


def train(example: dict, weights: Weights, feeds: list[Feed]) -> list[float]:
    case = case_of(example)
    own = [one for one in lines(example, "loss") if one["block"] != "perceptual"]
    (seeing,) = (one["values"] for one in lines(example, "loss") if one not in own)
    network = seeing["through"]["values"]
    assert seeing["on"] == "hidden" and network["version"] == 2, seeing
    eyes = Eyes(case.image, 0, network["stem"], tuple(network["depths"]), tuple(network["widths"]), 0, kernel=network["kernel"])
    given = [name for name in weights if name.startswith(BRANCH)]
    w = leaves(weights, [*tables_of(case, {k: v for k, v in weights.items() if k not in given}), *given])

    def loss(feed: Feed) -> torch.Tensor:
        image, mask = feed["image"], mask_of(case, feed)
        prediction = predict(case, w, encode(case, w, image, feed["visible"]), feed["restore"])
        seen = distance(eyes, w, completed(case, image, prediction, mask), image)
        plain = sum(weighed(one, prediction, target_of(case, image), mask) for one in own)
        return plain + seeing["weight"] * seen

    return descend(example, w, feeds, loss)


def train_eyes(example: dict, weights: Weights, feeds: list[Feed]) -> list[float]:
    """The network that looks, taught to name classes by the mean of its deepest map."""
    image, head, judge = (line(example, slot)["values"] for slot in ("input", "head", "loss"))
    network = line(example, "encoder")["values"]
    assert head["pool"] == "mean" and network["version"] == 2 and not network["norm"], example["name"]
    size = (*image["size"], image["channels"])
    eyes = Eyes(size, 0, network["stem"], tuple(network["depths"]), tuple(network["widths"]), 0, kernel=network["kernel"])
    w = leaves(weights, [])

    def loss(feed: Feed) -> torch.Tensor:
        everything = torch.ones(eyes.tokens, dtype=torch.bool)
        features = torch.stack([maps_of(eyes, w, one, everything)[-1].mean(dim=(0, 1)) for one in feed["image"]])
        logits = linear(w, "head", features)
        return judge["weight"] * F.cross_entropy(logits, feed["labels"], label_smoothing=judge["smoothing"])

    return descend(example, w, feeds, loss)


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent)
    write(folder / "perceptual", *run(CASES[0], Eyes(CASES[0].image, 0, 4, (1, 1), (6, 8), 0), 0.5))


if __name__ == "__main__":
    main()
