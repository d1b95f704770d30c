/**
 * Python's pickle format, read as data: numbers, texts, lists, dictionaries, and whatever few classes the caller knows by name. Nothing is
 * ever called or imported; a name that the caller does not know ends the reading. What PyTorch writes with it is `pytorch.ts`'s.
 */

export type Pickled =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | readonly Pickled[]
  | Map<Pickled, Pickled>
  | PickledClass
  | object;

/** A class or function that a pickle names. */
export class PickledClass {
  constructor(
    readonly module: string,
    readonly name: string,
  ) {}
}

export interface PickleReader {
  /** What a class gives for arguments. Throws for one that is not known. */
  construct(named: PickledClass, args: readonly Pickled[]): Pickled;
  /** What stands for something that is stored beside the pickle. */
  stored(id: Pickled): Pickled;
}

/** Why a pickle cannot be read, in words that follow "its pickle". */
export class PickleError extends Error {
  override name = "PickleError";
}

/** More than any model's has; a text of a few bytes can name the same list many times. */
const mostSteps = 20_000_000;

const mark = Symbol("mark");

type StackItem = Pickled | typeof mark;

class Machine {
  readonly stack: StackItem[] = [];
  readonly memo = new Map<number, Pickled>();
  readonly view: DataView;
  at: number;

  constructor(
    readonly bytes: Uint8Array,
    start: number,
    readonly reader: PickleReader,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.at = start;
  }

  /** Moves over some bytes, which have to be there; gives where they begin. */
  skip(count: number): number {
    const start = this.at;
    if (!(count >= 0) || count > this.bytes.length - start) throw new PickleError("is cut off");
    this.at += count;
    return start;
  }

  take = (count: number): Uint8Array => this.bytes.subarray(this.skip(count), this.at);
  byte = (): number => this.view.getUint8(this.skip(1));
  uint16 = (): number => this.view.getUint16(this.skip(2), true);
  int32 = (): number => this.view.getInt32(this.skip(4), true);
  uint32 = (): number => this.view.getUint32(this.skip(4), true);
  long = (): number => Number(this.view.getBigUint64(this.skip(8), true));
  text = (count: number): string => new TextDecoder().decode(this.take(count));

  line(): string {
    const end = this.bytes.indexOf(10, this.at);
    if (end < 0) throw new PickleError("is cut off");
    const text = this.text(end - this.at);
    this.skip(1);
    return text;
  }

  push(value: Pickled): void {
    this.stack.push(value);
  }

  pop(): Pickled {
    const value = this.stack.pop();
    if (value === undefined || value === mark) throw new PickleError("takes more from its stack than it put there");
    return value as Pickled;
  }

  /** What stands above the last mark, which goes with it. */
  popMark(): Pickled[] {
    const start = this.stack.lastIndexOf(mark);
    if (start < 0) throw new PickleError("has no mark where it says so");
    const values = this.stack.splice(start);
    return values.slice(1) as Pickled[];
  }

  /** What is on top and stays there. */
  top<T extends Pickled>(is: (value: Pickled) => value is T, what: string): T {
    const value = this.pop();
    if (!is(value)) throw new PickleError(`adds to something that is no ${what}`);
    this.push(value);
    return value;
  }

  named(): PickledClass {
    const value = this.pop();
    if (!(value instanceof PickledClass)) throw new PickleError("calls something that is no class");
    return value;
  }

  list(): Pickled[] {
    const value = this.pop();
    if (!isList(value)) throw new PickleError("has arguments that are no list");
    return value;
  }
}

const isList = (value: Pickled): value is Pickled[] => Array.isArray(value);
const isMap = (value: Pickled): value is Map<Pickled, Pickled> => value instanceof Map;

function setAll(to: Map<Pickled, Pickled>, items: readonly Pickled[]): Map<Pickled, Pickled> {
  for (let i = 0; i + 1 < items.length; i += 2) to.set(items[i] as Pickled, items[i + 1] as Pickled);
  return to;
}

/** A whole number of some bytes, the lowest first, in two's complement. */
function wholeNumber(bytes: Uint8Array): number | bigint {
  if (bytes.length > 64) throw new PickleError("has a whole number of more than 64 bytes");
  let value = 0n;
  for (const [i, byte] of bytes.entries()) value |= BigInt(byte) << BigInt(8 * i);
  const signed = BigInt.asIntN(8 * bytes.length, value);
  const plain = Number(signed);
  return Number.isSafeInteger(plain) ? plain : signed;
}

/** A value on top of the stack. */
const given =
  (value: (m: Machine) => Pickled) =>
  (m: Machine): void =>
    m.push(value(m));

/** Keeps what is on top of the stack under a number. */
const kept =
  (key: (m: Machine) => number) =>
  (m: Machine): void => {
    const value = m.pop();
    m.memo.set(key(m), value);
    m.push(value);
  };

