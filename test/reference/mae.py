"""Writes the masked-autoencoder fixtures: small models, run in float64 by PyTorch, for the compiled models to be compared with.

The model below is written from the description of the algorithm (He et al., CVPR 2022) and checked here against
Hugging Face's ViTMAEForPreTraining where that can express the case, and against timm's VisionTransformer for features.
Usage: python mae.py [folder]
"""

import json
import platform
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy
import safetensors
import safetensors.torch
import timm
import torch
import torch.nn.functional as F
import transformers
from drawing import Drawing
from stepping import Feed, Weights, descend, leaves, line

AGREEMENT = 1e-6
EPSILON = 1e-6
STEPS = 20


@dataclass(frozen=True)
class Network:
    """A plain vision transformer."""

    depth: int
    width: int
    heads: int


class Patched:
    """What is cut into patches on a grid."""

    image: tuple[int, int, int]  # height, width, channels
    patch: tuple[int, int]  # height, width

    @property
    def grid(self) -> tuple[int, int]:
        return self.image[0] // self.patch[0], self.image[1] // self.patch[1]

    @property
    def tokens(self) -> int:
        return self.grid[0] * self.grid[1]

    @property
    def values(self) -> int:
        """Numbers in one patch."""
        return self.patch[0] * self.patch[1] * self.image[2]


@dataclass(frozen=True)
class Case(Patched):
    name: str
    summary: str
    seed: int
    batch: int
    image: tuple[int, int, int]  # height, width, channels
    patch: tuple[int, int]  # height, width
    ratio: float
    encoder: Network
    decoder: Network
    normalize: bool
    learned_positions: bool

    @property
    def visible(self) -> int:
        return int(self.tokens * (1 - self.ratio))



CASES = [
    Case(
        name="square",
        summary="RGB, square patches, pixels normalised by patch, fixed sine-cosine positions",
        seed=1,
        batch=2,
        image=(32, 32, 3),
        patch=(8, 8),
        ratio=0.75,
        encoder=Network(depth=2, width=32, heads=4),
        decoder=Network(depth=1, width=16, heads=2),
        normalize=True,
        learned_positions=False,
    ),
    Case(
        name="rectangle",
        summary="one channel, image and patches not square, plain pixels, every loss on every set of tokens",
        seed=2,
        batch=3,
        image=(24, 40, 1),
        patch=(4, 8),
        ratio=0.75,
        encoder=Network(depth=2, width=24, heads=3),
        decoder=Network(depth=1, width=16, heads=2),
        normalize=False,
        learned_positions=False,
    ),
    Case(
        name="learned",
        summary="two channels, learned positions in encoder and decoder, plain pixels",
        seed=3,
        batch=2,
        image=(24, 24, 2),
        patch=(6, 6),
        ratio=0.6,
        encoder=Network(depth=1, width=20, heads=2),
        decoder=Network(depth=2, width=12, heads=3),
        normalize=False,
        learned_positions=True,
    ),
]

# -- weights


