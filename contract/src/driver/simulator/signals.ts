import type { Quality } from "../../vocabulary/quality.ts";
import type { DataType, TagValue } from "../../vocabulary/value.ts";
import { WHOLE_RANGE } from "../../vocabulary/whole-range.ts";
import { durationOf, durationText, type Window, windowOf, windowText } from "./window.ts";

/** One state of a machine that goes through several. */
export interface State {
  word: string;
  ms: number;
}

/** Texts of one option, in both directions. `read` gives null for a text that is none. */
interface Kind<T> {
  standard: T;
  /** Where what stands depends on the type of the tag. */
  standardFor?(dataType: DataType): T;
  read(text: string, dataType: DataType): T | null;
  write(value: T): string;
  /** What would be right, for the message. */
  right: string;
}

const NUMBER = /^-?\d{1,21}(\.\d{1,21})?(e[+-]?\d{1,3})?$/;

const number = <T extends number | null>(standard: T): Kind<number | T> => ({
  standard,
  read: (text) => (NUMBER.test(text) && Number.isFinite(Number(text)) ? Number(text) : null),
  write: String,
  right: "a number such as 20 or -3.5",
});

const share = (standard: number): Kind<number> => ({
  standard,
  read: (text) => (/^(0(\.\d{1,6})?|1(\.0{1,6})?)$/.test(text) ? Number(text) : null),
  write: String,
  right: "a share from 0 to 1, such as 0.8",
});

const duration = (standard: number): Kind<number> => ({
  standard,
  read: (text) => {
    const ms = durationOf(text);
    return ms === null || ms < 1 ? null : ms;
  },
  write: durationText,
  right: "a duration such as 500ms, 20s, 5m or 2h, up to 31d",
});

const window: Kind<Window | null> = {
  standard: null,
  read: windowOf,
  write: (value) => (value === null ? "" : windowText(value)),
  right: "a length, and how often, such as 20s/10m",
};

/** What devices say of their own values; the others are ours to say of devices. */
const QUALITIES: readonly Quality[] = [
  "bad.sensorFailed",
  "bad.noCommunication",
  "bad.notConnected",
  "bad.outOfService",
  "bad.deviceFailed",
  "bad.configuration",
  "bad.waitingForData",
  "bad.notFinite",
  "bad.valueInvalid",
  "bad.unspecified",
  "uncertain.sensorInaccurate",
  "uncertain.lastUsable",
  "uncertain.initialValue",
  "uncertain.outOfRange",
  "uncertain.subNormal",
  "uncertain.substituted",
  "uncertain.unspecified",
];

/** Of a value while its window lasts; without a window, always. */
export const FAULT_QUALITY: Quality = "bad.sensorFailed";
const quality: Kind<Quality | null> = {
  standard: null,
  read: (text) => QUALITIES.find((one) => one === text) ?? null,
  write: String,
  right: `one of ${QUALITIES.join(", ")}`,
};

const NAME = /^[A-Za-z][\w-]{0,39}$/;
const name: Kind<string> = {
  standard: "",
  read: (text) => (NAME.test(text) ? text : null),
  write: String,
  right: "a name of letters, digits, - and _",
};

