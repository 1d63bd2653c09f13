import { expect, test } from "bun:test";
import { join } from "node:path";
import { settingsTable } from "@millrace/contract/driver/settings";
import { push } from "./index.ts";

const FILE = join(import.meta.dir, "README.md");
const PART = /<!-- settings -->[\s\S]*<!-- \/settings -->/;

test("the settings table of the README is the one the schema makes", async () => {
  const text = await Bun.file(FILE).text();
  const wanted = text.replace(
    PART,
    `<!-- settings -->\n${settingsTable(push.settings).trim()}\n<!-- /settings -->`,
  );
  if (process.env.MILLRACE_DOCS === "write") await Bun.write(FILE, wanted);
  expect(await Bun.file(FILE).text()).toBe(wanted);
});
