import { join } from "node:path";
import { type CaseDevice, driverCases } from "../../../test/driver-cases.ts";
import { FakeClock } from "../../../test/fake-clock.ts";
import type { AnyDriver } from "../../driver/registry.ts";
import { simulator } from "./index.ts";

interface Device extends CaseDevice {
  /** The time by the clock on the wall, UTC. */
  at: string;
}

driverCases(simulator as unknown as AnyDriver, {
  folder: join(import.meta.dir, "cases"),
  async open({ at }: Device) {
    const clock = new FakeClock(Date.parse(at));
    return { settings: { machine: "press-1" }, deps: { clock }, close: async () => undefined };
  },
});
