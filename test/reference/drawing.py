"""The weights that a fixture's model begins with, drawn at random one after the other. Imported by the scripts of the methods."""

import torch


class Drawing:
    """Draws into `weights`, by name, in the order of the calls. Nothing stays at zero or one, so that each weight matters.

    What is stored is float32; the reference starts from exactly those numbers, in float64.
    """

    def __init__(self, random: torch.Generator, weights: dict[str, torch.Tensor] | None = None) -> None:
        """`weights`: those that are there already."""
        self.random = random
        self.weights: dict[str, torch.Tensor] = {} if weights is None else weights

    def normal(self, name: str, *shape: int, std: float = 0.1, mean: float = 0.0) -> None:
        values = mean + torch.randn(*shape, generator=self.random, dtype=torch.float64) * std
        self.weights[name] = values.float().double()

    def matrix(self, name: str, outputs: int, inputs: int, bias: bool = True) -> None:
        self.normal(f"{name}.weight", outputs, inputs, std=(2 / (inputs + outputs)) ** 0.5)
        if bias:
            self.normal(f"{name}.bias", outputs)

    def norm(self, name: str, width: int) -> None:
        self.normal(f"{name}.weight", width, mean=1)
        self.normal(f"{name}.bias", width)

    def perceptron(self, name: str, width: int) -> None:
        self.matrix(f"{name}.fc1", 4 * width, width)
        self.matrix(f"{name}.fc2", width, 4 * width)

    def blocks(self, name: str, depth: int, width: int) -> None:
        """Those of a plain vision transformer."""
        for i in range(depth):
            self.norm(f"{name}.{i}.norm1", width)
            self.matrix(f"{name}.{i}.attn.qkv", 3 * width, width)
            self.matrix(f"{name}.{i}.attn.proj", width, width)
            self.norm(f"{name}.{i}.norm2", width)
            self.perceptron(f"{name}.{i}.mlp", width)
