/** Networks that others have trained: what goes into them, what does not, and what is said where nothing does. */

import { describe, expect, test } from "vitest";
import { namedParameters } from "../../blocks/index.js";
import { assemble } from "../../compiler/assemble/assemble.js";
import { ownedWeights } from "../../compiler/assemble/owners.js";
import { foreignMap } from "../../compiler/foreign.js";
import { keyMap } from "../../compiler/key-map.js";
import { analyzed } from "../support/model.js";

const network = "convnext(depths: (1, 1), widths: (4, 8), stem: 2)";
const text = (draw: string, stages = "", looks = network) => `edition 2026

model Eyes {
  input   image(size: 16x16, channels: 1)
  encoder ${network}
  head    classifier(classes: 3)
  loss    cross_entropy
}

model Draw {
  input   image(size: 16x16, channels: 1)
  mask    random(ratio: 50%)
  ${draw}
  target  pixels(normalize: none)
  loss    mse
  loss    perceptual(through: ${looks})
}

recipe See for Eyes {
  data      folder("data")
  batch     8
  epochs    1
  optimizer adamw(lr: 1e-3)
  schedule  constant
}

recipe Learn extends See for Draw {
  set epochs: 2
}
${stages}`;

const tokens =
  "tokens patch(size: 4x4)\n  encoder vit(depth: 1, width: 8, heads: 2)\n  decoder vit(depth: 1, width: 8, heads: 2)";
const maps = `encoder ${network}\n  decoder convnext_block(width: 8)`;

const modelsOf = (draw: string) => {
  const { models, diagnostics } = analyzed(text(draw));
  expect(diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
  return [models.get("Eyes"), models.get("Draw")].map((model) => {
    if (!model) throw new Error("no model");
    return model;
  }) as [never, never];
};

describe.each([
  ["beside an encoder of tokens", tokens],
  ["beside an encoder of the same form", maps],
])("%s", (_, draw) => {
  const [eyes, drawing] = modelsOf(draw);
  const own = ownedWeights(drawing);
  const given = own.filter((weight) => weight.given).map(({ name }) => name);

  test("an encoder that is named goes into the network, and nothing of it is trained", () => {
    const { mappings } = keyMap(own, [{ stage: "eyes", part: "encoder", weights: ownedWeights(eyes) }]);
    const taken = mappings.flatMap((one) => (one.status !== "dropped" && "from" in one ? [one.name] : []));
    expect(taken).toEqual(given);
    expect(given.length).toBeGreaterThan(20);
    const { parameters } = assemble(drawing);
    for (const [name, { trainable }] of namedParameters(parameters))
      if (name.startsWith("perceptual.")) expect(trainable, name).toBe(false);
  });

  test("a file of others too, by the names that it has there", () => {
    const shapes = new Map(ownedWeights(eyes).map(({ name, shape }) => [name, shape]));
    const { mappings } = foreignMap(
      drawing,
      "eyes.pth",
      { shapes, channels: new Map() },
      { fresh: ["encoder", "decoder"] },
    );
    const taken = mappings.flatMap((one) => (one.status !== "dropped" && "from" in one ? [one.name] : []));
    expect(taken).toEqual(given);
  });
});

test.each([
  [
    "from eyes.head fresh",
    ["nothing gives `Draw` the network that others have trained", "`eyes.head` gives `Draw` nothing"],
  ],
  ["from eyes.encoder fresh", []],
])("a stage %s", (taking, messages) => {
  const stages = `\npipeline Both {\n  stage eyes = See of Eyes\n  stage draw = Learn of Draw ${taking}\n}\n`;
  const { diagnostics } = analyzed(text(tokens, stages));
  expect(diagnostics.map(({ message }) => message)).toEqual(messages);
});

test.each([
  ["vit(depth: 1, width: 8, heads: 2)", "loss/perceptual/maps: `vit` gives tokens, and maps are compared"],
  [
    "convnext(depths: (1, 1, 1), widths: (4, 4, 4), stem: 8)",
    "loss/perceptual/whole-cells: its deepest map has a stride of 32, and the input has 16x16 places",
  ],
])("a network %s", (looks, message) => {
  const { diagnostics } = analyzed(text(tokens, "", looks));
  expect(diagnostics.map(({ code, message: said }) => `${code}: ${said}`)).toEqual([message]);
});
