"""Writes the fixture of data2vec: losses, gradients and several training steps of a student and the teacher that follows it.

Written from the description of the algorithm (Baevski et al., ICML 2022): mask tokens in the encoder, one linear layer as decoder;
the target is the mean of the normalised outputs of the teacher's last blocks, normalised again.
Usage: python data2vec.py [folder]
"""

import sys
from dataclasses import replace
from pathlib import Path

import torch
import torch.nn.functional as F
from mae import CASES, Case, Network, block, is_trainable, layer_norm, linear, make_weights, patches_of
from method import drawn, header_of, leaves_of, spec_of, tensors_of, write

LAYERS, BETA, MOMENTUM, STEPS, LR = 2, 2.0, 0.9, 4, 1e-2
BACKBONE = ("pos_embed", "patch_embed", "cls_token", "blocks", "norm")


def tokens_of(case: Case, w: dict, image: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
    """-> [B, 1 + N, D] with positions; hidden patches are copies of one token where there is a mask."""
    tokens = linear(w, "patch_embed.proj", patches_of(case, image))
    if mask is not None:
        tokens = torch.where(mask[:, :, None] == 1, w["mask_token"], tokens)
    return torch.cat([w["cls_token"].expand(len(image), -1, -1), tokens], dim=1) + w["pos_embed"]


def blocks_of(case: Case, w: dict, x: torch.Tensor) -> list[torch.Tensor]:
    outputs = []
    for i in range(case.encoder.depth):
        x = block(w, f"blocks.{i}", x, case.encoder.heads)
        outputs.append(x)
    return outputs


def target_of(case: Case, teacher: dict, image: torch.Tensor) -> torch.Tensor:
    """-> [B, N, D]"""
    with torch.no_grad():
        outputs = blocks_of(case, teacher, tokens_of(case, teacher, image, None))[-LAYERS:]
        normalized = [F.layer_norm(x[:, 1:], x.shape[-1:]) for x in outputs]
        mean = torch.stack(normalized).mean(dim=0)
        return F.layer_norm(mean, mean.shape[-1:])


def loss_of(case: Case, w: dict, teacher: dict, image: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    latent = layer_norm(w, "norm", blocks_of(case, w, tokens_of(case, w, image, mask))[-1])
    prediction = linear(w, "decoder_pred", latent[:, 1:])
    error = F.smooth_l1_loss(prediction, target_of(case, teacher, image), reduction="none", beta=BETA)
    return (error.mean(dim=-1) * mask).sum() / mask.sum()


def train(case: Case, weights: dict, teacher: dict, image: torch.Tensor, mask: torch.Tensor) -> tuple[list, dict, dict]:
    """Plain gradient descent; after each step the teacher follows. -> losses, weights and teacher at the end."""
    w = leaves_of(case, weights)
    trained = [leaf for leaf in w.values() if leaf.requires_grad]
    optimizer = torch.optim.SGD(trained, lr=LR)
    slow = {name: value.clone() for name, value in teacher.items()}
    losses = []
    for _ in range(STEPS):
        loss = loss_of(case, w, slow, image, mask)
        losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        for name in slow:
            if is_trainable(case, name):
                slow[name].mul_(MOMENTUM).add_(w[name].detach(), alpha=1 - MOMENTUM)
    return losses, {name: leaf.detach() for name, leaf in w.items()}, slow


def run(case: Case) -> tuple[dict, dict[str, torch.Tensor]]:
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
    terms = {"smooth_l1": loss_of(case, w, teacher, image, mask)}
    terms["smooth_l1"].backward()
    losses, last, slow = train(case, weights, teacher, image, mask)
    spec = spec_of(
        case,
        [f"loss smooth_l1(on: hidden, beta: {BETA})", f"teacher ema(momentum: {MOMENTUM})"],
        decoder="linear",
        target=f"features(layers: {LAYERS})",
    )
    header = header_of(case, spec, terms, terms["smooth_l1"])
    training = {"optimizer": "sgd", "lr": LR, "steps": STEPS, "losses": losses}
    tensors = tensors_of(case, w, image, order, restore) | {"target": target_of(case, teacher, image)}
    tensors |= {f"weights/teacher.{name}": value for name, value in teacher.items()}
    tensors |= {f"after/{name}": value for name, value in last.items()}
    tensors |= {f"after/teacher.{name}": value for name, value in slow.items()}
    return header | {"training": training}, tensors


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent)
    case = replace(CASES[0], image=(24, 32, 3), patch=(8, 8), ratio=0.5, encoder=Network(depth=3, width=16, heads=2))
    write(folder / "data2vec", *run(case))


main()
