"""Writes the fixture of a masked autoencoder of tables: a small model, in float64 by PyTorch.

Written from the description (Du, Melis and Wang, ICLR 2024, of numbers; Gorishniy et al., NeurIPS 2021, of categories): a token is a
column's vector times its number, or the vector of its category or of what is missing, plus a vector of the column. A number is predicted
of each column, or a logit for each category; errors count where a value is known. A row is [N, 2]: the value, or the number of the
category, and 1 where it is known. Usage: python remasker.py [folder]; `train` is described in stepping.py.
"""

import sys
from dataclasses import replace
from pathlib import Path

import torch
import torch.nn.functional as F
from drawing import Drawing
from mae import CASES, Case, Network, block, layer_norm, network_of, predict, take
from method import header_of, leaves_of, tensors_of, vit, write
from stepping import Feed, Weights, descend, leaves, line, lines

# Of each column how many categories it has; 0: a number.
CATEGORIES = [0, 3, 0, 0, 2, 0]
SMALL = replace(
    CASES[0],
    image=(1, len(CATEGORIES), 2),
    patch=(1, 1),
    batch=4,
    encoder=Network(2, 16, 2),
    decoder=Network(1, 12, 2),
    ratio=0.5,
    seed=81,
    learned_positions=True,
)


def tokens_of(w: Weights, row: torch.Tensor, categories: list[int]) -> torch.Tensor:
    """-> [B, N, D], column by column."""
    first, count = 0, sum(max(1, own) for own in categories)
    columns = []
    for column, own in enumerate(categories):
        value, known = row[:, column, 0], row[:, column, 1] > 0
        table = w["columns.weight"]
        if own == 0:
            there = table[first] * value[:, None]
        else:
            there = table[first + value.long()]
        missing = table[count + column].expand(len(row), -1)
        columns.append(torch.where(known[:, None], there, missing) + w["columns.bias"][column])
        first += max(1, own)
    return torch.stack(columns, dim=1)


def encode(case: Case, w: Weights, row: torch.Tensor, visible: torch.Tensor, categories: list[int]) -> torch.Tensor:
    tokens = tokens_of(w, row, categories) + w["pos_embed"][:, 1:]
    cls = (w["cls_token"] + w["pos_embed"][:, :1]).expand(len(row), -1, -1)
    x = torch.cat([cls, take(tokens, visible)], dim=1)
    for i in range(case.encoder.depth):
        x = block(w, f"blocks.{i}", x, case.encoder.heads)
    return layer_norm(w, "norm", x)


def errors_of(prediction: torch.Tensor, row: torch.Tensor, categories: list[int]) -> torch.Tensor:
    """-> [B, N]"""
    at = 1 if 0 in categories else 0
    errors = []
    for column, own in enumerate(categories):
        value = row[:, column, 0]
        if own == 0:
            errors.append((prediction[:, column, 0] - value) ** 2)
        else:
            errors.append(F.cross_entropy(prediction[:, column, at : at + own], value.long(), reduction="none"))
            at += own
    return torch.stack(errors, dim=1)


def loss_of(on: str, errors: torch.Tensor, row: torch.Tensor, hidden: torch.Tensor) -> torch.Tensor:
    """The mean over the batch of what is chosen and known. hidden [B, N]"""
    chosen = {"hidden": hidden, "visible": ~hidden, "all": torch.ones_like(hidden)}[on]
    return errors[chosen & (row[..., 1] > 0)].mean()


def make_weights(case: Case, random: torch.Generator) -> Weights:
    draw = Drawing(random)
    encoder, decoder, columns = case.encoder, case.decoder, len(CATEGORIES)
    draw.normal("pos_embed", 1, 1 + columns, encoder.width, std=0.3)
    draw.normal("columns.weight", sum(max(1, own) for own in CATEGORIES) + columns, encoder.width, std=0.4)
    draw.normal("columns.bias", columns, encoder.width, std=0.3)
    draw.normal("cls_token", 1, 1, encoder.width, std=0.3)
    draw.blocks("blocks", encoder.depth, encoder.width)
    draw.norm("norm", encoder.width)
    draw.normal("decoder_pos_embed", 1, 1 + columns, decoder.width, std=0.3)
    draw.matrix("decoder_embed", decoder.width, encoder.width)
    draw.normal("mask_token", 1, 1, decoder.width, std=0.3)
    draw.blocks("decoder_blocks", decoder.depth, decoder.width)
    draw.norm("decoder_norm", decoder.width)
    draw.matrix("decoder_pred", 1 + sum(CATEGORIES), decoder.width)
    return draw.weights