def sine_cosine(width: int, rows: int, columns: int) -> torch.Tensor:
    """[1, 1 + rows * columns, width]: sines and cosines of the column, then of the row; a first row of zeros for CLS."""
    frequencies = 10000.0 ** (-torch.arange(width // 4, dtype=torch.float64) / (width // 4))
    place = torch.arange(rows * columns)
    angles = [(axis.double()[:, None] * frequencies[None, :]) for axis in (place % columns, place // columns)]
    table = torch.cat([f(angle) for angle in angles for f in (torch.sin, torch.cos)], dim=1)
    return torch.cat([torch.zeros(1, width, dtype=torch.float64), table])[None]


def make_weights(case: Case, random: torch.Generator) -> dict[str, torch.Tensor]:
    """All weights under the official names."""
    draw = Drawing(random)

    def positions(name: str, width: int) -> None:
        if case.learned_positions:
            draw.normal(name, 1, 1 + case.tokens, width, std=0.3)
        else:
            draw.weights[name] = sine_cosine(width, *case.grid).float().double()

    encoder, decoder = case.encoder, case.decoder
    draw.normal("cls_token", 1, 1, encoder.width, std=0.3)
    positions("pos_embed", encoder.width)
    draw.matrix("patch_embed.proj", encoder.width, case.values)
    draw.blocks("blocks", encoder.depth, encoder.width)
    draw.norm("norm", encoder.width)
    draw.matrix("decoder_embed", decoder.width, encoder.width)
    draw.normal("mask_token", 1, 1, decoder.width, std=0.3)
    positions("decoder_pos_embed", decoder.width)
    draw.blocks("decoder_blocks", decoder.depth, decoder.width)
    draw.norm("decoder_norm", decoder.width)
    draw.matrix("decoder_pred", case.values, decoder.width)
    return draw.weights


def is_trainable(case: Case, name: str) -> bool:
    return case.learned_positions or name not in ("pos_embed", "decoder_pos_embed")


# -- the model; w: weights by name, image [B, H, W, C], order [B, N] with the visible tokens first


def patches_of(case: Patched, image: torch.Tensor) -> torch.Tensor:
    """[B, H, W, C] -> [B, N, P]: tokens in raster order, within a patch row by row with the channel fastest."""
    (rows, columns), (height, width) = case.grid, case.patch
    split = image.reshape(len(image), rows, height, columns, width, case.image[2])
    return split.transpose(2, 3).reshape(len(image), case.tokens, case.values)


def take(x: torch.Tensor, index: torch.Tensor) -> torch.Tensor:
    """x [B, N, D], index [B, K] -> [B, K, D]"""
    return torch.stack([row[chosen] for row, chosen in zip(x, index, strict=True)])


def layer_norm(w: dict, name: str, x: torch.Tensor, epsilon: float = EPSILON) -> torch.Tensor:
    return F.layer_norm(x, x.shape[-1:], w[f"{name}.weight"], w[f"{name}.bias"], epsilon)


def linear(w: dict, name: str, x: torch.Tensor) -> torch.Tensor:
    return x @ w[f"{name}.weight"].T + w[f"{name}.bias"]


def block(
    w: dict, name: str, x: torch.Tensor, heads: int, norms: str = "", epsilon: float = EPSILON, drops: tuple = (1, 1), turn=None
) -> torch.Tensor:
    """
    `norms`: what the names of its norms end in, where a block has several pairs of them. `drops`: by what its residuals are multiplied. `turn`: what
    becomes of queries and keys [B, heads, N, features], if anything.
    """
    batch, count, width = x.shape
    qkv = linear(w, f"{name}.attn.qkv", layer_norm(w, f"{name}.norm1{norms}", x, epsilon))
    q, k, v = (part.reshape(batch, count, heads, width // heads).transpose(1, 2) for part in qkv.chunk(3, dim=-1))
    q, k = (q, k) if turn is None else (turn(q), turn(k))
    weights = (q @ k.transpose(-1, -2) * (width // heads) ** -0.5).softmax(dim=-1)
    x = x + linear(w, f"{name}.attn.proj", (weights @ v).transpose(1, 2).reshape(batch, count, width)) * drops[0]
    hidden = F.gelu(linear(w, f"{name}.mlp.fc1", layer_norm(w, f"{name}.norm2{norms}", x, epsilon)))
    return x + linear(w, f"{name}.mlp.fc2", hidden) * drops[1]


def encode(case: Case, w: dict, image: torch.Tensor, visible: torch.Tensor, blocks: int | None = None) -> torch.Tensor:
    """-> [B, 1 + V, D]; with `blocks`, after that many blocks. The final norm is always applied."""
    tokens = linear(w, "patch_embed.proj", patches_of(case, image)) + w["pos_embed"][:, 1:]
    cls = (w["cls_token"] + w["pos_embed"][:, :1]).expand(len(image), -1, -1)
    x = torch.cat([cls, take(tokens, visible)], dim=1)
    for i in range(case.encoder.depth if blocks is None else blocks):
        x = block(w, f"blocks.{i}", x, case.encoder.heads)
    return layer_norm(w, "norm", x)


def predict(case: Case, w: dict, latent: torch.Tensor, restore: torch.Tensor) -> torch.Tensor:
    """latent [B, 1 + V, D] -> [B, N, P]"""
    x = linear(w, "decoder_embed", latent)
    hidden = w["mask_token"].expand(len(x), case.tokens - case.visible, -1)
    tokens = take(torch.cat([x[:, 1:], hidden], dim=1), restore)
    x = torch.cat([x[:, :1], tokens], dim=1) + w["decoder_pos_embed"]
    for i in range(case.decoder.depth):
        x = block(w, f"decoder_blocks.{i}", x, case.decoder.heads)
    return linear(w, "decoder_pred", layer_norm(w, "decoder_norm", x))[:, 1:]


def target_of(case: Case, image: torch.Tensor) -> torch.Tensor:
    patches = patches_of(case, image)
    if not case.normalize:
        return patches
    return normalized(patches)


def normalized(patches: torch.Tensor) -> torch.Tensor:
    """Of each patch its mean taken away, then divided by its deviation, of n - 1."""
    mean, variance = patches.mean(dim=-1, keepdim=True), patches.var(dim=-1, keepdim=True, correction=1)
    return (patches - mean) / (variance + 1e-6).sqrt()


DISTANCES = {
    "mse": lambda prediction, target: (prediction - target) ** 2,
    "l1": lambda prediction, target: (prediction - target).abs(),
    "smooth_l1": lambda prediction, target: F.smooth_l1_loss(prediction, target, reduction="none", beta=1.0),
}


def loss_of(kind: str, on: str, prediction: torch.Tensor, target: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Mean over a patch's values, then over the chosen tokens of the batch. mask [B, N], 1 = hidden."""
    return mean_over(on, DISTANCES[kind](prediction, target), mask)


def mean_over(on: str, error: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """error [B, N, P] -> []"""
    chosen = {"hidden": mask, "visible": 1 - mask, "all": torch.ones_like(mask)}[on]
    return (error.mean(dim=-1) * chosen).sum() / chosen.sum()


# -- one case


def run(case: Case) -> tuple[dict, dict[str, torch.Tensor]]:
    random = torch.Generator().manual_seed(case.seed)
    w = make_weights(case, random)
    image = torch.randn(case.batch, *case.image, generator=random, dtype=torch.float64).float().double()
    noise = torch.rand(case.batch, case.tokens, generator=random, dtype=torch.float64)
    order = noise.argsort(dim=1)
    restore = order.argsort(dim=1)
    visible = order[:, : case.visible]
    mask = (restore >= case.visible).double()

    forward = evaluate(case, w, image, visible, restore, mask)
    training = repeat(case, w, image, visible, restore, mask)
    header = {
        "name": case.name,
        "summary": case.summary,
        **{key: value for key, value in asdict(case).items() if key not in ("name", "summary")},
        "tokens": {"total": case.tokens, "visible": case.visible},
        "layer_norm_epsilon": EPSILON,
        "loss": forward["loss"].item(),
        "losses": {},
        "training": training,
        "largest_difference": differences(case, w, image, noise, restore, mask, forward),
    }
    tensors = {f"weights/{name}": value for name, value in w.items()}
    tensors |= {f"gradients/{name}": value for name, value in forward["gradients"].items()}
    tensors |= {key: forward[key] for key in ("latent", "prediction", "target")}
    tensors |= {"image": image, "order": order.int(), "restore": restore.int()}
    everything = torch.arange(case.tokens).expand(case.batch, -1)
    for layer in range(1, case.encoder.depth + 1):
        tensors[f"features/{layer}"] = encode(case, w, image, everything, layer)
    if case.name == "rectangle":
        for kind in DISTANCES:
            for on in ("hidden", "visible", "all"):
                prediction = forward["prediction"].clone().requires_grad_()
                loss = loss_of(kind, on, prediction, forward["target"], mask)
                header["losses"][f"{kind}.{on}"] = loss.item()
                tensors[f"loss_gradients/{kind}.{on}"] = torch.autograd.grad(loss, prediction)[0]
    return header, tensors


def evaluate(case: Case, w: dict, image, visible, restore, mask) -> dict:
    """One pass, and the gradient of the loss (mse on hidden tokens) for each trainable weight."""
    leaves = {name: value.clone().requires_grad_(is_trainable(case, name)) for name, value in w.items()}
    latent = encode(case, leaves, image, visible)
    prediction = predict(case, leaves, latent, restore)
    target = target_of(case, image)
    loss = loss_of("mse", "hidden", prediction, target, mask)
    loss.backward()
    gradients = {name: leaf.grad for name, leaf in leaves.items() if leaf.requires_grad}
    results = {"latent": latent, "prediction": prediction, "target": target, "loss": loss}
    return {key: value.detach() for key, value in results.items()} | {"gradients": gradients}


def repeat(case: Case, w: dict, image, visible, restore, mask) -> dict:
    """AdamW steps on the same batch and mask; the losses before each step and after the last."""
    settings = {"optimizer": "adamw", "lr": 1e-3, "betas": [0.9, 0.95], "epsilon": 1e-8, "weight_decay": 0.05}
    leaves = {name: value.clone().requires_grad_(is_trainable(case, name)) for name, value in w.items()}
    trained = [leaf for leaf in leaves.values() if leaf.requires_grad]
    groups = [
        {"params": [p for p in trained if p.ndim > 1], "weight_decay": settings["weight_decay"]},
        {"params": [p for p in trained if p.ndim <= 1], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=settings["lr"], betas=(0.9, 0.95), eps=settings["epsilon"])
    losses = []
    for step in range(STEPS + 1):
        prediction = predict(case, leaves, encode(case, leaves, image, visible), restore)
        loss = loss_of("mse", "hidden", prediction, target_of(case, image), mask)
        losses.append(loss.item())
        if step < STEPS:
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return settings | {"losses": losses}


# -- recorded examples, see stepping.py


def network_of(transformer: dict | None) -> Network:
    """Of a line with a `vit`; a decoder that is none has no blocks."""
    if transformer is None or transformer["block"] != "vit":
        return Network(depth=0, width=0, heads=1)
    values = transformer["values"]
    assert values["mlp_ratio"] == 4, values["mlp_ratio"]
    return Network(values["depth"], values["width"], values["heads"])


def case_of(example: dict) -> Case:
    """Without a mask, nothing is hidden; one without a ratio hides half."""
    image, positions, mask, target = (line(example, slot) for slot in ("input", "positions", "mask", "target"))
    case = Case(
        name=example["name"],
        summary="",
        seed=0,
        batch=example["batch"],
        image=(*image["values"]["size"], image["values"]["channels"]),
        patch=tuple(line(example, "tokens")["values"]["size"]),
        ratio=mask["values"].get("ratio", 0.5) if mask else 0,
        encoder=network_of(line(example, "encoder")),
        decoder=network_of(line(example, "decoder")),
        normalize=target is not None and target["values"].get("normalize") == "patch",
        learned_positions=positions is not None and positions["block"] == "learned",
    )
    assert example["tokens"] == {"total": case.tokens, "visible": case.visible}, (example["tokens"], case)
    return case


def tables_of(case: Case, weights: Weights) -> list[str]:
    """Names of the weights that are fixed, checked to be sines and cosines."""
    if case.learned_positions:
        return []
    names = [name for name in weights if name.split(".")[-1] in ("pos_embed", "decoder_pos_embed")]
    for name in names:
        table = sine_cosine(weights[name].shape[-1], *case.grid)[:, -weights[name].shape[1] :]
        assert largest(weights[name], table) < AGREEMENT, name
    return names


def mask_of(case: Case, feed: Feed) -> torch.Tensor:
    """[B, N], 1 = hidden"""
    return (feed["restore"] >= case.visible).double()


def weighed(loss: dict, prediction: torch.Tensor, target: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """What a line with a loss between patches adds to the sum of all."""
    kind, values = loss["block"], loss["values"]
    assert values.get("beta", 1) == 1, values
    if kind == "charbonnier":
        error = mean_over(values["on"], ((prediction - target) ** 2 + values["epsilon"] ** 2).sqrt(), mask)
    else:
        error = loss_of(kind, values["on"], prediction, target, mask)
    return values["weight"] * error


def train(example: dict, weights: Weights, feeds: list[Feed]) -> list[float]:
    case, own = case_of(example), line(example, "loss")
    w = leaves(weights, tables_of(case, weights))

    def loss(feed: Feed) -> torch.Tensor:
        prediction = predict(case, w, encode(case, w, feed["image"], feed["visible"]), feed["restore"])
        return weighed(own, prediction, target_of(case, feed["image"]), mask_of(case, feed))

    return descend(example, w, feeds, loss)


# -- agreement with other implementations


def convolution(case: Case, weight: torch.Tensor) -> torch.Tensor:
    """[D, P], channel fastest -> the [D, C, height, width] of a convolution."""
    return weight.reshape(-1, *case.patch, case.image[2]).permute(0, 3, 1, 2)


def as_vectors(weight: torch.Tensor) -> torch.Tensor:
    """The inverse of `convolution`."""
    return weight.permute(0, 2, 3, 1).reshape(len(weight), -1)


def largest(a: torch.Tensor, b: torch.Tensor) -> float:
    assert a.shape == b.shape, (a.shape, b.shape)
    return (a - b).abs().max().item()


def differences(case: Case, w: dict, image, noise, restore, mask, forward: dict) -> dict:
    """Largest absolute differences: of this model in float32, of Hugging Face's and of timm's, from the float64 result."""
    single = {name: value.float() for name, value in w.items()}
    visible = noise.argsort(dim=1)[:, : case.visible]
    rounded = evaluate(case, single, image.float(), visible, restore, mask.float())
    found = {"float32": compare(rounded, forward), "timm": {"features": timm_features(case, w, image)}}
    # Hugging Face's pre-training model cuts only square images into square patches.
    if case.image[0] == case.image[1] and case.patch[0] == case.patch[1]:
        found["hugging_face"] = compare(hugging_face(case, w, image, noise), forward)
    for source in ("timm", "hugging_face"):
        for what, difference in found.get(source, {}).items():
            assert difference < AGREEMENT, f"{case.name}: {source} {what} differs by {difference}"
    return found


def compare(other: dict, forward: dict) -> dict:
    assert other["gradients"].keys() == forward["gradients"].keys()
    keys = [key for key in ("latent", "prediction", "loss") if key in other]
    gradients = max(largest(other["gradients"][name], g) for name, g in forward["gradients"].items())
    return {key: largest(other[key], forward[key]) for key in keys} | {"gradients": gradients}


def timm_features(case: Case, w: dict, image: torch.Tensor) -> float:
    """All tokens visible: a plain vision transformer."""
    model = timm.models.VisionTransformer(
        img_size=case.image[:2],
        patch_size=case.patch,
        in_chans=case.image[2],
        embed_dim=case.encoder.width,
        depth=case.encoder.depth,
        num_heads=case.encoder.heads,
        num_classes=0,
    ).double()
    state = {name: w[name].reshape(value.shape) for name, value in model.state_dict().items() if "patch" not in name}
    state["patch_embed.proj.weight"] = convolution(case, w["patch_embed.proj.weight"])
    state["patch_embed.proj.bias"] = w["patch_embed.proj.bias"]
    model.load_state_dict(state)
    everything = torch.arange(case.tokens).expand(case.batch, -1)
    with torch.no_grad():
        return largest(model.eval().forward_features(image.permute(0, 3, 1, 2)), encode(case, w, image, everything))


def hugging_face_names(case: Case) -> dict[str, str]:
    """Hugging Face's name by official name; query, key and value are parts of the official qkv."""
    names = {
        "cls_token": "vit.embeddings.cls_token",
        "pos_embed": "vit.embeddings.position_embeddings",
        "mask_token": "decoder.mask_token",
        "decoder_pos_embed": "decoder.decoder_pos_embed",
    }

    def pair(official: str, other: str) -> None:
        names.update({f"{official}.{part}": f"{other}.{part}" for part in ("weight", "bias")})

    pair("patch_embed.proj", "vit.embeddings.patch_embeddings.projection")
    pair("norm", "vit.layernorm")
    for name in ("decoder_embed", "decoder_norm", "decoder_pred"):
        pair(name, f"decoder.{name}")
    for official, other, depth in (
        ("blocks", "vit.layers", case.encoder.depth),
        ("decoder_blocks", "decoder.decoder_layers", case.decoder.depth),
    ):
        for i in range(depth):
            pair(f"{official}.{i}.norm1", f"{other}.{i}.layernorm_before")
            pair(f"{official}.{i}.attn.proj", f"{other}.{i}.attention.o_proj")
            pair(f"{official}.{i}.norm2", f"{other}.{i}.layernorm_after")
            for part in ("fc1", "fc2"):
                pair(f"{official}.{i}.mlp.{part}", f"{other}.{i}.mlp.{part}")
            for kind in ("weight", "bias"):
                parts = [f"{other}.{i}.attention.{x}_proj.{kind}" for x in "qkv"]
                names[f"{official}.{i}.attn.qkv.{kind}"] = " ".join(parts)
    return names


def hugging_face(case: Case, w: dict, image: torch.Tensor, noise: torch.Tensor) -> dict:
    """The same weights, noise and image through ViTMAEForPreTraining, its gradients in our layout."""
    config = transformers.ViTMAEConfig(
        hidden_size=case.encoder.width,
        num_hidden_layers=case.encoder.depth,
        num_attention_heads=case.encoder.heads,
        intermediate_size=4 * case.encoder.width,
        decoder_hidden_size=case.decoder.width,
        decoder_num_hidden_layers=case.decoder.depth,
        decoder_num_attention_heads=case.decoder.heads,
        decoder_intermediate_size=4 * case.decoder.width,
        image_size=case.image[0],
        patch_size=case.patch[0],
        num_channels=case.image[2],
        layer_norm_eps=EPSILON,
        mask_ratio=case.ratio,
        norm_pix_loss=case.normalize,
    )
    model = transformers.ViTMAEForPreTraining(config).double()
    parameters = dict(model.named_parameters())
    names = hugging_face_names(case)
    assert sorted(" ".join(names.values()).split()) == sorted(parameters), "a weight has no counterpart"
    with torch.no_grad():
        for official, others in names.items():
            value = convolution(case, w[official]) if official == "patch_embed.proj.weight" else w[official]
            parts = others.split()
            for other, part in zip(parts, value.chunk(len(parts)), strict=True):
                parameters[other].copy_(part)
    for official in ("pos_embed", "decoder_pos_embed"):
        parameters[names[official]].requires_grad_(case.learned_positions)

    pixels = image.permute(0, 3, 1, 2)
    result = model(pixels, noise=noise)
    result.loss.backward()
    gradients = {}
    for official, others in names.items():
        if is_trainable(case, official):
            gradient = torch.cat([parameters[other].grad for other in others.split()])
            gradients[official] = as_vectors(gradient) if official == "patch_embed.proj.weight" else gradient
    latent = model.vit(pixels, noise=noise).last_hidden_state.detach()
    return {"latent": latent, "prediction": result.logits.detach(), "loss": result.loss.detach(), "gradients": gradients}


# -- files


def versions() -> dict:
    return {
        "python": platform.python_version(),
        "torch": torch.__version__.split("+")[0],
        "timm": timm.__version__,
        "transformers": transformers.__version__,
        "numpy": numpy.__version__,
        "safetensors": safetensors.__version__,
    }


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
    torch.set_num_threads(1)
    for case in CASES:
        header, tensors = run(case)
        stored = {k: v.contiguous() if v.dtype == torch.int32 else v.float().contiguous() for k, v in tensors.items()}
        safetensors.torch.save_file(stored, folder / f"mae-{case.name}.safetensors")
        text = json.dumps(header | {"versions": versions()}, indent=2)
        (folder / f"mae-{case.name}.json").write_text(text + "\n")
        print(case.name, header["loss"], header["largest_difference"])


if __name__ == "__main__":
    main()
