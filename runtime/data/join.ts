/**
 * Samples of several inputs joined: files by their paths below the folder of their data, without endings, and rows of arrays by their
 * numbers. What has no partner ends the run: nothing is left out in silence.
 */

import { type ArraySample, counted, type Label, nameOf, type SampleIndex } from "../../blocks/index.js";
import { RunError } from "../run-error.js";

/** The samples of one input. */
export interface InputSamples {
  /** Of its array. */
  readonly name: string;
  readonly index: SampleIndex;
}

/** In the order of the first input. Throws `run/data` for samples without a partner, and for labels that contradict each other. */
export function joinSamples(inputs: readonly InputSamples[]): SampleIndex {
  const [first] = inputs as readonly [InputSamples, ...InputSamples[]];
  const places = placesIn(inputs);
  const placeOf = ({ name }: InputSamples, i: number): number => (places.get(name) ?? [])[i] ?? i;
  const partOf = (input: InputSamples, i: number): ArraySample => ofOneInput(input.index, placeOf(input, i));
  const labelOf = labelsOf(inputs, partOf);
  const valued = valuedInput(inputs);
  const labelledInput = inputs.find(({ index }) => index.classes.length > 0);
  return {
    length: first.index.length,
    sample: (i) => ({
      kind: "joined",
      parts: Object.fromEntries(inputs.map((input) => [input.name, partOf(input, i)])),
      label: labelOf(i),
    }),
    classes: labelledInput?.index.classes ?? [],
    ...(labelledInput?.index.several ? { several: true } : {}),
    ...(valued ? { values: (i: number) => valued.values(placeOf(valued.input, i)) } : {}),
    notes: inputs.flatMap(({ name, index }) => index.notes.map((note) => `${name}: ${note}`)),
  };
}

/** The input whose data have a number of each sample; null: none has. Throws `run/data` for two. */
function valuedInput(inputs: readonly InputSamples[]) {
  const [one, other] = inputs.flatMap((input) => (input.index.values ? [{ input, values: input.index.values }] : []));
  if (!one || !other) return one ?? null;
  throw new RunError("run/data", {
    what: `The data of ${one.input.name} and of ${other.input.name} both have a number of each sample`,
    help: "Leave the numbers of one of them out.",
  });
}

function ofOneInput(index: SampleIndex, i: number): ArraySample {
  const sample = index.sample(i);
  if (sample.kind !== "joined") return sample;
  throw new RunError("run/data", {
    what: "A data set that has samples of several inputs is named for one of them",
    help: "Name data of that input alone.",
  });
}

/** Of each input whose samples stand in another order than those of the first, where they stand. */
function placesIn(inputs: readonly InputSamples[]): ReadonlyMap<string, readonly number[]> {
  const [first, ...others] = inputs as readonly [InputSamples, ...InputSamples[]];
  const named = inputs.map((input) => ({ input, names: namesOf(input) }));
  const [byName, byNumber] = [named.find(({ names }) => names), named.find(({ names }) => !names)];
  if (byName && byNumber) throw unlike(byName.input, byNumber.input);
  if (!byName) {
    const odd = others.find(({ index }) => index.length !== first.index.length);
    if (odd) throw ofOtherLength(first, odd);
    return new Map();
  }
  const [wanted, ...rest] = named.map(({ input, names }) => ({ input, names: names as ReadonlyMap<string, number> }));
  return new Map(rest.map((other) => [other.input.name, partners(wanted as Named, other)]));
}

interface Named {
  readonly input: InputSamples;
  /** By name, where it stands. */
  readonly names: ReadonlyMap<string, number>;
}

/** null: its samples have no names. */
function namesOf(input: InputSamples): ReadonlyMap<string, number> | null {
  const { name: label, index } = input;
  const names = new Map<string, number>();
  for (let i = 0; i < index.length; i++) {
    const name = nameOf(ofOneInput(index, i));
    // What the samples of a data set are, all are.
    if (name === null) return null;
    if (names.has(name)) {
      throw new RunError("run/data", {
        what: `The data of ${label} has two samples ${name}, endings left out`,
        why: "samples of several inputs belong together by the paths of files without endings",
        help: "Take one of the two away, or name it otherwise.",
      });
    }
    names.set(name, i);
  }
  return names;
}

