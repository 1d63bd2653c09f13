import type { CompletenessCause, CompletenessDay } from "@millrace/contract/api/completeness";
import { COMPLETENESS_CAUSES } from "@millrace/contract/api/completeness";
import { gapWords } from "../../state/gap-words.ts";

const DAY_MS = 86_400_000;

export const DAYS_SHOWN = 7;

/** The last days on this device's calendar, today included, as the hub is asked for them. */
export function lastDays(nowMs: number, offsetMinutes: number): { from: string; to: string } {
  const localMs = nowMs + offsetMinutes * 60_000;
  return { from: dayOf(localMs - (DAYS_SHOWN - 1) * DAY_MS), to: dayOf(localMs) };
}

const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

const dayFormat = new Intl.DateTimeFormat("en-GB", {
  weekday: "short",
  day: "numeric",
  month: "short",
  timeZone: "UTC",
});

/** "Today", "Yesterday", "Sat 21 Nov". `today` is a day of the same calendar. */
export function dayWords(day: string, today: string): string {
  const ms = Date.parse(`${day}T00:00:00Z`);
  const daysAgo = (Date.parse(`${today}T00:00:00Z`) - ms) / DAY_MS;
  if (daysAgo === 0) return "Today";
  if (daysAgo === 1) return "Yesterday";
  return dayFormat.format(ms).replace(",", "");
}

/** A share rounded away from the ends, so that "100 %" means all of it and "0 %" nothing. */
export function shareWords(share: number): string {
  if (share >= 1) return "100 %";
  if (share <= 0) return "0 %";
  const percent = share * 100;
  if (percent < 0.1) return "< 0.1 %";
  if (percent > 99.99) return "> 99.99 %";
  return percent > 99.9 ? `${(Math.floor(percent * 100) / 100).toFixed(2)} %` : `${percent.toFixed(1)} %`;
}

const CAUSE: Record<CompletenessCause, string> = {
  deviceOff: "device off",
  overflow: gapWords("overflow"),
  quarantine: gapWords("quarantine"),
  corrupt: gapWords("corrupt"),
  hubRestore: gapWords("hubRestore"),
  stillArriving: "still arriving",
  gatewayOff: "gateway off",
};

/** Why the rest is missing, the largest cause first: "0.4 % gateway off, 0.1 % device off". Empty when all came. */
export function causesWords({ expected, causes, thinned }: CompletenessDay): string {
  if (expected === 0) return "";
  const parts = COMPLETENESS_CAUSES.filter((cause) => causes[cause] > 0)
    .toSorted((a, b) => causes[b] - causes[a])
    .map((cause) => `${shareWords(causes[cause] / expected)} ${CAUSE[cause]}`);
  const missing = parts.length === 0 ? "" : `Missing: ${parts.join(", ")}.`;
  if (thinned === 0) return missing;
  return `${missing} ${shareWords(thinned / expected)} came ${gapWords("thinned")}.`.trim();
}

/** All days together; null when nothing was due in any of them. */
export function shareOf(days: readonly CompletenessDay[]): number | null {
  const expected = days.reduce((sum, day) => sum + day.expected, 0);
  const received = days.reduce((sum, day) => sum + day.received, 0);
  return expected === 0 ? null : received / expected;
}
