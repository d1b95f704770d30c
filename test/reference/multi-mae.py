"""Writes the fixture of MultiMAE: a small model of colours, depth and classes of pixels, in float64 by PyTorch.

Written from the description (Bachmann et al., ECCV 2022, with the constants of the official repository): one mask over the tokens of all
inputs shows the same number of them in every sample, and of one input any number; one encoder sees them with a global token; each task has
a decoder, whose queries are the tokens of the task and whose context is all that the encoder gives. Weights have the official names.
Three things are written otherwise and compute the same: the global token stands in front, the classes of pixels are planes of zeros and
ones, so that the table of classes and the projection behind it are one matrix, and positions are those of MAE, with the halves of a row
the other way round.
Usage: python multi-mae.py [folder]
"""

import re
import sys
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from drawing import Drawing
from mae import (
    AGREEMENT,
    STEPS,
    Network,
    Patched,
    block,
    largest,
    layer_norm,
    linear,
    network_of,
    normalized,
    patches_of,
    sine_cosine,
    take,
    versions,
)
from method import write
from stepping import Feed, Weights, descend, leaves, line, lines

# From the official names to ours, in which what belongs to an input or a target stands under its label.
NAMES = [
    (r"^input_adapters\.(\w+)\.proj", r"\1.patch_embed.proj"),
    (r"^input_adapters\.(\w+)\.pos_emb", r"\1.pos_embed"),
    (r"^global_tokens", "cls_token"),
    (r"^encoder\.", "blocks."),
    (r"^output_adapters\.(\w+)\.pos_emb\.(\w+)", r"\1.inputs.\2.decoder_pos_embed"),
    (r"^output_adapters\.(\w+)\.", r"\1."),
]


# The losses by the names of our blocks.
LOSSES = {"mse": "mse", "l1": "l1", "cross_entropy": "channel_cross_entropy"}


def ours(name: str) -> str:
    """The name of a weight in our models."""
    pattern, put = next((pattern, put) for pattern, put in NAMES if re.search(pattern, name))
    return re.sub(pattern, put, name)


@dataclass(frozen=True)
class Task(Patched):
    image: tuple[int, int, int]  # rows, columns, channels
    patch: tuple[int, int]
    loss: str  # mse, l1, cross_entropy: of each pixel over its channels
    normalize: bool = False  # by patch: the decoder that is published beside the one of plain colours


@dataclass(frozen=True)
class Case:
    seed: int
    batch: int
    tasks: dict[str, Task]
    visible: int
    encoder: Network
    decoder: Network  # the blocks behind the one that asks the context

    @property
    def tokens(self) -> int:
        return sum(task.tokens for task in self.tasks.values())

    def start(self, name: str) -> int:
        before = list(self.tasks).index(name)
        return sum(task.tokens for task in list(self.tasks.values())[:before])


SMALL = Case(
    seed=61,
    batch=3,
    tasks={
        "rgb": Task((8, 12, 3), (4, 4), "mse", normalize=True),
        "depth": Task((8, 12, 1), (4, 4), "l1"),
        "semseg": Task((4, 6, 5), (2, 2), "cross_entropy"),
    },
    visible=8,
    encoder=Network(2, 16, 2),
    decoder=Network(1, 12, 2),
)


def positions(task: Task, width: int) -> torch.Tensor:
    """[1, N, D]"""
    return sine_cosine(width, *task.grid)[:, 1:].float().double()


