import type { Gateway } from "@millrace/contract/api/gateway";
import type { GatewayStatus, LinkState } from "@millrace/contract/vocabulary/gateway";
import { momentWords } from "../../state/age.ts";

/** A gateway's link as the hub sees it, in words. */
export function linkWords(gateway: Gateway, linkState: LinkState, nowMs: number): string {
  if (gateway.enrolment === "unclaimed") return "Not enrolled yet";
  if (gateway.enrolment === "revoked") return "Revoked";
  const since =
    gateway.linkSince === null ? "" : ` since ${momentWords(Date.parse(gateway.linkSince), nowMs)}`;
  return linkState === "up" ? `Connected${since}` : `Offline${since}`;
}

const UNITS = ["B", "kB", "MB", "GB", "TB"];

/** Bytes with three digits: "0 B", "4.2 MB", "118 GB". Decimal units, as disks are sold. */
export function bytesWords(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1_000 && unit < UNITS.length - 1) {
    value /= 1_000;
    unit++;
  }
  return `${value >= 100 || unit === 0 ? Math.round(value) : value.toFixed(1)} ${UNITS[unit]}`;
}

const CLOCK_WORDS: Record<NonNullable<GatewayStatus["clockQuality"]>, string> = {
  none: "no time known",
  rtc: "not checked",
  ntp: "set by time service",
  hub: "checked with the hub",
};

/** What stands behind a gateway's clock. */
export const clockWords = (quality: NonNullable<GatewayStatus["clockQuality"]>): string =>
  CLOCK_WORDS[quality];