def spec_of(case: Case) -> str:
    columns = [f"c{i}: {' | '.join('abcdef'[:own])}" if own else f"c{i}" for i, own in enumerate(CATEGORIES)]
    return f"""edition 2026
model Reference {{
  input     table(columns: "{", ".join(columns)}")
  tokens    columns
  positions learned
  mask      random(ratio: {case.ratio * 100:g}%)
  encoder   {vit(case.encoder)}
  decoder   {vit(case.decoder)}
  target    columns
  loss      hidden: column_error(on: hidden)
  loss      seen: column_error(on: visible, weight: 0.5)
}}
"""


def run(case: Case) -> tuple[dict, dict[str, torch.Tensor]]:
    random = torch.Generator().manual_seed(case.seed)
    values = torch.randn(case.batch, len(CATEGORIES), generator=random, dtype=torch.float64).float().double()
    for column, own in enumerate(CATEGORIES):
        if own:
            values[:, column] = torch.randint(own, (case.batch,), generator=random).double()
    known = torch.rand(case.batch, len(CATEGORIES), generator=random) > 0.25
    row = torch.stack([values * known, known.double()], dim=-1)
    order = torch.rand(case.batch, case.tokens, generator=random).argsort(dim=1)
    restore = order.argsort(dim=1)
    w = leaves_of(case, make_weights(case, random))
    prediction = predict(case, w, encode(case, w, row, order[:, : case.visible], CATEGORIES), restore)
    errors, hidden = errors_of(prediction, row, CATEGORIES), restore >= case.visible
    terms = {
        "column_error": loss_of("hidden", errors, row, hidden),
        "column_error_2": loss_of("visible", errors, row, hidden),
    }
    total = terms["column_error"] + 0.5 * terms["column_error_2"]
    total.backward()
    tensors = tensors_of(case, w, row, order, restore)
    tensors["table"] = tensors.pop("image")
    return header_of(case, spec_of(case), terms, total), tensors


def categories_of(columns: str) -> list[int]:
    """As the examples write them: names without quotes."""
    return [column.count("|") + 1 if "|" in column else 0 for column in columns.split(",")]


def train_regressor(example: dict, weights: Weights, feeds: list[Feed], categories: list[int]) -> list[float]:
    """A linear layer on the mean of the columns' tokens, normalised behind it, says a number in its own unit."""
    encoder, head = network_of(line(example, "encoder")), line(example, "head")["values"]
    assert head["pool"] == "mean" and line(example, "loss")["values"]["measure"] == "l2"
    w = leaves(weights, [])

    def loss(feed: Feed) -> torch.Tensor:
        tokens = tokens_of(w, feed["table"], categories) + w["pos_embed"][:, 1:]
        cls = (w["cls_token"] + w["pos_embed"][:, :1]).expand(len(tokens), -1, -1)
        x = torch.cat([cls, tokens], dim=1)
        for i in range(encoder.depth):
            x = block(w, f"blocks.{i}", x, encoder.heads)
        features = layer_norm(w, "norm", x[:, 1:].mean(dim=1))
        said = head["mean"] + head["deviation"] * F.linear(features, w["head.weight"], w["head.bias"])
        return F.mse_loss(said, feed["labels"])

    return descend(example, w, feeds, loss)


def train(example: dict, weights: Weights, feeds: list[Feed]) -> list[float]:
    categories = categories_of(line(example, "input")["values"]["columns"])
    if lines(example, "head"):
        return train_regressor(example, weights, feeds, categories)
    case = replace(
        SMALL,
        image=(1, len(categories), 2),
        ratio=line(example, "mask")["values"]["ratio"],
        encoder=network_of(line(example, "encoder")),
        decoder=network_of(line(example, "decoder")),
    )
    assert example["tokens"] == {"total": case.tokens, "visible": case.visible}, (example["tokens"], case)
    fixed = ["pos_embed", "decoder_pos_embed"] if line(example, "positions")["block"] == "sin_cos" else []
    w = leaves(weights, fixed)

    def loss(feed: Feed) -> torch.Tensor:
        row, hidden = feed["table"], feed["restore"] >= case.visible
        prediction = predict(case, w, encode(case, w, row, feed["visible"], categories), feed["restore"])
        errors = errors_of(prediction, row, categories)
        own = [one["values"] for one in lines(example, "loss")]
        return sum(values["weight"] * loss_of(values["on"], errors, row, hidden) for values in own)

    return descend(example, w, feeds, loss)


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent)
    write(folder / "remasker", *run(SMALL))


if __name__ == "__main__":
    main()
