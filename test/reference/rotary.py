"""Writes the fixtures of rotary positions, and trains examples of texts that have them.

`turn` is written from the description (Su et al., RoFormer, 2021): features are multiplied in pairs by a rotation whose angle is the place of the token
times a frequency; along several axes each turns a share of the features. rotary.json holds what transformers and timm make of the same
queries: RoFormer and GPT-NeoX along a sequence, EVA-02 and DINOv3 on a grid. `roformer` is a small RoFormer, checked against transformers'
RoFormerForMaskedLM; `rotary` a masked autoencoder of images. Usage: python rotary.py [folder]; `train` is described in stepping.py.
"""

import json
import math
import sys
from pathlib import Path

import bert
import torch
import transformers
from mae import AGREEMENT, CASES, Case, block, layer_norm, linear, loss_of, make_weights, patches_of, take, target_of, versions
from method import drawn, header_of, learned, leaves_of, spec_of, tensors_of, write
from stepping import Feed, Weights, descend, leaves, line
from timm.layers import RotaryEmbeddingCat, apply_rot_embed_cat
from transformers.models.dinov3_vit import modeling_dinov3_vit as dino
from transformers.models.gpt_neox import modeling_gpt_neox as neox
from transformers.models.roformer import modeling_roformer as roformer


def angles_of(counts: list[int], width: int, base: float, measure: str) -> torch.Tensor:
    """-> [N, pairs], axis by axis"""
    frequencies = width // (2 * len(counts))
    rates = base ** (-torch.arange(frequencies, dtype=torch.float64) / frequencies)
    axes = []
    for size, place in zip(counts, torch.meshgrid(*(torch.arange(n, dtype=torch.float64) for n in counts), indexing="ij"), strict=True):
        x = place if measure == "places" else 2 * math.pi * ((2 * (place + 0.5)) / size - 1)
        axes.append(x.flatten()[:, None] * rates)
    return torch.cat(axes, dim=1)


def turn(x: torch.Tensor, angles: torch.Tensor, pairs: str) -> torch.Tensor:
    """x [B, heads, N, W], angles [N or B x 1 x N, pairs] -> the same with its pairs turned; features that no pair has stay."""
    count = angles.shape[-1]
    cosine, sine = angles.cos(), angles.sin()
    if pairs == "halves":
        a, b, rest = x[..., :count], x[..., count : 2 * count], x[..., 2 * count :]
        return torch.cat([a * cosine - b * sine, b * cosine + a * sine, rest], dim=-1)
    a, b, rest = x[..., : 2 * count : 2], x[..., 1 : 2 * count : 2], x[..., 2 * count :]
    both = torch.stack([a * cosine - b * sine, b * cosine + a * sine], dim=-1)
    return torch.cat([both.flatten(-2), rest], dim=-1)


# -- what libraries make of the same queries


def by_roformer(x: torch.Tensor) -> torch.Tensor:
    table = roformer.RoFormerSinusoidalPositionalEmbedding(x.shape[2], x.shape[3])
    table.weight.data = table.create_weight()
    sines = table(x.shape[:1] + x.shape[2:3])[None, None, :, :].double()
    return roformer.RoFormerSelfAttention.apply_rotary_position_embeddings(sines, x, x)[0]


def by_neox(x: torch.Tensor) -> torch.Tensor:
    config = transformers.GPTNeoXConfig(hidden_size=x.shape[1] * x.shape[3], num_attention_heads=x.shape[1], rotary_pct=1.0)
    config.rope_parameters = {"rope_type": "default", "rope_theta": 10000.0, "partial_rotary_factor": 1.0}
    cosine, sine = neox.GPTNeoXRotaryEmbedding(config)(x, torch.arange(x.shape[2])[None])
    return neox.apply_rotary_pos_emb(x, x, cosine, sine)[0]


