"""Training step by step from what our own training began with and was fed: reading that, the optimizer, and the loop.

A recorded example is two files. NAME.json, the decisions:

  name, steps, batch
  tokens       {total: N, visible: V}
  model        lines {slot, label, block, values, inner}, in the order of the language's slots; `values` has all of the block's
               parameters (sizes [height, width], shares as fractions), `inner` the lines in its braces
  optimizer    {block, values}; its rate is fed
  clip         largest global norm of the gradients, or null
  freeze       where something is frozen: `encoder`, all that sees an input
  beside       where steps of other models take turns with those of this one: for each of them `model`, lines likewise, and `weights`, the name
               that each of its weights has here

NAME.safetensors:

  weights/<official name>   float32, before the first step; Linear weights [out, in], tables [1, 1 + N, D]; a teacher's below `teacher`,
                            a labelled target's below its label
  feeds/<step>/<name>       what step 0, 1 ... was fed:
    image [B, H, W, C] as the model sees it; visible [B, V], hidden [B, N - V]: places of tokens, int32; restore [B, N], int32: where
    each token stands in [visible, hidden]; lr []; step [], from 1; weight_decay [], where it moves; last_step [], 0 while
    prototypes stay as they are; momentum [] of the teacher's share of its old value; draws [B, N]
    and chance [] of masks that are guided by attention; labels [B, K], shares of classes; drops [B, numbers], by which residuals and
    features are multiplied; and the maps of regions under the label of
    their target. A guided mask's visible, hidden and restore are its random order.

A method's module has

  train(case, weights, feeds) -> losses

with the decisions, float64 weights by name and for each step its feeds by name, float64 or int64. It gives the loss of each step before
its update. Only what is random is fed: targets, losses and which patches attention hides are computed there.
"""

import json
from collections.abc import Callable, Iterable
from pathlib import Path

import safetensors.torch
import torch

Weights = dict[str, torch.Tensor]
Feed = dict[str, torch.Tensor]


def read(folder: Path, name: str) -> tuple[dict, Weights, list[Feed]]:
    case = json.loads((folder / f"{name}.json").read_text())
    weights: Weights = {}
    feeds: list[Feed] = [{} for _ in range(case["steps"])]
    for path, value in safetensors.torch.load_file(folder / f"{name}.safetensors").items():
        kind, rest = path.split("/", 1)
        exact = value.double() if value.is_floating_point() else value.long()
        if kind == "weights":
            weights[rest] = exact
        else:
            step, feed = rest.split("/", 1)
            feeds[int(step)][feed] = exact
    return case, weights, feeds


def lines(within: dict, slot: str) -> list[dict]:
    """The lines of a slot, of a case or of a line with inner ones."""
    return [line for line in within.get("model", within.get("inner", [])) if line["slot"] == slot]


def line(within: dict, slot: str, label: str | None = None) -> dict | None:
    found = [one for one in lines(within, slot) if one["label"] == label]
    assert len(found) <= 1, f"several lines {slot} {label or ''}"
    return found[0] if found else None


def leaves(weights: Weights, fixed: Iterable[str]) -> Weights:
    """Copies of the weights, of which all but the `fixed` ones get gradients."""
    kept = set(fixed)
    assert kept <= weights.keys(), kept - weights.keys()
    return {name: value.clone().requires_grad_(name not in kept) for name, value in weights.items()}


class Lars(torch.optim.Optimizer):
    """g += wd p; g *= trust |p| / |g|, 1 where one of them is 0; vectors: neither decay nor factor. Then, with `sum` of gradients,
    m = momentum m + g; p -= lr m; and with `sum` of steps, m = momentum m + lr g; p -= m."""

    def __init__(self, parameters, lr, momentum, weight_decay, trust, matrix=True, sum="gradients"):
        super().__init__(parameters, {"lr": lr, "weight_decay": weight_decay, "matrix": matrix})
        self.momentum, self.trust, self.sums_steps = momentum, trust, sum == "steps"

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    self.move(p, group)

    def move(self, p: torch.Tensor, group: dict) -> None:
        g = p.grad
        if group["matrix"]:
            g = g + group["weight_decay"] * p
            weight, update = p.norm(), g.norm()
            if weight > 0 and update > 0:
                g = g * (self.trust * weight / update)
        if self.sums_steps:
            g = group["lr"] * g
        m = self.state[p]["m"] = g.clone() if "m" not in self.state[p] else self.momentum * self.state[p]["m"] + g
        p -= m if self.sums_steps else group["lr"] * m


