"""Writes the fixtures of masks that a model decides by its own features or its class token: what is hidden, and the losses and gradients that follow.

The model is that of mae.py. The rules are written sample by sample, with sets, loops and `torch.linalg.eigh`: SG-MAE (Shin et al., NeurIPS 2024),
SemMAE (Li et al., NeurIPS 2022), the semantic masks of Miao et al. (2024), AttMask (Kakogeorgiou et al., ECCV 2022); what of them is our own is
said in docs/methods/guided-masks.md.
Usage: python guided-masks.py [folder]; `train` is described in stepping.py.
"""

import sys
from dataclasses import replace
from pathlib import Path

import torch
import torch.nn.functional as F
from mae import CASES, Case, Network, block, case_of, linear, loss_of, make_weights, patches_of, tables_of, target_of, weighed
from method import drawn, header_of, leaves_of, spec_of, tensors_of, write
from sma import attention, predicted
from stepping import Feed, Weights, descend, leaves, line

DEFAULTS = {"layer": None, "cut": "normalized", "hints": 0.05, "parts": 7, "random": 0.25, "hide": "most", "by": "encoder"}


def features(case: Case, w: dict, image: torch.Tensor, from_last: int) -> torch.Tensor:
    """-> directions of what a layer gives for the patches of whole images, [B, N, D]"""
    with torch.no_grad():
        tokens = linear(w, "patch_embed.proj", patches_of(case, image))
        x = torch.cat([w["cls_token"].expand(len(image), -1, -1), tokens], dim=1) + w["pos_embed"]
        for i in range(case.encoder.depth - from_last + 1):
            x = block(w, f"blocks.{i}", x, case.encoder.heads)
        return F.normalize(x[:, 1:], dim=-1)


def side_of(x: torch.Tensor, cut: str) -> torch.Tensor:
    """x [N, D] -> a number of each patch, whose sign tells two clusters apart."""
    if cut == "principal":
        centred = x - x.mean(dim=0)
        return torch.linalg.eigh(centred @ centred.T).eigenvectors[:, -1]
    near = (x @ x.T).clamp_min(1e-5)
    root = near.sum(dim=1).sqrt()
    return torch.linalg.eigh(near / torch.outer(root, root)).eigenvectors[:, -2] / root


def near_to_cluster(x: torch.Tensor, cut: str) -> torch.Tensor:
    side = side_of(x, cut)
    above = side > 0
    hidden = above if side[above].abs().mean() >= side[~above].abs().mean() else ~above
    return x @ F.normalize(x[hidden].sum(dim=0), dim=0)


def last_first(scores: torch.Tensor, count: int) -> set[int]:
    return set(scores.topk(count).indices.tolist())


def smallest(among: set[int], keys: torch.Tensor, count: int) -> set[int]:
    return set(sorted(among, key=lambda i: keys[i].item())[:count])


def with_hints(hidden: set[int], tokens: int, draws: torch.Tensor, share: float) -> set[int]:
    most = int(share * len(hidden) + 0.5)
    hints = smallest(hidden, draws[:tokens], most)
    left = hidden - hints
    return left | smallest(set(range(tokens)) - left, draws[tokens:], most)


def parts_of(x: torch.Tensor, places: torch.Tensor, parts: int) -> list[list[int]]:
    """Patches of each part: clusters whose first middles are the first patches of the drawn order."""
    own = [[i for i in range(len(x)) if places[i] == part] for part in range(parts)]
    for _ in range(6):
        middles = torch.stack([F.normalize(x[one].sum(dim=0), dim=0) if one else torch.zeros_like(x[0]) for one in own])
        nearest = (x @ middles.T - 1e-6 * torch.arange(parts)).argmax(dim=1)
        own = [[i for i in range(len(x)) if nearest[i] == part] for part in range(parts)]
    return own


def rounded(x: float) -> int:
    return int(x + 0.5)


def part_by_part(own: list[list[int]], places: torch.Tensor, count: int, inside: float) -> set[int]:
    tokens, left, chosen = len(places), count, set()
    for one in own:
        each, whole = rounded(len(one) * count / tokens), min(len(one), max(0, left))
        left -= len(one)
        most = rounded(each * inside + whole * (1 - inside))
        chosen |= smallest(set(one), places, most)
    order = sorted(range(tokens), key=lambda i: (i in chosen, places[i].item()))
    return set(order[tokens - count :])


def whole_parts(case: Case, x: torch.Tensor, own: list[list[int]], count: int) -> set[int]:
    rows, columns = case.grid
    where = torch.cartesian_prod(torch.arange(rows), torch.arange(columns)).double()
    order = []
    for one in own:
        if not one:
            continue
        middle = one[(x[one] @ F.normalize(x[one].sum(dim=0), dim=0)).argmax()]
        away = (where - where[middle]).norm(dim=1)
        order += sorted(one, key=lambda i: (away[i].item(), i))
    return set(order[case.tokens - count :])


