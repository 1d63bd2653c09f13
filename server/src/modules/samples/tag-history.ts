import type { TagHistory } from "@millrace/contract/api/history";
import { findBeside } from "../../historian/query/beside.ts";
import { ANSWER_BUDGET, Budget } from "../../historian/query/budget.ts";
import { findExtent } from "../../historian/query/extent-store.ts";
import { inSnapshot } from "../../historian/query/snapshot.ts";
import { dayOf } from "../../historian/slot.ts";
import { instantOf } from "../instant.ts";
import { knownTags, type SamplesDeps } from "./service.ts";
import { findDaysOf, findRetentionOf } from "./tag-history-store.ts";

/** Days of which the mean is told. */
const DAYS = 7;

/**
 * What a tag has stored, and what it costs a day.
 * @throws AppError `entity.missing` | `query.busy` | `query.timeout`
 */
export async function tagHistory(deps: SamplesDeps, tagNo: number): Promise<TagHistory> {
  const leave = await deps.gates.light.enter();
  try {
    return await inSnapshot(deps.sql, async (tx) => {
      const budget = new Budget(deps.clock, ANSWER_BUDGET);
      const context = { tx, budget, compression: deps.compression, frames: deps.frames };
      await knownTags(context, [tagNo], "whole");
      const held = await findExtent(tx, [tagNo]);
      const edge = async (side: "before" | "after") => {
        if (held === null) return null;
        const found = await findBeside(context, [tagNo], side, side === "after" ? held.fromMs : held.toMs);
        const sample = found.get(tagNo);
        return sample === undefined ? null : instantOf(sample.timeMs);
      };
      const today = dayOf(deps.clock.nowMs());
      const days = await findDaysOf(tx, tagNo, today - DAYS, today);
      const mean = (total: number) => (days.days === 0 ? null : total / days.days);
      return {
        tagNo,
        oldest: await edge("after"),
        newest: await edge("before"),
        retention: await findRetentionOf(tx, tagNo),
        samplesPerDay: mean(days.samples),
        bytesPerDay: mean(days.bytes),
      };
    });
  } finally {
    leave();
  }
}
