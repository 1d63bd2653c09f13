import { expect, test } from "bun:test";
import { expandTags, repeatedNames } from "./expand.ts";

const tag = { name: "T", address: "holding:1", dataType: "int16" } as const;

test("a tag's own number wins over the profile's, the profile's over the default", () => {
  const of = (own: object, profile: object) => expandTags(profile, [{ ...tag, ...own }], "P/D")[0];
  expect(of({}, {})).toMatchObject({
    path: "P/D/T",
    scanMs: 1_000,
    heartbeatMs: 10_000,
    deadband: 0,
    unit: "",
  });
  expect(of({}, { scanMs: 500, heartbeatMs: 20_000 })).toMatchObject({ scanMs: 500, heartbeatMs: 20_000 });
  expect(of({ scanMs: 250, deadband: 2 }, { scanMs: 500 })).toMatchObject({ scanMs: 250, deadband: 2 });
});

test("a heartbeat is never shorter than the scan", () => {
  expect(expandTags({ scanMs: 60_000 }, [tag], "P/D")[0]).toMatchObject({
    scanMs: 60_000,
    heartbeatMs: 60_000,
  });
});

test("repeated names are found", () => {
  expect(repeatedNames([{ name: "a" }, { name: "b" }, { name: "a" }])).toEqual(["a"]);
});
