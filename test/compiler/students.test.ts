/** A decoder that begins inside the model's own and imitates what that predicts: how it is wired, what is trained, what is told of mistakes. */

import { expect, test } from "vitest";
import { frozenBy, namedParameters } from "../../blocks/index.js";
import { assemble, programOf } from "../../compiler/assemble/assemble.js";
import { trainingOf } from "../../compiler/index.js";
import { analyzed } from "../support/model.js";

const base = `edition 2026
model Teacher {
  input   image(size: 16x16, channels: 1)
  tokens  patch(size: 4x4)
  mask    random(ratio: 50%)
  encoder vit(depth: 1, width: 16, heads: 2)
  decoder vit(depth: 2, width: 8, heads: 2)
  target  pixels(normalize: none)
  loss    mse
}
`;

const student = (decoder: string, lines = "remove loss"): string => `${base}
model Student extends Teacher {
  ${lines}
  add target student: imitation {
    decoder ${decoder}
    loss    mse
  }
}
`;

const branch = "branch(after: 1, depth: 1, width: 8, heads: 2)";

const recipe = (lines: string): string => `
recipe Train for Student {
  data      idx(images: "a", labels: "b")
  batch     4
  steps     2
  optimizer adamw(lr: 1e-3)
  schedule  constant
  ${lines}
}
`;

const told = (text: string): readonly string[] =>
  analyzed(text).diagnostics.flatMap(({ severity, message }) => (severity === "error" ? message : []));

test("a recipe that names a part trains its weights alone, in a stage too", () => {
  const stages = `
pipeline Both {
  stage alone = Train of Student
}
`;
  const { models, recipes, pipelines, diagnostics } = analyzed(
    student(branch) + recipe("train target.student") + stages,
  );
  expect(diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
  const program = programOf(assemble(models.get("Student") as never));
  const trained = (training: ReturnType<typeof trainingOf>) =>
    [...namedParameters(frozenBy(program, training).parameters)].flatMap(([name, { trainable }]) =>
      trainable ? name.replace(/\.[^.]+$/, "") : [],
    );
  const own = [...new Set(trained(trainingOf(recipes.get("Train") as never)))];
  expect(own.every((name) => name.startsWith("student."))).toBe(true);
  expect(own).toEqual(expect.arrayContaining(["student.decoder_blocks.0.attn.qkv", "student.decoder_pred"]));
  expect([...new Set(trained(trainingOf(pipelines.get("Both")?.stages[0]?.recipe as never)))]).toEqual(own);
  expect(Object.keys(program.imitations ?? {})).toEqual(["student"]);
});

test("the matrix over patches alone stays as it is, with its bias", () => {
  const { models, recipes } = analyzed(student(branch) + recipe("freeze patches"));
  const program = programOf(assemble(models.get("Student") as never));
  const moved = (parameters: typeof program.parameters) =>
    [...namedParameters(parameters)].flatMap(([name, { trainable }]) => (trainable ? name : []));
  const frozen = new Set(moved(frozenBy(program, trainingOf(recipes.get("Train") as never)).parameters));
  expect(moved(program.parameters).filter((name) => !frozen.has(name))).toEqual([
    "patch_embed.proj.weight",
    "patch_embed.proj.bias",
  ]);
});

test.each([
  [student(branch), []],
  [student("vit(depth: 1, width: 8, heads: 2)", ""), []],
  [student(branch.replace("after: 1", "after: 3")), ["it begins behind 3 blocks of a decoder that has 2"]],
  [
    student(branch.replace("width: 8", "width: 16")),
    ["it goes on with 8 numbers of each token, as the model's own decoder has them, and its width is 16"],
  ],
  [
    base.replace("vit(depth: 2, width: 8", "branch(depth: 2, width: 8"),
    ["the decoder `branch` reads the decoder `branch`, behind whose blocks no other decoder can begin"],
  ],
  [base.replace("pixels(normalize: none)", "imitation"), ["`target` is made of what its own decoder predicts"]],
  [
    student(branch, "remove loss\n  replace decoder queries(depth: 2, width: 8, heads: 2)"),
    ["the decoder `branch` reads the decoder `queries`, behind whose blocks no other decoder can begin"],
  ],
  [
    student(branch, "remove target\n  add target colours: pixels\n  add target edges: low_pass(radius: 3)"),
    Array(2).fill("the model's decoder `vit` predicts several targets"),
  ],
  [student(branch) + recipe("train target.teacher"), ["`Student` has no part `target.teacher`"]],
  [
    student(branch) + recipe("train encoder\n  freeze encoder"),
    ["nothing of `encoder` is trained: `freeze` leaves it as it is"],
  ],
  [student(branch) + recipe("freeze patches"), []],
  [
    base
      .replace(/tokens.*\n/, "")
      .replace(/encoder.*\n/, "encoder resnet(depths: (1, 1), width: 2, stem: small)\n")
      .replace("vit(depth: 2, width: 8, heads: 2)", "unet(width: 4)")
      .replace("Teacher", "Student") + recipe("freeze patches"),
    ["`Student` has nothing that `freeze` could leave as it is"],
  ],
  [student(branch) + recipe("train [target.student, encoder]\n  freeze_blocks 1"), []],
  [
    student(branch) + recipe("train [target.student, tokens]\n  freeze_blocks 1"),
    ["nothing of `tokens` is trained: `freeze_blocks` leaves it as it is"],
  ],
  [student(branch) + recipe("train positions"), ["nothing of `positions` of `Student` is trained"]],
  [
    student(branch) + recipe("evaluate anomaly(add: [teacher])"),
    ["no target `teacher` is made of what the model's own decoder predicts"],
  ],
])("what is told of a student: %#", (text, messages) => {
  expect(told(text)).toEqual(messages);
});
