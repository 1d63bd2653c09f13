const byteUnits = ["B", "kB", "MB", "GB", "TB"];

/** Bytes in steps of a thousand: "18.2 GB". */
export function byteWords(bytes: number): string {
  const power = bytes < 1_000 ? 0 : Math.min(byteUnits.length - 1, Math.floor(Math.log10(bytes) / 3));
  const number = bytes / 1_000 ** power;
  return `${number >= 100 || power === 0 ? Math.round(number) : number.toFixed(1)} ${byteUnits[power]}`;
}

/** A count a person can say: "8,640", "14.1 billion". */
export function countWords(count: number): string {
  if (count < 1e6) return Math.round(count).toLocaleString("en-GB");
  if (count < 1e9) return `${(count / 1e6).toFixed(1)} million`;
  return `${(count / 1e9).toFixed(1)} billion`;
}

/** A number of days in the unit a person plans in. */
export function daysWords(days: number): string {
  if (days < 1) return "less than a day";
  if (days < 60) return `${Math.round(days)} ${Math.round(days) === 1 ? "day" : "days"}`;
  if (days < 730) return `${Math.round(days / 30.4)} months`;
  return `${Math.round(days / 365.25)} years`;
}

/** When the disk will be full, as far as anybody can tell. */
export function forecastWords(forecast: {
  daysUntilFull: number | null;
  diskFreeBytes: number | null;
  bytesPerDay: number | null;
}): string {
  const { daysUntilFull, diskFreeBytes, bytesPerDay } = forecast;
  if (bytesPerDay === null) return "No forecast yet: it needs a complete day.";
  if (diskFreeBytes === null)
    return "The database lies on another machine, so its free space is not known here.";
  if (daysUntilFull === null) return "The disk will not fill: what is kept stays below the free space.";
  return `The disk is full in about ${daysWords(daysUntilFull)}.`;
}

/** "730 days", "for ever". */
export const keptWords = (days: number | null): string =>
  days === null ? "for ever" : `${days} ${days === 1 ? "day" : "days"}`;
