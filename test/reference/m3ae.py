"""Writes the fixture of M3AE: a small model of a picture and its caption, in float64 by PyTorch.

Written from the description (Geng et al., 2022): patches and tokens of a text, each with its place and a vector that says of which they are, are
masked alike and pass one encoder behind a class token; one decoder completes both. Nothing attends to what is behind the end of a text, by
sequences cut short sample by sample. Usage: python m3ae.py [folder]; `train` is described in stepping.py.
"""

import sys
from dataclasses import dataclass, replace
from pathlib import Path

import torch
import torch.nn.functional as F
from drawing import Drawing
from mae import Network, Patched, block, layer_norm, linear, network_of, patches_of, sine_cosine, take
from method import learned, vit, write
from stepping import Feed, Weights, descend, leaves, line


@dataclass(frozen=True)
class Case(Patched):
    image: tuple[int, int, int]
    patch: tuple[int, int]
    length: int
    vocabulary: int
    ratio: float
    encoder: Network
    decoder: Network
    weight: float = 0.5

    def visible(self, count: int) -> int:
        return int(count * (1 - self.ratio))


SMALL = Case((12, 8, 3), (4, 4), 10, 20, 0.5, Network(2, 16, 2), Network(1, 12, 2))
BATCH = 3


def text_positions(count: int, width: int) -> torch.Tensor:
    """[1, N, D]: all sines, then all cosines."""
    angles = torch.arange(count)[:, None] / 10000 ** (torch.arange(width // 2, dtype=torch.float64) / (width // 2))
    return torch.cat([angles.sin(), angles.cos()], dim=1)[None].float().double()


def image_positions(case: Case, width: int) -> torch.Tensor:
    return sine_cosine(width, *case.grid)[:, 1:].float().double()


def through(w: Weights, name: str, depth: int, heads: int, x: torch.Tensor, counted: torch.Tensor) -> torch.Tensor:
    """x [B, M, D], counted [B, M]: of each sample the tokens that count pass alone, and the others nobody reads stay zero."""
    rows = []
    for one, own in zip(x, counted):
        seen = one[own][None]
        for i in range(depth):
            seen = block(w, f"{name}.{i}", seen, heads)
        rows.append(torch.zeros_like(one).masked_scatter(own[:, None], seen[0]))
    return torch.stack(rows)


def predict(case: Case, w: Weights, image: torch.Tensor, text: torch.Tensor, feed: Feed) -> tuple[torch.Tensor, torch.Tensor]:
    batch, patches = len(image), case.tokens
    told = text[..., 1] >= 0
    ids = text[..., 0].long()
    tokens = linear(w, "image.patch_embed.proj", patches_of(case, image)) + w["image.pos_embed"] + w["image.input_embed"]
    words = w["text.word_embed.weight"][ids] + w["text.pos_embed"] + w["text.input_embed"]
    seen = [take(tokens, feed["imageVisible"]), take(words, feed["textVisible"])]
    front = torch.ones(batch, 1, dtype=torch.bool)
    sees = [front, torch.ones(batch, seen[0].shape[1], dtype=torch.bool), told.gather(1, feed["textVisible"])]
    x = torch.cat([w["cls_token"].expand(batch, -1, -1), *seen], dim=1)
    x = through(w, "blocks", case.encoder.depth, case.encoder.heads, x, torch.cat(sees, dim=1))
    latent = linear(w, "decoder_embed", layer_norm(w, "norm", x))
    parts = latent.split([1, seen[0].shape[1], seen[1].shape[1]], dim=1)
    whole = [parts[0]]
    for part, name, count in ((parts[1], "image", patches), (parts[2], "text", case.length)):
        hidden = w["mask_token"].expand(batch, count - part.shape[1], -1)
        placed = take(torch.cat([part, hidden], dim=1), feed[f"{name}Restore"])
        whole.append(placed + w[f"{name}.decoder_pos_embed"] + w[f"{name}.decoder_input_embed"])
    counted = torch.cat([front, torch.ones(batch, patches, dtype=torch.bool), told], dim=1)
    x = through(w, "decoder_blocks", case.decoder.depth, case.decoder.heads, torch.cat(whole, dim=1), counted)
    x = layer_norm(w, "decoder_norm", x)
    return linear(w, "image.decoder_pred", x[:, 1 : 1 + patches]), linear(w, "text.decoder_pred", x[:, 1 + patches :])


def words_of(case: Case, w: Weights, text: torch.Tensor, feed: Feed) -> torch.Tensor:
    """The cross-entropy of hidden words of texts alone."""
    batch, told = len(text), text[..., 1] >= 0
    words = w["text.word_embed.weight"][text[..., 0].long()] + w["text.pos_embed"] + w["text.input_embed"]
    seen = take(words, feed["visible"])
    front = torch.ones(batch, 1, dtype=torch.bool)
    x = torch.cat([w["cls_token"].expand(batch, -1, -1), seen], dim=1)
    counted = torch.cat([front, told.gather(1, feed["visible"])], dim=1)
    x = through(w, "blocks", case.encoder.depth, case.encoder.heads, x, counted)
    first, part = linear(w, "decoder_embed", layer_norm(w, "norm", x)).split([1, seen.shape[1]], dim=1)
    hidden = w["mask_token"].expand(batch, case.length - part.shape[1], -1)
    placed = take(torch.cat([part, hidden], dim=1), feed["restore"]) + w["text.decoder_pos_embed"] + w["text.decoder_input_embed"]
    x = torch.cat([first, placed], dim=1)
    x = through(w, "decoder_blocks", case.decoder.depth, case.decoder.heads, x, torch.cat([front, told], dim=1))
    logits = linear(w, "text.decoder_pred", layer_norm(w, "decoder_norm", x)[:, 1:])
    judged = (feed["restore"] >= case.visible(case.length)) & (text[..., 1] > 0)
    return F.cross_entropy(logits[judged], text[..., 0].long()[judged])


def terms_of(case: Case, w: Weights, image: torch.Tensor, text: torch.Tensor, feed: Feed) -> dict[str, torch.Tensor]:
    pixels, logits = predict(case, w, image, text, feed)
    hidden = feed["imageRestore"] >= case.visible(case.tokens)
    words = (feed["textRestore"] >= case.visible(case.length)) & (text[..., 1] > 0)
    return {
        "image.mse": ((pixels - patches_of(case, image)) ** 2).mean(-1)[hidden].mean(),
        "text.id_cross_entropy": F.cross_entropy(logits[words], text[..., 0].long()[words]),
    }


def total_of(case: Case, terms: dict[str, torch.Tensor]) -> torch.Tensor:
    return terms["image.mse"] + case.weight * terms["text.id_cross_entropy"]


def make_weights(case: Case, random: torch.Generator) -> Weights:
    draw = Drawing(random)
    width, narrow = case.encoder.width, case.decoder.width
    draw.normal("cls_token", 1, 1, width, std=0.3)
    draw.blocks("blocks", case.encoder.depth, width)
    draw.norm("norm", width)
    draw.matrix("decoder_embed", narrow, width)
    draw.normal("mask_token", 1, 1, narrow, std=0.3)
    draw.blocks("decoder_blocks", case.decoder.depth, narrow)
    draw.norm("decoder_norm", narrow)
    for name, outputs in (("image", case.values), ("text", case.vocabulary)):
        draw.normal(f"{name}.input_embed", 1, 1, width, std=0.3)
        draw.normal(f"{name}.decoder_input_embed", 1, 1, narrow, std=0.3)
        draw.matrix(f"{name}.decoder_pred", outputs, narrow)
    draw.matrix("image.patch_embed.proj", width, case.values)
    draw.normal("text.word_embed.weight", case.vocabulary, width, std=0.5)
    for name, size in (("pos_embed", width), ("decoder_pos_embed", narrow)):
        draw.weights[f"image.{name}"] = image_positions(case, size)
        draw.weights[f"text.{name}"] = text_positions(case.length, size)
    return draw.weights


def tables_of(weights: Weights) -> list[str]:
    return [name for name in weights if name.endswith("pos_embed")]


def drawn(case: Case, random: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """-> image and text [B, N, 3], of different lengths, with tokens around that are no words."""
    image = torch.randn(BATCH, *case.image, generator=random, dtype=torch.float64).float().double()
    ids = torch.randint(5, case.vocabulary, (BATCH, case.length), generator=random)
    words = torch.arange(case.length).repeat(BATCH, 1)
    for sample, end in enumerate([case.length, case.length - 3, case.length - 5]):
        words[sample, [0, end - 1]] = 0
        ids[sample, end:], words[sample, end:] = 0, -1
    return image, torch.stack([ids, words, torch.zeros_like(ids)], dim=-1).double()


def spec_of(case: Case) -> str:
    height, width, channels = case.image
    return f"""edition 2026
model Reference {{
  input     image: image(size: {height}x{width}, channels: {channels})
  input     text: text(length: {case.length}, vocabulary: {case.vocabulary}, mask: 4)
  tokens    image: patch(size: {case.patch[0]}x{case.patch[1]})
  tokens    text: embedding
  positions sin_cos(and: input)
  mask      random(ratio: {case.ratio * 100:g}%)
  encoder   {vit(case.encoder)}
  decoder   {vit(case.decoder)}
  target    image: pixels(normalize: none)
  target    text: ids
  loss      image: mse(on: hidden)
  loss      text: id_cross_entropy(weight: {case.weight})
}}
"""


def run(case: Case) -> tuple[dict, dict[str, torch.Tensor]]:
    random = torch.Generator().manual_seed(91)
    image, text = drawn(case, random)
    orders = {name: torch.rand(BATCH, count, generator=random).argsort(dim=1) for name, count in (("image", case.tokens), ("text", case.length))}
    feed = {f"{name}Restore": order.argsort(dim=1) for name, order in orders.items()}
    feed |= {f"{name}Visible": order[:, : case.visible(order.shape[1])] for name, order in orders.items()}
    weights = make_weights(case, random)
    w = leaves(weights, tables_of(weights))
    terms = terms_of(case, w, image, text, feed)
    total = total_of(case, terms)
    total.backward()
    tokens = {name: {"total": order.shape[1], "visible": case.visible(order.shape[1])} for name, order in orders.items()}
    header = {
        "spec": spec_of(case),
        "batch": BATCH,
        "tokens": {"total": case.tokens + case.length, "visible": sum(one["visible"] for one in tokens.values())},
        "inputs": {name: {"tokens": own} for name, own in tokens.items()},
        "terms": {name: term.item() for name, term in terms.items()},
        "loss": total.item(),
    }
    tensors = learned(w)
    for name, order in orders.items():
        tensors |= {f"order/{name}": order.int(), f"restore/{name}": order.argsort(dim=1).int()}
    return header, tensors | {"image": image, "text": text}


def train(example: dict, weights: Weights, feeds: list[Feed]) -> list[float]:
    image, text = line(example, "input", "image"), line(example, "input", "text")["values"]
    pictures = {
        "image": (*image["values"]["size"], image["values"]["channels"]),
        "patch": tuple(line(example, "tokens", "image")["values"]["size"]),
    } if image else {}
    case = replace(
        SMALL,
        **pictures,
        length=text["length"],
        vocabulary=text["vocabulary"],
        ratio=line(example, "mask")["values"]["ratio"],
        encoder=network_of(line(example, "encoder")),
        decoder=network_of(line(example, "decoder")),
        weight=line(example, "loss", "text")["values"]["weight"],
    )
    w = leaves(weights, tables_of(weights))
    # Of one input alone, the weights bear no label, and the first row of a table is that of the class token: zero.
    labelled = w if image else w | {f"text.{name}": weight[:, 1:] if name in tables_of(w) else weight for name, weight in w.items()}

    def loss(feed: Feed) -> torch.Tensor:
        if "image" not in feed:
            return case.weight * words_of(case, labelled, feed["text"], feed)
        return total_of(case, terms_of(case, w, feed["image"], feed["text"], feed))

    return descend(example, w, feeds, loss)


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent)
    write(folder / "m3ae", *run(SMALL))


if __name__ == "__main__":
    main()
