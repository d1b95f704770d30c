"""Writes the fixture of I-JEPA: losses, gradients and several training steps of a context encoder, its predictor and the encoder that follows.

Written from the description of the algorithm (Assran et al., CVPR 2023, and what its official code is known to do): an encoder sees a few patches;
a narrow transformer is asked for each block of others by itself, with one learned token and its place for each patch; it says what a slow copy
of the encoder makes of them that sees the whole image, normalised without scale and shift; smooth absolute error.
Usage: python i-jepa.py [folder]; `train` is described in stepping.py.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from data2vec import follow
from drawing import Drawing
from mae import AGREEMENT, Network, Patched, block, largest, layer_norm, linear, network_of, patches_of, sine_cosine, take
from method import learned, vit, write
from stepping import Feed, Weights, leaves, line, optimizer_for, update

MOMENTUM, STEPS, LR = 0.9, 4, 1e-2
TABLES = ("pos_embed", "decoder_pos_embed")


@dataclass(frozen=True)
class Case(Patched):
    image: tuple[int, int, int]
    patch: tuple[int, int]
    encoder: Network
    predictor: Network
    blocks: int


def encode(case: Case, w: Weights, image: torch.Tensor, visible: torch.Tensor | None) -> torch.Tensor:
    """-> [B, V, D] with the norm; without `visible`, of all patches."""
    x = linear(w, "patch_embed.proj", patches_of(case, image)) + w["pos_embed"]
    x = x if visible is None else take(x, visible)
    for i in range(case.encoder.depth):
        x = block(w, f"blocks.{i}", x, case.encoder.heads)
    return layer_norm(w, "norm", x)


def target_of(case: Case, teacher: Weights, image: torch.Tensor) -> torch.Tensor:
    """-> [B, N, D]"""
    with torch.no_grad():
        x = encode(case, teacher, image, None)
        return F.layer_norm(x, x.shape[-1:])


def predict(case: Case, w: Weights, latent: torch.Tensor, visible: torch.Tensor, asked: torch.Tensor) -> torch.Tensor:
    """asked [B, K]: one block's places -> [B, K, D]"""
    places = w["decoder_pos_embed"].expand(len(latent), -1, -1)
    context = linear(w, "decoder_embed", latent) + take(places, visible)
    x = torch.cat([context, w["mask_token"] + take(places, asked)], dim=1)
    for i in range(case.predictor.depth):
        x = block(w, f"decoder_blocks.{i}", x, case.predictor.heads)
    return linear(w, "decoder_pred", layer_norm(w, "decoder_norm", x[:, context.shape[1] :]))


def loss_of(case: Case, w: Weights, teacher: Weights, image: torch.Tensor, visible: torch.Tensor, asked: torch.Tensor) -> torch.Tensor:
    """asked [B, M K]: the places of all blocks, one block after the other."""
    latent, target = encode(case, w, image, visible), target_of(case, teacher, image)
    losses = [
        F.smooth_l1_loss(predict(case, w, latent, visible, places), take(target, places)) for places in asked.chunk(case.blocks, dim=1)
    ]
    return torch.stack(losses).mean()


def make_weights(case: Case, random: torch.Generator) -> Weights:
    draw, encoder, predictor = Drawing(random), case.encoder, case.predictor
    for name, width in zip(TABLES, (encoder.width, predictor.width), strict=True):
        draw.weights[name] = sine_cosine(width, *case.grid)[:, 1:].float().double()
    draw.matrix("patch_embed.proj", encoder.width, case.values)
    draw.blocks("blocks", encoder.depth, encoder.width)
    draw.norm("norm", encoder.width)
    draw.matrix("decoder_embed", predictor.width, encoder.width)
    draw.normal("mask_token", 1, 1, predictor.width, std=0.3)
    draw.blocks("decoder_blocks", predictor.depth, predictor.width)
    draw.norm("decoder_norm", predictor.width)
    draw.matrix("decoder_pred", encoder.width, predictor.width)
    return draw.weights


def repeat(case: Case, weights: Weights, teacher: Weights, fed: tuple) -> tuple[list, Weights, Weights]:
    """Plain gradient descent on one batch; after each step the teacher follows. -> losses, weights and teacher at the end."""
    w = leaves(weights, TABLES)
    optimizer = torch.optim.SGD([leaf for leaf in w.values() if leaf.requires_grad], lr=LR)
    slow = {name: value.clone() for name, value in teacher.items()}
    losses = []
    for _ in range(STEPS):
        loss = loss_of(case, w, slow, *fed)
        losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        follow(slow, w, [name for name in slow if name not in TABLES], MOMENTUM)
    return losses, {name: leaf.detach() for name, leaf in w.items()}, slow


