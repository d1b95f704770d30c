"""Swin as SimMIM and Swin MAE use it: timm's modules with hidden tokens, and the mirrored decoder, in float64.

The weights of our names are timm's: its modules are called with them by `functional_call`. Writes the fixtures of SimMIM and of Swin MAE.
Usage: python swin.py [folder]; `train` is described in stepping.py.
"""

import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import fcmae
import timm
import torch
import torch.nn.functional as F
from drawing import Drawing
from mae import Patched, linear, normalized, patches_of, take
from method import header_of, tensors_of, write
from stepping import Feed, Weights, descend, leaves, line
from timm.models.swin_transformer import SwinTransformer, SwinTransformerBlock
from torch.func import functional_call


@dataclass(frozen=True)
class Case(Patched):
    image: tuple[int, int, int]  # height, width, channels
    ratio: float
    cell: int  # pixels along each side of what is hidden together
    stem: int
    width: int
    depths: tuple[int, ...]
    heads: tuple[int, ...]
    window: int = 7
    norm: bool = True
    epsilon: float = 1e-5
    # Of a mirrored decoder; none: one linear layer.
    decoder: tuple[tuple[int, ...], tuple[int, ...]] | None = None
    normalize: bool = False
    loss: str = "l1"
    seed: int = 91
    batch: int = 2

    @property
    def patch(self) -> tuple[int, int]:
        return self.stem, self.stem

    @property
    def cells(self) -> tuple[int, int]:
        return self.image[0] // self.cell, self.image[1] // self.cell

    @property
    def visible(self) -> int:
        cells = self.cells[0] * self.cells[1]
        return int(cells * (1 - self.ratio)) * (self.cell // self.stem) ** 2

    @property
    def deepest(self) -> int:
        """Features of the deepest map."""
        return self.width * 2 ** (len(self.depths) - 1)


# Windows of several kinds: moved ones, maps of one window, sides that differ.
SIMMIM = Case((16, 32, 3), 0.5, 8, 2, 4, (2, 1, 2), (1, 2, 2), window=2)
SWIN_MAE = Case(
    (16, 32, 2), 0.7, 4, 2, 8, (2, 2), (2, 4), window=4, norm=False, epsilon=1e-6, decoder=((2,), (2,)),
    loss="mse", seed=92,
)  # fmt: skip


def network(case: Case) -> SwinTransformer:
    return SwinTransformer(
        img_size=case.image[:2], patch_size=case.stem, in_chans=case.image[2], num_classes=0, global_pool="", embed_dim=case.width,
        depths=case.depths, num_heads=case.heads, window_size=case.window, drop_path_rate=0.0,
        norm_layer=partial(torch.nn.LayerNorm, eps=case.epsilon),
    ).double()  # fmt: skip


def mirrored(case: Case, i: int, j: int) -> SwinTransformerBlock:
    """Block j of stage i of the decoder, the first of which is the deepest."""
    above = len(case.depths) - 2 - i
    assert case.decoder is not None
    return SwinTransformerBlock(
        case.width * 2**above, (case.grid[0] // 2**above, case.grid[1] // 2**above), num_heads=case.decoder[1][i], window_size=case.window,
        shift_size=case.window // 2 if j % 2 else 0, norm_layer=partial(torch.nn.LayerNorm, eps=case.epsilon),
    ).double()  # fmt: skip


def own(w: dict, prefix: str) -> dict:
    return {name[len(prefix) + 1 :]: value for name, value in w.items() if name.startswith(f"{prefix}.")}


def called(module: torch.nn.Module, w: dict, x: torch.Tensor) -> torch.Tensor:
    assert dict(module.named_parameters()).keys() == w.keys(), (module, w.keys())
    return functional_call(module, w, (x,))


def draw_decoder(draw: Drawing, case: Case) -> None:
    if case.decoder is None:
        draw.matrix("decoder_pred", case.values * 4 ** (len(case.depths) - 1), case.deepest)
        return
    stages = len(case.decoder[0])
    draw_expanding(draw, "first_patch_expanding", case.deepest)
    for i, depth in enumerate(case.decoder[0]):
        width = case.deepest // 2 ** (i + 1)
        for j in range(depth):
            draw_module(draw, f"layers_up.{i}.blocks.{j}", mirrored(case, i, j))
        if i + 1 < stages:
            draw_expanding(draw, f"layers_up.{i}.upsample", width)
    draw.norm("norm_up", case.width)
    draw.matrix("decoder_pred", case.values, case.width)


def draw_expanding(draw: Drawing, name: str, width: int) -> None:
    draw.matrix(f"{name}.expand", 2 * width, width, bias=False)
    draw.norm(f"{name}.norm", width // 2)


def draw_module(draw: Drawing, prefix: str, module: torch.nn.Module) -> None:
    """Every parameter of a module of timm's."""
    for name, value in module.named_parameters():
        path = f"{prefix}.{name}" if prefix else name
        is_norm = value.ndim == 1 and name.endswith("weight")
        std = (2 / sum(value.shape[:2])) ** 0.5 if value.ndim == 2 and "table" not in name else 0.3 if value.ndim > 1 else 0.1
        draw.normal(path, *value.shape, std=std, mean=1 if is_norm else 0)


def make_weights(case: Case, random: torch.Generator) -> Weights:
    draw = Drawing(random)
    module = network(case)
    if not case.norm:
        module.norm = torch.nn.Identity()
    draw_module(draw, "", module)
    draw.normal("hidden_token", 1, 1, case.width, std=0.3)
    draw_decoder(draw, case)
    return draw.weights


def encode(case: Case, w: dict, image: torch.Tensor, seen: torch.Tensor | None, drops: torch.Tensor | None = None) -> list[torch.Tensor]:
    """image [B, H, W, C], seen [B, N] whether a token is, or all -> the maps, the finest first, [B, h, w, D]."""
    module = network(case)
    x = called(module.patch_embed, own(w, "patch_embed"), image.permute(0, 3, 1, 2))
    if seen is not None:
        x = torch.where(seen.reshape(-1, *case.grid)[..., None], x, w["hidden_token"][0])
    maps, before = [], 0
    for i, stage in enumerate(module.layers):
        if i > 0:
            x = called(stage.downsample, own(w, f"layers.{i}.downsample"), x)
        for j, block in enumerate(stage.blocks):
            weights = own(w, f"layers.{i}.blocks.{j}")
            column = 2 * before
            x = called(block, weights, x) if drops is None else dropping(block, weights, x, drops[:, column : column + 2])
            before += 1
        maps.append(x)
    return maps


def dropping(block: SwinTransformerBlock, w: dict, x: torch.Tensor, drops: torch.Tensor) -> torch.Tensor:
    """A block of timm's whose two residuals are multiplied by numbers of the sample, [B, 2]."""
    first, second = (drops[:, i, None, None, None] for i in (0, 1))
    epsilon = block.norm1.eps

    class Attending(torch.nn.Module):
        """The attention of the block alone, with the window moved and moved back."""

        def __init__(self) -> None:
            super().__init__()
            self.block = block

        def forward(self, value: torch.Tensor) -> torch.Tensor:
            return self.block._attn(value)

    def normed(name: str, value: torch.Tensor) -> torch.Tensor:
        return F.layer_norm(value, value.shape[-1:], w[f"{name}.weight"], w[f"{name}.bias"], epsilon)

    all_of = {f"block.{name}": value for name, value in w.items()}
    x = x + functional_call(Attending(), all_of, (normed("norm1", x),)) * first
    hidden = F.gelu(linear(w, "mlp.fc1", normed("norm2", x)))
    return x + linear(w, "mlp.fc2", hidden) * second


def expanded(case: Case, w: dict, name: str, x: torch.Tensor) -> torch.Tensor:
    """[B, h, w, D] -> [B, 2 h, 2 w, D / 2]"""
    return layer_norm_of(case, w, f"{name}.norm", spread(x @ w[f"{name}.expand.weight"].T, 2))


def spread(x: torch.Tensor, factor: int) -> torch.Tensor:
    """[B, h, w, factor^2 D] -> [B, factor h, factor w, D]"""
    batch, rows, columns, _ = x.shape
    apart = x.reshape(batch, rows, columns, factor, factor, -1).permute(0, 1, 3, 2, 4, 5)
    return apart.reshape(batch, rows * factor, columns * factor, -1)


def layer_norm_of(case: Case, w: dict, name: str, x: torch.Tensor) -> torch.Tensor:
    return F.layer_norm(x, x.shape[-1:], w[f"{name}.weight"], w[f"{name}.bias"], case.epsilon)


def predict(case: Case, w: dict, image: torch.Tensor, seen: torch.Tensor, drops: torch.Tensor | None = None) -> torch.Tensor:
    """-> [B, N, P]"""
    x = encode(case, w, image, seen, drops)[-1]
    if case.norm:
        x = layer_norm_of(case, w, "norm", x)
    if case.decoder is None:
        return spread(linear(w, "decoder_pred", x), 2 ** (len(case.depths) - 1)).flatten(1, 2)
    x = expanded(case, w, "first_patch_expanding", x)
    for i, depth in enumerate(case.decoder[0]):
        for j in range(depth):
            x = called(mirrored(case, i, j), own(w, f"layers_up.{i}.blocks.{j}"), x)
        if i + 1 < len(case.decoder[0]):
            x = expanded(case, w, f"layers_up.{i}.upsample", x)
    return linear(w, "decoder_pred", layer_norm_of(case, w, "norm_up", x)).flatten(1, 2)


def loss_of(case: Case, w: dict, feed: dict) -> torch.Tensor:
    image, hidden = feed["image"], feed["hidden"].long()
    seen = torch.ones(len(image), case.tokens, dtype=torch.bool).scatter(1, hidden, False)
    patches = patches_of(case, image)
    target = normalized(patches) if case.normalize else patches
    error = take(predict(case, w, image, seen, feed.get("drops")) - target, hidden)
    return error.abs().mean() if case.loss == "l1" else (error**2).mean()


def listed(numbers: tuple[int, ...]) -> str:
    return "({})".format(", ".join(map(str, numbers)))


def spec_of(case: Case) -> str:
    height, width, channels = case.image
    options = "" if case.norm else ", norm: false"
    epsilon = "" if case.epsilon == 1e-5 else f", norm_epsilon: {case.epsilon:g}"
    decoder = (
        "linear"
        if case.decoder is None
        else f"swin(depths: {listed(case.decoder[0])}, heads: {listed(case.decoder[1])}, window: {case.window}{epsilon})"
    )
    sizes = f"depths: {listed(case.depths)}, width: {case.width}, heads: {listed(case.heads)}, window: {case.window}, stem: {case.stem}"
    return f"""edition 2026
model Reference {{
  input   image(size: {height}x{width}, channels: {channels})
  mask    random(ratio: {case.ratio * 100:g}%, cell: {case.cell}x{case.cell})
  encoder swin({sizes}{options}{epsilon})
  decoder {decoder}
  target  pixels(normalize: {"patch" if case.normalize else "none"})
  loss    {case.loss}(on: hidden)
}}
"""


def cells_drawn(case: Case, random: torch.Generator) -> torch.Tensor:
    """[B, N]: an order of tokens with those of visible cells first."""
    cells = case.cells[0] * case.cells[1]
    visible = int(cells * (1 - case.ratio))
    ranks = torch.rand(case.batch, cells, generator=random, dtype=torch.float64).argsort(dim=1).argsort(dim=1)
    scale = case.cell // case.stem
    hidden = (ranks >= visible).reshape(-1, *case.cells).repeat_interleave(scale, 1).repeat_interleave(scale, 2).flatten(1)
    return hidden.to(torch.int8).argsort(dim=1, stable=True)


def run(case: Case) -> tuple[dict, dict]:
    random = torch.Generator().manual_seed(case.seed)
    weights = make_weights(case, random)
    image = torch.randn(case.batch, *case.image, generator=random, dtype=torch.float64).float().double()
    order = cells_drawn(case, random)
    feed = {"image": image, "hidden": order[:, case.visible :]}
    w = leaves(weights, [])
    loss = loss_of(case, w, feed)
    loss.backward()
    again = leaves(weights, [])
    with torch.no_grad():
        deep = encode(case, weights, image, None)[-1]
        features = layer_norm_of(case, weights, "norm", deep) if case.norm else deep
        # The whole of timm's forward pass.
        module = network(case)
        if not case.norm:
            module.norm = torch.nn.Identity()
        names = dict(module.named_parameters())
        theirs = functional_call(module, {name: weights[name] for name in names}, (image.permute(0, 3, 1, 2),))
        assert torch.allclose(theirs, features, atol=1e-12, rtol=0)
        seen = torch.ones(case.batch, case.tokens, dtype=torch.bool).scatter(1, feed["hidden"], False)
        latent = encode(case, weights, image, seen)[-1]
        latent = layer_norm_of(case, weights, "norm", latent) if case.norm else latent
    training = fcmae.trained(again, lambda: loss_of(case, again, feed))
    tensors = tensors_of(case, w, image, order, order.argsort(dim=1))
    tensors |= {"features": features.flatten(1, 2), "latent": latent.flatten(1, 2)}
    return header_of(case, spec_of(case), {case.loss: loss}, loss) | {"training": training}, tensors


def train(example: dict, weights: Weights, feeds: list[Feed]) -> list[float]:
    image, mask, encoder, decoder, target, loss = (
        line(example, slot) for slot in ("input", "mask", "encoder", "decoder", "target", "loss")
    )
    values, mirror = encoder["values"], decoder["values"]
    case = Case(
        image=(*image["values"]["size"], image["values"]["channels"]),
        ratio=mask["values"]["ratio"],
        cell=mask["values"]["cell"][0],
        stem=values["stem"],
        width=values["width"],
        depths=tuple(values["depths"]),
        heads=tuple(values["heads"]),
        window=values["window"],
        norm=values["norm"],
        epsilon=values["norm_epsilon"],
        decoder=(tuple(mirror["depths"]), tuple(mirror["heads"])) if decoder["block"] == "swin" else None,
        normalize=target["values"]["normalize"] == "patch",
        loss=loss["block"],
        batch=example["batch"],
    )
    assert example["tokens"] == {"total": case.tokens, "visible": case.visible}, (example["tokens"], case)
    w = leaves(weights, [])
    return descend(example, w, feeds, lambda feed: loss_of(case, w, feed))


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent)
    for name, case in (("simmim", SIMMIM), ("swin-mae", SWIN_MAE)):
        header, tensors = run(case)
        write(folder / name, header | {"timm": timm.__version__}, tensors)


if __name__ == "__main__":
    main()