def make_weights(case: Case, random: torch.Generator) -> dict[str, torch.Tensor]:
    draw = Drawing(random)
    width, narrow = case.encoder.width, case.decoder.width
    for name, task in case.tasks.items():
        draw.matrix(f"input_adapters.{name}.proj", width, task.values)
        draw.weights[f"input_adapters.{name}.pos_emb"] = positions(task, width)
    draw.normal("global_tokens", 1, 1, width, std=0.3)
    draw.blocks("encoder", case.encoder.depth, width)
    for name, task in case.tasks.items():
        own = f"output_adapters.{name}"
        draw.matrix(f"{own}.proj_context", narrow, width)
        draw.normal(f"{own}.mask_token", 1, 1, narrow, std=0.3)
        for label, other in case.tasks.items():
            draw.normal(f"{own}.task_embeddings.{label}", 1, 1, narrow, std=0.3)
            # One table in the repository: there, all inputs have one grid.
            draw.weights[f"{own}.pos_emb.{label}"] = positions(other, narrow)
        for part in ("query_norm", "context_norm", "out_norm"):
            draw.norm(f"{own}.{part}", narrow)
        draw.matrix(f"{own}.decoder.q", narrow, narrow)
        draw.matrix(f"{own}.decoder.kv", 2 * narrow, narrow)
        draw.matrix(f"{own}.decoder.proj", narrow, narrow)
        draw.perceptron(f"{own}.mlp", narrow)
        draw.blocks(f"{own}.decoder_transformer", case.decoder.depth, narrow)
        draw.matrix(f"{own}.out_proj", task.values, narrow)
    return draw.weights


def is_trainable(name: str) -> bool:
    return "pos_emb" not in name


def target_of(task: Task, array: torch.Tensor) -> torch.Tensor:
    patches = patches_of(task, array)
    if not task.normalize:
        return patches
    return normalized(patches)


def encode(case: Case, w: dict, arrays: dict, visible: torch.Tensor) -> torch.Tensor:
    """-> [B, 1 + V, D]"""
    tokens = [
        linear(w, f"input_adapters.{name}.proj", patches_of(task, arrays[name])) + w[f"input_adapters.{name}.pos_emb"]
        for name, task in case.tasks.items()
    ]
    x = torch.cat([w["global_tokens"].expand(len(visible), -1, -1), take(torch.cat(tokens, dim=1), visible)], dim=1)
    for i in range(case.encoder.depth):
        x = block(w, f"encoder.{i}", x, case.encoder.heads)
    return x