def by_eva(x: torch.Tensor, counts: list[int]) -> torch.Tensor:
    rope = RotaryEmbeddingCat(x.shape[3], in_pixels=False, feat_shape=counts, ref_feat_shape=counts)
    return apply_rot_embed_cat(x, rope.get_embed().double())


def by_dino(x: torch.Tensor, counts: list[int]) -> torch.Tensor:
    config = transformers.DINOv3ViTConfig(
        hidden_size=x.shape[1] * x.shape[3], num_attention_heads=x.shape[1], patch_size=4, image_size=4 * counts[0], rope_theta=100.0
    )
    rope = dino.DINOv3ViTRopePositionEmbedding(config).eval()
    cosine, sine = rope(torch.zeros(1, 3, *(4 * n for n in counts)))
    return dino.apply_rotary_pos_emb(x, x, cosine.double(), sine.double())[0]


def libraries() -> dict:
    cases = {
        "roformer": ([9], 8, 10_000.0, "neighbours", "places", by_roformer),
        "gpt-neox": ([9], 8, 10_000.0, "halves", "places", by_neox),
        "eva-02": ([3, 5], 8, 10_000.0, "neighbours", "places", lambda x: by_eva(x, [3, 5])),
        "dino-v3": ([3, 5], 8, 100.0, "halves", "spread", lambda x: by_dino(x, [3, 5])),
    }
    found = {}
    for name, (counts, width, base, pairs, measure, make) in cases.items():
        random = torch.Generator().manual_seed(len(found))
        x = torch.randn(1, 2, math.prod(counts), width, generator=random, dtype=torch.float64).float().double()
        theirs = make(x).double()
        ours = turn(x, angles_of(counts, width, base, measure), pairs)
        difference = (theirs - ours).abs().max().item()
        assert difference < 1e-5, f"{name} differs by {difference}"
        said = {"counts": counts, "width": width, "base": base, "pairs": pairs, "measure": measure}
        found[name] = {**said, "x": x.flatten().tolist(), "turned": theirs.flatten().tolist(), "difference": difference}
    return found


# -- a small RoFormer

ROFORMER = bert.SPEC.replace("positions learned", "positions rotary(pairs: neighbours)")


