import { expect, test } from "bun:test";
import { safeLogText } from "./log-line.ts";

test("S35: a name in the log can neither forge a record nor steer a terminal", () => {
  const name =
    "Press\r\n2026-01-01 [INF] hub: all is well\u001b[2J\u009b31m\u202egnp.exe\u2066\u2028\u0000\u007f";
  const text = safeLogText(`2026-11-26 [WRN] hub: ${name} is gone\n`);
  const lines = text.split("\n");
  expect(lines).toHaveLength(3);
  expect(lines[1]).toStartWith("    2026-01-01");
  expect(text.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\p{Cf}\u2028\u2029]/u);
  expect(text).toContain("\\u001b[2J\\u009b31m\\u202egnp.exe\\u2066\\u2028\\u0000\\u007f is gone");
});

test("ordinary records stay as they are, also with letters of other scripts and emoji", () => {
  const text = '{"message":"Größe ≥ 5 µm שלום 工場 😀","n":1}\n';
  expect(safeLogText(text)).toBe(text);
});

test("JSON stays JSON of the same content", () => {
  const record = { name: "a\u202eb\u2028\n\u001b", n: [1] };
  expect(JSON.parse(safeLogText(JSON.stringify(record)))).toEqual(record);
});
