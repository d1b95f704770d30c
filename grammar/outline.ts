/**
 * A syntax tree as an indented outline, one node a line, without spans: what the conformance cases compare, and what
 * "the same tree" means for the formatter. Its form is described in `spec/conformance/README.md`.
 */

import type * as Ast from "./ast.js";

interface Branch {
  readonly head: string;
  readonly below: readonly Branch[];
}

/** The outline of a file, with a line end after each line. */
export function outline(file: Ast.File): string {
  const lines: string[] = [];
  const write = (branch: Branch, depth: number) => {
    lines.push(`${"  ".repeat(depth)}${branch.head}`);
    for (const inner of branch.below) write(inner, depth + 1);
  };
  const edition = file.edition ? [{ head: `edition ${file.edition.year}`, below: [] }] : [];
  for (const branch of [...edition, ...file.imports.map(importBranch), ...file.declarations.map(declaration)]) {
    write(branch, 0);
  }
  return lines.map((line) => `${line}\n`).join("");
}

function importBranch(node: Ast.Import): Branch {
  const names = node.names.map(({ name, alias }) => (alias ? `${name.name} as ${alias.name}` : name.name));
  return { head: `import from ${node.from ? JSON.stringify(node.from.value) : "?"}`, below: names.map(leaf) };
}

function leaf(head: string): Branch {
  return { head, below: [] };
}

function nameOf(name: Ast.Identifier | null): string {
  return name?.name ?? "?";
}

function docs(doc: string): Branch[] {
  return doc === "" ? [] : doc.split("\n").map((line) => leaf(`/// ${line}`.trimEnd()));
}

function declaration(node: Ast.Declaration): Branch {
  const name = nameOf(node.name);
  const inherited = "base" in node && node.base ? ` extends ${node.base.name}` : "";
  const head = `${node.kind} ${name}${inherited}`;
  switch (node.kind) {
    case "model":
      return { head, below: [...docs(node.doc), ...node.entries.map(modelEntry)] };
    case "recipe": {
      const subject = node.subject ? ` for ${node.subject.name}` : "";
      return { head: head + subject, below: [...docs(node.doc), ...node.entries.map(modelEntry)] };
    }
    case "variants":
      return {
        head: `${head} of ${nameOf(node.subject)}`,
        below: [...docs(node.doc), ...node.entries.map(variantsEntry)],
      };
    case "pipeline":
      return { head, below: [...docs(node.doc), ...node.entries.map(pipelineEntry)] };
  }
}

function modelEntry(node: Ast.ModelEntry): Branch {
  switch (node.kind) {
    case "slot":
      return slot(node);
    case "remove":
      return leaf(`remove ${node.slot.name}${node.label ? ` ${node.label.name}` : ""}`);
    case "set":
      return { head: `set ${dotted(node.path)}`, below: [node.value ? expression(node.value) : leaf("missing")] };
    case "let":
      return letEntry(node);
  }
}

function slot(node: Ast.Slot): Branch {
  const verb = node.verb ? `${node.verb} ` : "";
  const label = node.label ? ` ${node.label.name}:` : "";
  const every = node.every ? [{ head: "every", below: [expression(node.every)] }] : [];
  const body = node.entries ? [{ head: "body", below: node.entries.map(modelEntry) }] : [];
  return {
    head: `${verb}slot ${node.slot.name}${label}`,
    below: [...docs(node.doc), ...node.values.map(expression), ...every, ...body],
  };
}

function letEntry(node: Ast.Let): Branch {
  return { head: `let ${node.name.name}`, below: node.alternatives.map(expression) };
}

function variantsEntry(node: Ast.VariantsEntry): Branch {
  switch (node.kind) {
    case "let":
      return letEntry(node);
    case "axis":
      return { head: `axis ${dotted(node.path)}`, below: node.alternatives.map(expression) };
    case "skip":
      return { head: "skip", below: [node.condition ? condition(node.condition) : leaf("missing")] };
  }
}

function condition(node: Ast.Condition): Branch {
  if (node.kind === "logical") return { head: node.operator, below: [condition(node.left), condition(node.right)] };
  return { head: node.operator, below: [expression(node.left), expression(node.right)] };
}

function pipelineEntry(node: Ast.PipelineEntry): Branch {
  if (node.kind === "evaluation") {
    return { head: `evaluate ${node.stage.name}`, below: node.probes.map(expression) };
  }
  const from = node.from.map((source) =>
    leaf(`from ${source.kind === "path" ? dotted(source.parts) : filePart(source)}`),
  );
  const fresh = node.fresh.map((path) => leaf(`fresh ${dotted(path.parts)}`));
  const freshAlone = node.saysFresh && fresh.length === 0 ? [leaf("fresh")] : [];
  return {
    head: `stage ${node.name.name} = ${nameOf(node.recipe)} of ${nameOf(node.model)}`,
    below: [...from, ...fresh, ...freshAlone],
  };
}

function dotted(parts: readonly Ast.Identifier[]): string {
  return parts.map((part) => part.name).join(".");
}

const filePart = ({ file, parts }: Ast.FilePart): string =>
  [JSON.stringify(file.value), ...parts.map(({ name }) => name)].join(".");

function expression(node: Ast.Expression): Branch {
  switch (node.kind) {
    case "number":
      return leaf(`number ${node.raw}`);
    case "quantity":
      return leaf(`quantity ${node.amount?.raw ?? "all"} ${node.unit}`);
    case "size":
      return leaf(`size ${node.sides.join("x")}`);
    case "range":
      return { head: "range", below: [expression(node.from), expression(node.to)] };
    case "rate":
      return { head: "rate", below: [expression(node.value), expression(node.per)] };
    case "ramp":
      return { head: "ramp", below: [node.from, node.to, ...(node.over ? [node.over] : [])].map(expression) };
    case "text":
      return leaf(`text ${JSON.stringify(node.value)}`);
    case "file part":
      return leaf(`file part ${filePart(node)}`);
    case "list":
      return { head: "list", below: node.items.map(expression) };
    case "tuple":
      return { head: "tuple", below: node.items.map(expression) };
    case "path":
      return leaf(`path ${dotted(node.parts)}`);
    case "call":
      return { head: `call ${node.callee.name}`, below: node.arguments.map(argument) };
    case "missing":
      return leaf("missing");
  }
}

function argument(node: Ast.Argument): Branch {
  const value = expression(node.value);
  return node.name ? { head: `${node.name.name}: ${value.head}`, below: value.below } : value;
}