def ask(case: Case, w: dict, own: str, queries: torch.Tensor, context: torch.Tensor) -> torch.Tensor:
    """Cross-attention without a residual, then a perceptron with one."""
    batch, count, width = queries.shape
    heads = case.decoder.heads

    def apart(x: torch.Tensor) -> torch.Tensor:
        return x.reshape(batch, x.shape[1], heads, width // heads).transpose(1, 2)

    told = layer_norm(w, f"{own}.context_norm", context)
    q = apart(linear(w, f"{own}.decoder.q", layer_norm(w, f"{own}.query_norm", queries)))
    k, v = (apart(part) for part in linear(w, f"{own}.decoder.kv", told).chunk(2, dim=-1))
    weights = (q @ k.transpose(-1, -2) * (width // heads) ** -0.5).softmax(dim=-1)
    x = linear(w, f"{own}.decoder.proj", (weights @ v).transpose(1, 2).reshape(batch, count, width))
    hidden = F.gelu(linear(w, f"{own}.mlp.fc1", layer_norm(w, f"{own}.out_norm", x)))
    return x + linear(w, f"{own}.mlp.fc2", hidden)


def decode(case: Case, w: dict, name: str, latent: torch.Tensor, visible: torch.Tensor, restore: torch.Tensor) -> dict:
    """-> prediction [B, N, P], and what the queries ask and get"""
    own, task = f"output_adapters.{name}", case.tasks[name]
    context = linear(w, f"{own}.proj_context", latent)
    hidden = w[f"{own}.mask_token"].expand(len(context), case.tokens - case.visible, -1)
    places = [w[f"{own}.pos_emb.{label}"] + w[f"{own}.task_embeddings.{label}"] for label in case.tasks]
    every = take(torch.cat([context[:, 1:], hidden], dim=1), restore) + torch.cat(places, dim=1)
    queries = every[:, case.start(name) : case.start(name) + task.tokens]
    context = torch.cat([context[:, :1], take(every, visible)], dim=1)
    crossed = x = ask(case, w, own, queries, context)
    for i in range(case.decoder.depth):
        x = block(w, f"{own}.decoder_transformer.{i}", x, case.decoder.heads)
    prediction = linear(w, f"{own}.out_proj", x)
    return {"prediction": prediction, "queries": queries, "context": context, "crossed": crossed}


def errors_of(task: Task, prediction: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """[B, N, P] -> [B, N]: means over pixels."""
    if task.loss == "mse":
        return ((prediction - target) ** 2).mean(dim=-1)
    if task.loss == "l1":
        return (prediction - target).abs().mean(dim=-1)
    logits, classes = (x.unflatten(2, (-1, task.image[2])) for x in (prediction, target))
    return -(classes * logits.log_softmax(dim=-1)).sum(dim=-1).mean(dim=-1)


def over_hidden(errors: torch.Tensor, hidden: torch.Tensor) -> torch.Tensor:
    """errors and hidden [B, N] -> the mean of each sample's hidden tokens, over the samples that have some."""
    some = hidden.sum(dim=1) > 0
    return ((errors * hidden)[some].sum(dim=1) / hidden[some].sum(dim=1)).mean()


def terms_of(case: Case, w: dict, arrays: dict, order: torch.Tensor, restore: torch.Tensor) -> tuple[dict, dict]:
    visible = order[:, : case.visible]
    latent = encode(case, w, arrays, visible)
    made = {name: decode(case, w, name, latent, visible, restore) for name in case.tasks}
    terms = {}
    for name, task in case.tasks.items():
        start = case.start(name)
        hidden = (restore[:, start : start + task.tokens] >= case.visible).double()
        errors = errors_of(task, made[name]["prediction"], target_of(task, arrays[name]))
        terms[f"{name}.{LOSSES[task.loss]}"] = over_hidden(errors, hidden)
    return terms, {"latent": latent, **made}


def repeat(case: Case, weights: dict, arrays: dict, order: torch.Tensor, restore: torch.Tensor) -> dict:
    """AdamW steps on one batch and mask; the losses before each step and after the last."""
    settings = {"optimizer": "adamw", "lr": 1e-3, "betas": [0.9, 0.95], "epsilon": 1e-8, "weight_decay": 0.05}
    w = {name: value.clone().requires_grad_(is_trainable(name)) for name, value in weights.items()}
    every = [weight for weight in w.values() if weight.requires_grad]
    groups = [
        {"params": [p for p in every if p.ndim > 1], "weight_decay": settings["weight_decay"]},
        {"params": [p for p in every if p.ndim <= 1], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=settings["lr"], betas=(0.9, 0.95), eps=settings["epsilon"])
    losses = []
    for step in range(STEPS + 1):
        loss = sum(terms_of(case, w, arrays, order, restore)[0].values())
        losses.append(loss.item())
        if step < STEPS:
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return settings | {"losses": losses}


def masks(case: Case, random: torch.Generator) -> torch.Tensor:
    """Orders of all tokens, visible ones first, [B, N]. Of the first sample all depth is visible, so that its loss has no part in it."""
    order = torch.rand(case.batch, case.tokens, generator=random, dtype=torch.float64)
    start = case.start("depth")
    order[0, start : start + case.tasks["depth"].tokens] -= 1
    return order.argsort(dim=1)


def run(case: Case) -> tuple[dict, dict[str, torch.Tensor]]:
    random = torch.Generator().manual_seed(case.seed)
    arrays = {}
    for name, task in case.tasks.items():
        array = torch.randn(case.batch, *task.image, generator=random, dtype=torch.float64).float().double()
        is_classes = task.loss == "cross_entropy"
        arrays[name] = F.one_hot(array.argmax(dim=-1), task.image[2]).double() if is_classes else array
    order = masks(case, random)
    restore = order.argsort(dim=1)
    weights = make_weights(case, random)
    w = {name: value.clone().requires_grad_(is_trainable(name)) for name, value in weights.items()}
    terms, made = terms_of(case, w, arrays, order, restore)
    total = sum(terms.values())
    total.backward()
    gradients = {name: leaf.grad for name, leaf in w.items() if leaf.requires_grad}
    idle = [name for name, gradient in gradients.items() if gradient is None or not gradient.isfinite().all()]
    assert not idle, idle
    header = {
        "spec": spec_of(case),
        "batch": case.batch,
        "names": {name: ours(name) for name in weights},
        "inputs": {name: {"start": case.start(name), "tokens": task.tokens} for name, task in case.tasks.items()},
        "tokens": {"total": case.tokens, "visible": case.visible},
        "terms": {name: term.item() for name, term in terms.items()},
        "loss": total.item(),
        "training": repeat(case, weights, arrays, order, restore),
        "versions": versions(),
    }
    tensors = {f"weights/{name}": value for name, value in weights.items()}
    tensors |= {f"gradients/{name}": value for name, value in gradients.items()}
    tensors |= {"latent": made["latent"].detach(), "order": order.int(), "restore": restore.int()}
    for name in case.tasks:
        tensors[name] = arrays[name]
        tensors |= {f"{kind}/{name}": value.detach() for kind, value in made[name].items()}
        tensors[f"target/{name}"] = target_of(case.tasks[name], arrays[name])
    return header, tensors


def target_text(task: Task) -> str:
    return "class_maps" if task.loss == "cross_entropy" else f"pixels(normalize: {'patch' if task.normalize else 'none'})"


def spec_of(case: Case) -> str:
    vit = "vit(depth: {0.depth}, width: {0.width}, heads: {0.heads}{1})"
    images = [
        f"  input     {name}: image(size: {task.image[0]}x{task.image[1]}, channels: {task.image[2]})\n"
        f"  tokens    {name}: patch(size: {task.patch[0]}x{task.patch[1]})"
        for name, task in case.tasks.items()
    ]
    network = case.decoder
    targets = [
        f"  target    {name}: {target_text(task)} {{\n"
        f"    decoder queries(depth: {network.depth}, width: {network.width}, heads: {network.heads})\n"
        f"    loss    {LOSSES[task.loss]}(on: hidden)\n  }}"
        for name, task in case.tasks.items()
    ]
    return "\n".join(
        [
            "edition 2026",
            "model Reference {",
            *images,
            f"  mask      dirichlet(visible: {case.visible})",
            f"  encoder   {vit.format(case.encoder, ', norm: none')}",
            *targets,
            "}",
            "",
        ]
    )


def task_of(example: dict, label: str) -> tuple[Task, Network]:
    """A target, the input that it is made of, and the decoder in its braces."""
    values = line(example, "input", label)["values"]
    tokens = (line(example, "tokens", label) or line(example, "tokens"))["values"]
    target = line(example, "target", label)
    (loss,), (decoder,) = lines(target, "loss"), lines(target, "decoder")
    assert loss["values"]["on"] == "hidden", target
    (kind,) = (kind for kind, name in LOSSES.items() if name == loss["block"])
    normalize = target["values"].get("normalize") == "patch"
    task = Task((*values["size"], values["channels"]), tuple(tokens["size"]), kind, normalize)
    return task, network_of(decoder | {"block": "vit"})


def train(example: dict, weights: Weights, feeds: list[Feed]) -> list[float]:
    found = {one["label"]: task_of(example, one["label"]) for one in lines(example, "input")}
    (network,) = {network for _, network in found.values()}
    case = Case(
        seed=0,
        batch=example["batch"],
        tasks={label: task for label, (task, _) in found.items()},
        visible=line(example, "mask")["values"]["visible"],
        encoder=network_of(line(example, "encoder")),
        decoder=network,
    )
    official = make_weights(case, torch.Generator().manual_seed(0))
    assert {ours(name) for name in official} == weights.keys(), {ours(name) for name in official} ^ weights.keys()
    tables = [name for name in official if not is_trainable(name)]
    for name in tables:
        assert largest(weights[ours(name)], official[name]) < AGREEMENT, name
    w = leaves(weights, [ours(name) for name in tables])

    def loss(feed: Feed) -> torch.Tensor:
        order = torch.cat([feed["visible"], feed["hidden"]], dim=1)
        named = {name: w[ours(name)] for name in official}
        return sum(terms_of(case, named, {label: feed[label] for label in case.tasks}, order, feed["restore"])[0].values())

    return descend(example, w, feeds, loss)


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent)
    header, tensors = run(SMALL)
    write(folder / "multi-mae", header, tensors)


if __name__ == "__main__":
    main()
