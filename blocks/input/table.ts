/** Rows of tables: columns of numbers and of categories, of which some may be missing. */

import { type Column, tableChannels } from "../arrays.js";
import { text } from "../params.js";
import { counted } from "../wording.js";
import { defineInput } from "./contract.js";

/** Columns of the widest table. */
const mostColumns = 4096;

const number = /^[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?$/i;

/** What is wrong with how columns are written, and what to write instead. */
interface Problem {
  readonly say: string;
  readonly help: string;
}

interface Written {
  readonly columns: readonly Column[];
  /** The first; null: there is none. */
  readonly problem: Problem | null;
}

/** A text cut at a mark; marks between single quotes do not count. null: a quote is not closed. */
function cutAt(text: string, mark: string): readonly string[] | null {
  const parts = [""];
  let isQuoted = false;
  for (const letter of text) {
    if (letter === "'") isQuoted = !isQuoted;
    if (letter === mark && !isQuoted) parts.push("");
    else parts[parts.length - 1] += letter;
  }
  return isQuoted ? null : parts;
}

/** A name or category without the quotes around it. */
const unquoted = (part: string): string => {
  const text = part.trim();
  return text.length > 1 && text.startsWith("'") && text.endsWith("'") ? text.slice(1, -1) : text;
};

/** A name or category as it is written. */
const quoted = (name: string): string => (/[,:|]|^\s|\s$/.test(name) ? `'${name}'` : name);

/** `sex: female | male`, `age: 38.6 +- 13.6` or `age`. */
function columnOf(part: string): Column | Problem {
  const [before = "", ...behind] = cutAt(part, ":") ?? [];
  const name = unquoted(before);
  if (name === "") return { say: "a column has no name", help: "write a name before and behind each comma" };
  if (behind.length === 0) return { name, kind: "number", mean: 0, deviation: 1 };
  const said = behind.join(":");
  const scale = said.split("+-").map((one) => one.trim());
  if (scale.length === 2) {
    const [mean, deviation] = scale.map((one) => (number.test(one) ? Number(one) : Number.NaN)) as [number, number];
    if (Number.isFinite(mean) && Number.isFinite(deviation) && deviation > 0)
      return { name, kind: "number", mean, deviation };
    return {
      say: `the mean and deviation of \`${name}\` are \`${said.trim()}\``,
      help: `write two numbers, the second above 0: \`${quoted(name)}: 38.6 +- 13.6\``,
    };
  }
  const categories = (cutAt(said, "|") ?? []).map(unquoted);
  const twice = categories.find((one, i) => categories.indexOf(one) < i);
  if (twice !== undefined) return { say: `\`${name}\` has the category \`${twice}\` twice`, help: "write it once" };
  if (categories.length < 2 || categories.includes("")) {
    return {
      say: `\`${name}\` has ${categories.includes("") ? "a category without a name" : `one category, \`${categories[0]}\``}`,
      help: `write what it may be: \`${quoted(name)}: a | b\`; or \`${quoted(name)}: MEAN +- DEVIATION\` of a number`,
    };
  }
  return { name, kind: "category", categories };
}

function written(text: string): Written {
  const parts = cutAt(text, ",");
  if (parts === null)
    return {
      columns: [],
      problem: { say: "a single quote in `columns` is not closed", help: "write a quote on both sides" },
    };
  const problems: Problem[] = [];
  const names = new Set<string>();
  const columns = parts.map((part, i): Column => {
    const column = columnOf(part);
    if (!("name" in column)) {
      problems.push(column);
      // What is written wrongly is a column all the same: nothing else is said of the model because of it.
      return { name: `column ${i + 1}`, kind: "number", mean: 0, deviation: 1 };
    }
    if (names.has(column.name)) {
      problems.push({ say: `\`columns\` names \`${column.name}\` twice`, help: "write it once" });
    }
    names.add(column.name);
    return column;
  });
  if (columns.length > mostColumns) {
    const say = `\`columns\` names ${counted(columns.length, "column")}, and a table has at most ${mostColumns}`;
    problems.push({ say, help: "leave some out" });
  }
  return { columns, problem: problems[0] ?? null };
}

/** Columns as `columns` of a table has them. */
export const columnsText = (columns: readonly Column[]): string =>
  columns
    .map((column) => {
      const name = quoted(column.name);
      if (column.kind === "category") return `${name}: ${column.categories.map(quoted).join(" | ")}`;
      const { mean, deviation } = column;
      return mean === 0 && deviation === 1 ? name : `${name}: ${mean} +- ${deviation}`;
    })
    .join(", ");

export const table = defineInput({
  name: "table",
  summary: "Rows of a table: columns of numbers and of categories, some of them missing in some rows.",
  source: "Gorishniy et al., Revisiting Deep Learning Models for Tabular Data, NeurIPS 2021, section 3.3",
  since: "0.2",
  numbers: "columns",
  params: {
    columns: text({
      doc: "The columns that the model reads, separated by commas: `age: 38.6 +- 13.6` is a number with the mean and deviation by which it is scaled, `age` one that is read as it is, `sex: female | male` a category. `mae columns FILE` writes them.",
    }),
  },
  positional: "columns",
  requires: [
    {
      name: "columns",
      at: "columns",
      doc: "Every column has a name of its own, and two categories or more, or a deviation above 0.",
      holds: (p) => written(p.columns).problem === null,
      say: (p) => (written(p.columns).problem as Problem).say,
      help: (p) => (written(p.columns).problem as Problem).help,
    },
  ],
  shape(p) {
    const { columns } = written(p.columns);
    return {
      axes: [{ name: "column", size: Math.max(1, columns.length) }],
      channels: Object.keys(tableChannels).length,
      table: { columns },
    };
  },
});
