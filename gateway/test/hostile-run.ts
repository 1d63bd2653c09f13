import { heapStats } from "bun:jsc";
import { expect } from "bun:test";
import { decodeSettings } from "@millrace/contract/driver/settings";
import type { AppError } from "@millrace/contract/error/app-error";
import { systemClock } from "@millrace/contract/std/clock";
import { QUALITY } from "@millrace/contract/vocabulary/quality";
import type { AnyDriver } from "../src/driver/registry.ts";

/** Growth of the heap from the first fifth of the replies to the last, which a leak of one frame each would exceed. */
const GROWTH_BYTES_MAX = 1_500_000;

export interface HostileRun {
  replies: number;
  /** How often each malice was told; filled by the hostile peer. */
  told: ReadonlyMap<string, number>;
  kinds: readonly string[];
  /** How often a read or a write ended in which way; filled by `lines`. */
  ends: ReadonlyMap<string, number>;
  endsWanted: readonly string[];
  /** Uses the hostile peer over many lines until `goOn` says stop. Begins anew in each of two phases. */
  lines(goOn: () => boolean): Promise<unknown>[];
  /** Reads a good peer all the while; how often. */
  neighbour(goOn: () => boolean): Promise<number>;
}

/** Lets a peer lie `replies` times, and judges that it cost no memory and that everything it was to show was shown. */
export async function hostileRun(run: HostileRun): Promise<{ earlyBytes: number; lateBytes: number }> {
  const { replies, told, kinds, ends, endsWanted } = run;
  const sum = () => [...told.values()].reduce((all, one) => all + one, 0);
  const phase = async (until: number): Promise<number> => {
    const goOn = () => sum() < until;
    const [reads] = await Promise.all([run.neighbour(goOn), ...run.lines(goOn)]);
    expect(reads).toBeGreaterThan(0);
    await systemClock.sleep(60);
    Bun.gc(true);
    return heapStats().heapSize;
  };
  const earlyBytes = await phase(replies / 5);
  const lateBytes = await phase(replies);

  expect(sum()).toBeGreaterThanOrEqual(replies);
  expect(lateBytes - earlyBytes).toBeLessThan(GROWTH_BYTES_MAX);
  // Each malice was told and each end was met, or this test would be about less than it says.
  for (const kind of kinds)
    expect([kind, (told.get(kind) ?? 0) > replies / kinds.length / 2]).toEqual([kind, true]);
  for (const end of endsWanted) expect([end, (ends.get(end) ?? 0) > 0]).toEqual([end, true]);
  return { earlyBytes, lateBytes };
}

/** What a good peer holds at the address its neighbour reads. */
export const HELD = 4_711;

/**
 * Reads a peer that answers well, until `goOn` says stop. Its device holds `HELD` there.
 * @returns how many reads there were; each was right, and the link was never lost
 */
export async function readWell(
  driver: AnyDriver,
  peer: { port: number; requests: unknown[] },
  addressText: string,
  goOn: () => boolean,
): Promise<number> {
  const settings = decodeSettings(driver, { host: "127.0.0.1", port: peer.port, timeoutMs: 10_000 });
  const lost: AppError[] = [];
  const session = await driver.create(settings, { clock: systemClock, onLost: (error) => lost.push(error) });
  const signal = new AbortController().signal;
  const address = driver.parseAddress(addressText, "uint16", settings);
  await session.connect(signal);
  let reads = 0;
  while (goOn()) {
    const readings = await session.read([{ id: 1, address, dataType: "uint16" }], signal);
    expect(readings).toEqual([{ id: 1, value: HELD, quality: QUALITY.good }]);
    reads++;
    await systemClock.sleep(5);
  }
  await session.close();
  expect([lost, session.counters().errors]).toEqual([[], 0]);
  // What the peer remembers of them is no memory of the driver's.
  peer.requests.length = 0;
  return reads;
}
