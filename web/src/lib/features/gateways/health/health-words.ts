import type { DeviceHealth, GatewayHealth, HealthFinding } from "@millrace/contract/api/gateway-health";
import { ageWords, momentWords } from "../../../state/age.ts";

const ISO = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g;

/** A sentence of the hub with its instants as the clock on the wall says them. */
export const withMoments = (text: string, nowMs: number): string =>
  text.replace(ISO, (instant) => momentWords(Date.parse(instant), nowMs));

/** Told by `IdentityNotice` with the button that settles them. */
const TOLD_ELSEWHERE: readonly string[] = ["link.cloned", "manifest.held"];

export const findingsShown = ({ findings }: Pick<GatewayHealth, "findings">): HealthFinding[] =>
  findings.filter(({ code }) => !TOLD_ELSEWHERE.includes(code));

export const SEVERITY: Record<HealthFinding["severity"], string> = { error: "Error", warning: "Warning" };

/** "3 hours ago" in two parts: when, and how long since. */
export function sinceWords(instant: string | null, nowMs: number, none = "Never"): string {
  if (instant === null) return none;
  const ms = Date.parse(instant);
  return `${momentWords(ms, nowMs)} (${ageWords(nowMs - ms)} ago)`;
}

/** How long a gateway can go without the hub. */
export function daysLeftWords(days: number | null): string {
  if (days === null) return "Not measured yet";
  if (days < 1 / 24) return "Less than an hour";
  if (days < 2) {
    const hours = Math.floor(days * 24);
    return hours === 1 ? "1 hour" : `${hours} hours`;
  }
  return days >= 365 ? "More than a year" : `${Math.floor(days)} days`;
}

/** A gateway's clock against the hub's. */
export function offsetWords(offsetMs: number | null): string {
  if (offsetMs === null) return "Not measured";
  const ms = Math.abs(offsetMs);
  if (ms < 1) return "Same as the hub's";
  const much = ms < 10_000 ? `${Math.round(ms).toLocaleString("en")} ms` : ageWords(ms);
  return `${much} ${offsetMs > 0 ? "ahead of" : "behind"} the hub's`;
}

/** Cycles that did not begin in time. */
export function missedWords(cycles: number, missed: number): string {
  const due = cycles + missed;
  if (due === 0) return "None yet";
  if (missed === 0) return `None of ${due.toLocaleString("en")}`;
  const percent = (missed / due) * 100;
  const share = percent < 0.1 ? "< 0.1" : percent.toFixed(1);
  return `${missed.toLocaleString("en")} of ${due.toLocaleString("en")} (${share} %)`;
}

/** What is configured against what runs. */
export function manifestWords({ wanted, running }: GatewayHealth["manifest"]): string {
  if (wanted === 0 && running === 0) return "None yet";
  return wanted === running
    ? `Number ${running}, as wanted`
    : `Number ${running}; number ${wanted} is wanted`;
}

/** Part of a whole between 0 and 1; null when there is no whole to speak of. */
export const shareUsed = (used: number, whole: number | null): number | null =>
  whole === null || whole <= 0 ? null : Math.min(1, Math.max(0, used / whole));

const tagWords = (count: number, what: string): string => `${count} ${count === 1 ? "tag" : "tags"} ${what}`;

/** Figures of one device in a line. */
export function deviceFacts(device: DeviceHealth, nowMs: number): string {
  const parts = [tagWords(device.tagsGood, "good")];
  if (device.tagsBad > 0) parts.push(tagWords(device.tagsBad, "bad"));
  if (device.linkState === "up" && device.roundTripMs !== null)
    parts.push(`answers in ${device.roundTripMs < 1 ? "< 1" : Math.round(device.roundTripMs)} ms`);
  if (device.linkState !== "up")
    parts.push(
      device.lastGood === null
        ? "no value was ever read"
        : `last good value ${momentWords(Date.parse(device.lastGood), nowMs)}`,
    );
  if (device.cyclesMissed > 0)
    parts.push(`cycles missed: ${missedWords(device.cycles, device.cyclesMissed)}`);
  return parts.join(" · ");
}
