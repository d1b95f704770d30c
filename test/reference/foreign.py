"""Writes files of weights as others save them, and what their models make of an image: ViTMAE and ViT of transformers, the vision
transformer of timm, and a state_dict in every form that torch.save has had. Usage: python foreign.py [folder]
"""

import json
import sys
from argparse import Namespace
from collections import OrderedDict
from pathlib import Path

import numpy
import timm
import torch
import transformers
from foreign_models import disturbed, rectangle_of
from safetensors.torch import save_file
from timm.models.vision_transformer import VisionTransformer
from transformers import ViTMAEConfig, ViTMAEForPreTraining

folder = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent) / "foreign"
folder.mkdir(exist_ok=True)
torch.manual_seed(0)


image = torch.rand(2, 3, 16, 16)

# ViTMAE: what the encoder makes of all patches in their order.
config = ViTMAEConfig(
    hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64, image_size=16, patch_size=4, mask_ratio=0.75,
    decoder_hidden_size=8, decoder_num_hidden_layers=1, decoder_num_attention_heads=2, decoder_intermediate_size=32, layer_norm_eps=1e-6,
)
vitmae = disturbed(ViTMAEForPreTraining(config))
# A model that is made and not loaded has zeros there.
for table in [vitmae.vit.embeddings.position_embeddings, vitmae.decoder.decoder_pos_embed]:
    table.data.copy_(rectangle_of(table.shape[-1], 4, 4))
vitmae.vit.config.mask_ratio = 0.0
vitmae.vit.embeddings.config.mask_ratio = 0.0
with torch.no_grad():
    encoded = vitmae.vit(image, noise=torch.arange(16.0).repeat(2, 1)).last_hidden_state
vitmae.save_pretrained(folder / "saved", safe_serialization=True)
(folder / "saved" / "model.safetensors").rename(folder / "vitmae.safetensors")
for left in (folder / "saved").iterdir():
    left.unlink()
(folder / "saved").rmdir()

# timm's, with positions for a grid of 6x6, in the format before archives.
vit = disturbed(VisionTransformer(img_size=24, patch_size=4, embed_dim=16, depth=1, num_heads=2, num_classes=3))
torch.save(vit.state_dict(), folder / "timm-old.pth", _use_new_zipfile_serialization=False)

# A training checkpoint as scripts keep it: shared, transposed and 16-bit weights, an optimizer, arguments.
base = torch.arange(24, dtype=torch.float32).reshape(4, 6)
torch.save(
    {
        "model": OrderedDict(
            plain=base, turned=base.T, part=base[1:3, ::2], half=base.half(), brain=base.bfloat16(), whole=torch.arange(3),
            parameter=torch.nn.Parameter(base[:2]), empty=torch.zeros(0, 3), scalar=torch.tensor(5.0),
        ),
        "optimizer": {"state": {0: {"exp_avg": base}}, "param_groups": [{"lr": 0.1, "params": [0]}]},
        "epoch": 3,
        "args": Namespace(lr=0.1, name="run"),
    },
    folder / "training.pth",
)


class Harmful:
    def __reduce__(self):
        return (Path.touch, (Path("harmed"),))


torch.save({"model": {"weight": base, "harm": Harmful()}}, folder / "harmful.pth")

json.dump(
    {
        "versions": {"torch": torch.__version__, "transformers": transformers.__version__, "timm": timm.__version__, "numpy": numpy.__version__},
        "image": image.permute(0, 2, 3, 1).flatten().tolist(),
        "vitmae": encoded.flatten().tolist(),
    },
    (folder / "foreign.json").open("w"),
)
