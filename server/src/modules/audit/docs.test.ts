import { expect, test } from "bun:test";
import { AUDIT_BREAKS } from "@millrace/contract/api/audit";

const page = await Bun.file(new URL("../../../../docs/audit.md", import.meta.url)).text();

test("the page tells every finding there is", () => {
  const told = [...page.matchAll(/^\| `(\w+\.\w+)` \|/gm)].map((row) => row[1]!);
  expect(told.sort()).toEqual([...AUDIT_BREAKS].sort());
});
