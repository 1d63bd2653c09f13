import { diagnose } from "../src/doctor/diagnose.ts";
import type { Diagnose, LineFacts, UnitFacts } from "../src/driver/doctor.ts";
import { DRIVERS } from "../src/driver/registry.ts";
import { diagnose as modbus } from "../src/drivers/modbus/doctor.ts";
import { diagnose as opcua } from "../src/drivers/opcua/doctor.ts";
import { diagnose as s7 } from "../src/drivers/s7/doctor.ts";

/** Figures of a connection that is well, to be made ill one by one. */

export const device = { deviceId: "d", name: "Press", scanMs: 1_000, cycles: 900, missed: 0, timeoutMs: 500 };
export const unit = (more: Partial<UnitFacts> = {}): UnitFacts => ({
  unit: 1,
  devices: [device],
  requests: 1_000,
  answers: 1_000,
  refusals: 0,
  timeouts: 0,
  garbled: 0,
  wrongIds: 0,
  late: 0,
  lateMaxMs: 0,
  retries: 0,
  codes: new Map(),
  p50Ms: 20,
  p95Ms: 40,
  maxMs: 60,
  busyShare: 0.1,
  waitedShare: 0,
  ...more,
});
export const dead = (number: number, more: Partial<UnitFacts> = {}) =>
  unit({
    unit: number,
    requests: 30,
    answers: 0,
    timeouts: 30,
    p50Ms: null,
    p95Ms: null,
    maxMs: null,
    ...more,
  });

/** The rules of their sessions. */
const OWN: Readonly<Record<string, Diagnose>> = { modbus, opcua, s7 };
const driverOf = (kind: string) => DRIVERS.find((driver) => driver.kind === kind)!;
export function line(more: Partial<LineFacts> = {}, kind = "modbus"): LineFacts {
  const { properties } = driverOf(kind).settings as unknown as { properties: object };
  return {
    driver: kind,
    settings: { requestGapMs: 0 },
    settingNames: Object.keys(properties),
    link: { state: "up", code: "", message: "", context: {} },
    lostBy: "",
    spanMs: 900_000,
    losses: 0,
    failedTries: 0,
    silences: 0,
    busyShare: 0.3,
    messages: 0,
    unreadable: 0,
    heardAgoMs: null,
    byMessages: driverOf(kind).byMessages === true,
    note: "",
    units: [unit()],
    probeMs: 30_000,
    learned: [],
    figures: {},
    ...more,
  };
}
export const down = (code: string, context: object = {}): Partial<LineFacts> => ({
  link: { state: "waiting", code, message: `plc:502 failed with ${code}.`, context: { ...context } },
  units: [dead(1, { requests: 0, timeouts: 0 })],
  failedTries: 4,
});
export const codes = (entries: Record<string, number>): Partial<LineFacts> => ({
  units: [unit({ refusals: 9, codes: new Map(Object.entries(entries)) })],
});
export const found = (facts: LineFacts) => diagnose(facts, OWN[facts.driver]);
