/**
 * Laws of emission: what is printed is the model that was planned, node by node; `tsc --strict` accepts it, and rejects it
 * when one of its shapes is changed; a spec cannot smuggle code into it.
 */

import { describe, expect, test } from "vitest";
import type { ModelProgram } from "../../../blocks/index.js";
import { assemble, programOf } from "../../../compiler/assemble/assemble.js";
import { declareWeights } from "../../../compiler/assemble/trace.js";
import { emitModule } from "../../../compiler/emit/index.js";
import { createBuilder, type Graph, printGraph, tokenGraph } from "../../../graph/index.js";
import { loadEmitted, typeChecker } from "../../support/emitted.js";
import { modelOf } from "../../support/model.js";
