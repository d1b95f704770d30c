"""Writes the fixtures of masks that are guided by attention: what is hidden, and the losses and gradients that follow.

The model is that of mae.py; the rule is written from the description of the algorithm (Xie et al., ICLR 2024), with patches asking
in place of latent vectors. Sets are chosen sample by sample, with torch.topk.
Usage: python sma.py [folder]; `train` is described in stepping.py.
"""

import sys
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from mae import CASES, Case, Network, block, case_of, encode, layer_norm, linear, loss_of, make_weights, patches_of, predict
from mae import tables_of, target_of, weighed
from method import drawn, header_of, leaves_of, spec_of, tensors_of, write
from stepping import Feed, Weights, descend, leaves, line


@dataclass(frozen=True)
class Guide:
    layer: int  # from 1
    queries: float
    heads: str
    mix: str
    chance: float

    @property
    def words(self) -> str:
        return f"layer: {self.layer}, queries: {self.queries:.0%}, heads: {self.heads}, mix: {self.mix}"


def attention(case: Case, w: dict, image: torch.Tensor, layer: int) -> torch.Tensor:
    """-> [B, heads, 1 + N, 1 + N] of the whole image, detached."""
    with torch.no_grad():
        tokens = linear(w, "patch_embed.proj", patches_of(case, image))
        x = torch.cat([w["cls_token"].expand(len(image), -1, -1), tokens], dim=1) + w["pos_embed"]
        for i in range(layer - 1):
            x = block(w, f"blocks.{i}", x, case.encoder.heads)
        name, heads = f"blocks.{layer - 1}", case.encoder.heads
        qkv = linear(w, f"{name}.attn.qkv", layer_norm(w, f"{name}.norm1", x))
        q, k, _ = (part.unflatten(-1, (heads, -1)).transpose(1, 2) for part in qkv.chunk(3, dim=-1))
        return (q @ k.mT * q.shape[-1] ** -0.5).softmax(dim=-1)


def hidden_of(case: Case, guide: Guide, scores: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
    """scores [N], places [N] in the drawn order -> the hidden patches."""
    count = case.tokens - case.visible
    if guide.mix == "pool":
        size = int(count + guide.chance * (case.tokens - count) + 0.5)
        pool = scores.topk(size).indices
        return pool[places[pool].argsort(descending=True)[:count]]
    certain = scores.topk(int((1 - guide.chance) * count + 0.5)).indices
    rest = torch.tensor([i for i in range(case.tokens) if i not in certain], dtype=torch.long)
    by_chance = rest[places[rest].argsort(descending=True)[: count - len(certain)]]
    return torch.cat([certain, by_chance])


def received(case: Case, guide: Guide, weights: torch.Tensor, queries: torch.Tensor) -> torch.Tensor:
    """weights [heads, 1 + N, 1 + N], queries [N], below 0 where a patch is not asked -> [N]"""
    sums = torch.zeros(case.tokens, dtype=torch.float64)
    for patch, query in enumerate(queries.tolist()):
        if query < 0:
            continue
        row = weights[:, 1 + patch, 1:]
        sums += row.mean(dim=0) if guide.heads == "mean" else row[int(query * case.encoder.heads)]
    return sums


def guided_mask(
    case: Case, guide: Guide, w: dict, image: torch.Tensor, restore: torch.Tensor, queries: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """restore [B, N] of the drawn order, queries [B, N] -> mask [B, N] with 1 = hidden, attention received [B, N]"""
    maps = attention(case, w, image, guide.layer)
    scores = torch.stack([received(case, guide, *pair) for pair in zip(maps, queries.double(), strict=True)])
    hidden = torch.stack([hidden_of(case, guide, *pair) for pair in zip(scores, restore, strict=True)])
    return torch.zeros(case.batch, case.tokens, dtype=torch.float64).scatter_(1, hidden, 1.0), scores


def predicted(case: Case, w: dict, image: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """-> [B, N, P]"""
    guided = mask.argsort(dim=1, stable=True)
    return predict(case, w, encode(case, w, image, guided[:, : case.visible]), guided.argsort(dim=1))


def run(case: Case, guide: Guide) -> tuple[dict, dict[str, torch.Tensor]]:
    random = torch.Generator().manual_seed(case.seed)
    weights = make_weights(case, random)
    image, order, restore, _ = drawn(case, random)
    asked = max(1, int(case.tokens * guide.queries + 0.5))
    queries = torch.rand(case.batch, case.tokens, generator=random, dtype=torch.float64).float()
    ranks = torch.rand(case.batch, case.tokens, generator=random).argsort(dim=1)
    queries[ranks >= asked] = -1
    w = leaves_of(case, weights)
    mask, scores = guided_mask(case, guide, w, image, restore, queries)
    prediction = predicted(case, w, image, mask)
    terms = {"mse": loss_of("mse", "hidden", prediction, target_of(case, image), mask)}
    terms["mse"].backward()
    spec = spec_of(case, ["loss mse(on: hidden)"]).replace(
        f"mask random(ratio: {case.ratio * 100:g}%)",
        f"mask attention_guided(ratio: {case.ratio * 100:g}%, random: {guide.chance:.0%}, {guide.words})",
    )
    tensors = tensors_of(case, w, image, order, restore)
    tensors |= {"draws": queries, "chance": torch.tensor(guide.chance), "mask": mask, "received": scores}
    return header_of(case, spec, terms, terms["mse"]), tensors


def train(example: dict, weights: Weights, feeds: list[Feed]) -> list[float]:
    case, own, mask = case_of(example), line(example, "loss"), line(example, "mask")["values"]
    w = leaves(weights, tables_of(case, weights))

    def loss(feed: Feed) -> torch.Tensor:
        guide = Guide(mask["layer"], mask["queries"], mask["heads"], mask["mix"], feed["chance"].item())
        hidden, _ = guided_mask(case, guide, w, feed["image"], feed["restore"], feed["draws"])
        return weighed(own, predicted(case, w, feed["image"], hidden), target_of(case, feed["image"]), hidden)

    return descend(example, w, feeds, loss)


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent)
    case = replace(CASES[1], encoder=Network(depth=3, width=24, heads=3), ratio=0.6)
    write(folder / "sma", *run(case, Guide(layer=1, queries=0.25, heads="random", mix="pool", chance=0.0)))
    write(folder / "sma-pool", *run(case, Guide(layer=2, queries=0.5, heads="random", mix="pool", chance=0.4)))
    write(folder / "sma-share", *run(case, Guide(layer=3, queries=0.3, heads="mean", mix="share", chance=0.25)))


if __name__ == "__main__":
    main()
