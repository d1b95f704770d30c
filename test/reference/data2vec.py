"""Writes the fixture of data2vec: losses, gradients and several training steps of a student and the teacher that follows it.

Written from the description of the algorithm (Baevski et al., ICML 2022): mask tokens in the encoder, one linear layer as decoder;
the target is the mean of the normalised outputs of the teacher's last blocks, normalised again.
Usage: python data2vec.py [folder]; `train` is described in stepping.py.
"""

import sys
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import torch
import torch.nn.functional as F
from mae import CASES, Case, Network, block, case_of, is_trainable, layer_norm, linear, make_weights, mask_of, patches_of
from mae import tables_of
from method import drawn, header_of, leaves_of, spec_of, tensors_of, write
from stepping import Feed, Weights, leaves, line, optimizer_for, update

MOMENTUM, STEPS, LR = 0.9, 4, 1e-2
BACKBONE = ("pos_embed", "patch_embed", "cls_token", "blocks", "norm")


@dataclass(frozen=True)
class Features:
    """What is learned from the teacher."""

    layers: int
    beta: float


def tokens_of(case: Case, w: Weights, image: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
    """-> [B, 1 + N, D] with positions; hidden patches are copies of one token where there is a mask."""
    tokens = linear(w, "patch_embed.proj", patches_of(case, image))
    if mask is not None:
        tokens = torch.where(mask[:, :, None] == 1, w["mask_token"], tokens)
    return torch.cat([w["cls_token"].expand(len(image), -1, -1), tokens], dim=1) + w["pos_embed"]


def blocks_of(case: Case, w: Weights, x: torch.Tensor) -> list[torch.Tensor]:
    outputs = []
    for i in range(case.encoder.depth):
        x = block(w, f"blocks.{i}", x, case.encoder.heads)
        outputs.append(x)
    return outputs


def target_of(case: Case, features: Features, teacher: Weights, image: torch.Tensor) -> torch.Tensor:
    """-> [B, N, D]"""
    with torch.no_grad():
        outputs = blocks_of(case, teacher, tokens_of(case, teacher, image, None))[-features.layers :]
        normalized = [F.layer_norm(x[:, 1:], x.shape[-1:]) for x in outputs]
        mean = torch.stack(normalized).mean(dim=0)
        return F.layer_norm(mean, mean.shape[-1:])


def loss_of(case: Case, features: Features, w: Weights, teacher: Weights, image: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    latent = layer_norm(w, "norm", blocks_of(case, w, tokens_of(case, w, image, mask))[-1])
    prediction = linear(w, "decoder_pred", latent[:, 1:])
    target = target_of(case, features, teacher, image)
    error = F.smooth_l1_loss(prediction, target, reduction="none", beta=features.beta)
    return (error.mean(dim=-1) * mask).sum() / mask.sum()


def follow(teacher: Weights, w: Weights, names: Iterable[str], momentum: float) -> None:
    for name in names:
        teacher[name].mul_(momentum).add_(w[name].detach(), alpha=1 - momentum)


def repeat(
    case: Case, features: Features, weights: Weights, teacher: Weights, image: torch.Tensor, mask: torch.Tensor
) -> tuple[list, Weights, Weights]:
    """Plain gradient descent on one batch; after each step the teacher follows. -> losses, weights and teacher at the end."""
    w = leaves_of(case, weights)
    trained = [leaf for leaf in w.values() if leaf.requires_grad]
    optimizer = torch.optim.SGD(trained, lr=LR)
    slow = {name: value.clone() for name, value in teacher.items()}
    losses = []
    for _ in range(STEPS):
        loss = loss_of(case, features, w, slow, image, mask)
        losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        follow(slow, w, [name for name in slow if is_trainable(case, name)], MOMENTUM)
    return losses, {name: leaf.detach() for name, leaf in w.items()}, slow


def run(case: Case, features: Features) -> tuple[dict, dict[str, torch.Tensor]]:
    random = torch.Generator().manual_seed(case.seed)
    image, order, restore, mask = drawn(case, random)
    width = case.encoder.width
    # One linear layer as decoder: its token has the encoder's width, and the rest of the decoder is not there.
    weights = make_weights(replace(case, decoder=replace(case.encoder, depth=0)), random)
    weights = {name: value for name, value in weights.items() if not name.startswith("decoder_")}
    weights["decoder_pred.weight"] = (torch.randn(width, width, generator=random) * 0.2).double()
    weights["decoder_pred.bias"] = (torch.randn(width, generator=random) * 0.1).double()
    # Not yet equal to the student: a teacher of another age. Fixed tables are the same.
    moved = {
        name: value + 0.05 * torch.randn(value.shape, generator=random) if is_trainable(case, name) else value
        for name, value in weights.items()
        if name.startswith(BACKBONE)
    }
    teacher = {name: value.float().double() for name, value in moved.items()}
    w = leaves_of(case, weights)
    terms = {"smooth_l1": loss_of(case, features, w, teacher, image, mask)}
    terms["smooth_l1"].backward()
    losses, last, slow = repeat(case, features, weights, teacher, image, mask)
    spec = spec_of(
        case,
        [f"loss smooth_l1(on: hidden, beta: {features.beta})", f"teacher ema(momentum: {MOMENTUM})"],
        decoder="linear",
        target=f"features(layers: {features.layers})",
    )
    header = header_of(case, spec, terms, terms["smooth_l1"])
    training = {"optimizer": "sgd", "lr": LR, "steps": STEPS, "losses": losses}
    tensors = tensors_of(case, w, image, order, restore) | {"target": target_of(case, features, teacher, image)}
    tensors |= {f"weights/teacher.{name}": value for name, value in teacher.items()}
    tensors |= {f"after/{name}": value for name, value in last.items()}
    tensors |= {f"after/teacher.{name}": value for name, value in slow.items()}
    return header | {"training": training}, tensors


def train(example: dict, weights: Weights, feeds: list[Feed]) -> list[float]:
    """The teacher begins as it was recorded: as the student."""
    case, judged = case_of(example), line(example, "loss")
    assert (judged["block"], judged["values"]["on"], judged["values"]["weight"]) == ("smooth_l1", "hidden", 1), judged
    features = Features(line(example, "target")["values"]["layers"], judged["values"]["beta"])
    fixed = tables_of(case, weights)
    teacher = {name.removeprefix("teacher."): value.clone() for name, value in weights.items() if name.startswith("teacher.")}
    student = {name: value for name, value in weights.items() if not name.startswith("teacher.")}
    w = leaves(student, [name for name in fixed if name in student])
    optimizer = optimizer_for(example, w)
    losses = []
    for feed in feeds:
        loss = loss_of(case, features, w, teacher, feed["image"], mask_of(case, feed))
        losses.append(loss.item())
        loss.backward()
        update(example, optimizer, feed)
        follow(teacher, w, [name for name in teacher if w[name].requires_grad], feed["momentum"].item())
    return losses


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent)
    case = replace(CASES[0], image=(24, 32, 3), patch=(8, 8), ratio=0.5, encoder=Network(depth=3, width=16, heads=2))
    write(folder / "data2vec", *run(case, Features(layers=2, beta=2.0)))


if __name__ == "__main__":
    main()
