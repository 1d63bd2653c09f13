import { expect, test } from "bun:test";
import { SECOND_TRIES_MAX, secondTry, suiteOutput } from "./suite-output.ts";

const PRINTED = `bun test v1.4.5

gateway/src/a.test.ts:
error: expect(received).toBe(expected)
(fail) group > one [0.11ms]
(pass) group > two
(fail) late [100.13ms]
  ^ this test timed out after 100ms.

e2e/specs/b.spec.ts:
(pass) late [3.20ms]

2 tests failed:
(fail) group > one [0.11ms]
(fail) late [100.13ms]
  ^ this test timed out after 100ms.

 2 pass
 1 skip
 2 fail
 2 expect() calls
Ran 5 tests across 2 files. [207.00ms]
`;

test("what a suite printed is counted, and each failure has its file", () => {
  expect(suiteOutput(PRINTED)).toEqual({
    passed: 2,
    failed: 2,
    skipped: 1,
    failures: [
      { file: "gateway/src/a.test.ts", name: "group > one" },
      { file: "gateway/src/a.test.ts", name: "late" },
    ],
  });
  expect(suiteOutput("Segmentation fault")).toEqual({ passed: 0, failed: 0, skipped: 0, failures: [] });
});

test("few failures are tried once more by file; many, or such without a name, are not", () => {
  const printed = suiteOutput(PRINTED);
  expect(secondTry(printed, SECOND_TRIES_MAX)).toEqual(["gateway/src/a.test.ts"]);
  expect(secondTry(printed, 1)).toEqual([]);
  expect(secondTry({ ...printed, failed: 3 }, 9)).toEqual([]);
  expect(secondTry(suiteOutput("(fail) of no file\n 1 fail\n"), 9)).toEqual([]);
  expect(secondTry(suiteOutput(" 5 pass\n 0 fail\n"), 9)).toEqual([]);
});
