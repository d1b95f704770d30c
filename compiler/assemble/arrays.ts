/** The arrays that a model reads, by the wires of its lines. */

import {
  type ArrayShape,
  type Bound,
  type Input,
  type Kinds,
  type ModelProgram,
  mustBe,
  type Tokens,
} from "../../blocks/index.js";
import type { Filled, Model } from "../model.js";
import { type Part, setParts, sourceAt, type Wiring, wire } from "../wire/wiring.js";

type ModelPart = Part<Filled>;

export const boundOf = <K extends keyof Kinds>(
  kind: K,
  { line: { use } }: Pick<ModelPart, "line">,
): Bound<Kinds[K]> => ({
  definition: mustBe(kind, use.definition),
  values: use.values,
});

/** The wires of a model without findings. */
export const wiringOf = ({ slots }: Model): Wiring<Filled> =>
  wire(slots, {
    definitionOf: ({ use }) => use.definition,
    labelsOf: ({ use }, parameter) => (use.values[parameter] ?? null) as readonly string[] | null,
  });

export const inputName = (line: Filled): string => line.label ?? line.use.definition.name;

/** What an input declares. */
export function declaredArray(line: Filled): ArrayShape {
  const { definition, values } = boundOf("input", { line });
  return (definition as Input).shape(values);
}

/** What enters the model of a sample, by name: as the labels of its inputs, or the medium of the only one. */
export function arraysOf(model: Model): ModelProgram["arrays"] {
  const wiring = wiringOf(model);
  const made = new Map(setParts(wiring).map((part) => [sourceAt(wiring, part, "array")?.line, part]));
  return Object.fromEntries(
    model.slots
      .filter(({ slot }) => slot === "input")
      .map((line) => {
        const [declared, part] = [declaredArray(line), made.get(line)];
        const entered = part?.slot === "tokens" ? enteredArray(boundOf("tokens", part), declared) : declared;
        return [inputName(line), ofFrames(model, entered)];
      }),
  );
}

/** The array with what views say of its samples: that they are videos, of which it is a frame. */
function ofFrames({ slots }: Model, array: ArrayShape): ArrayShape {
  const views = slots.find(({ slot }) => slot === "views");
  const gap = views && mustBe("view", views.use.definition).gap?.(views.use.values as never);
  return gap ? { ...array, gap } : array;
}

/** What enters the model: as it was declared, or of a cloud what the tokens make of that. */
const enteredArray = ({ definition, values }: Bound<Tokens>, declared: ArrayShape): ArrayShape =>
  definition.cloud?.array(values, declared) ?? declared;
