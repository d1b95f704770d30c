/** What a model with an adversary costs: the plan counts what its training step computes, phase by phase. */

import { describe, expect, test } from "vitest";
import { assemble, programOf } from "../../compiler/assemble/assemble.js";
import { diff, plan } from "../../compiler/index.js";
import { cost, simplify } from "../../graph/index.js";
import { trainingStep } from "../../runtime/train/step.js";
import { bound } from "../support/data.js";
import { analyzed } from "../support/model.js";

const text = `edition 2026
model Plain {
  input   image(size: 16x16, channels: 1)
  tokens  patch(size: 4x4)
  mask    random(ratio: 75%)
  encoder vit(depth: 2, width: 16, heads: 2)
  decoder vit(depth: 1, width: 8, heads: 2)
  target  pixels(normalize: patch)
  loss    mse(on: hidden)
}
model Alternate extends Plain { add adversary patch_discriminator }
model Joint extends Plain { add adversary patch_discriminator(update: joint) }
model OneWay extends Plain { add adversary patch_discriminator(backbone: one_way, pays: hidden) }
model Separate extends Plain { add adversary patch_discriminator(backbone: separate, balance: fixed) }
`;

const { models } = analyzed(text);

function named(name: string) {
  const model = models.get(name);
  if (!model) throw new Error(`the text holds no sound model ${name}`);
  return model;
}

describe.each(["Alternate", "Joint", "OneWay", "Separate"])("the plan of %s", (name) => {
  const planned = plan(named(name));

  test("counts the products of every phase of a step", () => {
    const optimizer = bound("optimizer", "adamw");
    let traced = 0;
    trainingStep(programOf(assemble(named(name))), { batch: 1, clip: null, optimizer }, (_, graph) => {
      // What both losses of one update compute alike is counted once.
      traced += cost(name === "Joint" ? simplify(graph) : graph).matmul;
    });
    expect(planned.flops.training).toBe(traced);
  });

  test("is more than that of the model alone", () => {
    const alone = plan(named("Plain"));
    expect(planned.flops.forward).toBeGreaterThan(alone.flops.forward);
    expect(planned.flops.training).toBeGreaterThan(alone.flops.training + planned.flops.forward);
    expect(planned.memory.working).toBeGreaterThan(alone.memory.working);
  });
});

test("one forward pass for both sides costs less than one for each", () => {
  expect(plan(named("Joint")).flops.training).toBeLessThan(plan(named("Alternate")).flops.training);
});

test("an encoder whose weights are constants as it judges for the model has fewer gradients", () => {
  expect(plan(named("OneWay")).flops.training).toBeLessThan(plan(named("Alternate")).flops.training);
});

test("an adversary has a logit of its own, and where it is separate an encoder", () => {
  const [alone, shared, separate] = ["Plain", "Alternate", "Separate"].map((name) => plan(named(name)).parameters);
  const part = (name: string) => plan(named("Plain")).parts.find((one) => one.name === name)?.parameters as number;
  const encoder = ["pos_embed", "patch_embed", "cls_token", "blocks", "norm"].reduce(
    (sum, name) => sum + part(name),
    0,
  );
  expect(shared).toBe((alone as number) + 16 + 1);
  expect(separate).toBe((shared as number) + encoder);
});

test("all of its weights are new to a checkpoint of the model alone", () => {
  const { weights } = diff(named("Plain"), named("Separate"));
  const changed = weights.filter(({ status }) => status !== "same");
  expect(changed.length).toBeGreaterThan(2);
  expect(changed.every(({ name, status }) => status === "new" && name.startsWith("adversary."))).toBe(true);
});
