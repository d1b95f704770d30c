"""Writes the fixtures of R-MAE and of RAE alone: losses and gradients of small models that complete binary maps of regions.

Written from the description of the algorithm (Nguyen et al., ICLR 2024): maps less a half are embedded patch by patch and encoded;
`query` takes the mean of a region's visible patches as a query, `batch` decodes every region for itself, `channel` all of them as
channels of one map. The pixels' part is the model of mae.py.
Usage: python r-mae.py [folder]; `train` is described in stepping.py.
"""

import sys
from dataclasses import dataclass, replace
from pathlib import Path

import torch
import torch.nn.functional as F
from mae import CASES, Case, Network, block, case_of, encode, layer_norm, linear, loss_of, make_weights, mask_of, network_of
from mae import predict, sine_cosine, tables_of, take, target_of
from method import drawn, header_of, leaves_of, make_norm, spec_of, tensors_of, vit, write
from stepping import Feed, Weights, descend, leaves, line, lines


@dataclass(frozen=True)
class Regions:
    design: str  # query, batch or channel
    count: int
    encoder: Network
    class_token: bool
    decoder: Network
    neck: int
    background: float
    weight: float
    alone: bool
    label: str = "region"


def make_region_weights(case: Case, r: Regions, random: torch.Generator) -> dict[str, torch.Tensor]:
    """By their names below `region`."""
    weights: dict[str, torch.Tensor] = {}
    pixels = case.patch[0] * case.patch[1]
    sequence = pixels * (r.count if r.design == "channel" else 1)
    inner, outer = r.encoder.width, r.decoder.width

    def normal(*shape: int, std: float) -> torch.Tensor:
        return (torch.randn(*shape, generator=random, dtype=torch.float64) * std).float().double()

    def dense(name: str, outputs: int, inputs: int) -> None:
        weights[f"{name}.weight"] = normal(outputs, inputs, std=(2 / (inputs + outputs)) ** 0.5)
        weights[f"{name}.bias"] = normal(outputs, std=0.1)

    def norm(name: str, width: int) -> None:
        weights.update(make_norm(name, width, random))

    def transformer(name: str, depth: int, width: int) -> None:
        for i in range(depth):
            norm(f"{name}.{i}.norm1", width)
            dense(f"{name}.{i}.attn.qkv", 3 * width, width)
            dense(f"{name}.{i}.attn.proj", width, width)
            norm(f"{name}.{i}.norm2", width)
            dense(f"{name}.{i}.mlp.fc1", 4 * width, width)
            dense(f"{name}.{i}.mlp.fc2", width, 4 * width)

    dense("region_embed.proj", inner, sequence)
    table = sine_cosine(inner, *case.grid).float().double()
    weights["encoder.pos_embed"] = table if r.class_token else table[:, 1:]
    if r.class_token:
        weights["encoder.cls_token"] = normal(1, 1, inner, std=0.3)
    transformer("encoder.blocks", r.encoder.depth, inner)
    norm("encoder.norm", inner)
    dense("decoder_embed", outer, case.encoder.width)
    weights["mask_token"] = normal(1, 1, outer, std=0.3)
    weights["decoder_pos_embed"] = sine_cosine(outer, *case.grid).float().double()
    transformer("decoder_blocks", r.neck, outer)
    norm("decoder_norm", outer)
    if r.design == "query":
        dense("query_embed", outer, inner)
        for i in range(r.decoder.depth - 1):
            for name in ("norm1", "norm2", "norm3"):
                norm(f"query_blocks.{i}.{name}", outer)
            dense(f"query_blocks.{i}.attn.qkv", 3 * outer, outer)
            dense(f"query_blocks.{i}.attn.proj", outer, outer)
            dense(f"query_blocks.{i}.cross_attn.q", outer, outer)
            dense(f"query_blocks.{i}.cross_attn.kv", 2 * outer, outer)
            dense(f"query_blocks.{i}.cross_attn.proj", outer, outer)
            dense(f"query_blocks.{i}.mlp.fc1", 4 * outer, outer)
            dense(f"query_blocks.{i}.mlp.fc2", outer, 4 * outer)
        norm("query_expansion.norm1", outer)
        dense("query_expansion.attn.qkv", 3 * outer, outer)
        dense("query_expansion.attn.proj", outer, outer)
        dense("query_expansion.proj", outer, outer)
        norm("query_expansion.norm3", outer)
        dense("query_expansion.mlp.fc1", outer, outer)
        dense("query_expansion.mlp.fc2", outer, outer)
    else:
        dense("region_decoder_embed", outer, inner)
        weights["region_mask_token"] = normal(1, 1, outer, std=0.3)
        transformer("region_blocks", r.decoder.depth, outer)
        norm("region_norm", outer)
    dense("region_pred", sequence, outer)
    return weights


