"""Trains heads over maps step by step, as stepping.py describes: a plain vision transformer over an image or a volume, the necks of FCN, UPerNet,
UNETR and MAE-TransRNet, and the losses over places, from what their papers say and torch.nn does.
"""

import math

import torch
import torch.nn.functional as F
from mae import block, layer_norm, linear, network_of
from stepping import Feed, Weights, descend, leaves, line, lines

BINS = (1, 2, 3, 6)
DOUBLINGS = (2, 1, 0, -1)
SHARES = {"pyramid": (1 / 3, 1 / 2, 2 / 3, 1), "unetr": (1 / 3, 7 / 12, 5 / 6, 1)}
MODES = {1: "linear", 2: "bilinear", 3: "trilinear"}
CONV = {2: F.conv2d, 3: F.conv3d}
POOL = {2: F.adaptive_avg_pool2d, 3: F.adaptive_avg_pool3d}
MAX = {2: F.max_pool2d, 3: F.max_pool3d}


def axes_of(x: torch.Tensor) -> int:
    return x.ndim - 2


def first(x: torch.Tensor) -> torch.Tensor:
    return x.movedim(-1, 1)


def resized(x: torch.Tensor, sizes) -> torch.Tensor:
    return F.interpolate(x, tuple(sizes), mode=MODES[axes_of(x)], align_corners=False)


def pointwise(w: Weights, name: str, x: torch.Tensor) -> torch.Tensor:
    """A linear layer on the channels of [B, C, ...S]."""
    return first(linear(w, name, x.movedim(1, -1)))


