"""Writes augmentations.json: a small picture, in colours and grey, changed by timm's RandAugment and by torchvision's ColorJitter, GaussianBlur and
RandomSolarize, each change with what it was told to do instead of drawing it. Pixels are base64 of bytes, channel fastest.

Usage: python augmentations.py [folder]
"""

import base64
import json
import platform
import sys
from pathlib import Path

import numpy as np
import PIL
import timm
import timm.data.auto_augment as auto
import torchvision
import torchvision.transforms.functional as F
from PIL import Image

OPS = {
    "auto_contrast": "AutoContrast",
    "equalize": "Equalize",
    "invert": "Invert",
    "rotate": "Rotate",
    "posterize": "PosterizeIncreasing",
    "solarize": "SolarizeIncreasing",
    "solarize_add": "SolarizeAdd",
    "color": "ColorIncreasing",
    "contrast": "ContrastIncreasing",
    "brightness": "BrightnessIncreasing",
    "sharpness": "SharpnessIncreasing",
    "shear_x": "ShearX",
    "shear_y": "ShearY",
    "translate_x": "TranslateXRel",
    "translate_y": "TranslateYRel",
}
SIGNED = {"rotate", "color", "contrast", "brightness", "sharpness", "shear_x", "shear_y", "translate_x", "translate_y"}
FILL = (124, 116, 104)
GREY_FILL = 114
FILTERS = {"bicubic": Image.BICUBIC, "bilinear": Image.BILINEAR}


def text(image: Image.Image) -> str:
    return base64.b64encode(np.asarray(image).tobytes()).decode()


def changed(image: Image.Image, op: str, magnitude: float, sign: int, resample) -> Image.Image:
    auto._randomly_negate = lambda value: sign * value
    level, apply = auto.LEVEL_TO_ARG[OPS[op]], auto.NAME_TO_OP[OPS[op]]
    args = () if level is None else level(magnitude, {"translate_pct": 0.45})
    return apply(image, *args, fillcolor=FILL if image.mode == "RGB" else GREY_FILL, resample=resample)


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent)
    photograph = Image.open(Path(__file__).parent / "photographs" / "astronaut.png").convert("RGB")
    colours = photograph.resize((40, 40), Image.BICUBIC).crop((6, 3, 26, 20))
    pictures = {"colours": colours, "grey": colours.convert("L")}
    changes = []
    for op in OPS:
        for name, image in pictures.items():
            # Of 10, no bit is kept: Pillow made that black, and now refuses it.
            for magnitude in (4.3, 9.0, 9.9 if op == "posterize" else 10.0) if name == "colours" else (9.0,):
                for sign in (1, -1) if op in SIGNED and magnitude == 9.0 else (1,):
                    for filter in FILTERS if (op, name, sign) == ("rotate", "colours", 1) else ("bicubic",):
                        pixels = text(changed(image, op, magnitude, sign, FILTERS[filter]))
                        changes.append({"change": op, "of": name, "magnitude": magnitude, "sign": sign, "filter": filter, "pixels": pixels})
    jitter = []
    for kind, adjust, factors in (
        ("black", F.adjust_brightness, (0.4, 1.7)),
        ("mean", F.adjust_contrast, (0.3, 1.6)),
        ("grey", F.adjust_saturation, (0.0, 1.9)),
        ("hue", F.adjust_hue, (-0.3, 0.1, 0.5)),
    ):
        for factor in factors:
            for name, image in pictures.items():
                jitter.append({"kind": kind, "of": name, "factor": factor, "pixels": text(adjust(image, factor))})
    blur = [
        {"of": name, "sigma": sigma, "kernel": kernel, "pixels": text(F.gaussian_blur(image, [kernel, kernel], [sigma, sigma]))}
        for name, image in pictures.items()
        for sigma, kernel in ((0.1, 3), (0.9, 5), (2.0, 23))
    ]
    solarize = [
        {"of": name, "threshold": threshold, "pixels": text(F.solarize(image, threshold))}
        for name, image in pictures.items()
        for threshold in (0, 128, 256)
    ]
    versions = {"python": platform.python_version(), "timm": timm.__version__, "pillow": PIL.__version__, "torchvision": torchvision.__version__}
    fixture = {
        "versions": versions,
        "height": colours.height,
        "width": colours.width,
        "pictures": {name: text(image) for name, image in pictures.items()},
        "changes": changes,
        "jitter": jitter,
        "blur": blur,
        "solarize": solarize,
    }
    (folder / "augmentations.json").write_text(json.dumps(fixture, indent=0) + "\n")


if __name__ == "__main__":
    main()
