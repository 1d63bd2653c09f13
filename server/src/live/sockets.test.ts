import { expect, test } from "bun:test";
import { LIMITS } from "@millrace/contract/wire/limits";
import { LIVE_PATH } from "@millrace/contract/wire/live";
import { ROUTE } from "@millrace/contract/wire/route";
import { ADA, API_KEY, ORIGIN, post, setUpAda, type TestHub, testHub } from "../../test/hub.ts";
import { RawSocket } from "../../test/raw-socket.ts";
import { CLOSE } from "../ingest/close-code.ts";
import { STRANGERS } from "../ingest/routes.ts";
import { LIVE } from "./subscriber.ts";

const key = { authorization: `Bearer ${API_KEY}` };

async function signedIn(hub: TestHub): Promise<string> {
  await setUpAda(hub);
  const response = await post(hub, "/api/v1/sign-in/password", { email: ADA.email, password: ADA.password });
  return response.headers.get("set-cookie")!.split(";")[0]!;
}

const statusOf = async (port: number, path: string, headers: Record<string, string>) => {
  using socket = new RawSocket(port);
  return await socket.upgrade(path, headers);
};

test("S01: a foreign page opens no socket with somebody's cookie, and the audit has it", async () => {
  await using hub = await testHub();
  const cookie = await signedIn(hub);
  const port = hub.listen();
  for (const origin of [
    "https://evil.example",
    "null",
    `${ORIGIN}.evil.example`,
    `${ORIGIN}/`,
    ORIGIN.replace("8080", "8081"),
  ]) {
    const { status, head } = await statusOf(port, LIVE_PATH, { cookie, origin });
    expect([origin, status]).toEqual([origin, 403]);
    expect(head.toLowerCase()).toContain("content-security-policy");
  }
  for (let i = 0; i < 20; i++) await statusOf(port, LIVE_PATH, { cookie, origin: "https://evil.example" });
  const path = "/api/v1/audit?action=access.foreignOrigin";
  const { body } = await hub.call<{ items: { from: { address: string } }[] }>("GET", path);
  // The first at once, the others counted: a page that tries again and again must not fill the audit.
  expect(body.items).toHaveLength(1);
  expect(body.items[0]).toMatchObject({ from: { address: "127.0.0.1" } });
  expect((await statusOf(port, LIVE_PATH, { cookie, origin: ORIGIN })).status).toBe(101);
});

test("S02: a browser's socket needs an Origin; a gateway's takes no cookie and no key for a proof", async () => {
  await using hub = await testHub();
  const cookie = await signedIn(hub);
  const port = hub.listen();
  expect((await statusOf(port, LIVE_PATH, { cookie })).status).toBe(403);
  expect((await statusOf(port, LIVE_PATH, { origin: ORIGIN })).status).toBe(401);
  expect((await statusOf(port, ROUTE.uplink, { cookie, origin: ORIGIN })).status).toBe(403);
  using gateway = new RawSocket(port);
  expect((await gateway.upgrade(ROUTE.uplink, { cookie, ...key })).status).toBe(101);
  await gateway.until(() => gateway.heard.includes("challenge"), "the challenge");
  gateway.text('{"type":"hb","wallMs":1}');
  expect(await gateway.closeCode()).toBe(CLOSE.protocol);
  expect(gateway.heard.includes("welcome")).toBe(false);
});

test("S05: whoever floods a live socket is thrown out, and the API goes on", async () => {
  await using hub = await testHub();
  const port = hub.listen();
  const floods: [string, (socket: RawSocket) => void][] = [
    [
      "a thousand messages",
      (s) => {
        for (let i = 0; i < 1_000; i++) s.text('{"type":"hb"}');
      },
    ],
    [
      "ten thousand subscriptions",
      (s) => {
        for (let i = 1; i <= 10_000; i++) s.text(`{"type":"subscribe","id":${i},"tags":[${i}]}`);
      },
    ],
    [
      "a thousand pings",
      (s) => {
        for (let i = 0; i < 1_000; i++) s.frame(0x89, new Uint8Array(100));
      },
    ],
  ];
  for (const [name, flood] of floods) {
    using socket = new RawSocket(port);
    expect((await socket.upgrade(LIVE_PATH, key)).status).toBe(101);
    flood(socket);
    expect([name, await socket.closeCode()]).toEqual([name, CLOSE.tooMany]);
  }
  expect((await hub.call("GET", "/api/v1/gateways")).status).toBe(200);
});

