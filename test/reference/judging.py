"""Writes the fixture for what judges features and predictions: scikit-learn's classifiers on the features of probes.safetensors, its
measures of class scores, and the attentive probe of AIM in PyTorch on tokens, in float64.

Usage: python judging.py [folder]
"""

import json
import platform
import sys
from pathlib import Path

import numpy as np
import safetensors.torch
import sklearn
import sklearn.linear_model
import sklearn.metrics
import sklearn.neighbors
import sklearn.preprocessing
import sklearn.svm
import torch
from torch import nn

NEIGHBOURS, TEMPERATURE, PENALTY = 20, 0.07, 10.0
SHOTS, DRAWS = 3, 4
COST, SEPARATED = 0.3, 120
SAMPLES, TOKENS, WIDTH, HEADS, CLASSES, BATCH = 48, 5, 12, 3, 4, 16
RATES, DECAY = [0.01, 0.02, 0.02, 0.01, 0.005, 0.002], 0.05
BINS = 15


class AttentionPoolingClassifier(nn.Module):
    """AIM's attentive probe: BatchNorm without affine, keys and values without bias, one learned query, no projection behind it."""

    def __init__(self) -> None:
        super().__init__()
        self.bn = nn.BatchNorm1d(WIDTH, affine=False, eps=1e-6)
        self.query = nn.Parameter(torch.randn(WIDTH) * 0.02)
        self.key = nn.Linear(WIDTH, WIDTH, bias=False)
        self.value = nn.Linear(WIDTH, WIDTH, bias=False)
        self.linear = nn.Linear(WIDTH, CLASSES)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        batch = x.shape[0]
        x = self.bn(x.transpose(1, 2)).transpose(1, 2)
        split = lambda t: t.reshape(batch, -1, HEADS, WIDTH // HEADS).transpose(1, 2)  # noqa: E731
        query = split(self.query.expand(batch, 1, WIDTH))
        taken = nn.functional.scaled_dot_product_attention(query, split(self.key(x)), split(self.value(x)))
        return self.linear(taken.transpose(1, 2).reshape(batch, WIDTH))


def attentive() -> dict[str, torch.Tensor]:
    torch.manual_seed(3)
    torch.set_default_dtype(torch.float64)
    tokens = torch.randn(SAMPLES, TOKENS, WIDTH, dtype=torch.float32)
    labels = torch.randint(CLASSES, (SAMPLES,))
    # One token of each sample tells its class.
    tokens[torch.arange(SAMPLES), torch.randint(TOKENS, (SAMPLES,)), labels] += 3
    model = AttentionPoolingClassifier()
    nn.init.zeros_(model.linear.bias)
    names = {"query": model.query, "key": model.key.weight, "value": model.value.weight, "weight": model.linear.weight, "bias": model.linear.bias}
    kept = {f"start/{name}": p.detach().clone() for name, p in names.items()}
    matrices = [p for p in names.values() if p.ndim > 1]
    rest = [p for p in names.values() if p.ndim == 1]
    optimizer = torch.optim.AdamW([{"params": matrices, "weight_decay": DECAY}, {"params": rest, "weight_decay": 0.0}])
    losses = []
    for step, rate in enumerate(RATES):
        for group in optimizer.param_groups:
            group["lr"] = rate
        chosen = slice((step * BATCH) % SAMPLES, (step * BATCH) % SAMPLES + BATCH)
        loss = nn.functional.cross_entropy(model(tokens[chosen].double()), labels[chosen])
        losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    model.eval()
    with torch.no_grad():
        scores = model(tokens.double())
    kept |= {f"end/{name}": p.detach().clone() for name, p in names.items()}
    kept |= {"tokens": tokens, "labels": labels.int(), "losses": torch.tensor(losses), "scores": scores}
    return {f"attentive/{name}": value for name, value in kept.items()}


def calibration_error(shares: np.ndarray, labels: np.ndarray) -> float:
    sure, named = shares.max(axis=1), shares.argmax(axis=1)
    edges, error = np.linspace(0, 1, BINS + 1), 0.0
    for low, high in zip(edges[:-1], edges[1:], strict=True):
        inside = (sure > low) & (sure <= high)
        if inside.any():
            error += abs(sure[inside].mean() - (named == labels)[inside].mean()) * inside.mean()
    return float(error)


def measures(scores: np.ndarray, labels: np.ndarray) -> dict:
    shares = np.exp(scores - scores.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    named, every = scores.argmax(axis=1), np.arange(scores.shape[1])
    wanted = np.eye(len(every))[labels]
    return {
        "top1": float(sklearn.metrics.accuracy_score(labels, named)),
        "top5": float(sklearn.metrics.top_k_accuracy_score(labels, scores, k=5)),
        "macro_f1": float(sklearn.metrics.f1_score(labels, named, average="macro")),
        "auroc": float(sklearn.metrics.roc_auc_score(labels, shares, multi_class="ovr", average="macro")),
        "mean_average_precision": float(sklearn.metrics.average_precision_score(wanted, shares, average="macro")),
        "calibration_error": calibration_error(shares, labels),
        "recall": sklearn.metrics.recall_score(labels, named, average=None).tolist(),
        "precision": sklearn.metrics.precision_score(labels, named, average=None, zero_division=0).tolist(),
        "confusion": sklearn.metrics.confusion_matrix(labels, named).tolist(),
    }


def ranked(decisions: np.ndarray, labels: np.ndarray) -> dict:
    """Of what was fitted for each class against all others: measures of each class by itself, then their means."""
    wanted = np.eye(decisions.shape[1])[labels]
    return {
        "auroc": float(np.mean([sklearn.metrics.roc_auc_score(labels == k, decisions[:, k]) for k in range(decisions.shape[1])])),
        "mean_average_precision": float(sklearn.metrics.average_precision_score(wanted, decisions, average="macro")),
    }


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
    data = safetensors.torch.load_file(folder / "probes.safetensors")
    x, y, x_test, y_test = (data[name].numpy() for name in ("train/values", "train/labels", "test/values", "test/labels"))
    x, x_test = x.astype(np.float64), x_test.astype(np.float64)
    knn = sklearn.neighbors.KNeighborsClassifier(NEIGHBOURS, metric="cosine", weights=lambda d: np.exp((1 - d) / TEMPERATURE))

    def ridge(rows: np.ndarray) -> tuple[float, np.ndarray]:
        scale = sklearn.preprocessing.StandardScaler().fit(x[rows])
        fitted = sklearn.linear_model.RidgeClassifier(alpha=PENALTY).fit(scale.transform(x[rows]), y[rows])
        return float(fitted.score(scale.transform(x_test), y_test)), fitted.decision_function(scale.transform(x_test))

    random = np.random.default_rng(5)
    draws = [np.concatenate([random.choice(np.flatnonzero(y == k), SHOTS, replace=False) for k in np.unique(y)]) for _ in range(DRAWS)]
    scores = data["linear/sgd/scores"].numpy()
    # The first samples: few enough to be separated exactly.
    machine = sklearn.svm.LinearSVC(C=COST, tol=1e-10, max_iter=1_000_000).fit(x[:SEPARATED], y[:SEPARATED])
    assert len(machine.classes_) == len(np.unique(y))
    top1, decisions = ridge(np.arange(len(x)))
    tensors = attentive()
    tensors |= {"svm/weight": torch.from_numpy(machine.coef_), "svm/bias": torch.from_numpy(machine.intercept_)}
    tensors["few_shot/rows"] = torch.from_numpy(np.stack(draws).astype(np.int32))
    header = {
        "knn": float(knn.fit(x, y).score(x_test, y_test)),
        "ridge": {"penalty": PENALTY, "top1": top1, **ranked(decisions, y_test)},
        "svm": {"c": COST, "samples": SEPARATED, "top1": float(machine.score(x_test, y_test)), **ranked(machine.decision_function(x_test), y_test)},
        "few_shot": {"shots": SHOTS, "top1": [ridge(rows)[0] for rows in draws]},
        "measures": measures(scores, y_test),
        "attentive": {"heads": HEADS, "classes": CLASSES, "batch": BATCH, "rates": RATES, "decay": DECAY},
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__.split("+")[0],
            "numpy": np.__version__,
            "scikit-learn": sklearn.__version__,
        },
    }
    stored = {name: value.contiguous() for name, value in tensors.items()}
    safetensors.torch.save_file(stored, folder / "judging.safetensors")
    (folder / "judging.json").write_text(json.dumps(header, indent=2) + "\n")
    print(json.dumps(header["measures"]), header["knn"], header["ridge"], header["few_shot"])


if __name__ == "__main__":
    main()
