import type {
  DeviceDataQuality,
  GatewayDataQuality,
  QualityDimension,
  QualityScore,
  QualityScores,
  QualityUnknown,
  QualityWindow,
} from "@millrace/contract/api/data-quality";
import { shareWords } from "./completeness-words.ts";

export const DIMENSION: Record<QualityDimension, { name: string; question: string; formula: string }> = {
  accuracy: {
    name: "Accuracy",
    question: "Are the values believable?",
    formula: "Usable samples that are not marked uncertain ÷ all usable samples.",
  },
  completeness: {
    name: "Completeness",
    question: "Did everything come?",
    formula: "Minutes with a usable sample ÷ minutes in which one was due.",
  },
  integrity: {
    name: "Integrity",
    question: "Is what came fit for use?",
    formula: "Usable samples ÷ usable and bad ones; at a gateway also those lost and in quarantine.",
  },
  consistency: {
    name: "Consistency",
    question: "Does it come steadily?",
    formula:
      "Neighbouring minutes that both came or both did not ÷ all such pairs. A measured value that did not move at all for 12 hours counts as not steady.",
  },
  freshness: {
    name: "Freshness",
    question: "Is what I see from now?",
    formula:
      "1 for a live value, falling to 0 at four times the age at which it goes stale; the mean over the tags, at this moment.",
  },
};

export const WINDOW: Record<QualityWindow, string> = { "24h": "Last 24 hours", "7d": "Last 7 days" };

const UNKNOWN: Record<QualityUnknown, string> = {
  noTags: "There are no tags to judge",
  nothingDue: "Nothing was due yet",
  hoursOpen: "Known when the first hour is over and closed",
  noSamples: "Samples were due, and none came",
  allBad: "No sample had a usable value",
  deviceOff: "Switched off in the hub",
  tooNew: "The tags are too new",
  tooLarge: "Too many tags for one answer; see the devices",
  partUnknown: "Not all of the five are known yet",
};
export const unknownWords = (why: QualityUnknown | null): string => (why === null ? "" : UNKNOWN[why]);

/** A percentage as all shares are written: "100 %" is all of it, never nearly all. */
export const percentWords = (percent: number | null): string =>
  percent === null ? "Not known" : shareWords(percent / 100);

const count = (n: number): string => Math.round(n).toLocaleString("en");
const many = (n: number, one: string, more = `${one}s`): string => `${count(n)} ${n === 1 ? one : more}`;

/** What a score was made of: "2,820 of 2,880 minutes came". */
export function basisWords(dimension: QualityDimension, { percent, why, part, of }: QualityScore): string {
  if (percent === null) return unknownWords(why);
  switch (dimension) {
    case "accuracy":
      return `${count(part)} of ${count(of)} samples without doubt`;
    case "completeness":
      return `${count(part)} of ${count(of)} minutes came`;
    case "integrity":
      return `${count(part)} of ${count(of)} samples usable`;
    case "consistency":
      return `${count(part)} of ${count(of)} pairs of minutes steady`;
    case "freshness":
      return `Mean over ${many(of, "tag")}`;
  }
}

/** What the whole score says in a few words. */
export function overallWords({ overall }: QualityScores): string {
  const { percent, why, weakest } = overall;
  if (percent === null || weakest === null) return unknownWords(why);
  return percent >= 100 ? "All five are complete" : `The lowest is ${DIMENSION[weakest].name.toLowerCase()}`;
}

/** What to look at, the most telling first; empty when there is nothing. */
export function factsWords(quality: DeviceDataQuality | GatewayDataQuality): string {
  const parts: string[] = [];
  const { tagCount, staleTags, frozenTags, badSamples, uncertainSamples } = quality;
  if (staleTags > 0) parts.push(`${count(staleTags)} of ${many(tagCount, "tag")} stale`);
  if (frozenTags > 0) parts.push(`${many(frozenTags, "value")} standing still`);
  if (badSamples > 0) parts.push(many(badSamples, "bad sample"));
  if (uncertainSamples > 0) parts.push(many(uncertainSamples, "uncertain sample"));
  if ("lostSamples" in quality) {
    if (quality.lostSamples > 0) parts.push(`${many(quality.lostSamples, "sample")} lost`);
    if (quality.quarantinedSamples > 0)
      parts.push(`${many(quality.quarantinedSamples, "sample")} in quarantine`);
  }
  return parts.length === 0 ? "" : `${parts.join(", ")}.`;
}

/** Worst first; what is not known comes after what is. */
export const worstFirst = (devices: readonly DeviceDataQuality[]): DeviceDataQuality[] =>
  devices.toSorted(
    (a, b) =>
      (a.scores.overall.percent ?? 101) - (b.scores.overall.percent ?? 101) ||
      a.devicePath.localeCompare(b.devicePath, undefined, { numeric: true }),
  );