def attend(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, heads: int) -> torch.Tensor:
    """[B, N, D], [B, M, D], [B, M, D] -> [B, N, D]"""
    q, k, v = (x.unflatten(-1, (heads, -1)).transpose(1, 2) for x in (q, k, v))
    return F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)


def map_patches(case: Case, maps: torch.Tensor) -> torch.Tensor:
    """maps [B, R, H, W] -> [B, R, N, p^2]"""
    columns = F.unfold(maps.flatten(0, 1)[:, None], case.patch, stride=case.patch)  # [B R, p^2, N]
    return columns.transpose(1, 2).unflatten(0, maps.shape[:2])


def encode_maps(case: Case, r: Regions, w: dict, sequences: torch.Tensor, visible: torch.Tensor) -> torch.Tensor:
    """sequences [B, S, N, P'] -> [B, S, extra + V, De], without the final norm."""
    tokens = linear(w, "region_embed.proj", sequences - 0.5) + w["encoder.pos_embed"][:, -case.tokens :]
    x = torch.stack([take(tokens[:, s], visible) for s in range(tokens.shape[1])], dim=1).flatten(0, 1)
    if r.class_token:
        x = torch.cat([(w["encoder.cls_token"] + w["encoder.pos_embed"][:, :1]).expand(len(x), -1, -1), x], dim=1)
    for i in range(r.encoder.depth):
        x = block(w, f"encoder.blocks.{i}", x, r.encoder.heads)
    return x.unflatten(0, sequences.shape[:2])


def neck(case: Case, r: Regions, w: dict, latent: torch.Tensor, restore: torch.Tensor) -> torch.Tensor:
    x = linear(w, "decoder_embed", latent)
    hidden = w["mask_token"].expand(len(x), case.tokens - case.visible, -1)
    x = torch.cat([x[:, :1], take(torch.cat([x[:, 1:], hidden], dim=1), restore)], dim=1) + w["decoder_pos_embed"]
    for i in range(r.neck):
        x = block(w, f"decoder_blocks.{i}", x, r.decoder.heads)
    return layer_norm(w, "decoder_norm", x)


