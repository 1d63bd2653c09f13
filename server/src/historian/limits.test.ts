import { expect, test } from "bun:test";
import { PENS_MAX } from "@millrace/contract/api/trend";
import { LIMITS } from "@millrace/contract/wire/limits";
import { HISTORIAN_STATUS } from "../modules/historian/service.ts";
import { CLASSES } from "../modules/retention/service.ts";
import { HISTORIAN } from "./limits.ts";
import { QUERY } from "./query/limits.ts";
import { RETENTION_JOB } from "./retention/job.ts";
import { RETENTION } from "./retention/run.ts";

const page = await Bun.file(new URL("../../../docs/historian.md", import.meta.url)).text();

const NAMED: Record<string, Record<string, unknown>> = {
  HISTORIAN,
  QUERY,
  RETENTION,
  RETENTION_JOB,
  CLASSES,
  LIMITS,
  HISTORIAN_STATUS,
};

test("the page tells the limits the code has", () => {
  const rows = [...page.matchAll(/^\| `([\w.]+)` \| ([\d,]+) \|/gm)];
  expect(rows.length).toBeGreaterThan(20);
  for (const [, name, told] of rows) {
    const [group, limit] = name!.split(".");
    const value = name === "PENS_MAX" ? PENS_MAX : NAMED[group!]?.[limit!];
    expect([name, Number(told!.replaceAll(",", ""))]).toEqual([name, value as number]);
  }
});
