import { expect, test } from "bun:test";
import { BusReport } from "@millrace/contract/wire/bus";
import { LIMITS } from "@millrace/contract/wire/limits";
import { Value } from "@sinclair/typebox/value";
import { FakeClock } from "../../test/fake-clock.ts";
import type { AnyDriver } from "../driver/registry.ts";
import { modbus } from "../drivers/modbus/index.ts";
import type { Connection } from "../supervisor/connection.ts";
import type { Chart } from "./chart.ts";
import { LineMeter } from "./line-meter.ts";
import { busReport } from "./report.ts";

test("a report of the worst plant fits into one message, and says what it leaves out", async () => {
  const clock = new FakeClock();
  const chart = (no: number): Chart => {
    const meter = new LineMeter(clock);
    for (let unit = 0; unit < 20; unit++)
      for (let n = 0; n < 40; n++) meter.ended(unit, "refused", meter.began(), 5, String(n % 30));
    const figures = meter.read("quarter");
    const members = figures.units.map(({ unit }) => ({
      deviceId: Bun.randomUUIDv7(),
      settings: { host: "plc", unit, timeoutMs: 500 },
      patient: {
        name: "A press with a rather long name",
        scanMs: 1_000,
        cycles: { sum: () => ({ cycles: 1, missed: 9 }) },
      },
    }));
    const findings = Array.from({ length: 30 }, (_, at) => ({
      kind: `kind.${at}`,
      level: no === 150 ? ("fault" as const) : ("warn" as const),
      words: "w".repeat(900),
      setting: "timeoutMs",
      units: [1],
      weight: 0.5,
    }));
    return {
      key: `modbus:${"plc".repeat(300)}${no}`,
      driver: modbus as unknown as AnyDriver,
      link: { at: "up", sinceMs: 0, failures: 0 },
      reason: "Connected.",
      failure: null,
      members: members as never,
      figures,
      learned: [],
      note: "",
      diagnose: () => findings,
      session: {},
    };
  };
  const connections = Array.from({ length: 200 }, (_, no) => {
    const made = chart(no);
    return { chart: () => made } as unknown as Connection;
  });
  const report = busReport({ clock, connections, window: "quarter" });
  expect(Value.Check(BusReport, report)).toBe(true);
  expect(Buffer.byteLength(JSON.stringify(report))).toBeLessThan(LIMITS.uplinkTextBytesMax);
  expect([report.connections.length, report.connectionsLeft]).toEqual([100, 100]);
  expect(report.connections[0]!.findings[0]!.level).toBe("fault");
  expect(report.connections.every(({ findings }) => findings.length > 0)).toBe(true);
  const units = report.connections.reduce((sum, one) => sum + one.units.length, 0);
  const left = report.connections.reduce((sum, one) => sum + one.unitsLeft, 0);
  expect([units, units + left]).toEqual([LIMITS.busUnitsMax, 2_000]);
});
