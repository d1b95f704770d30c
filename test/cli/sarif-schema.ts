/** The official SARIF 2.1.0 schema, ready to validate with. */

import { readFileSync } from "node:fs";
import { Ajv, type ValidateFunction } from "ajv";
import addFormats from "ajv-formats";

/**
 * Draft-04, as published, read as draft-07: of the words whose meaning changed in between it uses only `id`,
 * which became `$id`.
 */
export function sarifValidator(): ValidateFunction {
  const path = new URL("./reference/sarif-schema-2.1.0.json", import.meta.url);
  const {
    id,
    $schema: _draft,
    ...schema
  } = JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown> & {
    readonly id: string;
  };
  const ajv = new Ajv({ strict: false, allErrors: true });
  addFormats.default(ajv);
  return ajv.compile({ ...schema, $id: id });
}
