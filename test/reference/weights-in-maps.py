"""Writes random ConvNeXt, Swin and ResNet of several sizes as transformers and timm save them, and what they compute: each with the spec that
is the same model here. Usage: python weights-in-maps.py [folder]
"""

import sys
from pathlib import Path

import timm
import torch
import transformers
from foreign_models import Cases, disturbed, noise, pixels_of
from safetensors.torch import save_file
from timm.models import adapt_input_conv
from timm.models.convnext import ConvNeXt
from timm.models.resnet import Bottleneck, ResNet
from timm.models.swin_transformer import SwinTransformer
from torch import nn
from transformers import (
    ConvNextConfig,
    ConvNextForImageClassification,
    ConvNextV2Config,
    ConvNextV2ForImageClassification,
    ResNetConfig,
    ResNetForImageClassification,
    SwinConfig,
    SwinForImageClassification,
    SwinForMaskedImageModeling,
)

folder = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent) / "foreign"
torch.manual_seed(3)
cases = Cases(folder)


def spec(side: int, channels: int, *lines: str) -> str:
    return "\n".join(["edition 2026", "model Case {", f"  input image(size: {side}x{side}, channels: {channels})", *(f"  {line}" for line in lines), "}"])


def classifier(side: int, encoder: str, channels: int = 3) -> str:
    pool = "mean_after_norm" if encoder.startswith("swin") else "mean"
    return spec(side, channels, f"encoder {encoder}", f"head classifier(classes: 5, pool: {pool})", "loss cross_entropy")


def known(model: nn.Module) -> nn.Module:
    """Norms that have seen batches."""
    model = disturbed(model)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(std=0.2)
            module.running_var.uniform_(0.5, 2)
            module.num_batches_tracked.fill_(7)
    return model


