/** A consumer of every door, compiled as a plain strict project. */

import { analyze, type Diagnostic, registry } from "maelang";
import { namedParameters, type ParameterTree } from "maelang/blocks";
import * as browser from "maelang/browser";
import { assemble, type Model, plan, programOf } from "maelang/compiler";
import * as emit from "maelang/emit";
import { format, parse } from "maelang/grammar";
import { createBuilder } from "maelang/graph";
import { type Backend, openExecutor, type WeightValues } from "maelang/runtime";
import { Small } from "./build/small.js";

export const doors = { analyze, assemble, browser, createBuilder, emit, format, openExecutor, parse, plan, registry };

/** A tree of weights that are there or not, as a block declares them. */
export const declared = (isNormed: boolean, tree: ParameterTree): ParameterTree => (isNormed ? { norm: tree } : {});

export const weightNames: readonly string[] = [...namedParameters(Small.parameters)].map(([name]) => name);

export const backend: Backend = "onnx";
export const first = (weights: WeightValues): number | undefined => weights[weightNames[0] ?? ""]?.[0];
export const said = (findings: readonly Diagnostic[]): string => findings.map(({ code }) => code).join();
export const named = (model: Model): string => programOf(assemble(model)).name;
