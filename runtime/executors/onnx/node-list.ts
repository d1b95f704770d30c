/** The nodes of an ONNX model under construction, names for what they make, and the order in which they are written. */

import type { Field } from "../protobuf.js";
import { type Attributes, node } from "./fields.js";

export interface NodeList {
  /** A name that nothing has. */
  fresh(): string;
  /** Nothing else gets this name. */
  reserve(name: string): void;
  /** Nodes added from now on are named after it; profiles and errors of onnxruntime show the name. */
  within(scope: string): void;
  /** Adds a node. */
  add(type: string, from: readonly string[], to: readonly string[], attributes?: Attributes, domain?: string): void;
  /** Adds a node with one output and gives the output's name. */
  op(type: string, inputs: readonly string[], attributes?: Attributes, domain?: string): string;
  /** As they were added. */
  inOrder(): readonly Field[];
  /** For onnxruntime, so that what is computed early can be freed early. */
  gradientsFirst(): readonly Field[];
  /** Of operators that are not ONNX's own. */
  domains(): readonly string[];
}

interface Listed {
  readonly to: readonly string[];
  readonly encoded: Field;
}

export function createNodes(): NodeList {
  const nodes: Listed[] = [];
  const read = new Set<string>();
  const domains = new Set<string>();
  const reserved = new Set<string>();
  let names = 0;
  let scope = "";

  const fresh = (): string => {
    const name = `t${names++}`;
    return reserved.has(name) ? fresh() : name;
  };

  const add: NodeList["add"] = (type, from, to, attributes = {}, domain = "") => {
    for (const name of from) read.add(name);
    if (domain !== "") domains.add(domain);
    const name = `${scope}/${to.find((one) => one !== "")}`;
    nodes.push({ to, encoded: node({ type, name, from, to, attributes, domain }) });
  };

  return {
    fresh,
    add,
    reserve: (name) => void reserved.add(name),
    within: (name) => {
      scope = name;
    },
    op(type, from, attributes, domain) {
      const name = fresh();
      add(type, from, [name], attributes, domain);
      return name;
    },
    inOrder: () => nodes.map(({ encoded }) => encoded),
    gradientsFirst: () => gradientsFirst(nodes, read),
    domains: () => [...domains],
  };
}

/**
 * onnxruntime starts from the nodes whose outputs no other reads, the last of them first, and computes what each needs
 * and nothing else before it goes to the next. So they are put in front of the others in reverse: then each gradient of
 * a weight is computed as soon as it can be, and what it was computed from is free. In the order of the calls all of
 * them would come after the whole backward pass, with every activation and its gradient held until then.
 */
function gradientsFirst(nodes: readonly Listed[], read: ReadonlySet<string>): readonly Field[] {
  const isLast = ({ to }: Listed): boolean => !to.some((name) => read.has(name));
  const [last, others] = [nodes.filter(isLast), nodes.filter((one) => !isLast(one))];
  return [...last.reverse(), ...others].map(({ encoded }) => encoded);
}
