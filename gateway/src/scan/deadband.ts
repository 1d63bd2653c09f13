import type { TagValue } from "@millrace/contract/vocabulary/value";

/**
 * Whether a value moved far enough from the last one sent to be worth a sample. Deadband 0 means any change.
 * NaN equals NaN here and −0 equals 0: neither pair is news to anybody.
 *
 * @param deadband engineering units, ≥ 0; booleans and texts ignore it
 */
export function moved(sent: TagValue, value: TagValue, deadband: number): boolean {
  if (sent === value) return false;
  if (typeof sent === "number" && typeof value === "number") {
    // NaN is the only value that differs from itself; a difference with NaN never exceeds anything.
    if (Number.isNaN(sent) || Number.isNaN(value)) return !(Number.isNaN(sent) && Number.isNaN(value));
    return deadband === 0 || Math.abs(value - sent) > deadband;
  }
  if (typeof sent === "bigint" && typeof value === "bigint") {
    // Compared as integers, because near 2^63 doubles cannot tell neighbours apart.
    return deadband === 0 || Number(value > sent ? value - sent : sent - value) > deadband;
  }
  return true;
}
