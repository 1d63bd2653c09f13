import type { GatewayHealth } from "@millrace/contract/api/gateway-health";
import { LOG_RECORD } from "@millrace/contract/vocabulary/log";
import { momentWords } from "../../../state/age.ts";
import { LEVEL_FROM } from "../../../state/level-words.ts";

/** What more may be asked for. */
export const MORE = [
  { level: "info", label: "Ordinary steps too" },
  { level: "debug", label: "Everything" },
] as const;

/** For how long more may be asked for, in minutes. */
export const MINUTES = [10, 30, 60, LOG_RECORD.minutesMax] as const;
export const MINUTES_STANDARD = 30;

export const minutesWords = (minutes: number): string =>
  minutes % 60 === 0 ? (minutes === 60 ? "1 hour" : `${minutes / 60} hours`) : `${minutes} minutes`;

/** What a gateway sends of its log now. */
export function levelWords(log: GatewayHealth["log"], nowMs: number): string {
  if (log === null) return "This gateway has not told what it sends; its software may be older.";
  const what = LEVEL_FROM[log.level];
  if (log.until === null || Date.parse(log.until) <= nowMs) return `${what}, as always.`;
  return `${what}, until ${momentWords(Date.parse(log.until), nowMs)}.`;
}

/** True while another level than the standard one counts. */
export const isRaised = (log: GatewayHealth["log"], nowMs: number): boolean =>
  log !== null &&
  log.until !== null &&
  Date.parse(log.until) > nowMs &&
  log.level !== LOG_RECORD.standardLevel;
