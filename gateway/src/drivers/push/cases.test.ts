import { join } from "node:path";
import { type CaseDevice, driverCases } from "../../../test/driver-cases.ts";
import type { AnyDriver } from "../../driver/registry.ts";
import { push } from "./index.ts";
import { IntakeSimulator } from "./simulator.ts";

interface Device extends CaseDevice {
  /** What it sends, by topic. */
  messages: Record<string, string>;
}

driverCases(push as unknown as AnyDriver, {
  folder: join(import.meta.dir, "cases"),
  async open({ messages }: Device) {
    const arrivals = new IntakeSimulator(messages);
    const settings = { login: "press", token: "t".repeat(43) };
    return { settings, deps: { arrivals }, close: async () => arrivals.close() };
  },
});
