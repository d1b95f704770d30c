"""Writes the fixture of SparK with a small ResNet, in float64 by PyTorch.

Convolutions and the largest of windows are those of whole maps, zeroed behind each where nothing is visible, and are compared with those that
see visible places alone, place by place, as a sparse convolution does; norms take the visible places
out, one row each, norm those, and put them back, as the authors' code does. The features of whole images are compared with timm's ResNet. The decoder is
that of spark.py. Usage: python resnet.py [folder]; `train` is described in stepping.py.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

import fcmae
import spark
import torch
import torch.nn.functional as F
from drawing import Drawing
from mae import AGREEMENT, Patched, largest, normalized, patches_of, take
from method import drawn, header_of, tensors_of, write
from stepping import Feed, Weights, descend, leaves, line
from timm.models.resnet import Bottleneck, ResNet


@dataclass(frozen=True)
class Case(Patched):
    image: tuple[int, int, int]  # height, width, channels
    ratio: float
    depths: tuple[int, ...]
    width: int
    decoder: int
    large: bool = True
    normalize: bool = True
    seed: int = 107
    batch: int = 2

    @property
    def widths(self) -> tuple[int, ...]:
        return tuple(4 * self.width * 2**i for i in range(len(self.depths)))

    @property
    def cell(self) -> int:
        return (4 if self.large else 1) * 2 ** (len(self.depths) - 1)

    @property
    def patch(self) -> tuple[int, int]:
        return self.cell, self.cell

    @property
    def visible(self) -> int:
        return round(self.tokens * (1 - self.ratio))


SMALL = Case((16, 24, 3), 0.5, (2, 1), 2, 16, normalize=False)


def draw_encoder(draw: Drawing, case: Case) -> None:
    side = 7 if case.large else 3
    draw_convolution(draw, "conv1", case.width, case.image[2], side)
    spark.draw_batch_norm(draw, "bn1", case.width)
    before = case.width
    for stage, (depth, width) in enumerate(zip(case.depths, case.widths, strict=True)):
        for i in range(depth):
            name = f"layer{stage + 1}.{i}"
            shapes = ((width // 4, before, 1), (width // 4, width // 4, 3), (width, width // 4, 1))
            for j, shape in enumerate(shapes):
                draw_convolution(draw, f"{name}.conv{j + 1}", *shape)
                spark.draw_batch_norm(draw, f"{name}.bn{j + 1}", shape[0])
            if i == 0:
                draw_convolution(draw, f"{name}.downsample.0", width, before, 1)
                spark.draw_batch_norm(draw, f"{name}.downsample.1", width)
            before = width


def draw_convolution(draw: Drawing, name: str, outputs: int, inputs: int, side: int) -> None:
    draw.normal(f"{name}.weight", outputs, inputs, side, side, std=(2 / (inputs * side**2)) ** 0.5)


def make_weights(case: Case, random: torch.Generator) -> Weights:
    draw = Drawing(random)
    draw_encoder(draw, case)
    widths = entering(case)
    for i, width in enumerate(widths):
        spark.draw_batch_norm(draw, f"densify_norms.{i}", width)
        draw.normal(f"mask_tokens.{i}", 1, 1, width, std=0.3)
    spark.draw_projections(draw, case, widths)
    return draw.weights


def entering(case: Case) -> list[int]:
    """Features of the maps that enter the decoder, the deepest first: those with fewer places than the image."""
    return list(reversed(case.widths if case.large else case.widths[1:]))


def there(case: Case, seen: torch.Tensor, rows: int) -> torch.Tensor:
    """seen [B, N] -> [B, rows, columns] on a map of so many rows."""
    scale = rows // case.grid[0]
    return seen.reshape(-1, *case.grid).repeat_interleave(scale, 1).repeat_interleave(scale, 2)


def norm_of_visible(w: dict, name: str, x: torch.Tensor, kept: torch.Tensor) -> torch.Tensor:
    """x [B, C, h, w], kept [B, h, w] -> normed where something is visible, by those places; zeros elsewhere."""
    rows = x.permute(0, 2, 3, 1)[kept]
    mean, variance = w[f"{name}.running_mean"], w[f"{name}.running_var"]
    normed = F.batch_norm(rows, mean, variance, w[f"{name}.weight"], w[f"{name}.bias"], training=True, momentum=0.1, eps=1e-5)
    filled = torch.zeros_like(x.permute(0, 2, 3, 1)).index_put(kept.nonzero(as_tuple=True), normed)
    return filled.permute(0, 3, 1, 2)


def windows_of_places(x: torch.Tensor, side: int, stride: int, before: torch.Tensor, after: torch.Tensor):
    """x [B, C, h, w]: for each place of `after` its sample, its place, and of the places of `before` in its window the numbers and the offsets."""
    reach = side // 2
    for b, row, column in after.nonzero().tolist():
        apart = before[b].nonzero() - stride * torch.tensor([row, column]) + reach
        near = ((apart >= 0) & (apart < side)).all(dim=-1)
        rows, columns = before[b].nonzero()[near].unbind(dim=-1)
        yield (b, row, column), x[b, :, rows, columns], apart[near].unbind(dim=-1)


def convolved_sparsely(x: torch.Tensor, kernel: torch.Tensor, stride: int, before: torch.Tensor, after: torch.Tensor) -> torch.Tensor:
    y = torch.zeros(len(x), len(kernel), *after.shape[1:], dtype=x.dtype)
    for (b, row, column), seen, (down, across) in windows_of_places(x, kernel.shape[-1], stride, before, after):
        y[b, :, row, column] = torch.einsum("cn,ocn->o", seen, kernel[:, :, down, across])
    return y


def largest_sparsely(x: torch.Tensor, before: torch.Tensor, after: torch.Tensor) -> torch.Tensor:
    y = torch.zeros(*x.shape[:2], *after.shape[1:], dtype=x.dtype)
    for (b, row, column), seen, _ in windows_of_places(x, 3, 2, before, after):
        y[b, :, row, column] = seen.max(dim=-1).values
    return y


def compare_sparsely(case: Case, random: torch.Generator, seen: torch.Tensor) -> float:
    """The largest difference of what is zeroed on whole maps from what sees visible places alone, of the kinds of windows that there are."""
    rows, columns = case.image[:2]
    before, after = (there(case, seen, rows // scale) for scale in (1, 2))
    x = torch.randn(len(seen), 3, rows, columns, generator=random, dtype=torch.float64).abs() * before[:, None]
    found = []
    for side, stride in ((7, 2), (3, 2), (3, 1), (1, 2), (1, 1)):
        kernel = torch.randn(2, 3, side, side, generator=random, dtype=torch.float64)
        own = before if stride == 1 else after
        whole = F.conv2d(x, kernel, stride=stride, padding=side // 2) * own[:, None]
        found.append(largest(whole, convolved_sparsely(x, kernel, stride, before, own)))
    found.append(largest(F.max_pool2d(x, 3, 2, 1) * after[:, None], largest_sparsely(x, before, after)))
    return max(found)


def encode(case: Case, w: dict, image: torch.Tensor, seen: torch.Tensor) -> list[torch.Tensor]:
    """image [B, H, W, C], seen [B, N] -> the maps, the finest first, [B, h, w, D]."""

    def hidden(x: torch.Tensor) -> torch.Tensor:
        return x * there(case, seen, x.shape[2])[:, None]

    def norm(name: str, x: torch.Tensor) -> torch.Tensor:
        return norm_of_visible(w, name, x, there(case, seen, x.shape[2]))

    def convolution(name: str, x: torch.Tensor, stride: int = 1) -> torch.Tensor:
        kernel = w[f"{name}.weight"]
        return hidden(F.conv2d(x, kernel, stride=stride, padding=kernel.shape[-1] // 2))

    x = hidden(image.permute(0, 3, 1, 2))
    x = F.relu(norm("bn1", convolution("conv1", x, 2 if case.large else 1)))
    if case.large:
        x = hidden(F.max_pool2d(x, 3, 2, 1))
    maps = []
    for stage, depth in enumerate(case.depths):
        for i in range(depth):
            name, stride = f"layer{stage + 1}.{i}", 2 if stage > 0 and i == 0 else 1
            y = F.relu(norm(f"{name}.bn1", convolution(f"{name}.conv1", x)))
            y = F.relu(norm(f"{name}.bn2", convolution(f"{name}.conv2", y, stride)))
            y = norm(f"{name}.bn3", convolution(f"{name}.conv3", y))
            shortcut = norm(f"{name}.downsample.1", convolution(f"{name}.downsample.0", x, stride)) if i == 0 else x
            x = F.relu(y + shortcut)
        maps.append(x.permute(0, 2, 3, 1))
    return maps


def loss_of(case: Case, w: dict, image: torch.Tensor, visible: torch.Tensor, hidden: torch.Tensor) -> torch.Tensor:
    seen = torch.zeros(len(image), case.tokens, dtype=torch.bool).scatter(1, visible.long(), True)
    maps = encode(case, w, image, seen)

    def norm(name: str, x: torch.Tensor) -> torch.Tensor:
        return norm_of_visible(w, name, x.permute(0, 3, 1, 2), there(case, seen, x.shape[1])).permute(0, 2, 3, 1)

    drawn = spark.decode(case, w, maps[-len(entering(case)) :], seen, norm)
    patches = patches_of(case, image)
    target = normalized(patches) if case.normalize else patches
    return take((patches_of(case, drawn) - target) ** 2, hidden).mean()


def features_by_timm(case: Case, w: Weights, image: torch.Tensor) -> torch.Tensor:
    """-> the last map [B, h, w, D] of whole images, by running statistics."""
    module = ResNet(Bottleneck, case.depths, in_chans=case.image[2], num_classes=0, global_pool="", stem_width=case.width).double()
    # timm's widths are fixed: those of the case are put in their places.
    own = {name: value for name, value in w.items() if name.startswith(("conv1", "bn1", "layer"))}
    return run_by(module, own, image)


def run_by(module: ResNet, own: Weights, image: torch.Tensor) -> torch.Tensor:
    """timm's forward pass with convolutions and norms of other widths, for which its code has no room but its modules have."""
    for name, layer in module.named_modules():
        if isinstance(layer, (torch.nn.Conv2d, torch.nn.BatchNorm2d)):
            for kind in ("weight", "running_mean", "running_var", "bias"):
                if f"{name}.{kind}" not in own:
                    continue
                value = own[f"{name}.{kind}"]
                if kind in ("weight", "bias"):
                    setattr(layer, kind, torch.nn.Parameter(value))
                else:
                    setattr(layer, kind, value.clone())
    stages = [child for name, child in module.named_children() if name.startswith("layer")]
    x = image.permute(0, 3, 1, 2)
    with torch.no_grad():
        for part in (module.conv1, module.bn1, module.act1, module.maxpool, *stages):
            x = part.eval()(x)
    return x.permute(0, 2, 3, 1)


