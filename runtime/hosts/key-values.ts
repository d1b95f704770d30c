/**
 * Values under keys that all hosts share: the first one stores them, and the others ask it over their links. Plugins of the devices put their addresses
 * there, by which they find each other. How messages are sent is left to `link.ts`.
 */

export interface KeyValues {
  /**
   * Waits until somebody puts a value under the key.
   * @param patience milliseconds; 0: what is there now
   * @returns null where nothing came in time
   */
  get(key: string, patience: number): Promise<Uint8Array | null>;
  /** Takes the place of what was there. @throws Error where the first host has no room for it */
  put(key: string, value: Uint8Array): void;
}

/** The part of a link that values under keys need. */
export interface KeyLink {
  /** Sends a message about keys, at any time: the other side need not wait for one. */
  sendKeys(message: unknown): void;
  /** `hear` gets each message about keys from the other side. */
  onKeys(hear: (message: unknown) => void): void;
  /** What a promise gives, unless the other side is lost first. */
  until<T>(work: Promise<T>): Promise<T>;
  /** Says why, and closes. `saved`: where the run can go on from. Resolves when the connection is closed. */
  end(why: string, saved?: string): Promise<void>;
}

/** Bytes that all keys and values may have. */
const mostBytes = 2 ** 26;

/** Those of the first host, which stores them. */
export function localKeyValues(): KeyValues {
  const values = new Map<string, Uint8Array>();
  const waiting = new Map<string, Set<(value: Uint8Array) => void>>();
  let bytes = 0;
  return {
    get(key, patience) {
      const known = values.get(key);
      if (known !== undefined || patience <= 0) return Promise.resolve(known ?? null);
      return new Promise((resolve) => {
        const all = waiting.get(key) ?? new Set();
        waiting.set(key, all);
        const timer = setTimeout(() => {
          all.delete(found);
          resolve(null);
        }, patience);
        const found = (value: Uint8Array): void => {
          clearTimeout(timer);
          resolve(value);
        };
        all.add(found);
      });
    },
    put(key, value) {
      bytes += value.length - (values.get(key)?.length ?? -key.length);
      if (bytes > mostBytes) throw new Error(`all hosts together keep more than ${mostBytes / 2 ** 20} MiB under keys`);
      values.set(key, value);
      for (const found of waiting.get(key) ?? []) found(value);
      waiting.delete(key);
    },
  };
}

/** A message about keys: a question has a number, which its answer repeats. Values are in base64. */
interface Message {
  readonly question?: number;
  readonly key?: string;
  readonly patience?: number;
  readonly value?: string | null;
}

const encoded = (value: Uint8Array): string => Buffer.from(value).toString("base64");

/** Answers another host from what is stored here. */
export function serveKeyValues(link: KeyLink, own: KeyValues): void {
  link.onKeys((message) => {
    const { question, key, patience, value } = message as Message;
    if (typeof key !== "string") return;
    if (typeof value === "string") {
      try {
        own.put(key, Buffer.from(value, "base64"));
      } catch (error) {
        void link.end((error as Error).message);
      }
      return;
    }
    own
      .get(key, Number(patience) || 0)
      .then((found) => link.sendKeys({ question, value: found && encoded(found) } as Message))
      // The link is lost, which whoever waits for it finds out.
      .catch(() => undefined);
  });
}

/** Those of another host, which asks the first one. */
export function remoteKeyValues(link: KeyLink): KeyValues {
  const answers = new Map<number, (value: Uint8Array | null) => void>();
  let questions = 0;
  link.onKeys((message) => {
    const { question, value } = message as Message;
    answers.get(Number(question))?.(typeof value === "string" ? Buffer.from(value, "base64") : null);
    answers.delete(Number(question));
  });
  return {
    async get(key, patience) {
      const question = questions++;
      const answer = new Promise<Uint8Array | null>((resolve) => answers.set(question, resolve));
      link.sendKeys({ question, key, patience } satisfies Message);
      return link.until(answer);
    },
    put: (key, value) => link.sendKeys({ key, value: encoded(value) } satisfies Message),
  };
}
