/** Tokens of a table: one for each column, whatever it holds. */

import { invariant } from "../../graph/index.js";
import { categoriesOf, columnParameters, embedColumns } from "../nn/index.js";
import { cutInto } from "../sets.js";
import { defineTokens } from "./contract.js";

export const columns = defineTokens({
  name: "columns",
  summary:
    "A token of each column of a table: a learned vector times a number, or that of a category or of what is missing.",
  source: "Gorishniy et al., Revisiting Deep Learning Models for Tabular Data, NeurIPS 2021, section 3.3",
  since: "0.2",
  numbers: "columns",
  params: {},
  grid(_, array) {
    const lattice = cutInto(
      array,
      array.axes.map(() => 1),
    );
    invariant(lattice, "1 divides every size");
    return lattice;
  },
  parameters: (_, { array, width }) => ({ columns: columnParameters(categoriesOf(array), width) }),
  embed: (code, _, w, array, __, shape) =>
    code.let("tokens", embedColumns, array, w.columns, { categories: categoriesOf(shape) }),
});
