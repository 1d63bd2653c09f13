import { join } from "node:path";
import type { S7Area } from "@millrace/contract/driver/s7/address";
import { systemClock } from "@millrace/contract/std/clock";
import { driverCases } from "../../../test/driver-cases.ts";
import type { AnyDriver } from "../../driver/registry.ts";
import { s7 } from "./index.ts";
import { S7Simulator } from "./simulated-cpu.ts";

interface Device {
  settings: object;
  /** Memory by area and block, in hex. */
  memory?: Record<string, string>;
  /** Bytes that are not given. */
  illegal?: Record<string, number>;
  /** An error for every request. */
  refuses?: number;
}

function fill(simulator: S7Simulator, { memory = {}, illegal = {}, refuses }: Device): void {
  for (const [key, hex] of Object.entries(memory)) {
    const [area, number] = key.split(":") as [S7Area, string];
    const bytes = Buffer.from(hex, "hex");
    const held =
      area === "db" ? simulator.db(Number(number), bytes.length) : simulator.area(area, bytes.length);
    bytes.copy(held);
  }
  for (const [place, code] of Object.entries(illegal)) simulator.illegal.set(place, code);
  simulator.refuses = refuses ?? null;
}

driverCases(s7 as unknown as AnyDriver, {
  folder: join(import.meta.dir, "cases"),
  async open(device: Device) {
    const simulator = await S7Simulator.start(systemClock);
    fill(simulator, device);
    const settings = { host: "127.0.0.1", port: simulator.port, timeoutMs: 1_000 };
    return { settings, close: () => simulator.close() };
  },
});
