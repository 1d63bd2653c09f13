import { expect, test } from "bun:test";
import { guard, unguard } from "../../formula.ts";
import { columnOf, kindOf } from "./columns.ts";
import { dataTypeOf } from "./data-type.ts";
import { CONFIG_IMPORT } from "./limits.ts";
import { decimalOf, numberOf } from "./number.ts";
import { boundedNotes, cellsError } from "./problem.ts";
import { delimiterOf, readTable } from "./table.ts";

test("S35: no exported text is a formula, and each comes back exactly", () => {
  const texts = [
    "",
    "a",
    "=1+1",
    "'=1",
    "''=1",
    "+49 30",
    "-",
    "@a",
    "\t=1",
    "'",
    "'a",
    "''a",
    "＝1",
    "\r=1",
    " =1",
  ];
  for (const text of texts) {
    expect(unguard(guard(text))).toBe(text);
    expect(guard(text)).not.toMatch(/^[=+\-@\t\r\n＝＋－＠]/);
  }
});

test("numbers with a point or a comma, and what tells them apart", () => {
  const table: [string, "." | ",", number | null][] = [
    ["1.5", ".", 1.5],
    ["1,5", ",", 1.5],
    ["1,5", ".", null],
    ["1.5", ",", null],
    ["-1e-3", ".", -0.001],
    ["+.5", ".", 0.5],
    ["1.000,5", ",", null],
    ["0x10", ".", null],
    ["1e999", ".", null],
    ["", ".", null],
  ];
  for (const [text, decimal, number] of table)
    expect([text, numberOf(text, decimal)]).toEqual([text, number]);
  expect(decimalOf(["1", "", "x"])).toBe(".");
  expect(decimalOf(["1,25", "7"])).toBe(",");
  expect(decimalOf(["0,125"])).toBe(",");
  expect(decimalOf(["1,5", "1.5"])).toBe(".");
  expect(decimalOf(["1,500", "2,250"])).toBeNull();
});

test("columns by any of their names; tags or devices by what only one of them has", () => {
  const names = ["Tag Name", "SCAN_RATE", "data-type", "Scale Factor", "Beschreibung", "EngUnit"];
  expect(names.map((name) => columnOf("tags", name))).toEqual([
    "name",
    "scanMs",
    "dataType",
    "scale factor",
    "description",
    "unit",
  ]);
  const settings = ["settings.timeoutMs", "Setting timeout ms", "TIMEOUTMS", "settings.nothing", "unit"];
  expect(settings.map((name) => columnOf("devices", name))).toEqual([
    "settings.timeoutMs",
    "settings.timeoutMs",
    "settings.timeoutMs",
    null,
    "settings.unit",
  ]);
  expect(kindOf(["name", "address"])).toBe("tags");
  expect(kindOf(["Path", "host"])).toBe("devices");
  expect(kindOf(["name", "unit"])).toBe("tags");
  expect([dataTypeOf("REAL"), dataTypeOf("int"), dataTypeOf("uint32"), dataTypeOf("toString")]).toEqual([
    "float32",
    "int16",
    "uint32",
    null,
  ]);
});

test("rows keep the numbers a spreadsheet gives them: empty ones and line breaks in cells included", async () => {
  const { header, rows } = await readTable('\uFEFFa,b\r\n\r\n1, "x\ny" \r\n,\r\n2,3\r\n', null);
  expect(header).toEqual(["a", "b"]);
  expect(rows).toEqual([
    { row: 3, cells: ["1", "x\ny"] },
    { row: 5, cells: ["2", "3"] },
  ]);
  expect((await readTable("a\tb\tc\n\t1\t\n", null)).rows).toEqual([{ row: 2, cells: ["", "1", ""] }]);
  expect(delimiterOf('"a,b,c";d\n1,2,3')).toBe(";");
  expect(delimiterOf("one column")).toBe(",");
  const crowd = "a\n".repeat(CONFIG_IMPORT.rowsMax + 2);
  await expect(readTable(crowd, null)).rejects.toMatchObject({ code: "request.tooLarge" });
  await expect(readTable(`a\n${"x".repeat(70_000)}`, null)).rejects.toMatchObject({
    code: "request.malformed",
  });
});

test("what is told is bounded, and the rest counted", () => {
  const problems = Array.from({ length: 500 }, (_, row) => ({
    where: `row ${row}`,
    row,
    column: "c".repeat(500),
    cell: "x".repeat(5_000),
    message: "wrong.",
  }));
  const { context, message } = cellsError(problems.toReversed());
  expect(context.problemCount).toBe(500);
  expect(context.problems).toHaveLength(200);
  expect(message).toContain("row 0");
  expect(JSON.stringify(context).length).toBeLessThan(100_000);
  const notes = boundedNotes(Array.from({ length: 500 }, (_, i) => `note ${i}`));
  expect([notes.length, notes.at(-1)]).toEqual([201, "And 300 notes more."]);
});
