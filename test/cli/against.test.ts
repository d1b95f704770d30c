/** `mae check --against` and `--changed` in a git repository: whose checkpoints are lost, and what is looked at at all. */

import { execFileSync } from "node:child_process";
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { folder, mae } from "./mae.js";

const model = (name: string, encoder = "depth: 2, width: 32, heads: 2"): string => `model ${name} {
  input   image(size: 28x28, channels: 1)
  tokens  patch(size: 7x7)
  mask    random(ratio: 75%)
  encoder vit(${encoder})
  decoder vit(depth: 1, width: 16, heads: 2)
  target  pixels(normalize: none)
  loss    mse(on: hidden)
}
`;

const child =
  'edition 2026\n\nimport { Base } from "./base.mae"\n\nmodel Child extends Base {\n  set mask.ratio: 50%\n}\n';
const edition = "edition 2026\n\n";

describe("a repository with a commit", () => {
  let cwd = "";
  const git = (...args: readonly string[]) =>
    execFileSync("git", ["-c", "user.name=a", "-c", "user.email=a@b", ...args], { cwd });
  const json = async (...args: readonly string[]) => {
    const { code, stdout, stderr } = await mae(["check", "--json", ...args], { cwd });
    return { code, stderr, ...(stdout === "" ? {} : JSON.parse(stdout)) };
  };

  beforeAll(() => {
    cwd = folder({
      "base.mae": edition + model("Base"),
      "child.mae": child,
      "alone.mae": edition + [model("Heads"), model("Gone"), model("Mask")].join("\n"),
      "study.mae": `${edition}${model("Tiny")}\nvariants Study of Tiny {\n  encoder.depth = 1 | 2\n}\n`,
    });
    git("init", "-q");
    git("add", "-A");
    git("commit", "-q", "-m", "first");
    writeFileSync(join(cwd, "base.mae"), edition + model("Base", "depth: 3, width: 32, heads: 2"));
    const mask = model("Mask").replace("75%", "60%");
    writeFileSync(join(cwd, "alone.mae"), edition + [model("Heads", "depth: 2, width: 32, heads: 4"), mask].join("\n"));
    writeFileSync(join(cwd, "new.mae"), edition + model("New"));
  });

  it("says weight by weight what no longer loads, also of models that only inherit the change", async () => {
    const { code, diagnostics } = await json("--against", "HEAD");
    expect(code).toBe(1);
    const said = diagnostics
      .filter((one: { code: string }) => one.code.startsWith("against/"))
      .map((one: { path: string; code: string; message: string }) => [one.path, one.code, one.message]);
    expect(said).toEqual([
      ["alone.mae", "against/model-gone", "`Gone` of HEAD is gone"],
      ["alone.mae", "against/other-network", "a checkpoint of `Heads` from HEAD loads and computes something else"],
      [
        "base.mae",
        "against/checkpoint-lost",
        expect.stringMatching(/^a checkpoint of `Base` from HEAD no longer loads: \d+ of \d+ weights/),
      ],
      ["child.mae", "against/checkpoint-lost", expect.stringMatching(/^a checkpoint of `Child` from HEAD/)],
    ]);
    const lost = diagnostics.find((one: { code: string }) => one.code === "against/checkpoint-lost");
    expect(lost.help).toContain("new       blocks.*.attn.qkv.weight [96, 32]");
  });

  it("checks what changed, what is new, and what imports either", async () => {
    const { files } = await json("--changed");
    expect(files).toEqual(["alone.mae", "base.mae", "child.mae", "new.mae"]);
  });

  it("says what is wrong with the revision, and takes nothing of it for an option", async () => {
    const unknown = await json("--against", "nowhere");
    expect([unknown.code, unknown.stderr]).toEqual([2, expect.stringContaining("git knows no revision nowhere")]);
    const option = await json("--against=--output=stolen");
    expect([option.code, existsSync(join(cwd, "stolen"))]).toEqual([2, false]);
    const outside = await mae(["check", "--changed"], { cwd: folder({ "a.mae": edition + model("A") }) });
    expect([outside.code, outside.stderr]).toEqual([2, expect.stringContaining("no git repository")]);
  });

  it("is clean where nothing has changed since, and says nothing of what is checked then", async () => {
    for (const name of ["base.mae", "alone.mae"]) git("checkout", "-q", name);
    rmSync(join(cwd, "new.mae"));
    const { code, diagnostics, files } = await json("--changed", "--against", "HEAD");
    expect([code, diagnostics, files]).toEqual([0, [], []]);
  });
});
