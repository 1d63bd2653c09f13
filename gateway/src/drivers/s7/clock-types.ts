import type { S7TypeName } from "@millrace/contract/driver/s7/types";
import { bcd, toBcd } from "./bcd.ts";

/**
 * Types that name a day or an hour. The CPU keeps the clock on its wall and no zone, so the text has none either, and
 * the number counts as if the clock ran in UTC.
 */
export interface ClockCodec {
  /** Days (DATE), milliseconds (TOD, DT) or nanoseconds (the others); undefined: no day or hour. */
  read(bytes: Buffer, at: number): number | bigint | undefined;
  show(value: number | bigint): string;
  parse(text: string): number | bigint | undefined;
  /** @throws RangeError where the type cannot hold it */
  write(bytes: Buffer, value: number | bigint): void;
}

const DAY_MS = 86_400_000;
const MS_NS = 1_000_000n;
const DAY_NS = BigInt(DAY_MS) * MS_NS;
/** DATE counts from here; DT knows the years from here to 2089. */
const YEAR_1990_MS = Date.UTC(1990, 0, 1);
const YEAR_2090_MS = Date.UTC(2090, 0, 1);

const twoDigits = (value: number): string => String(value).padStart(2, "0");

/** Nanoseconds of a day → `13:05:00.25`. */
function timeText(ns: bigint): string {
  const s = Number(ns / 1_000_000_000n);
  const fraction = String(ns % 1_000_000_000n)
    .padStart(9, "0")
    .replace(/0+$/, "");
  const hms = [Math.floor(s / 3_600), Math.floor(s / 60) % 60, s % 60].map(twoDigits).join(":");
  return fraction === "" ? hms : `${hms}.${fraction}`;
}

const dayText = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

/** Nanoseconds since 1970 → `2026-11-26T13:05:00.25`. */
function momentText(ns: bigint): string {
  const inDay = ((ns % DAY_NS) + DAY_NS) % DAY_NS;
  return `${dayText(Number((ns - inDay) / MS_NS))}T${timeText(inDay)}`;
}

