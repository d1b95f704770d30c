/**
 * Values under keys that all hosts see: the first one keeps them, and the others ask it over their links. So libraries of the devices
 * find each other, which put addresses and names of their own there.
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

/** The part of a link that is for keys. */
export interface KeyLink {
  /** Says something of keys, which the other side hears between all else. */
  sayKeys(words: unknown): void;
  onKeys(hear: (words: unknown) => void): void;
  /** What a promise gives, unless the other side is lost first. */
  until<T>(work: Promise<T>): Promise<T>;
  /** Says why, and closes. `saved`: where the run can go on from. Resolved when the other side has heard it, or does not listen. */
  end(why: string, saved?: string): Promise<void>;
}

/** Bytes of all keys and values. */
const most = 2 ** 26;

/** On the first host. */
export function keptKeyValues(): KeyValues {
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
      if (bytes > most) throw new Error(`all hosts together keep more than ${most / 2 ** 20} MiB under keys`);
      values.set(key, value);
      for (const found of waiting.get(key) ?? []) found(value);
      waiting.delete(key);
    },
  };
}

/** What a host says of keys: a question has a number, which the answer repeats. Values are in base64. */
interface Said {
  readonly question?: number;
  readonly key?: string;
  readonly patience?: number;
  readonly value?: string | null;
}

const encoded = (value: Uint8Array): string => Buffer.from(value).toString("base64");

/** Lets another host see what is kept here. */
export function serveKeyValues(link: KeyLink, own: KeyValues): void {
  link.onKeys((said) => {
    const { question, key, patience, value } = said as Said;
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
      .then((found) => link.sayKeys({ question, value: found && encoded(found) } as Said))
      // Who asked is gone, and is found out where it is waited for.
      .catch(() => undefined);
  });
}

/** What the first host keeps. */
export function askedKeyValues(link: KeyLink): KeyValues {
  const open = new Map<number, (value: Uint8Array | null) => void>();
  let questions = 0;
  link.onKeys((said) => {
    const { question, value } = said as Said;
    open.get(Number(question))?.(typeof value === "string" ? Buffer.from(value, "base64") : null);
    open.delete(Number(question));
  });
  return {
    async get(key, patience) {
      const question = questions++;
      const answer = new Promise<Uint8Array | null>((resolve) => open.set(question, resolve));
      link.sayKeys({ question, key, patience } satisfies Said);
      return link.until(answer);
    },
    put: (key, value) => link.sayKeys({ key, value: encoded(value) } satisfies Said),
  };
}
