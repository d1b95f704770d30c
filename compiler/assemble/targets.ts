/** What a target is given: its array, its field, and what a teacher makes of the array. */

import { type Batch, type Code, patchesOf, type TargetInputs, tokensFrom } from "../../blocks/index.js";
import { invariant, type Tensor } from "../../graph/index.js";
import { normalization, seenBy, tokensFor, toldOf } from "./backbone.js";
import { type WeightTree, weightsUnder } from "./branches.js";
import { fieldsAsked } from "./fields.js";
import { arrayIn, codesIn, type Placed } from "./input-tokens.js";
import { extraTokensOf, startIn, tokensOf } from "./layout.js";
import type { InputPart, Objective, TeacherPart } from "./parts.js";
import { teacherBranch } from "./weights.js";

/** What a target is made of. `w`: the weights of the whole model; `prediction`: what gives the prediction that it is to imitate. */
export function targetInputs(
  code: Code,
  parts: Placed,
  w: WeightTree,
  { target, input }: Objective,
  batch: Batch,
  prediction: TargetInputs["prediction"] = null,
): TargetInputs {
  const field = fieldsAsked(parts).find(({ part }) => part === target);
  return {
    array: arrayIn(input, batch),
    field: field ? (batch[field.name] as Tensor) : null,
    codes: () => codesIn(code, parts, input, w, arrayIn(input, batch)),
    teacher: parts.teacher && teacherOf(code, parts, parts.teacher, w[teacherBranch] as WeightTree, batch, input),
    prediction,
  };
}

/**
 * What the last layers of the teacher give for the patches of an input, [B, N, D] each: it sees every token of all that the encoder
 * reads which it follows. `w`: the teacher's weights.
 */
const teacherOf =
  (
    code: Code,
    parts: Placed,
    { student }: TeacherPart,
    w: WeightTree,
    batch: Batch,
    input: InputPart,
  ): NonNullable<TargetInputs["teacher"]> =>
  (count, normed) => {
    const { definition, values } = student.block;
    invariant(definition.outputs, "the checker lets through only encoders whose layers can be read");
    const tokens = tokensFor(code, parts, student, w, batch, "whole");
    const own = weightsUnder(w, parts.branchOf(student.label));
    const origin = { ...seenBy(parts, student, w, null), ...toldOf(code, parts, student, w, batch, "whole") };
    const outputs = definition.outputs(code, values, own, tokens, origin, count);
    const normalize = normalization(code, student.block, own, origin);
    const given = normed ? outputs.map(normalize) : outputs;
    const extra = extraTokensOf(student);
    const [start, patches] = [extra + startIn(student.inputs, input), tokensOf([input])];
    return given.map((x) =>
      student.inputs.length === 1
        ? patchesOf(code, "taught", x, { extra, count: patches })
        : code.let("taught", tokensFrom, x, { start, count: patches }),
    );
  };