function parseTime(text: string): bigint | undefined {
  const [, h, min, s, fraction = ""] = /^(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?$/.exec(text) ?? [];
  if (h === undefined || Number(h) > 23 || Number(min) > 59 || Number(s) > 59) return undefined;
  return (
    BigInt(Number(h) * 3_600 + Number(min) * 60 + Number(s)) * 1_000_000_000n +
    BigInt(fraction.padEnd(9, "0"))
  );
}

function parseDay(text: string): number | undefined {
  const ms = /^\d{4}-\d\d-\d\d$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN;
  return Number.isNaN(ms) || dayText(ms) !== text ? undefined : ms;
}

function parseMoment(text: string): bigint | undefined {
  const [day = "", time = ""] = text.split("T");
  const [dayMs, ns] = [parseDay(day), parseTime(time)];
  return dayMs === undefined || ns === undefined ? undefined : BigInt(dayMs) * MS_NS + ns;
}

/** A moment from its parts; undefined when no calendar knows it, e.g. month 0 of a block that was never written. */
function momentMs(
  year: number,
  month: number,
  day: number,
  h: number,
  min: number,
  s: number,
): number | undefined {
  const ms = Date.UTC(year, month - 1, day);
  const asked = `${String(year).padStart(4, "0")}-${twoDigits(month)}-${twoDigits(day)}`;
  if (year < 1_000 || dayText(ms) !== asked || h > 23 || min > 59 || s > 59) return undefined;
  return ms + (h * 3_600 + min * 60 + s) * 1_000;
}

const parts = (ms: number) => {
  const date = new Date(ms);
  return {
    year: date.getUTCFullYear(),
    rest: [
      date.getUTCMonth() + 1,
      date.getUTCDate(),
      date.getUTCHours(),
      date.getUTCMinutes(),
      date.getUTCSeconds(),
    ],
    /** 1 is Sunday. */
    weekday: date.getUTCDay() + 1,
  };
};

const DATE: ClockCodec = {
  read: (bytes, at) => bytes.readUInt16BE(at),
  show: (days) => dayText(YEAR_1990_MS + Number(days) * DAY_MS),
  parse: (text) => {
    const ms = parseDay(text);
    return ms === undefined ? undefined : (ms - YEAR_1990_MS) / DAY_MS;
  },
  write: (bytes, days) => void bytes.writeUInt16BE(Number(days)),
};

const TOD: ClockCodec = {
  read: (bytes, at) => {
    const ms = bytes.readUInt32BE(at);
    return ms < DAY_MS ? ms : undefined;
  },
  show: (ms) => timeText(BigInt(ms) * MS_NS),
  parse: (text) => {
    const ns = parseTime(text);
    return ns === undefined ? undefined : Number(ns / MS_NS);
  },
  write: (bytes, ms) => {
    if (Number(ms) >= DAY_MS) throw new RangeError("TOD ends before 24:00");
    bytes.writeUInt32BE(Number(ms));
  },
};

const LTOD: ClockCodec = {
  read: (bytes, at) => {
    const ns = bytes.readBigUInt64BE(at);
    return ns < DAY_NS ? ns : undefined;
  },
  show: (ns) => timeText(BigInt(ns)),
  parse: parseTime,
  write: (bytes, ns) => {
    if (BigInt(ns) >= DAY_NS) throw new RangeError("LTOD ends before 24:00");
    bytes.writeBigUInt64BE(BigInt(ns));
  },
};

/** Packed decimal: year, month, day, hour, minute, second, three digits of milliseconds, day of the week. */
const DT: ClockCodec = {
  read: (bytes, at) => {
    const digits = Array.from({ length: 6 }, (_, index) => bcd(bytes[at + index]!, 2));
    const ms = bcd(bytes.readUInt16BE(at + 6) >> 4, 3);
    if (ms === undefined || digits.includes(undefined)) return undefined;
    const [year, month, day, h, min, s] = digits as [number, number, number, number, number, number];
    const moment = momentMs(year + (year < 90 ? 2_000 : 1_900), month, day, h, min, s);
    return moment === undefined ? undefined : BigInt(moment + ms);
  },
  show: (ms) => momentText(BigInt(ms) * MS_NS),
  parse: (text) => {
    const ns = parseMoment(text);
    return ns === undefined ? undefined : ns / MS_NS;
  },
  write: (bytes, value) => {
    const ms = Number(value);
    if (ms < YEAR_1990_MS || ms >= YEAR_2090_MS) throw new RangeError("DT goes from 1990 to 2089");
    const { year, rest, weekday } = parts(ms);
    bytes.set([year % 100, ...rest].map((part) => toBcd(part, 2)));
    bytes.writeUInt16BE((toBcd(ms % 1_000, 3) << 4) | weekday, 6);
  },
};

const LDT: ClockCodec = {
  read: (bytes, at) => bytes.readBigInt64BE(at),
  show: (ns) => momentText(BigInt(ns)),
  parse: parseMoment,
  write: (bytes, ns) => void bytes.writeBigInt64BE(BigInt(ns)),
};

const DTL: ClockCodec = {
  read: (bytes, at) => {
    const [month, day, , h, min, s] = bytes.subarray(at + 2, at + 8) as unknown as number[];
    const ms = momentMs(bytes.readUInt16BE(at), month!, day!, h!, min!, s!);
    const ns = bytes.readUInt32BE(at + 8);
    return ms === undefined || ns >= 1e9 ? undefined : BigInt(ms) * MS_NS + BigInt(ns);
  },
  show: (ns) => momentText(BigInt(ns)),
  parse: parseMoment,
  write: (bytes, value) => {
    const ns = BigInt(value);
    if (ns < 0n) throw new RangeError("DTL begins in 1970");
    const { year, rest, weekday } = parts(Number(ns / MS_NS));
    const [month, day, h, min, s] = rest as [number, number, number, number, number];
    bytes.writeUInt16BE(year, 0);
    bytes.set([month, day, weekday, h, min, s], 2);
    bytes.writeUInt32BE(Number(ns % 1_000_000_000n), 8);
  },
};

const CODECS = { DATE, TOD, LTOD, DT, LDT, DTL } as const;
export type ClockType = keyof typeof CODECS;

export const isClockType = (type: S7TypeName): type is ClockType => Object.hasOwn(CODECS, type);
export const clockOf = (type: ClockType): ClockCodec => CODECS[type];
