import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Problem } from "@millrace/contract/api/problem";
import { startProgram } from "../stack/child.ts";
import { Stack } from "../stack/stack.ts";

/** Wrong input from outside, tried on the running programs: each gets a coded answer, and the programs stay up. */

let folder: string;
let stack: Stack;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "millrace-refusals-"));
  stack = await Stack.start({ folder });
}, 120_000);

afterAll(async () => {
  await stack?.stop();
  if (folder) rmSync(folder, { recursive: true, force: true });
}, 60_000);

const call = (path: string, init?: RequestInit) => fetch(stack.hubUrl + path, init);
const key = () => ({ authorization: `Bearer ${stack.apiKey}` });
const problemOf = async (response: Response) => (await response.json()) as Problem;

/** Opens the uplink, sends what is given once the hub has spoken, and tells how the hub ended it. */
function uplinkWith(payload: string | Uint8Array<ArrayBuffer>): Promise<{ code: number; said: string[] }> {
  return new Promise((resolve, reject) => {
    const said: string[] = [];
    const socket = new WebSocket(`${stack.hubUrl.replace("http", "ws")}/api/v1/uplink`);
    const timer = setTimeout(() => reject(new Error("the hub kept the line open")), 20_000);
    socket.onmessage = ({ data }) => {
      said.push(String(data));
      if (said.length === 1) socket.send(payload);
    };
    socket.onclose = ({ code }) => {
      clearTimeout(timer);
      resolve({ code, said });
    };
  });
}

test("an unknown route is named as such", async () => {
  const response = await call("/api/v1/nothing-here", { headers: key() });
  expect(response.status).toBe(404);
  expect((await problemOf(response)).code).toBe("route.unknown");
});

test("without a session and with a wrong key nothing is told", async () => {
  const tries: Record<string, string>[] = [{}, { authorization: `Bearer ${"x".repeat(43)}` }];
  for (const headers of tries) {
    const response = await call("/api/v1/gateways", { headers });
    expect(response.status).toBe(401);
    expect((await problemOf(response)).code).toBe("auth.required");
  }
});

test("a wrong field is named, with what was found and what would be right", async () => {
  const response = await call("/api/v1/sites", {
    method: "POST",
    headers: { ...key(), "content-type": "application/json" },
    body: JSON.stringify({ name: "a/b", kind: "planet", parentId: null }),
  });
  expect(response.status).toBe(422);
  const problem = await problemOf(response);
  expect(problem.code).toBe("request.invalid");
  expect(JSON.stringify(problem)).toMatch(/name|kind/);
});

test("malformed and oversized bodies are refused", async () => {
  const post = (body: string) =>
    call("/api/v1/sites", {
      method: "POST",
      headers: { ...key(), "content-type": "application/json" },
      body,
    });
  const malformed = await post('{"name":');
  expect([malformed.status, (await problemOf(malformed)).code]).toEqual([400, "request.malformed"]);
  const oversized = await post(JSON.stringify({ name: "x".repeat(1_100_000) }));
  expect([oversized.status, (await problemOf(oversized)).code]).toEqual([413, "request.tooLarge"]);
});

test("a claim token that was never given is refused", async () => {
  const env = {
    MILLRACE_DATA: join(folder, "stranger"),
    MILLRACE_HUB_URL: stack.hubUrl,
    MILLRACE_LOCAL_PORT: "0",
    MILLRACE_CLAIM_TOKEN: "not-a-token-anybody-ever-gave",
  };
  const stranger = startProgram("stranger", "gateway/src/main.ts", { env });
  expect(await stranger.process.exited).not.toBe(0);
  expect(stranger.tail()).toContain("claim.refused");
  expect(stranger.tail()).not.toContain(env.MILLRACE_CLAIM_TOKEN);
}, 60_000);

test("a wrong setting stops a program with one line that names it", async () => {
  const hub = startProgram("hub", "server/src/main.ts", {
    env: { MILLRACE_DATA: join(folder, "other"), MILLRACE_PORT: "eighty" },
  });
  expect(await hub.process.exited).toBe(78);
  expect(hub.tail()).toContain("MILLRACE_PORT");
}, 60_000);

test("a port that is taken is said, not shared", async () => {
  const env = { MILLRACE_DATA: join(folder, "third"), MILLRACE_PORT: String(stack.ports.hub) };
  const hub = startProgram("hub", "server/src/main.ts", { env });
  expect(await hub.process.exited).toBe(78);
  expect(hub.tail()).toContain("MILLRACE_PORT");
}, 60_000);

test("garbage on the uplink ends that session with a reason, and the real gateway is not disturbed", async () => {
  const hello = { type: "hello", body: { protocol: 1 }, signature: "short" };
  for (const payload of [
    "{",
    "[]",
    JSON.stringify(hello),
    "x".repeat(600_000),
    crypto.getRandomValues(new Uint8Array(5_000)),
  ]) {
    const { code } = await uplinkWith(payload);
    expect(code).toBeGreaterThanOrEqual(1_002);
  }
  const gateways = (await (await call("/api/v1/gateways", { headers: key() })).json()) as {
    items: { linkState: string }[];
  };
  expect(gateways.items.map(({ linkState }) => linkState)).toEqual(["up"]);
  expect(stack.hub.running && stack.gateway.running).toBe(true);
}, 90_000);
