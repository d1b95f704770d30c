/** What a model of codes can be asked for besides its predictions, so that some can be generated. */

import type { Tensor } from "../../graph/index.js";
import type { ModelFunction } from "./function.js";
import { arrayIn, codesDrawn, codesIn, type Placed } from "./input-tokens.js";
import { generates, onlyInput } from "./layout.js";

/** The codes of arrays, and what codes look like, of a model that predicts such. */
export function codeFunctions(parts: Placed): readonly ModelFunction[] {
  if (!generates(parts)) return [];
  const input = onlyInput(parts);
  const codes: ModelFunction = {
    name: "codes",
    doc: "The code of each token.",
    inputs: ["arrays"],
    body: (code, w, { batch }) => codesIn(code, parts, input, w, arrayIn(input, batch)),
  };
  const draw: ModelFunction = {
    name: "draw",
    doc: "What codes look like.",
    inputs: [{ name: "codes", from: codes }],
    body: (code, w, { given }) => codesDrawn(code, parts, input, w, given.codes as Tensor),
  };
  return [codes, draw];
}
