import { expect, test } from "bun:test";
import { type CompareInput, compare, isWhole } from "./compare.ts";

const served = [1, 2, 3, 4, 5].map((value) => ({ value, wallMs: value * 1_000 }));
const storedOf = (...values: number[]) => values.map((value, i) => ({ value, timeMs: i }));
const run = (input: Partial<CompareInput>) =>
  compare({ served, stored: storedOf(1, 2, 3, 4, 5), gaps: [], endsMs: [], unsealedMsMax: 400, ...input });

test("everything once and in order is whole", () => {
  const verdict = run({});
  expect(isWhole(verdict)).toBe(true);
  expect(verdict).toMatchObject({ served: 5, stored: 5, unsealed: 0, inGaps: 0 });
});

test("a missing value is lost unless an end or a gap tells why", () => {
  expect(run({ stored: storedOf(1, 2, 4, 5) })).toMatchObject({ lost: 1, firstLost: { value: 3 } });
  expect(run({ stored: storedOf(1, 2, 4, 5), endsMs: [3_300] })).toMatchObject({
    lost: 0,
    unsealed: 1,
    unsealedMs: 300,
  });
  expect(run({ stored: storedOf(1, 2, 4, 5), endsMs: [3_500] })).toMatchObject({ lost: 1, unsealed: 0 });
  expect(run({ stored: storedOf(1, 2, 4, 5), endsMs: [2_500] })).toMatchObject({ lost: 1, unsealed: 0 });
  const gap = { fromMs: 2_900, toMs: 3_100, cause: "overflow", samples: 1 };
  expect(run({ stored: storedOf(1, 2, 4, 5), gaps: [gap] })).toMatchObject({ lost: 0, inGaps: 1 });
});

test("doubled, invented and disordered values are told apart", () => {
  expect(run({ stored: storedOf(1, 2, 2, 3, 4, 5) })).toMatchObject({ doubled: 1, lost: 0, disordered: 0 });
  expect(run({ stored: storedOf(1, 2, 3, 4, 5, 9) })).toMatchObject({ invented: 1 });
  expect(run({ stored: storedOf(1, 3, 2, 4, 5) })).toMatchObject({ disordered: 1, lost: 0 });
});
