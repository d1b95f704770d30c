"""Writes the fixture of Audio-MAE: a small model of spectrograms, in float64 by PyTorch.

Written from the description (Huang et al., NeurIPS 2022): the plain masked autoencoder of mae.py, whose image is a spectrogram of one
channel with time along its rows, and the decoder that attends within windows: of all patches at once, of which those of other windows are
left out; its blocks are compared here with timm's of Swin V2, which cut the map apart. The encoder of published size is counted
here against Hugging Face's ASTModel; its fine-tuned classifiers are written in the form of AST. Usage: python audio-mae.py [folder]; `train` is described in stepping.py.
"""

import sys
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

# Its build may belong to another PyTorch; nothing here needs it.
sys.modules["torchaudio"] = None

import torch
import torch.nn.functional as F
from drawing import Drawing
from mae import CASES, EPSILON, Case, Network, block, case_of, encode, layer_norm, linear, loss_of, make_weights, mask_of
from mae import tables_of, take, target_of, weighed
from mae import train as train_image
from method import drawn, header_of, leaves_of, tensors_of, vit, write
from stepping import Feed, Weights, descend, leaves, line
from timm.models.swin_transformer_v2_cr import SwinTransformerV2CrBlock
from torch.func import functional_call

SMALL = replace(
    CASES[0], image=(32, 24, 1), patch=(4, 6), ratio=0.8, batch=2, seed=51, encoder=Network(2, 16, 2), decoder=Network(2, 12, 3)
)
WINDOW = 2
# Weights of Audio-MAE's encoder that are trained: those of its fine-tuned model but the head, 85,659,407 - 527 * 769.
PUBLISHED = 85_254_144
# Of examples/ast.mae.
AST = 86_594_063


def spec_of(case: Case) -> str:
    frames, mels, _ = case.image
    return f"""edition 2026
model Reference {{
  input     spectrogram(frames: {frames}, mels: {mels})
  tokens    patch(size: {case.patch[0]}x{case.patch[1]})
  mask      random(ratio: {case.ratio * 100:g}%)
  encoder   {vit(case.encoder)}
  decoder   window_{vit(case.decoder, f", window: {WINDOW}")}
  target    pixels(normalize: patch)
  loss      mse(on: hidden)
}}
"""


def run(case: Case) -> tuple[dict, dict[str, torch.Tensor]]:
    random = torch.Generator().manual_seed(case.seed)
    sound, order, restore, mask = drawn(case, random)
    weights = make_weights(case, random)
    draw_windows(Drawing(random, weights), case)
    compare_blocks(case, weights)
    w = leaves_of(case, weights)
    prediction = predict_within(case, w, encode(case, w, sound, order[:, : case.visible]), restore, WINDOW, (True, True))
    terms = {"mse": loss_of("mse", "hidden", prediction, target_of(case, sound), mask)}
    terms["mse"].backward()
    tensors = tensors_of(case, w, sound, order, restore)
    tensors["spectrogram"] = tensors.pop("image")
    return header_of(case, spec_of(case), terms, terms["mse"]), tensors


def draw_windows(draw: Drawing, case: Case) -> None:
    """
    What a block that attends within windows has beside a plain one. The first head of the first block, whose windows are not moved, divides by
    less than the least: so sharp a one would see through the -100 that keep places apart.
    """
    heads = case.decoder.heads
    for i in range(case.decoder.depth):
        draw.normal(f"decoder_blocks.{i}.attn.tau", heads, mean=1)
        draw.matrix(f"decoder_blocks.{i}.attn.meta_mlp.fc1", 384, 2)
        draw.matrix(f"decoder_blocks.{i}.attn.meta_mlp.fc2", heads, 384)
    draw.weights["decoder_blocks.0.attn.tau"][0] = torch.tensor(0.005).double()