const recalled =
  (key: (m: Machine) => number) =>
  (m: Machine): void => {
    const value = m.memo.get(key(m));
    if (value === undefined) throw new PickleError("names something that it has not kept");
    m.push(value);
  };

/** Of two values the second stands on top. */
const classNamed = (m: Machine): Pickled => {
  const [name, module] = [m.pop(), m.pop()];
  if (typeof name !== "string" || typeof module !== "string") throw new PickleError("has a class without a name");
  return new PickledClass(module, name);
};

const called = (m: Machine): Pickled => {
  const args = m.list();
  return m.reader.construct(m.named(), args);
};

/** Attributes of a record; other things have none that matter here. */
function build(m: Machine): void {
  const state = m.pop();
  const target = m.pop();
  if (isMap(target) && target.size === 0 && isMap(state) && !state.has("_metadata")) {
    for (const [key, value] of state) target.set(key, value);
  }
  m.push(target);
}

/** By the byte of each instruction. Those that pickles of protocol 2 and later do not need are not there. */
const instructions: Readonly<Record<number, (m: Machine) => void>> = {
  128: (m) => void m.byte(),
  149: (m) => void m.skip(8),
  40: (m) => void m.stack.push(mark),
  48: (m) => void m.pop(),
  49: (m) => void m.popMark(),
  50: (m) => {
    const value = m.pop();
    m.push(value);
    m.push(value);
  },
  78: given(() => null),
  136: given(() => true),
  137: given(() => false),
  74: given((m) => m.int32()),
  75: given((m) => m.byte()),
  77: given((m) => m.uint16()),
  138: given((m) => wholeNumber(m.take(m.byte()))),
  139: given((m) => wholeNumber(m.take(m.uint32()))),
  71: given((m) => m.view.getFloat64(m.skip(8), false)),
  88: given((m) => m.text(m.uint32())),
  140: given((m) => m.text(m.byte())),
  141: given((m) => m.text(m.long())),
  84: given((m) => m.text(m.uint32())),
  85: given((m) => m.text(m.byte())),
  66: given((m) => m.take(m.uint32())),
  67: given((m) => m.take(m.byte())),
  93: given(() => []),
  41: given(() => []),
  125: given(() => new Map()),
  143: given(() => []),
  116: given((m) => m.popMark()),
  108: given((m) => m.popMark()),
  145: given((m) => m.popMark()),
  133: given((m) => [m.pop()]),
  134: given((m) => [m.pop(), m.pop()].reverse()),
  135: given((m) => [m.pop(), m.pop(), m.pop()].reverse()),
  100: given((m) => setAll(new Map(), m.popMark())),
  97: (m) => {
    const value = m.pop();
    m.top(isList, "list").push(value);
  },
  101: (m) => {
    const values = m.popMark();
    const list = m.top(isList, "list");
    for (const value of values) list.push(value);
  },
  144: (m) => {
    const values = m.popMark();
    const list = m.top(isList, "set");
    for (const value of values) list.push(value);
  },
  115: (m) => {
    const items = [m.pop(), m.pop()].reverse();
    setAll(m.top(isMap, "dictionary"), items);
  },
  117: (m) => {
    const items = m.popMark();
    setAll(m.top(isMap, "dictionary"), items);
  },
  99: given((m) => {
    const module = m.line();
    return new PickledClass(module, m.line());
  }),
  147: given(classNamed),
  82: given(called),
  129: given(called),
  98: build,
  113: kept((m) => m.byte()),
  114: kept((m) => m.uint32()),
  148: kept((m) => m.memo.size),
  104: recalled((m) => m.byte()),
  106: recalled((m) => m.uint32()),
  81: given((m) => m.reader.stored(m.pop())),
};

const stop = 0x2e;

/**
 * Reads one pickle of protocol 2 to 5. Gives its value and where it ends.
 * @throws PickleError where it is broken, longer than any model's, or has what is no plain data
 */
export function readPickle(
  bytes: Uint8Array,
  start: number,
  reader: PickleReader,
): { readonly value: Pickled; readonly end: number } {
  const machine = new Machine(bytes, start, reader);
  if (bytes[start] !== 0x80) throw new PickleError("does not begin as one of protocol 2 or later does");
  for (let step = 0; step < mostSteps; step++) {
    const code = machine.byte();
    if (code === stop) return { value: machine.pop(), end: machine.at };
    const instruction = instructions[code];
    if (!instruction)
      throw new PickleError(`has an instruction 0x${code.toString(16).padStart(2, "0")}, which is not read`);
    instruction(machine);
  }
  throw new PickleError(`takes more than ${mostSteps.toLocaleString("en-US")} steps`);
}
