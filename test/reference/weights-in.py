"""Writes random models of several sizes as transformers and timm save them, and what they compute: each with the spec that is the same
model here. Usage: python weights-in.py [folder]
"""

import sys
from pathlib import Path

# Its build may belong to another PyTorch; nothing here needs it.
sys.modules["torchaudio"] = None

import timm
import torch
import transformers
from foreign_models import Cases, disturbed, noise, rectangle_of
from safetensors.torch import save_file
from timm.models import adapt_input_conv
from timm.models.vision_transformer import VisionTransformer
from transformers import (
    ASTConfig,
    ASTForAudioClassification,
    BertConfig,
    BertForMaskedLM,
    VideoMAEConfig,
    VideoMAEForPreTraining,
    VideoMAEForVideoClassification,
    ViTConfig,
    ViTForImageClassification,
    ViTMAEConfig,
    ViTMAEForPreTraining,
)

folder = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent) / "foreign"
torch.manual_seed(1)
cases = Cases(folder)


def spec(input: str, patch: str, *lines: str) -> str:
    return "\n".join(["edition 2026", "model Case {", f"  input {input}", f"  tokens patch(size: {patch})", *(f"  {line}" for line in lines), "}"])


def encoder(depth: int, width: int, heads: int, *more: str) -> str:
    return f"encoder vit({', '.join([f'depth: {depth}', f'width: {width}', f'heads: {heads}', *more])})"


def decoder(depth: int, width: int, heads: int, *more: str) -> str:
    return encoder(depth, width, heads, *more).replace("encoder", "decoder")


# ViTMAE, whole: what it predicts of an image of which four patches are seen.
for name, side, patch, (depth, width, heads), channels, eps in [
    ("vitmae-small", 8, 2, (2, 8, 2), 3, 1e-6),
    ("vitmae-deep", 12, 4, (3, 12, 3), 1, 1e-12),
]:
    grid = side // patch
    config = ViTMAEConfig(
        hidden_size=width, num_hidden_layers=depth, num_attention_heads=heads, intermediate_size=4 * width, image_size=side,
        patch_size=patch, num_channels=channels, decoder_hidden_size=8, decoder_num_hidden_layers=2, decoder_num_attention_heads=2,
        decoder_intermediate_size=32, layer_norm_eps=eps, mask_ratio=1 - 4 / grid**2,
    )  # fmt: skip
    model = disturbed(ViTMAEForPreTraining(config))
    for table in [model.vit.embeddings.position_embeddings, model.decoder.decoder_pos_embed]:
        table.data.copy_(rectangle_of(table.shape[-1], grid, grid))
    image = noise(2, channels, side, side)
    order = torch.stack([torch.randperm(grid**2) for _ in range(2)])
    with torch.no_grad():
        logits = model(image, noise=order.argsort(dim=1).float()).logits
    epsilon = f"norm_epsilon: {eps:g}"
    text = spec(
        f"image(size: {side}x{side}, channels: {channels})", f"{patch}x{patch}", f"mask random(ratio: {100 * (1 - 4 / grid**2)}%)",
        encoder(depth, width, heads, epsilon), decoder(2, 8, 2, epsilon), "target pixels", "loss mse",
    )  # fmt: skip
    cases.keep(name, cases.saved(model, f"{name}.safetensors"), text, "predict", image, logits, order=order.flatten().tolist())

# Classifiers: of the class token, of the mean of the patches.
model = disturbed(ViTForImageClassification(ViTConfig(
    hidden_size=12, num_hidden_layers=2, num_attention_heads=2, intermediate_size=48, image_size=8, patch_size=4, num_labels=5,
)))  # fmt: skip
image = noise(2, 3, 8, 8)
head = ["head classifier(classes: 5, pool: class_token)", "loss cross_entropy"]
text = spec("image(size: 8x8, channels: 3)", "4x4", "positions learned", encoder(2, 12, 2, "norm_epsilon: 1e-12"), *head)
cases.keep("vit-classifier", cases.saved(model, "vit-classifier.safetensors"), text, "predict", image, model(image).logits)

for name, pool, ours in [("timm-token", "token", "class_token"), ("timm-mean", "avg", "mean")]:
    model = disturbed(VisionTransformer(img_size=8, patch_size=4, embed_dim=8, depth=2, num_heads=2, num_classes=5, global_pool=pool))
    torch.save({"model": model.state_dict(), "epoch": 3}, folder / f"{name}.pth")
    text = spec("image(size: 8x8, channels: 3)", "4x4", "positions learned", encoder(2, 8, 2), f"head classifier(classes: 5, pool: {ours})", "loss cross_entropy")  # fmt: skip
    cases.keep(name, f"{name}.pth", text, "predict", image, model(image))

# The same with other channels, adapted as timm does.
weight = model.patch_embed.proj.weight.data
for name, channels in [("timm-grey", 1), ("timm-five", 5)]:
    other = VisionTransformer(img_size=8, patch_size=4, embed_dim=8, depth=2, num_heads=2, num_classes=5, global_pool="avg", in_chans=channels)
    state = model.state_dict() | {"patch_embed.proj.weight": adapt_input_conv(channels, weight)}
    other.load_state_dict(state)
    image = noise(2, channels, 8, 8)
    cases.keep(name, "timm-mean.pth", text.replace("channels: 3", f"channels: {channels}"), "predict", image, other.eval()(image), adapt=True)

