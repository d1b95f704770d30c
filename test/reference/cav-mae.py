"""Writes the fixture of CAV-MAE: a small model of sound and image, in float64 by PyTorch.

Written from the description (Gong et al., ICLR 2023, with the constants of the official repository): each input is masked and encoded
alone, then both pass one joint network three times: together, with norms common to both, and each alone, with norms of its own. The
first is decoded, the other two are contrasted. Weights have the official names. A spectrogram is cut here with time as its first axis,
as the batch has it; the repository turns it round first, which only renames the tokens.
Usage: python cav-mae.py [folder]
"""

import re
import sys
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import torch
import torch.nn.functional as F
from drawing import Drawing
from mae import (
    AGREEMENT,
    STEPS,
    Network,
    Patched,
    block,
    largest,
    layer_norm,
    linear,
    network_of,
    normalized,
    patches_of,
    sine_cosine,
    take,
    versions,
)
from method import write
from stepping import Feed, Weights, descend, leaves, line

EPSILON = 1e-5  # PyTorch's own: the repository passes its norms without one.
layer_norm = partial(layer_norm, epsilon=EPSILON)
block = partial(block, epsilon=EPSILON)
INPUTS = {"a": "audio", "v": "image"}
# From the official names to ours, in which what belongs to an input stands under its label.
NAMES = [
    (r"^blocks_u\.(\d+)\.(norm[12])_([av])", lambda m: f"joint.blocks.{m[1]}.{m[2]}_{INPUTS[m[3]]}"),
    (r"^blocks_u", lambda m: "joint.blocks"),
    (r"^norm_([av])", lambda m: f"joint.norm_{INPUTS[m[1]]}"),
    (r"^norm", lambda m: "joint.norm"),
    (r"^modality_([av])", lambda m: f"{INPUTS[m[1]]}.input_embed"),
    (r"^decoder_modality_([av])", lambda m: f"{INPUTS[m[1]]}.decoder_input_embed"),
    (r"^(patch_embed|pos_embed|blocks|decoder_pos_embed|decoder_pred)_([av])", lambda m: f"{INPUTS[m[2]]}.{m[1]}"),
]


def ours(name: str) -> str:
    """The name of a weight in our models."""
    found = ((pattern, put) for pattern, put in NAMES if re.search(pattern, name))
    pattern, put = next(found, (r"^$", None))
    return re.sub(pattern, put, name) if put else name


@dataclass(frozen=True)
class Input(Patched):
    image: tuple[int, int, int]  # time and frequency, or rows and columns; channels
    patch: tuple[int, int]
    ratio: float

    @property
    def visible(self) -> int:
        return int(self.tokens * (1 - self.ratio))


@dataclass(frozen=True)
class Case:
    seed: int
    batch: int
    inputs: dict[str, Input]  # by the letter of the repository
    encoder: Network  # of each input
    joint: Network
    decoder: Network
    temperature: float = 0.05
    weight: float = 0.01
    symmetric: bool = False
    normalize: bool = True  # targets, by patch


SMALL = Case(
    seed=51,
    batch=3,
    inputs={"a": Input((16, 8, 1), (4, 4), 0.5), "v": Input((12, 8, 3), (4, 4), 0.5)},
    encoder=Network(2, 16, 2),
    joint=Network(1, 16, 2),
    decoder=Network(1, 12, 2),
)


def positions(grid: tuple[int, int], width: int) -> torch.Tensor:
    """[1, N, D], without the row of a class token."""
    return sine_cosine(width, *grid)[:, 1:].float().double()


