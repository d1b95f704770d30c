"""Writes random models of the official repositories of ConvNeXt V2 and SimMIM as their scripts save them, and what these repositories
compute: each with the spec that is the same model here. The repositories are not copied here: clone
facebookresearch/ConvNeXt-V2 and microsoft/SimMIM and name the folders. They were written for older libraries, whose names are
given back to them below. FCMAE computes with a library of sparse convolutions: its weights are declared as that library does, brought to a dense
model by the repository's own function, and computed at visible places by fcmae.py.
Usage: python official-maps.py CONVNEXT_V2 SIMMIM [folder]
"""

import importlib
import sys
from pathlib import Path

import fcmae
import timm
import timm.layers
import torch
from foreign_models import Cases, commit, disturbed, module, noise, pixels_of
from torch import nn

convnext, simmim = (Path(argument).resolve() for argument in sys.argv[1:3])
folder = Path(sys.argv[3] if len(sys.argv) > 3 else Path(__file__).parent) / "foreign"
torch.manual_seed(4)
cases = Cases(folder)


class Sparse(nn.Module):
    """What MinkowskiEngine declares for a convolution: the window, the first axis fastest, then inputs and outputs."""

    def __init__(self, *channels: int, kernel_size: int, bias: bool = True, dimension: int = 2, stride: int = 1) -> None:
        super().__init__()
        self.kernel = nn.Parameter(torch.randn(kernel_size**dimension, *channels) * 0.2)
        self.bias = nn.Parameter(torch.randn(1, channels[-1]) * 0.1)


class SparseLinear(nn.Module):
    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.linear = nn.Linear(inputs, outputs)


def spec(side: int, channels: int, *lines: str) -> str:
    return "\n".join(["edition 2026", "model Case {", f"  input image(size: {side}x{side}, channels: {channels})", *(f"  {line}" for line in lines), "}"])


def keep(name: str, state: dict, text: str, what: str, given: torch.Tensor, output: torch.Tensor, order: torch.Tensor | None = None) -> None:
    torch.save({"model": state, "epoch": 3}, folder / f"{name}.pth")
    more = {} if order is None else {"order": order.flatten().tolist()}
    cases.keep(name, f"{name}.pth", text, what, given, output, **more)


def entered(repository: Path, *names: str) -> list:
    """Modules of a repository; those of the one before are forgotten."""
    for name in [name for name in sys.modules if name.split(".")[0] in ("models", "utils")]:
        del sys.modules[name]
    sys.path.insert(0, str(repository))
    found = [importlib.import_module(name) for name in names]
    sys.path.pop(0)
    return found


module("timm.models.layers", **vars(timm.layers))
module("torch._six", inf=float("inf"))
module("tensorboardX", SummaryWriter=None)
module("MinkowskiOps", to_sparse=None)
module(
    "MinkowskiEngine", MinkowskiConvolution=Sparse, MinkowskiDepthwiseConvolution=Sparse, MinkowskiLinear=SparseLinear, MinkowskiGELU=nn.GELU,
    SparseTensor=None,
)  # fmt: skip


@torch.no_grad()
def write_convnext() -> None:
    official, dense, utils = entered(convnext, "models.fcmae", "models.convnextv2", "utils")
    sizes = dict(depths=[1, 1, 1, 2], dims=[8, 8, 8, 8])
    # Of a whole image, by the dense model of the repository.
    model = disturbed(dense.ConvNeXtV2(in_chans=3, num_classes=5, **sizes))
    image = noise(2, 3, 32, 32)
    encoder = "encoder convnext(depths: (1, 1, 1, 2), widths: (8, 8, 8, 8)%s)"
    text = spec(32, 3, encoder % ", norm: true", "head classifier(classes: 5, pool: mean)", "loss cross_entropy")
    keep("official-convnextv2", model.state_dict(), text, "predict", image, model(image))
    # Of visible places.
    model = disturbed(official.FCMAE(img_size=64, in_chans=1, decoder_embed_dim=8, **sizes))
    image, order = noise(2, 1, 64, 64), torch.tensor([[2, 0, 1, 3], [1, 3, 0, 2]])
    state = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    # Norms of four features make much of what single precision rounds.
    model, image = model.double(), (image.double() * 1e6).round() / 1e6
    remapped = utils.remap_checkpoint_keys(model.state_dict())
    whole = dense.ConvNeXtV2(in_chans=1, num_classes=0, **sizes).double()
    missing, _ = whole.load_state_dict(remapped, strict=False)
    assert missing == ["norm.weight", "norm.bias", "head.weight", "head.bias"], missing
    case = fcmae.Case((64, 64, 1), 0.5, 4, (1, 1, 1, 2), (8, 8, 8, 8), 8)
    flat = {name: (tensor.reshape(-1) if "grn" in name else tensor) for name, tensor in whole.state_dict().items()}
    mask = torch.ones(2, 4).scatter(1, order[:, :2], 0.0)
    maps = torch.stack([fcmae.encode(case, flat, one.movedim(0, -1), hidden == 0)[-1] for one, hidden in zip(image, mask, strict=True)])
    predicted = model.forward_decoder(maps.movedim(-1, 1), mask).flatten(2).transpose(1, 2)
    # What is seen of a whole image is what the dense model sees of it.
    seen = fcmae.encode(case, flat, image[0].movedim(0, -1), torch.ones(4, dtype=torch.bool))[-1].mean(dim=(0, 1))
    known = whole.forward_features(image[:1])[0]
    assert torch.allclose(nn.functional.layer_norm(seen, (8,), eps=1e-6), known, atol=1e-6)
    text = spec(64, 1, "mask random(ratio: 50%)", encoder % "", "decoder convnext_block(width: 8)", "target pixels", "loss mse")
    keep("official-fcmae", state, text, "predict", image, predicted, order)


@torch.no_grad()
def write_swin() -> None:
    swin, official = entered(simmim, "models.swin_transformer", "models.simmim")
    sizes = dict(img_size=32, patch_size=4, embed_dim=8, depths=[2, 2], num_heads=[2, 4], window_size=4)
    stages = "depths: (2, 2), width: 8, heads: (2, 4), window: 4"
    image = noise(2, 3, 32, 32)
    model = disturbed(swin.SwinTransformer(**sizes, num_classes=5))
    text = spec(32, 3, f"encoder swin({stages})", "head classifier(classes: 5, pool: mean_after_norm)", "loss cross_entropy")
    keep("official-swin", model.state_dict(), text, "predict", image, model(image))
    model = disturbed(official.SimMIM(official.SwinTransformerForSimMIM(**sizes, num_classes=0), encoder_stride=8))
    order = torch.stack([torch.randperm(64) for _ in range(2)])
    hidden = torch.ones(2, 64).scatter(1, order[:, :32], 0.0).reshape(2, 8, 8)
    drawn = model.decoder(model.encoder(image, hidden))
    text = spec(32, 3, "mask random(ratio: 50%)", f"encoder swin({stages})", "decoder linear", "target pixels(normalize: none)", "loss l1(on: hidden)")
    keep("official-simmim", model.state_dict(), text, "predict", image, pixels_of(drawn, 4), order)


write_convnext()
write_swin()
cases.write("official-maps.json", {
    "torch": torch.__version__, "timm": timm.__version__,
    **{path.name: commit(path) for path in (convnext, simmim)},
})  # fmt: skip