/** A word may hold what the address text gives it in quotes, but not what parts states. */
const WORD = /^[^,:"]{1,40}$/;
const word: Kind<string> = {
  standard: "",
  read: (text) => (WORD.test(text) ? text : null),
  write: String,
  right: "one of its states",
};

export const STATES_MAX = 32;
const states: Kind<readonly State[]> = {
  standard: [],
  read: (text) => {
    const found = text.split(",").map((one): State | null => {
      const at = one.lastIndexOf(":");
      const ms = durationOf(one.slice(at + 1));
      const own = one.slice(0, Math.max(at, 0));
      return WORD.test(own) && ms !== null && ms > 0 ? { word: own, ms } : null;
    });
    if (found.length > STATES_MAX) return null;
    return found.every((one) => one !== null) ? found : null;
  },
  write: (value) => value.map((one) => `${one.word}:${durationText(one.ms)}`).join(","),
  right: `up to ${STATES_MAX} states with their durations, such as IDLE:20s,RUN:2m,FAULT:10s`,
};

const TEXT_CHARS_MAX = 80;

/** Whether a machine's memory of this type can hold the value. */
export function fits(value: TagValue, dataType: DataType): boolean {
  if (dataType === "boolean") return typeof value === "boolean";
  if (dataType === "text")
    return typeof value === "string" && value.length <= TEXT_CHARS_MAX && !value.includes('"');
  const bounds = WHOLE_RANGE[dataType];
  if (bounds === undefined) return typeof value === "number" && Number.isFinite(value);
  const isWide = dataType === "int64" || dataType === "uint64";
  if (typeof value !== (isWide ? "bigint" : "number")) return false;
  if (typeof value === "number" && !Number.isInteger(value)) return false;
  return BigInt(value as bigint) >= bounds[0] && BigInt(value as bigint) <= bounds[1];
}

function emptyOf(dataType: DataType): TagValue {
  if (dataType === "text") return "";
  if (dataType === "boolean") return false;
  return dataType === "int64" || dataType === "uint64" ? 0n : 0;
}

/** What lies in a machine's memory, by the type of its tag; the standard is 0, false or nothing. */
const value: Kind<TagValue> = {
  standard: null,
  standardFor: emptyOf,
  read: (text, dataType) => {
    const found = readValue(text, dataType);
    return found !== null && fits(found, dataType) ? found : null;
  },
  write: String,
  right: "a value of the tag's type",
};

function readValue(text: string, dataType: DataType): TagValue {
  if (dataType === "text") return text;
  if (dataType === "boolean") return text === "true" || (text === "false" ? false : null);
  if (WHOLE_RANGE[dataType] === undefined) return number(0).read(text, dataType);
  if (!/^-?\d{1,20}$/.test(text)) return null;
  return dataType === "int64" || dataType === "uint64" ? BigInt(text) : Number(text);
}

const BETWEEN = { min: number(0), max: number(100) };
/** Without `phase` the seed says where in its period a signal begins, so that no two machines go in step. */
const WAVE = { ...BETWEEN, period: duration(60_000), phase: number(null), load: share(0) };

/** Options every signal takes: what is wrong with its sensor, and when. */
export const COMMON = { bad: window, quality, frozen: window, spike: window, noise: number(0) };

/** The options of each signal with their kinds and standards. The grammar of addresses is this table. */
export const SIGNALS = {
  constant: { value },
  sine: WAVE,
  triangle: WAVE,
  ramp: WAVE,
  square: { ...WAVE, duty: share(0.5) },
  walk: { ...BETWEEN, period: duration(600_000), load: share(0) },
  noise: { ...BETWEEN, every: duration(1_000) },
  counter: { start: number(0), step: number(1), every: duration(1_000), load: share(0) },
  pulse: { every: duration(10_000), width: duration(1_000), phase: number(null) },
  states: { list: states, idle: word, phase: number(null) },
  load: { min: number(0), max: number(1) },
  setpoint: { name, start: value, min: number(null), max: number(null) },
  follow: { of: name, lag: duration(10_000), low: number(0), high: number(1) },
  missing: {},
} as const;

export type SignalName = keyof typeof SIGNALS;

type ValuesOf<O> = { -readonly [K in keyof O]: O[K] extends Kind<infer T> ? T : never };

/** What the sensor of a tag does to its signal. */
export type Common = ValuesOf<typeof COMMON>;
export type SignalOf<N extends SignalName> = { name: N; options: ValuesOf<(typeof SIGNALS)[N]> };
/** A signal with all its options, standards filled in. */
export type Signal = { [N in SignalName]: SignalOf<N> }[SignalName];
export type AnyKind = Kind<unknown>;

/** What an option is when nobody says it. */
export const standardOf = (kind: AnyKind, dataType: DataType): unknown =>
  kind.standardFor === undefined ? kind.standard : kind.standardFor(dataType);