test("S05: subscribing to everything again and again is no way around it", async () => {
  await using hub = await testHub();
  using socket = new RawSocket(hub.listen());
  await socket.upgrade(LIVE_PATH, key);
  const tags = Array.from({ length: LIMITS.liveTagsMax }, (_, i) => i + 1);
  const subscribe = (id: number) => socket.text(JSON.stringify({ type: "subscribe", id, tags }));
  const times = LIVE.tagsBurstMax / LIMITS.liveTagsMax;
  for (let id = 1; id <= times + 5; id++) subscribe(id);
  expect(await socket.closeCode()).toBe(CLOSE.tooMany);
  using other = new RawSocket(hub.app.server!.port!);
  await other.upgrade(LIVE_PATH, key);
  other.text(JSON.stringify({ type: "subscribe", id: 1, tags: [...tags, 1] }));
  await other.until(() => other.heard.includes("request.invalid"), "the refusal of too many tags");
});

test("S06: too large, packed and broken frames end the socket that sent them", async () => {
  await using hub = await testHub();
  const port = hub.listen();
  const tries: [string, (socket: RawSocket) => void, number[]][] = [
    ["2 MiB", (s) => s.frame(0x81, new Uint8Array(2 * 1024 * 1024).fill(0x20)), [1009]],
    ["packed", (s) => s.frame(0xc1, Bun.deflateSync(new Uint8Array(1024 * 1024))), [0, 1002]],
    ["half a character", (s) => s.frame(0x81, Uint8Array.of(0xc3, 0x28)), [0, 1007]],
    ["an unknown kind", (s) => s.frame(0x83, new Uint8Array(2)), [0, 1002]],
    ["a long ping", (s) => s.frame(0x89, new Uint8Array(126)), [0, 1002]],
  ];
  for (const path of [LIVE_PATH, ROUTE.uplink])
    for (const [name, send, codes] of tries) {
      using socket = new RawSocket(port);
      const asked = { ...(path === LIVE_PATH ? key : {}), "sec-websocket-extensions": "permessage-deflate" };
      const { head } = await socket.upgrade(path, asked);
      expect(head.toLowerCase()).not.toContain("sec-websocket-extensions");
      send(socket);
      const code = await socket.closeCode();
      expect([path, name, codes.includes(code), code]).toEqual([path, name, true, code]);
    }
  expect((await hub.call("GET", "/api/v1/gateways")).status).toBe(200);
});

test("S05: places are limited for each account, and given back", async () => {
  await using hub = await testHub();
  const port = hub.listen();
  const open: RawSocket[] = [];
  try {
    for (let i = 0; i < LIVE.socketsPerAccountMax; i++) {
      const socket = new RawSocket(port);
      open.push(socket);
      expect((await socket.upgrade(LIVE_PATH, key)).status).toBe(101);
    }
    const refused = await statusOf(port, LIVE_PATH, key);
    expect([refused.status, /retry-after: \d+/i.test(refused.head)]).toEqual([429, true]);
    expect((await statusOf(port, ROUTE.uplink, {})).status).toBe(101);
    open.pop()![Symbol.dispose]();
    const waited = new RawSocket(port);
    open.push(waited);
    let status = 0;
    for (let tries = 0; tries < 50 && status !== 101; tries++) {
      status = (await waited.upgrade(LIVE_PATH, key)).status;
      if (status !== 101) await Bun.sleep(20);
    }
    expect(status).toBe(101);
    const figures = await (await hub.ask("/metrics", { headers: key })).text();
    expect(figures).toMatch(/requests_limited_total\{limit="sockets"\} [1-9]/);
  } finally {
    for (const socket of open) socket[Symbol.dispose]();
  }
});

test("S46: strangers at the uplink are as many as may come from behind one address, no more", async () => {
  await using hub = await testHub();
  const port = hub.listen();
  const sockets = Array.from({ length: STRANGERS.perAddressMax + 40 }, () => new RawSocket(port));
  try {
    const answers = await Promise.all(sockets.map((socket) => socket.upgrade(ROUTE.uplink, {})));
    const count = (wanted: number) => answers.filter(({ status }) => status === wanted).length;
    expect([count(101), count(429)]).toEqual([STRANGERS.perAddressMax, 40]);
    expect((await statusOf(port, LIVE_PATH, key)).status).toBe(101);
  } finally {
    for (const socket of sockets) socket[Symbol.dispose]();
  }
});
