import { ERROR, type ErrorCode } from "@millrace/contract/error/code";
import type { DeviceStatus, LinkState, OutboxStatus } from "@millrace/contract/vocabulary/gateway";
import { durationWords } from "../supervisor/words.ts";
import type { LocalView } from "./view.ts";

export type RungState = "ok" | "warn" | "fault";

/** One link of the ladder from the mains to the hub: what it is, how it stands, what to do. */
export interface Rung {
  name: string;
  state: RungState;
  word: string;
  /** Null: as long as the gateway runs. */
  sinceMs: number | null;
  numbers: string;
  cause: string;
  nextStep: string;
}

/** Shapes tell the states apart without colour. */
export const SHAPE: Record<RungState, string> = { ok: "✓", warn: "!", fault: "✗" };

export const DEVICE_WORD: Record<LinkState, string> = {
  up: "Answers",
  opening: "Starting",
  waiting: "Does not answer",
  down: "Out of service",
};

/** The shape of a device's link. */
export const shapeOf = (state: LinkState): string =>
  state === "up" ? SHAPE.ok : state === "opening" ? SHAPE.warn : SHAPE.fault;

const DISK_FREE_BYTES_MIN = 200 * 1024 * 1024;
const CLOCK_OFFSET_MS_MAX = 5_000;
/** The buffer counts as filling up from this share of its quota. */
const BUFFER_SHARE_WARN = 0.8;

export const nextStepOf = (code: string): string => ERROR[code as ErrorCode]?.nextStep ?? "";

/** The four links, from the machine to the hub: the first that is not in order is where to look. */
export const ladder = (view: LocalView): Rung[] => [power(view), devices(view), buffer(view), hub(view)];

export function bytesWords(bytes: number): string {
  const units = ["B", "KB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1_000 && unit < units.length - 1) {
    value /= 1_000;
    unit++;
  }
  return `${value >= 100 || unit === 0 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

function power({ status, machine }: LocalView): Rung {
  const numbers = [
    `machine up ${durationWords(machine.machineUpMs)}`,
    `gateway up ${durationWords(status.nowMs - status.startedMs)}`,
    `CPU ${(machine.cpuShare * 100).toFixed(1)} % of one core`,
    `memory ${bytesWords(machine.memoryBytes)}`,
    `disk ${bytesWords(machine.diskFreeBytes)} free`,
  ];
  if (machine.temperatureC !== null) numbers.push(`${Math.round(machine.temperatureC)} °C`);
  const rung: Rung = {
    name: "Power and system",
    state: "ok",
    word: "Running",
    sinceMs: status.startedMs,
    numbers: numbers.join(" · "),
    cause: "",
    nextStep: "",
  };
  const offset = status.clockOffsetMs;
  if (machine.diskBytes > 0 && machine.diskFreeBytes < DISK_FREE_BYTES_MIN) {
    return {
      ...rung,
      state: "warn",
      word: "Disk nearly full",
      cause: `Only ${bytesWords(machine.diskFreeBytes)} are free.`,
      nextStep: "Free disk space, or give the gateway a larger disk.",
    };
  }
  if (offset !== null && Math.abs(offset) > CLOCK_OFFSET_MS_MAX) {
    const side = offset > 0 ? "ahead of" : "behind";
    return {
      ...rung,
      state: "warn",
      word: "Clock differs",
      cause: `The clock is ${durationWords(Math.abs(offset))} ${side} the hub's.`,
      nextStep: "Set the time on this machine, best by NTP.",
    };
  }
  return rung;
}

