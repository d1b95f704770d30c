"""Writes the fixtures of Point-MAE: small models of clouds, in float64 by PyTorch, and the number of weights of the published one.

Written from the description (Pang et al., ECCV 2022, section 3, and the official repository): farthest points and their neighbours by distances
of all pairs, a small PointNet of PyTorch's own convolutions and batch norms, positions added before every block, Chamfer distances of all pairs.
Usage: python point-mae.py [folder]; `train` is described in stepping.py.
"""

import sys
from dataclasses import dataclass, replace
from pathlib import Path

import torch
import torch.nn.functional as F
from drawing import Drawing
from mae import Network, layer_norm, network_of, take
from method import learned, write
from stepping import Feed, Weights, descend, leaves, line

EPSILON = 1e-5
STATES = ("running_mean", "running_var")


@dataclass(frozen=True)
class Case:
    seed: int
    batch: int
    points: int
    groups: int
    neighbours: int
    inner: int
    hidden: int
    add: str
    ratio: float
    encoder: Network
    decoder: Network
    class_token: bool
    power: int
    published: bool  # no biases of queries, keys and values, and no layer in front of the decoder

    @property
    def visible(self) -> int:
        return self.groups - int(self.groups * self.ratio)


SMALL = Case(71, 2, 60, 10, 6, 4, 5, "every_block", 0.6, Network(2, 12, 2), Network(1, 12, 3), False, 2, True)
DISTANCES = Case(72, 2, 40, 8, 5, 3, 4, "once", 0.6, Network(2, 12, 3), Network(1, 8, 2), True, 1, False)
PUBLISHED = replace(SMALL, points=1024, groups=64, neighbours=32, inner=128, hidden=128, encoder=Network(12, 384, 6), decoder=Network(4, 384, 6))


def farthest(points: torch.Tensor, count: int) -> torch.Tensor:
    """points [P, 3] -> numbers of points, the first one first."""
    apart = torch.cdist(points, points, compute_mode="donot_use_mm_for_euclid_dist")
    chosen = [0]
    while len(chosen) < count:
        chosen.append(apart[chosen].amin(dim=0).argmax().item())
    return torch.tensor(chosen)


def grouped(points: torch.Tensor, groups: int, neighbours: int) -> torch.Tensor:
    """points [P, 3] -> [groups, neighbours, 3], in each the centre first, then from the nearest on."""
    apart = torch.cdist(points, points, compute_mode="donot_use_mm_for_euclid_dist")
    nearest = apart[farthest(points, groups)].topk(neighbours, dim=1, largest=False, sorted=True).indices
    return points[nearest]


def draw_blocks(draw: Drawing, name: str, network: Network, bias: bool) -> None:
    for i in range(network.depth):
        draw.norm(f"{name}.{i}.norm1", network.width)
        draw.matrix(f"{name}.{i}.attn.qkv", 3 * network.width, network.width, bias=bias)
        draw.matrix(f"{name}.{i}.attn.proj", network.width, network.width)
        draw.norm(f"{name}.{i}.norm2", network.width)
        draw.perceptron(f"{name}.{i}.mlp", network.width)


def draw_positions(draw: Drawing, name: str, case: Case, width: int) -> None:
    draw.matrix(f"{name}.fc1", case.hidden, 3)
    draw.matrix(f"{name}.fc2", width, case.hidden)
    if case.class_token:
        draw.normal(f"{name}.class", 1, 1, width, std=0.3)


def make_weights(case: Case, random: torch.Generator) -> Weights:
    draw = Drawing(random)
    encoder, decoder, inner = case.encoder, case.decoder, case.inner
    draw_positions(draw, "pos_embed", case, encoder.width)
    for part, (first, middle, last) in {
        "first": (3, inner, 2 * inner),
        "second": (4 * inner, 4 * inner, encoder.width),
    }.items():
        draw.matrix(f"point_embed.{part}.fc1", middle, first)
        draw.norm(f"point_embed.{part}.norm", middle)
        draw.normal(f"point_embed.{part}.norm.running_mean", middle)
        draw.normal(f"point_embed.{part}.norm.running_var", middle, mean=1)
        draw.matrix(f"point_embed.{part}.fc2", last, middle)
    if case.class_token:
        draw.normal("cls_token", 1, 1, encoder.width, std=0.3)
    draw_blocks(draw, "blocks", encoder, not case.published)
    draw.norm("norm", encoder.width)
    draw_positions(draw, "decoder_pos_embed", case, decoder.width)
    if not case.published:
        draw.matrix("decoder_embed", decoder.width, encoder.width)
    draw.normal("mask_token", 1, 1, decoder.width, std=0.3)
    draw_blocks(draw, "decoder_blocks", decoder, not case.published)
    draw.norm("decoder_norm", decoder.width)
    draw.matrix("decoder_pred", 3 * case.neighbours, decoder.width)
    return draw.weights


