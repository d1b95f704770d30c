/** What heads say and whether decoders predict logits, by which losses and probes fit them. */

/** The class of a sample, a number of it, the objects in it, the class of each of its places, where each place of one array lies in another, or a number of each place. */
export type Saying = "classes" | "number" | "objects" | "places" | "moves" | "values";

/** Logits that are predicted of patches: `each` of a zero or one by itself, or `one` class of a place among its classes. */
export type Logits = "each" | "one";

/** What a head says. */
export const saidBy = (head: { readonly says?: Saying }): Saying => head.says ?? "classes";

/** The same in words, as they follow "says". */
export const saidWords: Readonly<Record<Saying, string>> = {
  classes: "classes",
  number: "a number of a sample",
  objects: "objects",
  places: "classes of places",
  moves: "where places go",
  values: "values of places",
};
