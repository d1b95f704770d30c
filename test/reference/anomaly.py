"""Writes anomaly.json: areas under ROC curves by scikit-learn, whole and up to a share of false alarms, and scores smoothed as AED-MAE's code does.

Usage: python anomaly.py [file to write]
"""

import json
import sys
from pathlib import Path

import numpy as np
import sklearn
from sklearn.metrics import roc_auc_score


def gaussian(support: np.ndarray, sigma: float) -> np.ndarray:
    """As utilities of AED-MAE's evaluation: the top is one place left of the middle of an odd number of taps."""
    mu = support[len(support) // 2 - 1]
    return 1.0 / (sigma * np.sqrt(2 * np.pi)) * np.exp(-0.5 * ((support - mu) / sigma) ** 2)


def smooth(scores: np.ndarray, taps: int, sigma: float) -> np.ndarray:
    kernel = gaussian(np.arange(1, taps + 1), sigma)
    pad = np.zeros(taps // 2)
    return np.correlate(np.concatenate((pad, scores, pad)), kernel, "valid")


def main() -> None:
    out = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "anomaly.json"
    random = np.random.default_rng(5)
    records = []
    for length, odd in ((40, (10, 25)), (31, (0, 4)), (50, None), (23, (20, 23))):
        labels = np.zeros(length, dtype=int)
        if odd:
            labels[odd[0] : odd[1]] = 1
        # Rounded, so that some scores are equal.
        scores = np.round(random.gamma(2.0, 0.1, length) + 0.12 * labels, 2)
        records.append((scores, labels))
    taps, sigma, fpr = 9, 2.5, 0.1
    smoothed = [smooth(scores, taps, sigma) for scores, _ in records]

    def areas(all_scores: list[np.ndarray]) -> dict:
        scores, labels = np.concatenate(all_scores), np.concatenate([own for _, own in records])
        # A usual frame of score 0 and an odd one of score 1 beside those of each video.
        ends = [(np.concatenate(([0], s, [1])), np.concatenate(([0], own, [1]))) for s, (_, own) in zip(all_scores, records)]
        return {
            "auc": roc_auc_score(labels, scores),
            "pauc": roc_auc_score(labels, scores, max_fpr=fpr),
            "macro_auc": float(np.mean([roc_auc_score(own, s) for s, own in ends])),
            "macro_pauc": float(np.mean([roc_auc_score(own, s, max_fpr=fpr) for s, own in ends])),
        }

    # Machines: one score for each sound, areas by machine, as the tasks of DCASE have them.
    machines = []
    for name in ("id_00", "id_02"):
        labels = (random.random(30) < 0.5).astype(int)
        machines.append({"name": name, "scores": list(np.round(random.normal(labels * 0.8, 1.0), 1)), "odd": labels.tolist()})
    by_machine = [(roc_auc_score(m["odd"], m["scores"]), roc_auc_score(m["odd"], m["scores"], max_fpr=fpr)) for m in machines]
    flat = np.array(by_machine).ravel()
    document = {
        "taps": taps,
        "sigma": sigma,
        "fpr": fpr,
        "records": [{"scores": s.tolist(), "odd": own.tolist()} for s, own in records],
        "plain": areas([s for s, _ in records]),
        "smoothed": areas(smoothed),
        "smoothedScores": [s.tolist() for s in smoothed],
        "machines": machines,
        "ofMachines": {
            "macro_auc": float(np.mean([a for a, _ in by_machine])),
            "macro_pauc": float(np.mean([p for _, p in by_machine])),
            "harmonic_mean": float(len(flat) / np.sum(1 / flat)),
        },
        "versions": {"numpy": np.__version__, "scikit-learn": sklearn.__version__},
    }
    out.write_text(json.dumps(document, indent=1) + "\n")


if __name__ == "__main__":
    main()
