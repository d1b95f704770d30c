"""Writes the fixture of VideoMAE: a small model of clips, in float64 by PyTorch.

Written from the description (Tong et al., NeurIPS 2022, with the sizes and constants of the official repository): tubes are
hidden, positions are one sine-cosine table over the sequence, keys have no bias, nor has the layer into the decoder; the target is
each tubelet's pixels, normalised channel by channel. Checked here against Hugging Face's VideoMAEForPreTraining.
Usage: python video-mae.py [folder]; `train` is described in stepping.py.
"""

import sys
from dataclasses import dataclass, replace
from pathlib import Path

# Its build may belong to another PyTorch; nothing here needs it.
sys.modules["torchaudio"] = None

import torch
import torch.nn.functional as F
from drawing import Drawing
from mae import AGREEMENT, EPSILON, Network, largest, layer_norm, linear, network_of, take
from method import header_of, learned, write
from stepping import Feed, Weights, descend, leaves, line


@dataclass(frozen=True)
class Case:
    seed: int
    batch: int
    clip: tuple[int, int, int, int]  # frames, height, width, channels
    tubelet: tuple[int, int, int]
    ratio: float
    encoder: Network
    decoder: Network
    normalize: str = "channel"

    @property
    def grid(self) -> tuple[int, int, int]:
        return tuple(size // side for size, side in zip(self.clip, self.tubelet, strict=False))

    @property
    def tokens(self) -> int:
        slots, rows, columns = self.grid
        return slots * rows * columns

    @property
    def visible(self) -> int:
        """In each slot, floor(r N) of N tubelets are hidden."""
        slots, rows, columns = self.grid
        return slots * (rows * columns - int(self.ratio * rows * columns))

    @property
    def values(self) -> int:
        frames, height, width = self.tubelet
        return frames * height * width * self.clip[3]


SMALL = Case(41, 2, (4, 8, 12, 3), (2, 4, 4), 0.5, Network(2, 24, 2), Network(1, 12, 2))


def positions(count: int, width: int) -> torch.Tensor:
    """[1, N, D]: of place p, sine and cosine of p / 10000^(2 i / D) in turn."""
    angles = torch.arange(count)[:, None] / 10000 ** (torch.arange(0, width, 2, dtype=torch.float64) / width)
    return torch.stack([angles.sin(), angles.cos()], dim=2).flatten(1)[None].float().double()


def make_weights(case: Case, random: torch.Generator) -> Weights:
    draw = Drawing(random)

    def blocks(name: str, network: Network) -> None:
        width = network.width
        for i in range(network.depth):
            draw.norm(f"{name}.{i}.norm1", width)
            draw.matrix(f"{name}.{i}.attn.qkv", 3 * width, width, bias=False)
            draw.normal(f"{name}.{i}.attn.q_bias", width)
            draw.normal(f"{name}.{i}.attn.v_bias", width)
            draw.matrix(f"{name}.{i}.attn.proj", width, width)
            draw.norm(f"{name}.{i}.norm2", width)
            draw.perceptron(f"{name}.{i}.mlp", width)

    encoder, decoder = case.encoder, case.decoder
    draw.weights["pos_embed"] = positions(case.tokens, encoder.width)
    draw.matrix("patch_embed.proj", encoder.width, case.values)
    blocks("blocks", encoder)
    draw.norm("norm", encoder.width)
    draw.matrix("decoder_embed", decoder.width, encoder.width, bias=False)
    draw.normal("mask_token", 1, 1, decoder.width, std=0.3)
    draw.weights["decoder_pos_embed"] = positions(case.tokens, decoder.width)
    blocks("decoder_blocks", decoder)
    draw.norm("decoder_norm", decoder.width)
    draw.matrix("decoder_pred", case.values, decoder.width)
    return draw.weights


def tubelets(case: Case, clip: torch.Tensor) -> torch.Tensor:
    """[B, T, H, W, C] -> [B, N, P]: in raster order; within a tubelet frame, row, column, channel."""
    (slots, rows, columns), (frames, height, width) = case.grid, case.tubelet
    parts = [
        clip[:, t * frames : (t + 1) * frames, y * height : (y + 1) * height, x * width : (x + 1) * width].flatten(1)
        for t in range(slots)
        for y in range(rows)
        for x in range(columns)
    ]
    return torch.stack(parts, dim=1)


def block(w: dict, name: str, x: torch.Tensor, heads: int) -> torch.Tensor:
    batch, count, width = x.shape
    q_bias, v_bias = w[f"{name}.attn.q_bias"], w[f"{name}.attn.v_bias"]
    bias = torch.cat([q_bias, torch.zeros_like(q_bias), v_bias])
    qkv = F.linear(layer_norm(w, f"{name}.norm1", x), w[f"{name}.attn.qkv.weight"], bias)
    q, k, v = (part.reshape(batch, count, heads, width // heads).transpose(1, 2) for part in qkv.chunk(3, dim=-1))
    weights = (q @ k.transpose(-1, -2) * (width // heads) ** -0.5).softmax(dim=-1)
    x = x + linear(w, f"{name}.attn.proj", (weights @ v).transpose(1, 2).reshape(batch, count, width))
    hidden = F.gelu(linear(w, f"{name}.mlp.fc1", layer_norm(w, f"{name}.norm2", x)))
    return x + linear(w, f"{name}.mlp.fc2", hidden)


def predict(case: Case, w: dict, clip: torch.Tensor, visible: torch.Tensor, restore: torch.Tensor) -> torch.Tensor:
    """-> [B, N, P]"""
    x = take(linear(w, "patch_embed.proj", tubelets(case, clip)) + w["pos_embed"], visible)
    for i in range(case.encoder.depth):
        x = block(w, f"blocks.{i}", x, case.encoder.heads)
    narrow = layer_norm(w, "norm", x) @ w["decoder_embed.weight"].T
    hidden = w["mask_token"].expand(len(x), case.tokens - visible.shape[1], -1)
    x = take(torch.cat([narrow, hidden], dim=1), restore) + w["decoder_pos_embed"]
    for i in range(case.decoder.depth):
        x = block(w, f"decoder_blocks.{i}", x, case.decoder.heads)
    return linear(w, "decoder_pred", layer_norm(w, "decoder_norm", x))


def target_of(case: Case, clip: torch.Tensor) -> torch.Tensor:
    """Of each tubelet and channel: (x - mean) / (deviation + 1e-6), the deviation of n - 1; or the pixels as they are."""
    if case.normalize == "none":
        return tubelets(case, clip)
    apart = tubelets(case, clip).unflatten(2, (-1, case.clip[3]))
    deviation = apart.var(dim=2, keepdim=True, correction=1).sqrt() + 1e-6
    return ((apart - apart.mean(dim=2, keepdim=True)) / deviation).flatten(2)


def loss_of(case: Case, w: dict, clip: torch.Tensor, visible: torch.Tensor, hidden: torch.Tensor, restore) -> torch.Tensor:
    error = (predict(case, w, clip, visible, restore) - target_of(case, clip)) ** 2
    return take(error, hidden).mean()


def tubes(case: Case, random: torch.Generator) -> torch.Tensor:
    """An order of the tokens for each clip, visible ones first: the same places in every slot. [B, N]"""
    slots, rows, columns = case.grid
    seen = case.visible // slots
    orders = []
    for _ in range(case.batch):
        place = torch.rand(rows * columns, generator=random, dtype=torch.float64).argsort()
        start = (torch.arange(slots) * rows * columns)[:, None]
        orders.append(torch.cat([(start + place[:seen]).flatten(), (start + place[seen:]).flatten()]))
    return torch.stack(orders)


def compare(case: Case, w: Weights, clip: torch.Tensor, order: torch.Tensor) -> float:
    """The largest difference from Hugging Face's prediction of the hidden tokens, which it gives in raster order."""
    from transformers import VideoMAEConfig, VideoMAEForPreTraining

    frames, height, _, channels = case.clip
    encoder, decoder = case.encoder, case.decoder
    config = VideoMAEConfig(
        image_size=height, patch_size=case.tubelet[1], num_channels=channels, num_frames=frames, tubelet_size=case.tubelet[0],
        hidden_size=encoder.width, num_hidden_layers=encoder.depth, num_attention_heads=encoder.heads,
        intermediate_size=4 * encoder.width, layer_norm_eps=EPSILON, use_mean_pooling=False, decoder_num_attention_heads=decoder.heads,
        decoder_hidden_size=decoder.width, decoder_num_hidden_layers=decoder.depth,
        decoder_intermediate_size=4 * decoder.width,
    )  # fmt: skip
    theirs = VideoMAEForPreTraining(config).double().eval()
    # Theirs leaves the last norm with the default of PyTorch.
    theirs.decoder.norm.eps = EPSILON
    own = dict(theirs.named_parameters())

    def put(name: str, value: torch.Tensor) -> None:
        assert own[name].shape == value.shape, (name, own[name].shape, value.shape)
        own.pop(name).data = value.clone()

    def put_layer(name: str, source: str, *parts: str) -> None:
        for part in parts or ("weight", "bias"):
            put(f"{name}.{part}", w[f"{source}.{part}"])

    def put_blocks(name: str, source: str, network: Network) -> None:
        for i in range(network.depth):
            there, here = f"{name}.{i}", f"{source}.{i}"
            attention = f"{there}.attention.attention"
            for part, value in zip(("query", "key", "value"), w[f"{here}.attn.qkv.weight"].chunk(3), strict=True):
                put(f"{attention}.{part}.weight", value)
            put(f"{attention}.query.bias", w[f"{here}.attn.q_bias"])
            put(f"{attention}.value.bias", w[f"{here}.attn.v_bias"])
            put_layer(f"{there}.attention.output.dense", f"{here}.attn.proj")
            put_layer(f"{there}.layernorm_before", f"{here}.norm1")
            put_layer(f"{there}.layernorm_after", f"{here}.norm2")
            put_layer(f"{there}.intermediate.dense", f"{here}.mlp.fc1")
            put_layer(f"{there}.output.dense", f"{here}.mlp.fc2")

    kernel = w["patch_embed.proj.weight"].unflatten(1, (*case.tubelet, channels)).permute(0, 4, 1, 2, 3)
    put("videomae.embeddings.patch_embeddings.projection.weight", kernel)
    put("videomae.embeddings.patch_embeddings.projection.bias", w["patch_embed.proj.bias"])
    put_blocks("videomae.encoder.layer", "blocks", encoder)
    put_layer("videomae.layernorm", "norm")
    put_layer("encoder_to_decoder", "decoder_embed", "weight")
    put("mask_token", w["mask_token"])
    put_blocks("decoder.decoder_layers", "decoder_blocks", decoder)
    put_layer("decoder.norm", "decoder_norm")
    put_layer("decoder.head", "decoder_pred")
    assert not own, list(own)
    masked = torch.ones(len(clip), case.tokens, dtype=torch.bool)
    visible = order[:, : case.visible]
    masked.scatter_(1, visible, False)
    theirs.position_embeddings = w["decoder_pos_embed"].clone()
    theirs.videomae.embeddings.position_embeddings = w["pos_embed"].clone()
    logits = theirs(clip.permute(0, 1, 4, 2, 3), masked).logits
    ours = predict(case, w, clip, visible, order.argsort(dim=1))
    return largest(logits, torch.stack([row[chosen] for row, chosen in zip(ours, masked, strict=True)]))


def run(case: Case) -> tuple[dict, dict[str, torch.Tensor]]:
    random = torch.Generator().manual_seed(case.seed)
    order = tubes(case, random)
    restore = order.argsort(dim=1)
    clip = torch.randn(case.batch, *case.clip, generator=random, dtype=torch.float64).float().double()
    weights = make_weights(case, random)
    # Hugging Face's takes square frames.
    square = replace(case, clip=(case.clip[0], 8, 8, 3), batch=1)
    same = make_weights(square, random) | {
        name: value for name, value in weights.items() if "pos_embed" not in name
    }
    other = torch.randn(1, *square.clip, generator=random, dtype=torch.float64)
    difference = compare(square, same, other, tubes(square, random))
    assert difference < AGREEMENT, difference
    w = leaves(weights, ["pos_embed", "decoder_pos_embed"])
    loss = loss_of(case, w, clip, order[:, : case.visible], order[:, case.visible :], restore)
    loss.backward()
    header = header_of(case, spec_of(case), {"mse": loss}, loss) | {"hugging_face_difference": difference}
    return header, learned(w) | {"video": clip, "order": order.int(), "restore": restore.int()}


def spec_of(case: Case) -> str:
    frames, height, width, channels = case.clip
    vit = "vit(depth: {0.depth}, width: {0.width}, heads: {0.heads}, {1}, key_bias: false)"
    return f"""edition 2026
model Reference {{
  input     video(frames: {frames}, size: {height}x{width}, channels: {channels})
  tokens    patch(size: {"x".join(map(str, case.tubelet))})
  positions sin_cos(order: flat)
  mask      random(ratio: {case.ratio * 100:g}%, along: [row, column], round: hidden_down)
  encoder   {vit.format(case.encoder, "class_token: false")}
  decoder   {vit.format(case.decoder, "embed_bias: false")}
  target    pixels(normalize: channel)
  loss      mse(on: hidden)
}}
"""


def train(example: dict, weights: Weights, feeds: list[Feed]) -> list[float]:
    video, mask, own = (line(example, slot)["values"] for slot in ("input", "mask", "loss"))
    assert own["on"] == "hidden" and mask["along"] == ["row", "column"] and mask["round"] == "hidden_down"
    case = Case(
        seed=0,
        batch=example["batch"],
        clip=(video["frames"], *video["size"], video["channels"]),
        tubelet=tuple(line(example, "tokens")["values"]["size"]),
        ratio=mask["ratio"],
        encoder=network_of(line(example, "encoder")),
        decoder=network_of(line(example, "decoder")),
        normalize=line(example, "target")["values"]["normalize"],
    )
    assert example["tokens"] == {"total": case.tokens, "visible": case.visible}, (example["tokens"], case)
    tables = ["pos_embed", "decoder_pos_embed"]
    for name in tables:
        assert largest(weights[name], positions(case.tokens, weights[name].shape[-1])) < AGREEMENT, name
    w = leaves(weights, tables)

    def loss(feed: Feed) -> torch.Tensor:
        return loss_of(case, w, feed["video"], feed["visible"], feed["hidden"], feed["restore"])

    return descend(example, w, feeds, loss)


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent)
    write(folder / "video-mae", *run(SMALL))


if __name__ == "__main__":
    main()