def window_block(
    w: dict, name: str, x: torch.Tensor, grid: tuple[int, int], heads: int, window: int, shift: tuple[int, int]
) -> torch.Tensor:
    """x [B, N, D]; windows begin `shift` behind the first place, and what is left in front and behind are windows too."""
    batch, count, width = x.shape
    qkv = linear(w, f"{name}.attn.qkv", x)
    q, k, v = (part.reshape(batch, count, heads, width // heads).transpose(1, 2) for part in qkv.chunk(3, dim=-1))
    cosines = F.cosine_similarity(q[:, :, :, None], k[:, :, None], dim=-1, eps=1e-6)  # [B, heads, N, N]
    places = torch.cartesian_prod(*(torch.arange(n) for n in grid))
    steps = (places[:, None] - places[None]).double()
    finer = steps.sign() * (1 + steps.abs()).log()
    bias = linear(w, f"{name}.attn.meta_mlp.fc2", linear(w, f"{name}.attn.meta_mlp.fc1", finer).relu()).permute(2, 0, 1)
    of = (places - torch.tensor(shift)).div(window, rounding_mode="floor")
    apart = (of[:, None] != of[None]).any(dim=-1)
    scores = cosines / w[f"{name}.attn.tau"].clamp(min=0.01)[:, None, None] + bias
    attended = scores.masked_fill(apart, -torch.inf).softmax(dim=-1) @ v
    taken = linear(w, f"{name}.attn.proj", attended.transpose(1, 2).reshape(batch, count, width))
    x = x + layer_norm(w, f"{name}.norm1", taken)
    perceived = linear(w, f"{name}.mlp.fc2", F.gelu(linear(w, f"{name}.mlp.fc1", x)))
    return x + layer_norm(w, f"{name}.norm2", perceived)


def predict_within(
    case: Case, w: dict, latent: torch.Tensor, restore: torch.Tensor, window: int, moved: tuple[bool, bool]
) -> torch.Tensor:
    """latent [B, 1 + V, D] -> [B, N, P]; `moved`: the axes along which windows of every second block are."""
    x = linear(w, "decoder_embed", latent)[:, 1:]
    hidden = w["mask_token"].expand(len(x), case.tokens - case.visible, -1)
    x = take(torch.cat([x, hidden], dim=1), restore) + w["decoder_pos_embed"][:, 1:]
    for i in range(case.decoder.depth):
        shift = tuple(
            window // 2 if i % 2 and along and count > window else 0 for along, count in zip(moved, case.grid, strict=True)
        )
        x = window_block(w, f"decoder_blocks.{i}", x, case.grid, case.decoder.heads, window, shift)
    return linear(w, "decoder_pred", layer_norm(w, "decoder_norm", x))


def compare_blocks(case: Case, weights: dict) -> None:
    """With timm's, which knows how much sharper a head is by a logarithm."""
    width, heads = case.decoder.width, case.decoder.heads
    x = torch.randn(2, *case.grid, width, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    for i in range(case.decoder.depth):
        shift = WINDOW // 2 if i % 2 else 0
        block = SwinTransformerV2CrBlock(
            width, heads, feat_size=case.grid, window_size=(WINDOW, WINDOW), shift_size=(shift, shift),
            norm_layer=partial(torch.nn.LayerNorm, eps=EPSILON),
        ).double().eval()  # fmt: skip
        name = f"decoder_blocks.{i}"
        own = {key[len(name) + 1 :]: value for key, value in weights.items() if key.startswith(f"{name}.")}
        own["attn.logit_scale"] = -own.pop("attn.tau").log()
        assert dict(block.named_parameters()).keys() == own.keys()
        theirs = functional_call(block, own, (x,)).flatten(1, 2)
        ours = window_block(weights, name, x.flatten(1, 2), case.grid, heads, WINDOW, (shift, shift))
        # Its logarithms of steps are float32.
        assert torch.allclose(theirs, ours, atol=1e-8, rtol=0), (theirs - ours).abs().max()


def compare() -> None:
    """AST has a second token in front and learned positions of overlapping patches; all else is the same."""
    from transformers import ASTConfig, ASTForAudioClassification, ASTModel

    theirs = dict(ASTModel(ASTConfig()).named_parameters())
    other = ("embeddings.distillation_token", "embeddings.position_embeddings")
    count = sum(weight.numel() for name, weight in theirs.items() if name not in other)
    assert count == PUBLISHED, count
    classifier = ASTForAudioClassification(ASTConfig(num_labels=527))
    assert sum(weight.numel() for weight in classifier.parameters()) == AST


def train(example: dict, weights: Weights, feeds: list[Feed]) -> list[float]:
    """As an image of frames and bands."""

    def as_image(line: dict) -> dict:
        if line["slot"] != "input":
            return line
        values = line["values"]
        return line | {"values": {"size": [values["frames"], values["mels"]], "channels": values["channels"]}}

    if line(example, "head"):
        return train_classifier(example, weights, feeds)
    image = example | {"model": [as_image(line) for line in example["model"]]}
    seen = [feed | {"image": feed["spectrogram"]} for feed in feeds]
    within = line(example, "decoder")
    return train_within(image, within["values"], weights, seen) if within["block"] == "window_vit" else train_image(image, weights, seen)


def train_within(example: dict, decoder: dict, weights: Weights, feeds: list[Feed]) -> list[float]:
    case = replace(case_of(example), decoder=Network(decoder["depth"], decoder["width"], decoder["heads"]))
    window, moved = decoder["window"], decoder["shift"]
    along = tuple(moved is None or axis in moved for axis in ("time", "frequency"))
    w = leaves(weights, tables_of(case, weights))

    def loss(feed: Feed) -> torch.Tensor:
        latent = encode(case, w, feed["image"], feed["visible"])
        prediction = predict_within(case, w, latent, feed["restore"], window, along)
        return weighed(line(example, "loss"), prediction, target_of(case, feed["image"]), mask_of(case, feed))

    return descend(example, w, feeds, loss)


@dataclass(frozen=True)
class Overlapping(Case):
    """Whose patches begin `stride` apart."""

    stride: tuple[int, int] = (1, 1)

    @property
    def grid(self) -> tuple[int, int]:
        rows, columns = ((self.image[i] - self.patch[i]) // self.stride[i] + 1 for i in range(2))
        return rows, columns


def overlapping_of(example: dict) -> Overlapping:
    sound, patch, encoder = (line(example, slot)["values"] for slot in ("input", "tokens", "encoder"))
    positions = line(example, "positions")
    case = Overlapping(
        **{"name": example["name"], "summary": "", "seed": 0, "batch": example["batch"], "ratio": 0, "normalize": False},
        image=(sound["frames"], sound["mels"], sound["channels"]),
        patch=tuple(patch["size"]),
        stride=tuple(patch["stride"] or patch["size"]),
        encoder=Network(encoder["depth"], encoder["width"], encoder["heads"]),
        decoder=Network(0, 0, 1),
        learned_positions=positions is not None and positions["block"] == "learned",
    )
    hidden = line(example, "mask") is not None
    assert example["tokens"]["total"] == case.tokens, (example["tokens"], case)
    assert hidden == (example["tokens"]["visible"] < case.tokens), example["tokens"]
    return case


def logits_of(
    case: Overlapping, w: dict, sound: torch.Tensor, visible: torch.Tensor | None, head: dict, drops: torch.Tensor | None
) -> torch.Tensor:
    """As transformers' AST: a convolution with a stride, the tokens in front, and what the head says. sound [B, frames, mels, 1]"""
    weight = w["patch_embed.proj.weight"].unflatten(1, case.patch)[:, None]
    patches = F.conv2d(sound.movedim(-1, 1), weight, w["patch_embed.proj.bias"], stride=case.stride)
    front = torch.cat([w[name] for name in ("cls_token", "dist_token") if name in w], dim=1)
    extra = front.shape[1]
    tokens = patches.flatten(2).transpose(1, 2) + w["pos_embed"][:, extra:]
    seen = tokens if visible is None else take(tokens, visible)
    x = torch.cat([(front + w["pos_embed"][:, :extra]).expand(len(sound), -1, -1), seen], dim=1)
    for i in range(case.encoder.depth):
        own = (1, 1) if drops is None else drops[:, 2 * i : 2 * i + 2, None, None].unbind(dim=1)
        x = block(w, f"blocks.{i}", x, case.encoder.heads, drops=own)
    if head["pool"] == "front":
        features = layer_norm(w, "norm", x)[:, :extra].mean(dim=1)
    else:
        features = layer_norm(w, "norm", x[:, extra:].mean(dim=1))
    return linear(w, "head", layer_norm(w, "head_norm", features) if head["norm"] == "own" else features)


def train_classifier(example: dict, weights: Weights, feeds: list[Feed]) -> list[float]:
    case, judge = overlapping_of(example), line(example, "loss")
    encoder, head = line(example, "encoder")["values"], line(example, "head")["values"]
    w = leaves(weights, tables_of(case, weights))

    def loss(feed: Feed) -> torch.Tensor:
        drops = feed["drops"] if encoder["drop_path"] else None
        logits = logits_of(case, w, feed["spectrogram"], feed.get("visible"), head, drops)
        if judge["block"] == "class_bce":
            return F.binary_cross_entropy_with_logits(logits, feed["labels"])
        return F.cross_entropy(logits, feed["labels"], label_smoothing=judge["values"]["smoothing"])

    return descend(example, w, feeds, loss)


def main() -> None:
    compare()
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent)
    write(folder / "audio-mae", *run(SMALL))


if __name__ == "__main__":
    main()
