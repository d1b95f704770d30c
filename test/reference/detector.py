"""Trains detectors step by step, as stepping.py describes: a plain vision transformer, maps of several sizes, towers and losses, from
what FCOS, ViTDet and the papers of the losses say. What its places are to say is fed.
"""

import torch
import torch.nn.functional as F
from classifier import last_tokens
from mae import case_of, layer_norm, linear, tables_of
from stepping import Feed, Weights, descend, leaves, line

FIRST_SHARE, MOST_EXPONENT = 0.01, 6.0


def normed(w: Weights, name: str, x: torch.Tensor) -> torch.Tensor:
    """A norm over the channels of [B, C, H, W]."""
    return layer_norm(w, name, x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


def window(w: Weights, name: str, x: torch.Tensor) -> torch.Tensor:
    return F.conv2d(x, w[f"{name}.weight"], w[f"{name}.bias"], padding=1)


def normed_window(w: Weights, name: str, x: torch.Tensor) -> torch.Tensor:
    return normed(w, f"{name}.norm", window(w, f"{name}.conv", x))


def doubled(w: Weights, name: str, x: torch.Tensor) -> torch.Tensor:
    """As a transposed convolution whose windows do not overlap; rows of the weight are (row, column, output)."""
    weight, bias = w[f"{name}.up.weight"], w[f"{name}.up.bias"]
    outputs, inputs = len(bias) // 4, weight.shape[1]
    kernel = weight.reshape(2, 2, outputs, inputs).permute(3, 2, 0, 1)
    y = F.conv_transpose2d(x, kernel, stride=2)
    y = y + bias.reshape(2, 2, outputs).permute(2, 0, 1).repeat(1, x.shape[2], x.shape[3])
    return normed(w, f"{name}.norm", y)


def places_of(w: Weights, features: torch.Tensor, head: dict) -> torch.Tensor:
    """map [B, D, H, W] -> [B, places, classes + 5 + mask^2]"""
    said = []
    for i, scale in enumerate(head["scales"]):
        name, x = f"head.levels.{i}", features
        steps = {4: 2, 2: 1}.get(scale, 0)
        for step in range(steps):
            x = doubled(w, f"{name}.finer.{step}", x)
            x = F.gelu(x) if step < steps - 1 else x
        if scale == 0.5:
            x = F.max_pool2d(x, 2)
        lateral = linear(w, f"{name}.lateral", x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        x = normed_window(w, f"{name}.output", normed(w, f"{name}.lateral_norm", lateral))
        towers = []
        for tower in ("class_tower", "box_tower"):
            y = x
            for depth in range(head["depth"]):
                y = F.gelu(normed_window(w, f"head.{tower}.{depth}", y))
            towers.append(y)
        classes = window(w, "head.classes", towers[0]) - torch.log(torch.tensor((1 - FIRST_SHARE) / FIRST_SHARE, dtype=torch.float64))
        boxes = window(w, "head.boxes", towers[1])
        distances = (boxes[:, :4] * w[f"{name}.scale"]).clamp(max=MOST_EXPONENT).exp()
        whole = torch.cat([classes, distances, boxes[:, 4:]], dim=1)
        said.append(whole.flatten(2).transpose(1, 2))
    return torch.cat(said, dim=1)


def focal(logits: torch.Tensor, wanted: torch.Tensor, alpha: float, gamma: float) -> torch.Tensor:
    share = torch.sigmoid(logits)
    true = share * wanted + (1 - share) * (1 - wanted)
    weight = alpha * wanted + (1 - alpha) * (1 - wanted)
    return weight * (1 - true) ** gamma * F.binary_cross_entropy_with_logits(logits, wanted, reduction="none")


def farness(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """1 - generalised overlap of boxes by distances to the left, up, to the right and down, [..., 4]."""
    area = lambda d: (d[..., 0] + d[..., 2]) * (d[..., 1] + d[..., 3])  # noqa: E731
    common, around = area(torch.minimum(a, b)), area(torch.maximum(a, b))
    together = area(a) + area(b) - common
    return 1 - common / together + (around - together) / around


def loss_of(said: torch.Tensor, wanted: torch.Tensor, classes: int, alpha: float, gamma: float) -> torch.Tensor:
    losses = []
    for places, targets in zip(said, wanted, strict=True):
        kind = targets[:, 0].long()
        chosen = kind >= 0
        count = max(1, int(chosen.sum()))
        every = torch.zeros(len(kind), classes, dtype=torch.float64)
        every[chosen] = F.one_hot(kind[chosen], classes).double()
        total = focal(places[:, :classes], every, alpha, gamma).sum() / count
        if chosen.any():
            own, true = places[chosen], targets[chosen]
            centred = true[:, 5]
            total = total + (farness(own[:, classes : classes + 4], true[:, 1:5]) * centred).sum() / centred.sum()
            total = total + F.binary_cross_entropy_with_logits(own[:, classes + 4], centred)
            if true.shape[1] > 6:
                total = total + F.binary_cross_entropy_with_logits(own[:, classes + 5 :], true[:, 6:])
        losses.append(total)
    return torch.stack(losses).mean()


def train(example: dict, weights: Weights, feeds: list[Feed]) -> list[float]:
    case, head, judge = case_of(example), line(example, "head")["values"], line(example, "loss")["values"]
    w = leaves(weights, tables_of(case, weights))
    rows, columns = case.image[0] // case.patch[0], case.image[1] // case.patch[1]

    def loss(feed: Feed) -> torch.Tensor:
        tokens = layer_norm(w, "norm", last_tokens(case, w, feed["image"])[:, 1:])
        features = tokens.transpose(1, 2).reshape(len(tokens), -1, rows, columns)
        said = places_of(w, features, head)
        return judge["weight"] * loss_of(said, feed["labels"], head["classes"], judge["alpha"], judge["gamma"])

    return descend(example, w, feeds, loss)
