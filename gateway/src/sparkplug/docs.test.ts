import { expect, test } from "bun:test";
import { join } from "node:path";
import { settingsTable } from "@millrace/contract/driver/settings";
import { SparkplugSettings } from "@millrace/contract/sparkplug/settings";
import { Glob } from "bun";

const ROOT = join(import.meta.dir, "../../..");
const FILE = join(ROOT, "docs/sparkplug.md");
const TESTS = [
  "gateway/src/sparkplug/*.test.ts",
  "gateway/src/driver/sparkplug-payload/*.test.ts",
  "contract/src/sparkplug/*.test.ts",
  "server/src/modules/gateways/sparkplug.test.ts",
];
const PART = /<!-- settings -->[\s\S]*<!-- \/settings -->/;

async function namesOfTests(): Promise<string[]> {
  const names: string[] = [];
  for (const pattern of TESTS)
    for await (const path of new Glob(pattern).scan(ROOT)) {
      const text = await Bun.file(join(ROOT, path)).text();
      for (const [, name = ""] of text.matchAll(/\b(?:test(?:\.concurrent)?|describe)\(\s*"(SP\d\d): /g))
        names.push(name);
    }
  return names;
}

interface Row {
  id: string;
  state: string;
  shown: string;
}
const rowsOf = (text: string): Row[] =>
  [...text.matchAll(/^\| `(tck-id-[\w-]+)` \|[^|]*\| ([^|]*) \| ([^|]*) \|$/gm)].map(
    ([, id = "", state = "", shown = ""]) => ({ id, state, shown }),
  );

test("the list of clauses and the tests that show them are in step", async () => {
  const text = await Bun.file(FILE).text();
  const rows = rowsOf(text);
  expect(rows.length).toBe(
    (text.match(/^\| `/gm) ?? []).filter((line) => line !== "").length - SETTINGS_ROWS,
  );
  expect(new Set(rows.map(({ id }) => id)).size).toBe(rows.length);
  const tests = await namesOfTests();
  expect(new Set(tests).size).toBe(tests.length);
  const named = new Set<string>();
  for (const { id, state, shown } of rows) {
    const codes = shown.match(/SP\d\d/g) ?? [];
    for (const code of codes) named.add(code);
    expect([id, ["met", "n/a", "not met"].includes(state)]).toEqual([id, true]);
    // What is met is shown by tests that exist; what is not, or does not apply, says why.
    if (state === "met") expect([id, codes.length > 0, shown]).toEqual([id, true, codes.join(", ")]);
    else expect([id, shown.length > 5]).toEqual([id, true]);
    expect([id, codes.filter((code) => !tests.includes(code))]).toEqual([id, []]);
  }
  const count = (state: string) => rows.filter((row) => row.state === state).length;
  const told = /(\d+) are met, (\d+) do\s+not apply, (\d+) is not met/.exec(text)?.slice(1).map(Number);
  expect(told).toEqual([count("met"), count("n/a"), count("not met")]);
  // A test with a number shows something of the list or of the text above it.
  expect(tests.filter((code) => !named.has(code) && !OF_OUR_OWN.has(code))).toEqual([]);
});

/** Tests of rules that are ours and not the specification's. */
const OF_OUR_OWN = new Set(["SP11", "SP15", "SP20", "SP21", "SP22", "SP23", "SP24", "SP25", "SP27", "SP34"]);
const SETTINGS_ROWS = Object.keys(SparkplugSettings.properties).length;

test("the settings table is the one the schema makes", async () => {
  const text = await Bun.file(FILE).text();
  expect(text).toMatch(PART);
  const table = settingsTable(SparkplugSettings).trim();
  const wanted = text.replace(PART, `<!-- settings -->\n${table}\n<!-- /settings -->`);
  if (process.env.MILLRACE_DOCS === "write") await Bun.write(FILE, wanted);
  expect(await Bun.file(FILE).text()).toBe(wanted);
});
