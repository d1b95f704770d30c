"""Loads what `mae export` writes for other libraries, with nothing but those libraries: no key may be missing or unexpected, and each model
computes what it computed before its weights came here and went back. Reads what weights-in.py, weights-in-maps.py and official-maps.py wrote. With
the folder of a clone of microsoft/SimMIM, its Swin loads too. Usage: python exports.py [SIMMIM]
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import timm
import torch
import transformers
from foreign_models import disturbed, module, pixels_of
from safetensors.torch import load_file
from timm.models.vision_transformer import VisionTransformer

here = Path(__file__).parent
root = here.parent.parent
files = ["weights-in", "weights-in-maps", "official-maps"]
cases = {name: case for file in files for name, case in json.loads((here / "foreign" / f"{file}.json").read_text())["cases"].items()}

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

    for name, kind, side in [
        ("convnextv2", "ConvNextV2ForImageClassification", 8), ("convnext", "ConvNextForImageClassification", 8),
        ("swin", "SwinForImageClassification", 16), ("resnet", "ResNetForImageClassification", 16),
    ]:  # fmt: skip
        model = in_transformers(name, kind, cases[name], folder)
        compare(f"transformers, {name}", model(given(cases[name], side, side, 3)).logits, cases[name])
    case = cases["swin-simmim"]
    model = in_transformers("swin-simmim", "SwinForMaskedImageModeling", case, folder)
    seen = torch.tensor(case["order"]).reshape(2, 64)[:, :32]
    hidden = torch.ones(2, 64, dtype=torch.bool).scatter(1, seen, False)
    compare("transformers, swin-simmim", pixels_of(model(given(case, 16, 16, 3), bool_masked_pos=hidden).reconstruction, 2), case)
    # Encoders of masked autoencoders, by the maps that timm makes with the same weights.
    case = cases["official-fcmae"]
    image = given(case, 64, 64, 1).double()
    theirs = in_transformers("official-fcmae", "ConvNextV2Model", case, folder).double()(image).last_hidden_state
    model = timm.create_model(f"local-dir:{exported(case, 'timm', folder)}", pretrained=True).double().eval()
    compare("transformers and timm, official-fcmae", model.forward_features(image), {"output": theirs.flatten().tolist()})
    for name, side in [("timm-convnext", 32), ("timm-convnextv2", 32), ("timm-convnextv2-grey", 32), ("timm-swin", 16), ("timm-swin-windows", 16)]:
        model = timm.create_model(f"local-dir:{exported(cases[name], 'timm', folder)}", pretrained=True).eval()
        compare(f"timm, {name}", model(given(cases[name], side, side, 1 if "grey" in name else 3)), cases[name])
    # timm's ResNet has a stem of 64 features: one that timm made, with one block a stage.
    model = timm.create_model("resnet50", layers=(1, 1, 1, 1), num_classes=5, in_chans=1)
    model = disturbed(model)
    torch.save(model.state_dict(), folder / "resnet.pth")
    text = "edition 2026\nmodel Case {\n  input image(size: 32x32, channels: 1)\n  encoder resnet(depths: (1, 1, 1, 1))\n"
    text += "  head classifier(classes: 5, pool: mean)\n  loss cross_entropy\n}"
    image = torch.rand(2, 1, 32, 32)
    case = {"file": folder / "resnet.pth", "spec": text, "output": model(image).flatten().tolist()}
    there = timm.create_model(f"local-dir:{exported(case, 'timm', folder)}", pretrained=True).eval()
    compare("timm, resnet", there(image), case)
    if len(sys.argv) > 1:
        module("timm.models.layers", **vars(timm.layers))
        sys.path.insert(0, sys.argv[1])
        from models.swin_transformer import SwinTransformer

        case = cases["official-swin"]
        model = SwinTransformer(img_size=32, patch_size=4, embed_dim=8, depths=[2, 2], num_heads=[2, 4], window_size=4, num_classes=5)
        missing, unexpected = model.load_state_dict(load_file(exported(case, "official", folder) / "model.safetensors"), strict=False)
        assert not unexpected and all(name.endswith(("relative_position_index", "attn_mask")) for name in missing), missing
        compare("official, official-swin", model.eval()(given(case, 32, 32, 3)), case)

print(json.dumps({"torch": torch.__version__, "transformers": transformers.__version__, "timm": timm.__version__}))
