import { join } from "node:path";
import { systemClock } from "@millrace/contract/std/clock";
import { driverCases } from "../../../test/driver-cases.ts";
import type { AnyDriver } from "../../driver/registry.ts";
import { modbus } from "./index.ts";
import { ModbusSimulator } from "./simulator.ts";

interface Device {
  settings: object;
  /** Memory by unit and area; `registersMax` and `illegal` are the unit's limits. */
  memory?: Record<string, Record<string, number[] | string[] | number>>;
}

function fill(simulator: ModbusSimulator, { memory = {} }: Device): void {
  for (const [number, areas] of Object.entries(memory)) {
    const unit = simulator.unit(Number(number));
    for (const [name, content] of Object.entries(areas)) {
      if (name === "registersMax") unit.registersMax = content as number;
      else if (name === "illegal") for (const address of content as string[]) unit.illegal.add(address);
      else unit[name as "holding" | "input" | "coil" | "discrete"].set(content as number[]);
    }
  }
}

driverCases(modbus as unknown as AnyDriver, {
  folder: join(import.meta.dir, "cases"),
  readsMax: 12,
  async open(device: Device) {
    const simulator = await ModbusSimulator.start(systemClock);
    fill(simulator, device);
    const settings = { host: "127.0.0.1", port: simulator.port, timeoutMs: 300 };
    return { settings, close: () => simulator.close() };
  },
});
