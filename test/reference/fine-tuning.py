"""Writes 20 steps of fine-tuning a small vision transformer as official MAE fine-tunes: layer-wise learning rates, drop path, mixup and CutMix,
smoothed labels, a cosine with warm-up down to min_lr, and beside it dropout before the head and a running average of the weights.

The transformer is written here; drop path is timm's DropPath, told what to draw, mixing is timm's Mixup, told what to draw, and the average is
timm's ModelEmaV2. All in float64. Usage: python fine-tuning.py [folder]

NAME.json: what was decided, and for each step its learning rate, the share and box of its mixing, and its loss. NAME.safetensors:
weights/<name> before the first step, after/<name> and average/<name> after the last, image [8, H, W, C] and labels [8], of which every step
takes four as `samples` says, and drops [steps, 4, numbers]: two numbers for each block, then one for each feature before the head.
"""

import json
import math
import platform
import sys
from pathlib import Path

import numpy as np
import safetensors.torch
import timm
import timm.data.mixup as mixup
import torch
import torch.nn.functional as F
from drawing import Drawing
from timm.loss import SoftTargetCrossEntropy
from timm.utils import ModelEmaV2

STEPS, BATCH, CLASSES, SIDE, PATCH = 20, 4, 5, 12, 4
DEPTH, WIDTH, HEADS = 3, 24, 3
DROP_PATH, DROPOUT, SMOOTHING, AVERAGE = 0.4, 0.25, 0.1, 0.9
LAYER_DECAY, WEIGHT_DECAY, BETAS = 0.65, 0.05, (0.9, 0.999)
PEAK, MIN_LR, WARMUP = 2e-3, 1e-5, 4
NUMBERS = 2 * DEPTH + WIDTH