function devices({ status, manifestProblem }: LocalView): Rung {
  const all = status.devices;
  const down = all.filter((device) => device.linkState !== "up");
  const tags = all.reduce((sum, d) => ({ good: sum.good + d.tagsGood, bad: sum.bad + d.tagsBad }), {
    good: 0,
    bad: 0,
  });
  const missed = all.reduce((sum, device) => sum + device.cyclesMissed, 0);
  const rung: Rung = {
    name: "Devices",
    state: "ok",
    word: `All ${all.length} answer`,
    sinceMs: all.length > 0 ? Math.max(...all.map((device) => device.sinceMs)) : null,
    numbers: `${all.length - down.length} of ${all.length} devices answer · ${tags.good} tags good, ${tags.bad} bad · ${missed} cycles missed`,
    cause: "",
    nextStep: "",
  };
  if (all.length === 0) {
    return {
      ...rung,
      state: "warn",
      word: "None",
      numbers: "",
      cause: manifestProblem || "The hub has given this gateway no devices.",
      nextStep: "Add a device for this gateway at the hub.",
    };
  }
  const worst = worstOf(down);
  if (worst === undefined) return tags.bad > 0 ? badTags(rung, tags.bad) : rung;
  if (worst.code === "") return { ...rung, state: "warn", word: "Starting", cause: worst.reason };
  return {
    ...rung,
    state: "fault",
    word: down.length === 1 ? "One does not answer" : `${down.length} do not answer`,
    sinceMs: worst.sinceMs,
    cause: worst.reason,
    nextStep: nextStepOf(worst.code),
  };
}

const badTags = (rung: Rung, bad: number): Rung => ({
  ...rung,
  state: "warn",
  word: "Some tags are bad",
  cause: `All devices answer, but ${bad} tags have no good value.`,
  nextStep: "Open Live tags and look for bad ones; each says why.",
});

/** The one that is down longest with a known cause: what failed first is most often the reason for the rest. */
function worstOf(down: readonly DeviceStatus[]): DeviceStatus | undefined {
  return [...down].sort((a, b) => Number(a.code === "") - Number(b.code === "") || a.sinceMs - b.sinceMs)[0];
}

function buffer({ status }: LocalView): Rung {
  const { outbox } = status;
  const share = outbox.bytesQuota > 0 ? outbox.bytesUsed / outbox.bytesQuota : 0;
  const rung: Rung = {
    name: "Buffer",
    state: "ok",
    word: outbox.samplesUnsent === 0 ? "Empty" : "Keeping data",
    sinceMs: outbox.oldestUnsentMs,
    numbers: bufferNumbers(outbox, share, status.nowMs),
    cause: "",
    nextStep: "",
  };
  if (!outbox.durable) {
    return {
      ...rung,
      state: "fault",
      word: "Not on disk",
      cause: "The disk refuses: new samples are kept in memory only and are lost with the power.",
      nextStep: nextStepOf("outbox.failed"),
    };
  }
  if (outbox.samplesLost > 0) {
    return {
      ...rung,
      state: "fault",
      word: "Full",
      cause: `${outbox.samplesLost} of the oldest samples were dropped since the start; the gaps are recorded.`,
      nextStep: nextStepOf("outbox.overflow"),
    };
  }
  if (share < BUFFER_SHARE_WARN || outbox.samplesUnsent === 0) return rung;
  return { ...rung, state: "warn", word: "Filling up", nextStep: nextStepOf("outbox.overflow") };
}

function bufferNumbers(outbox: OutboxStatus, share: number, nowMs: number): string {
  const oldest =
    outbox.oldestUnsentMs === null ? "" : ` · oldest ${durationWords(nowMs - outbox.oldestUnsentMs)} old`;
  return (
    `${outbox.samplesUnsent} samples unsent (${bytesWords(outbox.bytesUnsent)})${oldest} · ` +
    `${bytesWords(outbox.bytesUsed)} of ${bytesWords(outbox.bytesQuota)} used (${Math.round(share * 100)} %)`
  );
}

function hub({ hub: link, status }: LocalView): Rung {
  const offset = status.clockOffsetMs === null ? "" : ` · clock ${Math.round(status.clockOffsetMs)} ms off`;
  const rung: Rung = {
    name: "Hub",
    state: "ok",
    word: "Connected",
    sinceMs: link.sinceMs,
    numbers: `${link.url} · manifest ${status.manifestRev}${offset}`,
    cause: "",
    nextStep: "",
  };
  if (link.up) return rung;
  // The gateway's own work goes on without the hub, so this is no fault of the gateway while data is kept.
  const person = ERROR[link.code as ErrorCode]?.retry === "afterChange";
  return {
    ...rung,
    state: person ? "fault" : "warn",
    word: person ? "Refused" : "Not connected, keeping data",
    cause: link.reason,
    nextStep: nextStepOf(link.code),
  };
}
