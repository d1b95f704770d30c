/** Models for tests, checked from their text. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { lints, type ModelProgram, registry } from "../../blocks/index.js";
import { assemble, programOf } from "../../compiler/assemble/assemble.js";
import { type Analysis, analyze, type Model } from "../../compiler/index.js";
import type { Diagnostic } from "../../grammar/index.js";

/** A masked autoencoder as published. */
export const maeText = `edition 2026

model Mae {
  input   image(size: 224x224, channels: 3)
  tokens  patch(size: 16x16)
  mask    random(ratio: 75%)
  encoder vit(depth: 12, width: 768, heads: 12)
  decoder vit(depth: 8, width: 512, heads: 16)
  target  pixels(normalize: patch)
  loss    mse(on: hidden)
}
`;

/** Without advice: small models that train nothing get plenty of it. */
export const withoutAdvice = (diagnostics: readonly Diagnostic[]): readonly Diagnostic[] =>
  diagnostics.filter(({ code }) => !lints.some((lint) => lint.code === code));

/** What is said of a text that imports nothing, but for advice. */
export function analyzed(text: string): Analysis {
  const analysis = analyze({ path: "test.mae", text }, { readText: () => null }, registry);
  return { ...analysis, diagnostics: withoutAdvice(analysis.diagnostics) };
}

/** The last model of a text that must be without errors. */
export function modelOf(text: string): Model {
  const { models, diagnostics } = analyzed(text);
  refuse(diagnostics.filter(({ severity }) => severity === "error"));
  const model = [...models.values()].at(-1);
  if (!model) throw new Error("the text holds no model");
  return model;
}

/** The program of that model. */
export const programOfText = (text: string): ModelProgram => programOf(assemble(modelOf(text)));

/** What a file of `examples/` declares, which must be without findings. */
export function exampleOf(path: string): Analysis {
  const readText = (file: string) => readFileSync(join(import.meta.dirname, "../../examples", file), "utf8");
  const analysis = analyze({ path, text: readText(path) }, { readText }, registry);
  refuse(analysis.diagnostics);
  return analysis;
}

function refuse(findings: readonly Diagnostic[]): void {
  if (findings.length > 0) throw new Error(findings.map(({ code, message }) => `${code}: ${message}`).join("\n"));
}