def convolved(w: Weights, name: str, x: torch.Tensor) -> torch.Tensor:
    weight = w[f"{name}.weight"]
    return CONV[axes_of(x)](x, weight, padding=weight.shape[-1] // 2)


def unit(w: Weights, name: str, x: torch.Tensor) -> torch.Tensor:
    y = convolved(w, f"{name}.conv", x)
    norm = [w[f"{name}.norm.{part}"] for part in ("running_mean", "running_var", "weight", "bias")]
    return F.relu(F.batch_norm(y, *norm, training=True, momentum=0.1, eps=1e-5))


def units(w: Weights, name: str, x: torch.Tensor, count: int) -> torch.Tensor:
    for i in range(count):
        x = unit(w, f"{name}.{i}", x)
    return x


def spread(w: Weights, name: str, x: torch.Tensor, factors) -> torch.Tensor:
    """A transposed convolution whose windows do not overlap; rows of the weight are (place in the window, output)."""
    weight, bias = w[f"{name}.weight"], w[f"{name}.bias"]
    outputs = len(bias) // math.prod(factors)
    kernel = weight.reshape(*factors, outputs, -1).movedim(-1, 0).movedim(-1, 1)
    shift = bias.reshape(*factors, outputs).movedim(-1, 0)
    y = {2: F.conv_transpose2d, 3: F.conv_transpose3d}[axes_of(x)](x, kernel, stride=tuple(factors))
    return y + shift.repeat(1, *x.shape[2:])


def residual(w: Weights, name: str, x: torch.Tensor) -> torch.Tensor:
    y = F.leaky_relu(F.instance_norm(convolved(w, f"{name}.conv1", x)), 0.01)
    y = F.instance_norm(convolved(w, f"{name}.conv2", y))
    own = F.instance_norm(convolved(w, f"{name}.conv3", x)) if f"{name}.conv3.weight" in w else x
    return F.leaky_relu(y + own, 0.01)


def growth(sides) -> list[tuple[int, ...]]:
    steps, left = [], list(sides)
    while max(left) > 1:
        largest = max(left)
        steps.append(tuple(2 if side == largest else 1 for side in left))
        left = [side // factor for side, factor in zip(left, steps[-1], strict=True)]
    return steps


def count_of(w: Weights, name: str) -> int:
    """How many branches there are below a name, numbered from 0."""
    numbers = {int(path[len(name) + 1 :].split(".")[0]) for path in w if path.startswith(f"{name}.")}
    return len(numbers)


def fcn(w: Weights, maps: list[torch.Tensor]) -> torch.Tensor:
    return units(w, "head.neck.convs", maps[-1], count_of(w, "head.neck.convs"))


def pyramid(w: Weights, maps: list[torch.Tensor]) -> torch.Tensor:
    name, levels = "head.neck", []
    for i, (x, doublings) in enumerate(zip(maps, DOUBLINGS, strict=True)):
        twice = (2,) * axes_of(x)
        for k in range(doublings):
            x = spread(w, f"{name}.sized.{i}.{k}", x, twice)
            x = F.gelu(x) if k < doublings - 1 else x
        levels.append(MAX[axes_of(x)](x, 2) if doublings < 0 else x)
    deepest = levels[-1]
    pooled = [
        resized(unit(w, f"{name}.pooled.{i}", POOL[axes_of(deepest)](deepest, size)), deepest.shape[2:]) for i, size in enumerate(BINS)
    ]
    down = [unit(w, f"{name}.bottleneck", torch.cat([deepest, *pooled], 1))]
    for i in reversed(range(len(levels) - 1)):
        lateral = unit(w, f"{name}.laterals.{i}", levels[i])
        down.insert(0, lateral + resized(down[0], lateral.shape[2:]))
    said = [unit(w, f"{name}.outputs.{i}", x) if i < len(down) - 1 else x for i, x in enumerate(down)]
    return unit(w, f"{name}.joined", torch.cat([resized(x, down[0].shape[2:]) for x in said], 1))


def unetr(w: Weights, maps: list[torch.Tensor], array: torch.Tensor, sides) -> torch.Tensor:
    name, steps = "head.neck", growth(sides)
    skips = []
    for skip in range(min(len(steps) - 1, len(maps) - 1)):
        x = maps[-2 - skip]
        for i in range(skip + 1):
            x = spread(w, f"{name}.skips.{skip}.{i}.up", x, steps[i])
            x = residual(w, f"{name}.skips.{skip}.{i}.block", x) if i > 0 else x
        skips.append(x)
    skips += [None] * (len(steps) - 1 - len(skips)) + [residual(w, f"{name}.array", array)]
    x = maps[-1]
    for i, (factors, skip) in enumerate(zip(steps, skips, strict=True)):
        x = spread(w, f"{name}.steps.{i}.up", x, factors)
        x = residual(w, f"{name}.steps.{i}.block", x if skip is None else torch.cat([x, skip], 1))
    return x


def squeezed(w: Weights, name: str, x: torch.Tensor) -> torch.Tensor:
    means = x.mean(dim=tuple(range(2, x.ndim)), keepdim=True)
    channels = torch.sigmoid(pointwise(w, f"{name}.excite", F.relu(pointwise(w, f"{name}.squeeze", means))))
    return torch.maximum(x * channels, x * torch.sigmoid(pointwise(w, f"{name}.place", x)))


def hybrid(w: Weights, maps: list[torch.Tensor], array: torch.Tensor, sides) -> torch.Tensor:
    name, halvings = "head.neck", growth(sides)[::-1]
    own, x = [], array
    for i in range(len(halvings)):
        x = x if i == 0 else MAX[axes_of(x)](x, halvings[i - 1])
        x = units(w, f"{name}.convs.{i}", x, 2)
        own.append(x)
    own[-1] = squeezed(w, f"{name}.scse", own[-1])
    x = unit(w, f"{name}.deep", maps[-1])
    for step in range(len(halvings)):
        skip = own[-1 - step]
        x = units(w, f"{name}.steps.{step}", torch.cat([resized(x, skip.shape[2:]), skip], 1), 2)
    return x


def patches_in(array: torch.Tensor, sides) -> torch.Tensor:
    """[B, ...axes, C] -> [B, N, P], in raster order, the channel fastest."""
    batch, *sizes, channels = array.shape
    counts = [size // side for size, side in zip(sizes, sides, strict=True)]
    apart = array.reshape(batch, *(n for pair in zip(counts, sides, strict=True) for n in pair), channels)
    axes = len(sides)
    order = [0, *(1 + 2 * i for i in range(axes)), *(2 + 2 * i for i in range(axes)), 1 + 2 * axes]
    return apart.permute(order).reshape(batch, math.prod(counts), -1)


def maps_of(w: Weights, encoder: dict, arrays: list, sides, layers: list[int], drops=None, labels=("",)) -> list[torch.Tensor]:
    """What layers, from 1, make of the patches of arrays cut alike, beside each other, [B, D, ...counts] each."""
    values = encoder["values"]
    tokens = []
    for label, array in zip(labels, arrays, strict=True):
        own = linear(w, f"{label}patch_embed.proj", patches_in(array, sides))
        table = w[f"{label}pos_embed"]
        tokens.append(own + table[:, table.shape[1] - own.shape[1] :])
    x = torch.cat(tokens, 1)
    extra = 1 if values["class_token"] else 0
    if extra:
        cls = w["cls_token"] + w["pos_embed"][:, :1] if labels == ("",) else w["cls_token"]
        x = torch.cat([cls.expand(len(x), -1, -1), x], 1)
    given = []
    for i in range(values["depth"]):
        own = (1, 1) if drops is None else drops[:, 2 * i : 2 * i + 2, None, None].unbind(dim=1)
        x = block(w, f"blocks.{i}", x, values["heads"], drops=own)
        given.append(x)
    given[-1] = layer_norm(w, "norm", given[-1])
    counts = [size // side for size, side in zip(arrays[0].shape[1:-1], sides, strict=True)]
    patches = math.prod(counts)

    def laid(y: torch.Tensor) -> torch.Tensor:
        parts = [y[:, extra + i * patches : extra + (i + 1) * patches] for i in range(len(arrays))]
        return first(torch.cat(parts, -1).reshape(len(y), *counts, -1))

    return [laid(given[layer - 1]) for layer in layers]


def layers_of(head: dict, depth: int) -> list[int]:
    neck = head["values"]["neck"]
    if neck not in SHARES:
        return [depth]
    return [int(n) for n in head["values"]["layers"]] if head["values"]["layers"] else [max(1, int(s * depth + 0.5)) for s in SHARES[neck]]


def features_of(w: Weights, neck: str, maps: list[torch.Tensor], arrays: list[torch.Tensor], sides) -> torch.Tensor:
    if neck == "linear":
        return maps[-1]
    if neck == "fcn":
        return fcn(w, maps)
    if neck == "pyramid":
        return pyramid(w, maps)
    return {"unetr": unetr, "hybrid": hybrid}[neck](w, maps, first(torch.cat(arrays, -1)), sides)


def entropy(logits: torch.Tensor, labels: torch.Tensor, background: float) -> torch.Tensor:
    weight = torch.ones(logits.shape[1], dtype=torch.float64)
    weight[0] = background
    each = F.cross_entropy(logits, labels, weight, ignore_index=-1, reduction="none").flatten(1).sum(1)
    counts = (weight[labels.clamp(min=0)] * (labels >= 0)).flatten(1).sum(1)
    return (each / counts).mean()


def dice(logits: torch.Tensor, labels: torch.Tensor, values: dict) -> torch.Tensor:
    known = (labels >= 0)[:, None]
    wanted = first(F.one_hot(labels.clamp(min=0), logits.shape[1]).double()) * known
    shares = logits.softmax(1) * known
    total = lambda x: x.flatten(2).sum(2)  # noqa: E731
    below = total(shares**2 if values["squared"] else shares) + total(wanted)
    overlap = (2 * total(shares * wanted) + values["smooth"]) / (below + values["smooth"])
    return 1 - overlap[:, 0 if values["background"] else 1 :].mean()


def error(said: torch.Tensor, pairs: torch.Tensor, values: dict) -> torch.Tensor:
    """Eigen's losses of depth, one sample at a time; pairs [B, ...S, 2]: the value of each place, and whether it has one."""

    def of_sample(own: torch.Tensor, pair: torch.Tensor) -> torch.Tensor:
        known = pair[..., 1] == 1
        p, v = own[0][known], pair[..., 0][known]
        if values["measure"] != "scale_invariant":
            return F.l1_loss(p, v) if values["measure"] == "l1" else F.mse_loss(p, v)
        d = p.clamp(min=1e-6).log() - v.clamp(min=1e-6).log()
        return (d**2).mean() - values["share"] * d.mean() ** 2

    return torch.stack([of_sample(*pair) for pair in zip(said, pairs, strict=True)]).mean()


def train(example: dict, weights: Weights, feeds: list[Feed]) -> list[float]:
    encoder, head, tokens = line(example, "encoder"), line(example, "head"), line(example, "tokens")
    network_of(encoder)
    learned = (line(example, "positions") or {"block": ""})["block"] == "learned"
    states = [name for name in weights if name.split(".")[-1] in ("running_mean", "running_var")]
    w = leaves(weights, [*states, *([] if learned else ["pos_embed"])])
    depth, neck, sides = encoder["values"]["depth"], head["values"]["neck"], tokens["values"]["size"]
    name = line(example, "input")["block"]

    def loss(feed: Feed) -> torch.Tensor:
        maps = maps_of(w, encoder, [feed[name]], sides, layers_of(head, depth), feed.get("drops"))
        said = pointwise(w, "head.said", features_of(w, neck, maps, [feed[name]], sides))
        logits = resized(said, feed[name].shape[1:-1])
        terms = {
            "place_cross_entropy": lambda values: entropy(logits, feed["labels"], values["background"]),
            "dice": lambda values: dice(logits, feed["labels"], values),
            "place_error": lambda values: error(logits.exp() if head["values"].get("positive") else logits, feed["labels"], values),
        }
        return sum(one["values"]["weight"] * terms[one["block"]](one["values"]) for one in lines(example, "loss"))

    return descend(example, w, feeds, loss)
