"""Writes the fixtures of distillation, and trains examples of it: features of a layer brought near those of a given network.

Both networks see the same visible tokens (Bai et al., CVPR 2023). What the student's layer gives passes a linear layer to the teacher's width;
both are divided by their lengths; the mean absolute difference counts, over all tokens with the class token.
Usage: python dmae.py [folder]; `train` is described in stepping.py.
"""

import sys
from pathlib import Path

import torch
import torch.nn.functional as F
from drawing import Drawing
from mae import CASES, Case, Network, block, case_of, encode, linear, loss_of, make_weights, mask_of, patches_of, predict, tables_of, take, target_of, weighed
from method import drawn, header_of, leaves_of, spec_of, tensors_of, vit, write
from stepping import Feed, Weights, descend, leaves, lines

BRANCH = "distillation."


def layer(w: dict, prefix: str, heads: int, last: int, patches: torch.Tensor, visible: torch.Tensor) -> torch.Tensor:
    """What the blocks up to `last` make of a class token and visible patches, [B, 1 + V, D], no norm behind them."""
    own = {name.removeprefix(prefix): value for name, value in w.items() if name.startswith(prefix)}
    tokens = linear(own, "patch_embed.proj", patches) + own["pos_embed"][:, 1:]
    front = (own["cls_token"] + own["pos_embed"][:, :1]).expand(len(tokens), -1, -1)
    x = torch.cat([front, take(tokens, visible)], dim=1)
    for i in range(last):
        x = block(own, f"blocks.{i}", x, heads)
    return x


def apart(w: dict, own: torch.Tensor, wanted: torch.Tensor, directions: bool, beta: float | None) -> torch.Tensor:
    brought = linear(w, "distillation_proj", own)
    a, b = (F.normalize(x, dim=-1) if directions else x for x in (brought, wanted.detach()))
    return F.l1_loss(a, b) if beta is None else F.smooth_l1_loss(a, b, beta=beta)


def draw_teacher(random: torch.Generator, case: Case, network: Network) -> dict[str, torch.Tensor]:
    draw = Drawing(random)
    draw.normal("cls_token", 1, 1, network.width, std=0.3)
    draw.normal("pos_embed", 1, 1 + case.tokens, network.width, std=0.3)
    draw.matrix("patch_embed.proj", network.width, case.values)
    draw.blocks("blocks", network.depth, network.width)
    draw.norm("norm", network.width)
    given = {f"{BRANCH}{name}": value for name, value in draw.weights.items()}
    draw.weights = {}
    draw.matrix("distillation_proj", network.width, case.encoder.width)
    return given | draw.weights


def run(case: Case, network: Network, at: int, wanted_at: int, weight: float, directions: bool, beta: float | None):
    random = torch.Generator().manual_seed(case.seed)
    image, order, restore, mask = drawn(case, random)
    weights = make_weights(case, random) | draw_teacher(random, case, network)
    w = leaves_of(case, weights)
    for name in w:
        if name.startswith(BRANCH):
            w[name].requires_grad_(False)
    visible, patches = order[:, : case.visible], patches_of(case, image)
    prediction = predict(case, w, encode(case, w, image, visible), restore)
    own = layer(w, "", case.encoder.heads, at, patches, visible)
    wanted = layer(w, BRANCH, network.heads, wanted_at, patches, visible)
    terms = {
        "mse": loss_of("mse", "hidden", prediction, target_of(case, image), mask),
        "distillation": apart(w, own, wanted, directions, beta),
    }
    total = terms["mse"] + weight * terms["distillation"]
    total.backward()
    compared = "" if directions else ", compare: features"
    smooth = "" if beta is None else f", beta: {beta}"
    through = f"through: {vit(network)}, layer: {at}, given_layer: {wanted_at}"
    spec = spec_of(case, ["loss mse(on: hidden)", f"loss distillation({through}{compared}{smooth}, weight: {weight})"])
    return header_of(case, spec, terms, total), tensors_of(case, w, image, order, restore)


def train(example: dict, weights: Weights, feeds: list[Feed]) -> list[float]:
    case = case_of(example)
    own = [one for one in lines(example, "loss") if one["block"] != "distillation"]
    (following,) = (one["values"] for one in lines(example, "loss") if one not in own)
    network = following["through"]["values"]
    given = [name for name in weights if name.startswith(BRANCH)]
    w = leaves(weights, [*tables_of(case, {k: v for k, v in weights.items() if k not in given}), *given])

    def loss(feed: Feed) -> torch.Tensor:
        image, mask, visible = feed["image"], mask_of(case, feed), feed["visible"]
        prediction = predict(case, w, encode(case, w, image, visible), feed["restore"])
        plain = sum(weighed(one, prediction, target_of(case, image), mask) for one in own)
        patches = patches_of(case, image)
        ours = layer(w, "", case.encoder.heads, following["layer"], patches, visible)
        theirs = layer(w, BRANCH, network["heads"], following["given_layer"], patches, visible)
        return plain + following["weight"] * apart(w, ours, theirs, following["compare"] == "directions", following["beta"])

    return descend(example, w, feeds, loss)


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent)
    write(folder / "dmae", *run(CASES[0], Network(3, 24, 3), 1, 2, 0.7, True, None))
    write(folder / "dmae-features", *run(CASES[1], Network(2, 16, 2), 2, 1, 1.5, False, 0.5))


if __name__ == "__main__":
    main()
