"""Writes what optimizers make of one parameter in a few steps with given gradients and rates: torch.optim.AdamW and torch.optim.SGD, Lion of
timm, and LARS as the description of the official linear probe of MAE has it; and the factors of torch's warm restarts.

Usage: python optimizers.py [folder]
"""

import json
import platform
import sys
from pathlib import Path

import torch
from stepping import Lars
from timm.optim import Lion

STEPS = 6


CASES = {
    "adamw": (torch.optim.AdamW, {"betas": (0.9, 0.95), "eps": 1e-8, "weight_decay": 0.05}),
    "adamw-no-decay": (torch.optim.AdamW, {"betas": (0.9, 0.95), "eps": 1e-8, "weight_decay": 0.0}),
    "adamw-other": (torch.optim.AdamW, {"betas": (0.5, 0.75), "eps": 1e-2, "weight_decay": 0.3}),
    "sgd": (torch.optim.SGD, {"momentum": 0.9, "weight_decay": 0.0, "nesterov": False}),
    "sgd-plain": (torch.optim.SGD, {"momentum": 0.0, "weight_decay": 0.1, "nesterov": False}),
    "sgd-nesterov": (torch.optim.SGD, {"momentum": 0.8, "weight_decay": 0.1, "nesterov": True}),
    "lion": (Lion, {"betas": (0.9, 0.99), "weight_decay": 0.3}),
    "lars": (Lars, {"momentum": 0.9, "weight_decay": 0.1, "trust": 0.01, "matrix": True}),
    "lars-vector": (Lars, {"momentum": 0.9, "weight_decay": 0.1, "trust": 0.01, "matrix": False}),
    "lars-steps": (Lars, {"momentum": 0.9, "weight_decay": 0.1, "trust": 0.01, "matrix": True, "sum": "steps"}),
}


def run(optimizer: type, settings: dict, start, gradients, rates) -> list[list[float]]:
    """The parameter after each step; the rate changes from step to step, as a schedule changes it."""
    parameter = torch.nn.Parameter(start.clone())
    update = optimizer([parameter], lr=1.0, **settings)
    after = []
    for gradient, rate in zip(gradients, rates):
        update.param_groups[0]["lr"] = float(rate)
        parameter.grad = gradient.clone()
        update.step()
        after.append(parameter.detach().tolist())
    return after


def restarts(growth: int) -> list[float]:
    """Rates of 40 steps, cycles of 6 steps and more, a peak of 1 and 0.1 at the lowest."""
    update = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    schedule = torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(update, T_0=6, T_mult=growth, eta_min=0.1)
    rates = []
    for _ in range(40):
        rates.append(update.param_groups[0]["lr"])
        update.step()
        schedule.step()
    return rates


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent)
    random = torch.Generator().manual_seed(0)
    start = torch.randn(8, generator=random).double()
    # Gradients of very different sizes, and one that is zero throughout: epsilon and decay show there.
    sizes = torch.tensor([1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0, 100.0, 0.0]).double()
    gradients = torch.randn(STEPS, 8, generator=random).double() * sizes
    rates = torch.tensor([0.0, 0.01, 0.1, 0.05, 0.02, 0.3]).double()
    cases = {
        name: {"settings": settings, "after": run(optimizer, settings, start, gradients, rates)}
        for name, (optimizer, settings) in CASES.items()
    }
    fixture = {
        "versions": {"python": platform.python_version(), "torch": torch.__version__},
        "start": start.tolist(),
        "gradients": gradients.tolist(),
        "rates": rates.tolist(),
        "cases": cases,
        "restarts": {str(growth): restarts(growth) for growth in (1, 2)},
    }
    (folder / "optimizers.json").write_text(json.dumps(fixture, indent=1) + "\n")


main()
