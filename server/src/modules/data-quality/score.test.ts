import { describe, expect, test } from "bun:test";
import { QUALITY_UNKNOWNS } from "@millrace/contract/api/data-quality";
import { emptyDay, rangeBits } from "../completeness/bits.ts";
import { countDays } from "../completeness/window.ts";
import { DATA_QUALITY } from "./limits.ts";
import {
  addTally,
  emptyTally,
  freshness,
  isFrozen,
  type QualityTally,
  scoresOf,
  type TagFigures,
} from "./score.ts";

const page = await Bun.file(new URL("../../../../docs/data-quality.md", import.meta.url)).text();
const rows = (pattern: RegExp) => new Map([...page.matchAll(pattern)].map((row) => [row[1]!, row[2]!]));
const numberOf = (text: string) => Number(text.replaceAll(",", ""));

const HOUR = 3_600_000;
/** A device of whom nothing bad can be said. */
const FINE: QualityTally = {
  ...emptyTally(),
  tags: 2,
  usable: 100,
  expected: 100,
  received: 100,
  arrived: true,
  pairs: 98,
  steady: 98,
  judged: 2,
  fresh: 2,
};
const percents = (tally: QualityTally, enabled = true) =>
  Object.values(scoresOf(tally, enabled)).map(({ percent, why }) => percent ?? why);

describe("the page", () => {
  test("its worked example is what the code says", () => {
    const counts = rows(/^\| ([a-z, ]+) \| ([\d,]+) \|$/gm);
    const count = (name: string) => numberOf(counts.get(name)!);
    const minutes = count("minutes of the window");
    const good = rangeBits(0, minutes);
    for (let minute = 600; minute < 600 + count("minutes without power"); minute++)
      good[minute >>> 5]! &= ~(1 << (minute & 31));
    const day = countDays([{ good, bad: emptyDay(), from: 0, to: minutes }], 1);
    const heartbeatMs = count("heartbeat, s") * 1_000;
    const worth = (name: string) => freshness(count(name) * 1_000, heartbeatMs);
    const tags = count("tags");
    const scores = scoresOf(
      {
        ...emptyTally(),
        tags,
        usable: count("usable samples"),
        uncertain: count("uncertain samples"),
        bad: count("bad samples"),
        arrived: true,
        expected: tags * day.expected,
        received: tags * day.received,
        pairs: tags * day.pairs,
        steady: tags * (day.pairs - day.flips),
        judged: tags,
        fresh: worth("age of the first, s") + worth("age of the second, s"),
      },
      true,
    );
    const told = rows(/^\| (\w+) \| .* \| ([\d.]+) \|$/gm);
    expect([...told.keys()].sort()).toEqual(Object.keys(scores).sort());
    for (const [name, score] of Object.entries(scores))
      expect([name, score.percent?.toFixed(2)]).toEqual([name, told.get(name)]);
    expect(scores.overall.weakest).toBe("freshness");
  });

  test("it tells the limits and every reason the code has", () => {
    const limits = rows(/^\| `DATA_QUALITY\.(\w+)` \| ([\d,]+) \|/gm);
    expect(Object.fromEntries([...limits].map(([name, told]) => [name, numberOf(told)]))).toEqual(
      DATA_QUALITY,
    );
    expect([...rows(/^\| `(\w+)` \| ([^|]+) \|$/gm).keys()]).toEqual([...QUALITY_UNKNOWNS]);
  });
});

describe("five scores", () => {
  test("all good is 100, and each count pulls its own score alone", () => {
    const all = [100, 100, 100, 100, 100, 100];
    expect(percents(FINE)).toEqual(all);
    expect(percents({ ...FINE, uncertain: 25 })).toEqual(all.with(0, 75).with(5, 75));
    expect(percents({ ...FINE, received: 60 })).toEqual(all.with(1, 60).with(5, 60));
    expect(percents({ ...FINE, bad: 100 })).toEqual(all.with(2, 50).with(5, 50));
    expect(percents({ ...FINE, lost: 60, quarantined: 40 })).toEqual(all.with(2, 50).with(5, 50));
    expect(percents({ ...FINE, steady: 49 })).toEqual(all.with(3, 50).with(5, 50));
    expect(percents({ ...FINE, fresh: 0.5 })).toEqual(all.with(4, 25).with(5, 25));
  });

  test("what is not known says why, and overall never claims more than is known", () => {
    expect(percents(emptyTally())).toEqual(Array(6).fill("noTags"));
    const young = { ...emptyTally(), tags: 2 };
    expect(percents(young)).toEqual([
      "nothingDue",
      "nothingDue",
      "nothingDue",
      "nothingDue",
      "tooNew",
      "partUnknown",
    ]);
    const open = { ...FINE, usable: 0 };
    expect(percents(open)).toEqual(["hoursOpen", 100, "hoursOpen", 100, 100, "partUnknown"]);
    const dead = { ...FINE, usable: 0, arrived: false, received: 0, fresh: 0 };
    expect(percents(dead)).toEqual(["noSamples", 0, "noSamples", 100, 0, 0]);
    expect(scoresOf(dead, true).overall.weakest).toBe("completeness");
    expect(percents({ ...FINE, usable: 0, bad: 7 })).toEqual(["allBad", 100, 0, 100, 100, 0]);
    expect(percents(FINE, false)).toEqual([100, 100, 100, 100, "deviceOff", "deviceOff"]);
  });

  test("a gateway is the sum of its devices, not the mean of their scores", () => {
    const total = emptyTally();
    addTally(total, { ...FINE, received: 0, arrived: false });
    addTally(total, { ...FINE, expected: 900, received: 900 });
    expect(scoresOf(total, true).completeness).toEqual({ percent: 90, why: null, part: 900, of: 1_000 });
    expect([total.tags, total.arrived]).toEqual([4, true]);
  });
});

test("a value is worth all of it while it is live, then less, then nothing", () => {
  const at = (ageS: number | null) => freshness(ageS === null ? null : ageS * 1_000, 10_000);
  expect([at(0), at(30), at(75), at(120), at(9_999), at(null)]).toEqual([1, 1, 0.5, 0, 0, 0]);
  // A heartbeat of a second goes stale after ten, not after three.
  expect(freshness(9_000, 1_000)).toBe(1);
});

test("frozen is a measured tag without a deadband that did not move for half a day", () => {
  const still: TagFigures = { usable: 100, uncertain: 0, bad: 0, min: 4, max: 4, spanMs: 12 * HOUR };
  const measured = { interpolation: "linear", deadband: 0 } as const;
  expect(isFrozen(measured, still)).toBe(true);
  expect(isFrozen({ ...measured, interpolation: "step" }, still)).toBe(false);
  expect(isFrozen({ ...measured, deadband: 0.1 }, still)).toBe(false);
  expect(isFrozen(measured, { ...still, max: 4.000_000_1 })).toBe(false);
  expect(isFrozen(measured, { ...still, spanMs: 11 * HOUR })).toBe(false);
  expect(isFrozen(measured, { ...still, min: null, max: null })).toBe(false);
  expect(isFrozen(measured, { ...still, usable: 1 })).toBe(false);
});
