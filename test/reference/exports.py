"""Loads what `mae export` writes for other libraries, with nothing but those libraries: no key may be missing or unexpected, and each model
computes what it computed before its weights came here and went back. Reads what weights-in.py wrote. Usage: python exports.py
"""

import json
import subprocess
import tempfile
from pathlib import Path

import timm
import torch
import transformers
from safetensors.torch import load_file
from timm.models.vision_transformer import VisionTransformer

here = Path(__file__).parent
root = here.parent.parent
cases = json.loads((here / "foreign" / "weights-in.json").read_text())["cases"]

RECIPE = """
recipe Any for Case {
  data      folder("images")
  batch     1
  steps     1
  optimizer adamw(lr: 1e-3)
  schedule  constant
}
"""


def mae(*args: object) -> str:
    done = subprocess.run(["node", root / "dist" / "cli.js", *map(str, args)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def exported(case: dict, library: str, folder: Path) -> Path:
    spec = folder / "case.mae"
    spec.write_text(case["spec"] + RECIPE)
    more = [*(["--fresh", ",".join(case["fresh"])] if "fresh" in case else []), *(["--adapt", "channels"] if "adapt" in case else [])]
    mae("import", here / "foreign" / case["file"], spec, *more, "-o", folder / "case.safetensors", "--force")
    mae("export", folder / "case.safetensors", "--to", library, "-o", folder / library, "--force")
    return folder / library


def given(case: dict, *shape: int) -> torch.Tensor:
    """With the channels where these libraries have them."""
    values = torch.tensor(case["input"]).reshape(2, *shape)
    return values.movedim(-1, 2 if len(shape) == 4 else 1)


def compare(name: str, output: torch.Tensor, case: dict) -> None:
    worst = (output.flatten() - torch.tensor(case["output"])).abs().max().item()
    assert worst < 1e-5, (name, worst)
    print(f"{name}: {worst:.1e}")


def in_transformers(name: str, kind: str, case: dict, folder: Path):
    model, info = getattr(transformers, kind).from_pretrained(exported(case, "huggingface", folder), output_loading_info=True)
    assert not info["missing_keys"] and not info["unexpected_keys"] and not info["mismatched_keys"], (name, info)
    processor = json.loads((folder / "huggingface" / "preprocessor_config.json").read_text())
    assert hasattr(transformers, processor["image_processor_type"]), processor
    return model.eval()


with tempfile.TemporaryDirectory() as scratch, torch.no_grad():
    folder = Path(scratch)
    for name, shape in [("vitmae-small", (8, 8, 3)), ("vitmae-deep", (12, 12, 1))]:
        case = cases[name]
        model = in_transformers(name, "ViTMAEForPreTraining", case, folder)
        order = torch.tensor(case["order"]).reshape(2, -1)
        compare(f"transformers, {name}", model(given(case, *shape), noise=order.argsort(dim=1).float()).logits, case)
    case = cases["vit-classifier"]
    model = in_transformers("vit-classifier", "ViTForImageClassification", case, folder)
    compare("transformers, vit-classifier", model(given(case, 8, 8, 3)).logits, case)
    case = cases["videomae"]
    model = in_transformers("videomae", "VideoMAEForPreTraining", case, folder)
    # As in weights-in.py: this one norm of theirs does not follow the configuration.
    model.decoder.norm.eps = model.config.layer_norm_eps
    seen = torch.tensor(case["order"]).reshape(2, 8)[:, :2]
    masked = torch.ones(2, 8, dtype=torch.bool).scatter(1, seen, False)
    compare("transformers, videomae", model(given(case, 4, 8, 8, 3), masked).logits, case)
    case = cases["videomae-classifier"]
    model = in_transformers("videomae-classifier", "VideoMAEForVideoClassification", case, folder)
    compare("transformers, videomae-classifier", model(given(case, 4, 8, 8, 3)).logits, case)

    for name, channels in [("timm-token", 3), ("timm-mean", 3), ("timm-grey", 1), ("timm-five", 5)]:
        place = exported(cases[name], "timm", folder)
        model = timm.create_model(f"local-dir:{place}", pretrained=True).eval()
        compare(f"timm, {name}", model(given(cases[name], 8, 8, channels)), cases[name])
        config = json.loads((place / "config.json").read_text())
        sized = config["model_args"] | {"num_classes": 5}
        model = timm.create_model("vit_base_patch16_224", checkpoint_path=place / "model.safetensors", **sized).eval()
        compare(f"timm by checkpoint_path, {name}", model(given(cases[name], 8, 8, channels)), cases[name])
    case = cases["audio-mae"]
    model = timm.create_model(f"local-dir:{exported(case, 'timm', folder)}", pretrained=True).eval()
    compare("timm, audio-mae", model.forward_features(given(case, 16, 8, 1)), case)

    # The official repository's fine-tuning model is timm's with the mean of the patches; its names are these.
    place = exported(cases["timm-mean"], "official", folder)
    model = VisionTransformer(img_size=8, patch_size=4, embed_dim=8, depth=2, num_heads=2, num_classes=5, global_pool="avg")
    model.load_state_dict(load_file(place / "model.safetensors"), strict=True)
    compare("official, timm-mean", model.eval()(given(cases["timm-mean"], 8, 8, 3)), cases["timm-mean"])

print(json.dumps({"torch": torch.__version__, "transformers": transformers.__version__, "timm": timm.__version__}))
