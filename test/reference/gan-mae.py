"""Writes the fixtures of GAN-MAE: what both sides pay and their gradients, and some steps of training with one AdamW.

Written from the description of the method (Fei et al., CVPR 2023) as two independent ports have it. Each case is another
combination of backbone, update and balance. Usage: python gan-mae.py [folder]; `train` is described in stepping.py.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import torch
import torch.nn.functional as F
from mae import CASES, Case, Network, case_of, encode, linear, loss_of, make_weights, mask_of, patches_of, predict, tables_of
from mae import target_of
from method import drawn, header_of, leaves_of, spec_of, write
from stepping import Feed, Weights, leaves, line, optimizer_for, update

EPSILON = 1e-6  # in the ratio of the gradients' norms
# A larger epsilon than usual: the bias of keys has a gradient of zero, whose rounding AdamW would blow up to whole steps.
OPTIMIZER = {"lr": 2e-3, "betas": (0.9, 0.95), "eps": 1e-6}
DECAY = 0.05
STEPS = 4


@dataclass(frozen=True)
class Setting:
    backbone: str
    alternate: bool
    balanced: bool
    weight: float
    pays: str = "both"
    smoothing: float | None = None
    slopes: float | None = None

    @property
    def shared(self) -> bool:
        return self.backbone != "separate"

    @property
    def line(self) -> str:
        turns = "alternate" if self.alternate else "joint"
        balance = "gradients" if self.balanced else "fixed"
        pays = "" if self.pays == "both" else f", pays: {self.pays}"
        shares = "" if self.smoothing is None else f", smoothing: {100 * self.smoothing:g}%"
        more = shares if self.slopes is None else f"{shares}, slopes: {self.slopes}"
        values = f"backbone: {self.backbone}, update: {turns}, balance: {balance}, weight: {self.weight}{pays}{more}"
        return f"adversary patch_discriminator({values})"


SETTINGS = {
    "gan-mae": (CASES[0], Setting("shared", alternate=True, balanced=True, weight=1.0)),
    "gan-mae-joint": (CASES[1], Setting("shared", alternate=False, balanced=False, weight=0.2)),
    "gan-mae-separate": (CASES[0], Setting("separate", alternate=True, balanced=False, weight=0.5)),
    "gan-mae-separate-joint": (CASES[2], Setting("separate", alternate=False, balanced=True, weight=0.3)),
    "gan-mae-slopes": (CASES[1], Setting("separate", alternate=True, balanced=False, weight=0.5, smoothing=0.1, slopes=0.02)),
    "gan-mae-one-way": (CASES[0], Setting("one_way", alternate=True, balanced=True, weight=0.5, pays="hidden")),
}


def small(case: Case) -> Case:
    encoder, decoder = replace(case.encoder, depth=1, width=16, heads=2), Network(depth=1, width=8, heads=2)
    return replace(case, encoder=encoder, decoder=decoder)


def is_backbone(name: str) -> bool:
    return name in ("cls_token", "pos_embed") or name.split(".")[0] in ("patch_embed", "blocks", "norm")


def unpatchify(case: Case, patches: torch.Tensor) -> torch.Tensor:
    (rows, columns), (height, width) = case.grid, case.patch
    split = patches.reshape(len(patches), rows, columns, height, width, case.image[2])
    return split.permute(0, 1, 3, 2, 4, 5).reshape(len(patches), *case.image)


def completed(case: Case, image: torch.Tensor, prediction: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """The image [B, H, W, C] with predictions in the pixels' own scale where mask [B, N] is 1."""
    patches = patches_of(case, image)
    if case.normalize:
        mean, variance = patches.mean(dim=-1, keepdim=True), patches.var(dim=-1, keepdim=True, correction=1)
        prediction = prediction * (variance + 1e-6).sqrt() + mean
    return unpatchify(case, torch.where(mask[:, :, None] == 1, prediction, patches))


