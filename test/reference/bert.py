"""Writes the fixture of BERT, a masked language model: a small one, in float64 by PyTorch.

Written from the description (Devlin et al., NAACL 2019) and checked against transformers' BertForMaskedLM: with the same weights it gives
the same logits, loss and gradients, and BERT-base has as many weights as `mae plan` says of examples/bert.mae. A sample is [N, 3]: the id
of each place, the number of its word (0: none, -1: behind the end), its segment; `entered` [B, N] has the id that enters where one was
chosen, else -1. Usage: python bert.py [folder]; `train` is described in stepping.py.
"""

import sys
from pathlib import Path

import torch
import torch.nn.functional as F
import transformers
from drawing import Drawing
from mae import AGREEMENT, layer_norm, linear
from method import learned, write
from stepping import Feed, Weights, descend, leaves, line, lines

# Two pairs of texts with ends before the last place, one of which has fewer chosen tokens than there is room for.
BATCH, PLACES, VOCABULARY, WIDTH, DEPTH, HEADS, SEGMENTS, MASK, EPSILON = 3, 12, 20, 16, 2, 2, 2, 4, 1e-12
ROOM = 2
BASE = 109_514_298

SPEC = f"""edition 2026
model Reference {{
  input     text(length: {PLACES}, vocabulary: {VOCABULARY}, mask: {MASK})
  tokens    embedding(segments: {SEGMENTS})
  positions learned
  mask      corrupt(ratio: 15%)
  encoder   bert(depth: {DEPTH}, width: {WIDTH}, heads: {HEADS}, norm_epsilon: {EPSILON})
  decoder   vocabulary(norm_epsilon: {EPSILON})
  target    ids
  loss      id_cross_entropy
}}
"""


def make_weights(random: torch.Generator) -> Weights:
    draw = Drawing(random)
    draw.normal("pos_embed", 1, PLACES, WIDTH, std=0.3)
    draw.normal("word_embed.weight", VOCABULARY, WIDTH, std=0.5)
    draw.normal("segment_embed.weight", SEGMENTS, WIDTH, std=0.3)
    draw.norm("embed_norm", WIDTH)
    draw.blocks("blocks", DEPTH, WIDTH)
    draw.matrix("decoder_transform", WIDTH, WIDTH)
    draw.norm("decoder_norm", WIDTH)
    draw.normal("decoder_bias", VOCABULARY)
    return draw.weights


