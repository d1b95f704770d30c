/**
 * `npm run bench -- --editor`: how long an editor waits for the language server after a stroke of a key in a text of 1,000 lines: from the
 * change until what is wrong is published, and until it is said what can stand there. The server is the built one, over its pipes.
 */

import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { createProtocolConnection, StreamMessageReader, StreamMessageWriter } from "vscode-languageserver/node";
import { median } from "./contest.js";

const command = resolve("dist/cli.js");

/** Milliseconds between two strokes: those of a fast hand. */
const pace = 120;

/** Strokes that are not measured: the server's code is compiled while it runs. */
const warmup = 30;

const model = (name: string, ratio: number) => `/// Model ${name}.
model ${name} {
  input   image(size: 224x224, channels: 3)
  tokens  patch(size: 16x16)
  mask    random(ratio: ${ratio}%)
  encoder vit(depth: 12, width: 768, heads: 12)
  decoder vit(depth: 8, width: 512, heads: 16)
  target  pixels(normalize: patch)
  loss    mse(on: hidden)
}
`;

const recipe = (name: string, of: string) => `recipe ${name} for ${of} {
  data      folder("data/train")
  augment   random_resized_crop(scale: 20%..100%),
            horizontal_flip,
            normalize(mean: (0.485, 0.456, 0.406), std: (0.229, 0.224, 0.225))
  batch     4096
  epochs    1600
  optimizer adamw(lr: 1.5e-4 per 256, betas: (0.9, 0.95), weight_decay: 0.05)
  schedule  cosine(warmup: 40 epochs)
  seed      0
}
`;

const child = (name: string, base: string, i: number) => `model ${name} extends ${base} {
  set encoder.depth: ${(i % 12) + 1}
  replace mask block(ratio: ${50 + (i % 40)}%)
}
`;

const family = (name: string, of: string) => `variants ${name} of ${of} {
  let r = 50% | 75%
  mask = random(ratio: r) | block(ratio: r)
  decoder.depth = 1 | 2
}
`;

/** Declarations until there are 1,000 lines. */
function lines(of: (i: number) => string): string {
  let text = "edition 2026\n";
  for (let i = 0; text.split("\n").length < 1000; i++) text += `\n${of(i)}`;
  return text;
}

interface Place {
  readonly name: string;
  readonly text: string;
  /** Before it, a digit is written and taken away again. */
  readonly before: string;
}

const apart = lines((i) => `${model(`Model${i}`, 50 + (i % 40))}\n${recipe(`Train${i}`, `Model${i}`)}`);
const study = lines((i) =>
  i === 0
    ? `${model("Base", 75)}\n${recipe("Train", "Base")}`
    : `${child(`Model${i}`, "Base", i)}\nrecipe Train${i} extends Train for Model${i} {}\n\n${i % 4 === 0 ? family(`Study${i}`, `Model${i}`) : ""}`,
);

const places: readonly Place[] = [
  { name: "models and recipes apart, in the last model", text: apart, before: "%)\n  encoder vit(depth: 12" },
  { name: "models and recipes apart, in a comment", text: apart, before: ".\nmodel Model0" },
  { name: "models that extend one, in one of them", text: study, before: "\n  replace mask" },
  { name: "models that extend one, in that one", text: study, before: ", channels: 3" },
];

interface Measured {
  readonly findings: number[];
  readonly completion: number[];
  /** The server's processor time for a stroke. */
  processor: number;
}

/** Milliseconds of processor time that a process has taken, where the system tells: on Linux, in steps of 10. */
function processorTime(pid: number | undefined): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
      .replace(/^.*\) /s, "")
      .split(" ");
    return 10 * (Number(fields[11]) + Number(fields[12]));
  } catch {
    return Number.NaN;
  }
}

async function measure({ text, before }: Place, strokes: number, folder: string): Promise<Measured> {
  const server = spawn(process.execPath, [command, "lsp"], { cwd: folder, stdio: ["pipe", "pipe", "ignore"] });
  const connection = createProtocolConnection(
    new StreamMessageReader(server.stdout),
    new StreamMessageWriter(server.stdin),
  );
  const published = new Map<number, () => void>();
  connection.onNotification("textDocument/publishDiagnostics", ({ version }: { version?: number }) => {
    published.get(version ?? 0)?.();
  });
  connection.listen();
  const rootUri = pathToFileURL(folder).href;
  const uri = `${rootUri}/a.mae`;
  await connection.sendRequest("initialize", { processId: null, rootUri, capabilities: {} });
  await connection.sendNotification("initialized", {});
  const answered = (version: number) => new Promise<void>((done) => published.set(version, done));
  const first = answered(1);
  const textDocument = { uri, languageId: "mae", version: 1, text };
  await connection.sendNotification("textDocument/didOpen", { textDocument });
  await first;
  const head = text.slice(0, text.lastIndexOf(before)).split("\n");
  const start = { line: head.length - 1, character: head.at(-1)?.length ?? 0 };
  const end = { ...start, character: start.character + 1 };
  const measured: Measured = { findings: [], completion: [], processor: 0 };
  let spent = 0;
  for (let version = 2; version < 2 + warmup + strokes; version++) {
    const isNew = version % 2 === 0;
    if (version === 2 + warmup) spent = processorTime(server.pid);
    const change = isNew ? { range: { start, end: start }, text: "1" } : { range: { start, end }, text: "" };
    const done = answered(version);
    const began = performance.now();
    const since = (): number => performance.now() - began;
    connection.sendNotification("textDocument/didChange", { textDocument: { uri, version }, contentChanges: [change] });
    const position = isNew ? end : start;
    const asked = connection
      .sendRequest("textDocument/completion", { textDocument: { uri }, position })
      .then(() => since());
    const [findings, completion] = await Promise.all([done.then(since), asked]);
    if (version >= 2 + warmup) {
      measured.findings.push(findings);
      measured.completion.push(completion);
    }
    await pause(pace);
  }
  measured.processor = (processorTime(server.pid) - spent) / strokes;
  await connection.sendRequest("shutdown", null);
  await connection.sendNotification("exit");
  return measured;
}

/** Milliseconds after each stroke as a Markdown table. */
export async function strokeTable(strokes: number): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "maelang-bench-"));
  try {
    const rows: string[] = [];
    for (const place of places) {
      const { findings, completion, processor } = await measure(place, strokes, folder);
      const of = (all: number[]) =>
        `${median(all).toFixed(0)} (${Math.min(...all).toFixed(0)}–${Math.max(...all).toFixed(0)})`;
      rows.push(`| ${place.name} | ${of(findings)} | ${of(completion)} | ${processor.toFixed(0)} |\n`);
    }
    return `| 1,000 lines | findings, ms: median (range) | completion, ms | processor time of both, ms |\n| --- | --- | --- | --- |\n${rows.join("")}`;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
