import { expect } from "bun:test";
import { decodeSettings } from "@millrace/contract/driver/settings";
import { AppError } from "@millrace/contract/error/app-error";
import { systemClock } from "@millrace/contract/std/clock";
import { QUALITY } from "@millrace/contract/vocabulary/quality";
import { modbus } from "../src/drivers/modbus/index.ts";
import type { Chance } from "./chance.ts";

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
