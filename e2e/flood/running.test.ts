import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LIVE_PATH } from "@millrace/contract/wire/live";
import { type Child, startProgram } from "../stack/child.ts";
import { claimOf } from "./enrolled.ts";
import { FUZZ_ENV } from "./fuzz.ts";
import { LoneHub } from "./hub.ts";
import { listenersOf, socketsOf } from "./listeners.ts";
import { seedPlant } from "./plant.ts";
import { addressNo, RawClient } from "./raw-client.ts";
import { SIGN_IN_PATH, signInBody } from "./sign-in.ts";

/** What must hold of the programs as they run, and cannot be seen inside one: memory, ports, connections that hang. */

const MiB = 1024 * 1024;
const testMs = 90_000;
/** What a heap may take by itself while hundreds of requests are under way; what was sent is a multiple of it. */
const HEAP_BYTES = 100 * MiB;
let hub: LoneHub;

beforeAll(async () => {
  hub = await LoneHub.start(FUZZ_ENV);
}, testMs);
afterAll(() => hub[Symbol.asyncDispose]());

const authorization = () => ({ authorization: `Bearer ${hub.apiKey}` });
const isServed = async (): Promise<boolean> =>
  (await fetch(`${hub.url}/api/v1/gateways`, { headers: authorization() })).status === 200;

const postHead = (path: string, length: string): string =>
  `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nAuthorization: Bearer ${hub.apiKey}\r\n${length}\r\n\r\n`;

test(
  "S20: of two hundred sign-ins at once the long ones are not read, the hashes wait, and others are served meanwhile",
  async () => {
    const before = hub.memory();
    const signIn = async (i: number, password: string) => {
      using client = new RawClient(hub.port, addressNo(i));
      const body = signInBody(`guess${i}@plant.example`, password);
      client.write(postHead(SIGN_IN_PATH, `Connection: close\r\nContent-Length: ${body.length}`));
      client.write(body);
      return await client.request("");
    };
    const long = Promise.all(Array.from({ length: 200 }, (_, i) => signIn(i, "x".repeat(1_000_000))));
    let waiting = true;
    const hashed = Promise.all(
      Array.from({ length: 60 }, (_, i) => signIn(1_000 + i, "a long guessed password")),
    ).finally(() => {
      waiting = false;
    });
    for (let i = 0; i < 20; i++) expect(await isServed()).toBe(true);
    // Others did not queue behind the passwords: these still wait for their turn.
    expect(waiting).toBe(true);
    expect(new Set(await long)).toEqual(new Set([413]));
    // One in turn after the other is judged, and more than may wait are told to come again.
    expect([...new Set(await hashed)].sort()).toEqual([401, 429]);
    expect(hub.memory().peakBytes - before.rssBytes).toBeLessThan(HEAP_BYTES);
  },
  testMs,
);

test(
  "S36: of a body of 130 MiB the hub reads no more than it takes, told, hidden or lied about",
  async () => {
    const before = hub.memory();
    const piece = Buffer.alloc(256 * 1024, 0x20);
    const chunk = Buffer.concat([
      Buffer.from(`${piece.length.toString(16)}\r\n`),
      piece,
      Buffer.from("\r\n"),
    ]);
    /** As a sender that looks at the answer only when it cannot go on. */
    const send = async (path: string, length: string, part: Buffer): Promise<number> => {
      using client = new RawClient(hub.port);
      client.write(postHead(path, length));
      let sent = 0;
      for (; sent < 130 * MiB && !client.closed; sent += part.length) {
        client.write(part);
        await client.change(0);
      }
      return await client.request("");
    };
    const paths = ["/api/v1/sites", "/api/v1/enrolments", SIGN_IN_PATH];
    for (const path of paths)
      for (const [length, part] of [
        [`Content-Length: ${130 * MiB}`, piece],
        ["Transfer-Encoding: chunked", chunk],
      ] as const) {
        const status = await send(path, length, part);
        expect([path, length, status]).toEqual([path, length, 413]);
      }
    // Shorter than it says: what comes is small, and what is missing is not waited for in memory.
    using liar = new RawClient(hub.port);
    liar.write(postHead("/api/v1/sites", `Content-Length: ${MiB}`));
    liar.write("{");
    expect(await isServed()).toBe(true);
    expect(hub.memory().peakBytes - before.peakBytes).toBeLessThan(HEAP_BYTES);
  },
  testMs,
);

test(
  "S46: a thousand connections that say nothing and hundreds whose head never ends keep nobody out",
  async () => {
    const before = hub.memory();
    const clients = Array.from({ length: 1_300 }, (_, i) => new RawClient(hub.port, addressNo(i)));
    try {
      const slow = clients.slice(0, 300);
      for (const client of slow) client.write("GET /api/v1/me HTTP/1.1\r\nHost: localhost\r\nX-Slow: ");
      for (let round = 0; round < 5; round++) {
        for (const client of slow) client.write("a");
        expect(await isServed()).toBe(true);
      }
      using live = new RawClient(hub.port);
      const headers = { Authorization: `Bearer ${hub.apiKey}` };
      expect(await live.upgrade(LIVE_PATH, headers)).toBe(101);
      expect(clients.filter(({ closed }) => !closed).length).toBeGreaterThan(1_000);
      expect(socketsOf(hub.child.pid).size).toBeGreaterThan(1_000);
      expect(hub.memory().rssBytes - before.rssBytes).toBeLessThan(HEAP_BYTES);
    } finally {
      for (const client of clients) client[Symbol.dispose]();
    }
    expect(await isServed()).toBe(true);
  },
  testMs,
);

test.skipIf(process.platform !== "linux")(
  "S46: hub and gateway listen at their one port each, PostgreSQL at loopback alone",
  async () => {
    const folder = mkdtempSync(join(tmpdir(), "millrace-ports-"));
    const { gatewayId } = await seedPlant(hub);
    let gateway: Child | null = null;
    try {
      gateway = startProgram("gateway", "gateway/src/main.ts", {
        env: {
          MILLRACE_DATA: folder,
          MILLRACE_LOG_FORMAT: "json",
          MILLRACE_HUB_URL: hub.url,
          MILLRACE_CLAIM_TOKEN: await claimOf(hub, gatewayId),
          MILLRACE_LOCAL_PORT: "0",
        },
      });
      const { localUrl } = await gateway.event("gateway.ready");
      const localPort = Number(new URL(String(localUrl)).port);
      expect(listenersOf(hub.child.pid)).toEqual([{ protocol: "tcp", at: "loopback", port: hub.port }]);
      expect(listenersOf(gateway.pid)).toEqual([{ protocol: "tcp", at: "loopback", port: localPort }]);
      const postgres = listenersOf(hub.postgresPid());
      expect(postgres.map(({ protocol, at }) => [protocol, at])).toEqual([["tcp", "loopback"]]);
    } finally {
      await gateway?.stop();
      rmSync(folder, { recursive: true, force: true });
    }
  },
  testMs,
);
