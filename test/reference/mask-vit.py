"""Writes the fixtures of MaskViT: a small autoencoder of codes, and a small model that predicts those of frames, in float64 by PyTorch.

Written from the descriptions of finite scalar quantisation (Mentzer et al., ICLR 2024, section 3 and appendix A), of MaskViT (Gupta et al., ICLR 2023,
section 3) and of MaskGIT's decoding by rounds (Chang et al., CVPR 2022, section 3.2, and libml/parallel_decode.py of its repository). The
encoder below the codes is that of fcmae.py, the decoder that of convmae.py, the output layer that of bert.py.
Usage: python mask-vit.py [folder]; `train` is described in stepping.py.
"""

import math
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import torch
import torch.nn.functional as F
from drawing import Drawing
from fcmae import Case as Maps
from fcmae import draw_encoder
from fcmae import encode as maps_of
from mae import Network, Patched, block, layer_norm, linear, patches_of, sine_cosine, take
from method import drawn, header_of, learned, tensors_of, write
from stepping import Feed, Weights, descend, leaves, line

FIXED = ("decoder_pos_embed",)


@dataclass(frozen=True)
class Case(Patched):
    image: tuple[int, int, int]  # height, width, channels
    ratio: float
    maps: Maps
    levels: tuple[int, ...]
    decoder: Network
    seed: int = 83
    batch: int = 2

    @property
    def patch(self) -> tuple[int, int]:
        return self.maps.patch

    @property
    def visible(self) -> int:
        return int(self.tokens * (1 - self.ratio))


SIZE = (16, 24, 2)
SMALL = Case(SIZE, 0.25, Maps(SIZE, 0.25, 2, (1, 1), (6, 10), 0), (4, 3, 2), Network(1, 8, 2))


def make_weights(case: Case, random: torch.Generator) -> Weights:
    draw = Drawing(random)
    draw_encoder(draw, case.maps)
    # Wide enough that all levels are met.
    draw.normal("quantize.weight", len(case.levels), case.maps.widths[-1], std=1.0)
    draw.normal("quantize.bias", len(case.levels))
    draw.matrix("decoder_embed", case.decoder.width, len(case.levels))
    draw.normal("mask_token", 1, 1, case.decoder.width, std=0.3)
    draw.weights["decoder_pos_embed"] = sine_cosine(case.decoder.width, *case.grid)[:, 1:].float().double()
    draw.blocks("decoder_blocks", case.decoder.depth, case.decoder.width)
    draw.norm("decoder_norm", case.decoder.width)
    draw.matrix("decoder_pred", case.values, case.decoder.width)
    return draw.weights