def make_weights(case: Case, random: torch.Generator) -> dict[str, torch.Tensor]:
    draw = Drawing(random)

    def blocks(name: str, network: Network, kinds: tuple[str, ...] = ("",)) -> None:
        width = network.width
        for i in range(network.depth):
            for kind in kinds:
                draw.norm(f"{name}.{i}.norm1{kind}", width)
                draw.norm(f"{name}.{i}.norm2{kind}", width)
            draw.matrix(f"{name}.{i}.attn.qkv", 3 * width, width)
            draw.matrix(f"{name}.{i}.attn.proj", width, width)
            draw.perceptron(f"{name}.{i}.mlp", width)

    width, narrow = case.encoder.width, case.decoder.width
    for kind, one in case.inputs.items():
        draw.matrix(f"patch_embed_{kind}.proj", width, one.values)
        draw.normal(f"modality_{kind}", 1, 1, width, std=0.3)
        draw.weights[f"pos_embed_{kind}"] = positions(one.grid, width)
        blocks(f"blocks_{kind}", case.encoder)
    blocks("blocks_u", case.joint, ("", "_a", "_v"))
    for kind in ("", "_a", "_v"):
        draw.norm(f"norm{kind}", width)
    draw.matrix("decoder_embed", narrow, width)
    draw.normal("mask_token", 1, 1, narrow, std=0.3)
    for kind, one in case.inputs.items():
        draw.normal(f"decoder_modality_{kind}", 1, 1, narrow, std=0.3)
        draw.weights[f"decoder_pos_embed_{kind}"] = positions(one.grid, narrow)
        draw.matrix(f"decoder_pred_{kind}", one.values, narrow)
    blocks("decoder_blocks", case.decoder)
    draw.norm("decoder_norm", narrow)
    return draw.weights


def target_of(case: Case, kind: str, array: torch.Tensor) -> torch.Tensor:
    patches = patches_of(case.inputs[kind], array)
    if not case.normalize:
        return patches
    return normalized(patches)


def encode(case: Case, w: dict, kind: str, array: torch.Tensor, visible: torch.Tensor) -> torch.Tensor:
    """What the encoder of one input makes of its visible tokens, [B, V, D]."""
    embedded = linear(w, f"patch_embed_{kind}.proj", patches_of(case.inputs[kind], array))
    x = take(embedded + w[f"pos_embed_{kind}"] + w[f"modality_{kind}"], visible)
    for i in range(case.encoder.depth):
        x = block(w, f"blocks_{kind}.{i}", x, case.encoder.heads)
    return x


def joined(case: Case, w: dict, x: torch.Tensor, kind: str = "") -> torch.Tensor:
    for i in range(case.joint.depth):
        x = block(w, f"blocks_u.{i}", x, case.joint.heads, kind)
    return layer_norm(w, f"norm{kind}", x)


