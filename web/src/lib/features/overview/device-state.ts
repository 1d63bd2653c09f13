import type { Gateway } from "@millrace/contract/api/gateway";
import type { Device } from "@millrace/contract/api/plant";
import { ERROR } from "@millrace/contract/error/code";
import type { DeviceStatus, LinkState } from "@millrace/contract/vocabulary/gateway";
import { momentWords } from "../../state/age.ts";

export interface DeviceFacts {
  device: Device;
  gateway: Gateway | undefined;
  /** Newer than the list's own: from the live link. */
  gatewayLink: LinkState | undefined;
  hubLost: boolean;
  nowMs: number;
}

/** How a card presents one device. `rank`: higher needs attention first. */
export interface DeviceView {
  look: "normal" | "attention" | "bad" | "offline";
  rank: number;
  headline: string;
  nextStep: string;
  counts: { good: number; bad: number; stale: number; waiting: number };
  /** When the counts were true, ms UTC. */
  dataMs: number | null;
}

const nextStepOf = (code: string): string =>
  Object.hasOwn(ERROR, code) ? ERROR[code as keyof typeof ERROR].nextStep : "";

/** Counts of the last report. Once the report cannot be renewed, what was good then is only old now. */
function countsOf(device: Device, report: DeviceStatus | undefined, fresh: boolean): DeviceView["counts"] {
  const good = report?.tagsGood ?? 0;
  const bad = report?.tagsBad ?? 0;
  const waiting = Math.max(0, device.tagCount - good - bad);
  return fresh ? { good, bad, stale: 0, waiting } : { good: 0, bad, stale: good, waiting };
}

export function deviceView(facts: DeviceFacts): DeviceView {
  const { device, gateway, nowMs } = facts;
  const report = gateway?.status?.devices.find((candidate) => candidate.deviceId === device.id);
  const gatewayUp = (facts.gatewayLink ?? gateway?.linkState) === "up";
  const counts = countsOf(device, report, gatewayUp && !facts.hubLost);
  const dataMs = gateway?.status?.nowMs ?? null;
  const base = { counts, dataMs, nextStep: "" };
  if (!device.enabled) return { ...base, look: "normal", rank: 0, headline: "Switched off" };
  if (facts.hubLost) return { ...base, look: "offline", rank: 2, headline: "Last known, hub not connected" };
  if (gateway === undefined) return { ...base, look: "attention", rank: 3, headline: "Gateway unknown" };
  if (gateway.enrolment !== "enrolled") {
    return { ...base, look: "attention", rank: 3, headline: `Gateway “${gateway.name}” not enrolled yet` };
  }
  if (!gatewayUp) {
    const since =
      gateway.linkSince === null ? "" : ` since ${momentWords(Date.parse(gateway.linkSince), nowMs)}`;
    const nextStep = "Check power and network of the gateway; it keeps its data meanwhile.";
    return { ...base, look: "bad", rank: 5, headline: `Gateway “${gateway.name}” offline${since}`, nextStep };
  }
  if (report === undefined)
    return { ...base, look: "attention", rank: 2, headline: "Waiting for first report" };
  if (report.linkState !== "up") {
    const since = momentWords(report.sinceMs, nowMs);
    const headline =
      report.linkState === "opening" && report.code === "" ? "Connecting" : `Not connected since ${since}`;
    return {
      ...base,
      look: "bad",
      rank: 4,
      headline: report.reason === "" ? headline : `${headline}: ${report.reason}`,
      nextStep: nextStepOf(report.code),
    };
  }
  if (counts.bad > 0) {
    const headline = `${counts.bad} of ${device.tagCount} tags bad`;
    return { ...base, look: "attention", rank: 3, headline };
  }
  return { ...base, look: "normal", rank: 1, headline: "Normal" };
}
