"""Writes the fixtures of GAN-MAE: what both sides pay and their gradients, and some steps of training with one AdamW.

Written from the description of the method (Fei et al., CVPR 2023) as two independent ports have it. Each case is another
combination of backbone, update and balance. Usage: python gan-mae.py [folder]
"""

import sys
from dataclasses import dataclass, replace
from pathlib import Path

import torch
import torch.nn.functional as F
from mae import CASES, Case, Network, encode, linear, loss_of, make_weights, patches_of, predict, target_of
from method import drawn, header_of, leaves_of, spec_of, write

EPSILON = 1e-6  # in the ratio of the gradients' norms
# A larger epsilon than usual: the bias of keys has a gradient of zero, whose rounding AdamW would blow up to whole steps.
OPTIMIZER = {"lr": 2e-3, "betas": (0.9, 0.95), "eps": 1e-6}
DECAY = 0.05
STEPS = 4


@dataclass(frozen=True)
class Setting:
    shared: bool
    alternate: bool
    balanced: bool
    weight: float

    @property
    def line(self) -> str:
        backbone, update = "shared" if self.shared else "separate", "alternate" if self.alternate else "joint"
        balance = "gradients" if self.balanced else "fixed"
        return f"adversary patch_discriminator(backbone: {backbone}, update: {update}, balance: {balance}, weight: {self.weight})"


SETTINGS = {
    "gan-mae": (CASES[0], Setting(shared=True, alternate=True, balanced=True, weight=1.0)),
    "gan-mae-joint": (CASES[1], Setting(shared=True, alternate=False, balanced=False, weight=0.2)),
    "gan-mae-separate": (CASES[0], Setting(shared=False, alternate=True, balanced=False, weight=0.5)),
    "gan-mae-separate-joint": (CASES[2], Setting(shared=False, alternate=False, balanced=True, weight=0.3)),
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


@dataclass
class Sides:
    """Both losses on one batch; w: weights by name, those of the discriminator below `adversary`."""

    case: Case
    setting: Setting
    w: dict[str, torch.Tensor]
    image: torch.Tensor
    order: torch.Tensor
    restore: torch.Tensor
    mask: torch.Tensor

    def names(self, side: str) -> list[str]:
        own = [name for name in self.w if name.startswith("adversary.")]
        model = [name for name in self.w if name not in own]
        shared = [name for name in model if is_backbone(name)] if self.setting.shared else []
        return [name for name in (model if side == "model" else own + shared) if self.w[name].requires_grad]

    def leaves(self, side: str) -> list[torch.Tensor]:
        return [self.w[name] for name in self.names(side)]

    def prediction(self) -> torch.Tensor:
        latent = encode(self.case, self.w, self.image, self.order[:, : self.case.visible])
        return predict(self.case, self.w, latent, self.restore)

    def originality(self, prediction: torch.Tensor) -> torch.Tensor:
        """-> o [B, N], how surely each patch of the completed image is an original."""
        prefix = "adversary.backbone."
        backbone = {k.removeprefix(prefix): v for k, v in self.w.items() if k.startswith(prefix)}
        every = torch.arange(self.case.tokens).expand(len(self.image), -1)
        image = completed(self.case, self.image, prediction, self.mask)
        latent = encode(self.case, self.w if self.setting.shared else backbone, image, every)
        return torch.sigmoid(linear(self.w, "adversary.head", latent[:, 1:])[..., 0])

    def model_terms(self) -> tuple[torch.Tensor, torch.Tensor]:
        prediction = self.prediction()
        o = self.originality(prediction)
        mse = loss_of("mse", "hidden", prediction, target_of(self.case, self.image), self.mask)
        return mse, o[self.mask == 0].log().mean() + (1 - o[self.mask == 1]).log().mean()

    def model_loss(self) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        mse, adversarial = self.model_terms()
        terms = {"mse": mse, "adversarial": adversarial}
        if not self.setting.balanced:
            return mse + self.setting.weight * adversarial, terms
        lengths = []
        for term in (mse, adversarial):
            slopes = torch.autograd.grad(term, self.leaves("model"), retain_graph=True, allow_unused=True)
            lengths.append(torch.cat([slope.flatten() for slope in slopes if slope is not None]).norm())
        weight = self.setting.weight * lengths[0] / (lengths[1] + EPSILON)
        return mse + weight * adversarial, terms | {"adversarial.weight": weight}

    def adversary_loss(self) -> torch.Tensor:
        with torch.no_grad():
            prediction = self.prediction()
        return F.binary_cross_entropy(self.originality(prediction), 1 - self.mask)


def sides_of(case: Case, setting: Setting) -> Sides:
    random = torch.Generator().manual_seed(case.seed)
    weights = make_weights(case, random)
    if not setting.shared:
        weights |= {f"adversary.backbone.{k}": v for k, v in make_weights(case, random).items() if is_backbone(k)}
    head = torch.randn(1, case.encoder.width, generator=random, dtype=torch.float64) * 0.5
    weights |= {"adversary.head.weight": head.float().double(), "adversary.head.bias": torch.tensor([0.25]).double()}
    image, order, restore, mask = drawn(case, random)
    return Sides(case, setting, leaves_of(case, weights), image, order, restore, mask)


def train(sides: Sides) -> list[dict[str, float]]:
    """One AdamW for all weights; a weight without a gradient is left alone and counts no update. -> what each step tells."""
    trained = [leaf for leaf in sides.w.values() if leaf.requires_grad]
    groups = [
        {"params": [p for p in trained if p.ndim > 1], "weight_decay": DECAY},
        {"params": [p for p in trained if p.ndim <= 1], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, **OPTIMIZER)
    told = []
    for _ in range(STEPS):
        optimizer.zero_grad(set_to_none=True)
        loss, terms = sides.model_loss()
        loss.backward(inputs=sides.leaves("model"))
        if sides.setting.alternate:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        against = sides.adversary_loss()
        against.backward(inputs=sides.leaves("adversary"))
        optimizer.step()
        values = {"loss": loss} | {f"loss/{name}": term for name, term in (terms | {"adversary": against}).items()}
        told.append({name: value.item() for name, value in values.items()})
    return told


def run(case: Case, setting: Setting) -> tuple[dict, dict[str, torch.Tensor]]:
    sides = sides_of(case, setting)
    loss, terms = sides.model_loss()
    loss.backward(inputs=sides.leaves("model"))
    against = sides.adversary_loss()
    slopes = torch.autograd.grad(against, sides.leaves("adversary"), allow_unused=True)
    assert all(slope is not None for slope in slopes)
    start = {name: leaf.detach().clone() for name, leaf in sides.w.items()}
    tensors = {f"weights/{name}": value for name, value in start.items()}
    tensors |= {f"gradients/{name}": sides.w[name].grad for name in sides.names("model")}
    tensors |= {f"against/{name}": slope for name, slope in zip(sides.names("adversary"), slopes, strict=True)}
    tensors |= {"image": sides.image, "order": sides.order.int(), "restore": sides.restore.int()}
    spec = spec_of(case, ["loss mse(on: hidden)", setting.line])
    positions = "learned" if case.learned_positions else "sin_cos"
    spec = spec.replace("  mask", f"  positions {positions}\n  mask")
    header = header_of(case, spec, terms | {"adversary": against}, loss)
    header["training"] = {**OPTIMIZER, "weight_decay": DECAY, "told": train(sides)}
    tensors |= {f"trained/{name}": leaf.detach() for name, leaf in sides.w.items() if leaf.requires_grad}
    return header, tensors


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent)
    for name, (case, setting) in SETTINGS.items():
        write(folder / name, *run(small(case), setting))


main()