def decode(case: Case, w: dict, latent: torch.Tensor, restore: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """[B, V_a + V_v, D] -> of each input [B, N, P]"""
    narrow = linear(w, "decoder_embed", latent)
    parts = narrow.split([one.visible for one in case.inputs.values()], dim=1)
    whole = []
    for (kind, one), seen in zip(case.inputs.items(), parts, strict=True):
        hidden = w["mask_token"].expand(len(seen), one.tokens - one.visible, -1)
        tokens = take(torch.cat([seen, hidden], dim=1), restore[kind])
        whole.append(tokens + w[f"decoder_pos_embed_{kind}"] + w[f"decoder_modality_{kind}"])
    x = torch.cat(whole, dim=1)
    for i in range(case.decoder.depth):
        x = block(w, f"decoder_blocks.{i}", x, case.decoder.heads)
    parts = layer_norm(w, "decoder_norm", x).split([one.tokens for one in case.inputs.values()], dim=1)
    return {kind: linear(w, f"decoder_pred_{kind}", part) for kind, part in zip(case.inputs, parts, strict=True)}


def contrast(case: Case, audio: torch.Tensor, image: torch.Tensor) -> torch.Tensor:
    """Means of tokens [B, D]: for each image a softmax over all sounds; where it is symmetric, also for each sound over all images."""
    scores = F.normalize(audio, dim=-1) @ F.normalize(image, dim=-1).T / case.temperature
    found = -scores.log_softmax(dim=0).diagonal().mean()
    return (found - scores.log_softmax(dim=1).diagonal().mean()) / 2 if case.symmetric else found


def terms_of(case: Case, w: dict, arrays: dict, order: dict, restore: dict) -> tuple[dict[str, torch.Tensor], dict]:
    """The losses before their weights, by name, and what they are made of."""
    seen = {kind: order[kind][:, : one.visible] for kind, one in case.inputs.items()}
    alone = {kind: encode(case, w, kind, arrays[kind], seen[kind]) for kind in case.inputs}
    latent = joined(case, w, torch.cat(list(alone.values()), dim=1))
    pooled = {kind: joined(case, w, alone[kind], f"_{kind}").mean(dim=1) for kind in case.inputs}
    prediction = decode(case, w, latent, restore)
    terms = {}
    for kind, one in case.inputs.items():
        error = (prediction[kind] - target_of(case, kind, arrays[kind])) ** 2
        terms[f"{INPUTS[kind]}.mse"] = take(error, order[kind][:, one.visible :]).mean()
    terms["info_nce"] = contrast(case, pooled["a"], pooled["v"])
    return terms, {"latent": latent, "pooled": pooled, "prediction": prediction}


def total_of(case: Case, terms: dict[str, torch.Tensor]) -> torch.Tensor:
    return sum(term * (case.weight if name == "info_nce" else 1) for name, term in terms.items())


def is_trainable(name: str) -> bool:
    return "pos_embed" not in name


def repeat(case: Case, weights: dict, arrays: dict, order: dict, restore: dict) -> dict:
    """AdamW steps on one batch and mask; the losses before each step and after the last."""
    settings = {"optimizer": "adamw", "lr": 1e-3, "betas": [0.9, 0.95], "epsilon": 1e-8, "weight_decay": 0.05}
    w = {name: value.clone().requires_grad_(is_trainable(name)) for name, value in weights.items()}
    every = [weight for weight in w.values() if weight.requires_grad]
    groups = [
        {"params": [p for p in every if p.ndim > 1], "weight_decay": settings["weight_decay"]},
        {"params": [p for p in every if p.ndim <= 1], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=settings["lr"], betas=(0.9, 0.95), eps=settings["epsilon"])
    losses = []
    for step in range(STEPS + 1):
        loss = total_of(case, terms_of(case, w, arrays, order, restore)[0])
        losses.append(loss.item())
        if step < STEPS:
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return settings | {"losses": losses}


def run(case: Case) -> tuple[dict, dict[str, torch.Tensor]]:
    random = torch.Generator().manual_seed(case.seed)
    arrays, order, restore = {}, {}, {}
    for kind, one in case.inputs.items():
        arrays[kind] = torch.randn(case.batch, *one.image, generator=random, dtype=torch.float64).float().double()
        order[kind] = torch.rand(case.batch, one.tokens, generator=random, dtype=torch.float64).argsort(dim=1)
        restore[kind] = order[kind].argsort(dim=1)
    weights = make_weights(case, random)
    w = {name: value.clone().requires_grad_(is_trainable(name)) for name, value in weights.items()}
    terms, made = terms_of(case, w, arrays, order, restore)
    for vector in made["pooled"].values():
        vector.retain_grad()
    total = total_of(case, terms)
    total.backward()
    gradients = {name: leaf.grad for name, leaf in w.items() if leaf.requires_grad}
    assert all(gradient is not None for gradient in gradients.values()), "a weight without a gradient"
    header = {
        "spec": spec_of(case),
        "batch": case.batch,
        "inputs": {
            INPUTS[kind]: {"tokens": {"total": one.tokens, "visible": one.visible}} for kind, one in case.inputs.items()
        },
        "layer_norm_epsilon": EPSILON,
        "names": {name: ours(name) for name in weights},
        "terms": {name: term.item() for name, term in terms.items()},
        "loss": total.item(),
        "symmetric": contrast(replace(case, symmetric=True), *made["pooled"].values()).item(),
        "training": repeat(case, weights, arrays, order, restore),
        "versions": versions(),
    }
    tensors = {f"weights/{name}": value for name, value in weights.items()}
    tensors |= {f"gradients/{name}": value for name, value in gradients.items()}
    tensors["latent"] = made["latent"].detach()
    for kind, label in INPUTS.items():
        tensors |= {
            label: arrays[kind],
            f"order/{label}": order[kind].int(),
            f"restore/{label}": restore[kind].int(),
            f"prediction/{label}": made["prediction"][kind].detach(),
            f"pooled/{label}": made["pooled"][kind].detach(),
            # Only the contrast reads it, so its gradient is that of the term, weighed.
            f"pooled_gradients/{label}": made["pooled"][kind].grad / case.weight,
        }
    return header, tensors


def spec_of(case: Case) -> str:
    audio, image = case.inputs["a"], case.inputs["v"]
    vit = "vit(depth: {0.depth}, width: {0.width}, heads: {0.heads}{1})"
    alone = vit.format(case.encoder, ", class_token: false, norm: none, norm_epsilon: 1e-5")
    joint = vit.format(case.joint, ", class_token: false, norms: by_input, norm_epsilon: 1e-5, of: [audio, image]")
    return f"""edition 2026
model Reference {{
  input     audio: spectrogram(frames: {audio.image[0]}, mels: {audio.image[1]})
  input     image: image(size: {image.image[0]}x{image.image[1]}, channels: {image.image[2]})
  tokens    patch(size: {"x".join(map(str, audio.patch))})
  positions sin_cos(and: input)
  mask      random(ratio: {audio.ratio * 100:g}%)
  encoder   audio: {alone}
  encoder   image: {alone}
  encoder   joint: {joint}
  decoder   {vit.format(case.decoder, ", norm_epsilon: 1e-5")}
  target    pixels(normalize: patch)
  loss      mse(on: hidden)
  loss      info_nce(between: [joint.audio, joint.image], temperature: {case.temperature}, weight: {case.weight})
}}
"""


def train(example: dict, weights: Weights, feeds: list[Feed]) -> list[float]:
    def input_of(label: str, size: tuple[int, int, int]) -> Input:
        tokens, mask = (line(example, slot, label) or line(example, slot) for slot in ("tokens", "mask"))
        return Input(size, tuple(tokens["values"]["size"]), mask["values"]["ratio"])

    audio, image = (line(example, "input", label)["values"] for label in INPUTS.values())
    joint, networks = line(example, "encoder", "joint"), [line(example, "encoder", label) for label in INPUTS.values()]
    assert networks[0]["values"] == networks[1]["values"] and joint["values"]["norms"] == "by_input"
    every = [joint, *networks, line(example, "decoder")]
    assert all(network["values"]["norm_epsilon"] == EPSILON for network in every), every
    assert [one["values"]["on"] for one in example["model"] if one["block"] == "mse"] == ["hidden"]
    (info_nce,) = (one["values"] for one in example["model"] if one["block"] == "info_nce")
    assert info_nce["between"] == ["joint.audio", "joint.image"]
    case = Case(
        seed=0,
        batch=example["batch"],
        inputs={
            "a": input_of("audio", (audio["frames"], audio["mels"], audio["channels"])),
            "v": input_of("image", (*image["size"], image["channels"])),
        },
        encoder=network_of(networks[0]),
        joint=network_of(joint),
        decoder=network_of(line(example, "decoder")),
        temperature=info_nce["temperature"],
        weight=info_nce["weight"],
        symmetric=info_nce["symmetric"],
        normalize=line(example, "target")["values"]["normalize"] == "patch",
    )
    official = make_weights(case, torch.Generator().manual_seed(0))
    assert {ours(name) for name in official} == weights.keys(), {ours(name) for name in official} ^ weights.keys()
    tables = [ours(name) for name in official if not is_trainable(name)]
    for name in official:
        assert is_trainable(name) or largest(weights[ours(name)], official[name]) < AGREEMENT, name
    w = leaves(weights, tables)

    def loss(feed: Feed) -> torch.Tensor:
        def of(kind: str, name: str) -> torch.Tensor:
            return feed[f"{INPUTS[kind]}{name}"]

        order = {kind: torch.cat([of(kind, "Visible"), of(kind, "Hidden")], dim=1) for kind in INPUTS}
        arrays, restore = ({kind: of(kind, name) for kind in INPUTS} for name in ("", "Restore"))
        named = {name: w[ours(name)] for name in official}
        return total_of(case, terms_of(case, named, arrays, order, restore)[0])

    return descend(example, w, feeds, loss)


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent)
    header, tensors = run(SMALL)
    write(folder / "cav-mae", header, tensors)


if __name__ == "__main__":
    main()
