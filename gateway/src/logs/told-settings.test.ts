import { expect, test } from "bun:test";
import { decodeEvents, encodeEvents } from "@millrace/contract/wire/event";
import { readSettings } from "../settings.ts";
import { deviceSecrets, settingsEvent } from "./told-settings.ts";

test("every setting is told, of a secret only whether it is set", () => {
  const claim = "CANARY-claim-token-0123456789";
  const told = (environment: Record<string, string>) =>
    decodeEvents(encodeEvents([settingsEvent(readSettings(environment), 7)]))[0]!;
  const event = told({ MILLRACE_CLAIM_TOKEN: claim, MILLRACE_OUTBOX_MODE: "drop-oldest" });
  expect(JSON.stringify(event)).not.toContain("CANARY");
  expect(event.data).toMatchObject({ claimToken: "set", outboxMode: "drop-oldest", ackedKeepHours: 48 });
  expect(told({}).data.claimToken).toBe("not set");
});

test("secrets of devices are found by their name at any depth", () => {
  const device = { deviceId: "", name: "", path: "", driver: "unknown", tags: [] };
  const settings = {
    host: "10.0.0.1",
    password: "CANARY-1",
    user: { name: "ada", pin: 4711 },
    list: [{ token: "CANARY-2" }],
  };
  expect(deviceSecrets([{ ...device, settings }]).sort()).toEqual(["4711", "CANARY-1", "CANARY-2"]);
});