def decode_queries(r: Regions, w: dict, encoded: torch.Tensor, memory: torch.Tensor, extra: int) -> torch.Tensor:
    """-> logits [B, R, N, p^2]"""
    heads = r.decoder.heads
    q = linear(w, "query_embed", layer_norm(w, "encoder.norm", encoded[:, :, extra:].mean(dim=2)))
    for i in range(r.decoder.depth - 1):
        name = f"query_blocks.{i}"
        x = linear(w, f"{name}.attn.qkv", layer_norm(w, f"{name}.norm1", q))
        q = q + linear(w, f"{name}.attn.proj", attend(*x.chunk(3, dim=-1), heads))
        x = linear(w, f"{name}.cross_attn.q", layer_norm(w, f"{name}.norm2", q))
        k, v = linear(w, f"{name}.cross_attn.kv", memory).chunk(2, dim=-1)
        q = q + linear(w, f"{name}.cross_attn.proj", attend(x, k, v, heads))
        q = q + linear(w, f"{name}.mlp.fc2", F.gelu(linear(w, f"{name}.mlp.fc1", layer_norm(w, f"{name}.norm3", q))))
    name = "query_expansion"
    x = linear(w, f"{name}.attn.qkv", layer_norm(w, f"{name}.norm1", q))
    q = q + linear(w, f"{name}.attn.proj", attend(*x.chunk(3, dim=-1), heads))
    z = layer_norm(w, f"{name}.norm3", q[:, :, None] + linear(w, f"{name}.proj", memory)[:, None])  # [B, R, 1 + N, Dd]
    z = linear(w, f"{name}.mlp.fc2", F.gelu(linear(w, f"{name}.mlp.fc1", z)))
    return linear(w, "region_pred", F.gelu(z))[:, :, 1:]


def decode_patches(
    case: Case, r: Regions, w: dict, encoded: torch.Tensor, memory: torch.Tensor, restore: torch.Tensor, extra: int
) -> torch.Tensor:
    """-> logits [B, S, N, P']"""
    decoded = []
    for s in range(encoded.shape[1]):
        x = linear(w, "region_decoder_embed", layer_norm(w, "encoder.norm", encoded[:, s])[:, extra:])
        hidden = w["region_mask_token"].expand(len(x), case.tokens - case.visible, -1)
        x = take(torch.cat([x, hidden], dim=1), restore) + w["decoder_pos_embed"][:, 1:] + memory[:, 1:]
        for i in range(r.decoder.depth):
            x = block(w, f"region_blocks.{i}", x, r.decoder.heads)
        decoded.append(linear(w, "region_pred", layer_norm(w, "region_norm", x)))
    return torch.stack(decoded, dim=1)


def losses_of(case: Case, r: Regions, w: Weights, feed: Feed) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    """-> their weighted sum, and each before its weight."""
    own = {name.removeprefix(f"{r.label}."): value for name, value in w.items() if name.startswith(f"{r.label}.")}
    image, visible, restore, mask = feed["image"], feed["visible"], feed["restore"], mask_of(case, feed)
    latent = encode(case, w, image, visible)

    patches = map_patches(case, feed[r.label].permute(0, 3, 1, 2))  # [B, R, N, p^2]
    # As channels, the regions of a pixel stand beside each other.
    sequences = patches.permute(0, 2, 3, 1).flatten(2)[:, None] if r.design == "channel" else patches
    encoded = encode_maps(case, r, own, sequences, visible)
    memory = neck(case, r, own, latent, restore)
    extra = 1 if r.class_token else 0
    if r.design == "query":
        logits = decode_queries(r, own, encoded, memory, extra)
    else:
        logits = decode_patches(case, r, own, encoded, memory, restore, extra)

    weight = torch.where(sequences == 0, r.background, 1.0)
    error = F.binary_cross_entropy_with_logits(logits, sequences, weight=weight, reduction="none")
    error = error.mean(dim=-1).mean(dim=1)  # [B, N]
    terms = {f"{r.label}.bce": (error * mask).sum() / mask.sum()}
    total = r.weight * terms[f"{r.label}.bce"]
    if not r.alone:
        terms["mse"] = loss_of("mse", "hidden", predict(case, w, latent, restore), target_of(case, image), mask)
        total = total + terms["mse"]
    return total, terms


