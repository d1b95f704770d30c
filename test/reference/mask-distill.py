"""Writes the fixture of targets that a given network makes of whole images, and trains examples of MaskDistill.

Hidden patches pass through the encoder as copies of one token, and a linear layer predicts what a frozen vision transformer, which sees every patch, makes of
them (Peng et al., "A Unified View of Masked Image Modeling"): the mean of its last layers, each normalised without scale and shift, normalised once more.
Usage: python mask-distill.py [folder]; `train` is described in stepping.py.
"""

import importlib
import sys
from dataclasses import replace
from pathlib import Path

import torch
import torch.nn.functional as F
from drawing import Drawing
from mae import CASES, Case, Network, block, case_of, layer_norm, linear, loss_of, make_weights, mask_of, patches_of, tables_of, weighed
from method import drawn, header_of, leaves_of, spec_of, tensors_of, vit, write
from stepping import Feed, Weights, descend, leaves, line

forward = importlib.import_module("maskfeat").forward
BRANCH = "target_network."


def target_values(w: dict, heads: int, depth: int, layers: int, normed: bool, patches: torch.Tensor) -> torch.Tensor:
    """-> [B, N, D] of the network whose weights begin with `BRANCH`."""
    own = {name.removeprefix(BRANCH): value for name, value in w.items() if name.startswith(BRANCH)}
    tokens = linear(own, "patch_embed.proj", patches)
    x = torch.cat([own["cls_token"].expand(len(tokens), -1, -1), tokens], dim=1) + own["pos_embed"]
    kept = []
    for i in range(depth):
        x = block(own, f"blocks.{i}", x, heads)
        kept.append((layer_norm(own, "norm", x) if normed else x)[:, 1:])
    plain = [F.layer_norm(one, one.shape[-1:], eps=1e-5) for one in kept[-layers:]]
    return F.layer_norm(sum(plain) / layers, plain[0].shape[-1:], eps=1e-5).detach()


def draw_network(random: torch.Generator, case: Case, network: Network) -> dict[str, torch.Tensor]:
    draw = Drawing(random)
    draw.normal("cls_token", 1, 1, network.width, std=0.3)
    draw.normal("pos_embed", 1, 1 + case.tokens, network.width, std=0.3)
    draw.matrix("patch_embed.proj", network.width, case.values)
    draw.blocks("blocks", network.depth, network.width)
    draw.norm("norm", network.width)
    return {f"{BRANCH}{name}": value for name, value in draw.weights.items()}


def run(case: Case, network: Network, layers: int, normed: bool) -> tuple[dict, dict[str, torch.Tensor]]:
    random = torch.Generator().manual_seed(case.seed)
    image, order, restore, mask = drawn(case, random)
    # One linear layer as decoder: its token has the encoder's width, and the rest of the decoder is not there.
    weights = make_weights(replace(case, decoder=replace(case.encoder, depth=0)), random)
    gone = ("decoder_embed", "decoder_pos_embed", "decoder_norm", "decoder_pred")
    weights = {name: value for name, value in weights.items() if not name.startswith(gone)}
    weights["decoder_pred.weight"] = (torch.randn(network.width, case.encoder.width, generator=random) * 0.2).double()
    weights["decoder_pred.bias"] = (torch.randn(network.width, generator=random) * 0.1).double()
    w = leaves_of(case, weights | draw_network(random, case, network))
    for name in w:
        if name.startswith(BRANCH):
            w[name].requires_grad_(False)
    target = target_values(w, network.heads, network.depth, layers, normed, patches_of(case, image))
    terms = {"mse": loss_of("mse", "hidden", forward(case, w, image, mask), target, mask)}
    terms["mse"].backward()
    norm = "" if normed else ", final_norm: false"
    made = f"given_features(through: {vit(network)}, layers: {layers}{norm})"
    spec = spec_of(case, ["loss mse(on: hidden)"], decoder="linear", target=made)
    tensors = tensors_of(case, w, image, order, restore)
    return header_of(case, spec, terms, terms["mse"]), tensors | {"target": target}


def train(example: dict, weights: Weights, feeds: list[Feed]) -> list[float]:
    case, own, made = case_of(example), line(example, "loss"), line(example, "target")["values"]
    network = made["through"]["values"]
    given = [name for name in weights if name.startswith(BRANCH)]
    w = leaves(weights, [*tables_of(case, {k: v for k, v in weights.items() if k not in given}), *given])

    def loss(feed: Feed) -> torch.Tensor:
        mask, patches = mask_of(case, feed), patches_of(case, feed["image"])
        wanted = target_values(w, network["heads"], network["depth"], made["layers"], made["final_norm"], patches)
        return weighed(own, forward(case, w, feed["image"], mask), wanted, mask)

    return descend(example, w, feeds, loss)


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent)
    case = replace(CASES[0], encoder=Network(depth=1, width=16, heads=2))
    write(folder / "mask-distill", *run(case, Network(3, 24, 3), 1, True))
    write(folder / "mask-distill-layers", *run(replace(case, seed=case.seed + 1), Network(3, 24, 3), 2, False))


if __name__ == "__main__":
    main()
