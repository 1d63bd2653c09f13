import { describe, expect, test } from "bun:test";
import type { BusConnection, BusUnit } from "@millrace/contract/wire/bus";
import { lineWords, msWords, spreadWords, unitFigures, unitName } from "./bus-words.ts";

const unit: BusUnit = {
  unit: 7,
  devices: [{ deviceId: "d", name: "Press" }],
  scanMs: 1_000,
  cycles: 90,
  missed: 10,
  requests: 1_200,
  answers: 1_188,
  timeouts: 12,
  wrongIds: 0,
  garbled: 0,
  late: 0,
  retries: 12,
  exceptions: [{ code: "2", count: 4 }],
  p50Ms: 4.25,
  p95Ms: 1_480.4,
  maxMs: 2_000,
  bands: [0, 1_000, 0, 0, 0, 188, 0],
  busyShare: 0.034,
};
const line: BusConnection = {
  endpoint: "modbus:plc:502",
  driver: "modbus",
  linkState: "up",
  code: "",
  reason: "Connected.",
  fromMs: 0,
  countedSinceMs: 0,
  reconnects: 2,
  failedTries: 0,
  busyShare: 0.97,
  units: [unit],
  unitsLeft: 0,
  findings: [],
};
const clock = () => "10:00:00";

describe("bus doctor words", () => {
  test("a connection in one line, with its messages where it has any", () => {
    expect(lineWords(line, clock)).toBe(
      "Connected, bus time 97 % · since 10:00:00: 2 reconnects, 0 failed attempts",
    );
    const messages = { count: 5, unreadable: 1, lastMs: null };
    expect(lineWords({ ...line, linkState: "waiting", reason: "Refused.", messages }, clock)).toBe(
      "Refused. · since 10:00:00: 2 reconnects, 0 failed attempts · 5 messages, 1 not readable, none yet",
    );
  });

  test("a unit shows what is nought only when it is not", () => {
    const figures = new Map(unitFigures(unit));
    expect(figures.get("Answer time p50 / p95 / longest")).toBe("4.3 ms / 1,480 ms / 2,000 ms");
    expect(figures.get("Cycles missed")).toBe("10 of 100");
    expect(figures.get("Refusals by code")).toBe("2 × 4");
    expect(figures.has("Late answers")).toBe(false);
    expect([unitName(unit), unitName({ ...unit, devices: [] })]).toEqual([
      "Unit 7: Press",
      "Unit 7, asked by a test only",
    ]);
    expect(spreadWords(unit.bands)).toBe("1000 to 16 ms, 188 to 4096 ms");
    expect(msWords(null)).toBe("—");
  });
});
