import { join } from "node:path";
import { driverCases } from "../../../test/driver-cases.ts";
import type { AnyDriver } from "../../driver/registry.ts";
import { opcua } from "./index.ts";
import { sharedPeer } from "./simulator.ts";

driverCases(opcua as unknown as AnyDriver, {
  folder: join(import.meta.dir, "cases"),
  async open() {
    const { port } = await sharedPeer();
    // It serves the other tests too, and ends with the last of them.
    const close = async () => undefined;
    return { settings: { endpoint: `opc.tcp://127.0.0.1:${port}`, security: "none-insecure" }, close };
  },
});
