import { expect } from "bun:test";
import { decodeSettings } from "@millrace/contract/driver/settings";
import { AppError } from "@millrace/contract/error/app-error";
import { systemClock } from "@millrace/contract/std/clock";
import { QUALITY } from "@millrace/contract/vocabulary/quality";
import { modbus } from "../src/drivers/modbus/index.ts";
import type { ModbusSimulator } from "../src/drivers/modbus/simulator.ts";

export type Chance = (below: number) => number;

/** mulberry32: each line is lied to in the same order in every run. */
export function chanceOf(seed: number): Chance {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

/** Every register holds a number no other holds: an answer to another question cannot pass for this one. */
export const truth = (offset: number): number => (offset * 40_503 + 12_345) & 0xffff;

export const noise = (chance: Chance, length: number): Buffer =>
  Buffer.from(Array.from({ length }, () => chance(256)));

const CODES = [
  "device.timeout",
  "device.busy",
  "device.failed",
  "device.unreachable",
  "link.lost",
  "link.garbled",
  "link.refused",
];

/** Reads through one session until `goOn` says stop; opens it again whenever it is lost, as the supervisor does. */
export async function readAll(
  over: object,
  chance: Chance,
  goOn: () => boolean,
  ends: Map<string, number>,
): Promise<void> {
  const settings = decodeSettings(modbus, { host: "127.0.0.1", timeoutMs: 20, illegalRetryMs: 100, ...over });
  const note = (end: string) => ends.set(end, (ends.get(end) ?? 0) + 1);
  const session = await modbus.create(settings, { clock: systemClock, onLost: () => {} });
  const signal = new AbortController().signal;
  let up = false;
  while (goOn()) {
    // Never the same offset or count twice in a row, so that a mix-up of two answers shows.
    const offset = chance(60_000);
    const points = Array.from({ length: 1 + chance(12) }, (_, id) => ({
      id,
      address: modbus.parseAddress(`holding:${offset + id}`, "uint16", settings),
      dataType: "uint16" as const,
    }));
    try {
      if (!up) await session.connect(signal);
      up = true;
      const readings = await session.read(points, signal);
      expect(readings).toHaveLength(points.length);
      for (const reading of readings) {
        const good = reading.quality === QUALITY.good;
        expect(reading.value).toBe(good ? truth(offset + reading.id) : null);
        note(good ? "good" : "bad");
      }
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      expect(CODES).toContain(error.code);
      note(error.code);
      up = !error.code.startsWith("link.");
    }
  }
  await session.close();
}

/** A device that answers well, read all the while. */
export async function neighbour(simulator: ModbusSimulator, goOn: () => boolean): Promise<number> {
  const settings = decodeSettings(modbus, { host: "127.0.0.1", port: simulator.port, timeoutMs: 10_000 });
  const lost: AppError[] = [];
  const session = await modbus.create(settings, { clock: systemClock, onLost: (error) => lost.push(error) });
  const signal = new AbortController().signal;
  const address = modbus.parseAddress("holding:7", "uint16", settings);
  await session.connect(signal);
  let reads = 0;
  while (goOn()) {
    const readings = await session.read([{ id: 1, address, dataType: "uint16" }], signal);
    expect(readings).toEqual([{ id: 1, value: 4_711, quality: QUALITY.good }]);
    reads++;
    await systemClock.sleep(5);
  }
  await session.close();
  expect([lost, session.counters().errors]).toEqual([[], 0]);
  return reads;
}