def linear(w: dict, name: str, x: torch.Tensor) -> torch.Tensor:
    return F.linear(x, w[f"{name}.weight"], w.get(f"{name}.bias"))


def convolved(w: dict, name: str, x: torch.Tensor) -> torch.Tensor:
    """x [S, C, K], places side by side."""
    return F.conv1d(x, w[f"{name}.weight"][..., None], w[f"{name}.bias"])


def perceived(w: dict, name: str, x: torch.Tensor) -> torch.Tensor:
    x = convolved(w, f"{name}.fc1", x)
    mean, variance = w[f"{name}.norm.running_mean"], w[f"{name}.norm.running_var"]
    own = (w[f"{name}.norm.weight"], w[f"{name}.norm.bias"])
    x = F.batch_norm(x, mean, variance, *own, training=True, momentum=0.1, eps=1e-5)
    return convolved(w, f"{name}.fc2", x.relu())


def point_net(w: dict, groups: torch.Tensor) -> torch.Tensor:
    """groups [B, G, K, 3] as seen from their centres -> [B, G, D]"""
    batch, count, points, _ = groups.shape
    each = perceived(w, "point_embed.first", groups.reshape(-1, points, 3).transpose(1, 2))
    whole = each.max(dim=2, keepdim=True).values.expand(-1, -1, points)
    token = perceived(w, "point_embed.second", torch.cat([whole, each], dim=1)).max(dim=2).values
    return token.reshape(batch, count, -1)


def positions(w: dict, name: str, centres: torch.Tensor) -> torch.Tensor:
    """[B, G, 3] -> [B, extra + G, D]"""
    placed = linear(w, f"{name}.fc2", F.gelu(linear(w, f"{name}.fc1", centres)))
    front = w.get(f"{name}.class")
    return placed if front is None else torch.cat([front.expand(len(placed), -1, -1), placed], dim=1)