@torch.no_grad()
def write() -> None:
    image = noise(2, 3, 8, 8)
    # ConvNeXt V2 and ConvNeXt of two stages.
    common = dict(num_channels=3, patch_size=2, num_stages=2, hidden_sizes=[8, 12], depths=[1, 2], num_labels=5)
    model = disturbed(ConvNextV2ForImageClassification(ConvNextV2Config(**common)))
    text = classifier(8, "convnext(depths: (1, 2), widths: (8, 12), stem: 2, norm: true, norm_epsilon: 1e-12)")
    cases.keep("convnextv2", cases.saved(model, "convnextv2.safetensors"), text, "predict", image, model(image).logits)
    model = disturbed(ConvNextForImageClassification(ConvNextConfig(**common, layer_norm_eps=1e-6, layer_scale_init_value=0.5)))
    text = classifier(8, "convnext(depths: (1, 2), widths: (8, 12), stem: 2, version: 1, norm: true)")
    cases.keep("convnext", cases.saved(model, "convnext.safetensors"), text, "predict", image, model(image).logits)

    # timm's have four stages; the perceptrons of one are written as convolutions.
    image = noise(2, 3, 32, 32)
    sizes = dict(depths=(1, 1, 2, 1), dims=(4, 4, 8, 8), num_classes=5)
    model = disturbed(ConvNeXt(**sizes, ls_init_value=0.5, conv_mlp=True))
    torch.save({"state_dict": model.state_dict(), "epoch": 3}, folder / "timm-convnext.pth")
    stages = "depths: (1, 1, 2, 1), widths: (4, 4, 8, 8), norm: true"
    cases.keep("timm-convnext", "timm-convnext.pth", classifier(32, f"convnext({stages}, version: 1)"), "predict", image, model(image))
    model = disturbed(ConvNeXt(**sizes, use_grn=True, ls_init_value=None))
    save_file(model.state_dict(), folder / "timm-convnextv2.safetensors")
    cases.keep("timm-convnextv2", "timm-convnextv2.safetensors", classifier(32, f"convnext({stages})"), "predict", image, model(image))
    for name, channels in [("timm-convnextv2-grey", 1), ("timm-convnextv2-five", 5)]:
        other = ConvNeXt(**sizes, use_grn=True, ls_init_value=None, in_chans=channels)
        other.load_state_dict(model.state_dict() | {"stem.0.weight": adapt_input_conv(channels, model.stem[0].weight.data)})
        image = noise(2, channels, 32, 32)
        text = classifier(32, f"convnext({stages})", channels)
        cases.keep(name, "timm-convnextv2.safetensors", text, "predict", image, other.eval()(image), adapt=True)

    # Swin, whose second stage has one window.
    image = noise(2, 3, 16, 16)
    common = dict(image_size=16, patch_size=2, embed_dim=8, depths=[2, 2], num_heads=[2, 4], window_size=4)
    stages = "depths: (2, 2), width: 8, heads: (2, 4), window: 4, stem: 2"
    model = disturbed(SwinForImageClassification(SwinConfig(**common, num_labels=5)))
    text = classifier(16, f"swin({stages})")
    cases.keep("swin", cases.saved(model, "swin.safetensors"), text, "predict", image, model(image).logits)
    # SimMIM, under the names that version 5 has within: what it draws at all cells, of which half are hidden.
    model = disturbed(SwinForMaskedImageModeling(SwinConfig(**common, encoder_stride=4)))
    save_file(model.state_dict(), folder / "swin-simmim.safetensors")
    order = torch.stack([torch.randperm(64) for _ in range(2)])
    hidden = torch.ones(2, 64, dtype=torch.bool).scatter(1, order[:, :32], False)
    drawn = pixels_of(model(image, bool_masked_pos=hidden).reconstruction, 2)
    text = spec(16, 3, "mask random(ratio: 50%)", f"encoder swin({stages})", "decoder linear", "target pixels(normalize: none)", "loss l1(on: hidden)")
    cases.keep("swin-simmim", "swin-simmim.safetensors", text, "predict", image, drawn, order=order.flatten().tolist())

    sizes = dict(patch_size=2, embed_dim=8, depths=(2, 2), num_heads=(2, 4), num_classes=5)
    model = disturbed(SwinTransformer(img_size=16, window_size=4, **sizes))
    torch.save({"model": model.state_dict()}, folder / "timm-swin.pth")
    cases.keep("timm-swin", "timm-swin.pth", text := classifier(16, f"swin({stages})"), "predict", image, model(image))
    # The same with windows of 2 a side, whose tables are brought there as official Swin does.
    other = SwinTransformer(img_size=16, window_size=2, **sizes)
    state = model.state_dict()
    for name, table in state.items():
        if name.endswith("relative_position_bias_table"):
            grid = table.T.reshape(1, -1, 7, 7)
            state[name] = nn.functional.interpolate(grid, size=(3, 3), mode="bicubic").reshape(-1, 9).T.contiguous()
    other.load_state_dict(state)
    cases.keep("timm-swin-windows", "timm-swin.pth", text.replace("window: 4", "window: 2"), "predict", image, other.eval()(image))

    # ResNet.
    model = known(ResNetForImageClassification(ResNetConfig(embedding_size=4, hidden_sizes=[16, 32], depths=[1, 2], num_labels=5)))
    image = noise(2, 3, 16, 16)
    text = classifier(16, "resnet(depths: (1, 2), width: 4)")
    cases.keep("resnet", cases.saved(model, "resnet.safetensors"), text, "predict", image, model(image).logits)
    # timm's has a stem of 64 features, which is made narrower.
    model = ResNet(Bottleneck, (1, 1, 2, 1), num_classes=5, channels=(2, 4, 8, 16))
    model.conv1, model.bn1 = nn.Conv2d(3, 2, 7, stride=2, padding=3, bias=False), nn.BatchNorm2d(2)
    model.layer1[0].conv1, model.layer1[0].downsample[0] = nn.Conv2d(2, 2, 1, bias=False), nn.Conv2d(2, 8, 1, bias=False)
    model = known(model)
    image = noise(2, 3, 32, 32)
    torch.save(model.state_dict(), folder / "timm-resnet.pth")
    text = classifier(32, "resnet(depths: (1, 1, 2, 1), width: 2)")
    cases.keep("timm-resnet", "timm-resnet.pth", text, "predict", image, model(image))


write()
cases.write("weights-in-maps.json", {"torch": torch.__version__, "transformers": transformers.__version__, "timm": timm.__version__})
