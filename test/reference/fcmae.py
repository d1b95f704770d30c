"""Writes the fixture of FCMAE: a small model, in float64 by PyTorch.

Written from the description (Woo et al., ConvNeXt V2, CVPR 2023, section 3 and appendix, and the official repository's sparse model):
the encoder is computed on visible places alone, place by place, as a sparse convolution does; responses are normed sample by sample, as
the authors' JAX code does. Checked here against timm's ConvNeXt V2 on whole images.
Usage: python fcmae.py [folder]; `train` is described in stepping.py.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import torch
import torch.nn.functional as F
from drawing import Drawing
from mae import AGREEMENT, Patched, largest, layer_norm, linear, normalized, patches_of, take
from method import drawn, header_of, tensors_of, write
from stepping import Feed, Weights, descend, leaves, line


@dataclass(frozen=True)
class Case(Patched):
    image: tuple[int, int, int]  # height, width, channels
    ratio: float
    stem: int
    depths: tuple[int, ...]
    widths: tuple[int, ...]
    decoder: int
    version: int = 2
    normalize: bool = True
    seed: int = 71
    batch: int = 2
    kernel: int = 7

    @property
    def cell(self) -> int:
        return self.stem * 2 ** (len(self.depths) - 1)

    @property
    def patch(self) -> tuple[int, int]:
        return self.cell, self.cell

    @property
    def visible(self) -> int:
        return int(self.tokens * (1 - self.ratio))


SMALL = Case((16, 24, 3), 0.6, 2, (1, 2), (6, 10), 8)
# Of four stages, as timm has them.
WHOLE = Case((64, 96, 2), 0.5, 4, (1, 1, 1, 2), (4, 6, 6, 8), 8)


def draw_block(draw: Drawing, name: str, width: int, kernel: int, version: int) -> None:
    draw.normal(f"{name}.dwconv.weight", width, 1, kernel, kernel, std=0.15)
    draw.normal(f"{name}.dwconv.bias", width)
    draw.norm(f"{name}.norm", width)
    draw.matrix(f"{name}.pwconv1", 4 * width, width)
    draw.matrix(f"{name}.pwconv2", width, 4 * width)
    if version == 1:
        draw.normal(f"{name}.gamma", width, mean=0.5)
    else:
        draw.normal(f"{name}.grn.gamma", 4 * width, std=0.5)
        draw.normal(f"{name}.grn.beta", 4 * width)


def draw_encoder(draw: Drawing, case: Case) -> None:
    channels = case.image[2]
    for stage, (depth, width) in enumerate(zip(case.depths, case.widths, strict=True)):
        inputs, side = (channels, case.stem) if stage == 0 else (case.widths[stage - 1], 2)
        convolution, norm = (0, 1) if stage == 0 else (1, 0)
        draw.normal(f"downsample_layers.{stage}.{convolution}.weight", width, inputs, side, side, std=(1 / inputs) ** 0.5 / side)
        draw.normal(f"downsample_layers.{stage}.{convolution}.bias", width)
        draw.norm(f"downsample_layers.{stage}.{norm}", width if stage == 0 else inputs)
        for i in range(depth):
            draw_block(draw, f"stages.{stage}.{i}", width, case.kernel, case.version)


def make_weights(case: Case, random: torch.Generator) -> Weights:
    draw = Drawing(random)
    draw_encoder(draw, case)
    draw.matrix("proj", case.decoder, case.widths[-1])
    draw.normal("mask_token", 1, 1, case.decoder, std=0.3)
    draw_block(draw, "decoder.0", case.decoder, case.kernel, 2)
    draw.matrix("pred", case.cell**2 * case.image[2], case.decoder)
    return draw.weights


def mixed(x: torch.Tensor, places: torch.Tensor, kernel: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
    """x [n, C] at places [n, 2] -> [n, C]: each channel by its window over the places that are there."""
    reach = kernel.shape[-1] // 2
    apart = places[None] - places[:, None] + reach  # [n, n, 2]: where each place is in the window around another
    near = ((apart >= 0) & (apart <= 2 * reach)).all(dim=-1)
    row, column = apart.clamp(0, 2 * reach).unbind(dim=-1)
    weights = kernel[:, 0, row, column].permute(1, 2, 0) * near[..., None]  # [n, n, C]
    return (weights * x[None]).sum(dim=1) + bias


def block(w: dict, name: str, x: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
    """x [n, C] of one sample at the places that are there."""
    hidden = mixed(x, places, w[f"{name}.dwconv.weight"], w[f"{name}.dwconv.bias"])
    hidden = F.gelu(linear(w, f"{name}.pwconv1", layer_norm(w, f"{name}.norm", hidden)))
    if f"{name}.gamma" in w:
        return x + linear(w, f"{name}.pwconv2", hidden) * w[f"{name}.gamma"]
    length = hidden.norm(dim=0, keepdim=True)
    share = length / (length.mean(dim=-1, keepdim=True) + 1e-6)
    normed = hidden + w[f"{name}.grn.gamma"] * hidden * share + w[f"{name}.grn.beta"]
    return x + linear(w, f"{name}.pwconv2", normed)


def places_of(rows: int, columns: int) -> torch.Tensor:
    return torch.cartesian_prod(torch.arange(rows), torch.arange(columns))


def boxes(x: torch.Tensor, side: int) -> torch.Tensor:
    """[rows, columns, C] -> [rows / side, columns / side, C, side, side]"""
    return x.unfold(0, side, side).unfold(1, side, side)


def encode(case: Case, w: dict, image: torch.Tensor, seen: torch.Tensor) -> list[torch.Tensor]:
    """image [H, W, C], seen [N] whether a cell is -> a map of each stage with zeros where nothing is seen, [h, w, C]."""
    height, width, _ = image.shape
    grid = seen.reshape(height // case.cell, width // case.cell)
    x, maps = image, []
    for stage, depth in enumerate(case.depths):
        stride = case.stem * 2**stage
        name = f"downsample_layers.{stage}"
        if stage == 0:
            kernel, bias = w[f"{name}.0.weight"], w[f"{name}.0.bias"]
            cut = boxes(x, case.stem)
            x = layer_norm(w, f"{name}.1", torch.einsum("hwcyx,ocyx->hwo", cut, kernel) + bias)
        else:
            kernel, bias = w[f"{name}.1.weight"], w[f"{name}.1.bias"]
            cut = boxes(layer_norm(w, f"{name}.0", x), 2)
            x = torch.einsum("hwcyx,ocyx->hwo", cut, kernel) + bias
        rows, columns = height // stride, width // stride
        there = grid.repeat_interleave(case.cell // stride, 0).repeat_interleave(case.cell // stride, 1)
        places = places_of(rows, columns)[there.flatten()]
        active = x[there]
        for i in range(depth):
            active = block(w, f"stages.{stage}.{i}", active, places)
        x = torch.zeros(rows, columns, active.shape[-1], dtype=x.dtype).index_put((places[:, 0], places[:, 1]), active)
        maps.append(x)
    return maps


def predict(case: Case, w: dict, image: torch.Tensor, visible: torch.Tensor) -> torch.Tensor:
    """image [B, H, W, C], visible [B, V] -> [B, N, P]"""
    predictions = []
    for one, cells in zip(image, visible, strict=True):
        seen = torch.zeros(case.tokens, dtype=torch.bool)
        seen[cells] = True
        deep = encode(case, w, one, seen)[-1]
        rows, columns, width = deep.shape
        x = linear(w, "proj", deep.reshape(-1, width))
        x = torch.where(seen[:, None], x, w["mask_token"][0])
        x = block(w, "decoder.0", x, places_of(rows, columns))
        predictions.append(linear(w, "pred", x))
    return torch.stack(predictions)


def loss_of(case: Case, w: dict, image: torch.Tensor, visible: torch.Tensor, hidden: torch.Tensor) -> torch.Tensor:
    patches = patches_of(case, image)
    target = normalized(patches) if case.normalize else patches
    return take((predict(case, w, image, visible) - target) ** 2, hidden).mean()


def compare(case: Case, w: Weights, image: torch.Tensor) -> float:
    """The largest difference from the features of timm, of whole images."""
    from timm.models.convnext import ConvNeXt

    theirs = ConvNeXt(
        in_chans=case.image[2], num_classes=0, global_pool="", depths=case.depths, dims=case.widths, patch_size=case.stem,
        kernel_sizes=case.kernel, use_grn=case.version == 2, ls_init_value=1e-6 if case.version == 1 else None,
    ).double().eval()  # fmt: skip
    theirs.load_state_dict(timm_names(case, w), strict=False)
    features = theirs.forward_features(image.permute(0, 3, 1, 2))
    everything = torch.ones(case.tokens, dtype=torch.bool)
    ours = torch.stack([encode(case, w, one, everything)[-1] for one in image]).permute(0, 3, 1, 2)
    return largest(ours, features)


def compared(case: Case) -> float:
    random = torch.Generator().manual_seed(case.seed)
    weights = make_weights(case, random)
    return compare(case, weights, torch.randn(1, *case.image, generator=random, dtype=torch.float64))


def timm_names(case: Case, w: Weights) -> Weights:
    """The weights of the encoder as timm calls and shapes them."""
    names = {"dwconv": "conv_dw", "pwconv1": "mlp.fc1", "pwconv2": "mlp.fc2", "grn.gamma": "mlp.grn.weight", "grn.beta": "mlp.grn.bias"}
    found = {}
    for name, value in w.items():
        parts = name.split(".")
        if parts[0] == "downsample_layers":
            own = f"stem.{parts[2]}" if parts[1] == "0" else f"stages.{parts[1]}.downsample.{parts[2]}"
            found[f"{own}.{parts[3]}"] = value
        if parts[0] == "stages":
            rest = ".".join(parts[3:])
            for ours, theirs in names.items():
                rest = theirs + rest[len(ours) :] if rest.startswith(ours) else rest
            found[f"stages.{parts[1]}.blocks.{parts[2]}.{rest}"] = value
    return found


def spec_of(case: Case) -> str:
    height, width, channels = case.image
    listed = "({})".format(", ".join(map(str, case.depths))), "({})".format(", ".join(map(str, case.widths)))
    return f"""edition 2026
