import {
  QUALITY_DIMENSIONS,
  type QualityDimension,
  type QualityScore,
  type QualityScores,
  type QualityUnknown,
} from "@millrace/contract/api/data-quality";
import { staleAfterMs } from "@millrace/contract/vocabulary/tag";

/**
 * Everything the five scores are made of, as counts that add up: those of a gateway are the sums over its devices.
 * `docs/data-quality.md` publishes the formulas, and a test holds its example against this file.
 */
export interface QualityTally {
  tags: number;
  /** Samples in closed hours of the window. `uncertain` is part of `usable`. */
  usable: number;
  uncertain: number;
  bad: number;
  /** Samples that gaps stand for and that lie in quarantine: a gateway's own. */
  lost: number;
  quarantined: number;
  /** Minutes due, and those that came with a usable sample. */
  expected: number;
  received: number;
  /** Any sample came at all. */
  arrived: boolean;
  /** Neighbouring minutes that were due, and those of them that both came or both did not, of tags that are not frozen. */
  pairs: number;
  steady: number;
  /** Tags old enough to be judged, and the sum of what each is worth (0 to 1). */
  judged: number;
  fresh: number;
  frozenTags: number;
  staleTags: number;
}

export const emptyTally = (): QualityTally => ({
  tags: 0,
  usable: 0,
  uncertain: 0,
  bad: 0,
  lost: 0,
  quarantined: 0,
  expected: 0,
  received: 0,
  arrived: false,
  pairs: 0,
  steady: 0,
  judged: 0,
  fresh: 0,
  frozenTags: 0,
  staleTags: 0,
});

/** Adds a device's counts to its gateway's. */
export function addTally(to: QualityTally, { arrived, ...counts }: QualityTally): void {
  for (const [name, count] of Object.entries(counts) as [keyof typeof counts, number][]) to[name] += count;
  to.arrived ||= arrived;
}

/** So many times the age at which a value goes stale, it is worth nothing. */
const WORTHLESS_AFTER = 4;

/**
 * What a value is worth by its age: 1 while it is live, then less by the same amount each second, 0 from four times that
 * age on.
 * @param ageMs null when there never was a usable value
 */
export function freshness(ageMs: number | null, heartbeatMs: number): number {
  if (ageMs === null) return 0;
  const liveMs = staleAfterMs(heartbeatMs);
  const over = (ageMs - liveMs) / ((WORTHLESS_AFTER - 1) * liveMs);
  return Math.min(1, Math.max(0, 1 - over));
}

/** Stored figures of one tag over a window. */
export interface TagFigures {
  usable: number;
  uncertain: number;
  bad: number;
  /** Null for text, and where no sample is usable. */
  min: number | null;
  max: number | null;
  /** From the beginning of the first to the end of the last closed hour with a sample. */
  spanMs: number;
}

/** So long a measured tag must stand still, to the last bit, to be called frozen. */
export const FROZEN_MS_MIN = 12 * 3_600_000;

/**
 * A measured value always moves a little; one that does not, to the last bit, for half a day, more likely comes from a
 * dead sensor or a stuck register. Counters, switches, set points and text (interpolation `step`) may stand, and so may
 * a tag with a deadband, which asks not to be told of small moves.
 */
export const isFrozen = (
  tag: { interpolation: "linear" | "step"; deadband: number },
  { usable, min, max, spanMs }: TagFigures,
): boolean =>
  tag.interpolation === "linear" &&
  tag.deadband === 0 &&
  usable > 1 &&
  min !== null &&
  min === max &&
  spanMs >= FROZEN_MS_MIN;

const unknown = (why: QualityUnknown): QualityScore => ({ percent: null, why, part: 0, of: 0 });

const share = (part: number, of: number, why: QualityUnknown): QualityScore =>
  of > 0 ? { percent: Math.min(100, (100 * part) / of), why: null, part, of } : unknown(why);

/** Why there are no samples to judge. */
function noSamples({ arrived, expected }: QualityTally): QualityUnknown {
  if (arrived) return "hoursOpen";
  return expected > 0 ? "noSamples" : "nothingDue";
}

/** @param enabled the device is switched on in the hub */
export function scoresOf(tally: QualityTally, enabled: boolean): QualityScores {
  if (tally.tags === 0) return allUnknown("noTags");
  const { usable, uncertain, bad, lost, quarantined, expected, received, pairs, steady } = tally;
  const five = {
    accuracy: share(usable - uncertain, usable, bad > 0 ? "allBad" : noSamples(tally)),
    completeness: share(received, expected, "nothingDue"),
    integrity: share(usable, usable + bad + lost + quarantined, noSamples(tally)),
    consistency: share(steady, pairs, "nothingDue"),
    freshness: enabled ? share(tally.fresh, tally.judged, "tooNew") : unknown("deviceOff"),
  };
  return { ...five, overall: enabled ? overallOf(five) : { percent: null, why: "deviceOff", weakest: null } };
}

/**
 * The lowest of the five, because a mean would hide a dead sensor behind four good figures. One that is not known could
 * be lower than all others, unless one of those is 0 already.
 */
function overallOf(five: Record<QualityDimension, QualityScore>): QualityScores["overall"] {
  let weakest: QualityDimension | null = null;
  let isPartial = false;
  for (const name of QUALITY_DIMENSIONS) {
    const { percent } = five[name];
    if (percent === null) isPartial = true;
    else if (weakest === null || percent < five[weakest].percent!) weakest = name;
  }
  const percent = weakest === null ? null : five[weakest].percent;
  if (percent === null || (isPartial && percent > 0))
    return { percent: null, why: "partUnknown", weakest: null };
  return { percent, why: null, weakest };
}

/** Scores of what cannot be judged at all. */
export function allUnknown(why: QualityUnknown): QualityScores {
  const none = unknown(why);
  return {
    accuracy: none,
    completeness: none,
    integrity: none,
    consistency: none,
    freshness: none,
    overall: { percent: null, why, weakest: null },
  };
}
