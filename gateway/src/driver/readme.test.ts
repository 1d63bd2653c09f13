import { expect, test } from "bun:test";
import { join } from "node:path";
import { settingsTable } from "@millrace/contract/driver/settings";
import type { TObject } from "@sinclair/typebox";
import { DRIVERS } from "./registry.ts";

/** What a technician looks for, in every driver at the same place. */
const SECTIONS = ["Addresses", "What the causes mean", "Limits and quirks", "Settings"];

test.each(DRIVERS.map(({ kind }) => kind))("%s's README has the sections all of them have", async (kind) => {
  const text = await Bun.file(join(import.meta.dir, "..", "drivers", kind, "README.md")).text();
  const found = [...text.matchAll(/^## (.+)$/gm)].map(([, title]) => title!);
  expect([kind, ...found.filter((title) => SECTIONS.includes(title))]).toEqual([kind, ...SECTIONS]);
});

const PART = /<!-- settings -->[\s\S]*<!-- \/settings -->/;

for (const { kind, settings } of DRIVERS)
  test(`the settings table of ${kind}'s README is the one the schema makes`, async () => {
    const file = join(import.meta.dir, "..", "drivers", kind, "README.md");
    const text = await Bun.file(file).text();
    expect(text).toMatch(PART);
    const table = settingsTable(settings as unknown as TObject).trim();
    const wanted = text.replace(PART, `<!-- settings -->\n${table}\n<!-- /settings -->`);
    if (process.env.MILLRACE_DOCS === "write") await Bun.write(file, wanted);
    expect(await Bun.file(file).text()).toBe(wanted);
  });
