import { systemClock } from "@millrace/contract/std/clock";
import { QUALITY, qualityName } from "@millrace/contract/vocabulary/quality";
import type { TagValue } from "@millrace/contract/vocabulary/value";
import { Fleet } from "../src/supervisor/fleet.ts";

export interface Sample {
  tagNo: number;
  value: TagValue;
  quality: number;
  timeMs: number;
}

/** How long that took, ms. @throws Error when it does not come true within `msMax` */
export async function until(reached: () => boolean, msMax = 15_000): Promise<number> {
  const startMs = systemClock.monoMs();
  while (!reached()) {
    if (systemClock.monoMs() - startMs > msMax) throw new Error("waited in vain");
    await systemClock.sleep(5);
  }
  return systemClock.monoMs() - startMs;
}

/** A fleet as the gateway runs it, and the samples it makes. */
export function fleetRig() {
  const samples: Sample[] = [];
  const sink = {
    push: (tagNo: number, _kind: string, value: TagValue, quality: number, timeMs: number) => {
      samples.push({ tagNo, value, quality, timeMs });
    },
  };
  const fleet = new Fleet({ clock: systemClock, random: Math.random, sink });
  const newest = (tagNo: number) => samples.findLast((one) => one.tagNo === tagNo);
  return {
    fleet,
    samples,
    newest,
    value: (tagNo: number) => newest(tagNo)?.value,
    quality: (tagNo: number) => qualityName(newest(tagNo)?.quality ?? QUALITY.good),
    [Symbol.asyncDispose]: () => fleet.stop(),
  };
}
