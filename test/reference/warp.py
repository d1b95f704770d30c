"""Writes warp.json: maps of other sizes, means of places, and arrays read at displaced places, with gradients, from PyTorch in float64."""

import json
from pathlib import Path

import torch
import torch.nn.functional as F

here = Path(__file__).parent


def rounded(*shape: int, scale: float = 1.0) -> torch.Tensor:
    """Numbers that float32 holds exactly."""
    return (torch.randn(*shape) * scale).float().double()


def last(x: torch.Tensor) -> torch.Tensor:
    return x.movedim(1, -1)


def first(x: torch.Tensor) -> torch.Tensor:
    return x.movedim(-1, 1)


modes = {1: "linear", 2: "bilinear", 3: "trilinear"}
pools = {1: F.adaptive_avg_pool1d, 2: F.adaptive_avg_pool2d, 3: F.adaptive_avg_pool3d}


def flat(x: torch.Tensor) -> list[float]:
    return [round(v, 9) for v in x.detach().flatten().tolist()]


def sized(sides: list[int], sizes: list[int]) -> dict:
    """`resized` and `means` of an array, and the gradients of the sums of their squares."""
    x = rounded(2, *sides, 3).requires_grad_()
    case = {"sides": sides, "sizes": sizes, "x": x.flatten().tolist()}
    ways = {"resized": F.interpolate(first(x), sizes, mode=modes[len(sides)], align_corners=False), "means": pools[len(sides)](first(x), sizes)}
    for name, y in ways.items():
        (gradient,) = torch.autograd.grad((y**2).sum(), x)
        case[name] = {"y": flat(last(y)), "gradient": flat(gradient)}
    return case


def grid_of(displacement: torch.Tensor) -> torch.Tensor:
    """displacement [B, ...S, axes] -> as grid_sample wants it: from -1 to 1, the last axis first."""
    sides = displacement.shape[1:-1]
    places = torch.stack(torch.meshgrid(*[torch.arange(n, dtype=torch.float64) for n in sides], indexing="ij"), -1)
    at = places + displacement
    return torch.stack([2 * at[..., i] / (n - 1) - 1 for i, n in enumerate(sides)], -1).flip(-1)


def read(x: torch.Tensor, displacement: torch.Tensor, outside: str) -> torch.Tensor:
    """x [B, ...S, D]"""
    return last(F.grid_sample(first(x), grid_of(displacement), mode="bilinear", padding_mode=outside, align_corners=True))


def integrated(velocity: torch.Tensor, steps: int) -> torch.Tensor:
    """VoxelMorph's VecInt."""
    way = velocity / 2**steps
    for _ in range(steps):
        way = way + read(way, way, "zeros")
    return way


def warped(sides: list[int]) -> dict:
    x, displacement = rounded(2, *sides, 3).requires_grad_(), rounded(2, *sides, len(sides), scale=1.5).requires_grad_()
    case = {"sides": sides, "x": x.flatten().tolist(), "displacement": displacement.flatten().tolist()}
    for outside in ("zeros", "border"):
        y = read(x, displacement, outside)
        gradients = torch.autograd.grad((y**2).sum(), [x, displacement])
        case[outside] = {"y": flat(y), "gradients": [flat(g) for g in gradients]}
    way = integrated(displacement, 5)
    (gradient,) = torch.autograd.grad((way**2).sum(), displacement)
    case["integrated"] = {"steps": 5, "y": flat(way), "gradient": flat(gradient)}
    return case



def main() -> None:
    torch.manual_seed(0)
    sizes = [([6], [4]), ([4, 6], [8, 3]), ([5, 7], [3, 3]), ([3, 2], [1, 5]), ([2, 4, 3], [4, 4, 2])]
    result = {
        "sized": [sized(*one) for one in sizes],
        "warped": [warped(sides) for sides in ([5, 6], [3, 4, 5])],
        "versions": {"torch": torch.__version__},
    }
    (here / "warp.json").write_text(json.dumps(result) + "\n")


if __name__ == "__main__":
    main()
