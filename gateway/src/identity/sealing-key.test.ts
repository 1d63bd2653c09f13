import { expect, test } from "bun:test";
import { createCipheriv, createPublicKey, diffieHellman, generateKeyPairSync, hkdfSync } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fieldSealText, manifestSealText, SEAL } from "@millrace/contract/wire/sealed";
import { openedDevices, openedSettings } from "../manifest/opened.ts";
import { openSealingKey } from "./sealing-key.ts";

const ids = { hubId: "h", gatewayId: "g" };

/** As a hub does it. */
function seal(sealKey: string, place: string, value: unknown): { sealed: string } {
  const once = generateKeyPairSync("x25519");
  const publicKey = createPublicKey({ key: { kty: "OKP", crv: "X25519", x: sealKey }, format: "jwk" });
  const raw = Buffer.from(String(once.publicKey.export({ format: "jwk" }).x), "base64url");
  const shared = diffieHellman({ privateKey: once.privateKey, publicKey });
  const salt = Buffer.concat([raw, Buffer.from(sealKey, "base64url")]);
  const derived = Buffer.from(hkdfSync("sha256", shared, salt, SEAL.info, 44));
  const cipher = createCipheriv("aes-256-gcm", derived.subarray(0, 32), derived.subarray(32));
  cipher.setAAD(Buffer.from(place));
  const inner = Buffer.concat([cipher.update(`${JSON.stringify(value)}   `), cipher.final()]);
  return { sealed: Buffer.concat([raw, inner, cipher.getAuthTag()]).toString("base64url") };
}

async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "millrace-sealing-"));
  try {
    await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

test("the key is made once, for the gateway's user alone, and a damaged one is replaced", () =>
  inFolder(async (folder) => {
    const first = await openSealingKey(folder);
    expect((await openSealingKey(folder)).publicKey).toBe(first.publicKey);
    expect(await readdir(folder)).toEqual(["sealing-key.pem"]);
    const file = join(folder, "sealing-key.pem");
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    await writeFile(file, (await readFile(file, "utf8")).slice(0, 40));
    const next = await openSealingKey(folder);
    expect(next.publicKey).not.toBe(first.publicKey);
    expect((await openSealingKey(folder)).publicKey).toBe(next.publicKey);
  }));

test("a manifest's secrets open in their place alone; what does not open stays as it is", () =>
  inFolder(async (folder) => {
    const key = await openSealingKey(folder);
    const good = seal(key.publicKey, manifestSealText({ ...ids, setting: "password" }), "s3cret");
    const foreign = generateKeyPairSync("x25519").publicKey.export({ format: "jwk" }).x as string;
    const changed = { sealed: `${good.sealed.slice(0, -2)}${good.sealed.endsWith("A") ? "B" : "A"}A` };
    const settings = {
      host: "10.0.0.1",
      password: good,
      pin: good,
      foreign: seal(foreign, manifestSealText({ ...ids, setting: "foreign" }), "x"),
      none: { sealed: null },
      short: { sealed: "AAAA" },
      zero: { sealed: Buffer.alloc(80).toString("base64url") },
      changed,
    };
    const device = { deviceId: "d", name: "n", path: "p", driver: "modbus", settings, tags: [] };
    const [opened] = openedDevices(key, { ...ids, devices: [device] });
    expect(opened!.settings).toEqual({ ...settings, password: "s3cret" } as never);
    const [elsewhere] = openedDevices(key, { ...ids, gatewayId: "other", devices: [device] });
    expect(elsewhere!.settings).toEqual(settings);
    expect(device.settings.password).toBe(good);
  }));

test("a secret of a test opens with the settings it was sealed with: not for another host, not out of a manifest", () =>
  inFolder(async (folder) => {
    const key = await openSealingKey(folder);
    const others = { host: "10.0.0.1", port: 502 };
    const place = { ...ids, setting: "password" };
    const password = seal(
      key.publicKey,
      fieldSealText(place, { driver: "modbus", settings: others }),
      "s3cret",
    );
    const opened = (settings: Record<string, unknown>) =>
      openedSettings(key, ids, { driver: "modbus", settings }).password;
    expect(opened({ ...others, password })).toBe("s3cret");
    expect(opened({ ...others, host: "10.0.0.66", password })).toEqual(password);
    const fromManifest = seal(key.publicKey, manifestSealText(place), "s3cret");
    expect(opened({ ...others, password: fromManifest })).toEqual(fromManifest);
  }));
