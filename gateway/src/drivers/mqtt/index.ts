import type { MqttAddress } from "@millrace/contract/driver/mqtt/address";
import { mqttDeclaration } from "@millrace/contract/driver/mqtt/declaration";
import type { MqttSettings } from "@millrace/contract/driver/mqtt/settings";
import type { Driver } from "../../driver/driver.ts";

/** Session and library are loaded with the first device. */
export const mqtt: Driver<typeof MqttSettings, MqttAddress> = {
  ...mqttDeclaration,
  byMessages: true,
  create: async (settings, deps) => {
    const [{ MqttSession }, library] = await Promise.all([
      import("./mqtt-session.ts"),
      import("./session.ts"),
    ]);
    return new MqttSession(settings, deps, library);
  },
};
