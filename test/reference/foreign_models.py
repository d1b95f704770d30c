"""What scripts share that write weights of others' models."""

import torch


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
