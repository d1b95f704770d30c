"""Writes the fixture of MeshMAE: a small model of meshes, in float64 by PyTorch, with the faces as trimesh measures them.

Written from the description (Liang et al., ECCV 2022, section 3, and the official repository): a base mesh cut in four again and again, faces measured
by trimesh, vertices of a patch as the different corners of its faces, the hidden tokens first in the decoder.
Usage: python mesh-mae.py [folder]; `train` is described in stepping.py. Needs trimesh.
"""

import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from drawing import Drawing
from mae import Network, block, layer_norm, linear, network_of, take
from method import learned, vit, write
from stepping import Feed, Weights, descend, leaves, line

FEATURES = 10


@dataclass(frozen=True)
class Case:
    seed: int
    batch: int
    patches: int
    levels: int
    hidden: int
    ratio: float
    encoder: Network
    decoder: Network
    weight: float

    @property
    def visible(self) -> int:
        return self.patches - int(self.patches * self.ratio)

    @property
    def faces(self) -> int:
        return 4**self.levels

    @property
    def vertices(self) -> int:
        side = 2**self.levels
        return (side + 1) * (side + 2) // 2


SMALL = Case(81, 2, 8, 2, 5, 0.5, Network(2, 12, 2), Network(1, 8, 2), 0.5)
PUBLISHED = replace(SMALL, patches=96, levels=3, hidden=128, encoder=Network(12, 768, 12), decoder=Network(6, 512, 16))

OCTAHEDRON = (
    np.array([[1, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0], [0, 0, 1], [0, 0, -1]], dtype=np.float64),
    [[0, 2, 4], [2, 1, 4], [1, 3, 4], [3, 0, 4], [2, 0, 5], [1, 2, 5], [3, 1, 5], [0, 3, 5]],
)


def cut_in_four(points: np.ndarray, faces: list, places: list) -> tuple[np.ndarray, list, list]:
    """Also the places of the corners of each face in its patch: steps away from its first corner, and of these towards the third."""
    points, middles = list(points), {}

    def between(a: int, b: int) -> int:
        key = (min(a, b), max(a, b))
        if key not in middles:
            middles[key] = len(points)
            points.append((points[a] + points[b]) / 2)
        return middles[key]

    parts = [[], [], [], []]
    for (a, b, c), (p, q, r) in zip(faces, places, strict=True):
        ab, bc, ca = between(a, b), between(b, c), between(c, a)
        pq, qr, rp = (tuple((s + t) / 2 for s, t in zip(u, v, strict=True)) for u, v in ((p, q), (q, r), (r, p)))
        own = [((a, ab, ca), (p, pq, rp)), ((ab, b, bc), (pq, q, qr)), ((ca, bc, c), (rp, qr, r)), ((ab, bc, ca), (pq, qr, rp))]
        for part, one in zip(parts, own, strict=True):
            part.append(one)
    cut = [one for part in parts for one in part]
    return np.array(points), [face for face, _ in cut], [place for _, place in cut]


def meshes_of(case: Case, random: torch.Generator) -> tuple[list[np.ndarray], np.ndarray, np.ndarray]:
    """-> the points of each mesh, the faces as files have them, and in the order of a patch [N, F, 3]: row after row from its first corner."""
    points, faces = OCTAHEDRON
    side = 2**case.levels
    places = [((0, 0), (side, 0), (side, side)) for _ in faces]
    for _ in range(case.levels):
        points, faces, places = cut_in_four(points, faces, places)
    ordered = []
    for patch in range(case.patches):
        rows = []
        for face, place in list(zip(faces, places, strict=True))[patch :: case.patches]:
            first = place.index(min(place))
            key = (min(i for i, _ in place), sum(j for _, j in place))
            rows.append((key, [face[(first + k) % 3] for k in range(3)]))
        ordered.append([face for _, face in sorted(rows)])
    moved = [points + 0.1 * torch.randn(*points.shape, generator=random).numpy() for _ in range(case.batch)]
    return [mesh.astype(np.float32) for mesh in moved], np.array(faces), np.array(ordered)


