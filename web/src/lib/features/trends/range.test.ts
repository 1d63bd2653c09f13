import { expect, test } from "bun:test";
import {
  between,
  LENGTH_MS_MIN,
  ofInput,
  panned,
  rangeOfApi,
  rangeToApi,
  SHIFT_MS,
  shiftAt,
  toInput,
  windowOf,
  zoomed,
} from "./range.ts";
import { EMPTY_STATE, formatState, freeStyle, parseState, type TrendState } from "./url-state.ts";

const window = { fromMs: 1_000_000, toMs: 1_100_000 };

test("a live range ends now, a fixed one where it says", () => {
  expect(windowOf({ kind: "live", lengthMs: 60_000 }, 500_000)).toEqual({ fromMs: 440_000, toMs: 500_000 });
  expect(windowOf({ kind: "fixed", ...window }, 0)).toEqual(window);
});
test("panning moves by a share, zooming holds the moment under the fingers", () => {
  expect(panned(window, -0.5)).toEqual({ kind: "fixed", fromMs: 950_000, toMs: 1_050_000 });
  expect(zoomed(window, 0.25, 2)).toEqual({ kind: "fixed", fromMs: 1_012_500, toMs: 1_062_500 });
  const least = zoomed(window, 0.5, 1e9);
  expect(least.kind === "fixed" && least.toMs - least.fromMs).toBe(LENGTH_MS_MIN);
});
test("a selection is the stretch between its ends, in any order, and never too short", () => {
  const wanted = { kind: "fixed", fromMs: 1_020_000, toMs: 1_060_000 } as const;
  expect(between(window, 0.2, 0.6)).toEqual(wanted);
  expect(between(window, 0.6, 0.2)).toEqual(wanted);
  expect(between(window, 0.5, 0.5)).toEqual({ kind: "fixed", ...window });
});
test.each([
  ["06:00:00", 6],
  ["13:59:59", 6],
  ["14:00:00", 14],
  ["21:59:59", 14],
  ["22:00:00", 22],
  ["23:30:00", 22],
])("%s lies in the shift from %p", (time, hour) => {
  const { fromMs, toMs } = shiftAt(new Date(`2026-06-10T${time}`).getTime());
  expect(new Date(fromMs).getHours()).toBe(hour);
  expect(toMs - fromMs).toBe(SHIFT_MS);
});
test("the early hours belong to the night before", () => {
  const { fromMs } = shiftAt(new Date("2026-06-10T03:00:00").getTime());
  expect([new Date(fromMs).getDate(), new Date(fromMs).getHours()]).toEqual([9, 22]);
});
test("inputs and the API give ranges back", () => {
  const ms = new Date(2026, 5, 10, 3, 4, 5).getTime();
  expect(ofInput(toInput(ms))).toBe(ms);
  expect(ofInput("nothing")).toBeNull();
  for (const range of [
    { kind: "live", lengthMs: 5_000 },
    { kind: "fixed", ...window },
  ] as const)
    expect(rangeOfApi(rangeToApi(range))).toEqual(range);
});

const STATES: TrendState[] = [
  EMPTY_STATE,
  {
    pens: [
      { tagNo: 12, style: 0 },
      { tagNo: 13, style: 3, hidden: true },
      { tagNo: 14, style: 7, low: -0.5, high: 1e21 },
      { tagNo: 15, style: 1, high: 100 },
    ],
    range: { kind: "fixed", fromMs: 1_000_000, toMs: 2_000_000 },
    layout: "stacked",
    compareMs: 86_400_000,
  },
];
test.each(STATES)("a link says all of a trend: %j", (state) => {
  expect(parseState(formatState(state))).toEqual(state);
});
test("what a link does not understand is left out", () => {
  const state = parseState("pens=0,x,7,7,8.9,9&last=-5&layout=round&compare=no");
  expect(state.pens.map(({ tagNo }) => tagNo)).toEqual([7, 9]);
  expect<TrendState>({ ...state, pens: [] }).toEqual(EMPTY_STATE);
  expect(parseState(`pens=${Array.from({ length: 20 }, (_, i) => i + 1)}`).pens).toHaveLength(8);
});
test("a new pen takes the first free style", () => {
  expect(
    freeStyle([
      { tagNo: 1, style: 0 },
      { tagNo: 2, style: 2 },
    ]),
  ).toBe(1);
});
