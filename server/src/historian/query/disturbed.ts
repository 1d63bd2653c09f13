import { groupOf, HOUR_MS, hourOf } from "../slot.ts";
import type { ReadContext } from "./context.ts";
import { eachFrame } from "./frames.ts";
import type { EnvelopePlan } from "./plan.ts";
import { type FrameRow, findFrames, type QueryTag } from "./store.ts";
import { findHourFacts, findOpenHours, type HourFacts } from "./tier-store.ts";

/** Hours of each tag whose stored figures do not hold all of its samples, so that they are decoded. */
export type DisturbedHours = Map<number, Set<number>>;

/**
 * Looks at all that waits above the closed levels: frames, open hours, and hours that got late samples.
 * @returns also what stands of hours that are closed
 */
export async function findDisturbed(
  context: ReadContext,
  tags: readonly QueryTag[],
  plan: EnvelopePlan,
): Promise<{ disturbed: DisturbedHours; facts: HourFacts[] }> {
  const { tx } = context;
  const tagNos = tags.map(({ tagNo }) => tagNo);
  const [open, facts, frames] = await Promise.all([
    findOpenHours(tx, tagNos, plan.minutes),
    findHourFacts(tx, tagNos, plan.minutes, plan.hours),
    findFrames(tx, tagNos, plan.minutes),
  ]);
  const disturbed: DisturbedHours = new Map(tagNos.map((tagNo) => [tagNo, new Set<number>()]));
  for (const { groupNo, hourNo } of open)
    for (const tagNo of tagNos) if (groupOf(tagNo) === groupNo) disturbed.get(tagNo)!.add(hourNo);
  for (const { tagNo, hourNo, dayClosed } of facts) if (dayClosed) disturbed.get(tagNo)!.add(hourNo);
  await addFrames(context, frames, tags, disturbed);
  return { disturbed, facts };
}

/**
 * Frames hold samples of many tags, and one of them may lie years beside the others: which hours of which tag they
 * touch, only their columns tell. Most need no look, because their hour is open anyway.
 */
async function addFrames(
  context: ReadContext,
  frames: readonly FrameRow[],
  tags: readonly QueryTag[],
  disturbed: DisturbedHours,
): Promise<void> {
  const telling = frames.filter((row) => {
    const hourNo = hourOf(row.tMin);
    return hourOf(row.tMax) !== hourNo || tags.some(({ tagNo }) => !disturbed.get(tagNo)!.has(hourNo));
  });
  await eachFrame(context, telling, ({ tagNos, timesMs, starts, seriesCount }) => {
    for (let s = 0; s < seriesCount; s++) {
      const hours = disturbed.get(tagNos[s]!);
      if (hours === undefined) continue;
      let nextMs = Number.NaN;
      let startMs = Number.NaN;
      for (let i = starts[s]!; i < starts[s + 1]!; i++) {
        const timeMs = timesMs[i]!;
        if (timeMs >= startMs && timeMs < nextMs) continue;
        const hourNo = hourOf(timeMs);
        hours.add(hourNo);
        startMs = hourNo * HOUR_MS;
        nextMs = startMs + HOUR_MS;
      }
    }
  });
}
