"""Writes the fixture of VideoMAC: a small model of two frames, in float64 by PyTorch.

Written from the description (Pei et al., VideoMAC, CVPR 2024, section 3): the network completes the first frame, its slow copy the second one under
the same mask, and what both predict at hidden cells should agree. Encoder and decoder are those of fcmae.py, computed at visible places alone.
Usage: python video-mac.py [folder]; `train` is described in stepping.py.
"""

import sys
from pathlib import Path

import torch
from fcmae import Case, make_weights, predict
from mae import normalized, patches_of, take
from method import learned, write
from stepping import Feed, Weights, leaves, line, lines, optimizer_for, update

SMALL = Case((16, 24, 3), 0.6, 2, (1, 2), (6, 10), 8, seed=73)


def target_of(case: Case, frame: torch.Tensor) -> torch.Tensor:
    patches = patches_of(case, frame)
    return normalized(patches) if case.normalize else patches


def loss_of(case: Case, w: dict, teacher: dict, feed: Feed, weights: tuple[float, float]) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    """`weights`: of the errors, whose mean over both frames counts, and of what both should agree on."""
    hidden = feed["firstHidden"]
    assert torch.equal(hidden, feed["secondHidden"]), "both frames have one mask"
    said = predict(case, w, feed["first"], feed["firstVisible"])
    with torch.no_grad():
        told = predict(case, teacher, feed["second"], feed["secondVisible"])
    terms = {
        "first.mse": take((said - target_of(case, feed["first"])) ** 2, hidden).mean(),
        "second.mse": take((told - target_of(case, feed["second"])) ** 2, hidden).mean(),
        "consistency": take((said - told) ** 2, hidden).mean(),
    }
    error, agreement = weights
    return error * (terms["first.mse"] + terms["second.mse"]) / 2 + agreement * terms["consistency"], terms


def apart(weights: Weights) -> tuple[Weights, Weights]:
    """-> leaves of the network, and its slow copy"""
    own = {name: value for name, value in weights.items() if not name.startswith("teacher.")}
    copy = {name.removeprefix("teacher."): value.clone() for name, value in weights.items() if name.startswith("teacher.")}
    assert own.keys() == copy.keys()
    return leaves(own, []), copy


def train(example: dict, weights: Weights, feeds: list[Feed]) -> list[float]:
    image, mask, encoder, decoder = (line(example, slot)["values"] for slot in ("input", "mask", "encoder", "decoder"))
    assert decoder["depth"] == 1 and mask["share"] == "views" and line(example, "teacher")["values"]["on"] == ["second"]
    case = Case(
        image=(*image["size"], image["channels"]),
        ratio=mask["ratio"],
        stem=encoder["stem"],
        depths=tuple(encoder["depths"]),
        widths=tuple(encoder["widths"]),
        decoder=decoder["width"],
        version=encoder["version"],
        batch=example["batch"],
        kernel=encoder["kernel"],
        normalize=line(example, "target")["values"]["normalize"] == "patch",
    )
    factors = {loss["block"]: loss["values"]["weight"] for loss in lines(example, "loss")}
    w, teacher = apart(weights)
    optimizer = optimizer_for(example, w)
    losses = []
    for feed in feeds:
        loss, _ = loss_of(case, w, teacher, feed, (factors["mse"], factors["consistency"]))
        losses.append(loss.item())
        loss.backward()
        update(example, optimizer, feed)
        momentum = feed["momentum"].item()
        for name, value in teacher.items():
            value.mul_(momentum).add_(w[name].detach(), alpha=1 - momentum)
    return losses


def spec_of(case: Case) -> str:
    height, width, channels = case.image
    depths, widths = (f"({', '.join(map(str, sizes))})" for sizes in (case.depths, case.widths))
    return f"""edition 2026
model Reference {{
  input   image(size: {height}x{width}, channels: {channels})
  views   frames(gap: 1..1)
  mask    random(ratio: {case.ratio * 100:g}%, share: views)
  encoder convnext(depths: {depths}, widths: {widths}, stem: {case.stem})
  decoder convnext_block(width: {case.decoder})
  target  pixels(normalize: patch)
  loss    mse(on: hidden, weight: 2)
  loss    consistency(weight: 0.7)
  teacher ema_autoencoder(on: [second], momentum: 0.9)
}}
"""


def run(case: Case) -> tuple[dict, dict[str, torch.Tensor]]:
    random = torch.Generator().manual_seed(case.seed)
    weights = make_weights(case, random)
    for name, value in list(weights.items()):
        moved = value + 0.05 * torch.randn(value.shape, generator=random)
        weights[f"teacher.{name}"] = moved.float().double()
    order = torch.rand(case.batch, case.tokens, generator=random).argsort(dim=1)
    feed: Feed = {}
    for frame in ("first", "second"):
        feed[frame] = torch.randn(case.batch, *case.image, generator=random).double()
        feed[f"{frame}Visible"], feed[f"{frame}Hidden"] = order[:, : case.visible], order[:, case.visible :]
        feed[f"{frame}Restore"] = order.argsort(dim=1)
    w, teacher = apart(weights)
    total, terms = loss_of(case, w, teacher, feed, (2, 0.7))
    total.backward()
    tensors = learned(w) | {f"weights/teacher.{name}": value for name, value in teacher.items()}
    tensors |= {f"feeds/{name}": value.int() if value.dtype == torch.int64 else value for name, value in feed.items()}
    header = {
        "spec": spec_of(case),
        "batch": case.batch,
        "tokens": {"total": case.tokens, "visible": case.visible},
        "terms": {name: term.item() for name, term in terms.items()},
        "loss": total.item(),
    }
    return header, tensors


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent)
    write(folder / "video-mac", *run(SMALL))


if __name__ == "__main__":
    main()
