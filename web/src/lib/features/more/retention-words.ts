import type { HubFault } from "../../error/fault.ts";
import { byteWords, countWords } from "../../history/history-words.ts";

const DAYS_MAX = 36_500;

/** Days as typed: null for an empty field, which means for ever. */
export function daysOf(text: string): number | null | "wrong" {
  const trimmed = text.trim();
  if (trimmed === "") return null;
  const days = Number(trimmed);
  return /^\d{1,5}$/.test(trimmed) && days >= 1 && days <= DAYS_MAX ? days : "wrong";
}

/** What a change would delete, if that is why the hub refused it; null for any other refusal. */
export function lossOf(fault: HubFault): string | null {
  const { samples, bytes, partitions } = fault.context;
  if (typeof partitions !== "number") return null;
  if (typeof samples !== "number" || typeof bytes !== "number" || partitions === 0) {
    return "nothing that is stored by now, but from then on less is kept";
  }
  return `${countWords(samples)} samples, ${byteWords(bytes)} on disk`;
}