def measured(points: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """faces [N, F, 3] -> [N, F, 19], by trimesh."""
    import trimesh

    mesh = trimesh.Trimesh(points.astype(np.float64), faces.reshape(-1, 3), process=False, validate=False)
    normals = mesh.face_normals
    curvatures = np.einsum("fkc,fc->fk", mesh.vertex_normals[mesh.faces], normals)
    known = [mesh.area_faces[:, None], np.sort(mesh.face_angles, axis=1), np.sort(curvatures, axis=1), normals]
    return np.concatenate([*known, mesh.triangles.reshape(-1, 9)], axis=1).reshape(*faces.shape[:2], -1)


def draw_positions(draw: Drawing, name: str, case: Case, width: int) -> None:
    draw.matrix(f"{name}.fc1", case.hidden, 3)
    draw.matrix(f"{name}.fc2", width, case.hidden)
    draw.normal(f"{name}.class", 1, 1, width, std=0.3)


def make_weights(case: Case, random: torch.Generator) -> Weights:
    draw = Drawing(random)
    encoder, decoder = case.encoder, case.decoder
    draw_positions(draw, "pos_embed", case, encoder.width)
    draw.matrix("face_embed.proj", encoder.width, FEATURES * case.faces)
    draw.norm("face_embed.norm", encoder.width)
    draw.normal("cls_token", 1, 1, encoder.width, std=0.3)
    draw.blocks("blocks", encoder.depth, encoder.width)
    draw.norm("norm", encoder.width)
    draw_positions(draw, "decoder_pos_embed", case, decoder.width)
    draw.matrix("decoder_embed", decoder.width, encoder.width)
    draw.normal("mask_token", 1, 1, decoder.width, std=0.3)
    draw.blocks("decoder_blocks", decoder.depth, decoder.width)
    draw.norm("decoder_norm", decoder.width)
    draw.matrix("corners.decoder_pred", 3 * case.vertices, decoder.width)
    draw.matrix("features.decoder_pred", FEATURES * case.faces, decoder.width)
    return draw.weights


def placed(w: dict, name: str, centres: torch.Tensor) -> torch.Tensor:
    """centres [B, K, 3] -> [B, K, D]"""
    return linear(w, f"{name}.fc2", F.gelu(linear(w, f"{name}.fc1", centres)))


def nearest(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Of each of a [S, P, 3] the distance to the nearest of b."""
    return torch.linalg.norm(a[:, :, None] - b[:, None], dim=3).amin(dim=2)


def vertices_of(corners: torch.Tensor) -> torch.Tensor:
    """corners [S, 3 F, 3] -> the different ones, in any order, [S, V, 3]"""
    return torch.stack([own.unique(dim=0) for own in corners])


def losses_of(case: Case, w: dict, mesh: torch.Tensor, visible: torch.Tensor, hidden: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """mesh [B, N, F, 19] -> the losses of corners and of features"""
    batch = len(mesh)
    features = mesh[..., :FEATURES].flatten(2)
    corners = mesh[..., FEATURES:].reshape(*mesh.shape[:2], -1, 3)
    centres = corners.reshape(*mesh.shape[:3], 3, 3).mean(dim=3).mean(dim=2)
    tokens = layer_norm(w, "face_embed.norm", linear(w, "face_embed.proj", take(features, visible)), 1e-6)
    x = tokens + placed(w, "pos_embed", take(centres, visible))
    x = torch.cat([x, (w["cls_token"] + w["pos_embed.class"]).expand(batch, -1, -1)], dim=1)
    for i in range(case.encoder.depth):
        x = block(w, f"blocks.{i}", x, case.encoder.heads)
    seen = linear(w, "decoder_embed", layer_norm(w, "norm", x))
    masked = w["mask_token"].expand(batch, hidden.shape[1], -1) + placed(w, "decoder_pos_embed", take(centres, hidden))
    shown = seen[:, :-1] + placed(w, "decoder_pos_embed", take(centres, visible))
    # As in the official code, hidden tokens first, then visible ones and the class token.
    x = torch.cat([masked, shown, seen[:, -1:] + w["decoder_pos_embed.class"]], dim=1)
    for i in range(case.decoder.depth):
        x = block(w, f"decoder_blocks.{i}", x, case.decoder.heads)
    x = layer_norm(w, "decoder_norm", x)[:, : hidden.shape[1]].flatten(0, 1)
    # Coordinates as they are: the centre is added to what is predicted.
    points = linear(w, "corners.decoder_pred", x).reshape(len(x), -1, 3) + take(centres, hidden).reshape(-1, 1, 3)
    wanted = vertices_of(take(corners.flatten(2), hidden).reshape(len(x), -1, 3))
    assert wanted.shape[1] == case.vertices, wanted.shape
    chamfer = (nearest(points, wanted).mean() + nearest(wanted, points).mean()) / 2
    return chamfer, F.mse_loss(linear(w, "features.decoder_pred", x), take(features, hidden).flatten(0, 1))


def run(case: Case) -> tuple[dict, dict[str, torch.Tensor]]:
    random = torch.Generator().manual_seed(case.seed)
    points, faces, ordered = meshes_of(case, random)
    mesh = torch.tensor(np.stack([measured(one, ordered) for one in points])).float().double()
    order = torch.rand(case.batch, case.patches, generator=random).argsort(dim=1)
    restore = order.argsort(dim=1)
    w = leaves(make_weights(case, random), [])
    corners, features = losses_of(case, w, mesh, order[:, : case.visible], order[:, case.visible :])
    loss = case.weight * corners + features
    loss.backward()
    header = {
        "spec": spec_of(case),
        "batch": case.batch,
        "tokens": {"total": case.patches, "visible": case.visible},
        "terms": {"corners.chamfer": corners.item(), "features.mse": features.item()},
        "loss": loss.item(),
        "published": sum(value.numel() for value in make_weights(PUBLISHED, random).values()),
    }
    tensors = {"mesh": mesh, "points": torch.tensor(np.stack(points)), "faces": torch.tensor(faces).int()}
    return header, learned(w) | tensors | {"order": order.int(), "restore": restore.int()}


def spec_of(case: Case) -> str:
    return f"""edition 2026
model Reference {{
  input     mesh(patches: {case.patches}, levels: {case.levels})
  tokens    faces
  positions coordinates(hidden: {case.hidden})
  mask      random(ratio: {case.ratio * 100:g}%, round: hidden_down)
  encoder   {vit(case.encoder)}
  decoder   {vit(case.decoder)}
  target    corners: vertices
  loss      corners: chamfer(power: 1, weight: {case.weight})
  target    features: faces
  loss      features: mse
}}
"""


def train(example: dict, weights: Weights, feeds: list[Feed]) -> list[float]:
    mesh, placing, mask = (line(example, slot)["values"] for slot in ("input", "positions", "mask"))
    case = Case(
        **{"seed": 0, "batch": example["batch"], "patches": mesh["patches"], "levels": mesh["levels"]},
        **{"hidden": placing["hidden"], "ratio": mask["ratio"], "weight": line(example, "loss", "corners")["values"]["weight"]},
        **{"encoder": network_of(line(example, "encoder")), "decoder": network_of(line(example, "decoder"))},
    )
    assert example["tokens"] == {"total": case.patches, "visible": case.visible}, (example["tokens"], case)
    w = leaves(weights, [])

    def loss_of(feed: Feed) -> torch.Tensor:
        corners, features = losses_of(case, w, feed["mesh"], feed["visible"], feed["hidden"])
        return case.weight * corners + features

    return descend(example, w, feeds, loss_of)


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent)
    write(folder / "mesh-mae", *run(SMALL))


if __name__ == "__main__":
    main()
