"""Writes the fixtures of SMA as published: latents that ask, and masks of what they ask for. Small models of a table and of a text, in float64.

Written from the description (Xie et al., ICLR 2024): tokens are normalised and asked by learned vectors in one cross-attention; some of the
vectors, drawn for each sample, say by their attention what is hidden; the hidden tokens are then kept from the same attention, by a score
of minus infinity; vectors ask each other, and a cross-attention from places to them predicts. The decoder is that of MultiMAE without
blocks of its own. Usage: python sma-latents.py [folder]; `train` is described in stepping.py.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from drawing import Drawing
from mae import block, layer_norm, linear
from method import learned, write
from remasker import categories_of, errors_of, tokens_of
from sma import Guide, hidden_of
from stepping import Feed, Weights, descend, leaves, line

BATCH = 4


@dataclass(frozen=True)
class Case:
    count: int  # tokens
    ratio: float
    width: int
    latents: int
    latent_width: int
    depth: int
    heads: int
    asking_heads: int
    narrow: int
    narrow_heads: int
    guide: Guide
    categories: tuple[int, ...] = ()
    vocabulary: int = 0

    @property
    def visible(self) -> int:
        return int(self.count * (1 - self.ratio))

    @property
    def tokens(self) -> int:
        return self.count


TABLE = Case(6, 0.5, 12, 5, 16, 2, 2, 2, 12, 2, Guide(1, 0, "random", "pool", 0.3), categories=(0, 3, 0, 0, 2, 0))
TEXT = Case(10, 0.3, 12, 5, 16, 2, 2, 2, 12, 2, Guide(1, 0, "mean", "pool", 0.0), vocabulary=20)


def split(x: torch.Tensor, heads: int) -> torch.Tensor:
    return x.unflatten(-1, (heads, -1)).transpose(1, 2)


def scores_of(w: Weights, name: str, queries: torch.Tensor, memory: torch.Tensor, heads: int) -> tuple[torch.Tensor, torch.Tensor]:
    """-> scores [B, heads, N, M] and values [B, heads, M, D / heads]"""
    q = split(linear(w, f"{name}.q", queries), heads)
    k, v = (split(part, heads) for part in linear(w, f"{name}.kv", memory).chunk(2, dim=-1))
    return q @ k.mT * q.shape[-1] ** -0.5, v


def taken(w: Weights, name: str, scores: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
    return linear(w, f"{name}.proj", (scores.softmax(-1) @ values).transpose(1, 2).flatten(2))


def perceptron(w: Weights, name: str, x: torch.Tensor) -> torch.Tensor:
    return linear(w, f"{name}.fc2", F.gelu(linear(w, f"{name}.fc1", x)))


def embedded(case: Case, w: Weights, array: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """-> tokens [B, N, D], normalised, and which of them are there, [B, N]"""
    if case.vocabulary:
        tokens, there = w["word_embed.weight"][array[..., 0].long()], array[..., 1] >= 0
    else:
        tokens, there = tokens_of(w, array, list(case.categories)), torch.ones(array.shape[:2], dtype=torch.bool)
    return layer_norm(w, "embed_norm", tokens + w["pos_embed"]), there


def predict(case: Case, w: Weights, array: torch.Tensor, feed: Feed) -> tuple[torch.Tensor, torch.Tensor]:
    """-> prediction [B, N, P], hidden [B, N]"""
    batch = len(array)
    tokens, there = embedded(case, w, array)
    asking = w["asking.latents"].expand(batch, -1, -1)
    scores, values = scores_of(w, "asking.attn", layer_norm(w, "asking.norm1", asking), tokens, case.asking_heads)
    scores = scores.masked_fill(~there[:, None, None], -torch.inf)
    attention = scores.detach().softmax(-1)
    hidden = torch.zeros(array.shape[:2], dtype=torch.bool)
    for sample in range(batch):
        received = torch.zeros(case.count, dtype=torch.float64)
        for row, head in feed["draws"][sample].view(-1, 2).tolist():
            asked = attention[sample, :, int(row * case.latents)]
            received += asked.mean(0) if case.guide.heads == "mean" else asked[int(head * case.asking_heads)]
        hidden[sample, hidden_of(case, case.guide, received, feed["restore"][sample])] = True
    told = taken(w, "asking.attn", scores.masked_fill(hidden[:, None, None], -torch.inf), values)
    x = asking + told
    x = x + perceptron(w, "asking.mlp", layer_norm(w, "asking.norm2", x))
    for i in range(case.depth):
        x = block(w, f"latent_blocks.{i}", x, case.heads)
    context = layer_norm(w, "context_norm", linear(w, "proj_context", x) + w["decoder_latent_pos_embed"])
    queries = layer_norm(w, "query_norm", (w["mask_token"] + w["decoder_pos_embed"]).expand(batch, -1, -1))
    out = taken(w, "decoder", *scores_of(w, "decoder", queries, context, case.narrow_heads))
    out = out + perceptron(w, "mlp", layer_norm(w, "out_norm", out))
    return linear(w, "out_proj", out), hidden


def loss_of(case: Case, w: Weights, array: torch.Tensor, feed: Feed) -> torch.Tensor:
    prediction, hidden = predict(case, w, array, feed)
    if case.vocabulary:
        words = hidden & (array[..., 1] > 0)
        return F.cross_entropy(prediction[words], array[..., 0].long()[words])
    return errors_of(prediction, array, list(case.categories))[hidden & (array[..., 1] > 0)].mean()


def make_weights(case: Case, random: torch.Generator) -> Weights:
    draw = Drawing(random)
    draw.normal("pos_embed", 1, case.count, case.width, std=0.3)
    if case.vocabulary:
        draw.normal("word_embed.weight", case.vocabulary, case.width, std=0.5)
    else:
        draw.normal("columns.weight", sum(max(1, own) for own in case.categories) + case.count, case.width, std=0.4)
        draw.normal("columns.bias", case.count, case.width, std=0.3)
    draw.norm("embed_norm", case.width)
    draw.normal("asking.latents", 1, case.latents, case.latent_width, std=0.5)
    draw.norm("asking.norm1", case.latent_width)
    draw.matrix("asking.attn.q", case.latent_width, case.latent_width)
    draw.matrix("asking.attn.kv", 2 * case.latent_width, case.width)
    draw.matrix("asking.attn.proj", case.latent_width, case.latent_width)
    draw.norm("asking.norm2", case.latent_width)
    draw.perceptron("asking.mlp", case.latent_width)
    draw.blocks("latent_blocks", case.depth, case.latent_width)
    draw.normal("decoder_latent_pos_embed", 1, case.latents, case.narrow, std=0.3)
    draw.normal("decoder_pos_embed", 1, case.count, case.narrow, std=0.3)
    draw.matrix("proj_context", case.narrow, case.latent_width)
    draw.normal("mask_token", 1, 1, case.narrow, std=0.3)
    draw.norm("query_norm", case.narrow)
    draw.norm("context_norm", case.narrow)
    draw.matrix("decoder.q", case.narrow, case.narrow)
    draw.matrix("decoder.kv", 2 * case.narrow, case.narrow)
    draw.matrix("decoder.proj", case.narrow, case.narrow)
    draw.norm("out_norm", case.narrow)
    draw.perceptron("mlp", case.narrow)
    draw.matrix("out_proj", case.vocabulary or 1 + sum(case.categories), case.narrow)
    return draw.weights


def drawn(case: Case, random: torch.Generator) -> torch.Tensor:
    if case.vocabulary:
        ids = torch.randint(5, case.vocabulary, (BATCH, case.count), generator=random)
        words = torch.arange(case.count).repeat(BATCH, 1)
        for sample in range(BATCH):
            end = case.count - sample
            words[sample, [0, end - 1]] = 0
            ids[sample, end:], words[sample, end:] = 0, -1
        return torch.stack([ids, words, torch.zeros_like(ids)], dim=-1).double()
    values = torch.randn(BATCH, case.count, generator=random, dtype=torch.float64).float().double()
    for column, own in enumerate(case.categories):
        if own:
            values[:, column] = torch.randint(own, (BATCH,), generator=random).double()
    known = torch.rand(BATCH, case.count, generator=random) > 0.2
    return torch.stack([values * known, known.double()], dim=-1)


def spec_of(case: Case) -> str:
    columns = [f"c{i}: {' | '.join('abcdef'[:own])}" if own else f"c{i}" for i, own in enumerate(case.categories)]
    head = (
        [f"input text(length: {case.count}, vocabulary: {case.vocabulary}, mask: 4)", "tokens embedding"]
        if case.vocabulary
        else [f'input table(columns: "{", ".join(columns)}")', "tokens columns"]
    )
    tail = ["target ids", "loss id_cross_entropy"] if case.vocabulary else ["target columns", "loss column_error(on: hidden)"]
    guide = case.guide
    lines = [
        *head,
        "positions learned",
        f"mask latent_guided(ratio: {case.ratio:.0%}, queries: 2, heads: {guide.heads}, mix: {guide.mix}, random: {guide.chance:.0%})",
        f"encoder embedded(width: {case.width})",
        f"latents asking(count: {case.latents}, width: {case.latent_width}, depth: {case.depth}, heads: {case.heads}, asking_heads: {case.asking_heads})",
        f"decoder queries(depth: 0, width: {case.narrow}, heads: {case.narrow_heads})",
        *tail,
    ]
    return "\n".join(["edition 2026", "model Reference {", *(f"  {one}" for one in lines), "}", ""])


def run(case: Case, seed: int) -> tuple[dict, dict[str, torch.Tensor]]:
    random = torch.Generator().manual_seed(seed)
    array = drawn(case, random)
    order = torch.rand(BATCH, case.count, generator=random).argsort(dim=1)
    draws = torch.rand(BATCH, 4, generator=random, dtype=torch.float64).float().double()
    feed = {"restore": order.argsort(dim=1), "draws": draws}
    w = leaves(make_weights(case, random), [])
    loss = loss_of(case, w, array, feed)
    loss.backward()
    name = "id_cross_entropy" if case.vocabulary else "column_error"
    header = {
        "spec": spec_of(case),
        "batch": BATCH,
        "tokens": {"total": case.count, "visible": case.visible},
        "terms": {name: loss.item()},
        "loss": loss.item(),
    }
    return header, {
        **learned(w),
        "text" if case.vocabulary else "table": array,
        "order": order.int(),
        "restore": order.argsort(dim=1).int(),
        "draws": draws,
        "chance": torch.tensor(case.guide.chance, dtype=torch.float64),
    }


def train(example: dict, weights: Weights, feeds: list[Feed]) -> list[float]:
    own = {slot: line(example, slot)["values"] for slot in ("input", "mask", "encoder", "latents", "decoder")}
    latents, decoder, mask = own["latents"], own["decoder"], own["mask"]
    is_text = line(example, "input")["block"] == "text"
    w = leaves(weights, [])

    def loss(feed: Feed) -> torch.Tensor:
        case = Case(
            count=weights["pos_embed"].shape[1],
            ratio=mask["ratio"],
            width=own["encoder"]["width"],
            latents=latents["count"],
            latent_width=latents["width"],
            depth=latents["depth"],
            heads=latents["heads"],
            asking_heads=latents["asking_heads"],
            narrow=decoder["width"],
            narrow_heads=decoder["heads"],
            guide=Guide(1, 0, mask["heads"], mask["mix"], feed["chance"].item()),
            categories=() if is_text else tuple(categories_of(own["input"]["columns"])),
            vocabulary=own["input"]["vocabulary"] if is_text else 0,
        )
        return loss_of(case, w, feed["text" if is_text else "table"], feed)

    return descend(example, w, feeds, loss)


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent)
    write(folder / "sma-table", *run(TABLE, 95))
    write(folder / "sma-text", *run(TEXT, 96))


if __name__ == "__main__":
    main()