def run(case: Case, r: Regions) -> tuple[dict, dict[str, torch.Tensor]]:
    random = torch.Generator().manual_seed(case.seed)
    weights = make_weights(case, random)
    if r.alone:
        weights = {k: v for k, v in weights.items() if not k.startswith(("decoder_", "mask_token"))}
    weights |= {f"{r.label}.{name}": value for name, value in make_region_weights(case, r, random).items()}
    image, order, restore, _ = drawn(case, random)
    maps = (torch.rand(case.batch, r.count, *case.image[:2], generator=random) < 0.3).double().permute(0, 2, 3, 1)
    w = leaves_of(case, weights)
    feed = {"image": image, "visible": order[:, : case.visible], "restore": restore, r.label: maps}
    total, terms = losses_of(case, r, w, feed)
    total.backward()
    tensors = tensors_of(case, w, image, order, restore)
    return header_of(case, spec(case, r), terms, total), tensors | {f"fields/{r.label}": maps}


def spec(case: Case, r: Regions) -> str:
    decoder = "region_query" if r.design == "query" else "region_vit"
    sizes = f"depth: {r.decoder.depth}, width: {r.decoder.width}, heads: {r.decoder.heads}, neck_depth: {r.neck}"
    arranged = ", sequences: channels" if r.design == "channel" else ""
    lines = [
        f"target region: regions(source: felzenszwalb(scale: 100), count: {r.count}{arranged}) {{",
        f"  encoder {vit(r.encoder, f', class_token: {str(r.class_token).lower()}')}",
        f"  decoder {decoder}({sizes})",
        f"  loss bce(background: {r.background:g}, weight: {r.weight:g})",
        "}",
    ]
    text = spec_of(case, lines if r.alone else [*lines, "loss mse(on: hidden)"])
    if not r.alone:
        return text
    return "\n".join(line for line in text.split("\n") if not line.startswith(("  decoder", "  target pixels")))


def regions_of(example: dict) -> Regions:
    """A target whose maps have an encoder, a decoder and a loss of their own; with or without pixels beside it."""
    pixels = line(example, "loss")
    (target,) = (one for one in lines(example, "target") if one["block"] == "regions")
    encoder, decoder, bce = (line(target, slot) for slot in ("encoder", "decoder", "loss"))
    judged = [(bce["block"], bce["values"]["on"])]
    if pixels is not None:
        judged += [(pixels["block"], pixels["values"]["on"], pixels["values"]["weight"])]
    assert judged in ([("bce", "hidden")], [("bce", "hidden"), ("mse", "hidden", 1)]), judged
    values, sizes = target["values"], decoder["values"]
    assert sizes["mlp_ratio"] == 4, sizes
    together = "channel" if values["sequences"] == "channels" else "batch"
    return Regions(
        design="query" if decoder["block"] == "region_query" else together,
        count=values["count"],
        encoder=network_of(encoder),
        class_token=encoder["values"]["class_token"],
        decoder=Network(sizes["depth"], sizes["width"], sizes["heads"]),
        neck=sizes["neck_depth"],
        background=bce["values"]["background"],
        weight=bce["values"]["weight"],
        alone=pixels is None,
        label=target["label"],
    )


def train(example: dict, weights: Weights, feeds: list[Feed]) -> list[float]:
    case, r = case_of(example), regions_of(example)
    w = leaves(weights, tables_of(case, weights))
    return descend(example, w, feeds, lambda feed: losses_of(case, r, w, feed)[0])


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent)
    case = replace(CASES[1], image=(24, 40, 2), normalize=True, encoder=Network(depth=1, width=16, heads=2))
    query = Regions(
        design="query",
        count=3,
        encoder=Network(depth=1, width=12, heads=3),
        class_token=False,
        decoder=Network(depth=2, width=8, heads=2),
        neck=2,
        background=0.25,
        weight=0.5,
        alone=False,
    )
    write(folder / "r-mae", *run(case, query))
    alone = replace(query, class_token=True, decoder=Network(depth=1, width=8, heads=2), background=1, weight=1, alone=True)
    write(folder / "rae", *run(case, alone))
    write(folder / "r-mae-batch", *run(case, replace(query, design="batch", neck=1)))
    write(folder / "r-mae-channel", *run(case, replace(query, design="channel", neck=1, class_token=True)))


if __name__ == "__main__":
    main()
