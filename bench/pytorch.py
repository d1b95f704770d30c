"""Contestant: the same masked autoencoder in PyTorch, float32 on the processor, as one would write it by hand; or the classifier that timm makes.

Answers `step` and `end` on stdin, one a line, as `serve.ts` does. Usage: python pytorch.py '{"size": {...}, "threads": 1, "mode": "eager"}'
The decoder predicts every token and the loss keeps the hidden ones, as in the official implementation.
"""

import json
import resource
import sys
import time
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import nn

EPSILON = 1e-6


def sine_cosine(width: int, side: int) -> torch.Tensor:
    """[1, 1 + side * side, width]: sines and cosines of column and row; a first row of zeros for the class token."""
    frequencies = 10000.0 ** (-torch.arange(width // 4, dtype=torch.float64) / (width // 4))
    place = torch.arange(side * side)
    angles = [axis.double()[:, None] * frequencies[None, :] for axis in (place % side, place // side)]
    table = torch.cat([f(angle) for angle in angles for f in (torch.sin, torch.cos)], dim=1)
    return torch.cat([torch.zeros(1, width), table.float()])[None]


class Block(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm1 = nn.LayerNorm(width, eps=EPSILON)
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)
        self.norm2 = nn.LayerNorm(width, eps=EPSILON)
        self.fc1 = nn.Linear(width, 4 * width)
        self.fc2 = nn.Linear(4 * width, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        batch, count, width = x.shape
        qkv = self.qkv(self.norm1(x)).reshape(batch, count, 3, self.heads, width // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(batch, count, width)
        x = x + self.proj(mixed)
        return x + self.fc2(F.gelu(self.fc1(self.norm2(x))))


class MaskedAutoencoder(nn.Module):
    def __init__(self, size: dict) -> None:
        super().__init__()
        encoder, decoder = size["encoder"], size["decoder"]
        self.patch = size["patch"]
        self.side = size["image"] // self.patch
        values = 3 * self.patch**2
        self.seen = int(self.side**2 * 0.25)
        self.embed = nn.Linear(values, encoder["width"])
        self.class_token = nn.Parameter(torch.randn(1, 1, encoder["width"]) * 0.02)
        self.blocks = nn.ModuleList(Block(encoder["width"], encoder["heads"]) for _ in range(encoder["depth"]))
        self.norm = nn.LayerNorm(encoder["width"], eps=EPSILON)
        self.narrow = nn.Linear(encoder["width"], decoder["width"])
        self.mask_token = nn.Parameter(torch.randn(1, 1, decoder["width"]) * 0.02)
        self.decoder_blocks = nn.ModuleList(Block(decoder["width"], decoder["heads"]) for _ in range(decoder["depth"]))
        self.decoder_norm = nn.LayerNorm(decoder["width"], eps=EPSILON)
        self.head = nn.Linear(decoder["width"], values)
        self.register_buffer("positions", sine_cosine(encoder["width"], self.side))
        self.register_buffer("decoder_positions", sine_cosine(decoder["width"], self.side))

    def patches_of(self, image: torch.Tensor) -> torch.Tensor:
        """[B, H, W, 3] -> [B, N, P]"""
        split = image.reshape(len(image), self.side, self.patch, self.side, self.patch, 3)
        return split.transpose(2, 3).reshape(len(image), self.side**2, -1)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        patches = self.patches_of(image)
        batch, count, _ = patches.shape
        order = torch.rand(batch, count).argsort(dim=1)
        restore = order.argsort(dim=1)
        visible = order[:, : self.seen]

        tokens = self.embed(patches) + self.positions[:, 1:]
        x = tokens.gather(1, visible[:, :, None].expand(-1, -1, tokens.shape[2]))
        first = (self.class_token + self.positions[:, :1]).expand(batch, -1, -1)
        x = torch.cat([first, x], dim=1)
        for block in self.blocks:
            x = block(x)
        x = self.narrow(self.norm(x))

        fill = self.mask_token.expand(batch, count - self.seen, -1)
        placed = torch.cat([x[:, 1:], fill], dim=1).gather(1, restore[:, :, None].expand(-1, -1, x.shape[2]))
        x = torch.cat([x[:, :1], placed], dim=1) + self.decoder_positions
        for block in self.decoder_blocks:
            x = block(x)
        prediction = self.head(self.decoder_norm(x))[:, 1:]

        mean = patches.mean(dim=2, keepdim=True)
        target = (patches - mean) / (patches.var(dim=2, keepdim=True) + EPSILON).sqrt()
        error = (prediction - target).square().mean(dim=2)
        hidden = (restore >= self.seen).float()
        return (error * hidden).sum() / hidden.sum()


class Classifier(nn.Module):
    """One of timm's, with the loss against a class for each image."""

    def __init__(self, size: dict) -> None:
        super().__init__()
        import timm

        self.network = timm.create_model(size["timm"]["model"], num_classes=1000, drop_path_rate=0.0, **size["timm"]["options"])

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return F.cross_entropy(self.network(image), 37 * torch.arange(len(image)) % 1000)


def say(**line: object) -> None:
    print(json.dumps(line), flush=True)


def main() -> None:
    settings = json.loads(sys.argv[1])
    torch.set_num_threads(settings["threads"])
    torch.manual_seed(1)
    if "products" in settings:
        return serve(products(settings["products"]))
    size = settings["size"]
    model = Classifier(size) if "timm" in size else MaskedAutoencoder(size)
    decayed = [p for p in model.parameters() if p.ndim > 1]
    plain = [p for p in model.parameters() if p.ndim <= 1]
    groups = [{"params": decayed, "weight_decay": 0.05}, {"params": plain, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=1e-4, betas=(0.9, 0.95), fused=settings.get("fused", False))
    forward = torch.compile(model) if settings["mode"] == "compile" else model
    pixels = (3, size["image"], size["image"]) if "timm" in size else (size["image"], size["image"], 3)
    images = torch.randn(size["batch"], *pixels)

    def step() -> float:
        optimizer.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=settings["mode"] == "eager-bf16"):
            loss = forward(images)
        loss.backward()
        optimizer.step()
        return loss.item()

    compile_times: dict[str, float] = {}
    if settings["mode"] == "compile":
        began = time.perf_counter()
        step()
        compile_times["first step"] = time.perf_counter() - began
    serve(step, compile_times)


def products(of: dict) -> Callable[[], float]:
    """So many products of square matrices, each with the one before: what PyTorch's library gets out of the machine."""
    side, count = of["side"], of["count"]
    weight, first = torch.full((side, side), 1 / side), torch.full((side, side), 1 / side)

    def step() -> float:
        x = first
        for _ in range(count):
            x = x @ weight
        return x.sum().item()

    return step


def serve(step: Callable[[], float], compile_times: dict[str, float] | None = None) -> None:
    """Answers until it is told to end; `step` gives the loss."""
    say(compile=compile_times or {}, device=f"PyTorch {torch.__version__}, {torch.get_num_threads()} threads")
    for line in sys.stdin:
        if line.strip() == "end":
            break
        used = time.process_time()
        began = time.perf_counter()
        loss = step()
        say(seconds=time.perf_counter() - began, processorSeconds=time.process_time() - used, loss=loss)
    say(peakBytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)


if __name__ == "__main__":
    main()
