"""Writes place-errors.json: how far numbers of places are from others, by scikit-learn and NumPy, and Eigen's losses with their gradients by PyTorch.

Usage: python place-errors.py
"""

import json
from pathlib import Path

import numpy as np
import sklearn
import torch
import torch.nn.functional as F
from sklearn.metrics import mean_absolute_error, mean_absolute_percentage_error, mean_squared_error

random = np.random.default_rng(5)
shape = (3, 4, 5)
there = random.uniform(0.5, 9, shape).round(3)
there[0, 0] = np.nan
there[2, 1, 2] = -1.5
said = np.abs(np.nan_to_num(there, nan=3) * random.normal(1, 0.25, shape)).round(4)
said[1, 2, 3] = -0.25

known = ~np.isnan(there)
own, value = said[known], there[known]
positive = value > 0
ratio = np.where(own[positive] > 0, np.maximum(own[positive] / value[positive], value[positive] / own[positive]), np.inf)
scores = {
    "rmse": mean_squared_error(value, own) ** 0.5,
    "mean_absolute": mean_absolute_error(value, own),
    "relative": mean_absolute_percentage_error(value[positive], own[positive]),
    **{f"within_1_25{'' if k == 1 else f'_{k}'}": float((ratio < 1.25**k).mean()) for k in (1, 2, 3)},
}


def loss(p: torch.Tensor, v: torch.Tensor, measure: str, share: float) -> torch.Tensor:
    if measure != "scale_invariant":
        return {"l1": F.l1_loss, "l2": F.mse_loss}[measure](p, v)
    d = p.clamp(min=1e-6).log() - v.clamp(min=1e-6).log()
    return (d**2).mean() - share * d.mean() ** 2


losses = []
for measure, share in [("l1", 0.5), ("l2", 0.5), ("scale_invariant", 0.5), ("scale_invariant", 0.85)]:
    x = torch.tensor(said, requires_grad=True)
    samples = [loss(x[i][known[i]], torch.tensor(there[i][known[i]]), measure, share) for i in range(len(said))]
    total = torch.stack(samples).mean()
    total.backward()
    losses.append({"measure": measure, "share": share, "loss": total.item(), "gradient": x.grad.flatten().tolist()})

result = {
    "shape": shape,
    "said": said.flatten().tolist(),
    "there": [None if np.isnan(one) else one for one in there.flatten().tolist()],
    "scores": scores,
    "losses": losses,
    "versions": {"sklearn": sklearn.__version__, "torch": torch.__version__, "numpy": np.__version__},
}
Path(__file__).with_suffix(".json").write_text(json.dumps(result) + "\n")
