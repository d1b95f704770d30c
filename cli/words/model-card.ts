/** A model card in Markdown, as libraries and hubs show it beside the weights: what the model is, how it was trained, what it scores, how it is loaded. */

import type { Library } from "../../runtime/index.js";
import { grouped } from "./terminal.js";

export interface CardFacts {
  readonly library: Library;
  /** What it is there. */
  readonly kind: string;
  readonly name: string;
  readonly doc: string;
  readonly step: number;
  readonly parameters: number;
  /** The resolved spec. */
  readonly spec: string;
  /** By probe and score; empty where nothing has been judged. */
  readonly scores: Readonly<Record<string, number | null>>;
  /** Our weights that have no place there. */
  readonly left: readonly string[];
}

const loading: Readonly<Record<Library, (kind: string) => string>> = {
  huggingface: (kind) => `from transformers import ${kind}\n\nmodel = ${kind}.from_pretrained("path/of/this/folder")`,
  timm: () => `import timm\n\nmodel = timm.create_model("local-dir:path/of/this/folder", pretrained=True)`,
  official: () =>
    'from safetensors.torch import load_file\n\nmodel.load_state_dict(load_file("path/of/this/folder/model.safetensors"))',
};

const libraryNames: Readonly<Record<Library, string>> = {
  huggingface: "transformers",
  timm: "timm",
  official: "pytorch",
};

export function modelCard({ library, kind, name, doc, step, parameters, spec, scores, left }: CardFacts): string {
  const judged = Object.entries(scores).filter(([, score]) => score !== null);
  return [
    `---\nlibrary_name: ${libraryNames[library]}\ntags:\n- masked-autoencoder\n- maelang\n---`,
    `# ${name}`,
    ...(doc === "" ? [] : [doc]),
    `${kind}, ${grouped(parameters)} parameters, trained for ${grouped(step)} steps with Maelang.`,
    "## Load it",
    `\`\`\`python\n${loading[library](kind)}\n\`\`\``,
    ...(judged.length === 0
      ? []
      : [
          "## Scores",
          [
            "| probe | score |",
            "| --- | --- |",
            ...judged.map(([probe, score]) => `| ${probe} | ${score?.toPrecision(4)} |`),
          ].join("\n"),
          "As the recipe below judged it at the end of training.",
        ]),
    "## How it was made",
    `\`\`\`mae\n${spec.trim()}\n\`\`\``,
    ...(left.length === 0 ? [] : [`Not in this folder, since ${kind} has no place for it: ${left.join(", ")}.`]),
    "",
  ].join("\n\n");
}
