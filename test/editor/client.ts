/** An editor in small: starts the built `mae lsp` and speaks the protocol with it over its pipes. */

import type { ChildProcess } from "node:child_process";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { start } from "../cli/mae.js";
import { afterFile } from "../support/after-file.js";

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: unknown;
  readonly result?: unknown;
  readonly error?: { readonly message: string };
}

/** What is published for a text. */
export interface Published {
  readonly uri: string;
  readonly version?: number;
  readonly diagnostics: readonly {
    readonly code: string;
    readonly message: string;
    readonly range: { readonly start: { readonly line: number; readonly character: number } };
  }[];
}

export interface Client {
  readonly uri: (path: string) => string;
  /** The answer to a question; throws what the server says went wrong. */
  ask<R>(method: string, params: unknown): Promise<R>;
  tell(method: string, params: unknown): void;
  open(path: string, text: string): void;
  /** Replaces the text of an open file. */
  change(path: string, text: string): void;
  /** The first findings published for a file, from now on or before, that are as wanted. */
  published(path: string, isWanted: (published: Published) => boolean): Promise<Published>;
  /** What was published last for a file. */
  latest(path: string): Published;
  /** Asks the server to end and gives its exit code. */
  end(): Promise<number | null>;
  readonly stderr: () => string;
}

/** A server in a folder, initialized. `command`: another `mae` than the built one. */
export async function client(folder: string, args: readonly string[] = [], command?: string): Promise<Client> {
  const child = start(["lsp", ...args], { cwd: folder, ...(command === undefined ? {} : { command }) });
  afterFile(() => child.kill("SIGKILL"));
  const answers = new Map<number, (message: Message) => void>();
  const publications: Published[] = [];
  const waiting = new Set<() => void>();
  const versions = new Map<string, number>();
  let stderr = "";
  let last = 0;
  child.stderr?.on("data", (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const closed = new Promise<number | null>((resolve) => {
    child.on("close", (code) => {
      for (const answer of answers.values()) answer({ error: { message: `the server ended: ${stderr}` } });
      resolve(code);
    });
  });
  const send = (message: object): void => {
    const text = JSON.stringify({ jsonrpc: "2.0", ...message });
    child.stdin?.write(`Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`);
  };
  readMessages(child, (message) => {
    if (message.id !== undefined && message.method === undefined) answers.get(message.id)?.(message);
    // A question of the server: it is told that there is no answer, and goes on.
    else if (message.id !== undefined) send({ id: message.id, result: null });
    else if (message.method === "textDocument/publishDiagnostics") {
      publications.push(message.params as Published);
      for (const look of waiting) look();
    }
  });
  const uri = (path: string): string => pathToFileURL(join(folder, path)).href;
  const self: Client = {
    uri,
    ask: (method, params) =>
      new Promise((resolve, reject) => {
        const id = ++last;
        answers.set(id, ({ result, error }) => {
          answers.delete(id);
          if (error) reject(new Error(error.message));
          else resolve(result as never);
        });
        send({ id, method, params });
      }),
    tell: (method, params) => send({ method, params }),
    open(path, text) {
      versions.set(path, 1);
      self.tell("textDocument/didOpen", { textDocument: { uri: uri(path), languageId: "mae", version: 1, text } });
    },
    change(path, text) {
      const version = (versions.get(path) ?? 0) + 1;
      versions.set(path, version);
      self.tell("textDocument/didChange", { textDocument: { uri: uri(path), version }, contentChanges: [{ text }] });
    },
    published: (path, isWanted) =>
      new Promise((resolve) => {
        const look = (): void => {
          const found = publications.find((one) => one.uri === uri(path) && isWanted(one));
          if (!found) return;
          waiting.delete(look);
          resolve(found);
        };
        waiting.add(look);
        look();
      }),
    latest(path) {
      const found = publications.findLast((one) => one.uri === uri(path));
      if (!found) throw new Error(`nothing was published for ${path}`);
      return found;
    },
    async end() {
      await self.ask("shutdown", null);
      self.tell("exit", null);
      return closed;
    },
    stderr: () => stderr,
  };
  await self.ask("initialize", {
    processId: null,
    rootUri: pathToFileURL(folder).href,
    capabilities: { textDocument: { completion: { completionItem: { snippetSupport: true } } } },
  });
  self.tell("initialized", {});
  return self;
}

/** Messages are framed by a header with the number of their bytes. */
function readMessages(child: ChildProcess, receive: (message: Message) => void): void {
  let buffer = Buffer.alloc(0);
  child.stdout?.on("data", (chunk: Buffer) => {
    buffer = Buffer.concat([buffer, chunk]);
    for (;;) {
      const end = buffer.indexOf("\r\n\r\n");
      const length = Number(/Content-Length: (\d+)/.exec(buffer.subarray(0, Math.max(end, 0)).toString())?.[1]);
      if (end < 0 || buffer.length < end + 4 + length) return;
      receive(JSON.parse(buffer.subarray(end + 4, end + 4 + length).toString()) as Message);
      buffer = buffer.subarray(end + 4 + length);
    }
  });
}
