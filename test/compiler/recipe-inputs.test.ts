/** Recipes of models with several inputs: whose data and whose augmentations lines are, and what is said where that is not clear. */

import { describe, expect, test } from "vitest";
import { registry } from "../../blocks/index.js";
import { analyze, render, trainingOf } from "../../compiler/index.js";

const network = `
  mask    random(ratio: 75%)
  encoder vit(depth: 2, width: 64, heads: 4)
  decoder vit(depth: 1, width: 32, heads: 4)
  target  pixels(normalize: patch)
  loss    mse(on: hidden)`;

const inputs = {
  both: `
  input   audio: spectrogram(frames: 128, mels: 64)
  input   image: image(size: 64x64, channels: 3)
  tokens  patch(size: 16x16)`,
  pictures: `
  input   rgb: image(size: 64x64, channels: 3)
  input   depth: image(size: 64x64, channels: 1)
  tokens  patch(size: 16x16)`,
  one: `
  input   image(size: 64x64, channels: 3)
  tokens  patch(size: 16x16)`,
};

const rest = ["batch 48", "epochs 100", "optimizer adamw(lr: 1.5e-4 per 256)", "schedule cosine(warmup: 10 epochs)"];

const text = (kind: keyof typeof inputs, lines: readonly string[], more = ""): string =>
  spec(network, lines, kind, more);

const spec = (
  parts: string,
  lines: readonly string[],
  kind: keyof typeof inputs = "both",
  more = "",
): string => `edition 2026

model Joint {${inputs[kind]}${parts}
}

recipe Pretrain for Joint {
  ${[...lines, ...rest].join("\n  ")}
}
${more}`;

/** What is said of recipes but for advice. */
function findings(...args: Parameters<typeof text>): readonly string[] {
  const { diagnostics } = analyze({ path: "main.mae", text: text(...args) }, { readText: () => null }, registry);
  return diagnostics
    .filter(({ severity, code }) => severity !== "info" && !code.startsWith("lint/"))
    .map(({ code, message, help, span }) => {
      const at = span.source.text.slice(span.start, span.end);
      return `${code} at ${at}: ${message}. ${help ?? ""}`;
    });
}

const clear = [
  'data image: folder("images", holdout: 10%)',
  'data audio: folder("sounds", holdout: 10%)',
  "augment random_resized_crop, horizontal_flip",
  "augment image: normalize(imagenet)",
  "augment audio: normalize(mean: (-5.081), std: (4.4849))",
];

