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
    "convnext(depths: (1, 1), widths: (4), stem: 2)",
    "loss/perceptual/sound-through: `convnext`: there are 2 depths and 1 widths",
  ],
  [
    "convnext(depths: (1, 1, 1), widths: (4, 4, 4), stem: 8)",
    "loss/perceptual/sound-through: `convnext`: the axis `row` has 16 places, which is no multiple of the stride 32",
  ],
])("a network %s", (looks, message) => {
  const { diagnostics } = analyzed(text(tokens, "", looks));
  expect(diagnostics.map(({ code, message: said }) => `${code}: ${said}`)).toEqual([message]);
});

describe("a network that sees the same tokens", () => {
  const follows = (lines: string, through = "vit(depth: 2, width: 12, heads: 2), layer: 1, given_layer: 2") =>
    `edition 2026\n\nmodel Student {\n  ${lines}\n  loss mse\n  loss distillation(through: ${through})\n}\n`;
  const input = "input image(size: 16x16, channels: 1)\n  tokens patch(size: 4x4)\n  mask random(ratio: 50%)";
  const decoded = "decoder vit(depth: 1, width: 8, heads: 2)\n  target pixels(normalize: none)";
  const encoder = "encoder vit(depth: 1, width: 8, heads: 2)";
  const student = `${input}\n  ${encoder}\n  ${decoded}`;
  const modelOf = (text: string, name: string) => {
    const { models, diagnostics } = analyzed(text);
    expect(diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
    return models.get(name) as never;
  };

  test("takes the encoder that is named, its tokens and positions too, also where it is as the model's own", () => {
    for (const width of [8, 12]) {
      const of = (depth: number) => student.replace("depth: 1, width: 8", `depth: ${depth}, width: ${width}`);
      const through = `vit(depth: 1, width: ${width}, heads: 2), layer: 1, given_layer: 1`;
      const teacher = modelOf(`edition 2026\n\nmodel Teacher {\n  ${of(1)}\n  loss mse\n}\n`, "Teacher");
      const own = ownedWeights(modelOf(follows(of(1), through), "Student"));
      const { mappings } = keyMap(own, [{ stage: "teacher", part: "encoder", weights: ownedWeights(teacher) }]);
      const taken = mappings.flatMap((one) =>
        one.status !== "dropped" && "from" in one ? [`${one.from.name} > ${one.name}`] : [],
      );
      const encoders = ownedWeights(teacher).filter(({ parts }) => parts.includes("encoder"));
      expect(taken.sort()).toEqual(encoders.map(({ name }) => `${name} > distillation.${name}`).sort());
    }
  });

  const [network, plain] = [
    "vit(depth: 2, width: 12, heads: 2)",
    "vit(depth: 2, width: 12, heads: 2, class_token: false)",
  ];
  const layers = "layer: 1, given_layer: 1";
  const unlike =
    "check/unreadable-source: the loss `distillation` compares what two networks make of the same tokens, and";
  const entered = student.replace("50%)", "50%, hidden: token)").replace(/decoder vit.*/, "decoder linear");

  test.each([
    [student, `${network}, layer: 2, given_layer: 2`, "loss/distillation/layers: layer 2 of an encoder that has 1"],
    [
      student,
      `${network}, layer: 1, given_layer: 3`,
      "loss/distillation/given-layers: layer 3 of a network that has 2",
    ],
    [student, `${plain}, ${layers}`, "loss/distillation/same-tokens: it puts 0 in front, and the encoder 1"],
    [entered, `${network}, ${layers}`, `${unlike} hidden ones enter the encoder as something else`],
    [
      `${student}\n  latents learned(count: 4, width: 8)`,
      `${plain}, ${layers}`,
      `${unlike} of the encoder latents alone go on`,
    ],
  ])("is refused where it could not: %#", (lines, through, expected) => {
    const { diagnostics } = analyzed(follows(lines, through));
    const errors = diagnostics.filter(({ severity }) => severity === "error");
    expect(errors.map(({ code, message }) => `${code}: ${message}`)).toEqual([expected]);
  });
});

describe("a network of which a target is made", () => {
  const model = (lines: string, through = "vit(depth: 2, width: 12, heads: 2)", more = "") =>
    `edition 2026\n\nmodel Student {\n  ${lines}\n  target given_features(through: ${through}${more})\n  loss mse\n}\n`;
  const input = "input image(size: 16x16, channels: 1)\n  tokens patch(size: 4x4)\n  mask random(ratio: 50%)";
  const encoder = "encoder vit(depth: 1, width: 8, heads: 2)\n  decoder vit(depth: 1, width: 8, heads: 2)";

  test("takes an encoder that is named, its tokens and positions too, also where latents stand between", () => {
    const teacher = analyzed(
      `edition 2026\n\nmodel Teacher {\n  ${input}\n  encoder vit(depth: 2, width: 12, heads: 2)\n  decoder vit(depth: 1, width: 8, heads: 2)\n  target pixels\n  loss mse\n}\n`,
    ).models.get("Teacher") as never;
    for (const latents of ["", "\n  latents learned(count: 4, width: 8)"]) {
      const { models, diagnostics } = analyzed(model(`${input}\n  ${encoder}${latents}`));
      expect(diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
      const own = ownedWeights(models.get("Student") as never);
      const { mappings } = keyMap(own, [{ stage: "teacher", part: "encoder", weights: ownedWeights(teacher) }]);
      const taken = mappings.flatMap((one) => (one.status !== "dropped" && "from" in one ? [one.name] : []));
      expect(taken.sort()).toEqual(
        own
          .filter((one) => one.given)
          .map(({ name }) => name)
          .sort(),
      );
      expect(taken.every((name) => name.startsWith("target_network."))).toBe(true);
    }
  });

  const unseen =
    "check/unreadable-source: the target `given_features` is made of what a network sees of the whole sample, and";
  test.each([
    [
      `${input}\n  ${encoder}`,
      network,
      "",
      "target/given_features/tokens: `convnext` gives maps, and a target is said token by token",
    ],
    [
      `${input}\n  ${encoder}`,
      "vit(depth: 2, width: 12, heads: 2)",
      ", layers: 3",
      "target/given_features/as-many-layers: the last 3 layers of a network that has 2",
    ],
    [
      `${input}\n  positions rotary\n  ${encoder}`,
      "vit(depth: 2, width: 12, heads: 2)",
      "",
      `${unseen} positions turn its queries and keys`,
    ],
    [
      `${input}\n  views copies(2)\n  ${encoder}`,
      "vit(depth: 2, width: 12, heads: 2)",
      "",
      `${unseen} of a sample views are seen`,
    ],
    [
      `input image(size: 16x16, channels: 1)\n  mask random(ratio: 50%)\n  encoder ${network}\n  decoder convnext_block(width: 8)`,
      "vit(depth: 2, width: 12, heads: 2)",
      "",
      `${unseen} no line makes tokens of it`,
    ],
  ])("is refused where it could not: %#", (lines, through, more, expected) => {
    const { diagnostics } = analyzed(model(lines, through, more));
    const errors = diagnostics.filter(({ severity }) => severity === "error");
    expect(errors.map(({ code, message }) => `${code}: ${message}`)).toEqual([expected]);
  });
});