# The encoder of Audio-MAE: a spectrogram of frames and bands, with a fixed table for a rectangle.
model = disturbed(VisionTransformer(img_size=(16, 8), patch_size=4, in_chans=1, embed_dim=8, depth=2, num_heads=2, num_classes=0, global_pool=""))
model.pos_embed.data.copy_(rectangle_of(8, 4, 2))
sound = noise(2, 1, 16, 8)
torch.save({"model": model.state_dict()}, folder / "audio-mae.pth")
lines = ["mask random(ratio: 75%)", encoder(2, 8, 2), decoder(1, 8, 2), "target pixels", "loss mse"]
text = spec("spectrogram(frames: 16, mels: 8, rate: 16 kHz)", "4x4", *lines)
cases.keep("audio-mae", "audio-mae.pth", text, "features", sound, model.forward_features(sound), fresh=["decoder"])

# VideoMAE: what it predicts of hidden tubelets, in their order, and a classifier.
common = dict(
    hidden_size=12, num_hidden_layers=2, num_attention_heads=2, intermediate_size=48, image_size=8, patch_size=4, num_frames=4, tubelet_size=2,
)  # fmt: skip
video = noise(2, 4, 3, 8, 8)
model = disturbed(VideoMAEForPreTraining(VideoMAEConfig(
    **common, decoder_hidden_size=6, decoder_num_hidden_layers=1, decoder_num_attention_heads=2, decoder_intermediate_size=24, norm_pix_loss=False,
    use_mean_pooling=False,
)))  # fmt: skip
# Theirs leaves the decoder's last norm with the default of PyTorch, 1e-5, whatever the configuration says: here it is as the others.
model.decoder.norm.eps = model.config.layer_norm_eps
order = torch.stack([torch.cat([torch.tensor(seen), torch.tensor([i for i in range(8) if i not in seen])]) for seen in ([1, 5], [0, 6])])
masked = torch.ones(2, 8, dtype=torch.bool).scatter(1, order[:, :2], False)
clip = "video(frames: 4, size: 8x8, channels: 3)"
trunk = encoder(2, 12, 2, "class_token: false", "key_bias: false", "norm_epsilon: 1e-12")
text = spec(
    clip, "2x4x4", "positions sin_cos(order: flat)", "mask random(ratio: 75%)", trunk,
    decoder(1, 6, 2, "key_bias: false", "embed_bias: false", "norm_epsilon: 1e-12"), "target pixels", "loss mse",
)  # fmt: skip
cases.keep("videomae", cases.saved(model, "videomae.safetensors"), text, "hidden", video, model(video, masked).logits, order=order.flatten().tolist())
model = disturbed(VideoMAEForVideoClassification(VideoMAEConfig(**common, num_labels=3)))
text = spec(clip, "2x4x4", "positions sin_cos(order: flat)", trunk, "head classifier(classes: 3, pool: mean)", "loss cross_entropy")
cases.keep("videomae-classifier", cases.saved(model, "videomae-classifier.safetensors"), text, "predict", video, model(video).logits)

# BERT: the features of ids, their words and their segments.
model = disturbed(BertForMaskedLM(BertConfig(
    hidden_size=12, num_hidden_layers=2, num_attention_heads=2, intermediate_size=48, vocab_size=11, max_position_embeddings=6, type_vocab_size=2,
)))  # fmt: skip
ids, segments = torch.randint(5, 11, (2, 6)), (torch.arange(6) > 3).long().expand(2, 6)
given = torch.stack([ids, torch.arange(6).expand(2, 6), segments], dim=-1).float()
with torch.no_grad():
    encoded = model.bert(input_ids=ids, token_type_ids=segments).last_hidden_state
text = spec(
    "text(length: 6, vocabulary: 11, mask: 4)", "x", "positions learned", "mask corrupt(ratio: 50%)",
    "encoder bert(depth: 2, width: 12, heads: 2, norm_epsilon: 1e-12)", "decoder vocabulary(norm_epsilon: 1e-12)", "target ids", "loss id_cross_entropy",
).replace("tokens patch(size: x)", "tokens embedding(segments: 2)")  # fmt: skip
cases.keep("bert", cases.saved(model, "bert.safetensors"), text, "features", given, encoded)

# AST: features and logits of a spectrogram whose patches overlap in both directions, and its encoder by itself.
sizes = dict(hidden_size=12, num_hidden_layers=2, num_attention_heads=2, intermediate_size=48, patch_size=4, frequency_stride=3, time_stride=2)
model = disturbed(ASTForAudioClassification(ASTConfig(**sizes, max_length=17, num_mel_bins=14, num_labels=5)))
sound = noise(2, 1, 17, 14)
with torch.no_grad():
    logits, states = model(sound[:, 0]).logits, model.audio_spectrogram_transformer(sound[:, 0]).last_hidden_state
# Theirs counts patches along time first, of 4 bands in 7 places of time.
states = torch.cat([states[:, :2], states[:, 2:].unflatten(1, (4, 7)).transpose(1, 2).flatten(1, 2)], dim=1)
trunk = encoder(2, 12, 2, "distillation_token: true", "norm_epsilon: 1e-12")
head = "head classifier(classes: 5, pool: front, norm: own, norm_epsilon: 1e-12)"
lines = ["positions learned", trunk, head, "loss class_bce"]
text = spec("spectrogram(frames: 17, mels: 14, rate: 16 kHz)", "4x4, stride: 2x3", *lines)
file = saved(model, "ast.safetensors")
keep("ast", file, text, "predict", sound, logits)
keep("ast-features", file, text, "features", sound, states)
file = saved(model.audio_spectrogram_transformer, "ast-encoder.safetensors")
keep("ast-encoder", file, text, "features", sound, states, fresh=["head"])

# Weights that are no numbers any more.
state = {name: value.clone() for name, value in torch.load(folder / "timm-mean.pth")["model"].items()}
state["blocks.1.attn.proj.weight"][3, 2] = float("nan")
save_file(state, folder / "not-finite.safetensors")

versions = {"torch": torch.__version__, "transformers": transformers.__version__, "timm": timm.__version__}
cases.write("weights-in.json", versions)