describe("lines of several inputs", () => {
  test("are clear with the names of the inputs, and where one kind alone has pictures", () => {
    expect(findings("both", clear)).toEqual([]);
  });

  test("change as what is inherited does", () => {
    const child = `
recipe Unflipped extends Pretrain {
  remove  augment horizontal_flip
  set     data.audio.holdout: 20%
  set     data.image.holdout: 20%
  replace augment image: resize, normalize(imagenet)
  set     augment.audio.std: (4)
}
recipe Cropped extends Unflipped {
  set     augment.image.resize.shorter: 72
  add     augment image: center_crop
}`;
    expect(findings("both", clear, child)).toEqual([]);
    const wrong = `
recipe Unflipped extends Pretrain {
  remove augment video
  replace data text: folder("words")
  replace augment depth: resize
}`;
    expect(findings("both", clear, wrong)).toEqual([
      expect.stringMatching(/^check\/nothing-to-change .* there is no `augment video` to remove/),
      expect.stringMatching(/^check\/nothing-to-change .* there is no `data text` to replace/),
      expect.stringMatching(/^check\/unknown-label .* no input of the model is called `text`/),
      expect.stringMatching(/^check\/nothing-to-change .* there is no `augment depth` to replace/),
      expect.stringMatching(/^check\/unknown-label .* no input of the model is called `depth`/),
    ]);
  });

  test.each([
    [
      "data without a label",
      "both",
      ['data folder("x")'],
      [
        /^check\/missing-label at data folder\("x"\): the model reads `audio` and `image`, and this `data` .* write `data audio: folder\(\.\.\.\)` or `data image: folder\(\.\.\.\)`$/,
      ],
    ],
    [
      "data that only one of them can read",
      "both",
      ['data idx("x")'],
      [/^check\/missing-label .* write `data image: idx\(\.\.\.\)`$/],
    ],
    [
      "an input that the model lacks",
      "both",
      ['data imgae: folder("x")', 'data audio: folder("y")', "augment video: horizontal_flip, resize"],
      [
        /^check\/unknown-label at data imgae.* no input of the model is called `imgae`. did you mean `image`\?/,
        /^check\/unknown-label at augment video.* no input of the model is called `video`\. the inputs are `audio` and `image`$/,
      ],
    ],
    [
      "an input without data",
      "both",
      ['data image: folder("x")', "augment image: normalize(imagenet)"],
      [/^check\/missing-slot at Pretrain: `Pretrain` has no `data audio`\. add a line `data audio: \.\.\.`$/],
    ],
    [
      "data of another medium than its input",
      "both",
      ['data image: idx("x")', 'data audio: idx("y")', "augment image: normalize(imagenet)"],
      [
        /^dataset\/idx\/input at idx\("y"\): this is data for `image`, and the model reads recordings \(time, frequency\)/,
      ],
    ],
    [
      "statistics that could be of any input",
      "both",
      [...clear.slice(0, 2), "augment horizontal_flip, normalize(imagenet)"],
      [
        /^check\/missing-label .* this `augment` does not say which it is for\. write `augment audio: normalize\(\.\.\.\)` or `augment image: normalize\(\.\.\.\)`$/,
      ],
    ],
    [
      "statistics of an input with other channels, and pictures where there are none",
      "both",
      [...clear.slice(0, 2), "augment audio: resize, normalize(imagenet)", "augment image: normalize(imagenet)"],
      [
        /^augment\/resize\/pictures at resize: this changes pictures, and the model reads time, frequency/,
        /^augment\/normalize\/one-number-a-channel .* 3 numbers for 1 channel/,
      ],
    ],
    [
      "pictures of one input that do not fit, where both are changed alike",
      "pictures",
      [
        'data rgb: folder("x")',
        'data depth: folder("y")',
        "augment depth: normalize(imagenet)",
        "augment horizontal_flip",
      ],
      [/^augment\/normalize\/one-number-a-channel at normalize\(imagenet\): `normalize` has 3 numbers for 1 channel/],
    ],
    [
      "the only input twice",
      "one",
      ['data image: folder("x")', 'data folder("y")', "augment normalize(imagenet)"],
      [/^check\/duplicate-slot at data folder\("y"\): `data` is filled twice, and the model has one input/],
    ],
    [
      "one input twice",
      "both",
      [...clear, 'data audio: folder("z")'],
      [/^check\/duplicate-slot at data audio: `data audio` is filled twice/],
    ],
  ] as const)("%s", (_, kind, lines, expected) => {
    expect(findings(kind, lines)).toEqual(expected.map((pattern) => expect.stringMatching(pattern)));
  });
});

test("of a model with one input, lines with its name mean the same as those without", () => {
  const check = (lines: readonly string[]) =>
    analyze({ path: "main.mae", text: text("one", lines) }, { readText: () => null }, registry);
  const [plain, named] = ["", " image:"].map((label) =>
    check([`data${label} folder("x")`, `augment${label} horizontal_flip, normalize(imagenet)`]),
  );
  const recipes = [plain, named].map((analysis) => analysis?.recipes.get("Pretrain") ?? expect.fail("no recipe"));
  expect(named?.diagnostics.filter(({ severity }) => severity !== "info")).toEqual([]);
  const [without, labelled] = recipes.map((recipe) => trainingOf(recipe));
  expect(without?.augment.map(({ input }) => input)).toEqual([undefined, undefined]);
  expect(labelled?.augment.map(({ input, ...rest }) => [input, rest])).toEqual(
    without?.augment.map((rest) => ["image", rest]),
  );
  const model = named?.models.get("Joint") ?? expect.fail("no model");
  expect(render(model, recipes[1] ?? null, { origin: false })).toMatch(/\n {2}data +image: folder\(/);
});

test("a probe judges one output of the model, by name", () => {
  const own = ['data audio: folder("sounds")', 'data image: folder("images")', "augment image: normalize(imagenet)"];
  const labelled = network.replace("encoder vit(", "encoder joint: vit(of: [audio, image], ");
  const of = (names: string): readonly string[] => {
    const text = spec(labelled, [...own, `evaluate knn(of: ${names})`]);
    const { diagnostics } = analyze({ path: "main.mae", text }, { readText: () => null }, registry);
    return diagnostics.flatMap(({ severity, code, help }) => (severity === "error" ? [`${code}: ${help}`] : []));
  };
  for (const name of ["joint", "joint.audio", "joint.image", "features"]) expect(of(`[${name}]`)).toEqual([]);
  const known = "it gives `features`, `joint`, `joint.audio` and `joint.image`";
  for (const names of ["[audio]", "[joint, features]", "[]"])
    expect(of(names)).toEqual([`check/unknown-label: ${known}`]);
});
