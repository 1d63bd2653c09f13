import { expect, test } from "bun:test";
import { CREDIT } from "./credit.ts";
import { FAIR, FairShare, fairBytes } from "./fair-share.ts";

const FREE = Number.POSITIVE_INFINITY;
const MIB = 1_048_576;

interface Case {
  what: string;
  own: [bytes: number, commitMs: number];
  others: [gateways: number, bytes: number, commitMs: number];
  bytes: number;
}

/** Over two seconds. */
const CASES: readonly Case[] = [
  { what: "alone, a backlog takes what it wants", own: [50 * MIB, 1_900], others: [0, 0, 0], bytes: FREE },
  {
    what: "beside a gateway that hardly commits, too",
    own: [50 * MIB, 1_900],
    others: [1, 8_000, 40],
    bytes: FREE,
  },
  {
    what: "in the way of ten, it may have in flight four times what each sends in a second",
    own: [50 * MIB, 1_900],
    others: [10, 10 * 40_000, 400],
    bytes: 80_000,
  },
  {
    what: "never less than any gateway may have",
    own: [5 * MIB, 1_900],
    others: [10, 10 * 4_000, 400],
    bytes: CREDIT.bytesMin,
  },
  { what: "one like all others is left alone", own: [MIB, 400], others: [10, 10 * MIB, 4_000], bytes: FREE },
  {
    what: "so is one that brings four times as much",
    own: [4 * MIB, 400],
    others: [10, 10 * MIB, 4_000],
    bytes: FREE,
  },
  {
    what: "a thousand backlogs at once are nobody's fault",
    own: [3 * MIB, 400],
    others: [999, 999 * 3 * MIB, 400_000],
    bytes: FREE,
  },
];

test.each(CASES.map((each) => [each.what, each] as const))("%s", (_, { own, others, bytes }) => {
  const [gateways, otherBytes, otherMs] = others;
  const recent = {
    ms: 2_000,
    own: { bytes: own[0], commitMs: own[1] },
    all: { gateways: gateways + 1, bytes: own[0] + otherBytes, commitMs: own[1] + otherMs },
  };
  expect(fairBytes(recent)).toBe(bytes);
});

/** Gateway 1 commits 100 kB each 10 ms; 2 to 11 commit 1 kB each 250 ms, 5 ms each time. */
function contend(share: FairShare, fromMs: number, toMs: number, greedy: boolean): void {
  for (let ms = fromMs; ms < toMs; ms += 10) {
    if (greedy) share.committed(1, 100_000, 9, ms);
    if (ms % 250 === 0) for (let no = 2; no <= 11; no++) share.committed(no, 1_000, 5, ms);
  }
}

test("the greedy one is told within a second or two, the others never, and it is free when it calms or is alone", () => {
  const share = new FairShare();
  contend(share, 0, 2_500, true);
  expect(share.bytesFor(1, 2_500)).toBe(CREDIT.bytesMin);
  for (let no = 2; no <= 11; no++) expect(share.bytesFor(no, 2_500)).toBe(FREE);
  contend(share, 2_500, 5_000, false);
  expect(share.bytesFor(1, 5_000)).toBe(FREE);
  for (let ms = 5_000; ms < 8_000; ms += 10) share.committed(1, 100_000, 9, ms);
  expect(share.bytesFor(1, 8_000)).toBe(FREE);
});

test("after a pause nothing of before counts", () => {
  const share = new FairShare();
  contend(share, 0, 2_500, true);
  expect(share.bytesFor(1, 2_500 + 2 * FAIR.slotMs)).toBe(FREE);
});
