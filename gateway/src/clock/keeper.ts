import { EVENT, type EventCode, type GatewayEvent } from "@millrace/contract/wire/event";
import type { ClockQuality } from "@millrace/contract/wire/frame";
import type { HubTime } from "../uplink/hub-time.ts";
import { type Anchor, followed, timeAt } from "./anchor.ts";
import { hubOffset, withHubTime } from "./hub-offset.ts";

/** More than this is a step, less is drift (`delivery.md` 2.7). */
export const STEP_MS = 2_000;
/** No gateway ran before this; a machine without a battery begins at 1970 or at the date of its system image. */
const EARLIEST_MS = Date.UTC(2025, 0, 1);
const DAY_MS = 24 * 3_600_000;

export interface ClockState {
  bootNo: number;
  quality: ClockQuality;
  anchor: Anchor;
  /** The machine's wall clock minus its monotonic clock, as last seen: a change of it is a step. */
  wallOffsetMs: number;
  /** A wall clock before this cannot be right, unless time synchronisation stands behind it. */
  floorMs: number;
  hub: readonly HubTime[];
}

export type ClockInput =
  /** The machine's clocks, read at one moment; `ntp`: its wall clock is synchronised. */
  { type: "machine"; wallMs: number; monoMs: number; ntp: boolean } | { type: "hub"; time: HubTime };

export interface ClockStep {
  state: ClockState;
  events: GatewayEvent[];
  /** Times jump: what was taken before must be sealed before this state counts. */
  jumps: boolean;
}

export interface ClockStart {
  bootNo: number;
  wallMs: number;
  monoMs: number;
  ntp: boolean;
  /** Wall time of the newest frame on disk; null when there is none. */
  newestSealedMs: number | null;
}

/**
 * The first anchor of a boot. A machine whose clock cannot be right gets a provisional one of quality `none`: times
 * begin there, run evenly, and are moved together once the time is known.
 */
export function startClock({ bootNo, wallMs, monoMs, ntp, newestSealedMs }: ClockStart): ClockState {
  const floorMs = Math.max(EARLIEST_MS, (newestSealedMs ?? EARLIEST_MS) - DAY_MS);
  return {
    bootNo,
    quality: isPlausible(wallMs, floorMs, ntp) ? machineQuality(ntp) : "none",
    anchor: { timeMs: wallMs, monoMs, slewMs: 0 },
    wallOffsetMs: wallMs - monoMs,
    floorMs,
    hub: [],
  };
}

const machineQuality = (ntp: boolean): ClockQuality => (ntp ? "ntp" : "rtc");

/** A frame sealed under a clock that ran ahead must not outlaw the right time for ever: synchronisation is believed. */
const isPlausible = (wallMs: number, floorMs: number, ntp: boolean): boolean =>
  wallMs >= (ntp ? EARLIEST_MS : floorMs);

/** Time of a sample taken at `monoMs`, ms UTC, whole. */
export const clockTime = (state: ClockState, monoMs: number): number =>
  Math.floor(timeAt(state.anchor, monoMs));

/** The hub's time at `monoMs`, from what it said and the monotonic clock alone; null before it said anything. */
export function hubTimeAt(state: ClockState, monoMs: number): number | null {
  const offset = hubOffset(state.hub);
  return offset && offset.offsetMs + monoMs;
}

/** What follows from one look at the machine's clocks or one word of the hub. Pure. */
export const stepClock = (state: ClockState, input: ClockInput): ClockStep =>
  input.type === "hub" ? onHub(state, input.time) : onMachine(state, input);

type MachineInput = Extract<ClockInput, { type: "machine" }>;

