"""Writes the fixture of test/runtime/safetensors.test.ts with the reference implementation of the format.

Run in this folder: python every-type.py (safetensors 0.4 or later, torch 1.13 or later).
"""

import torch
from safetensors.torch import save_file

values = torch.tensor([[0.0, -0.0, 1.0], [-2.5, 65504.0, 6.103515625e-05]])
save_file(
    {
        "float64": values.double(),
        "float32": values,
        "float16": values.half(),
        "bfloat16": torch.tensor([1.0, -3.140625, 2.0**100]).bfloat16(),
        "half.special": torch.tensor([float("inf"), float("-inf"), float("nan"), 2.0**-24]).half(),
        "int64": torch.tensor([2**62, -1]),
        "int32": torch.tensor([[2**31 - 1], [-(2**31)]], dtype=torch.int32),
        "uint8": torch.tensor([0, 255], dtype=torch.uint8),
        "bool": torch.tensor([True, False, True]),
        "scalar": torch.tensor(7.0),
        "empty": torch.zeros(0, 3),
    },
    "every-type.safetensors",
    metadata={"format": "pt", "words": "ünïcode \"quoted\""},
)
