/** What a target is given: its array, its field, and what a teacher makes of the array. */

import { type Batch, type Code, patchesOf, type TargetInputs } from "../../blocks/index.js";
import { invariant, type Tensor } from "../../graph/index.js";
import { arrayIn, type Placed, paddingOf, placedTokens } from "./backbone.js";
import { fieldsAsked } from "./fields.js";
import { layoutOf } from "./layout.js";
import { type Objective, onlyInput } from "./parts.js";
import { encoderPositions, teacherBranch, type WeightTree } from "./weights.js";

/** What a target is made of. `w`: the weights of the whole model. */
export function targetInputs(
  code: Code,
  parts: Placed,
  w: WeightTree,
  { target, input }: Objective,
  batch: Batch,
): TargetInputs {
  const field = fieldsAsked(parts).find(({ part }) => part === target);
  return {
    array: arrayIn(input, batch),
    field: field ? (batch[field.name] as Tensor) : null,
    teacher: parts.teacher && ((count) => teacherOutputs(code, parts, w[teacherBranch] as WeightTree, batch, count)),
  };
}

/** What the last `count` layers of the teacher give for the patches of the whole image, [B, N, D] each. `w`: the teacher's. */
function teacherOutputs(code: Code, parts: Placed, w: WeightTree, batch: Batch, count: number): readonly Tensor[] {
  const { definition, values } = parts.encoder.block;
  const { extra, count: patches } = layoutOf(parts);
  const input = onlyInput(parts);
  invariant(definition.outputs, "the checker lets through only encoders whose layers can be read");
  const placed = placedTokens(code, parts, input, w, arrayIn(input, batch));
  const padding = paddingOf(code, input, arrayIn(input, batch));
  const seen = { positions: w[encoderPositions] as Tensor, input: null, padding };
  const outputs = definition.outputs(code, values, w, placed, seen, count);
  return outputs.map((x) => patchesOf(code, "taught", x, { extra, count: patches }));
}