class Model(torch.nn.Module):
    """Weights by their official names; with drops [B, NUMBERS] it is in training."""

    def __init__(self, weights: dict[str, torch.Tensor]):
        super().__init__()
        self.names = list(weights)
        for i, value in enumerate(weights.values()):
            self.register_parameter(f"w{i}", torch.nn.Parameter(value.clone()))

    def named(self) -> dict[str, torch.nn.Parameter]:
        return {name: getattr(self, f"w{i}") for i, name in enumerate(self.names)}

    def forward(self, image: torch.Tensor, drops: torch.Tensor) -> torch.Tensor:
        w = self.named()

        def linear(name, x):
            return F.linear(x, w[f"{name}.weight"], w[f"{name}.bias"])

        def norm(name, x):
            return F.layer_norm(x, (WIDTH,), w[f"{name}.weight"], w[f"{name}.bias"], 1e-6)

        def dropped(x, column):
            # What timm's drop_path does: x * bernoulli(keep) / keep, one draw a sample.
            return x * drops[:, column].view(-1, 1, 1)

        n = SIDE // PATCH
        patches = image.reshape(len(image), n, PATCH, n, PATCH, 3).permute(0, 1, 3, 2, 4, 5).reshape(len(image), n * n, -1)
        x = linear("patch_embed.proj", patches) + w["pos_embed"][:, 1:]
        cls = (w["cls_token"] + w["pos_embed"][:, :1]).expand(len(x), -1, -1)
        x = torch.cat([cls, x], dim=1)
        for i in range(DEPTH):
            b = f"blocks.{i}"
            q, k, v = linear(f"{b}.attn.qkv", norm(f"{b}.norm1", x)).reshape(len(x), -1, 3, HEADS, WIDTH // HEADS).permute(2, 0, 3, 1, 4)
            attended = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(len(x), -1, WIDTH)
            x = x + dropped(linear(f"{b}.attn.proj", attended), 2 * i)
            inner = F.gelu(linear(f"{b}.mlp.fc1", norm(f"{b}.norm2", x)))
            x = x + dropped(linear(f"{b}.mlp.fc2", inner), 2 * i + 1)
        features = norm("norm", x[:, 1:].mean(dim=1)) * drops[:, 2 * DEPTH :]
        return linear("head", features)


def start(random: torch.Generator) -> dict[str, torch.Tensor]:
    drawing = Drawing(random)
    n = (SIDE // PATCH) ** 2
    drawing.normal("pos_embed", 1, 1 + n, WIDTH)
    drawing.matrix("patch_embed.proj", WIDTH, PATCH * PATCH * 3)
    drawing.normal("cls_token", 1, 1, WIDTH)
    drawing.blocks("blocks", DEPTH, WIDTH)
    drawing.norm("norm", WIDTH)
    drawing.matrix("head", CLASSES, WIDTH)
    return drawing.weights


def layer_of(name: str) -> int:
    if name in ("cls_token", "pos_embed") or name.startswith("patch_embed"):
        return 0
    return int(name.split(".")[1]) + 1 if name.startswith("blocks") else DEPTH + 1


def rate_at(step: int) -> float:
    """adjust_learning_rate of official MAE, with steps for epochs."""
    if step < WARMUP:
        return PEAK * step / WARMUP
    return MIN_LR + (PEAK - MIN_LR) * 0.5 * (1 + math.cos(math.pi * (step - WARMUP) / (STEPS - WARMUP)))


def drawn(random: torch.Generator) -> torch.Tensor:
    rates = [DROP_PATH * i / (DEPTH - 1) for i in range(DEPTH) for _ in range(2)] + [DROPOUT] * WIDTH
    keep = 1 - torch.tensor(rates, dtype=torch.float64)
    return (torch.rand(BATCH, NUMBERS, generator=random, dtype=torch.float64) < keep).double() / keep


boxes: list[tuple[int, int, int, int]] = []


def rand_bbox(shape, lam, margin=0.0, count=None):
    """As in timm 0.3.2, which official MAE uses: half of a box is rounded down on both sides."""
    ratio = np.sqrt(1 - lam)
    height, width = shape[-2:]
    cut_h, cut_w = int(height * ratio), int(width * ratio)
    cy, cx = np.random.randint(0, height), np.random.randint(0, width)
    box = (*np.clip([cy - cut_h // 2, cy + cut_h // 2], 0, height), *np.clip([cx - cut_w // 2, cx + cut_w // 2], 0, width))
    boxes.append(tuple(int(side) for side in box))
    return box


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent)
    random = torch.Generator().manual_seed(5)
    np.random.seed(3)
    mixup.rand_bbox = rand_bbox
    weights = start(random)
    image = torch.randn(2 * BATCH, SIDE, SIDE, 3, generator=random, dtype=torch.float64).float().double()
    labels = torch.randint(CLASSES, (2 * BATCH,), generator=random)
    model = Model(weights)
    average = ModelEmaV2(model, decay=AVERAGE)
    groups = [
        {
            "params": [p],
            "scale": LAYER_DECAY ** (DEPTH + 1 - layer_of(name)),
            "weight_decay": 0.0 if p.ndim == 1 or name in ("cls_token", "pos_embed") else WEIGHT_DECAY,
        }
        for name, p in model.named().items()
    ]
    optimizer = torch.optim.AdamW(groups, lr=0.0, betas=BETAS)
    mixing = mixup.Mixup(mixup_alpha=0.8, cutmix_alpha=1.0, label_smoothing=SMOOTHING, num_classes=CLASSES)
    loss_of = SoftTargetCrossEntropy()
    # timm pairs the first with the last: our first and second, third and fourth.
    order = [*range(0, BATCH, 2), *range(BATCH - 1, 0, -2)]
    steps, drops = [], []
    for step in range(STEPS):
        samples = torch.randperm(2 * BATCH, generator=random)[:BATCH].tolist()
        drop = drawn(random)
        taken = torch.tensor(samples)[order]
        boxes.clear()
        mixed, target = mixing(image[taken].permute(0, 3, 1, 2).clone(), labels[taken])
        loss = loss_of(model(mixed.permute(0, 2, 3, 1), drop[order]), target.double())
        for group in optimizer.param_groups:
            group["lr"] = rate_at(step) * group["scale"]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        average.update(model)
        share = mixing_share(target, labels[taken])
        steps.append({"lr": rate_at(step), "samples": samples, "share": share, "box": boxes[0] if boxes else None, "loss": loss.item()})
        drops.append(drop)
    tensors = {
        **{f"weights/{name}": value for name, value in weights.items()},
        **{f"after/{name}": value.detach() for name, value in model.named().items()},
        **{f"average/{name}": value.detach() for name, value in average.module.named().items()},
        "image": image,
        "drops": torch.stack(drops),
    }
    stored = {name: value.float().contiguous() for name, value in tensors.items()}
    safetensors.torch.save_file({**stored, "labels": labels.int()}, folder / "fine-tuning.safetensors")
    header = {
        "versions": {"python": platform.python_version(), "torch": torch.__version__, "timm": timm.__version__},
        "spec": spec(),
        "batch": BATCH,
        "classes": CLASSES,
        "average": AVERAGE,
        "optimizer": {"betas": BETAS, "weight_decay": WEIGHT_DECAY, "layer_decay": LAYER_DECAY, "decay_tokens": False},
        "schedule": {"peak": PEAK, "min_lr": MIN_LR, "warmup": WARMUP},
        "steps": steps,
    }
    (folder / "fine-tuning.json").write_text(json.dumps(header, indent=1) + "\n")


def mixing_share(target: torch.Tensor, labels: torch.Tensor) -> float:
    """What is left of a sample's own label, from a pair with two labels; there is one in every batch here."""
    for i in range(len(labels)):
        if labels[i] != labels[-1 - i]:
            return (target[i, labels[i]].item() - SMOOTHING / CLASSES) / (1 - SMOOTHING)
    raise AssertionError("every pair has one label: choose another seed")


def spec() -> str:
    lines = [
        f"input image(size: {SIDE}x{SIDE}, channels: 3)",
        f"tokens patch(size: {PATCH}x{PATCH})",
        "positions learned",
        f"encoder vit(depth: {DEPTH}, width: {WIDTH}, heads: {HEADS}, drop_path: {DROP_PATH * 100:g}%)",
        f"head classifier(classes: {CLASSES}, pool: mean, dropout: {DROPOUT * 100:g}%)",
        f"loss cross_entropy(smoothing: {SMOOTHING * 100:g}%)",
    ]
    return "\n".join(["edition 2026", "model Reference {", *(f"  {line}" for line in lines), "}", ""])


if __name__ == "__main__":
    main()