def block(w: Weights, name: str, x: torch.Tensor, heads: int, hidden: torch.Tensor, epsilon: float, turn=None) -> torch.Tensor:
    """`hidden` [B, N]: places behind the end of a text. `turn`: what becomes of queries and keys [B, heads, N, features], if anything."""
    batch, places, width = x.shape
    q, k, v = linear(w, f"{name}.attn.qkv", x).view(batch, places, 3, heads, width // heads).permute(2, 0, 3, 1, 4)
    q, k = (q, k) if turn is None else (turn(q), turn(k))
    scores = q @ k.transpose(-1, -2) / (width // heads) ** 0.5
    shares = scores.masked_fill(hidden[:, None, None, :], -torch.inf).softmax(-1)
    attended = (shares @ v).transpose(1, 2).reshape(batch, places, width)
    x = layer_norm(w, f"{name}.norm1", x + linear(w, f"{name}.attn.proj", attended), epsilon)
    inner = F.gelu(linear(w, f"{name}.mlp.fc1", x))
    return layer_norm(w, f"{name}.norm2", x + linear(w, f"{name}.mlp.fc2", inner), epsilon)


def encode(w: Weights, text: torch.Tensor, ids: torch.Tensor, heads: int, epsilon: float, turn=None) -> torch.Tensor:
    """-> [B, N, D]"""
    x = w["word_embed.weight"][ids] + w.get("pos_embed", 0)
    if "segment_embed.weight" in w:
        table = w["segment_embed.weight"]
        x = x + table[text[..., 2].long().clamp(max=len(table) - 1)]
    x = layer_norm(w, "embed_norm", x, epsilon)
    depth = 1 + max(int(name.split(".")[1]) for name in w if name.startswith("blocks."))
    for i in range(depth):
        x = block(w, f"blocks.{i}", x, heads, text[..., 1] < 0, epsilon, turn)
    return x


def logits_of(w: Weights, latent: torch.Tensor, epsilon: float) -> torch.Tensor:
    transformed = layer_norm(w, "decoder_norm", F.gelu(linear(w, "decoder_transform", latent)), epsilon)
    return transformed @ w["word_embed.weight"].T + w["decoder_bias"]


def loss_of(logits: torch.Tensor, text: torch.Tensor, entered: torch.Tensor) -> torch.Tensor:
    """The mean over all chosen places of the batch."""
    chosen = entered >= 0
    return F.cross_entropy(logits[chosen], text[..., 0].long()[chosen])


def corrupted(text: torch.Tensor, entered: torch.Tensor) -> torch.Tensor:
    return torch.where(entered >= 0, entered.long(), text[..., 0].long())


def drawn(random: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """-> text [B, N, 3] and entered [B, N]: masked, replaced, left as it is, and one text with a single chosen token."""
    ids = torch.randint(5, VOCABULARY, (BATCH, PLACES), generator=random)
    words = torch.arange(PLACES).repeat(BATCH, 1)
    segments = (torch.arange(PLACES) >= 6).long().repeat(BATCH, 1)
    lengths = [PLACES, PLACES - 3, PLACES - 6]
    for sample, length in enumerate(lengths):
        ids[sample, 0], ids[sample, length - 1] = 2, 3
        words[sample, [0, length - 1]] = 0
        ids[sample, length:], words[sample, length:], segments[sample, length:] = 0, -1, 0
    entered = torch.full((BATCH, PLACES), -1)
    entered[0, 3], entered[0, 8], entered[1, 2], entered[1, 5], entered[2, 4] = MASK, 7, MASK, ids[1, 5], MASK
    return torch.stack([ids, words, segments], dim=-1).double(), entered


def order_of(entered: torch.Tensor) -> torch.Tensor:
    """The chosen places last, after all others."""
    return torch.stack([torch.tensor([*torch.where(row < 0)[0], *torch.where(row >= 0)[0]]) for row in entered])


def hugging_face_names(depth: int) -> dict[str, str]:
    """Ours by theirs; of queries, keys and values see `as_hugging_face`."""
    layers = {
        f"bert.encoder.layer.{i}.{theirs}": f"blocks.{i}.{ours}"
        for i in range(depth)
        for theirs, ours in {
            "attention.output.dense": "attn.proj",
            "attention.output.LayerNorm": "norm1",
            "intermediate.dense": "mlp.fc1",
            "output.dense": "mlp.fc2",
            "output.LayerNorm": "norm2",
        }.items()
    }
    pairs = layers | {
        "bert.embeddings.LayerNorm": "embed_norm",
        "cls.predictions.transform.dense": "decoder_transform",
        "cls.predictions.transform.LayerNorm": "decoder_norm",
    }
    return {f"{theirs}.{end}": f"{ours}.{end}" for theirs, ours in pairs.items() for end in ("weight", "bias")} | {
        "bert.embeddings.word_embeddings.weight": "word_embed.weight",
        "bert.embeddings.token_type_embeddings.weight": "segment_embed.weight",
        "cls.predictions.bias": "decoder_bias",
    }


def as_hugging_face(w: Weights, depth: int) -> Weights:
    state = {theirs: w[ours] for theirs, ours in hugging_face_names(depth).items()}
    state["bert.embeddings.position_embeddings.weight"] = w["pos_embed"][0]
    for i in range(depth):
        for end in ("weight", "bias"):
            for part, value in zip(("query", "key", "value"), w[f"blocks.{i}.attn.qkv.{end}"].chunk(3)):
                state[f"bert.encoder.layer.{i}.attention.self.{part}.{end}"] = value
    return state


def hugging_face(w: Weights, text: torch.Tensor, entered: torch.Tensor) -> tuple[torch.nn.Module, dict]:
    config = transformers.BertConfig(
        vocab_size=VOCABULARY,
        hidden_size=WIDTH,
        num_hidden_layers=DEPTH,
        num_attention_heads=HEADS,
        intermediate_size=4 * WIDTH,
        max_position_embeddings=PLACES,
        type_vocab_size=SEGMENTS,
        layer_norm_eps=EPSILON,
        attn_implementation="eager",
    )
    model = transformers.BertForMaskedLM(config).double().eval()
    state = {name: value.detach() for name, value in as_hugging_face(w, DEPTH).items()}
    missing, unexpected = model.load_state_dict(state, strict=False)
    tied = {"cls.predictions.decoder.weight", "cls.predictions.decoder.bias", "bert.embeddings.position_ids"}
    assert not unexpected and set(missing) <= tied, (missing, unexpected)
    model.tie_weights()
    labels = torch.where(entered >= 0, text[..., 0].long(), -100)
    result = model(
        input_ids=corrupted(text, entered),
        attention_mask=(text[..., 1] >= 0).long(),
        token_type_ids=text[..., 2].long(),
        labels=labels,
    )
    return model, result


def largest(a: torch.Tensor, b: torch.Tensor) -> float:
    return (a - b).abs().max().item()


def run() -> tuple[dict, dict[str, torch.Tensor]]:
    random = torch.Generator().manual_seed(61)
    text, entered = drawn(random)
    w = leaves(make_weights(random), [])
    latent = encode(w, text, corrupted(text, entered), HEADS, EPSILON)
    logits = logits_of(w, latent, EPSILON)
    loss = loss_of(logits, text, entered)
    loss.backward()
    model, theirs = hugging_face(w, text, entered)
    theirs.loss.backward()
    named = dict(model.named_parameters())
    gradients = [largest(named[name].grad, w[ours].grad) for name, ours in hugging_face_names(DEPTH).items()]
    real = text[..., 1] >= 0
    found = {
        "logits": largest(theirs.logits[real], logits[real]),
        "loss": largest(theirs.loss, loss),
        "gradients": max(gradients),
    }
    assert max(found.values()) < AGREEMENT, found
    with torch.device("meta"):
        base = transformers.BertForMaskedLM(transformers.BertConfig())
    assert sum(weight.numel() for weight in base.parameters()) == BASE
    order = order_of(entered)
    header = {
        "spec": SPEC,
        "batch": BATCH,
        "tokens": {"total": PLACES, "visible": PLACES - ROOM},
        "terms": {"id_cross_entropy": loss.item()},
        "loss": loss.item(),
        "largest_difference": {"transformers": found},
        "base": BASE,
    }
    return header, {
        **learned(w),
        "text": text,
        "fields/mask": entered.int(),
        "order": order.int(),
        "restore": order.argsort(dim=1).int(),
        "latent": latent.detach(),
        "logits": logits.detach(),
    }


def train_classifier(example: dict, weights: Weights, feeds: list[Feed]) -> list[float]:
    """Fine-tuning: a linear layer on the first token, [CLS]."""
    encoder = line(example, "encoder")["values"]
    assert line(example, "head")["values"]["pool"] == "class_token"
    w = leaves(weights, [])

    def loss(feed: Feed) -> torch.Tensor:
        text = feed["text"]
        latent = encode(w, text, text[..., 0].long(), encoder["heads"], encoder["norm_epsilon"] or 1e-6)
        return F.cross_entropy(linear(w, "head", latent[:, 0]), feed["labels"])

    return descend(example, w, feeds, loss)


def train(example: dict, weights: Weights, feeds: list[Feed]) -> list[float]:
    if lines(example, "head"):
        return train_classifier(example, weights, feeds)
    encoder, decoder = line(example, "encoder")["values"], line(example, "decoder")["values"]
    heads = encoder["heads"]
    epsilon, last = ((values["norm_epsilon"] or 1e-6) for values in (encoder, decoder))
    w = leaves(weights, [])

    def loss(feed: Feed) -> torch.Tensor:
        text, entered = feed["text"], feed["mask"]
        latent = encode(w, text, corrupted(text, entered), heads, epsilon)
        return loss_of(logits_of(w, latent, last), text, entered)

    return descend(example, w, feeds, loss)


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent)
    write(folder / "bert", *run())


if __name__ == "__main__":
    main()