model Reference {{
  input   image(size: {height}x{width}, channels: {channels})
  mask    random(ratio: {case.ratio * 100:g}%)
  encoder convnext(depths: {listed[0]}, widths: {listed[1]}, stem: {case.stem}, version: {case.version})
  decoder convnext_block(width: {case.decoder})
  target  pixels(normalize: patch)
  loss    mse(on: hidden)
}}
"""


def run(case: Case) -> tuple[dict, dict]:
    random = torch.Generator().manual_seed(case.seed)
    weights = make_weights(case, random)
    image, order, restore, _ = drawn(case, random)
    visible, hidden = order[:, : case.visible], order[:, case.visible :]
    difference = max(compared(WHOLE), compared(replace(WHOLE, version=1)))
    assert difference < AGREEMENT, difference
    w = leaves(weights, [])
    loss = loss_of(case, w, image, visible, hidden)
    loss.backward()
    again = leaves(weights, [])
    everything = torch.ones(case.tokens, dtype=torch.bool)
    with torch.no_grad():
        features = torch.stack([encode(case, weights, one, everything)[-1].flatten(0, 1) for one in image])
        latent = torch.stack([
            encode(case, weights, one, torch.zeros(case.tokens, dtype=torch.bool).index_fill(0, cells, True))[-1].flatten(0, 1)
            for one, cells in zip(image, visible, strict=True)
        ])  # fmt: skip
    header = header_of(case, spec_of(case), {"mse": loss}, loss) | {
        "timm_difference": difference,
        "training": trained(again, lambda: loss_of(case, again, image, visible, hidden)),
    }
    return header, tensors_of(case, w, image, order, restore) | {"features": features, "latent": latent}


def trained(w: Weights, loss_of: Callable[[], torch.Tensor], rate: float = 1e-3) -> dict:
    """The losses of the leaves `w` before each of 20 steps of AdamW on one batch and after the last."""
    # As it is fed.
    lr, decay = torch.tensor(rate).double().item(), 0.05
    learned = [weight for weight in w.values() if weight.requires_grad]
    groups = [
        {"params": [weight for weight in learned if weight.ndim > 1], "weight_decay": decay},
        {"params": [weight for weight in learned if weight.ndim <= 1], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=lr, betas=(0.9, 0.95), eps=1e-8)
    losses = []
    for step in range(21):
        loss = loss_of()
        losses.append(loss.item())
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        if step < 20:
            optimizer.step()
    return {"lr": lr, "weight_decay": decay, "losses": losses}


def train(example: dict, weights: Weights, feeds: list[Feed]) -> list[float]:
    image, mask, encoder, decoder = (line(example, slot)["values"] for slot in ("input", "mask", "encoder", "decoder"))
    assert decoder["depth"] == 1
    case = Case(
        image=(*image["size"], image["channels"]),
        ratio=mask["ratio"],
        stem=encoder["stem"],
        depths=tuple(encoder["depths"]),
        widths=tuple(encoder["widths"]),
        decoder=decoder["width"],
        version=encoder["version"],
        batch=example["batch"],
        kernel=encoder["kernel"],
        normalize=line(example, "target")["values"]["normalize"] == "patch",
    )
    assert example["tokens"] == {"total": case.tokens, "visible": case.visible}, (example["tokens"], case)
    w = leaves(weights, [])
    return descend(example, w, feeds, lambda feed: loss_of(case, w, feed["image"], feed["visible"], feed["hidden"]))


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent)
    write(folder / "fcmae", *run(SMALL))


if __name__ == "__main__":
    main()
