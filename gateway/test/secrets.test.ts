import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { createHash, generateKeyPairSync, sign } from "node:crypto";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { canonicalJson } from "@millrace/contract/std/canonical-json";
import { systemClock } from "@millrace/contract/std/clock";
import { decodeEvents, type GatewayEvent } from "@millrace/contract/wire/event";
import { readFrame } from "@millrace/contract/wire/frame";
import type { Manifest } from "@millrace/contract/wire/manifest";
import { manifestText } from "@millrace/contract/wire/signature";
import { VERSION } from "@millrace/contract/wire/version";

/** The whole gateway as its own process with secrets planted in it: what it would send to the hub holds none. */

const HUB = "00000000-0000-7000-8000-0000000000aa";
const GATEWAY = "00000000-0000-7000-8000-0000000000bb";
const DEVICE = "00000000-0000-7000-8000-0000000000cc";
const CLAIM = "CANARY-claim-0123456789abcdef";
const PASSWORD = "CANARY-plc-password";

async function plantedFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "millrace-secrets-"));
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const manifest: Manifest = {
    version: VERSION.manifest,
    hubId: HUB,
    gatewayId: GATEWAY,
    gatewayName: "Press",
    rev: 7,
    devices: [
      {
        deviceId: DEVICE,
        name: `Press of ${PASSWORD}`,
        path: "plant/press",
        driver: "modbus",
        settings: { host: PASSWORD, port: 1, unit: 1, password: PASSWORD, connectTimeoutMs: PASSWORD },
        tags: [],
      },
    ],
  };
  const json = canonicalJson(manifest);
  const signature = sign(null, Buffer.from(manifestText(json)), privateKey).toString("base64url");
  const sha256 = createHash("sha256").update(json).digest("hex");
  const hubPublicKey = publicKey.export({ format: "jwk" }).x;
  const named = { gatewayId: GATEWAY, gatewayName: "Press", keyId: "k1", epoch: 1 };
  const identity = { ...named, hubId: HUB, hubPublicKey, hubUrl: "http://127.0.0.1:9" };
  await writeFile(join(folder, "manifest.json"), JSON.stringify({ json, sha256, signature }));
  await writeFile(join(folder, "identity.json"), JSON.stringify(identity));
  return folder;
}

/** Everything in lane E of a stopped gateway. */
function eventsIn(folder: string): GatewayEvent[] {
  const file = new Database(join(folder, "outbox.db"), { readonly: true });
  try {
    const rows = file.query<{ body: Uint8Array }, []>("SELECT body FROM frame ORDER BY id").all();
    const frames = rows.map(({ body }) => readFrame(body, 0));
    return frames.filter(({ header }) => header.kind === "events").flatMap(({ body }) => decodeEvents(body));
  } finally {
    file.close();
  }
}

test("a device's password and the claim token never leave the gateway, even where the log has them", async () => {
  const folder = await plantedFolder();
  const child = Bun.spawn([process.execPath, join(import.meta.dir, "../src/main.ts")], {
    env: {
      PATH: process.env.PATH ?? "",
      MILLRACE_DATA: folder,
      MILLRACE_HUB_URL: "http://127.0.0.1:9",
      MILLRACE_LOCAL_PORT: "0",
      MILLRACE_LOG_FORMAT: "json",
      MILLRACE_CLAIM_TOKEN: CLAIM,
    },
    stdout: "pipe",
    stderr: "pipe",
  });
  try {
    await systemClock.sleep(4_000);
    child.kill("SIGTERM");
    expect(await child.exited).toBe(0);
    // The local log names the device, whose name holds the password: there is something to leak.
    expect(await new Response(child.stdout).text()).toContain(PASSWORD);
    const events = eventsIn(folder);
    const records = events.filter(({ code }) => code === "log.record");
    expect(records.map(({ message }) => message).join()).toContain("is not readable");
    expect(events.find(({ code }) => code === "gateway.settings")!.data.claimToken).toBe("set");
    expect(JSON.stringify(events)).not.toContain("CANARY");
    const keyFile = (await readdir(folder)).find((name) => name.includes("key"))!;
    const key = await Bun.file(join(folder, keyFile)).text();
    for (const part of key.split(/[\s"{}:,]+/).filter(({ length }) => length >= 40))
      expect(JSON.stringify(events)).not.toContain(part);
  } finally {
    child.kill("SIGKILL");
    await child.exited;
    await rm(folder, { recursive: true, force: true });
  }
}, 30_000);
