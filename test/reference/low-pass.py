"""Writes the fixture of two targets: plain pixels, and low-passed pixels with a decoder and a loss of their own.

The filter is an ideal one in the discrete Fourier transform of the image, by torch.fft. Usage: python low-pass.py [folder]; `train` is described
in stepping.py.
"""

import sys
from dataclasses import replace
from pathlib import Path

import torch
from mae import CASES, Case, Network, case_of, encode, loss_of, make_weights, mask_of, network_of, predict, tables_of, target_of
from mae import weighed
from method import drawn, header_of, leaves_of, spec_of, tensors_of, vit, write
from stepping import Feed, Weights, descend, leaves, line, lines

RADIUS, WEIGHT = 4.5, 0.25


def low_pass(image: torch.Tensor, radius: float) -> torch.Tensor:
    """Keeps frequencies (u, v) with u^2 + v^2 <= radius^2, in cycles across the image."""
    _, height, width, _ = image.shape
    # Whole numbers again: on the circle, where a Pythagorean triple lies, rounding would decide.
    u, v = ((torch.fft.fftfreq(side, dtype=torch.float64) * side).round() for side in (height, width))
    kept = (u[:, None] ** 2 + v[None, :] ** 2 <= radius**2).double()
    return torch.fft.ifft2(torch.fft.fft2(image, dim=(1, 2)) * kept[None, :, :, None], dim=(1, 2)).real


def run(case: Case, other: Case) -> tuple[dict, dict[str, torch.Tensor]]:
    random = torch.Generator().manual_seed(case.seed)
    weights = make_weights(case, random)
    second = {k: v for k, v in make_weights(other, random).items() if k.startswith("decoder_") or k == "mask_token"}
    weights |= {f"low.{name}": value for name, value in second.items()}
    image, order, restore, mask = drawn(case, random)
    w = leaves_of(case, weights)
    low = {name.removeprefix("low."): value for name, value in w.items() if name.startswith("low.")}
    latent = encode(case, w, image, order[:, : case.visible])
    target = target_of(other, low_pass(image, RADIUS))
    terms = {
        "mse": loss_of("mse", "hidden", predict(case, w, latent, restore), target_of(case, image), mask),
        "low.l1": loss_of("l1", "all", predict(other, low, latent, restore), target, mask),
    }
    total = terms["mse"] + WEIGHT * terms["low.l1"]
    total.backward()
    lines = [
        f"target low: low_pass(radius: {RADIUS}, normalize: patch) {{",
        f"  decoder {vit(other.decoder)}",
        f"  loss l1(on: all, weight: {WEIGHT})",
        "}",
        "loss mse(on: hidden)",
    ]
    tensors = tensors_of(case, w, image, order, restore)
    return header_of(case, spec_of(case, lines), terms, total), tensors | {"target/low": target}


def train(example: dict, weights: Weights, feeds: list[Feed]) -> list[float]:
    """A target with a label has a decoder and a loss of its own in its braces, and its decoder's weights below the label."""
    case = case_of(example)
    w = leaves(weights, tables_of(case, weights))

    def error(target: dict, latent: torch.Tensor, feed: Feed) -> torch.Tensor:
        label, values = target["label"], target["values"]
        within = target if label else example
        decoder = network_of(line(within, "decoder"))
        own = replace(case, decoder=decoder, normalize=values["normalize"] == "patch")
        names = {name.removeprefix(f"{label}."): weight for name, weight in w.items() if name.startswith(f"{label}.")}
        image = low_pass(feed["image"], values["radius"]) if target["block"] == "low_pass" else feed["image"]
        prediction = predict(own, names if label else w, latent, feed["restore"])
        return weighed(line(within, "loss"), prediction, target_of(own, image), mask_of(case, feed))

    def loss(feed: Feed) -> torch.Tensor:
        latent = encode(case, w, feed["image"], feed["visible"])
        return torch.stack([error(target, latent, feed) for target in lines(example, "target")]).sum()

    return descend(example, w, feeds, loss)


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent)
    case = replace(CASES[1], image=(24, 40, 2))
    other = replace(case, normalize=True, decoder=Network(depth=1, width=8, heads=2))
    write(folder / "low-pass", *run(case, other))


if __name__ == "__main__":
    main()
