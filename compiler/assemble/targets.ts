/** What a target is given: its array, its field, and what a teacher makes of the array. */

import {
  type Batch,
  type BlockValue,
  type Code,
  type Encoder,
  patchesOf,
  type TargetInputs,
  tokensFrom,
} from "../../blocks/index.js";
import { invariant, type Tensor } from "../../graph/index.js";
import { normalization, seenBy, tokensFor, toldOf } from "./backbone.js";
import { type WeightTree, weightsUnder } from "./branches.js";
import { fieldsAsked } from "./fields.js";
import { arrayIn, codesIn, type Placed } from "./input-tokens.js";
import { extraTokensOf, startIn, tokensOf } from "./layout.js";
import { type InputPart, networkBeside, type Objective, type TeacherPart } from "./parts.js";
import { networkBranch, teacherBranch } from "./weights.js";

/** What a target is made of. `w`: the weights of the whole model; `prediction`: what gives the prediction that it is to imitate. */
export function targetInputs(
  code: Code,
  parts: Placed,
  w: WeightTree,
  objective: Objective,
  batch: Batch,
  prediction: TargetInputs["prediction"] = null,
): TargetInputs {
  const { target, input } = objective;
  const network = target.definition.network?.(target.values);
  const field = fieldsAsked(parts).find(({ part }) => part === target);
  return {
    array: arrayIn(input, batch),
    field: field ? (batch[field.name] as Tensor) : null,
    codes: () => codesIn(code, parts, input, w, arrayIn(input, batch)),
    teacher: parts.teacher && teacherOf(code, parts, parts.teacher, w[teacherBranch] as WeightTree, batch, input),
    given: network ? givenOf(code, parts, network, w, objective, batch) : nothingGiven,
    prediction,
  };
}

function nothingGiven(): never {
  invariant(false, "a target that names no network reads none");
}

/** What the last layers of a network that others have trained give, in the place of the encoder behind the objective. */
function givenOf(
  code: Code,
  parts: Placed,
  given: BlockValue<Encoder>,
  w: WeightTree,
  { label, latent, input }: Objective,
  batch: Batch,
): TargetInputs["given"] {
  const network = networkBeside(latent, given);
  const seeing: Placed = { ...parts, encoders: [network], encoder: network, branchOf: () => null };
  const own = weightsUnder(w, parts.branchOf(label))[networkBranch] as WeightTree;
  return teacherOf(code, seeing, { student: network }, own, batch, input);
}

/**
 * What the last layers of a teacher give for the patches of an input, [B, N, D] each: it sees every token of all that the encoder
 * reads which it follows. `w`: the teacher's weights.
 */
const teacherOf =
  (
    code: Code,
    parts: Placed,
    { student }: Pick<TeacherPart, "student">,
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