def run() -> tuple[dict, dict[str, torch.Tensor]]:
    random = torch.Generator().manual_seed(1)
    case = Case((24, 32, 3), (4, 8), Network(depth=2, width=16, heads=2), Network(depth=2, width=8, heads=2), blocks=3)
    count, visible = 2, 6
    image = torch.randn(2, *case.image, generator=random, dtype=torch.float64).float().double()
    order = torch.rand(2, case.tokens, generator=random, dtype=torch.float64).argsort(dim=1)
    # Blocks of any hidden patches, some of which several have.
    asked = torch.stack([torch.cat([row[visible:][i : i + count] for i in (0, 5, 1)]) for row in order])
    weights = make_weights(case, random)
    teacher = {
        name: value if name in TABLES else (value + 0.05 * torch.randn(value.shape, generator=random)).float().double()
        for name, value in weights.items()
        if name.startswith(("pos_embed", "patch_embed", "blocks", "norm"))
    }
    fed = (image, order[:, :visible], asked)
    w = leaves(weights, TABLES)
    loss = loss_of(case, w, teacher, *fed)
    loss.backward()
    losses, last, slow = repeat(case, weights, teacher, fed)
    lines = [
        "input image(size: 24x32, channels: 3)",
        "tokens patch(size: 4x8)",
        "mask multi_block(blocks: 3, scale: 8.5%..20%, visible: 25%)",
        f"encoder {vit(case.encoder, ', class_token: false')}",
        f"decoder block_{vit(case.predictor)}",
        "target features(layers: 1, final_norm: true)",
        "loss smooth_l1",
        f"teacher ema(momentum: {MOMENTUM})",
    ]
    header = {
        "spec": "\n".join(["edition 2026", "model Reference {", *(f"  {one}" for one in lines), "}", ""]),
        "batch": 2,
        "tokens": {"total": case.tokens, "visible": visible},
        "terms": {"smooth_l1": loss.item()},
        "loss": loss.item(),
        "training": {"optimizer": "sgd", "lr": LR, "steps": STEPS, "losses": losses},
    }
    tensors = learned(w) | {"image": image, "order": order.int(), "restore": order.argsort(dim=1).int(), "fields/mask": asked.int()}
    tensors |= {"target": target_of(case, teacher, image)}
    tensors |= {f"weights/teacher.{name}": value for name, value in teacher.items()}
    tensors |= {f"after/{name}": value for name, value in last.items()}
    tensors |= {f"after/teacher.{name}": value for name, value in slow.items()}
    return header, tensors


def train(example: dict, weights: Weights, feeds: list[Feed]) -> list[float]:
    """The teacher begins as it was recorded: as the student."""
    image, predictor = line(example, "input")["values"], line(example, "decoder")
    assert line(example, "loss")["block"] == "smooth_l1" and line(example, "loss")["values"]["beta"] == 1
    case = Case(
        image=(*image["size"], image["channels"]),
        patch=tuple(line(example, "tokens")["values"]["size"]),
        encoder=network_of(line(example, "encoder")),
        predictor=network_of(predictor | {"block": "vit"}),
        blocks=line(example, "mask")["values"]["blocks"],
    )
    for name in TABLES:
        assert largest(weights[name], sine_cosine(weights[name].shape[-1], *case.grid)[:, 1:]) < AGREEMENT, name
    teacher = {name.removeprefix("teacher."): value.clone() for name, value in weights.items() if name.startswith("teacher.")}
    w = leaves({name: value for name, value in weights.items() if not name.startswith("teacher.")}, TABLES)
    optimizer = optimizer_for(example, w)
    losses = []
    for feed in feeds:
        loss = loss_of(case, w, teacher, feed["image"], feed["visible"], feed["mask"])
        losses.append(loss.item())
        loss.backward()
        update(example, optimizer, feed)
        follow(teacher, w, [name for name in teacher if w[name].requires_grad], feed["momentum"].item())
    return losses


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent)
    write(folder / "i-jepa", *run())


if __name__ == "__main__":
    main()