def by_attention(p: dict, scores: torch.Tensor, draws: torch.Tensor, count: int, hints: float) -> set[int]:
    tokens = len(scores)
    if p["hide"] == "least":
        return last_first(-scores, count)
    top = rounded(tokens * 0.1)
    shown = smallest(last_first(scores, top), draws, rounded(hints * top))
    left = scores.clone()
    left[list(shown)] -= 2
    return last_first(left, count)


def hidden_of(case: Case, name: str, p: dict, w: dict, feed: Feed) -> list[set[int]]:
    count = case.tokens - case.visible
    places, image, draws = feed["restore"], feed["image"], feed["draws"]
    if feed["chance"].item() == 1:
        return [set(range(case.tokens)) - smallest(set(range(case.tokens)), one, case.visible) for one in places]
    if name == "class_attention":
        maps = attention(case, w, image, p["layer"] or case.encoder.depth)[:, :, 0, 1:].mean(dim=1)
        return [by_attention(p, *pair, count, feed["hints"].item()) for pair in zip(maps, draws, strict=True)]
    found = []
    for x, place, numbers in zip(features(case, w, image, p["layer"] or 2), places, draws, strict=True):
        if name == "self_guided":
            near = last_first(near_to_cluster(x, p["cut"]), count)
            found.append(with_hints(near, case.tokens, numbers, feed["hints"].item()))
            continue
        own = parts_of(x, place, p["parts"])
        if name == "semantic_parts":
            found.append(part_by_part(own, place, count, feed["inside"].item()))
        elif numbers.item() < p["random"]:
            found.append(set(range(case.tokens)) - smallest(set(range(case.tokens)), place, case.visible))
        else:
            found.append(whole_parts(case, x, own, count))
    return found


def mask_of(case: Case, name: str, p: dict, w: dict, feed: Feed) -> torch.Tensor:
    hidden = torch.tensor([sorted(one) for one in hidden_of(case, name, p, w, feed)])
    return torch.zeros(len(hidden), case.tokens, dtype=torch.float64).scatter_(1, hidden, 1.0)


def run(case: Case, name: str, words: str, p: dict, feeds: dict[str, float], numbers: int) -> tuple[dict, dict]:
    random = torch.Generator().manual_seed(case.seed)
    weights = make_weights(case, random)
    image, order, restore, _ = drawn(case, random)
    draws = torch.rand(case.batch, numbers, generator=random, dtype=torch.float64).float()
    moving = {key: torch.tensor(value).float() for key, value in feeds.items()}
    w = leaves_of(case, weights)
    feed = {"image": image, "restore": restore, "draws": draws.double(), **moving}
    mask = mask_of(case, name, DEFAULTS | p, w, feed)
    terms = {"mse": loss_of("mse", "hidden", predicted(case, w, image, mask), target_of(case, image), mask)}
    terms["mse"].backward()
    ratio = f"ratio: {case.ratio * 100:g}%"
    spec = spec_of(case, ["loss mse(on: hidden)"]).replace(f"random({ratio})", f"{name}({ratio}{words})")
    tensors = tensors_of(case, w, image, order, restore)
    return header_of(case, spec, terms, terms["mse"]), tensors | {"draws": draws, "mask": mask, **moving}


def train(example: dict, weights: Weights, feeds: list[Feed]) -> list[float]:
    case, own, mask = case_of(example), line(example, "loss"), line(example, "mask")
    w = leaves(weights, tables_of(case, weights))

    def loss(feed: Feed) -> torch.Tensor:
        hidden = mask_of(case, mask["block"], mask["values"], w, feed)
        return weighed(own, predicted(case, w, feed["image"], hidden), target_of(case, feed["image"]), hidden)

    return descend(example, w, feeds, loss)


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent)
    case = replace(CASES[0], batch=3, ratio=0.5, image=(32, 40, 3), encoder=Network(depth=3, width=32, heads=4))
    tokens = case.tokens
    guided = {"chance": 0.0, "hints": 0.2}
    write(folder / "sg-mae", *run(case, "self_guided", ", hints: 20%", {}, guided, 2 * tokens))
    principal = run(case, "self_guided", ", cut: principal, layer: 1", {"cut": "principal", "layer": 1}, guided, 2 * tokens)
    write(folder / "sg-mae-principal", *principal)
    parts = {"parts": 4}
    write(folder / "semmae", *run(case, "semantic_parts", ", parts: 4", parts, {"chance": 0.0, "inside": 0.4}, 1))
    write(folder / "semantic-whole", *run(case, "semantic_whole", ", parts: 4", parts, {"chance": 0.0}, 1))
    write(folder / "attmask", *run(case, "class_attention", "", {}, {"chance": 0.0, "hints": 0.5}, tokens))
    least = run(case, "class_attention", ", hide: least, layer: 2", {"hide": "least", "layer": 2}, guided, tokens)
    write(folder / "attmask-least", *least)


if __name__ == "__main__":
    main()