def spec_of(case: Case) -> str:
    height, width, channels = case.image
    depths = "({})".format(", ".join(map(str, case.depths)))
    return f"""edition 2026
model Reference {{
  input   image(size: {height}x{width}, channels: {channels})
  mask    random(ratio: {case.ratio * 100:g}%, round: nearest)
  encoder resnet(depths: {depths}, width: {case.width}{"" if case.large else ", stem: small"})
  decoder unet(width: {case.decoder}, norm: batch)
  target  pixels(normalize: {"patch" if case.normalize else "none"})
  loss    mse(on: hidden)
}}
"""


def run(case: Case) -> tuple[dict, dict]:
    random = torch.Generator().manual_seed(case.seed)
    weights = make_weights(case, random)
    image, order, restore, _ = drawn(case, random)
    visible, hidden = order[:, : case.visible], order[:, case.visible :]
    seen = torch.zeros(case.batch, case.tokens, dtype=torch.bool).scatter(1, visible, True)
    difference = compare_sparsely(case, random, seen)
    assert difference < AGREEMENT, difference
    w = leaves(weights, spark.states_of(weights))
    loss = loss_of(case, w, image, visible, hidden)
    loss.backward()
    moved = leaves(weights, spark.states_of(weights))
    # At a higher rate a float32 step soon stands on the other side of one of so many rectifiers than a float64 one.
    training = fcmae.trained(moved, lambda: loss_of(case, moved, image, visible, hidden), rate=2e-4)
    tensors = tensors_of(case, w, image, order, restore, weights)
    tensors |= {f"moved/{name}": w[name] for name in spark.states_of(weights)}
    tensors |= {f"trained/{name}": moved[name] for name in spark.states_of(weights)}
    tensors["known"] = features_by_timm(case, weights, image).flatten(1, 2)
    return header_of(case, spec_of(case), {"mse": loss}, loss) | {"sparse_difference": difference, "training": training}, tensors


def train(example: dict, weights: Weights, feeds: list[Feed]) -> list[float]:
    image, mask, encoder, decoder, target = (
        line(example, slot)["values"] for slot in ("input", "mask", "encoder", "decoder", "target")
    )
    assert decoder["norm"] == "batch"
    case = Case(
        image=(*image["size"], image["channels"]),
        ratio=mask["ratio"],
        depths=tuple(encoder["depths"]),
        width=encoder["width"],
        decoder=decoder["width"],
        large=encoder["stem"] == "large",
        normalize=target["normalize"] == "patch",
        batch=example["batch"],
    )
    assert example["tokens"] == {"total": case.tokens, "visible": case.visible}, (example["tokens"], case)
    w = leaves(weights, spark.states_of(weights))
    return descend(example, w, feeds, lambda feed: loss_of(case, w, feed["image"], feed["visible"], feed["hidden"]))


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent)
    write(folder / "spark-resnet", *run(SMALL))


if __name__ == "__main__":
    main()
