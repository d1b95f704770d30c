"""Writes the fixtures of methods that compare views of samples: losses, gradients, and what a batch leaves behind in norms and centres.

Written from the descriptions of the algorithms (Chen et al., SimCLR, ICML 2020; Chen et al., MoCo v2, 2020; Chen, Xie and He, MoCo v3, ICCV 2021; Caron et al., DINO,
ICCV 2021; Zhou et al., iBOT, ICLR 2022; Gupta et al., SiamMAE, NeurIPS 2023), pair of views by pair of views. A model is described by its lines, as a recorded example is (see
stepping.py), so that one implementation serves fixtures and examples. Usage: python views.py [folder]; `train` is described in stepping.py.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

import resnet
import torch
import torch.nn.functional as F
from drawing import Drawing
from mae import Patched, block, layer_norm, linear, mean_over, normalized, patches_of, sine_cosine, take
from method import write
from stepping import Feed, Weights, leaves, line, lines, optimizer_for, update

STATES = ("running_mean", "running_var", "center", "queue")


@dataclass(frozen=True)
class View(Patched):
    """One view: how it is cut."""

    image: tuple[int, int, int]
    patch: tuple[int, int]


@dataclass(frozen=True)
class Stream:
    """Views of a sample that pass together."""

    name: str
    count: int
    view: View


def cell_of(example: dict) -> int:
    """Side of what a place of the last map of a ResNet has of the image."""
    values = line(example, "encoder")["values"]
    return (4 if values["stem"] == "large" else 1) * 2 ** (len(values["depths"]) - 1)


def streams_of(example: dict) -> list[Stream]:
    size, channels = (line(example, "input")["values"][key] for key in ("size", "channels"))
    tokens = line(example, "tokens")
    patch = tuple(tokens["values"]["size"]) if tokens else (cell_of(example),) * 2
    views = line(example, "views")
    values = views["values"]
    whole = View((*size, channels), patch)
    match views["block"]:
        case "crops":
            return [Stream("crop", values["count"], whole)]
        case "copies":
            return [Stream("copy", values["count"], whole)]
        case "two" | "frames":
            return [Stream("first", 1, whole), Stream("second", 1, whole)]
        case "multi_crop":
            small = View((*values["local_size"], channels), patch)
            return [Stream("global", values["global"], whole), Stream("local", values["local"], small)]
    raise AssertionError(views["block"])


# -- the model; w: weights by name


def positions_of(w: Weights, table: tuple[int, int], grid: tuple[int, int]) -> torch.Tensor:
    """[1, 1 + N, D], resized where the view is smaller than what the table is of."""
    if table == grid:
        return w["pos_embed"]
    cls, rest = w["pos_embed"][:, :1], w["pos_embed"][:, 1:]
    places = rest.reshape(1, *table, -1).permute(0, 3, 1, 2)
    resized = F.interpolate(places, size=grid, mode="bicubic", align_corners=False)
    return torch.cat([cls, resized.permute(0, 2, 3, 1).flatten(1, 2)], dim=1)


def resnet_case(example: dict) -> resnet.Case:
    values = line(example, "encoder")["values"]
    image = streams_of(example)[0].view.image
    return resnet.Case(image, 0, tuple(values["depths"]), values["width"], 0, large=values["stem"] == "large")


def encode_by_resnet(example: dict, w: Weights, image: torch.Tensor) -> torch.Tensor:
    """-> [R, 1 + N, D], places of the last map; where the class token of others stands, which it has not, is nothing."""
    case = resnet_case(example)
    last = resnet.encode(case, w, image, torch.ones(len(image), case.tokens, dtype=torch.bool))[-1].flatten(1, 2)
    return torch.cat([torch.full_like(last[:, :1], torch.nan), last], dim=1)


def encode(
    example: dict,
    w: Weights,
    stream: Stream,
    image: torch.Tensor,
    mask: torch.Tensor | None = None,
    norm: bool = True,
    drops: torch.Tensor | None = None,
    visible: torch.Tensor | None = None,
) -> torch.Tensor:
    """
    -> [R, 1 + N, D]; hidden patches are copies of one token where there is a mask [R, N] with 1 = hidden, or left out where the places of the
    `visible` ones [R, V] are given. `drops` [R, numbers]: by what residuals are multiplied, two for each block.
    """
    if line(example, "encoder")["block"] == "resnet":
        return encode_by_resnet(example, w, image)
    values = line(example, "encoder")["values"]
    whole = streams_of(example)[0].view
    tokens = linear(w, "patch_embed.proj", patches_of(stream.view, image))
    if mask is not None:
        tokens = torch.where(mask[:, :, None] == 1, w["mask_token"], tokens)
    positions = positions_of(w, whole.grid, stream.view.grid)
    x = torch.cat([w["cls_token"].expand(len(image), -1, -1), tokens], dim=1) + positions
    if visible is not None:
        x = torch.cat([x[:, :1], take(x[:, 1:], visible)], dim=1)
    for i in range(values["depth"]):
        own = (1, 1) if drops is None else drops[:, 2 * i : 2 * i + 2, None, None].unbind(dim=1)
        x = block(w, f"blocks.{i}", x, values["heads"], drops=own)
    return layer_norm(w, "norm", x) if norm else x


def batch_norm(w: Weights, name: str, x: torch.Tensor) -> torch.Tensor:
    """By the statistics of all rows; the running ones move."""
    flat = x.reshape(-1, x.shape[-1])
    weight, bias = w.get(f"{name}.weight"), w.get(f"{name}.bias")
    mean, var = w[f"{name}.running_mean"], w[f"{name}.running_var"]
    return F.batch_norm(flat, mean, var, weight, bias, training=True, momentum=0.1, eps=1e-5).reshape(x.shape)


def perceptron(w: Weights, name: str, x: torch.Tensor) -> torch.Tensor:
    def through(x: torch.Tensor, name: str) -> torch.Tensor:
        x = F.linear(x, w[f"{name}.weight"], w.get(f"{name}.bias"))
        return batch_norm(w, f"{name}.norm", x) if f"{name}.norm.running_mean" in w else x

    i = 0
    while f"{name}.layers.{i}.weight" in w:
        x = through(x, f"{name}.layers.{i}").relu()
        i += 1
    return through(x, f"{name}.last")


def prototypes(w: Weights, name: str, x: torch.Tensor) -> torch.Tensor:
    i = 0
    while f"{name}.mlp.{i}.weight" in w:
        x = linear(w, f"{name}.mlp.{i}", x if i == 0 else F.gelu(x))
        i += 1
    length, direction = w[f"{name}.last_layer.weight_g"], w[f"{name}.last_layer.weight_v"]
    return F.linear(F.normalize(x, dim=-1), length * direction / direction.norm(dim=1, keepdim=True))


def through_blocks(w: Weights, branch: str, values: dict, latent: torch.Tensor, restore: torch.Tensor) -> torch.Tensor:
    """A light transformer over all tokens, of the visible ones [R, 1 + V, D] and as many copies of a token as are hidden -> [R, 1 + N, P]"""
    x = linear(w, f"{branch}decoder_embed", latent)
    hidden = w[f"{branch}mask_token"].expand(len(x), restore.shape[1] - x.shape[1] + 1, -1)
    x = torch.cat([x[:, :1], take(torch.cat([x[:, 1:], hidden], dim=1), restore)], dim=1) + w[f"{branch}decoder_pos_embed"]
    for i in range(values["depth"]):
        x = block(w, f"{branch}decoder_blocks.{i}", x, values["heads"])
    return linear(w, f"{branch}decoder_pred", layer_norm(w, f"{branch}decoder_norm", x))


def apart_by_heads(x: torch.Tensor, heads: int) -> torch.Tensor:
    return x.reshape(len(x), x.shape[1], heads, -1).transpose(1, 2)


def through_asking(w: Weights, values: dict, latent: torch.Tensor, asked: torch.Tensor, restore: torch.Tensor) -> torch.Tensor:
    """As `through_blocks`, whose tokens also ask what the encoder made of all of another view, [R, 1 + N, D]."""
    x = linear(w, "decoder_embed", latent)
    hidden = w["mask_token"].expand(len(x), restore.shape[1] - x.shape[1] + 1, -1)
    x = torch.cat([x[:, :1], take(torch.cat([x[:, 1:], hidden], dim=1), restore)], dim=1) + w["decoder_pos_embed"]
    memory = linear(w, "decoder_embed", asked) + w["decoder_pos_embed"]
    heads = values["heads"]
    for i in range(values["depth"]):
        name = f"decoder_blocks.{i}"
        q = apart_by_heads(linear(w, f"{name}.cross_attn.q", layer_norm(w, f"{name}.norm1", x)), heads)
        told = linear(w, f"{name}.cross_attn.kv", layer_norm(w, f"{name}.asked_norm", memory))
        k, v = (apart_by_heads(part, heads) for part in told.chunk(2, dim=-1))
        taken = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(x.shape)
        x = x + linear(w, f"{name}.cross_attn.proj", taken)
        # The rest is a block of a plain transformer, whose norms are the second and the third.
        own = {path.removeprefix(f"{name}."): value for path, value in w.items() if path.startswith(f"{name}.")}
        rest = {path.replace("norm2", "norm1").replace("norm3", "norm2"): value for path, value in own.items() if "norm1" not in path}
        x = block({f"rest.{path}": value for path, value in rest.items()}, "rest", x, heads)
    return linear(w, "decoder_pred", layer_norm(w, "decoder_norm", x))


# Of tokens; a teacher has none.
OF_TOKENS = "feature_decoder"
STUDENT_ONLY = ("predictor", OF_TOKENS)
HEADS = {"projector": perceptron, "predictor": perceptron, "prototypes": prototypes}


def chain_of(example: dict, loss: dict) -> list[dict]:
    """The heads behind which a loss compares views, from the encoder on."""
    heads = lines(example, "head")
    read = {label for head in heads for label in head["values"]["of"] or []}
    label = (loss["values"]["of"] or [None])[0]
    last = [head for head in heads if (head["label"] == label if label else head["label"] not in read)]
    assert len(last) <= 1, "which head is compared"
    chain = last
    while chain and chain[0]["values"]["of"]:
        chain = [head for head in heads if head["label"] == chain[0]["values"]["of"][0]] + chain
    return chain


def branch_of(example: dict, head: dict) -> str:
    return "head" if len(lines(example, "head")) == 1 else f"{head['label']}.head"


def through(example: dict, w: Weights, chain: list[dict], x: torch.Tensor) -> torch.Tensor:
    for head in chain:
        x = HEADS[head["block"]](w, branch_of(example, head), x)
    return x


def standing(on: str, tokens: torch.Tensor, hidden: torch.Tensor | None) -> torch.Tensor:
    match on:
        case "class_token":
            return tokens[:, 0]
        case "mean":
            return tokens[:, 1:].mean(dim=1)
        case "patches":
            return tokens[:, 1:]
    return take(tokens[:, 1:], hidden)


class Seen:
    """What student and teacher make of the views of a step; each is encoded once."""

    def __init__(self, example: dict, w: Weights, teacher: Weights, feed: Feed):
        self.example, self.w, self.teacher, self.feed = example, w, teacher, feed
        self.streams = streams_of(example)
        self.known: dict[tuple, torch.Tensor] = {}
        taught = line(example, "teacher")
        self.on = None if taught is None else taught["values"]["on"]
        self.norm = taught is None or taught["values"]["final_norm"]
        mask = line(example, "mask")
        self.masked = [] if mask is None else mask["values"]["on"] or [stream.name for stream in self.streams]

    def taught_streams(self) -> list[Stream]:
        return [stream for stream in self.streams if self.on is None or stream.name in self.on]

    def hidden(self, stream: Stream) -> torch.Tensor | None:
        return self.feed[f"{stream.name}Hidden"] if stream.name in self.masked else None

    def tokens(self, stream: Stream, who: str) -> torch.Tensor:
        key = ("tokens", stream.name, who)
        if key not in self.known:
            image = self.feed[stream.name]
            if who == "teacher":
                made = encode(self.example, self.teacher, stream, image, norm=self.norm)
            else:
                hidden, mask, visible = self.hidden(stream), None, None
                if hidden is not None and line(self.example, "mask")["values"]["hidden"] == "token":
                    mask = torch.zeros(len(image), stream.view.tokens).double().scatter(1, hidden, 1)
                elif hidden is not None:
                    visible = self.feed[f"{stream.name}Visible"]
                drops = self.feed.get(f"{stream.name}Drops")
                made = encode(self.example, self.w, stream, image, mask, drops=drops, visible=visible)
            self.known[key] = made
        return self.known[key]

    def vectors(self, stream: Stream, loss: dict, who: str, on: str) -> torch.Tensor:
        """[R, K], or of patches [R, N, K]"""
        chain = chain_of(self.example, loss)
        w = self.w
        if who == "teacher":
            chain = [head for head in chain if head["block"] not in STUDENT_ONLY]
            w = self.teacher
        key = ("vectors", stream.name, who, on, tuple(head["label"] or "" for head in chain))
        if key not in self.known:
            tokens = self.tokens(stream, who)
            while chain and chain[0]["block"] == OF_TOKENS:
                head, *chain = chain
                branch = f"{branch_of(self.example, head)}."
                tokens = through_blocks(w, branch, head["values"], tokens, self.feed[f"{stream.name}Restore"])
            pooled = standing(on, tokens, self.hidden(stream))
            self.known[key] = through(self.example, w, chain, pooled)
        return self.known[key]

    def views(self, loss: dict, who: str, streams: list[Stream]) -> dict[tuple[str, int], torch.Tensor]:
        """By stream and number: [B, K]"""
        found = {}
        for stream in streams:
            rows = self.vectors(stream, loss, who, loss["values"]["on"])
            for i in range(stream.count):
                found[stream.name, i] = rows[i :: stream.count]
        return found


# -- losses


def nt_xent(seen: Seen, loss: dict) -> torch.Tensor:
    temperature = loss["values"]["temperature"]
    views = [F.normalize(view, dim=1) for view in seen.views(loss, "student", seen.streams).values()]
    z, samples = torch.cat(views), len(views[0])
    similarity = z @ z.T / temperature
    terms = []
    for i in range(len(z)):
        others = torch.cat([similarity[i, :i], similarity[i, i + 1 :]])
        for v in range(len(views)):
            j = v * samples + i % samples
            if j != i:
                terms.append(others.logsumexp(dim=0) - similarity[i, j])
    return torch.stack(terms).mean()


def pairs(seen: Seen, loss: dict) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """(student, teacher) of different views of a sample"""
    taught_streams = seen.taught_streams()
    single = sum(stream.count for stream in taught_streams) == 1
    order = [stream for stream in seen.streams if not (single and stream in taught_streams)]
    student, taught = {}, {}
    # As the norms see them: of each stream first the student's, then the teacher's.
    for stream in seen.streams:
        if stream in order:
            student |= seen.views(loss, "student", [stream])
        if stream in taught_streams:
            with torch.no_grad():
                taught |= seen.views(loss, "teacher", [stream])
    return [(s, t) for i, s in student.items() for j, t in taught.items() if i != j]


def view_contrast(seen: Seen, loss: dict) -> torch.Tensor:
    temperature = loss["values"]["temperature"]
    total = 0
    for q, k in pairs(seen, loss):
        logits = F.normalize(q, dim=1) @ F.normalize(k, dim=1).T / temperature
        total = total + F.cross_entropy(logits, torch.arange(len(q))) * 2 * temperature
    return total


def enqueue(seen: Seen, keys: torch.Tensor) -> None:
    """Writes keys over the oldest of a ring, as long as a whole number of batches."""
    queue, pointer = seen.w["queue"], seen.w.setdefault("queue_ptr", torch.zeros((), dtype=torch.long))
    start = pointer.item()
    assert len(queue) % len(keys) == 0
    queue[start : start + len(keys)] = keys
    pointer.fill_((start + len(keys)) % len(queue))


def oldest_first(w: Weights) -> torch.Tensor:
    return torch.roll(w["queue"], -w["queue_ptr"].item(), dims=0)


def queue_contrast(seen: Seen, loss: dict) -> torch.Tensor:
    temperature, past = loss["values"]["temperature"], seen.w["queue"].clone()
    terms = []
    for q, k in pairs(seen, loss):
        q, k = F.normalize(q, dim=1), F.normalize(k, dim=1)
        own, others = torch.einsum("nc,nc->n", q, k)[:, None], torch.einsum("nc,kc->nk", q, past)
        logits = torch.cat([own, others], dim=1) / temperature
        terms.append(F.cross_entropy(logits, torch.zeros(len(q), dtype=torch.long)))
    taught = seen.views(loss, "teacher", seen.taught_streams()).values()
    enqueue(seen, torch.cat([F.normalize(k.detach(), dim=1) for k in taught]))
    return torch.stack(terms).mean()


def single(value: float) -> float:
    """As a graph of float32 has it."""
    return torch.tensor(value, dtype=torch.float32).item()


def moved_center(seen: Seen, name: str, logits: list[torch.Tensor], keep: float) -> None:
    rows = torch.cat([one.reshape(-1, one.shape[-1]) for one in logits])
    seen.w[name].mul_(single(keep)).add_(rows.mean(dim=0).detach(), alpha=single(1 - keep))


def self_distillation(seen: Seen, loss: dict, index: int) -> torch.Tensor:
    values = loss["values"]
    name = "center" if loss["label"] is None else f"{loss['label']}.center"
    temperature, taught = values["temperature"], seen.feed[f"selfDistillation{index or ''}Taught"]
    center = seen.w[name].clone()
    if values["on"] == "hidden":
        terms, logits = [], []
        streams = [stream for stream in seen.taught_streams() if stream.name in seen.masked]
        for stream in streams:
            with torch.no_grad():
                said = seen.vectors(stream, loss, "teacher", "patches")
            logits.append(said)
            wanted = take(((said - center) / taught).softmax(dim=-1), seen.hidden(stream))
            student = seen.vectors(stream, loss, "student", "hidden")
            error = -(wanted * (student / temperature).log_softmax(dim=-1)).sum(dim=-1)
            terms.append(error.mean(dim=1))
        moved_center(seen, name, logits, values["center"])
        return torch.cat(terms).mean()
    both = pairs(seen, loss)
    terms = [
        -(((t - center) / taught).softmax(dim=-1) * (s / temperature).log_softmax(dim=-1)).sum(dim=-1).mean() for s, t in both
    ]
    told = [seen.vectors(stream, loss, "teacher", values["on"]) for stream in seen.taught_streams()]
    moved_center(seen, name, told, values["center"])
    return torch.stack(terms).mean()


def completed(seen: Seen, loss: dict, stream: Stream) -> torch.Tensor:
    """What is predicted of the views of a stream, beside their pixels."""
    decoder, target = line(seen.example, "decoder")["values"], line(seen.example, "target")
    assert target["block"] == "pixels" and loss["block"] == "mse", "a masked autoencoder beside contrast"
    wanted = patches_of(stream.view, seen.feed[stream.name])
    if target["values"]["normalize"] == "patch":
        wanted = normalized(wanted)
    latent, restore = seen.tokens(stream, "student"), seen.feed[f"{stream.name}Restore"]
    if decoder.get("asks"):
        (asked,) = (other for other in seen.streams if other.name in decoder["asks"])
        prediction = through_asking(seen.w, decoder, latent, seen.tokens(asked, "student"), restore)[:, 1:]
    else:
        prediction = through_blocks(seen.w, "", decoder, latent, restore)[:, 1:]
    hidden = torch.zeros(wanted.shape[:2]).double().scatter(1, seen.hidden(stream), 1)
    return mean_over(loss["values"]["on"], (prediction - wanted) ** 2, hidden)


def loss_of(example: dict, w: Weights, teacher: Weights, feed: Feed) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    """-> the weighted sum, and each term. Norms and centres move."""
    seen = Seen(example, w, teacher, feed)
    terms: dict[str, torch.Tensor] = {}
    for loss in lines(example, "loss"):
        number = 1 + sum(name.startswith(loss["block"]) for name in terms)
        name = loss["block"] if number == 1 else f"{loss['block']}_{number}"
        match loss["block"]:
            case "nt_xent":
                terms[name] = nt_xent(seen, loss)
            case "view_contrast":
                terms[name] = view_contrast(seen, loss)
            case "queue_contrast":
                terms[name] = queue_contrast(seen, loss)
            case "self_distillation":
                terms[name] = self_distillation(seen, loss, 0 if number == 1 else number)
            case "mse":
                terms[name] = torch.stack([completed(seen, loss, s) for s in seen.streams if s.name in seen.masked]).mean()
            case other:
                raise AssertionError(other)
    weights = {name: loss["values"]["weight"] for name, loss in zip(terms, lines(example, "loss"), strict=True)}
    return sum(weights[name] * term for name, term in terms.items()), terms


def is_fixed(example: dict, name: str) -> bool:
    """What no gradient trains: states, tables and lengths that stay, and what a teacher has."""
    if name.startswith("teacher.") or name.split(".")[-1] in STATES:
        return True
    if example.get("freeze") == "patches" and name.startswith("patch_embed."):
        return True
    if name.endswith("pos_embed"):
        return "head" in name.split(".") or line(example, "positions")["block"] == "sin_cos"
    return name.endswith("weight_g") and any(head["values"].get("unit") for head in lines(example, "head"))


def follow(example: dict, teacher: Weights, w: Weights, momentum: float) -> None:
    for name in teacher:
        if not is_fixed(example, name):
            teacher[name].mul_(momentum).add_(w[name].detach(), alpha=1 - momentum)


def apart(example: dict, weights: Weights) -> tuple[Weights, Weights]:
    """-> leaves of the student, and the teacher."""
    student = {name: value for name, value in weights.items() if not name.startswith("teacher.")}
    teacher = {name.removeprefix("teacher."): value.clone() for name, value in weights.items() if name.startswith("teacher.")}
    return leaves(student, [name for name in student if is_fixed(example, name)]), teacher


def train(example: dict, weights: Weights, feeds: list[Feed]) -> list[float]:
    w, teacher = apart(example, weights)
    optimizer = optimizer_for(example, w)
    taught = line(example, "teacher")
    losses = []
    for feed in feeds:
        if taught and taught["values"]["when"] == "before":
            follow(example, teacher, w, feed["momentum"].item())
        loss, _ = loss_of(example, w, teacher, feed)
        losses.append(loss.item())
        loss.backward()
        update(example, optimizer, feed)
        if taught and taught["values"]["when"] == "after":
            follow(example, teacher, w, feed["momentum"].item())
    return losses


# -- fixtures


def one(slot: str, block: str, label: str | None = None, **values) -> dict:
    return {"slot": slot, "block": block, "label": label, "values": values, "inner": []}


SHARES = ("ratio", "center")


def text_of(name: str, value) -> str:
    if name in SHARES:
        return f"{100 * value:g}%"
    match value:
        case [least, most] if name == "gap":
            return f"{least}..{most}"
        case bool():
            return "true" if value else "false"
        case str():
            return value
        case list() | tuple() if all(isinstance(item, str) for item in value):
            return f"[{', '.join(value)}]"
        case list() | tuple() if name == "depths":
            return f"({', '.join(str(item) for item in value)})"
        case list() | tuple():
            return "x".join(str(item) for item in value)
    return str(value)


def spec_of(example: dict) -> str:
    rows = []
    for row in example["model"]:
        values = ", ".join(f"{name}: {text_of(name, value)}" for name, value in row["values"].items() if value is not None)
        label = "" if row["label"] is None else f"{row['label']}: "
        rows.append(f"  {row['slot']} {label}{row['block']}({values})")
    return "\n".join(["edition 2026", "model Reference {", *rows, "}", ""])


def base(*rows: dict, positions: str = "learned") -> dict:
    return {
        "model": [
            one("input", "image", size=[16, 24], channels=3),
            one("tokens", "patch", size=[4, 8]),
            one("positions", positions),
            one("encoder", "vit", depth=2, width=16, heads=2),
            *rows,
        ]
    }


PROJECTOR = {"layers": 3, "hidden": 12, "out": 8, "bias": False, "end": "plain", "of": None}
PREDICTOR = PROJECTOR | {"layers": 2, "of": ["projector"]}
PROTOTYPES = {"layers": 3, "hidden": 12, "bottleneck": 6, "out": 10, "unit": True, "of": None}
FEATURES = {"depth": 1, "width": 12, "heads": 3, "of": None}
DECODER = {"depth": 1, "width": 8, "heads": 2}
EMA = {"momentum": 0.9, "on": None, "when": "after", "final_norm": True}
DISTILLATION = {"temperature": 0.1, "taught": 0.05, "center": 0.9, "on": "class_token", "of": None, "weight": 1}

CASES = {
    "simclr": base(
        one("views", "crops", count=3),
        one("head", "projector", **PROJECTOR | {"layers": 2, "end": "scaled", "bias": True}),
        one("loss", "nt_xent", temperature=0.2, on="mean", of=None, weight=2),
    ),
    "moco-v3": base(
        one("views", "two"),
        one("head", "projector", "projector", **PROJECTOR),
        one("head", "predictor", "predictor", **PREDICTOR),
        one("teacher", "ema", **EMA | {"when": "before"}),
        one("loss", "view_contrast", temperature=0.2, on="class_token", of=None, weight=1),
        positions="sin_cos",
    ),
    "dino": base(
        one("views", "multi_crop", **{"global": 2, "local": 3, "local_size": [8, 16]}),
        one("head", "prototypes", **PROTOTYPES),
        one("teacher", "ema", **EMA | {"on": ["global"]}),
        one("loss", "self_distillation", **DISTILLATION),
    ),
    "ibot": base(
        one("views", "multi_crop", **{"global": 2, "local": 2, "local_size": [8, 16]}),
        one("mask", "random", ratio=0.5, hidden="token", on=["global"]),
        one("head", "prototypes", **PROTOTYPES | {"unit": False}),
        one("teacher", "ema", **EMA | {"on": ["global"]}),
        one("loss", "self_distillation", "views", **DISTILLATION),
        one("loss", "self_distillation", "patches", **DISTILLATION | {"taught": 0.06, "on": "hidden"}),
    ),
    "cmae": base(
        one("views", "two", shared=True),
        one("mask", "random", ratio=0.5, hidden="drop", on=["first"]),
        one("decoder", "vit", **DECODER),
        one("target", "pixels", normalize="patch"),
        one("head", "feature_decoder", "features", **FEATURES),
        one("head", "projector", "projector", **PROJECTOR | {"layers": 2, "end": "none", "of": ["features"]}),
        one("head", "predictor", "predictor", **PREDICTOR | {"end": "none"}),
        one("teacher", "ema", **EMA | {"on": ["second"], "final_norm": False}),
        one("loss", "mse", on="hidden", weight=1),
        one("loss", "view_contrast", temperature=0.2, on="mean", of=None, weight=0.5),
        positions="sin_cos",
    ),
    "mae-contrast": base(
        one("views", "crops", count=2),
        one("mask", "random", ratio=0.5, hidden="drop", on=None),
        one("decoder", "vit", **DECODER),
        one("target", "pixels", normalize="none"),
        one("head", "projector", **PROJECTOR | {"layers": 2}),
        one("loss", "mse", on="hidden", weight=1),
        one("loss", "nt_xent", temperature=0.2, on="mean", of=None, weight=0.3),
        positions="sin_cos",
    ),
    "simclr-resnet": {
        "model": [
            one("input", "image", size=[16, 24], channels=3),
            one("encoder", "resnet", depths=[2, 1], width=2, stem="large"),
            one("views", "crops", count=2),
            one("head", "projector", **PROJECTOR | {"layers": 2, "end": "unshifted"}),
            one("loss", "nt_xent", temperature=0.2, on="mean", of=None, weight=2),
        ]
    },
    "siam-mae": base(
        one("views", "frames", gap=[4, 48]),
        one("mask", "random", ratio=0.75, hidden="drop", on=["second"]),
        one("decoder", "cross", **DECODER | {"depth": 2, "asks": ["first"]}),
        one("target", "pixels", normalize="patch"),
        one("loss", "mse", on="hidden", weight=1),
        positions="sin_cos",
    ),
    "moco-v2": {
        "model": [
            one("input", "image", size=[16, 24], channels=3),
            one("encoder", "resnet", depths=[2, 1], width=2, stem="large"),
            one("views", "two"),
            one("head", "projector", **PROJECTOR | {"layers": 2, "end": "none", "bias": True, "norms": False}),
            one("teacher", "ema", **EMA | {"on": ["second"], "when": "before"}),
            one("loss", "queue_contrast", queue=6, temperature=0.2, on="mean", of=None, weight=1),
        ]
    },
    "moco-v2-both": base(
        one("views", "crops", count=2),
        one("head", "projector", **PROJECTOR | {"layers": 2, "end": "none", "bias": True, "norms": False}),
        one("teacher", "ema", **EMA),
        one("loss", "queue_contrast", queue=12, temperature=0.5, on="class_token", of=None, weight=1),
    ),
}
BATCH = 3


def draw_asking(draw: Drawing, values: dict) -> None:
    width = values["width"]
    for i in range(values["depth"]):
        name = f"decoder_blocks.{i}"
        for part in ("norm1", "asked_norm", "norm2", "norm3"):
            draw.norm(f"{name}.{part}", width)
        for part, outputs in (("cross_attn.q", 1), ("cross_attn.kv", 2), ("cross_attn.proj", 1), ("attn.qkv", 3), ("attn.proj", 1)):
            draw.matrix(f"{name}.{part}", outputs * width, width)
        draw.perceptron(f"{name}.mlp", width)


def decoder_weights(draw: Drawing, branch: str, values: dict, grid: tuple[int, int], inputs: int, outputs: int) -> None:
    draw.matrix(f"{branch}decoder_embed", values["width"], inputs)
    draw.normal(f"{branch}mask_token", 1, 1, values["width"], std=0.3)
    draw.weights[f"{branch}decoder_pos_embed"] = sine_cosine(values["width"], *grid).float().double()
    if values.get("asks"):
        draw_asking(draw, values)
    else:
        draw.blocks(f"{branch}decoder_blocks", values["depth"], values["width"])
    draw.norm(f"{branch}decoder_norm", values["width"])
    draw.matrix(f"{branch}decoder_pred", outputs, values["width"])


def head_weights(draw: Drawing, head: dict, name: str, width: int, random: torch.Generator, grid: tuple[int, int]) -> int:
    values = head["values"]
    if head["block"] == OF_TOKENS:
        decoder_weights(draw, f"{name}.", values, grid, width, width)
        return width
    if head["block"] == "prototypes":
        for i in range(values["layers"]):
            out = values["bottleneck"] if i == values["layers"] - 1 else values["hidden"]
            draw.matrix(f"{name}.mlp.{i}", out, width if i == 0 else values["hidden"])
        draw.weights[f"{name}.last_layer.weight_g"] = torch.ones(values["out"], 1).double()
        draw.normal(f"{name}.last_layer.weight_v", values["out"], values["bottleneck"], std=0.5)
        return values["out"]
    for i in range(values["layers"]):
        last = i == values["layers"] - 1
        path, out = (f"{name}.last", values["out"]) if last else (f"{name}.layers.{i}", values["hidden"])
        draw.normal(f"{path}.weight", out, width if i == 0 else values["hidden"], std=0.3)
        if values["bias"]:
            draw.normal(f"{path}.bias", out, std=0.1)
        end = values["end"] if last else "scaled" if values.get("norms", True) else "none"
        if end in ("scaled", "unshifted"):
            draw.norm(f"{path}.norm", out)
        if end == "unshifted":
            del draw.weights[f"{path}.norm.bias"]
        if end != "none":
            draw.normal(f"{path}.norm.running_mean", out, std=0.1)
            draw.weights[f"{path}.norm.running_var"] = (1 + torch.rand(out, generator=random)).double()
    return values["out"]


def draw_vit(draw: Drawing, example: dict, view: View) -> int:
    """-> its width"""
    values = line(example, "encoder")["values"]
    width = values["width"]
    draw.normal("cls_token", 1, 1, width, std=0.3)
    if line(example, "positions")["block"] == "sin_cos":
        draw.weights["pos_embed"] = sine_cosine(width, *view.grid).float().double()
    else:
        draw.normal("pos_embed", 1, 1 + view.tokens, width, std=0.3)
    decoder = line(example, "decoder")
    if line(example, "mask") and not decoder:
        draw.normal("mask_token", 1, 1, width, std=0.3)
    draw.matrix("patch_embed.proj", width, view.values)
    draw.blocks("blocks", values["depth"], width)
    draw.norm("norm", width)
    if decoder:
        decoder_weights(draw, "", decoder["values"], view.grid, width, view.values)
    return width


def draw_resnet(draw: Drawing, example: dict) -> int:
    """-> the width of its last map"""
    case = resnet_case(example)
    resnet.draw_encoder(draw, case)
    return case.widths[-1]


def weights_of(example: dict, random: torch.Generator) -> Weights:
    draw = Drawing(random)
    view = streams_of(example)[0].view
    has_maps = line(example, "encoder")["block"] == "resnet"
    width = draw_resnet(draw, example) if has_maps else draw_vit(draw, example, view)
    heads = lines(example, "head")
    sizes: dict[str | None, int] = {}
    for head in heads:
        source = sizes[head["values"]["of"][0]] if head["values"]["of"] else width
        name = "head" if len(heads) == 1 else f"{head['label']}.head"
        sizes[head["label"]] = head_weights(draw, head, name, source, random, view.grid)
    if line(example, "teacher"):
        for name, value in list(draw.weights.items()):
            if not name.startswith(("mask_token", "decoder_", "features.", "predictor.")):
                moved = value if is_fixed(example, name) else value + 0.05 * torch.randn(value.shape, generator=random)
                draw.weights[f"teacher.{name}"] = moved.float().double()
    for loss in lines(example, "loss"):
        if loss["block"] == "self_distillation":
            name = "center" if loss["label"] is None else f"{loss['label']}.center"
            draw.normal(name, sizes[chain_of(example, loss)[-1]["label"]], std=0.2)
        if loss["block"] == "queue_contrast":
            keys = torch.randn(loss["values"]["queue"], sizes[chain_of(example, loss)[-1]["label"]], generator=random)
            draw.weights["queue"] = F.normalize(keys, dim=1)
    return {name: value.float().double() for name, value in draw.weights.items()}


def drawn_feed(example: dict, random: torch.Generator) -> Feed:
    feed: Feed = {}
    mask = line(example, "mask")
    for stream in streams_of(example):
        rows = BATCH * stream.count
        feed[stream.name] = torch.randn(rows, *stream.view.image, generator=random).double()
        if mask and stream.name in (mask["values"]["on"] or [stream.name]):
            order = torch.rand(rows, stream.view.tokens, generator=random).argsort(dim=1)
            visible = int(stream.view.tokens * (1 - mask["values"]["ratio"]))
            feed[f"{stream.name}Visible"], feed[f"{stream.name}Hidden"] = order[:, :visible], order[:, visible:]
            feed[f"{stream.name}Restore"] = order.argsort(dim=1)
    for i, loss in enumerate(loss for loss in lines(example, "loss") if loss["block"] == "self_distillation"):
        feed[f"selfDistillation{i + 1 if i else ''}Taught"] = torch.tensor(loss["values"]["taught"], dtype=torch.float64)
    return feed


def run(example: dict, seed: int) -> tuple[dict, dict[str, torch.Tensor]]:
    random = torch.Generator().manual_seed(seed)
    weights, feed = weights_of(example, random), drawn_feed(example, random)
    w, teacher = apart(example, weights)
    states = {name: value for name, value in w.items() if name.split(".")[-1] in STATES}
    states |= {f"teacher.{name}": value for name, value in teacher.items() if name.split(".")[-1] in STATES}
    total, terms = loss_of(example, w, teacher, feed)
    total.backward()
    gradients = {name: leaf.grad for name, leaf in w.items() if leaf.requires_grad}
    idle = [name for name, gradient in gradients.items() if gradient is None]
    assert not idle, idle
    tensors = {f"weights/{name}": value for name, value in weights.items()}
    tensors |= {f"gradients/{name}": value for name, value in gradients.items()}
    if "queue" in w:
        states["queue"] = oldest_first(w)
    tensors |= {f"moved/{name}": value for name, value in states.items()}
    tensors |= {f"feeds/{name}": value.int() if value.dtype == torch.int64 else value for name, value in feed.items()}
    view = streams_of(example)[0].view
    header = {
        "spec": spec_of(example),
        "batch": BATCH,
        "tokens": {"total": view.tokens, "visible": view.tokens},
        "terms": {name: term.item() for name, term in terms.items()},
        "loss": total.item(),
    }
    return header, tensors


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent)
    for seed, (name, example) in enumerate(CASES.items(), start=11):
        write(folder / name, *run(example, seed))


if __name__ == "__main__":
    main()
