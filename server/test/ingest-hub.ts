import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { systemClock } from "@millrace/contract/std/clock";
import { helloText } from "@millrace/contract/wire/signature";
import type { HelloBody } from "@millrace/contract/wire/uplink";
import { Elysia } from "elysia";
import { Registry } from "prom-client";
import { device } from "../src/db/schema/device.ts";
import { gateway } from "../src/db/schema/gateway.ts";
import { tagWriter } from "../src/db/schema/history.ts";
import { profile } from "../src/db/schema/profile.ts";
import { site } from "../src/db/schema/site.ts";
import { tag } from "../src/db/schema/tag.ts";
import type { Gatekeeper } from "../src/http/access.ts";
import { errorResponse } from "../src/http/error-response.ts";
import { SOCKET_LIMITS } from "../src/http/limit/socket-limits.ts";
import { HUB, type Principal } from "../src/http/principal.ts";
import { createIngest, type Ingest } from "../src/ingest/ingest.ts";
import { uplinkRoutes } from "../src/ingest/routes.ts";
import { liveRoutes } from "../src/live/routes.ts";
import { Vault } from "../src/modules/secrets/service.ts";
import { type TestDatabase, testDatabase } from "./harness-database.ts";

export const HUB_ID = "01938f5e-7c1a-7b2e-9d30-6c1f0e2a4b55";
const KEY_ID = "key-1";

export interface KnownGateway {
  id: string;
  gatewayNo: number;
  key: KeyObject;
  tagNos: number[];
}

/** Uplink, live socket and database as they run in the hub, with one API key that may read. */
export interface IngestHub extends AsyncDisposable {
  database: TestDatabase;
  ingest: Ingest;
  url: string;
  addGateway(name: string, tagCount: number): Promise<KnownGateway>;
  /** Takes the right to watch away from everybody. */
  allowed: { value: boolean };
}

export async function ingestHub(): Promise<IngestHub> {
  const database = await testDatabase();
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const identity = {
    hubId: HUB_ID,
    publicKey: String(publicKey.export({ format: "jwk" }).x),
    sign: (text: string) => sign(null, Buffer.from(text), privateKey).toString("base64url"),
  };
  const vault = new Vault(new Uint8Array(32));
  const ingest = createIngest({ database, identity, vault, clock: systemClock, registry: new Registry() });
  await ingest.start();
  const allowed = { value: true };
  const viewer: Principal = { kind: "apiKey", id: "1", name: "test", email: "", grants: HUB.grants };
  const gatekeeper: Gatekeeper = {
    whoIs: async (headers) =>
      allowed.value && headers.get("authorization") === "Bearer test" ? viewer : null,
    placeOf: async () => null,
  };
  const limits = { refused: () => undefined };
  const app = new Elysia({ websocket: SOCKET_LIMITS })
    .onError(({ error, request }) => errorResponse(error, request))
    .use(uplinkRoutes({ ...ingest.sessionDeps, gatekeeper, limits }))
    .use(
      liveRoutes({
        db: database.db,
        fanOut: ingest.fanOut,
        gatekeeper,
        clock: systemClock,
        origins: () => ["http://hub.test"],
        limits,
      }),
    );
  app.listen({ hostname: "127.0.0.1", port: 0 });
  const siteId = Bun.randomUUIDv7();
  const profileId = Bun.randomUUIDv7();
  await database.db.insert(site).values({ id: siteId, name: "Plant", kind: "site", path: "Plant" });
  await database.db
    .insert(profile)
    .values({ id: profileId, name: "P", driver: "modbus", settings: {}, tags: [] });
  return {
    database,
    ingest,
    allowed,
    url: `ws://127.0.0.1:${app.server?.port}`,
    addGateway: (name, tagCount) => addGateway(database, ingest, { siteId, profileId }, name, tagCount),
    async [Symbol.asyncDispose]() {
      await ingest.stop();
      await app.stop(true);
      await database[Symbol.asyncDispose]();
    },
  };
}

async function addGateway(
  { db }: TestDatabase,
  ingest: Ingest,
  { siteId, profileId }: { siteId: string; profileId: string },
  name: string,
  tagCount: number,
): Promise<KnownGateway> {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const raw = Buffer.from(String(publicKey.export({ format: "jwk" }).x), "base64url");
  const id = Bun.randomUUIDv7();
  const deviceId = Bun.randomUUIDv7();
  const [row] = await db
    .insert(gateway)
    .values({ id, name, siteId, enrolment: "enrolled", publicKey: raw, keyId: KEY_ID, epoch: 1 })
    .returning({ gatewayNo: gateway.gatewayNo });
  await db
    .insert(device)
    .values({ id: deviceId, name, profileId, gatewayId: id, siteId, settings: {}, path: `Plant/${name}` });
  const tags = await db
    .insert(tag)
    .values(
      Array.from({ length: tagCount }, (_, index) => ({
        deviceId,
        name: `T${index}`,
        path: `Plant/${name}/T${index}`,
        address: `holding:${index}`,
        dataType: "float64" as const,
        unit: "",
        description: "",
        scanMs: 1_000,
        heartbeatMs: 10_000,
        deadband: 0,
      })),
    )
    .returning({ tagNo: tag.tagNo });
  await db.insert(tagWriter).values(tags.map(({ tagNo }) => ({ tagNo, gatewayNo: row!.gatewayNo })));
  await ingest.latest.tagsChanged([id]);
  return { id, gatewayNo: row!.gatewayNo, key: privateKey, tagNos: tags.map(({ tagNo }) => tagNo) };
}

/** A signed hello, with anything changed that a test wants wrong. */
export function helloOf(
  known: Pick<KnownGateway, "id" | "key">,
  challenge: { nonce: string; hubId: string },
  change: Partial<HelloBody> = {},
): { type: "hello"; body: HelloBody; signature: string } {
  const body: HelloBody = {
    protocol: 1,
    gatewayId: known.id,
    keyId: KEY_ID,
    hubId: challenge.hubId,
    nonce: challenge.nonce,
    epoch: 1,
    sessionNo: 1,
    bootNo: 1,
    streams: [{ lane: "H", seg: 1, low: 1, next: 1_000_000, acked: 0 }],
    manifestRev: 0,
    software: "test",
    wallMs: systemClock.nowMs(),
    ...change,
  };
  return {
    type: "hello",
    body,
    signature: sign(null, Buffer.from(helloText(body)), known.key).toString("base64url"),
  };
}
