import type { EventRow } from "@millrace/contract/api/event";
import type { Latest } from "@millrace/contract/api/history";
import { compare, readLedger, type Stored, type Verdict, verdictText } from "../ledger/compare.ts";
import { type Rig, UNSEALED_MS_MAX, until } from "../rig.ts";
import { type FaultRow, secondsText } from "../row.ts";

const HOUR_MS = 3_600_000;
const YEAR_MS = 365 * 24 * HOUR_MS;
const RETIMED_MS_MAX = 1_000;
const LATEST_MS_MAX = 15_000;

interface Timed {
  verdict: Verdict;
  /** Largest difference between a value's time at the hub and the time it was served, of times within the hour. */
  errorMs: number;
  /** Values whose time is wrong by more than an hour. */
  astray: number;
  /** Of those, the ones that the hub does not show as uncertain. */
  unmarked: number;
}

/** Compares as `rig.verdict` does, but finds values whose times are anywhere, and says how wrong the times are. */
async function timed(rig: Rig, mark: number, endMark: number, fromMs: number, toMs: number): Promise<Timed> {
  const served = readLedger(rig.ledgerFile).filter(({ value }) => value > mark && value <= endMark);
  const wallMs = new Map(served.map((each) => [each.value, each.wallMs]));
  const found = await rig.stored(fromMs, toMs);
  const stored = found.stored.filter(({ value }) => wallMs.has(value));
  const { endsMs } = rig;
  const verdict = compare({ served, stored, gaps: [], endsMs, unsealedMsMax: UNSEALED_MS_MAX });
  const errorOf = ({ value, timeMs }: Stored) => Math.abs(timeMs - wallMs.get(value)!);
  const astray = stored.filter((each) => errorOf(each) > HOUR_MS);
  return {
    verdict,
    errorMs: Math.max(0, ...stored.map(errorOf).filter((error) => error <= HOUR_MS)),
    astray: astray.length,
    unmarked: astray.filter(({ uncertain }) => !uncertain).length,
  };
}

/** Until the hub has the newest value of this moment under a time of about now. */
const live = (rig: Rig): Promise<number> => {
  const value = rig.mark();
  return until(30_000, "live values arrive under the right time", async () => {
    const { stored } = await rig.stored(Date.now() - 60_000);
    return stored.some((each) => each.value > value);
  });
};

async function clockEvents(rig: Rig): Promise<string[]> {
  const events = await rig.stack.api.get<{ items: EventRow[] }>("/events?limit=50");
  return events.items.filter(({ code }) => code.startsWith("clock.")).map(({ code }) => code);
}

/**
 * How long until the latest value is one that was served after this moment. The last good one counts: a scan that a busy
 * processor delays by more than an interval makes the tag bad, without a value, until the next.
 */
async function latestLive(rig: Rig): Promise<number> {
  const path = `/latest?tags=${rig.tag.tagNo}`;
  const value = rig.mark();
  return await until(LATEST_MS_MAX, "the latest value is a live one", async () => {
    const { items } = await rig.stack.api.get<{ items: Latest[] }>(path);
    return Number(items[0]?.lastGood?.value ?? 0) > value;
  });
}

/** F25 */
export const yearAhead: FaultRow = {
  row: "F25",
  injected:
    "the gateway starts with its clock a year ahead, hears of the hub after 2 s, and its clock is put right after 5 s",
  criterion:
    "no value lost or doubled; the latest value is a live one within 15 s; those from the future are marked uncertain; an event tells of the clock",
  lane: "long",
  async run(context) {
    const rig = await context.rig();
    await rig.stopGateway();
    const mark = rig.mark();
    rig.shiftClock(YEAR_MS);
    rig.proxy.cut("reset", true);
    await rig.startGateway();
    await Bun.sleep(2_000);
    rig.proxy.heal();
    await rig.linkUp();
    await Bun.sleep(3_000);
    rig.shiftClock(0);
    const backMs = await live(rig);
    const latestMs = await latestLive(rig);
    await Bun.sleep(2_000);
    const end = rig.mark() - 20;
    const range = [Date.now() - HOUR_MS, Date.now() + 2 * YEAR_MS] as const;
    const { verdict, errorMs, astray, unmarked } = await timed(rig, mark, end, ...range);
    const events = await clockEvents(rig);
    return {
      measured: `${verdictText(verdict)}; ${astray} values a year ahead, ${unmarked} of them not marked, the others off by ${secondsText(errorMs)} at most; live again after ${secondsText(backMs)}, as latest value after ${secondsText(latestMs)}; ${events.length} clock events`,
      ok: verdict.lost + verdict.doubled + unmarked === 0 && astray > 0 && events.length > 0,
    };
  },
};

/** F26 */
export const hourBack: FaultRow = {
  row: "F26",
  injected: "the gateway's clock jumps an hour back, and after 4 s forth again",
  criterion: "the series stays in order; no value lost or doubled; no time is off by more than 1 s",
  lane: "long",
  async run(context) {
    const rig = await context.rig();
    await rig.linkUp();
    const mark = rig.mark();
    await Bun.sleep(1_000);
    rig.shiftClock(-HOUR_MS);
    await Bun.sleep(4_000);
    rig.shiftClock(0);
    await Bun.sleep(4_000);
    await live(rig);
    const range = [Date.now() - 2 * HOUR_MS, Date.now() + 2 * HOUR_MS] as const;
    const { verdict, errorMs, astray } = await timed(rig, mark, rig.mark() - 20, ...range);
    return {
      measured: `${verdictText(verdict)}; times off by ${secondsText(errorMs)} at most`,
      ok: verdict.lost + verdict.doubled + verdict.disordered + astray === 0 && errorMs <= RETIMED_MS_MAX,
    };
  },
};

/** F27 */
export const noClock: FaultRow = {
  row: "F27",
  injected: "the gateway starts in 1970 without a hub; 6 s later its clock is set, then the hub is back",
  criterion: "every value at the hub once, under a time that is right to 1 s",
  lane: "long",
  async run(context) {
    const rig = await context.rig();
    await rig.stopGateway();
    rig.proxy.cut("reset", true);
    rig.shiftClock(24 * HOUR_MS - Date.now());
    const mark = rig.mark();
    await rig.startGateway();
    await Bun.sleep(6_000);
    rig.shiftClock(0);
    await Bun.sleep(2_500);
    rig.proxy.heal();
    await rig.linkUp();
    await live(rig);
    await Bun.sleep(2_000);
    const { verdict, errorMs, astray } = await timed(rig, mark, rig.mark() - 30, 0, Date.now() + HOUR_MS);
    return {
      measured: `${verdictText(verdict)}; times off by ${secondsText(errorMs)} at most`,
      ok: verdict.lost + verdict.doubled + astray === 0 && errorMs <= RETIMED_MS_MAX,
    };
  },
};
