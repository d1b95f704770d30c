"""Writes regression.json: features with a number of each sample, the errors of scikit-learn's ridge regression, and what it says of the test samples. Usage: python regression.py [folder]"""

import json
import platform
import sys
from pathlib import Path

import numpy as np
import scipy
import sklearn
from scipy.stats import pearsonr
from sklearn.linear_model import Ridge
from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

TRAIN, TEST, WIDTH, PENALTY = 50, 30, 5, 10


def main(folder: Path) -> None:
    random = np.random.default_rng(8)
    x = (random.normal(size=(TRAIN + TEST, WIDTH)) * [1, 20, 0.1, 3, 1] + [0, 100, 0, 5, 2]).astype(np.float32)
    x[:, 4] = 2
    y = 40 + x.astype(np.float64) @ [3, 0.2, 9, -1, 0] + random.normal(size=TRAIN + TEST)
    model = make_pipeline(StandardScaler(), Ridge(alpha=PENALTY)).fit(x[:TRAIN].astype(np.float64), y[:TRAIN])
    said = model.predict(x[TRAIN:].astype(np.float64))
    found = {
        "width": WIDTH,
        "penalty": PENALTY,
        "train": {"values": x[:TRAIN].flatten().tolist(), "targets": y[:TRAIN].tolist()},
        "test": {"values": x[TRAIN:].flatten().tolist(), "targets": y[TRAIN:].tolist()},
        "scores": {
            "rmse": root_mean_squared_error(y[TRAIN:], said),
            "mean_absolute": mean_absolute_error(y[TRAIN:], said),
            "r2": r2_score(y[TRAIN:], said),
            "pearson": pearsonr(y[TRAIN:], said).statistic,
        },
        "said": said.tolist(),
        "versions": {"python": platform.python_version(), "numpy": np.__version__, "scikit-learn": sklearn.__version__, "scipy": scipy.__version__},
    }
    (folder / "regression.json").write_text(json.dumps(found) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent))
