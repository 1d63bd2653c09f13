import { expect, test } from "bun:test";
import { X509Certificate } from "node:crypto";
import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { authorityPin, checkPair, factsOf, type TlsPair } from "./certificate.ts";
import { issueCertificate, LEAF_DAYS, makeAuthority } from "./own-authority.ts";
import { readPair } from "./pem-file.ts";
import { filesSource, ownSource } from "./source.ts";

const dayMs = 86_400_000;
const nowMs = Date.UTC(2026, 10, 26);
const NAMES = ["hub.plant.example", "192.168.0.5", "::1"];

async function inFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "millrace-tls-"));
  try {
    await run(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const codeOf = (run: () => void): string => {
  try {
    run();
    return "";
  } catch (thrown) {
    return (thrown as Error).message;
  }
};

test("a certificate is for the names, signed by the authority, and short", async () => {
  const authority = await makeAuthority(NAMES, nowMs);
  const pair = await issueCertificate(authority, NAMES, nowMs);
  const leaf = new X509Certificate(pair.cert);
  expect(leaf.verify(new X509Certificate(authority.cert).publicKey)).toBe(true);
  expect(leaf.ca).toBe(false);
  expect(new X509Certificate(authority.cert).ca).toBe(true);
  const { notAfterMs, notBeforeMs } = factsOf(pair.cert);
  expect((notAfterMs - notBeforeMs) / dayMs).toBeLessThanOrEqual(397);
  expect(codeOf(() => checkPair(pair, NAMES, nowMs))).toBe("");
});

test("a pair that no client would take is refused, and the key is never quoted", async () => {
  const authority = await makeAuthority(NAMES, nowMs);
  const pair = await issueCertificate(authority, NAMES, nowMs);
  const other = await issueCertificate(authority, NAMES, nowMs);
  const refusal = (wanted: TlsPair, names = NAMES, atMs = nowMs) =>
    codeOf(() => checkPair(wanted, names, atMs));
  expect(refusal({ ...pair, key: other.key })).toContain("belongs to another one");
  expect(refusal(pair, ["other.example"])).toContain("not for other.example");
  expect(refusal(pair, NAMES, nowMs + (LEAF_DAYS + 1) * dayMs)).toContain("expired");
  expect(refusal(pair, NAMES, nowMs - 2 * dayMs)).toContain("not valid before");
  const torn = refusal({ ...pair, key: pair.key.slice(0, 80) });
  expect(torn).toContain("cannot be read");
  expect(torn).not.toContain(pair.key.slice(30, 60));
});

test("the own source keeps its authority over restarts, renews at a third of the life and on a new name", () =>
  inFolder(async (keysFolder) => {
    let atMs = nowMs;
    const open = (names: string[]) => ownSource({ keysFolder, names, nowMs: () => atMs });
    const source = await open(NAMES);
    const { pair } = await source.first();
    expect(((await stat(join(keysFolder, "tls-authority.pem"))).mode & 0o777).toString(8)).toBe("600");
    expect(((await stat(join(keysFolder, "tls-own.pem"))).mode & 0o777).toString(8)).toBe("600");
    const again = await open(NAMES);
    expect((await again.first()).pair).toEqual(pair);
    expect(again.authorities.map(authorityPin)).toEqual(source.authorities.map(authorityPin));
    expect(await source.renew(pair)).toBeNull();
    atMs += (LEAF_DAYS - 20) * dayMs;
    const renewed = await source.renew(pair);
    expect(factsOf(renewed!.cert).notAfterMs).toBeGreaterThan(factsOf(pair.cert).notAfterMs);
    expect(await readPair(join(keysFolder, "tls-own.pem"))).toEqual(renewed);
    const wider = (await (await open([...NAMES, "second.hub.plant.example", "10.1.2.3"])).first()).pair;
    expect(factsOf(wider.cert).names).toContain("second.hub.plant.example");
    await expect(open([...NAMES, "other.example"])).rejects.toThrow("may not sign for other.example");
  }));

test("a certificate that an earlier authority signed is not served after the authority changed", () =>
  inFolder(async (keysFolder) => {
    const open = () => ownSource({ keysFolder, names: NAMES, nowMs: () => nowMs });
    await (await open()).first();
    await rm(join(keysFolder, "tls-authority.pem"));
    const source = await open();
    const { pair } = await source.first();
    const signer = new X509Certificate(source.authorities[0]!);
    expect(new X509Certificate(pair.cert).verify(signer.publicKey)).toBe(true);
  }));

test("files: a wrong pair ends the start by name; changed files are taken when they are good", () =>
  inFolder(async (folder) => {
    const authority = await makeAuthority(NAMES, nowMs);
    const [first, second] = await Promise.all([1, 2].map(() => issueCertificate(authority, NAMES, nowMs)));
    const certFile = join(folder, "hub.crt");
    const keyFile = join(folder, "hub.key");
    const put = async (pair: TlsPair) => {
      await writeFile(certFile, pair.cert);
      await writeFile(keyFile, pair.key);
    };
    const open = (names = NAMES) =>
      filesSource({ certFile, keyFile, caFile: undefined, names, nowMs: () => nowMs });
    await expect((await open()).first()).rejects.toThrow("MILLRACE_TLS_CERT_FILE");
    await put({ cert: first!.cert, key: second!.key });
    await expect((await open()).first()).rejects.toThrow("belongs to another one");
    await put(first!);
    await expect((await open(["other.example"])).first()).rejects.toThrow("not for other.example");
    const source = await open();
    const { pair } = await source.first();
    expect(await source.renew(pair)).toBeNull();
    await put({ cert: second!.cert, key: first!.key });
    await expect(source.renew(pair)).rejects.toThrow("belongs to another one");
    await put(second!);
    expect(await source.renew(pair)).toEqual({ cert: second!.cert, key: second!.key });
  }));
