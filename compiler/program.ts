/**
 * A model's functions as statements: what `compiler/assemble` records and `compiler/emit` prints. Closed and plain;
 * no text of a language is in it.
 */

import type { Dim, DType } from "../graph/index.js";

/** The shape of a tensor in the program, with rows where it follows the batch, "any" where it varies from batch to batch. */
export interface TensorForm {
  readonly shape: readonly (Dim | "any")[];
  readonly dtype: DType;
}

/** What a function gives: a tensor, or several in a list. */
export type ResultForm = TensorForm | readonly TensorForm[];

export const isSeveral = (form: ResultForm): form is readonly TensorForm[] => Array.isArray(form);

export type Operand =
  /** A local variable or an argument. */
  | { readonly kind: "variable"; readonly name: string }
  /** One of a list of tensors: `maps[3]`. */
  | { readonly kind: "item"; readonly of: string; readonly index: number }
  /** A field of the batch: `batch.image`. */
  | { readonly kind: "field"; readonly name: string }
  /** A branch of the weights, by its path from the root. */
  | { readonly kind: "weights"; readonly path: readonly string[] }
  /** The lattice of an array's tokens, by its name in the program. */
  | { readonly kind: "grid"; readonly name: string }
  | { readonly kind: "list"; readonly items: readonly Operand[] }
  | { readonly kind: "record"; readonly fields: readonly (readonly [name: string, value: Operand])[] }
  | { readonly kind: "data"; readonly value: string | number | boolean | null };

/** What is called: a layer, or a function of the same program, which also takes the weights. */
export interface Callee {
  readonly name: string;
  /** The layer itself; null: a function of the program. */
  readonly layer: object | null;
  /** Of a function of the program: the layer that makes of the weights those that it takes. */
  readonly weights?: { readonly name: string; readonly layer: object };
}

export type Statement =
  /** `const name = callee(g, ...operands)` */
  | {
      readonly kind: "let";
      readonly name: string;
      readonly callee: Callee;
      readonly operands: readonly Operand[];
      readonly form: ResultForm;
    }
  /** `let name = start; for (const element of list) name = callee(g, name, element, ...operands)` */
  | {
      readonly kind: "fold";
      readonly name: string;
      readonly element: string;
      readonly start: Operand;
      readonly list: Operand;
      /** Only the first `layers` of the list, an argument of the function. */
      readonly cut: boolean;
      readonly callee: Callee;
      readonly operands: readonly Operand[];
      readonly form: TensorForm;
    };

/** What a function is given after `g` and `w`: a tensor by name, a batch, its arrays alone, or how many layers it passes. */
export type FunctionArgument =
  | { readonly kind: "tensor"; readonly name: string; readonly form: ResultForm }
  | { readonly kind: "batch" | "arrays" | "layers" };

export interface ProgramFunction {
  readonly name: string;
  readonly doc: string;
  readonly inputs: readonly FunctionArgument[];
  readonly statements: readonly Statement[];
  readonly result: Operand;
  /** null: the losses' record. */
  readonly form: ResultForm | null;
}

/** What the program calls the lattice of an array. `only`: whether the model reads one array. */
export const gridName = (array: string, only: boolean): string => (only ? "grid" : `${array}Grid`);

/** Everything that is printed about the batch. */
export interface BatchForm {
  /** What the model reads of a sample. */
  readonly arrays: Readonly<Record<string, TensorForm>>;
  /** What masks are fed. */
  readonly places: Readonly<Record<string, DocumentedForm>>;
  /** What training sees in place of arrays, and scalars that move. */
  readonly views: Readonly<Record<string, DocumentedForm>>;
  /** By name; only those that reach the graph. */
  readonly fields: Readonly<Record<string, DocumentedForm>>;
  /** What a guided mask is fed besides. */
  readonly guide: Readonly<Record<string, DocumentedForm>>;
  /** What is there in training alone. */
  readonly training: Readonly<Record<string, DocumentedForm>>;
}

export interface DocumentedForm {
  readonly form: TensorForm;
  readonly doc: string;
}

export interface Program {
  readonly functions: readonly ProgramFunction[];
  readonly batch: BatchForm;
}
