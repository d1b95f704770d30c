/**
 * The package's main door: check a spec, plan it, print it. Training and evaluation are in `maelang/runtime`, emission in
 * `maelang/emit`, which load what they need.
 */

export { arrayOf, imageOf, type Kind, type Registry, registry } from "./blocks/index.js";
export * from "./compiler/index.js";
export {
  type Diagnostic,
  type Fix,
  format,
  parse,
  positionAt,
  type Severity,
  type Source,
  type Span,
} from "./grammar/index.js";
