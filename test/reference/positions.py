"""Position tables brought to other grids, as torch.nn.functional.interpolate does it; writes positions.json."""

import json
from pathlib import Path

import torch

FOLDER = Path(__file__).parent


def resized(table, extra, rows, columns, to_rows, to_columns):
    """[extra + rows * columns, D] -> [extra + to_rows * to_columns, D]."""
    front, patches = table[:extra], table[extra:]
    width = table.shape[1]
    grid = patches.reshape(1, rows, columns, width).permute(0, 3, 1, 2)
    grid = torch.nn.functional.interpolate(grid, size=(to_rows, to_columns), mode="bicubic", align_corners=False)
    return torch.cat([front, grid.permute(0, 2, 3, 1).reshape(to_rows * to_columns, width)])


def case(extra, grid, to, width):
    table = torch.randn(extra + grid[0] * grid[1], width, generator=generator).float().double()
    result = resized(table, extra, *grid, *to)
    return {
        "extra": extra,
        "from": grid,
        "to": to,
        "values": table.flatten().tolist(),
        "resized": result.flatten().tolist(),
    }


generator = torch.Generator().manual_seed(10)
cases = [
    case(1, (4, 4), (8, 8), 3),
    case(0, (3, 5), (7, 4), 2),
    case(2, (7, 7), (3, 3), 2),
    case(1, (2, 8), (4, 4), 2),
]
document = {"versions": {"torch": torch.__version__}, "cases": cases}
(FOLDER / "positions.json").write_text(json.dumps(document, separators=(",", ":")) + "\n")
