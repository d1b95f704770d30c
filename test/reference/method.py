"""What the fixtures of the methods share: a drawn batch, the spec of a case, and the files. Imported by their scripts."""

import json
from pathlib import Path

import safetensors.torch
import torch
from mae import Case, is_trainable, versions


def drawn(case: Case, random: torch.Generator) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """-> image [B, H, W, C], order [B, N] with the visible tokens first, its inverse, mask [B, N] with 1 = hidden."""
    image = torch.randn(case.batch, *case.image, generator=random, dtype=torch.float64).float().double()
    order = torch.rand(case.batch, case.tokens, generator=random, dtype=torch.float64).argsort(dim=1)
    restore = order.argsort(dim=1)
    return image, order, restore, (restore >= case.visible).double()


def make_norm(name: str, width: int, random: torch.Generator) -> dict[str, torch.Tensor]:
    """Not at one and zero, so that it matters to the result."""
    scale, shift = torch.randn(2, width, generator=random, dtype=torch.float64) * 0.1
    return {f"{name}.weight": (1 + scale).float().double(), f"{name}.bias": shift.float().double()}


def vit(network, more: str = "") -> str:
    """`more`: what else is written of it, from its comma on."""
    return f"vit(depth: {network.depth}, width: {network.width}, heads: {network.heads}{more})"


def spec_of(case: Case, lines: list[str], decoder: str | None = None, target: str | None = None) -> str:
    """The case in our language, with more lines; by default it decodes and predicts as `case` says."""
    height, width, channels = case.image
    pixels = f"pixels(normalize: {'patch' if case.normalize else 'none'})"
    every = [
        f"input image(size: {height}x{width}, channels: {channels})",
        f"tokens patch(size: {case.patch[0]}x{case.patch[1]})",
        f"mask random(ratio: {case.ratio * 100:g}%)",
        f"encoder {vit(case.encoder)}",
        f"decoder {decoder or vit(case.decoder)}",
        f"target {target or pixels}",
        *lines,
    ]
    return "\n".join(["edition 2026", "model Reference {", *(f"  {line}" for line in every), "}", ""])


def learned(leaves: dict[str, torch.Tensor], before: dict[str, torch.Tensor] | None = None) -> dict[str, torch.Tensor]:
    """Weights and gradients. `leaves`: the weights after the backward pass; `before`: where it moved some, the weights as they were."""
    gradients = {name: leaf.grad for name, leaf in leaves.items() if leaf.requires_grad}
    idle = [name for name, gradient in gradients.items() if gradient is None]
    assert not idle, f"without a gradient: {idle}"
    return {
        **{f"weights/{name}": weight.detach() for name, weight in (before or leaves).items()},
        **{f"gradients/{name}": gradient for name, gradient in gradients.items()},
    }


def tensors_of(case: Case, leaves: dict[str, torch.Tensor], image, order, restore, before=None) -> dict[str, torch.Tensor]:
    """`leaves` and `before` as `learned` has them."""
    return {**learned(leaves, before), "image": image, "order": order.int(), "restore": restore.int()}


def leaves_of(case: Case, weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {
        name: value.clone().requires_grad_(is_trainable(case, name.split(".")[-1] if "pos_embed" in name else name))
        for name, value in weights.items()
    }


def header_of(case: Case, spec: str, terms: dict[str, torch.Tensor], total: torch.Tensor) -> dict:
    return {
        "spec": spec,
        "batch": case.batch,
        "tokens": {"total": case.tokens, "visible": case.visible},
        "terms": {name: term.item() for name, term in terms.items()},
        "loss": total.item(),
    }


def write(path: Path, header: dict, tensors: dict[str, torch.Tensor]) -> None:
    stored = {k: v.contiguous() if v.dtype == torch.int32 else v.float().contiguous() for k, v in tensors.items()}
    safetensors.torch.save_file(stored, path.with_suffix(".safetensors"))
    path.with_suffix(".json").write_text(json.dumps(header | {"versions": versions()}, indent=2) + "\n")
    print(path.name, header["terms"], header["loss"])
