import type { LinkState } from "@millrace/contract/vocabulary/gateway";
import type { BusFinding } from "@millrace/contract/wire/bus";
import type { Unit } from "./meter.ts";

/** What the bus doctor knows of one device behind a connection. */
export interface DeviceFacts {
  deviceId: string;
  name: string;
  /** Shortest scan of its tags, ms. */
  scanMs: number;
  cycles: number;
  missed: number;
  /** Longest wait for one answer, where the driver has such a setting. */
  timeoutMs: number | null;
}

/** What it knows of one unit. Times in ms; null where nothing was measured. */
export interface UnitFacts {
  unit: Unit;
  devices: readonly DeviceFacts[];
  requests: number;
  answers: number;
  refusals: number;
  timeouts: number;
  garbled: number;
  wrongIds: number;
  late: number;
  lateMaxMs: number;
  retries: number;
  codes: ReadonlyMap<string, number>;
  p50Ms: number | null;
  p95Ms: number | null;
  maxMs: number | null;
  /** Shares of the window: its requests held the line, and of that, waited for answers that never came. */
  busyShare: number;
  waitedShare: number;
}

/** One connection as the doctor sees it. Pure data: what is wrong follows from it alone. */
export interface LineFacts {
  driver: string;
  /** Of the device that opened the connection, decoded. */
  settings: Readonly<Record<string, unknown>>;
  /** All settings this driver has, also those nobody gave. */
  settingNames: readonly string[];
  link: {
    state: LinkState;
    /** Of the trouble while it is down; empty while it is up. */
    code: string;
    message: string;
    /** What the driver knew of the last failure, for programs. */
    context: Readonly<Record<string, unknown>>;
  };
  /** Why it was lost last, as a sentence; empty when it never was. */
  lostBy: string;
  spanMs: number;
  losses: number;
  failedTries: number;
  silences: number;
  busyShare: number;
  units: readonly UnitFacts[];
  /** Messages that came by themselves, where the protocol is one of those; since the last one, ms. */
  messages: number;
  unreadable: number;
  heardAgoMs: number | null;
  /** Values come only by messages. */
  byMessages: boolean;
  /** What the session says should be known now, as a sentence. */
  note: string;
  /** How often a unit that answers nothing is asked, ms. */
  probeMs: number;
  /** See `SessionCounters`. */
  learned: readonly string[];
  figures: Readonly<Record<string, number>>;
}

/** A finding with what its place among others of its level follows from: the share of the work it spoils, 0 to 1. */
export interface Finding extends BusFinding {
  weight: number;
}

/** Findings of one protocol. Those about the link itself stand in the place of the general one. */
export type Diagnose = (facts: LineFacts) => Finding[];

/** Beginnings of the kinds of those that say why the link is down. */
export const LINK_KIND = "link.";

/** So few requests say nothing yet: one lost packet among five is a fifth. */
export const REQUESTS_MIN = 3;

export const percent = (share: number): string => {
  const exact = share * 100;
  return `${exact > 0 && exact < 10 ? exact.toFixed(1) : Math.round(exact)} %`;
};

/** Milliseconds as people say them. */
export const msWords = (ms: number): string =>
  ms < 10 ? `${ms.toFixed(1)} ms` : ms < 10_000 ? `${Math.round(ms)} ms` : `${Math.round(ms / 1_000)} s`;

export const share = (part: number, whole: number): number => (whole > 0 ? Math.min(1, part / whole) : 0);

/** "unit 7", "units 7 and 9", or the words for a connection without units. */
export function unitWords(units: readonly { unit: Unit }[], otherwise = "the device"): string {
  const numbers = units.flatMap(({ unit }) => (unit === null ? [] : [unit]));
  if (numbers.length === 0) return otherwise;
  if (numbers.length === 1) return `unit ${numbers[0]}`;
  const shown = numbers.slice(0, 8);
  const rest = numbers.length > shown.length ? ` and ${numbers.length - shown.length} more` : "";
  if (rest !== "") return `units ${shown.join(", ")}${rest}`;
  return `units ${shown.slice(0, -1).join(", ")} and ${shown.at(-1)}`;
}

export const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** The first of these settings the driver has; empty when it has none. */
export const settingOf = (facts: Pick<LineFacts, "settingNames">, ...names: string[]): string =>
  names.find((name) => facts.settingNames.includes(name)) ?? "";
