import type { EventRow } from "@millrace/contract/api/event";
import { compare, readLedger, type Verdict, verdictText } from "../ledger/compare.ts";
import { type Rig, UNSEALED_MS_MAX, until } from "../rig.ts";
import { type FaultRow, secondsText } from "../row.ts";

const HOUR_MS = 3_600_000;
const YEAR_MS = 365 * 24 * HOUR_MS;
const RETIMED_MS_MAX = 1_000;

interface Timed {
  verdict: Verdict;
  /** Largest difference between a value's time at the hub and the time it was served, of times within the hour. */
  errorMs: number;
  /** Values whose time is wrong by more than an hour. */
  astray: number;
}

/** Compares as `rig.verdict` does, but finds values whose times are anywhere, and says how wrong the times are. */
async function timed(rig: Rig, mark: number, endMark: number, fromMs: number, toMs: number): Promise<Timed> {
  const served = readLedger(rig.ledgerFile).filter(({ value }) => value > mark && value <= endMark);
  const wallMs = new Map(served.map((each) => [each.value, each.wallMs]));
  const found = await rig.stored(fromMs, toMs);
  const stored = found.stored.filter(({ value }) => wallMs.has(value));
  const { endsMs } = rig;
  const verdict = compare({ served, stored, gaps: [], endsMs, unsealedMsMax: UNSEALED_MS_MAX });
  const errors = stored.map(({ value, timeMs }) => Math.abs(timeMs - wallMs.get(value)!));
  const near = errors.filter((error) => error <= HOUR_MS);
  return { verdict, errorMs: Math.max(0, ...near), astray: errors.length - near.length };
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

/** F25 */
export const yearAhead: FaultRow = {
  row: "F25",
  injected: "the gateway starts with its clock a year ahead, which is put right after 5 s",
  criterion:
    "no value lost or doubled; the latest value is a live one 15 s later; an event tells of the clock",
  lane: "long",
  async run(context) {
    const rig = await context.rig();
    await rig.stopGateway();
    const mark = rig.mark();
    rig.shiftClock(YEAR_MS);
    await rig.startGateway();
    await rig.linkUp();
    await Bun.sleep(5_000);
    rig.shiftClock(0);
    const backMs = await live(rig);
    await Bun.sleep(2_000);
    const end = rig.mark() - 20;
    const { verdict, errorMs, astray } = await timed(
      rig,
      mark,
      end,
      Date.now() - HOUR_MS,
      Date.now() + 2 * YEAR_MS,
    );
    const before = rig.mark();
    const latest = await rig.stack.api.get<{ items: { value: unknown }[] }>(`/latest?tags=${rig.tag.tagNo}`);
    const behind = before - Number(latest.items[0]?.value);
    const events = await clockEvents(rig);
    return {
      measured: `${verdictText(verdict)}; ${astray} values a year ahead, the others off by ${secondsText(errorMs)} at most; live again after ${secondsText(backMs)}, latest ${behind} values behind; ${events.length} clock events`,
      ok: verdict.lost + verdict.doubled === 0 && behind < 50 && events.length > 0,
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
