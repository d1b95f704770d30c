/**
 * The live page of some runs, on this machine alone: it listens at 127.0.0.1, answers to that name only, sends nothing anywhere, and loads
 * nothing from elsewhere. What runs hold is data of strangers: all of it is escaped, and no other file of theirs is given out.
 */

import { createHash } from "node:crypto";
import { lstatSync, readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { packageRoot } from "../package-root.js";
import { pictureName } from "./history.js";
import { type PageOptions, runsHtml, type ShownRun } from "./page.js";
import { style } from "./style.js";

export interface Live {
  readonly address: string;
  readonly close: () => Promise<void>;
}

/** Bytes of the largest picture that is given out. */
const mostBytes = 2 ** 26;

const headers = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cache-control": "no-store",
};

/** The script of pages, which `tools/build.mjs` makes of `client.ts`. */
export const clientScript = (): string => readFileSync(join(packageRoot(), "dist/watch-client.js"), "utf8");

/** @param runs asked for each time, as folders of runs come and go. Throws what listening throws, such as EADDRINUSE. */
export async function serve(runs: () => Promise<readonly ShownRun[]>, port: number): Promise<Live> {
  const script = clientScript();
  const server = createServer((request, response) => {
    answer(request, response, { runs, script }).catch(() => {
      if (!response.headersSent) response.writeHead(500, headers);
      response.end();
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  const own = (server.address() as AddressInfo).port;
  return { address: `http://127.0.0.1:${own}/`, close: () => closed(server) };
}

function closed(server: Server): Promise<void> {
  const done = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeAllConnections();
  return done;
}

interface Source {
  readonly runs: () => Promise<readonly ShownRun[]>;
  readonly script: string;
}

async function answer(request: IncomingMessage, response: ServerResponse, source: Source): Promise<void> {
  const send = (status: number, type: string, body: string | Uint8Array): void => {
    response.writeHead(status, { ...headers, "content-type": type });
    response.end(request.method === "HEAD" ? undefined : body);
  };
  // A page elsewhere whose name leads here has another host.
  const host = (request.headers.host ?? "").replace(/:\d+$/, "");
  if (host !== "127.0.0.1" && host !== "localhost") return send(403, "text/plain", "mae watch answers to 127.0.0.1\n");
  if (request.method !== "GET" && request.method !== "HEAD") return send(405, "text/plain", "only GET\n");
  const { pathname, searchParams } = new URL(request.url ?? "/", "http://127.0.0.1");
  if (pathname === "/") return send(200, "text/html; charset=utf-8", await pageOf(source));
  if (pathname === "/client.js") return send(200, "text/javascript; charset=utf-8", source.script);
  if (pathname === "/style.css") return send(200, "text/css; charset=utf-8", style);
  if (pathname === "/live") {
    const { id, html } = await bodyOf(source, searchParams);
    if (id === searchParams.get("known")) return send(204, "text/plain", "");
    return send(200, "application/json", JSON.stringify({ id, html }));
  }
  const picture = await pictureAt(pathname, source);
  if (picture) return send(200, "image/png", picture);
  return send(404, "text/plain", "not here\n");
}

async function bodyOf(
  { runs }: Source,
  query: URLSearchParams,
): Promise<{ readonly id: string; readonly html: string }> {
  const shown = await runs();
  const options: PageOptions = {
    isLog: query.get("log") !== null,
    across: query.get("across") === "minutes" ? "minutes" : "steps",
    addressOf: (run, name) => `picture/${run}/${name}?${sizeOf(shown, run, name)}`,
    mostPictures: 50,
  };
  const html =
    shown.length === 0 ? "<p>No run is here yet: this page waits for the first.</p>" : runsHtml(shown, options);
  return { id: createHash("sha256").update(html).digest("hex").slice(0, 16), html };
}

/** Tells a picture from the one that had its name before. */
function sizeOf(runs: readonly ShownRun[], run: number, name: string): string {
  try {
    return String(lstatSync(join((runs[run] as ShownRun).history.directory, name)).mtimeMs);
  } catch {
    return "0";
  }
}

async function pictureAt(pathname: string, { runs }: Source): Promise<Uint8Array | null> {
  const [, run, name = ""] = /^\/picture\/(\d{1,6})\/([^/]+)$/.exec(pathname) ?? [];
  const shown = run === undefined ? undefined : (await runs())[Number(run)];
  if (!shown || !pictureName.test(name)) return null;
  return pictureBytes(join(shown.history.directory, name));
}

/** null: there is no such file, or it is no picture that can be shown. */
export function pictureBytes(path: string): Uint8Array | null {
  try {
    const { size } = lstatSync(path);
    if (!lstatSync(path).isFile() || size > mostBytes) return null;
    const bytes = readFileSync(path);
    return bytes.subarray(1, 4).toString("latin1") === "PNG" ? bytes : null;
  } catch {
    return null;
  }
}

async function pageOf(source: Source): Promise<string> {
  const { id, html } = await bodyOf(source, new URLSearchParams());
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>mae watch</title>
<link rel="stylesheet" href="style.css">
<header><h1>mae watch</h1>
<form><label><input type="checkbox" name="log" value="1"> logarithmic</label>
<label>across <select name="across"><option value="steps">steps</option><option value="minutes">minutes</option></select></label>
<span id="said" role="status" class="failed"></span></form></header>
<main data-live="${id}">${html}</main>
<script src="client.js"></script>
</html>
`;
}