@dataclass(frozen=True)
class Sides:
    """What both sides pay for a batch; w: weights by name, those of the discriminator below `adversary`."""

    case: Case
    setting: Setting
    w: Weights

    def names(self, side: str) -> list[str]:
        own = [name for name in self.w if name.startswith("adversary.")]
        model = [name for name in self.w if name not in own]
        shared = [name for name in model if is_backbone(name)] if self.setting.shared else []
        return [name for name in (model if side == "model" else own + shared) if self.w[name].requires_grad]

    def leaves(self, side: str) -> list[torch.Tensor]:
        return [self.w[name] for name in self.names(side)]

    def prediction(self, feed: Feed) -> torch.Tensor:
        latent = encode(self.case, self.w, feed["image"], feed["visible"])
        return predict(self.case, self.w, latent, feed["restore"])

    def originality(self, prediction: torch.Tensor, feed: Feed, trains: bool = True) -> torch.Tensor:
        """-> o [B, N], how surely each patch of the completed image is an original. trains: whether gradients reach a shared encoder."""
        return torch.sigmoid(self.logits(completed(self.case, feed["image"], prediction, mask_of(self.case, feed)), trains))

    def logits(self, image: torch.Tensor, trains: bool = True) -> torch.Tensor:
        """-> [B, N], of each patch of an image that it is an original."""
        prefix = "adversary.backbone."
        backbone = {k.removeprefix(prefix): v for k, v in self.w.items() if k.startswith(prefix)}
        every = torch.arange(self.case.tokens).expand(len(image), -1)
        shared = self.w if trains else {name: leaf.detach() for name, leaf in self.w.items()}
        latent = encode(self.case, shared if self.setting.shared else backbone, image, every)
        return linear(self.w, "adversary.head", latent[:, 1:])[..., 0]

    def model_terms(self, feed: Feed) -> tuple[torch.Tensor, torch.Tensor]:
        prediction, mask = self.prediction(feed), mask_of(self.case, feed)
        o = self.originality(prediction, feed, trains=self.setting.backbone != "one_way")
        mse = loss_of("mse", "hidden", prediction, target_of(self.case, feed["image"]), mask)
        if self.setting.pays == "hidden":
            return mse, -o[mask == 1].log().mean()
        return mse, o[mask == 0].log().mean() + (1 - o[mask == 1]).log().mean()

    def model_loss(self, feed: Feed) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        mse, adversarial = self.model_terms(feed)
        terms = {"mse": mse, "adversarial": adversarial}
        if not self.setting.balanced:
            return mse + self.setting.weight * adversarial, terms
        lengths = []
        for term in (mse, adversarial):
            slopes = torch.autograd.grad(term, self.leaves("model"), retain_graph=True, allow_unused=True)
            lengths.append(torch.cat([slope.flatten() for slope in slopes if slope is not None]).norm())
        weight = self.setting.weight * lengths[0] / (lengths[1] + EPSILON)
        return mse + weight * adversarial, terms | {"adversarial.weight": weight}

    def adversary_terms(self, feed: Feed) -> dict[str, torch.Tensor]:
        with torch.no_grad():
            prediction = self.prediction(feed)
        labels = (1 - mask_of(self.case, feed)) * (1 - (self.setting.smoothing or 0))
        terms = {"adversary": F.binary_cross_entropy(self.originality(prediction, feed), labels)}
        if self.setting.slopes is None:
            return terms
        # R1, of what it says of the true image: a gradient whose squared length is differentiated again.
        true = feed["image"].clone().requires_grad_()
        (slope,) = torch.autograd.grad(self.logits(true).sum(), true, create_graph=True)
        return terms | {"adversary_slopes": slope.square().sum(dim=(1, 2, 3)).mean()}

    def adversary_loss(self, feed: Feed) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        terms = self.adversary_terms(feed)
        return terms["adversary"] + (self.setting.slopes or 0) / 2 * terms.get("adversary_slopes", 0), terms

    def step(self, feed: Feed, descend: Callable[[], None]) -> dict[str, float]:
        """`descend` changes the weights that have gradients, and clears those. -> what the step tells"""
        loss, terms = self.model_loss(feed)
        loss.backward(inputs=self.leaves("model"))
        if self.setting.alternate:
            descend()
        against, own = self.adversary_loss(feed)
        against.backward(inputs=self.leaves("adversary"))
        descend()
        values = {"loss": loss} | {f"loss/{name}": term for name, term in (terms | own).items()}
        return {name: value.item() for name, value in values.items()}


