/** `mae fmt` through the command: what it prints, lists and writes, and the laws of formatting on real files. */

import { chmodSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { folder, mae, sound } from "./mae.js";

const untidy = sound
  .replace("  mask    random(ratio: 75%)", "  mask     random( ratio:75% )  // three in four")
  .replaceAll("  tokens  ", "\ttokens ");
const tidy = sound.replace("random(ratio: 75%)", "random(ratio: 75%) // three in four");

describe("printing", () => {
  const cwd = folder({ "a.mae": untidy });

  it("prints the formatted text of a file and leaves the file alone", async () => {
    expect(await mae(["fmt", "a.mae"], { cwd })).toEqual({ code: 0, stdout: tidy, stderr: "" });
    expect(readFileSync(join(cwd, "a.mae"), "utf8")).toBe(untidy);
  });

  it("formats stdin, again and again to the same text", async () => {
    const once = await mae(["fmt", "-"], { input: untidy });
    const twice = await mae(["fmt", "-"], { input: once.stdout });
    expect(once.stdout).toBe(tidy);
    expect(twice.stdout).toBe(tidy);
  });

  it("prints what can be formatted of a broken text, and says what is broken", async () => {
    const { code, stdout, stderr } = await mae(["fmt", "-", "--stdin-path", "x.mae"], {
      input: "edition 2026\nmodel A {\ninput   image( size:28x28 )\n mask ((\n}\n",
    });
    expect(stdout).toContain("input");
    expect(stdout).toContain("mask ((");
    expect(stderr).toContain("error[parse/");
    expect(stderr).toContain("x.mae:4:");
    expect(code).toBe(1);
  });
});

describe("--check", () => {
  it("lists what is not formatted and fails; changes nothing", async () => {
    const cwd = folder({ "a.mae": untidy, "b.mae": sound, "c/d.mae": untidy });
    const { code, stdout, stderr } = await mae(["fmt", "--check"], { cwd });
    expect({ code, stdout }).toEqual({ code: 1, stdout: "a.mae\nc/d.mae\n" });
    expect(stderr).toContain("3 files looked at, 2 not formatted; mae fmt --write formats");
    expect(readFileSync(join(cwd, "a.mae"), "utf8")).toBe(untidy);
  });

  it("takes Windows line ends and a byte order mark for what they are", async () => {
    const cwd = folder({ "crlf.mae": sound.replaceAll("\n", "\r\n"), "mark.mae": `\ufeff${sound}`, "ok.mae": sound });
    const { stdout } = await mae(["fmt", "--check"], { cwd });
    expect(stdout).toBe("crlf.mae\nmark.mae\n");
  });

  it("finds the repository's examples clean", async () => {
    const cwd = fileURLToPath(new URL("../../", import.meta.url));
    expect(await mae(["fmt", "--check", "examples"], { cwd })).toMatchObject({ code: 0, stdout: "" });
  });
});

describe("--write", () => {
  it("rewrites what is not formatted, keeps modes, and has nothing to do the second time", async () => {
    const cwd = folder({ "a.mae": untidy, "b.mae": sound });
    chmodSync(join(cwd, "a.mae"), 0o755);
    const untouched = statSync(join(cwd, "b.mae")).mtimeMs;
    expect(await mae(["fmt", "--write"], { cwd })).toMatchObject({ code: 0, stdout: "a.mae\n" });
    expect(readFileSync(join(cwd, "a.mae"), "utf8")).toBe(tidy);
    expect(statSync(join(cwd, "a.mae")).mode & 0o777).toBe(0o755);
    expect(statSync(join(cwd, "b.mae")).mtimeMs).toBe(untouched);
    expect(await mae(["fmt", "--write"], { cwd })).toMatchObject({ code: 0, stdout: "" });
    expect(await mae(["fmt", "--check"], { cwd })).toMatchObject({ code: 0, stdout: "" });
    expect(readdirSync(cwd).sort()).toEqual(["a.mae", "b.mae"]);
  });

  it("formats what it can of a broken file, keeps every other byte of meaning, and fails", async () => {
    const broken = untidy.replace("  loss    mse(on: hidden)", "  loss    mse(on: hidden");
    const cwd = folder({ "a.mae": broken, "b.mae": untidy });
    const { code, stderr } = await mae(["fmt", "--write"], { cwd });
    expect(code).toBe(1);
    expect(stderr).toContain("a.mae:");
    expect(readFileSync(join(cwd, "b.mae"), "utf8")).toBe(tidy);
    const after = readFileSync(join(cwd, "a.mae"), "utf8");
    expect(after.replace(/\s/g, "")).toBe(broken.replace(/\s/g, ""));
  });

  it("does not touch a file that it cannot read", async () => {
    const bytes = Buffer.from([0x6d, 0x6f, 0x64, 0xff, 0xfe]);
    const cwd = folder({ "a.mae": bytes });
    const { code, stderr } = await mae(["fmt", "--write"], { cwd });
    expect(code).toBe(1);
    expect(stderr).toContain("file/not-utf8");
    expect(readFileSync(join(cwd, "a.mae")).equals(bytes)).toBe(true);
  });

  it("writes through a link", async () => {
    const cwd = folder({ "real.txt": untidy });
    symlinkSync("real.txt", join(cwd, "a.mae"));
    await mae(["fmt", "--write", "a.mae"], { cwd });
    expect(readFileSync(join(cwd, "real.txt"), "utf8")).toBe(tidy);
    expect(readdirSync(cwd).sort()).toEqual(["a.mae", "real.txt"]);
  });

  it("a killed rewrite's leftover does not stand in the way", async () => {
    const cwd = folder({ "a.mae": untidy });
    writeFileSync(join(cwd, ".a.mae.1.tmp"), "half");
    expect((await mae(["fmt", "--write"], { cwd })).code).toBe(0);
    expect(readFileSync(join(cwd, "a.mae"), "utf8")).toBe(tidy);
  });
});