def block(w: dict, name: str, x: torch.Tensor, heads: int, drops: tuple = (1, 1)) -> torch.Tensor:
    batch, count, width = x.shape
    qkv = linear(w, f"{name}.attn.qkv", layer_norm(w, f"{name}.norm1", x, EPSILON))
    q, k, v = (part.reshape(batch, count, heads, width // heads).transpose(1, 2) for part in qkv.chunk(3, dim=-1))
    attended = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(batch, count, width)
    x = x + linear(w, f"{name}.attn.proj", attended) * drops[0]
    hidden = F.gelu(linear(w, f"{name}.mlp.fc1", layer_norm(w, f"{name}.norm2", x, EPSILON)))
    return x + linear(w, f"{name}.mlp.fc2", hidden) * drops[1]


def through(case: Case, w: dict, name: str, network: Network, x: torch.Tensor, places: torch.Tensor, drops=None) -> torch.Tensor:
    """Places are added before every block, or before the first alone."""
    for i in range(network.depth):
        own = (1, 1) if drops is None else drops[:, 2 * i : 2 * i + 2, None, None].unbind(dim=1)
        x = block(w, f"{name}.{i}", x + places if i == 0 or case.add == "every_block" else x, network.heads, own)
    return x


def encode(case: Case, w: dict, groups: torch.Tensor, visible: torch.Tensor, drops=None) -> torch.Tensor:
    """-> [B, extra + V, D]"""
    centres = groups[:, :, 0]
    tokens = take(point_net(w, groups - groups[:, :, :1]), visible)
    places = positions(w, "pos_embed", take(centres, visible))
    if case.class_token:
        tokens = torch.cat([w["cls_token"].expand(len(tokens), -1, -1), tokens], dim=1)
    return layer_norm(w, "norm", through(case, w, "blocks", case.encoder, tokens, places, drops), EPSILON)


def nearest(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Of each of a [S, P, 3] the squared distance to the nearest of b."""
    return ((a[:, :, None] - b[:, None]) ** 2).sum(dim=3).amin(dim=2)


def chamfer(prediction: torch.Tensor, target: torch.Tensor, power: int) -> torch.Tensor:
    """Sets of points [S, P, 3]."""
    there, back = nearest(prediction, target), nearest(target, prediction)
    return there.mean() + back.mean() if power == 2 else (there.sqrt().mean() + back.sqrt().mean()) / 2


def loss_of(case: Case, w: dict, groups: torch.Tensor, visible: torch.Tensor, hidden: torch.Tensor, drops=None) -> torch.Tensor:
    latent = encode(case, w, groups, visible, drops)
    narrow = latent if case.published else linear(w, "decoder_embed", latent)
    # As in the official code, visible tokens first, then hidden ones: only their places tell where they are.
    tokens = torch.cat([narrow, w["mask_token"].expand(len(groups), hidden.shape[1], -1)], dim=1)
    centres = take(groups[:, :, 0], torch.cat([visible, hidden], dim=1))
    x = through(case, w, "decoder_blocks", case.decoder, tokens, positions(w, "decoder_pos_embed", centres))
    predicted = linear(w, "decoder_pred", layer_norm(w, "decoder_norm", x[:, -hidden.shape[1] :], EPSILON))
    wanted = take((groups - groups[:, :, :1]).flatten(2), hidden)
    return chamfer(predicted.reshape(-1, case.neighbours, 3), wanted.reshape(-1, case.neighbours, 3), case.power)


def run(case: Case) -> tuple[dict, dict[str, torch.Tensor]]:
    random = torch.Generator().manual_seed(case.seed)
    clouds = torch.randn(case.batch, case.points, 3, generator=random)
    groups = torch.stack([grouped(cloud, case.groups, case.neighbours) for cloud in clouds]).double()
    order = torch.rand(case.batch, case.groups, generator=random).argsort(dim=1)
    restore = order.argsort(dim=1)
    weights = make_weights(case, random)
    w = leaves(weights, [name for name in weights if name.endswith(STATES)])
    visible, hidden = order[:, : case.visible], order[:, case.visible :]
    loss = loss_of(case, w, groups, visible, hidden)
    loss.backward()
    header = {
        "spec": spec_of(case),
        "batch": case.batch,
        "tokens": {"total": case.groups, "visible": case.visible},
        "terms": {"chamfer": loss.item()},
        "loss": loss.item(),
        "published": sum(value.numel() for value in make_weights(PUBLISHED, random).values()),
    }
    tensors = learned(w, weights) | {f"moved/{name}": value.detach() for name, value in w.items() if name.endswith(STATES)}
    return header, tensors | {"points": groups, "clouds": clouds, "order": order.int(), "restore": restore.int()}


def spec_of(case: Case) -> str:
    bias = ", qkv_bias: false" if case.published else ""
    own = f"{bias}, norm_epsilon: 1e-5"
    vit = "vit(depth: {0.depth}, width: {0.width}, heads: {0.heads}"
    embed = ", embed: none" if case.published else ""
    return f"""edition 2026
model Reference {{
  input     points(count: {case.points})
  tokens    groups(count: {case.groups}, neighbours: {case.neighbours}, inner: {case.inner})
  positions coordinates(hidden: {case.hidden}, add: {case.add})
  mask      random(ratio: {case.ratio * 100:g}%, round: hidden_down)
  encoder   {vit.format(case.encoder)}, class_token: {str(case.class_token).lower()}{own})
  decoder   {vit.format(case.decoder)}{embed}{own})
  target    neighbours
  loss      chamfer(power: {case.power})
}}
"""


def train(example: dict, weights: Weights, feeds: list[Feed]) -> list[float]:
    points, tokens, placing, mask = (line(example, slot)["values"] for slot in ("input", "tokens", "positions", "mask"))
    case = Case(
        **{"seed": 0, "batch": example["batch"], "points": points["count"], "ratio": mask["ratio"]},
        **{"groups": tokens["count"], "neighbours": tokens["neighbours"], "inner": tokens["inner"]},
        **{"hidden": placing["hidden"], "add": placing["add"], "class_token": "cls_token" in weights},
        **{"encoder": network_of(line(example, "encoder")), "decoder": network_of(line(example, "decoder"))},
        **{"power": line(example, "loss")["values"]["power"], "published": "decoder_embed.weight" not in weights},
    )
    assert example["tokens"] == {"total": case.groups, "visible": case.visible}, (example["tokens"], case)
    w = leaves(weights, [name for name in weights if name.endswith(STATES)])
    return descend(
        example,
        w,
        feeds,
        lambda feed: loss_of(case, w, feed["points"], feed["visible"], feed["hidden"], feed.get("drops")),
    )


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent)
    write(folder / "point-mae", *run(SMALL))
    write(folder / "point-mae-distances", *run(DISTANCES))


if __name__ == "__main__":
    main()