function onMachine(before: ClockState, input: MachineInput): ClockStep {
  const { wallMs, monoMs, ntp } = input;
  const wallOffsetMs = wallMs - monoMs;
  const steppedMs = wallOffsetMs - before.wallOffsetMs;
  const state = { ...before, wallOffsetMs };
  const plausible = isPlausible(wallMs, state.floorMs, ntp);
  if (state.quality === "none")
    return plausible ? anchored(state, monoMs, wallMs, machineQuality(ntp)) : same(state);
  const timeMs = timeAt(state.anchor, monoMs);
  const stepped = Math.abs(steppedMs) > STEP_MS;
  if (state.quality === "hub") {
    const hubMs = hubTimeAt(state, monoMs);
    const agrees = hubMs !== null && Math.abs(hubMs - timeMs) <= STEP_MS;
    if (stepped && !agrees && plausible) return jumped(state, monoMs, wallMs, machineQuality(ntp));
    const anchor = followed(state.anchor, monoMs, (hubMs ?? timeMs) - timeMs);
    return keeping({ ...state, anchor }, monoMs, stepped, steppedMs);
  }
  const offMs = wallMs - timeMs;
  if (Math.abs(offMs) <= STEP_MS) {
    return same({
      ...state,
      quality: machineQuality(ntp),
      anchor: followed(state.anchor, monoMs, offMs),
    });
  }
  if (plausible) return jumped(state, monoMs, wallMs, machineQuality(ntp));
  return keeping(state, monoMs, stepped, steppedMs);
}

function onHub(before: ClockState, time: HubTime): ClockStep {
  if (time.hubTimeMs < EARLIEST_MS) return same(before);
  const state = { ...before, hub: withHubTime(before.hub, time) };
  const { monoMs } = time;
  const { offsetMs, errorMs } = hubOffset(state.hub)!;
  const hubMs = offsetMs + monoMs;
  if (state.quality === "none") return anchored(state, monoMs, hubMs, "hub");
  // A line as slow as this confirms nothing. It serves to judge a command by, unless a better word is kept.
  if (errorMs > STEP_MS) return same(state.quality === "hub" ? before : state);
  const offMs = hubMs - timeAt(state.anchor, monoMs);
  if (Math.abs(offMs) > STEP_MS + errorMs) return jumped(state, monoMs, hubMs, "hub");
  return same({ ...state, quality: "hub", anchor: followed(state.anchor, monoMs, offMs) });
}

const same = (state: ClockState): ClockStep => ({ state, events: [], jumps: false });

/** The machine's clock was set and the times do not follow it. */
function keeping(state: ClockState, monoMs: number, stepped: boolean, byMs: number): ClockStep {
  if (!stepped) return same(state);
  const why = state.quality === "hub" ? "they agree with the hub" : "it cannot be right";
  const message = `The machine's clock was set ${byText(byMs)}; sample times stay, because ${why}.`;
  const data = { byMs: Math.round(byMs), kept: true };
  return { state, events: [event(state, monoMs, "clock.stepped", message, data)], jumps: false };
}

function jumped(before: ClockState, monoMs: number, timeMs: number, quality: ClockQuality): ClockStep {
  const state = anchorAt(before, monoMs, timeMs, quality);
  const byMs = timeMs - timeAt(before.anchor, monoMs);
  const message =
    quality === "hub"
      ? `The hub's time differs; sample times were set ${byText(byMs)}.`
      : `The machine's clock was set ${byText(byMs)}; sample times follow from now on.`;
  const data = { byMs: Math.round(byMs), kept: false };
  return { state, events: [event(state, monoMs, "clock.stepped", message, data)], jumps: true };
}

/** The time of this boot is known: the one event by which everything sealed before is moved. */
function anchored(before: ClockState, monoMs: number, timeMs: number, quality: ClockQuality): ClockStep {
  const state = anchorAt(before, monoMs, timeMs, quality);
  const offsetMs = Math.round(timeMs - timeAt(before.anchor, monoMs));
  const source = quality === "hub" ? "the hub" : "the machine";
  const message = `The time is known now, from ${source}. Times of this boot before it move ${byText(offsetMs)}.`;
  const data = { bootNo: state.bootNo, offsetMs, quality };
  return { state, events: [event(state, monoMs, "clock.anchored", message, data)], jumps: true };
}

const anchorAt = (state: ClockState, monoMs: number, timeMs: number, quality: ClockQuality): ClockState => ({
  ...state,
  quality,
  anchor: { timeMs, monoMs, slewMs: 0 },
});

function event(
  state: ClockState,
  monoMs: number,
  code: EventCode,
  message: string,
  data: GatewayEvent["data"],
): GatewayEvent {
  return { timeMs: clockTime(state, monoMs), code, severity: EVENT[code], message, data };
}

const byText = (byMs: number): string =>
  `${byMs < 0 ? "back" : "forward"} by ${(Math.abs(byMs) / 1_000).toFixed(1)} s`;
