"""Writes resize.json for test/runtime/raster.test.ts: a pattern resized by Pillow.

Run in this folder: python resize.py (Pillow 9 or later, numpy).
"""

import json

import numpy as np
from PIL import Image

height, width = 12, 17
pattern = np.array([(i * i * 7) % 256 for i in range(height * width * 3)], dtype=np.uint8).reshape(height, width, 3)
filters = {"bicubic": Image.BICUBIC, "bilinear": Image.BILINEAR, "nearest": Image.NEAREST}
cases = [
    {"filter": name, "height": h, "width": w, "pixels": np.array(Image.fromarray(pattern).resize((w, h), f)).ravel().tolist()}
    for name, f in filters.items()
    for h, w in [(6, 5), (12, 9), (12, 25), (5, 17), (20, 30), (1, 1)]
]
with open("resize.json", "w") as file:
    json.dump({"height": height, "width": width, "pixels": pattern.ravel().tolist(), "cases": cases}, file)
