"""Writes the fixture for average precision: made-up objects and detections in images, with crowds, odd outlines and ties, and what
pycocotools says of them; and outlines filled by pycocotools.

Usage: python detection.py [folder]
"""

import contextlib
import io
import json
import platform
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
from pycocotools import mask as masks
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

IMAGES, CLASSES, HEIGHT, WIDTH = 24, 3, 190, 240
NAMES = ("ap", "ap50", "ap75", "ap_small", "ap_medium", "ap_large")


def outline(random: np.random.Generator, x: float, y: float, w: float, h: float) -> list[float]:
    """A star of odd corners inside a box."""
    angles = np.sort(random.uniform(0, 2 * np.pi, random.integers(3, 9)))
    radii = random.uniform(0.4, 1.0, len(angles))
    return [round(float(v), 2) for a, r in zip(angles, radii, strict=True) for v in (x + w / 2 * (1 + r * np.cos(a)), y + h / 2 * (1 + r * np.sin(a)))]


def runs_of(polygons: list[list[float]]) -> dict:
    return masks.merge(masks.frPyObjects(polygons, HEIGHT, WIDTH))


def counts_of(rle: dict) -> list[int]:
    """Lengths of runs down the columns, zeros first."""
    bits = masks.decode(rle).ravel(order="F")
    edges = np.flatnonzero(np.diff(bits)) + 1
    lengths = np.diff(np.concatenate([[0], edges, [len(bits)]])).tolist()
    return [0, *lengths] if bits[0] else lengths


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
    random = np.random.default_rng(11)
    annotations, found = [], []
    for image in range(1, IMAGES + 1):
        for _ in range(random.integers(0, 8)):
            w, h = random.choice([14, 25, 60, 150], 2) * random.uniform(0.7, 1.2, 2)
            x, y = random.uniform(0, WIDTH - w), random.uniform(0, HEIGHT - h)
            polygons = [outline(random, x, y, w, h) for _ in range(random.integers(1, 3))]
            category, crowd = int(random.integers(CLASSES)), int(random.random() < 0.12)
            rle = runs_of(polygons)
            box = [round(float(v), 2) for v in (x, y, w, h)]
            annotations.append(
                {"id": len(annotations) + 1, "image_id": image, "category_id": category + 1, "bbox": box, "area": float(masks.area(rle)),
                 "iscrowd": crowd, "segmentation": polygons if not crowd else {"size": [HEIGHT, WIDTH], "counts": counts_of(rle)}, "outline": polygons}
            )
            for _ in range(random.integers(0, 4)):
                shift = random.normal(scale=random.choice([0.5, 3, 15]), size=2)
                moved = [[round(v + shift[i % 2], 2) for i, v in enumerate(polygon)] for polygon in polygons]
                kind = category if random.random() < 0.85 else int(random.integers(CLASSES))
                # Few different scores, so that there are ties.
                found.append({"image_id": image, "category_id": kind + 1, "score": round(float(random.uniform()), 1),
                              "bbox": [round(float(box[0] + shift[0]), 2), round(float(box[1] + shift[1]), 2), box[2], box[3]], "outline": moved})
    document = {"info": {}, "images": [{"id": i, "height": HEIGHT, "width": WIDTH} for i in range(1, IMAGES + 1)],
                "categories": [{"id": k + 1, "name": str(k)} for k in range(CLASSES)], "annotations": annotations}
    results = {}
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO()
        truth.dataset = document
        truth.createIndex()
        for kind in ("bbox", "segm"):
            given = [{k: v for k, v in one.items() if k in ("image_id", "category_id", "score")}
                     | ({"bbox": one["bbox"]} if kind == "bbox" else {"segmentation": runs_of(one["outline"])}) for one in found]
            judged = COCOeval(truth, truth.loadRes(given), kind)
            judged.evaluate()
            judged.accumulate()
            judged.summarize()
            precision = judged.eval["precision"][:, :, :, 0, 2]
            results[kind] = dict(zip(NAMES, map(float, judged.stats[:6]), strict=True)) | {
                "ar": float(judged.stats[8]),
                "per_class": [float(precision[:, :, k].mean()) for k in range(CLASSES)],
            }
    fixture = {
        "size": {"height": HEIGHT, "width": WIDTH},
        "images": IMAGES,
        "classes": CLASSES,
        "objects": [
            {"image": a["image_id"] - 1, "category": a["category_id"] - 1, "box": a["bbox"], "area": a["area"], "crowd": bool(a["iscrowd"]),
             "polygons": a["outline"], "pixels": float(masks.area(runs_of(a["outline"])))} for a in annotations
        ],
        "found": [{"image": f["image_id"] - 1, "category": f["category_id"] - 1, "score": f["score"], "box": f["bbox"], "polygons": f["outline"]} for f in found],
        # One in full, the others by their areas.
        "runs": counts_of(runs_of(annotations[0]["outline"])),
        "results": results,
        "versions": {"python": platform.python_version(), "pycocotools": version("pycocotools"), "numpy": np.__version__},
    }
    (folder / "detection.json").write_text(json.dumps(fixture) + "\n")
    print(len(annotations), len(found), json.dumps(results))


if __name__ == "__main__":
    main()
