/** Nobody plans further ahead than ten years, and a standing plant would last for ever. */
export const BUFFER_DAYS_MAX = 3_650;

/**
 * Days a gateway can go without the hub before it has to thin, drop or refuse samples.
 * @param bytesRoom what still fits; undefined from gateways that do not tell
 * @param bytesPerDay what a day brings; null while it is not measured
 * @returns to a tenth of a day; null when nobody knows
 */
export function bufferDaysLeft(
  bytesRoom: number | undefined,
  bytesPerDay: number | null | undefined,
): number | null {
  if (bytesRoom === undefined || bytesPerDay === undefined || bytesPerDay === null) return null;
  if (bytesRoom <= 0) return 0;
  // Rounded down: who relies on it must not be a moment late.
  return Math.min(BUFFER_DAYS_MAX, Math.floor((bytesRoom / Math.max(bytesPerDay, 1)) * 10) / 10);
}
