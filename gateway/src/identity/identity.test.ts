import { afterEach, expect, test } from "bun:test";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "@millrace/contract/std/clock";
import { enrolmentText } from "@millrace/contract/wire/signature";
import { enrol } from "./enrol.ts";
import { bootIdentity, openIdentityFolder } from "./identity.ts";
import { fingerprintOf, isSignedBy } from "./key.ts";

const folders: string[] = [];
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});
async function folderOfOwn(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "millrace-identity-"));
  folders.push(folder);
  return folder;
}

const ID = "01938f5e-7c1a-7b2e-9d30-6c1f0e2a4b55";
const TOKEN = "canary-claim-token-0123456789";
const answerFor = (publicKey: string) => ({
  gatewayId: ID,
  gatewayName: "press shop",
  keyId: "k1",
  epoch: 3,
  hubId: ID,
  hubPublicKey: "A".repeat(43),
  fingerprint: fingerprintOf(publicKey),
});
const rest = { claimToken: TOKEN, software: "t", hubUrl: "http://127.0.0.1:1", random: () => 0 };
const quick = { ...systemClock, sleep: async () => undefined };

test("the key is made once, private, and signs what others can verify", async () => {
  const folder = await folderOfOwn();
  const first = await openIdentityFolder(folder);
  const second = await openIdentityFolder(folder);
  expect(second.key.publicKey).toBe(first.key.publicKey);
  expect((await stat(join(folder, "gateway-key.pem"))).mode & 0o777).toBe(0o600);
  const signature = first.key.sign("text");
  expect(isSignedBy(first.key.publicKey, "text", signature)).toBe(true);
  expect(isSignedBy(first.key.publicKey, "texT", signature)).toBe(false);
  expect(isSignedBy("short", "text", signature)).toBe(false);
});

test("a fingerprint is the first 16 hex digits of SHA-256 in groups of four", () => {
  // SHA-256 of 32 zero bytes is 66687aadf862bd77…
  expect(fingerprintOf(Buffer.alloc(32).toString("base64url"))).toBe("6668 7aad f862 bd77");
});

test("enrolment proves possession, survives an absent hub and is stored", async () => {
  const folder = await folderOfOwn();
  const { key } = await openIdentityFolder(folder);
  let calls = 0;
  const state = await enrol({
    ...rest,
    folder,
    key,
    clock: quick,
    fetch: async (_, init) => {
      calls++;
      if (calls === 1) throw new Error("connection refused");
      if (calls === 2) return new Response("{}", { status: 503 });
      const { body, signature } = JSON.parse(String(init.body));
      expect(isSignedBy(body.publicKey, enrolmentText(body), signature)).toBe(true);
      return Response.json(answerFor(body.publicKey));
    },
  });
  expect(calls).toBe(3);
  expect(state.epoch).toBe(3);
  expect((await openIdentityFolder(folder)).state).toEqual(state);
});

test("a refused claim ends at once, with a code and without the token", async () => {
  const folder = await folderOfOwn();
  const { key } = await openIdentityFolder(folder);
  const body = { code: "claim.refused", detail: "expired" };
  const refused = enrol({
    ...rest,
    folder,
    key,
    clock: quick,
    fetch: async () => Response.json(body, { status: 403 }),
  });
  const error = await refused.catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: "claim.refused" });
  expect(`${error}${JSON.stringify(error)}`).not.toContain(TOKEN);
});

test("a captive portal is no hub, and a foreign key's answer is not stored", async () => {
  const folder = await folderOfOwn();
  const { key } = await openIdentityFolder(folder);
  const answers = [new Response("<html>sign in</html>"), Response.json(answerFor("B".repeat(43)))];
  for (const answer of answers) {
    const one = enrol({ ...rest, folder, key, clock: quick, fetch: async () => answer });
    expect(await one.catch((thrown: unknown) => thrown)).toMatchObject({ code: "uplink.protocol" });
  }
  expect((await openIdentityFolder(folder)).state).toBeNull();
});

test("boot, session and epoch only grow, also when asked for at once", async () => {
  const folder = await folderOfOwn();
  const { key } = await openIdentityFolder(folder);
  const { fingerprint: _, ...state } = { ...answerFor(key.publicKey), hubUrl: "http://127.0.0.1:1" };
  const first = await bootIdentity(folder, key, state);
  expect(await Promise.all([first.nextSessionNo(), first.nextSessionNo(), first.nextSessionNo()])).toEqual([
    1, 2, 3,
  ]);
  expect(await first.renewEpoch()).toBe(4);
  const second = await bootIdentity(folder, key, (await openIdentityFolder(folder)).state!);
  expect([first.bootNo, second.bootNo]).toEqual([1, 2]);
  expect(await second.nextSessionNo()).toBe(4);
  expect(second.state().epoch).toBe(4);
  await second.adoptEpoch(9);
  await second.adoptEpoch(7);
  expect((await openIdentityFolder(folder)).state!.epoch).toBe(9);
  expect(await second.renewEpoch()).toBe(10);
});

test("a damaged file names itself and what to do", async () => {
  const folder = await folderOfOwn();
  await openIdentityFolder(folder);
  await writeFile(join(folder, "identity.json"), '{"gatewayId": 1}');
  const error = await openIdentityFolder(folder).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: "setting.wrong" });
  expect(String(error)).toContain("identity.json");
  await rm(join(folder, "identity.json"));
  const pem = await readFile(join(folder, "gateway-key.pem"), "utf8");
  await writeFile(join(folder, "gateway-key.pem"), pem.replace("PRIVATE", "PRIVATF"));
  expect(await openIdentityFolder(folder).catch((thrown: unknown) => thrown)).toMatchObject({
    code: "setting.wrong",
  });
});