/** Where the sample of each name of the one stands in the other. */
function partners(one: Named, other: Named): readonly number[] {
  const lonely = [alone(one, other), alone(other, one)].filter((text) => text !== null);
  if (lonely.length > 0) {
    throw new RunError("run/data", {
      what: lonely.join(", and "),
      why: "files of several inputs belong together by their paths below the folders, without endings",
      help: "Add the missing ones or take the others away; where samples are held out, write the same share for each input.",
    });
  }
  return [...one.names.keys()].map((name) => other.names.get(name) as number);
}

/** `2 samples of image have no audio: 7/a, 7/b`; null: none is. */
function alone(one: Named, other: Named): string | null {
  const names = [...one.names.keys()].filter((name) => !other.names.has(name));
  if (names.length === 0) return null;
  const more = names.length > shown ? ` and ${names.length - shown} more` : "";
  const [has, which] = [names.length === 1 ? "has" : "have", names.slice(0, shown).join(", ")];
  return `${counted(names.length, "sample")} of ${one.input.name} ${has} no ${other.input.name}: ${which}${more}`;
}

const shown = 3;

const unlike = (byName: InputSamples, byNumber: InputSamples): RunError =>
  new RunError("run/data", {
    what: `The samples of ${byName.name} are files and those of ${byNumber.name} rows of an array`,
    why: "nothing says which of them belong together",
    help: "Save both as files of the same names, or both as arrays with the rows in the same order.",
  });

const ofOtherLength = (first: InputSamples, other: InputSamples): RunError =>
  new RunError("run/data", {
    what: `The data of ${first.name} has ${counted(first.index.length, "row")} and that of ${other.name} ${counted(other.index.length, "row")}`,
    why: "rows of several inputs belong together by their numbers",
    help: "Save arrays with a row of every input for each sample.",
  });

/** The label of a sample, from any of the inputs that has one. Throws where two say different things. */
function labelsOf(
  inputs: readonly InputSamples[],
  partOf: (input: InputSamples, i: number) => ArraySample,
): (i: number) => Label | null {
  const [first, ...others] = inputs.filter(({ index }) => index.classes.length > 0);
  if (!first) return () => null;
  for (const other of others) {
    const isSame = first.index.several === other.index.several;
    if (!isSame || first.index.classes.join("\n") !== other.index.classes.join("\n")) throw otherClasses(first, other);
    for (let i = 0; i < first.index.length; i++) {
      const [label, its] = [partOf(first, i), partOf(other, i)].map((sample) => sample.label);
      if (String(label) === String(its)) continue;
      throw otherLabel(i, [first, label ?? null], [other, its ?? null], nameOf(partOf(first, i)));
    }
  }
  return (i) => partOf(first, i).label;
}

const listed = ({ classes }: SampleIndex): string =>
  `${classes.slice(0, shown).join(", ")}${classes.length > shown ? ` and ${classes.length - shown} more` : ""}`;

const otherClasses = (one: InputSamples, other: InputSamples): RunError =>
  new RunError("run/data", {
    what: `The data of ${one.name} has the classes ${listed(one.index)}, and that of ${other.name} ${listed(other.index)}`,
    help: "Leave the labels of one of them out, or make both the same.",
  });

function otherLabel(
  i: number,
  [one, label]: readonly [InputSamples, Label | null],
  [other, its]: readonly [InputSamples, Label | null],
  name: string | null,
): RunError {
  const classOf = ({ index }: InputSamples, own: Label | null): string => {
    const names = own === null ? [] : [own].flat().map((number) => index.classes[number] ?? String(number));
    return names.length === 0 ? "nothing" : names.join(" and ");
  };
  return new RunError("run/data", {
    what: `${name ?? `Sample ${i}`} is labelled ${classOf(one, label)} by the data of ${one.name}, and ${classOf(other, its)} by that of ${other.name}`,
    help: "Leave the labels of one of them out, or make both the same.",
  });
}