def run_roformer() -> tuple[dict, dict[str, torch.Tensor]]:
    random = torch.Generator().manual_seed(63)
    text, entered = bert.drawn(random)
    w = bert.make_weights(random)
    del w["pos_embed"]
    w = leaves(w, [])
    angles = angles_of([bert.PLACES], bert.WIDTH // bert.HEADS, 10_000.0, "places")
    latent = bert.encode(w, text, bert.corrupted(text, entered), bert.HEADS, bert.EPSILON, lambda x: turn(x, angles, "neighbours"))
    logits = bert.logits_of(w, latent, bert.EPSILON)
    loss = bert.loss_of(logits, text, entered)
    loss.backward()
    config = transformers.RoFormerConfig(
        vocab_size=bert.VOCABULARY,
        embedding_size=bert.WIDTH,
        hidden_size=bert.WIDTH,
        num_hidden_layers=bert.DEPTH,
        num_attention_heads=bert.HEADS,
        intermediate_size=4 * bert.WIDTH,
        max_position_embeddings=bert.PLACES,
        type_vocab_size=bert.SEGMENTS,
        layer_norm_eps=bert.EPSILON,
        rotary_value=False,
    )
    model = transformers.RoFormerForMaskedLM(config).double().eval()
    without = {name: value.detach() for name, value in bert.as_hugging_face({**w, "pos_embed": torch.zeros(1, 1)}, bert.DEPTH).items()}
    state = {name.replace("bert.", "roformer."): value for name, value in without.items() if "position_embeddings" not in name}
    missing, unexpected = model.load_state_dict(state, strict=False)
    assert not unexpected and all("decoder" in name or "embed_positions" in name for name in missing), (missing, unexpected)
    model.tie_weights()
    real = text[..., 1] >= 0
    theirs = model(input_ids=bert.corrupted(text, entered), attention_mask=real.long(), token_type_ids=text[..., 2].long()).logits
    difference = (theirs - logits)[real].abs().max().item()
    # Their sines and cosines are float32.
    assert difference < AGREEMENT * 10, difference
    order = bert.order_of(entered)
    header = {
        "spec": ROFORMER,
        "batch": bert.BATCH,
        "tokens": {"total": bert.PLACES, "visible": bert.PLACES - bert.ROOM},
        "terms": {"id_cross_entropy": loss.item()},
        "loss": loss.item(),
        "largest_difference": {"transformers": {"logits": difference}},
    }
    places = {"order": order.int(), "restore": order.argsort(dim=1).int()}
    return header, {**learned(w), "text": text, "fields/mask": entered.int(), **places}


# -- a masked autoencoder of images: the class token is not turned


def with_front(angles: torch.Tensor) -> torch.Tensor:
    return torch.cat([torch.zeros_like(angles[..., :1, :]), angles], dim=-2)


def run_images(case: Case) -> tuple[dict, dict[str, torch.Tensor]]:
    random = torch.Generator().manual_seed(case.seed)
    image, order, restore, mask = drawn(case, random)
    weights = {name: value for name, value in make_weights(case, random).items() if "pos_embed" not in name}
    w = leaves_of(case, weights)
    visible = order[:, : case.visible]
    angles, narrow = (angles_of(list(case.grid), net.width // net.heads, 100.0, "spread") for net in (case.encoder, case.decoder))
    seen = with_front(angles[visible][:, None])  # [B, 1, 1 + V, pairs]
    tokens = take(linear(w, "patch_embed.proj", patches_of(case, image)), visible)
    x = torch.cat([w["cls_token"].expand(len(image), -1, -1), tokens], dim=1)
    for i in range(case.encoder.depth):
        x = block(w, f"blocks.{i}", x, case.encoder.heads, turn=lambda q: turn(q, seen, "halves"))
    x = linear(w, "decoder_embed", layer_norm(w, "norm", x))
    hidden = w["mask_token"].expand(len(x), case.tokens - case.visible, -1)
    x = torch.cat([x[:, :1], take(torch.cat([x[:, 1:], hidden], dim=1), restore)], dim=1)
    for i in range(case.decoder.depth):
        x = block(w, f"decoder_blocks.{i}", x, case.decoder.heads, turn=lambda q: turn(q, with_front(narrow), "halves"))
    prediction = linear(w, "decoder_pred", layer_norm(w, "decoder_norm", x))[:, 1:]
    terms = {"mse": loss_of("mse", "hidden", prediction, target_of(case, image), mask)}
    terms["mse"].backward()
    spec = spec_of(case, ["positions rotary(base: 100, measure: spread)", "loss mse(on: hidden)"])
    return header_of(case, spec, terms, terms["mse"]), tensors_of(case, w, image, order, restore)


def train(example: dict, weights: Weights, feeds: list[Feed]) -> list[float]:
    encoder, decoder, values = (line(example, slot)["values"] for slot in ("encoder", "decoder", "positions"))
    epsilon, last = ((one["norm_epsilon"] or 1e-6) for one in (encoder, decoder))
    w = leaves(weights, [])

    def loss(feed: Feed) -> torch.Tensor:
        text, entered = feed["text"], feed["mask"]
        angles = angles_of([text.shape[1]], encoder["width"] // encoder["heads"], values["base"], values["measure"])
        latent = bert.encode(w, text, bert.corrupted(text, entered), encoder["heads"], epsilon, lambda x: turn(x, angles, values["pairs"]))
        return bert.loss_of(bert.logits_of(w, latent, last), text, entered)

    return descend(example, w, feeds, loss)


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent)
    (folder / "rotary-libraries.json").write_text(json.dumps({"cases": libraries(), "versions": versions()}) + "\n")
    write(folder / "roformer", *run_roformer())
    write(folder / "rotary", *run_images(CASES[1]))


if __name__ == "__main__":
    main()
