/** Numbers below are seconds, then ms, µs and ns: the ranges of real dates since 1973 do not touch. */
const SECONDS_BELOW = 1e11;
const MS_BELOW = 1e14;
const US_BELOW = 1e17;
/** The year 9999; what lies beyond is no time. */
const MS_MAX = 253_402_300_799_999;
/** A time without a zone means another moment in each country. */
const ISO = /^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?([Zz]|[+-]\d{2}:?\d{2})$/;

/** A time of a message → ms UTC; null when it cannot be told. */
export function timeOf(found: unknown): number | null {
  if (typeof found === "bigint") return fromNumber(Number(found));
  if (typeof found === "number") return fromNumber(found);
  if (typeof found !== "string") return null;
  const text = found.trim();
  if (/^\d{1,20}(\.\d{1,9})?$/.test(text)) return fromNumber(Number(text));
  if (!ISO.test(text)) return null;
  return inRange(Date.parse(text.replace(" ", "T").toUpperCase()));
}

function fromNumber(value: number): number | null {
  if (!(value > 0)) return null;
  if (value < SECONDS_BELOW) return inRange(value * 1_000);
  if (value < MS_BELOW) return inRange(value);
  return inRange(value < US_BELOW ? value / 1_000 : value / 1_000_000);
}

const inRange = (ms: number): number | null =>
  Number.isFinite(ms) && ms > 0 && ms <= MS_MAX ? Math.round(ms) : null;
