/** What a target is given: the image, its field, and what a teacher makes of the image. */

import { type Batch, type Bound, type Code, patchesOf, type Target, type TargetInputs } from "../../blocks/index.js";
import { invariant, type Tensor } from "../../graph/index.js";
import { arrayIn, placedTokens } from "./backbone.js";
import { fieldsAsked } from "./fields.js";
import { layoutOf } from "./layout.js";
import type { Parts } from "./parts.js";
import { encoderPositions, teacherBranch, type WeightTree } from "./weights.js";

/** What a target is made of. `w`: the weights of the whole model. */
export function targetInputs(
  code: Code,
  parts: Parts,
  w: WeightTree,
  target: Bound<Target>,
  batch: Batch,
): TargetInputs {
  const field = fieldsAsked(parts).find(({ part }) => part === target);
  return {
    array: arrayIn(parts, batch),
    field: field ? (batch[field.name] as Tensor) : null,
    teacher: parts.teacher && ((count) => teacherOutputs(code, parts, w[teacherBranch] as WeightTree, batch, count)),
  };
}

/** What the last `count` layers of the teacher give for the patches of the whole image, [B, N, D] each. `w`: the teacher's. */
function teacherOutputs(code: Code, parts: Parts, w: WeightTree, batch: Batch, count: number): readonly Tensor[] {
  const { definition, values } = parts.encoder;
  const { extra, count: patches } = layoutOf(parts);
  invariant(definition.outputs, "the checker lets through only encoders whose layers can be read");
  const placed = placedTokens(code, parts, w, arrayIn(parts, batch));
  const outputs = definition.outputs(code, values, w, placed, w[encoderPositions] as Tensor, count);
  return outputs.map((x) => patchesOf(code, "taught", x, { extra, count: patches }));
}
