"""Writes random models of the official repositories of MAE, VideoMAE and MAE-ST as their scripts save them, and what these repositories
compute: each with the spec that is the same model here. The repositories are not copied here: clone facebookresearch/mae, MCG-NJU/VideoMAE and
facebookresearch/mae_st and name the folders. They were written for older libraries, whose names are given back to them below.
Usage: python official.py MAE VIDEOMAE MAE_ST [folder]
"""

import importlib
import json
import sys
from functools import partial
from pathlib import Path

import numpy
import timm
import timm.layers
import torch
from foreign_models import commit, disturbed, module, noise
from timm.models import vision_transformer

mae, video_mae, mae_st = (Path(argument).resolve() for argument in sys.argv[1:4])
folder = Path(sys.argv[4] if len(sys.argv) > 4 else Path(__file__).parent) / "foreign"
torch.manual_seed(2)
cases: dict[str, dict] = {}
norm = partial(torch.nn.LayerNorm, eps=1e-6)


numpy.float = float
module("timm.models.layers", **vars(timm.layers))
module("timm.models.registry", register_model=lambda make: make)
for name in ("Block", "DropPath"):
    setattr(vision_transformer, name, getattr(vision_transformer, name, getattr(timm.layers, name, None)))
own_block = vision_transformer.Block
vision_transformer.Block = lambda *args, qk_scale=None, **more: own_block(*args, **more)


def keep(name: str, model: torch.nn.Module, text: str, what: str, given: torch.Tensor, output: torch.Tensor, order: torch.Tensor) -> None:
    torch.save({"model" if name != "official-mae-st" else "model_state": model.state_dict(), "epoch": 3}, folder / f"{name}.pth")
    cases[name] = {
        "file": f"{name}.pth", "spec": text, "what": what, "input": [round(x, 6) for x in given.movedim(1, -1).flatten().tolist()],
        "output": [round(x, 7) for x in output.detach().flatten().tolist()], "order": order.flatten().tolist(),
    }  # fmt: skip


def spec(*lines: str) -> str:
    return "\n".join(["edition 2026", "model Case {", *(f"  {line}" for line in lines), "}"])


def ordered(count: int) -> torch.Tensor:
    return torch.stack([torch.randperm(count) for _ in range(2)])


def hiding(order: torch.Tensor):
    """Both repositories of MAE draw the noise of an order by `torch.rand`: here it is the order's."""
    drawn = order.argsort(dim=1).float() / order.shape[1]
    return lambda *_, **__: drawn


really_random = torch.rand

# MAE.
sys.path.insert(0, str(mae))
model = disturbed(importlib.import_module("models_mae").MaskedAutoencoderViT(
    img_size=12, patch_size=4, in_chans=3, embed_dim=16, depth=2, num_heads=2, decoder_embed_dim=8, decoder_depth=1, decoder_num_heads=2,
    norm_layer=norm,
))  # fmt: skip
image, order = noise(2, 3, 12, 12), ordered(9)
torch.rand = hiding(order)
_, predicted, _ = model(image, mask_ratio=0.75)
torch.rand = really_random
text = spec(
    "input image(size: 12x12, channels: 3)", "tokens patch(size: 4x4)", "mask random(ratio: 75%)", "encoder vit(depth: 2, width: 16, heads: 2)",
    "decoder vit(depth: 1, width: 8, heads: 2)", "target pixels", "loss mse",
)  # fmt: skip
keep("official-mae", model, text, "predict", image, predicted, order)
sys.path.pop(0)
for name in [name for name in sys.modules if name == "util" or name.startswith("util.")]:
    del sys.modules[name]

# VideoMAE: what it predicts of hidden tubelets, in their order.
sys.path.insert(0, str(video_mae))
model = disturbed(importlib.import_module("modeling_pretrain").PretrainVisionTransformer(
    img_size=8, patch_size=4, encoder_embed_dim=12, encoder_depth=2, encoder_num_heads=2, decoder_num_classes=96, decoder_embed_dim=6,
    decoder_depth=1, decoder_num_heads=2, qkv_bias=True, norm_layer=norm,
))  # fmt: skip
video = noise(2, 3, 16, 8, 8)
order = torch.stack([torch.cat([torch.tensor(seen), torch.tensor([i for i in range(32) if i not in seen])]) for seen in (range(1, 32, 4), range(2, 32, 4))])  # fmt: skip
masked = torch.ones(2, 32, dtype=torch.bool).scatter(1, order[:, :8], False)
text = spec(
    "input video(frames: 16, size: 8x8, channels: 3)", "tokens patch(size: 2x4x4)", "positions sin_cos(order: flat)", "mask random(ratio: 75%)",
    "encoder vit(depth: 2, width: 12, heads: 2, class_token: false, key_bias: false)",
    "decoder vit(depth: 1, width: 6, heads: 2, key_bias: false, embed_bias: false)", "target pixels", "loss mse",
)  # fmt: skip
keep("official-video-mae", model, text, "hidden", video, model(video, masked), order)
sys.path.pop(0)

# MAE-ST: its log writer needs packages that have nothing to do with the model.
module("mae_st.util.logging", get_logger=lambda _: None, master_print=print)
sys.path.insert(0, str(mae_st.parent))
assert mae_st.name == "mae_st", "the folder of MAE-ST must have the name of its package"
model = disturbed(importlib.import_module("mae_st.models_mae").MaskedAutoencoderViT(
    img_size=8, patch_size=4, embed_dim=16, depth=2, num_heads=2, decoder_embed_dim=8, decoder_depth=1, decoder_num_heads=2, norm_layer=norm,
    num_frames=8, t_patch_size=4, sep_pos_embed=True, cls_embed=True, pred_t_dim=4,
))  # fmt: skip
video, order = noise(2, 3, 8, 8, 8), ordered(8)
torch.rand = hiding(order)
_, predicted, _ = model(video, mask_ratio=0.75)
torch.rand = really_random
text = spec(
    "input video(frames: 8, size: 8x8, channels: 3)", "tokens patch(size: 4x4x4)", "positions separable", "mask random(ratio: 75%)",
    "encoder vit(depth: 2, width: 16, heads: 2)", "decoder vit(depth: 1, width: 8, heads: 2, class_token: own)", "target pixels(times: 4)", "loss mse",
)  # fmt: skip
keep("official-mae-st", model, text, "predict", video, predicted, order)

versions = {"torch": torch.__version__, "timm": timm.__version__, "numpy": numpy.__version__}
commits = {path.name: commit(path) for path in (mae, video_mae, mae_st)}
json.dump({"versions": versions, "commits": commits, "cases": cases}, (folder / "official.json").open("w"))
