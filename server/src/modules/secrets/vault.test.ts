import { expect, test } from "bun:test";
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SEAL } from "@millrace/contract/wire/sealed";
import { loadSecretsKey } from "./key.ts";
import { sealFor } from "./seal.ts";
import { type StoredSecret, Vault } from "./vault.ts";

const about = (change: Partial<StoredSecret> = {}) => ({
  id: "0193f0e0-0000-7000-8000-000000000001",
  ownerKind: "device" as const,
  ownerId: "0193f0e0-0000-7000-8000-000000000002",
  setting: "password",
  ...change,
});

test("a stored value opens with its key, in its row, as it was written, and in no other way", () => {
  const vault = new Vault(randomBytes(32));
  const stored = vault.keep(about(), "päss{word}");
  expect(vault.open(stored)).toEqual({ value: "päss{word}" });
  expect(Buffer.from(stored.ciphertext).includes("ss{word}")).toBe(false);
  expect(Buffer.from(vault.keep(about(), "päss{word}").ciphertext)).not.toEqual(
    Buffer.from(stored.ciphertext),
  );
  expect(new Vault(randomBytes(32)).open(stored)).toBeNull();
  const moved: Partial<StoredSecret>[] = [
    { id: "0193f0e0-0000-7000-8000-000000000009" },
    { ownerKind: "profile" },
    { ownerId: "0193f0e0-0000-7000-8000-000000000009" },
    { setting: "pin" },
  ];
  for (const change of moved) expect(vault.open({ ...stored, ...change })).toBeNull();
  for (let i = 0; i < stored.ciphertext.length; i++) {
    const ciphertext = Buffer.from(stored.ciphertext);
    ciphertext[i] = ciphertext[i]! ^ 1;
    expect(vault.open({ ...stored, ciphertext })).toBeNull();
  }
  expect(vault.open({ ...stored, ciphertext: stored.ciphertext.slice(0, 20) })).toBeNull();
});

/** The form of `wire/sealed.ts` read by another implementation: WebCrypto. */
async function openedByWebCrypto(sealed: string, pkcs8: Buffer, publicKey: string, place: string) {
  const bytes = new Uint8Array(Buffer.from(sealed, "base64url"));
  const once = bytes.slice(0, 32);
  const own = await crypto.subtle.importKey("pkcs8", new Uint8Array(pkcs8), "X25519", false, ["deriveBits"]);
  const other = await crypto.subtle.importKey("raw", once, "X25519", false, []);
  const shared = await crypto.subtle.deriveBits({ name: "X25519", public: other }, own, 256);
  const salt = new Uint8Array(Buffer.concat([once, Buffer.from(publicKey, "base64url")]));
  const base = await crypto.subtle.importKey("raw", shared, "HKDF", false, ["deriveBits"]);
  const info = new TextEncoder().encode("millrace-seal-v1");
  const bits = await crypto.subtle.deriveBits({ name: "HKDF", hash: "SHA-256", salt, info }, base, 44 * 8);
  const key = await crypto.subtle.importKey("raw", bits.slice(0, 32), "AES-GCM", false, ["decrypt"]);
  const additionalData = new TextEncoder().encode(place);
  const iv = bits.slice(32);
  return new TextDecoder().decode(
    await crypto.subtle.decrypt({ name: "AES-GCM", iv, additionalData }, key, bytes.slice(32)),
  );
}

test("a sealed value has the form the contract says, whatever its length is hidden, and belongs to one place", async () => {
  const { privateKey, publicKey } = generateKeyPairSync("x25519");
  const raw = String(publicKey.export({ format: "jwk" }).x);
  const pkcs8 = privateKey.export({ type: "pkcs8", format: "der" });
  const lengths = new Set<number>();
  for (const value of ["", "short", "x".repeat(60)]) {
    const sealed = sealFor(raw, "here", value)!;
    const text = await openedByWebCrypto(sealed, pkcs8, raw, "here");
    expect(JSON.parse(text)).toBe(value);
    expect(openedByWebCrypto(sealed, pkcs8, raw, "there")).rejects.toThrow();
    lengths.add(sealed.length);
  }
  expect(lengths.size).toBe(1);
  expect(sealFor(raw, "here", "same")).not.toBe(sealFor(raw, "here", "same"));
  expect(sealFor(Buffer.alloc(SEAL.publicKeyBytes).toString("base64url"), "here", "x")).toBeNull();
  expect(sealFor("no key", "here", "x")).toBeNull();
});

test("the key is made once, for the hub's user alone; a damaged one is told and not replaced", async () => {
  const folder = await mkdtemp(join(tmpdir(), "millrace-secrets-"));
  try {
    const key = await loadSecretsKey(folder);
    expect(key.length).toBe(32);
    expect(await loadSecretsKey(folder)).toEqual(key);
    const file = join(folder, "keys", "secrets.key");
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const given = randomBytes(32);
    expect(Buffer.from(await loadSecretsKey(folder, given.toString("base64url")))).toEqual(given);
    await writeFile(file, "torn");
    expect(loadSecretsKey(folder)).rejects.toMatchObject({ code: "setting.wrong" });
    expect(await readFile(file, "utf8")).toBe("torn");
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
