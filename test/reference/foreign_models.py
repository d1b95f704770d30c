"""What scripts share that write weights of others' models."""

import json
import subprocess
import sys
import types
from pathlib import Path

import torch


class Cases:
    """Models as others save them in a folder, with the spec that is the same model here, what they are given and what they compute."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.cases: dict[str, dict] = {}

    def saved(self, model: torch.nn.Module, name: str) -> str:
        """As `save_pretrained` names the weights in its file."""
        scratch = self.folder / "saved"
        model.save_pretrained(scratch)
        (scratch / "model.safetensors").rename(self.folder / name)
        for left in scratch.iterdir():
            left.unlink()
        scratch.rmdir()
        return name

    def keep(self, name: str, file: str, text: str, what: str, given: torch.Tensor, output: torch.Tensor, **more) -> None:
        """`given` with the channels last."""
        self.cases[name] = {
            "file": file, "spec": text, "what": what, "input": [round(x, 6) for x in given.movedim(-3 if given.ndim == 4 else 2, -1).flatten().tolist()],
            "output": [round(x, 8) for x in output.flatten().tolist()], **more,
        }  # fmt: skip

    def write(self, file: str, versions: dict[str, str]) -> None:
        json.dump({"versions": versions, "cases": self.cases}, (self.folder / file).open("w"))


def module(name: str, **content: object) -> None:
    """A module that a repository imports, under a name of older libraries."""
    sys.modules[name] = types.ModuleType(name)
    vars(sys.modules[name]).update(content)


def commit(repository: Path) -> str:
    return subprocess.run(["git", "-C", repository, "rev-parse", "HEAD"], capture_output=True, text=True, check=False).stdout.strip()


def pixels_of(images: torch.Tensor, side: int) -> torch.Tensor:
    """[B, C, H, W] -> the values of patches [B, N, side side C], the channel fastest."""
    b, c, h, w = images.shape
    return images.reshape(b, c, h // side, side, w // side, side).permute(0, 2, 4, 3, 5, 1).reshape(b, -1, side * side * c)


def noise(*shape: int) -> torch.Tensor:
    return (torch.rand(*shape) * 1e6).round() / 1e6


def disturbed(model: torch.nn.Module) -> torch.nn.Module:
    """Biases and norms as training leaves them, so that none of them can be forgotten unseen."""
    with torch.no_grad():
        for weight in model.parameters():
            if weight.requires_grad:
                weight.add_(torch.randn_like(weight) * 0.1)
    return model.eval()


def rectangle_of(width: int, rows: int, columns: int) -> torch.Tensor:
    """The table of official MAE (util/pos_embed.py): of the column, then of the row, each sines and then cosines."""
    frequencies = 1 / 10000 ** (torch.arange(width // 4, dtype=torch.float64) / (width / 4))
    row, column = torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij")
    halves = [torch.outer(place.flatten().double(), frequencies) for place in (column, row)]
    table = torch.cat([f(half) for half in halves for f in (torch.sin, torch.cos)], dim=1)
    return torch.cat([torch.zeros(1, width), table])[None].float()
