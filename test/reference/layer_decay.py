"""Writes the learning-rate scale and the weight decay of every weight of a ViT that is fine-tuned, as `param_groups_lrd` of official MAE is
described: cls_token, pos_embed and patch_embed are layer 0, blocks.j is layer j + 1, everything else is layer depth + 1; the scale is
decay ** (depth + 1 - layer). Vectors, cls_token and pos_embed do not decay. timm's model gives the names; no code of MAE is used.

Usage: python layer_decay.py [folder]
"""

import json
import sys
from pathlib import Path

import timm
import torch
from timm.models.vision_transformer import VisionTransformer

DEPTH, DECAY, WEIGHT_DECAY = 4, 0.65, 0.05


def layer_of(name: str) -> int:
    if name in ("cls_token", "pos_embed") or name.startswith("patch_embed"):
        return 0
    if name.startswith("blocks"):
        return int(name.split(".")[1]) + 1
    return DEPTH + 1


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent)
    model = VisionTransformer(
        img_size=16, patch_size=8, embed_dim=24, depth=DEPTH, num_heads=3, num_classes=5, global_pool="token"
    )
    groups = {
        name: {
            "scale": DECAY ** (DEPTH + 1 - layer_of(name)),
            "weight_decay": 0.0 if p.ndim == 1 or name in ("cls_token", "pos_embed") else WEIGHT_DECAY,
        }
        for name, p in model.named_parameters()
    }
    fixture = {
        "versions": {"torch": torch.__version__, "timm": timm.__version__},
        "decay": DECAY,
        "weight_decay": WEIGHT_DECAY,
        "groups": groups,
    }
    (folder / "layer-decay.json").write_text(json.dumps(fixture, indent=1) + "\n")


main()
