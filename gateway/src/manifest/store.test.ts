import { afterEach, expect, test } from "bun:test";
import { createHash, generateKeyPairSync, sign } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AppError } from "@millrace/contract/error/app-error";
import { canonicalJson } from "@millrace/contract/std/canonical-json";
import type { SignedManifest } from "@millrace/contract/wire/manifest";
import { manifestText } from "@millrace/contract/wire/signature";
import { type ManifestApplier, openManifestStore } from "./store.ts";
import { verifyManifest } from "./verify.ts";

const HUB = "01938f5e-7c1a-7b2e-9d30-6c1f0e2a4b55";
const GATEWAY = "01938f5e-7c1a-7b2e-9d30-6c1f0e2a4b56";
const keys = generateKeyPairSync("ed25519");
const scope = {
  hubId: HUB,
  gatewayId: GATEWAY,
  hubPublicKey: keys.publicKey.export({ format: "jwk" }).x as string,
};
const plain = { version: 1, hubId: HUB, gatewayId: GATEWAY, gatewayName: "g", rev: 2, devices: [] };

function signed(manifest: unknown, json = canonicalJson(manifest)): SignedManifest {
  return {
    json,
    sha256: createHash("sha256").update(json).digest("hex"),
    signature: sign(null, Buffer.from(manifestText(json)), keys.privateKey).toString("base64url"),
  };
}
const outcome = (one: SignedManifest, revRunning = 0): string => {
  try {
    return String(verifyManifest(one, { ...scope, revRunning }).rev);
  } catch (thrown) {
    return (thrown as AppError).code;
  }
};

const folders: string[] = [];
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});
async function storeIn(apply: ManifestApplier, folder?: string) {
  const own = folder ?? (await mkdtemp(join(tmpdir(), "millrace-manifest-")));
  if (!folder) folders.push(own);
  return { folder: own, store: await openManifestStore({ folder: own, scope, apply }) };
}

test("what is refused, and with which code", () => {
  const good = signed(plain);
  const cases: [string, SignedManifest, number, string][] = [
    ["ours", good, 0, "2"],
    ["same number again", good, 2, "2"],
    ["older than what runs", good, 3, "manifest.stale"],
    ["changed after signing", { ...good, json: good.json.replace('"g"', '"h"') }, 0, "manifest.signature"],
    ["foreign signature", { ...good, signature: "A".repeat(86) }, 0, "manifest.signature"],
    ["other hash", { ...good, sha256: "0".repeat(64) }, 0, "manifest.refused"],
    ["other hub", signed({ ...plain, hubId: GATEWAY }), 0, "manifest.refused"],
    ["other gateway", signed({ ...plain, gatewayId: HUB }), 0, "manifest.refused"],
    ["newer version", signed({ ...plain, version: 2, shape: "new" }), 0, "manifest.refused"],
    ["wrong shape", signed({ ...plain, devices: {} }), 0, "manifest.refused"],
    ["not canonical", signed(plain, JSON.stringify(plain, null, 1)), 0, "manifest.refused"],
    ["not JSON", signed(plain, "{"), 0, "manifest.refused"],
  ];
  for (const [name, one, running, code] of cases) expect([name, outcome(one, running)]).toEqual([name, code]);
});

test("the last good one is applied at the next start; what the applier refuses never reaches the disk", async () => {
  const applied: number[] = [];
  const apply: ManifestApplier = ({ rev }) => {
    if (rev === 9) throw new AppError("manifest.refused", "no such driver");
    applied.push(rev);
  };
  const { folder, store } = await storeIn(apply);
  const heard: number[] = [];
  store.onAccepted(({ rev }) => heard.push(rev));
  await store.accept(signed(plain));
  const refused = store.accept(signed({ ...plain, rev: 9 })).catch((thrown: unknown) => thrown);
  expect(await refused).toMatchObject({ code: "manifest.refused" });
  expect(store.current()?.rev).toBe(2);
  const again = await storeIn(apply, folder);
  expect(again.store.current()?.rev).toBe(2);
  expect([applied, heard]).toEqual([[2, 2], [2]]);
});

test("a damaged or foreign cache starts without a manifest and says so", async () => {
  const { folder, store } = await storeIn(() => undefined);
  await store.accept(signed(plain));
  const path = join(folder, "manifest.json");
  const whole = await readFile(path, "utf8");
  for (const content of [whole.slice(0, 50), "[]", whole.replace('\\"g\\"', '\\"h\\"')]) {
    await writeFile(path, content);
    const next = await storeIn(() => undefined, folder);
    expect(next.store.current()).toBeNull();
    expect(next.store.cacheProblem()).toBeInstanceOf(AppError);
  }
});
