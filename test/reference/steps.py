"""Writes steps.json: the losses of every example over its first steps, trained by PyTorch in float64.

What the examples begin with and are fed is recorded first, see README.md. Usage: python steps.py FOLDER [file to write]
"""

import importlib
import json
import sys
from pathlib import Path

import torch
from mae import versions
from stepping import read

# The module that trains an example with all of these blocks.
TOGETHER = [({("input", "text"), ("input", "image")}, "m3ae"), ({("input", "volume"), ("input", "image")}, "mtr")]
# The module that trains an example: that of the first of these blocks in it. Plain masked autoencoders have none of them.
METHODS = [
    ("mask", "latent_guided", "sma-latents"),
    ("mask", "multi_block", "i-jepa"),
    ("loss", "nt_xent", "views"),
    ("decoder", "cross", "views"),
    ("teacher", "ema_autoencoder", "video-mac"),
    ("loss", "view_contrast", "views"),
    ("loss", "queue_contrast", "views"),
    ("loss", "self_distillation", "views"),
    ("latents", "learned", "maetok"),
    ("encoder", "quantized", "mask-vit"),
    ("tokens", "codes", "mask-vit"),
    ("encoder", "resnet", "resnet"),
    ("encoder", "swin", "swin"),
    ("loss", "perceptual", "perceptual"),
    ("loss", "distillation", "dmae"),
    ("target", "given_features", "mask-distill"),
    ("head", "segmentation", "segmentation"),
    ("head", "part_segmentation", "parts"),
    ("head", "displacement", "registration"),
    ("head", "place_values", "segmentation"),
    ("decoder", "convnext_block", "fcmae"),
    ("encoder", "convvit", "convmae"),
    ("decoder", "unet", "spark"),
    ("mask", "dirichlet", "multi-mae"),
    ("loss", "info_nce", "cav-mae"),
    ("input", "points", "point-mae"),
    ("input", "mesh", "mesh-mae"),
    ("positions", "rotary", "rotary"),
    ("input", "text", "bert"),
    ("input", "table", "remasker"),
    ("tokens", "multi_scale", "mv-sstma"),
    ("input", "signal", "maefe"),
    ("input", "volume", "selfmed-mae"),
    ("positions", "separable", "mae-st"),
    ("target", "imitation", "aed-mae"),
    ("input", "video", "video-mae"),
    ("input", "spectrogram", "audio-mae"),
    ("adversary", "patch_discriminator", "gan-mae"),
    ("teacher", "ema", "data2vec"),
    ("target", "regions", "r-mae"),
    ("head", "classifier", "classifier"),
    ("head", "detector", "detector"),
    ("mask", "self_guided", "guided-masks"),
    ("mask", "semantic_parts", "guided-masks"),
    ("mask", "semantic_whole", "guided-masks"),
    ("mask", "class_attention", "guided-masks"),
    ("mask", "attention_guided", "sma"),
    ("target", "hog", "maskfeat"),
    ("target", "low_pass", "low-pass"),
    ("loss", "uniformity", "u-mae"),
    ("decoder", "linear", "maskfeat"),
]


def method_of(case: dict) -> str:
    used = {(line["slot"], line["block"]) for line in case["model"]}
    together = next((module for blocks, module in TOGETHER if blocks <= used), None)
    found = together or next((module for slot, block, module in METHODS if (slot, block) in used), "mae")
    says = {(line["slot"], name): value for line in case["model"] for name, value in line["values"].items()}
    # Of texts, those that a model of several inputs reads too are told from the others.
    if found == "bert" and says.get(("positions", "and")) == "input":
        return "m3ae"
    # Of clips, VideoMAE hides tubes, and OmniMAE knows places in the sequence.
    if found != "video-mae" or says.get(("mask", "along")) == ["row", "column"]:
        return found
    return "omni-mae" if says.get(("positions", "order")) == "flat" else "uvad"


def main() -> None:
    folder = Path(sys.argv[1])
    out = Path(sys.argv[2]) if len(sys.argv) > 2 else Path(__file__).parent / "steps.json"
    torch.set_num_threads(1)
    examples = {}
    for path in sorted(folder.glob("*.json")):
        case, weights, feeds = read(folder, path.stem)
        losses = importlib.import_module(method_of(case)).train(case, weights, feeds)
        assert len(losses) == case["steps"]
        examples[case["name"]] = {"losses": losses}
        print(case["name"], losses[0], losses[-1])
    out.write_text(json.dumps({"examples": examples, "versions": versions()}, indent=1) + "\n")


if __name__ == "__main__":
    main()
