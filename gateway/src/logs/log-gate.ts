/** How many log records may leave for the hub. What is above is counted and told as a number. */
export const LOG_GATE = {
  /** At once: a fault speaks with several voices, and its beginning says most. */
  burst: 60,
  perMinute: 10,
  /** While somebody has set another level and looks. */
  perMinuteAsked: 120,
  /**
   * While the hub is away; some two thousand records. The smallest buffer keeps 1.6 MB free for events, so talk never
   * pushes out an alarm.
   */
  awayBytesMax: 1_000_000,
  /** How long after the first record that was kept back the number is told. */
  tellMs: 60_000,
} as const;

/** A bucket that fills with time; each record takes one. */
export interface Gate {
  left: number;
  monoMs: number;
}

export const fullGate = (monoMs: number): Gate => ({ left: LOG_GATE.burst, monoMs });

/** Whether one more record may pass, and the gate after it. */
export function passGate(gate: Gate, monoMs: number, perMinute: number): { passed: boolean; gate: Gate } {
  const gained = (Math.max(0, monoMs - gate.monoMs) * perMinute) / 60_000;
  const left = Math.min(LOG_GATE.burst, gate.left + gained);
  const passed = left >= 1;
  return { passed, gate: { left: passed ? left - 1 : left, monoMs } };
}
