import { expect, test } from "bun:test";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";
import { filledDocument } from "./document-secrets.ts";

const filled = (text: string, environment: Record<string, string> = {}) =>
  new TextDecoder().decode(filledDocument(new TextEncoder().encode(text), environment));

test("values of the environment and of files come in their places, and lines keep their numbers", async () => {
  const folder = await mkdtemp(join(tmpdir(), "millrace-cli-secret-"));
  try {
    const file = join(folder, "plc");
    await writeFile(file, "from: a file\n");
    const text = `a: {password: {secret: env:PLC}, unit: 1} # why
b:
  password:
    secret: env:PLC
  other: {"secret": "file:${file}"}
  kept: {secret: devices/Plant/A/password}
c: {secret: env:PLC, more: 1}
`;
    const PLC = 'it\'s "{quoted}": #1\nand long';
    const out = filled(text, { PLC });
    expect(parse(out)).toEqual({
      a: { password: PLC, unit: 1 },
      b: { password: PLC, other: "from: a file", kept: { secret: "devices/Plant/A/password" } },
      c: { secret: "env:PLC", more: 1 },
    });
    expect(out.split("\n").findIndex((line) => line.startsWith("c:"))).toBe(
      text.split("\n").findIndex((line) => line.startsWith("c:")),
    );
    const json = JSON.stringify({ a: [{ secret: "env:PLC" }], b: { secret: "x" } }, null, 2);
    expect(JSON.parse(filled(json, { PLC }))).toEqual({ a: [PLC], b: { secret: "x" } });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test("what is not there is named; what is no document, or needs nothing, goes as it is", () => {
  expect(() => filled("p: {secret: env:NOWHERE}")).toThrow(
    "secret: env:NOWHERE: this environment variable is not set.",
  );
  expect(() => filled("p: {secret: file:/nowhere/at/all}")).toThrow("the file cannot be read");
  for (const text of ["p: {secret: env:X", "millrace: 1\n", ""]) expect(filled(text)).toBe(text);
});
