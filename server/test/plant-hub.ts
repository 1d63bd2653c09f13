import { generateKeyPairSync, type KeyObject } from "node:crypto";
import type { GatewayCommand } from "@millrace/contract/api/command";
import type { Gateway } from "@millrace/contract/api/gateway";
import type { Device, Profile, Site } from "@millrace/contract/api/plant";
import { encodeEvents, type GatewayEvent } from "@millrace/contract/wire/event";
import type { HelloBody } from "@millrace/contract/wire/uplink";
import { FakeGateway, frame } from "./fake-gateway.ts";
import { type TestHub, testHub } from "./hub.ts";
import { helloOf } from "./ingest-hub.ts";

/** The whole hub, listening, with gateways that tests play over real sockets. */

const STREAMS: HelloBody["streams"] = [{ lane: "E", seg: 1, low: 1, next: 1_000, acked: 0 }];

export interface Enrolled {
  id: string;
  key: KeyObject;
  deviceId: string;
  /** Sends `restartDevice` for its device. */
  restart<T = GatewayCommand>(): Promise<{ status: number; body: T }>;
}

export interface Plant extends AsyncDisposable {
  hub: TestHub;
  enrolled(name: string): Promise<Enrolled>;
  /** Connects as the gateway; every call is its next session. */
  connected(gateway: Enrolled, change?: Partial<HelloBody>): Promise<FakeGateway>;
}

export async function plant(): Promise<Plant> {
  const hub = await testHub();
  hub.app.listen({ hostname: "127.0.0.1", port: 0 });
  const url = `ws://127.0.0.1:${hub.app.server?.port}`;
  const make = async <T>(path: string, body: unknown) =>
    (await hub.call<T>("POST", `/api/v1${path}`, body)).body;
  const site = await make<Site>("/sites", { name: "Plant", kind: "site", parentId: null });
  const profile = await make<Profile>("/profiles", { name: "P", driver: "modbus", settings: {}, tags: [] });
  let sessionNo = 0;
  return {
    hub,
    async enrolled(name) {
      const { id } = await make<Gateway>("/gateways", { name, siteId: site.id });
      const links = { profileId: profile.id, gatewayId: id, siteId: site.id };
      const device = await make<Device>("/devices", {
        name,
        ...links,
        settings: { host: "10.0.0.1", unit: 1 },
      });
      const { privateKey: key, publicKey } = generateKeyPairSync("ed25519");
      const raw = Buffer.from(String(publicKey.export({ format: "jwk" }).x), "base64url");
      await hub.database.sql`
        UPDATE gateway SET enrolment = 'enrolled', public_key = ${raw}, key_id = 'key-1', epoch = 1 WHERE id = ${id}`;
      const restart = <T>() =>
        hub.call<T>("POST", `/api/v1/gateways/${id}/commands`, {
          kind: "restartDevice",
          deviceId: device.id,
        });
      return { id, key, deviceId: device.id, restart };
    },
    async connected(gateway, change = {}) {
      const fake = new FakeGateway(url);
      const challenge = await fake.next("challenge");
      sessionNo++;
      fake.say(helloOf(gateway, challenge, { sessionNo, streams: STREAMS, commandNo: 0, ...change }));
      await fake.next("welcome");
      return fake;
    },
    async [Symbol.asyncDispose]() {
      await hub.app.stop(true);
      await hub[Symbol.asyncDispose]();
    },
  };
}

/** A sealed frame of lane E. */
export const eventsFrame = (seq: number, events: readonly GatewayEvent[]): Uint8Array =>
  frame(seq, encodeEvents(events), {
    kind: "events",
    lane: "E",
    blockVersion: 0,
    compression: "none",
    sampleCount: events.length,
  });

/** Sends a frame and waits until the hub has committed it. */
export async function deliver(fake: FakeGateway, seq: number, bytes: Uint8Array): Promise<void> {
  fake.send(bytes);
  const { hwm } = await fake.next("ack");
  if (hwm < seq) throw new Error(`the hub acknowledged ${hwm}, not ${seq}`);
}

/** Tells events in one frame of lane E. */
export const tell = (fake: FakeGateway, seq: number, events: readonly GatewayEvent[]): Promise<void> =>
  deliver(fake, seq, eventsFrame(seq, events));