def optimizer_for(case: dict, w: Weights) -> torch.optim.Optimizer:
    """
    As the recipe says, of the weights with gradients; matrices and other weights of more than one dimension decay, learned tokens and
    positions where it says so. The rate is set at each step.
    """
    optimizer, every = case["optimizer"], {name: weight for name, weight in w.items() if weight.requires_grad}
    values = optimizer["values"]
    assert optimizer["block"] in ("adamw", "lars", "sgd"), optimizer["block"]
    ends = ("_token", "pos_embed", "input_embed", "relative_position_bias_table")
    tokens = set() if values["decay_tokens"] else {name for name in every if name.endswith(ends)}
    decayed = {name for name, weight in every.items() if weight.ndim > 1} - tokens
    layers = {name: layer_of(name) for name in every}
    last = max((layer for layer in layers.values() if layer is not None), default=0) + 1
    moves = isinstance(values["weight_decay"], dict)
    groups = [
        {
            "params": [weight],
            "weight_decay": values["weight_decay"] if name in decayed and not moves else 0.0,
            # Of a decay that moves, it is fed.
            "moves": moves and name in decayed,
            "matrix": name in decayed,
            "last": ".last_layer." in f".{name}",
            "share": (values["layer_decay"] or 1) ** (last - (last if layers[name] is None else layers[name])),
        }
        for name, weight in every.items()
    ]
    if optimizer["block"] == "lars":
        settings = {name: values[name] for name in ("momentum", "weight_decay", "trust", "sum")}
        return Lars(groups, lr=0.0, **settings)
    if optimizer["block"] == "sgd":
        return torch.optim.SGD(groups, lr=0.0, momentum=values["momentum"], nesterov=values["nesterov"])
    return torch.optim.AdamW(groups, lr=0.0, betas=tuple(values["betas"]), eps=values["epsilon"])


def layer_of(name: str) -> int | None:
    """Of a weight in front of an encoder's blocks 0, of block i the number i + 1; None of what comes after them."""
    if name in ("cls_token", "pos_embed") or name.startswith(("patch_embed", "scales")):
        return 0
    return int(name.split(".")[1]) + 1 if name.startswith("blocks.") else None


def update(case: dict, optimizer: torch.optim.Optimizer, feed: Feed) -> None:
    """One step with the gradients that the weights have, clipped together where the recipe clips."""
    for group in optimizer.param_groups:
        group["lr"] = feed["lr"].item() * group["share"]
        if group["moves"]:
            group["weight_decay"] = feed["weight_decay"].item()
    if case["clip"] is not None:
        torch.nn.utils.clip_grad_norm_([w for group in optimizer.param_groups for w in group["params"]], case["clip"])
    # Prototypes that stay as they are for a while: the optimizer passes by what has no gradient.
    if "last_step" in feed and feed["last_step"] == 0:
        for group in optimizer.param_groups:
            if group["last"]:
                group["params"][0].grad = None
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)


def descend(case: dict, w: Weights, feeds: list[Feed], loss_of: Callable[[Feed], torch.Tensor]) -> list[float]:
    """
    Brings one loss of the leaves `w` down; where the steps of several models take turns, each moves the weights that it has. -> the loss of each
    step before its update
    """
    trained = {name: weight for name, weight in w.items() if weight.requires_grad}
    optimizer = optimizer_for(case, trained)
    losses = []
    for feed in feeds:
        loss = loss_of(feed)
        losses.append(loss.item())
        loss.backward()
        idle = [name for name, weight in trained.items() if weight.grad is None]
        assert not idle or "beside" in case, f"without a gradient: {idle}"
        update(case, optimizer, feed)
    return losses
