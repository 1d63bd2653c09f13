import { expect, test } from "bun:test";
import { HubFault } from "../../../error/fault.ts";
import { isDocument, kindOfFile, placeWords, problemsOf } from "./file-words.ts";

test("a file goes where its ending says; others are not taken", () => {
  expect(kindOfFile("plant.YAML")).toEqual({ kind: "document", type: "application/yaml" });
  expect(kindOfFile("tags.csv")?.type).toBe("text/csv");
  expect(kindOfFile("tags.json")?.kind).toBe("list");
  expect([kindOfFile("tags.xlsx"), kindOfFile("tags")]).toEqual([null, null]);
  expect([isDocument('{ "millrace": 1 }'), isDocument('{"name":"Tags","tags":[]}')]).toEqual([true, false]);
});

test("a problem stands where the person finds it", () => {
  expect(placeWords({ row: 17, column: "Register", message: "" })).toBe("Row 17, Register");
  expect(placeWords({ line: 4, at: "sites.A", message: "" })).toBe("Line 4");
  expect(placeWords({ at: "sites.A", message: "" })).toBe("sites.A");
});

test("problems of a file are told apart from other refusals", () => {
  const context = {
    problems: [{ at: "x", row: 2, column: "name", cell: "a/b", message: "no name" }],
    problemCount: 41,
  };
  expect(problemsOf(new HubFault("request.invalid", "", "", { context }))?.more).toBe(40);
  expect(problemsOf(new HubFault("entity.conflict", ""))).toBeNull();
});