def drawn_sides(case: Case, setting: Setting) -> tuple[Sides, Feed, torch.Tensor]:
    """With weights and a batch of their own; the last is the order [B, N] of its tokens."""
    random = torch.Generator().manual_seed(case.seed)
    weights = make_weights(case, random)
    if not setting.shared:
        weights |= {f"adversary.backbone.{k}": v for k, v in make_weights(case, random).items() if is_backbone(k)}
    head = torch.randn(1, case.encoder.width, generator=random, dtype=torch.float64) * 0.5
    weights |= {"adversary.head.weight": head.float().double(), "adversary.head.bias": torch.tensor([0.25]).double()}
    image, order, restore, _ = drawn(case, random)
    feed = {"image": image, "visible": order[:, : case.visible], "restore": restore}
    return Sides(case, setting, leaves_of(case, weights)), feed, order


def repeat(sides: Sides, feed: Feed) -> list[dict[str, float]]:
    """Steps on one batch. One AdamW for all weights; a weight without a gradient is left alone and counts no update."""
    trained = [leaf for leaf in sides.w.values() if leaf.requires_grad]
    groups = [
        {"params": [p for p in trained if p.ndim > 1], "weight_decay": DECAY},
        {"params": [p for p in trained if p.ndim <= 1], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, **OPTIMIZER)

    def descend() -> None:
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    optimizer.zero_grad(set_to_none=True)
    return [sides.step(feed, descend) for _ in range(STEPS)]


def run(case: Case, setting: Setting) -> tuple[dict, dict[str, torch.Tensor]]:
    sides, feed, order = drawn_sides(case, setting)
    loss, terms = sides.model_loss(feed)
    loss.backward(inputs=sides.leaves("model"))
    against, own = sides.adversary_loss(feed)
    slopes = torch.autograd.grad(against, sides.leaves("adversary"), allow_unused=True)
    assert all(slope is not None for slope in slopes)
    start = {name: leaf.detach().clone() for name, leaf in sides.w.items()}
    tensors = {f"weights/{name}": value for name, value in start.items()}
    tensors |= {f"gradients/{name}": sides.w[name].grad for name in sides.names("model")}
    tensors |= {f"against/{name}": slope for name, slope in zip(sides.names("adversary"), slopes, strict=True)}
    tensors |= {"image": feed["image"], "order": order.int(), "restore": feed["restore"].int()}
    spec = spec_of(case, ["loss mse(on: hidden)", setting.line])
    positions = "learned" if case.learned_positions else "sin_cos"
    spec = spec.replace("  mask", f"  positions {positions}\n  mask")
    header = header_of(case, spec, terms | own, loss)
    header["training"] = {**OPTIMIZER, "weight_decay": DECAY, "told": repeat(sides, feed)}
    tensors |= {f"trained/{name}": leaf.detach() for name, leaf in sides.w.items() if leaf.requires_grad}
    return header, tensors


def setting_of(example: dict) -> Setting:
    judged, values = line(example, "loss"), line(example, "adversary")["values"]
    assert (judged["block"], judged["values"]["on"], judged["values"]["weight"]) == ("mse", "hidden", 1), judged
    return Setting(
        backbone=values["backbone"],
        alternate=values["update"] == "alternate",
        balanced=values["balance"] == "gradients",
        weight=values["weight"],
        pays=values["pays"],
        smoothing=values["smoothing"],
        slopes=values["slopes"],
    )


def train(example: dict, weights: Weights, feeds: list[Feed]) -> list[float]:
    case = case_of(example)
    sides = Sides(case, setting_of(example), leaves(weights, tables_of(case, weights)))
    optimizer = optimizer_for(example, sides.w)
    return [sides.step(feed, lambda feed=feed: update(example, optimizer, feed))["loss"] for feed in feeds]


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent)
    for name, (case, setting) in SETTINGS.items():
        write(folder / name, *run(small(case), setting))


if __name__ == "__main__":
    main()
