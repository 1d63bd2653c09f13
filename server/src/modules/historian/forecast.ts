import type { Source } from "@millrace/contract/api/history";
import type { HistorianStatus } from "@millrace/contract/api/retention";
import { type KeptClass, TIERS } from "../../historian/retention/retention.ts";

/** Complete days the forecast looks back on. */
export const FORECAST_DAYS = 7;

/** What one class got on one complete UTC day. */
export interface ClassDay {
  classNo: number;
  dayNo: number;
  /** Tags with a sample on that day. */
  tags: number;
  samples: number;
}

/** What a class has stored, and what one unit of it takes in the newest tables; null where there is none to measure. */
export interface ClassStore {
  classNo: number;
  bytes: Record<Source, number>;
  bytesPerSample: number | null;
  /** Of the one-minute and of the one-hour figures of one tag and day. */
  minuteBytesPerTagDay: number | null;
  hourBytesPerTagDay: number | null;
}

export interface ForecastInput {
  classes: readonly KeptClass[];
  stores: readonly ClassStore[];
  /** Days before today with samples, at most `FORECAST_DAYS` of each class. */
  days: readonly ClassDay[];
  /** Today, in days since 1970 UTC. */
  todayNo: number;
  /** Bytes of everything else, the proofs of frames among it. */
  restBytes: number;
  /** Proofs of frames are kept for ever; null before the first. */
  proofBytesPerSample: number | null;
  diskFreeBytes: number | null;
}

/** Something that grows every day until it is as old as it is kept. */
export interface Growth {
  bytes: number;
  bytesPerDay: number;
  /** Null when it is kept for ever. */
  bytesMax: number | null;
}

/**
 * A partition goes as a whole, so the oldest lies up to its own length beyond its days: a month, the hours a year.
 */
const PARTITION_DAYS: Record<Source, number> = { raw: 31, minute: 31, hour: 366 };

/** Days on which samples came; the very first is left out, because it began somewhere in the middle. */
export function completeDays(days: readonly ClassDay[], todayNo: number): Set<number> {
  const earliest = todayNo - FORECAST_DAYS;
  const found = [...new Set(days.map(({ dayNo }) => dayNo))]
    .filter((dayNo) => dayNo >= earliest && dayNo < todayNo)
    .sort((a, b) => a - b);
  const beganInside = found.length > 1 && found[0]! > earliest;
  return new Set(beganInside ? found.slice(1) : found);
}

/** Days until `freeBytes` are used up, each growing until it is full; null when that never happens. */
export function daysUntilFull(growths: readonly Growth[], freeBytes: number): number | null {
  const rising = growths
    .filter(({ bytesPerDay }) => bytesPerDay > 0)
    .map(({ bytes, bytesPerDay, bytesMax }) => ({
      bytesPerDay,
      endDay: bytesMax === null ? Number.POSITIVE_INFINITY : Math.max(0, (bytesMax - bytes) / bytesPerDay),
    }))
    .sort((a, b) => a.endDay - b.endDay);
  let [day, left] = [0, freeBytes];
  let perDay = rising.reduce((sum, { bytesPerDay }) => sum + bytesPerDay, 0);
  for (const { endDay, bytesPerDay } of rising) {
    const needed = (endDay - day) * perDay;
    if (needed > left) return day + left / perDay;
    [day, left] = [endDay, left - needed];
    perDay -= bytesPerDay;
  }
  return null;
}

/** More digits would claim more than anybody knows. */
const tenths = (days: number | null): number | null => (days === null ? null : Math.round(days * 10) / 10);

function growthsOf({ classes, stores, days }: ForecastInput, counted: Set<number>): Growth[] {
  return stores.flatMap((store) => {
    const own = days.filter(({ classNo, dayNo }) => classNo === store.classNo && counted.has(dayNo));
    const mean = (of: (day: ClassDay) => number) => own.reduce((sum, day) => sum + of(day), 0) / counted.size;
    const [samples, tags] = [mean((day) => day.samples), mean((day) => day.tags)];
    const perDay: Record<Source, number> = {
      raw: samples * (store.bytesPerSample ?? 0),
      minute: tags * (store.minuteBytesPerTagDay ?? 0),
      hour: tags * (store.hourBytesPerTagDay ?? 0),
    };
    const kept = classes.find(({ classNo }) => classNo === store.classNo);
    return TIERS.map(({ tier, days: field }): Growth => {
      const keptDays = kept?.[field] ?? null;
      return {
        bytes: store.bytes[tier],
        bytesPerDay: perDay[tier],
        bytesMax: keptDays === null ? null : perDay[tier] * (keptDays + PARTITION_DAYS[tier]),
      };
    });
  });
}

/**
 * Where the history leads if the coming days are like the last complete ones; nothing before the first of them. The size
 * at retention leaves out what the proofs will have grown by then.
 */
export function forecast(input: ForecastInput): HistorianStatus["forecast"] {
  const { diskFreeBytes, restBytes } = input;
  const counted = completeDays(input.days, input.todayNo);
  if (counted.size === 0) {
    return {
      samplesPerDay: null,
      bytesPerDay: null,
      bytesAtRetention: null,
      diskFreeBytes,
      daysUntilFull: null,
    };
  }
  const tiers = growthsOf(input, counted);
  const samplesPerDay =
    input.days.reduce((sum, day) => sum + (counted.has(day.dayNo) ? day.samples : 0), 0) / counted.size;
  const proofs = { bytes: 0, bytesPerDay: samplesPerDay * (input.proofBytesPerSample ?? 0), bytesMax: null };
  const growths = [...tiers, proofs];
  const endless = tiers.some(({ bytesPerDay, bytesMax }) => bytesPerDay > 0 && bytesMax === null);
  const atRetention = tiers.reduce(
    // What a class no longer gets and keeps for ever stays as it is.
    (sum, { bytesPerDay, bytesMax, bytes }) => sum + (bytesMax ?? (bytesPerDay > 0 ? 0 : bytes)),
    restBytes,
  );
  return {
    samplesPerDay: Math.round(samplesPerDay),
    bytesPerDay: Math.round(growths.reduce((sum, { bytesPerDay }) => sum + bytesPerDay, 0)),
    bytesAtRetention: endless ? null : Math.round(atRetention),
    diskFreeBytes,
    daysUntilFull: diskFreeBytes === null ? null : tenths(daysUntilFull(growths, diskFreeBytes)),
  };
}