def quantized(x: torch.Tensor, levels: tuple[int, ...]) -> torch.Tensor:
    """x [..., L] -> the nearest level of each number; the gradient is that of the bounded number."""
    columns = []
    for number, count in zip(x.unbind(dim=-1), levels, strict=True):
        reach, offset = (count - 1) * (1 - 1e-3) / 2, 0.0 if count % 2 else 0.5
        bounded = torch.tanh(number + math.tan(offset / reach)) * reach - offset
        columns.append((bounded + (bounded.round() - bounded).detach()) / (count // 2))
    return torch.stack(columns, dim=-1)


def codes_of(values: torch.Tensor, levels: tuple[int, ...]) -> torch.Tensor:
    """Levels [..., L] -> int64 [...]: the digits of a number, the first of which counts for one."""
    code, worth = torch.zeros(values.shape[:-1], dtype=torch.int64), 1
    for digit, count in zip(values.unbind(dim=-1), levels, strict=True):
        code = code + worth * (digit * (count // 2) + count // 2).round().long()
        worth *= count
    return code


def values_of(codes: torch.Tensor, levels: tuple[int, ...]) -> torch.Tensor:
    """int64 [...] -> levels [..., L]"""
    digits, rest = [], codes
    for count in levels:
        digits.append(((rest % count) - count // 2).double() / (count // 2))
        rest = rest // count
    return torch.stack(digits, dim=-1)


def map_of(case: Case, w: dict, image: torch.Tensor, visible: torch.Tensor) -> torch.Tensor:
    """image [B, H, W, C], visible [B, V] -> the levels of every place, zeros where it is hidden, [B, N, L]"""
    rows = []
    for one, cells in zip(image, visible, strict=True):
        seen = torch.zeros(case.tokens, dtype=torch.bool).index_fill(0, cells, True)
        deep = maps_of(case.maps, w, one, seen)[-1].flatten(0, 1)
        rows.append(quantized(linear(w, "quantize", deep), case.levels) * seen[:, None])
    return torch.stack(rows)


def picture_of(case: Case, w: dict, values: torch.Tensor, visible: torch.Tensor, restore: torch.Tensor) -> torch.Tensor:
    """Levels [B, N, L] -> [B, N, P]"""
    x = linear(w, "decoder_embed", take(values, visible))
    hidden = w["mask_token"].expand(len(x), case.tokens - visible.shape[1], -1)
    x = take(torch.cat([x, hidden], dim=1), restore) + w["decoder_pos_embed"]
    for i in range(case.decoder.depth):
        x = block(w, f"decoder_blocks.{i}", x, case.decoder.heads)
    return linear(w, "decoder_pred", layer_norm(w, "decoder_norm", x))


def loss_of(case: Case, w: dict, image: torch.Tensor, visible: torch.Tensor, restore: torch.Tensor) -> torch.Tensor:
    prediction = picture_of(case, w, map_of(case, w, image, visible), visible, restore)
    return ((prediction - patches_of(case, image)) ** 2).mean()


def network_text(case: Case) -> str:
    maps = case.maps
    return f"quantized(through: convnext(depths: {maps.depths}, widths: {maps.widths}, stem: {maps.stem}), levels: {case.levels})"


def spec_of(case: Case) -> str:
    height, width, channels = case.image
    decoder = case.decoder
    return f"""edition 2026
model Reference {{
  input   image(size: {height}x{width}, channels: {channels})
  mask    random(ratio: {case.ratio * 100:g}%)
  encoder {network_text(case)}
  decoder map_vit(depth: {decoder.depth}, width: {decoder.width}, heads: {decoder.heads})
  target  pixels(normalize: none)
  loss    mse(on: all)
}}
"""


def run(case: Case) -> tuple[dict, dict]:
    random = torch.Generator().manual_seed(case.seed)
    weights = make_weights(case, random)
    image, order, restore, _ = drawn(case, random)
    visible = order[:, : case.visible]
    w = leaves(weights, FIXED)
    loss = loss_of(case, w, image, visible, restore)
    loss.backward()
    latent = map_of(case, weights, image, visible).detach()
    everything = torch.arange(case.tokens).expand(case.batch, -1)
    whole = map_of(case, weights, image, everything)
    codes = codes_of(whole, case.levels)
    assert len(codes.unique()) > 8, codes
    assert torch.equal(values_of(codes, case.levels), whole.double())
    extra = {"latent": latent, "codes": codes.int()}
    return header_of(case, spec_of(case), {"mse": loss}, loss), tensors_of(case, w, image, order, restore) | extra


def case_of_network(network: dict, size: tuple[int, int, int], decoder: dict, ratio: float) -> Case:
    through = network["through"]["values"]
    assert through["version"] == 2 and not through["norm"] and decoder["mlp_ratio"] == 4, (through, decoder)
    depths, widths = tuple(through["depths"]), tuple(through["widths"])
    maps = Maps(size, ratio, through["stem"], depths, widths, 0, kernel=through["kernel"])
    return Case(size, ratio, maps, tuple(network["levels"]), Network(decoder["depth"], decoder["width"], decoder["heads"]))


@dataclass(frozen=True)
class Clips:
    """A model of codes of frames."""

    codes: Case
    frames: int
    given: int
    ratio: float
    encoder: Network
    tube: tuple[int, int]

    @property
    def counts(self) -> tuple[int, int, int]:
        return self.frames, *self.codes.grid

    @property
    def tokens(self) -> int:
        return self.frames * self.codes.tokens

    @property
    def later(self) -> int:
        return (self.frames - self.given) * self.codes.tokens

    def visible(self, ratio: float) -> int:
        return self.tokens - max(1, round(ratio * self.later))

    @property
    def vocabulary(self) -> int:
        return math.prod(self.codes.levels)


CLIPS = Clips(replace(SMALL, image=(8, 16, 2), maps=replace(SMALL.maps, image=(8, 16, 2))), 3, 1, 0.5, Network(2, 12, 3), (1, 2))
BY, DRAWN = "code_encoder.", "code_decoder."


def clip_weights(case: Clips, random: torch.Generator) -> Weights:
    codes, width, draw = case.codes, case.encoder.width, Drawing(random)
    known = make_weights(codes, random)
    for name, value in known.items():
        prefix = BY if name.startswith(("downsample", "stages", "quantize")) else DRAWN
        draw.weights[f"{prefix}{name}"] = value
    draw.normal("pos_embed", 1, case.tokens, width, std=0.3)
    draw.normal("code_embed.weight", case.vocabulary, width, std=0.3)
    for i in range(case.encoder.depth):
        for part in ("frame", "tube"):
            one = Drawing(random)
            one.blocks("x", 1, width)
            draw.weights |= {name.replace("x.0", f"blocks.{i}.{part}", 1): value for name, value in one.weights.items()}
    draw.norm("norm", width)
    draw.normal("mask_token", 1, 1, width, std=0.3)
    draw.matrix("decoder_transform", width, width)
    draw.norm("decoder_norm", width)
    draw.normal("decoder_bias", case.vocabulary)
    return draw.weights


def under(prefix: str, w: dict) -> dict:
    return {name.removeprefix(prefix): value for name, value in w.items() if name.startswith(prefix)}


def clip_codes(case: Clips, w: dict, clip: torch.Tensor) -> torch.Tensor:
    """clip [B, T, H, W, C] -> int64 [B, N], frame by frame."""
    everything = torch.arange(case.codes.tokens).expand(case.frames, -1)
    return torch.stack([codes_of(map_of(case.codes, under(BY, w), frames, everything), case.codes.levels).flatten() for frames in clip])


def within(case: Clips, w: dict, name: str, x: torch.Tensor, window: tuple[int, int, int]) -> torch.Tensor:
    """x [B, N, D] -> the same through a block that each window passes by itself."""
    place = torch.stack(torch.meshgrid(*(torch.arange(count) for count in case.counts), indexing="ij"), dim=-1).flatten(0, 2)
    cell = place // torch.tensor(window)
    out = torch.zeros_like(x)
    for one in cell.unique(dim=0):
        inside = (cell == one).all(dim=1).nonzero()[:, 0]
        out = out.index_copy(1, inside, block(w, name, x[:, inside], case.encoder.heads))
    return out


def logits_of(case: Clips, w: dict, codes: torch.Tensor, seen: torch.Tensor) -> torch.Tensor:
    """codes int64 [B, N], seen bool [B, N] -> [B, N, K]"""
    x = torch.where(seen[:, :, None], w["code_embed.weight"][codes], w["mask_token"]) + w["pos_embed"]
    for i in range(case.encoder.depth):
        x = within(case, w, f"blocks.{i}.frame", x, (1, *case.counts[1:]))
        x = within(case, w, f"blocks.{i}.tube", x, (case.frames, *case.tube))
    x = F.gelu(linear(w, "decoder_transform", layer_norm(w, "norm", x)))
    return layer_norm(w, "decoder_norm", x) @ w["code_embed.weight"].T + w["decoder_bias"]


def seen_of(case: Clips, visible: torch.Tensor) -> torch.Tensor:
    return torch.stack([torch.zeros(case.tokens, dtype=torch.bool).index_fill(0, row, True) for row in visible])


def clip_loss(case: Clips, w: dict, clip: torch.Tensor, visible: torch.Tensor) -> torch.Tensor:
    codes, seen = clip_codes(case, w, clip), seen_of(case, visible)
    return F.cross_entropy(logits_of(case, w, codes, seen)[~seen], codes[~seen])


def generated(case: Clips, w: dict, clip: torch.Tensor, draws: dict, rounds: int, temperature: float, curve: str) -> torch.Tensor:
    """The codes of all frames of which the first are given, int64 [B, N]."""
    codes, first = clip_codes(case, w, clip), case.tokens - case.later
    known = torch.zeros(codes.shape, dtype=torch.bool)
    known[:, :first] = True
    codes[:, first:] = 0
    for i in range(rounds):
        share = (i + 1) / rounds
        logits = logits_of(case, w, codes, known)
        sampled = torch.where(known, codes, (logits + draws["codes"][i]).argmax(dim=-1))
        chance = logits.log_softmax(dim=-1).gather(2, sampled[..., None])[..., 0]
        sure = (chance + temperature * (1 - share) * draws["places"][i]).masked_fill(known, math.inf)
        left = math.cos(math.pi / 2 * share) if curve == "cosine" else 1 - share
        unknown = case.tokens - int(known[0].sum())
        hidden = 0 if i == rounds - 1 else max(1, min(unknown - 1, math.floor(case.later * left)))
        order = sure.argsort(dim=1)
        known = ~torch.zeros_like(known).scatter(1, order[:, :hidden], True)
        codes = sampled
    return codes


def clip_spec(case: Clips) -> str:
    codes, encoder = case.codes, case.encoder
    height, width, channels = codes.image
    decoder = codes.decoder
    return f"""edition 2026
model Reference {{
  input     video(frames: {case.frames}, size: {height}x{width}, channels: {channels})
  tokens    codes(
    by: {network_text(codes)},
    drawn: map_vit(depth: {decoder.depth}, width: {decoder.width}, heads: {decoder.heads}),
  )
  positions learned
  mask      future(given: {case.given}, ratio: {case.ratio * 100:g}%)
  encoder   tubes(depth: {encoder.depth}, width: {encoder.width}, heads: {encoder.heads}, tube: {case.tube[0]}x{case.tube[1]})
  decoder   vocabulary
  target    codes
  loss      id_cross_entropy
}}
"""


ROUNDS = [(4, 1.5, "cosine"), (3, 0.0, "linear")]


def run_clips(case: Clips) -> tuple[dict, dict]:
    random = torch.Generator().manual_seed(89)
    weights = clip_weights(case, random)
    clip = torch.randn(2, case.frames, *case.codes.image, generator=random, dtype=torch.float64).float().double()
    later = torch.rand(2, case.later, generator=random, dtype=torch.float64).argsort(dim=1) + case.tokens - case.later
    order = torch.cat([torch.arange(case.tokens - case.later).expand(2, -1), later], dim=1)
    visible = order[:, : case.visible(case.ratio)]
    given = [name for name in weights if name.startswith((BY, DRAWN))]
    w = leaves(weights, given)
    loss = clip_loss(case, w, clip, visible)
    loss.backward()
    codes = clip_codes(case, weights, clip)
    most = max(rounds for rounds, _, _ in ROUNDS)
    chances = torch.rand(most, 2, case.tokens, case.vocabulary + 1, generator=random, dtype=torch.float64).float().double()
    gumbel = -(-(chances.clamp(1e-6, 1 - 1e-6)).log()).log()
    draws = {"codes": gumbel[..., :-1], "places": gumbel[..., -1]}
    made = {f"generated/{i}": generated(case, weights, clip, draws, *one).int() for i, one in enumerate(ROUNDS)}
    assert all(len(one.unique()) > 6 for one in made.values())
    everything = torch.arange(case.codes.tokens).expand(2 * case.frames, -1)
    values = values_of(codes, case.codes.levels).reshape(2 * case.frames, case.codes.tokens, -1)
    patches = picture_of(case.codes, under(DRAWN, weights), values, everything, everything)
    (rows, columns), (height, width), channels = case.codes.grid, case.codes.patch, case.codes.image[2]
    apart = patches.reshape(2, case.frames, rows, columns, height, width, channels)
    drawn_clip = apart.transpose(3, 4).reshape(clip.shape)
    header = {
        "spec": clip_spec(case),
        "batch": 2,
        "tokens": {"total": case.tokens, "visible": case.visible(case.ratio)},
        "terms": {"id_cross_entropy": loss.item()},
        "loss": loss.item(),
        "rounds": [{"rounds": rounds, "temperature": heat, "curve": curve} for rounds, heat, curve in ROUNDS],
    }
    extra = {"codes": codes.int(), "drawn": drawn_clip, "gumbel/codes": draws["codes"], "gumbel/places": draws["places"]} | made
    return header, learned(w) | extra | {"video": clip, "order": order.int(), "restore": order.argsort(dim=1).int()}


def train_clips(example: dict, weights: Weights, feeds: list[Feed]) -> list[float]:
    video, tokens, mask, encoder = (line(example, slot)["values"] for slot in ("input", "tokens", "mask", "encoder"))
    by, drawn_by = tokens["by"]["values"], tokens["drawn"]["values"]
    codes = case_of_network(by, (*video["size"], video["channels"]), drawn_by, 0.5)
    assert encoder["mlp_ratio"] == 4 and line(example, "decoder")["block"] == "vocabulary"
    network = Network(encoder["depth"], encoder["width"], encoder["heads"])
    case = Clips(codes, video["frames"], mask["given"], 1.0, network, tuple(encoder["tube"]))
    assert example["tokens"]["total"] == case.tokens, (example["tokens"], case)
    w = leaves(weights, [name for name in weights if name.startswith((BY, DRAWN))])
    return descend(example, w, feeds, lambda feed: clip_loss(case, w, feed["video"], feed["visible"]))


def train(example: dict, weights: Weights, feeds: list[Feed]) -> list[float]:
    if line(example, "tokens"):
        return train_clips(example, weights, feeds)
    image, mask, encoder, decoder, target, judge = (
        line(example, slot)["values"] for slot in ("input", "mask", "encoder", "decoder", "target", "loss")
    )
    assert target["normalize"] == "none" and judge["on"] == "all", example["name"]
    case = replace(
        case_of_network(encoder, (*image["size"], image["channels"]), decoder, mask["ratio"]), batch=example["batch"]
    )
    assert example["tokens"] == {"total": case.tokens, "visible": case.visible}, (example["tokens"], case)
    w = leaves(weights, FIXED)
    return descend(example, w, feeds, lambda feed: loss_of(case, w, feed["image"], feed["visible"], feed["restore"]))


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent)
    write(folder / "frame-codes", *run(SMALL))
    write(folder / "mask-vit", *run_clips(CLIPS))


if __name__ == "__main__":
    main()
