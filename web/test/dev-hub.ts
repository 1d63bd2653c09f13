/**
 * A hub for working on screens: serves `dist` under the hub's own CSP, answers REST in the contract's shapes and moves
 * values over the live socket. 5,000 tags on 14 devices of 3 gateways; one gateway is offline, one device refuses, one
 * has bad tags. Port from `PORT`, else any free one; it prints its address. Not part of the product.
 */
import type { Gateway } from "@millrace/contract/api/gateway";
import type { Device, Tag } from "@millrace/contract/api/plant";
import type { DeviceStatus } from "@millrace/contract/vocabulary/gateway";
import { interpolationOf } from "@millrace/contract/vocabulary/tag";
import type { JsonValue } from "@millrace/contract/vocabulary/value";
import type { LiveClientMessage, LiveServerMessage, LiveValue } from "@millrace/contract/wire/live";
import { historyApi, samplesOf, tagHistory } from "./dev-history.ts";

const CSP =
  "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; connect-src 'self'; script-src 'self'; style-src 'self'; worker-src 'self'; manifest-src 'self'";
const DIST = new URL("../dist/", import.meta.url).pathname;
const DEVICES = 14;
const TAGS = 5_000;
const startMs = Date.now();

const uuid = (kind: number, n: number) => `01938f5e-7c1a-7b2e-9d3${kind}-${String(n).padStart(12, "0")}`;
const iso = (ms: number) => new Date(ms).toISOString();
const areas = ["Pressing", "Packing", "Utilities"];
const sites = areas.map((name, i) => ({
  id: uuid(1, i + 1),
  name,
  kind: "area",
  parentId: null,
  path: `Demo plant/${name}`,
}));
const GATEWAY_NAMES = ["Press hall", "Packing hall", "Boiler house"];
const MACHINES = ["Press", "Packer", "Boiler"];
const SIGNALS = [
  { name: "Oil temperature", unit: "°C", base: 62, swing: 4, deadband: 0.1, dataType: "float32" },
  { name: "Hydraulic pressure", unit: "bar", base: 184, swing: 9, deadband: 0.5, dataType: "float32" },
  { name: "Stroke counter", unit: "", base: 1_204_511, swing: 0, deadband: 0, dataType: "uint64" },
  { name: "Running", unit: "", base: 1, swing: 0, deadband: 0, dataType: "boolean" },
  { name: "Motor current", unit: "A", base: -12, swing: 30, deadband: 0.1, dataType: "float32" },
  { name: "Recipe", unit: "", base: 0, swing: 0, deadband: 0, dataType: "text" },
] as const;

const devices: Device[] = Array.from({ length: DEVICES }, (_, i) => {
  const area = i % 3;
  return {
    id: uuid(2, i + 1),
    name: `${MACHINES[area]} ${Math.floor(i / 3) + 1}`,
    profileId: uuid(4, 1),
    gatewayId: uuid(3, area + 1),
    siteId: sites[area]!.id,
    settings: {},
    enabled: true,
    path: `Demo plant/${areas[area]}/${MACHINES[area]} ${Math.floor(i / 3) + 1}`,
    driver: "modbus",
    tagCount: Math.floor(TAGS / DEVICES),
    revision: 1,
  };
});
const signalOf = (tagNo: number) => SIGNALS[Math.floor((tagNo - 1) / DEVICES) % SIGNALS.length]!;
const tags: Tag[] = Array.from({ length: TAGS }, (_, i) => {
  const device = devices[i % DEVICES]!;
  const signal = signalOf(i + 1);
  const round = Math.floor(i / DEVICES / SIGNALS.length);
  const name = round === 0 ? signal.name : `${signal.name} ${round + 1}`;
  return {
    tagNo: i + 1,
    path: `${device.path}/${name}`,
    name,
    deviceId: device.id,
    gatewayId: device.gatewayId,
    address: `holding:${100 + i}`,
    dataType: signal.dataType,
    unit: signal.unit,
    description: "",
    scanMs: 1_000,
    heartbeatMs: 10_000,
    deadband: signal.deadband,
    interpolation: interpolationOf(signal.dataType),
    retention: "standard",
    ...(signal.name === "Oil temperature" ? { range: { low: 56, high: 66 } } : {}),
  };
});

const REFUSED = devices[4]!.id;
const PARTLY_BAD = devices[3]!.id;
const OFFLINE_GATEWAY = uuid(3, 3);

function valueAt(tag: Tag, ms: number): LiveValue {
  const signal = signalOf(tag.tagNo);
  const past = pastValue(tag, ms);
  const plain =
    signal.dataType === "uint64" && tag.tagNo % 2 === 0
      ? String(BigInt(signal.base) * 1_000_000_000_000n + BigInt(Math.floor(ms / 1_000)))
      : past;
  if (tag.gatewayId === OFFLINE_GATEWAY)
    return [tag.tagNo, plain, "good", startMs - 240_000, plain, startMs - 240_000];
  if (tag.deviceId === REFUSED) return [tag.tagNo, null, "bad.linkRefused", ms, plain, startMs - 720_000];
  if (tag.deviceId === PARTLY_BAD && tag.tagNo % 4 === 0)
    return [tag.tagNo, null, "bad.addressIllegal", ms, null, null];
  if (tag.tagNo === 2 || tag.tagNo % 97 === 0)
    return [tag.tagNo, plain, "good", startMs - 180_000, plain, startMs - 180_000];
  if (tag.tagNo === 7 || tag.tagNo % 89 === 0)
    return [tag.tagNo, plain, "uncertain.outOfRange", ms, plain, ms];
  if (tag.tagNo % 83 === 0) return [tag.tagNo, null, "good", null, null, null];
  return [tag.tagNo, plain, "good", ms, plain, ms];
}

function statusOf(device: Device): DeviceStatus {
  const refused = device.id === REFUSED;
  const bad = refused ? device.tagCount : device.id === PARTLY_BAD ? 40 : 0;
  return {
    deviceId: device.id,
    linkState: refused ? "waiting" : "up",
    sinceMs: startMs - 720_000,
    code: refused ? "link.refused" : "",
    reason: refused ? "10.20.0.14:502 refused the connection, 41 attempts, next in 12 s" : "",
    lastGoodMs: refused ? startMs - 720_000 : Date.now(),
    cycles: 1_000,
    cyclesMissed: 0,
    requests: 4_000,
    errors: refused ? 41 : 0,
    roundTripMs: 3,
    tagsGood: device.tagCount - bad,
    tagsBad: bad,
  };
}

const gateways = (): Gateway[] =>
  GATEWAY_NAMES.map((name, i) => {
    const id = uuid(3, i + 1);
    const off = id === OFFLINE_GATEWAY;
    const own = devices.filter((device) => device.gatewayId === id);
    const nowMs = off ? startMs - 240_000 : Date.now();
    return {
      id,
      name,
      siteId: sites[i]!.id,
      enrolment: "enrolled",
      linkState: off ? "down" : "up",
      linkSince: iso(off ? startMs - 240_000 : startMs - 86_400_000),
      lastSeen: iso(nowMs),
      fingerprint: "4f1c 09ab 77e2 d0c5",
      manifestWanted: 12,
      manifestRunning: off ? 11 : 12,
      manifestError: null,
      tagCount: own.length * own[0]!.tagCount,
      deviceCount: own.length,
      status: {
        software: "0.1.0",
        startedMs: startMs - 86_400_000 * 3,
        nowMs,
        cpuShare: 0.084,
        memoryBytes: 92_000_000,
        diskFreeBytes: 41_300_000_000,
        clockOffsetMs: 12,
        manifestRev: 12,
        outbox: {
          framesUnsent: 0,
          samplesUnsent: off ? 48_210 : 0,
          bytesUnsent: off ? 180_000 : 0,
          bytesUsed: 4_000_000,
          bytesQuota: 2_000_000_000,
          oldestUnsentMs: off ? startMs - 300_000 : null,
          samplesLost: 0,
          durable: true,
        },
        devices: own.map(statusOf),
      },
    };
  });

const page = (items: unknown[], nextCursor: string | null = null) => Response.json({ items, nextCursor });
const problem = (status: number, code: string, detail: string) =>
  Response.json(
    {
      type: `urn:millrace:error:${code}`,
      title: code,
      status,
      code,
      detail,
      nextStep: "",
      traceId: "dev-1",
      context: {},
    },
    { status },
  );

function tagPage(search: URLSearchParams): Response {
  const words = (search.get("q") ?? "").toLowerCase().split(/\s+/);
  const found = tags.filter(
    (tag) =>
      words.every((word) => tag.path.toLowerCase().includes(word)) &&
      (search.get("deviceId") ?? tag.deviceId) === tag.deviceId &&
      (search.get("gatewayId") ?? tag.gatewayId) === tag.gatewayId,
  );
  found.sort((a, b) => (a.path < b.path ? -1 : 1));
  const from = Number(search.get("cursor") ?? 0);
  const to = from + Number(search.get("limit") ?? 200);
  return page(found.slice(from, to), to < found.length ? String(to) : null);
}

/** History of a value, the same for every look at a time; machines run, stop and change their recipe. */
function pastValue(tag: Tag, ms: number): JsonValue {
  const signal = signalOf(tag.tagNo);
  const slow = Math.sin(ms / 5_400_000 + tag.tagNo);
  const noise = Math.sin(ms / 1_700) * 0.15 + Math.sin(ms / 611 + tag.tagNo) * 0.1;
  if (signal.dataType === "boolean") return Math.sin(ms / 1_300_000 + tag.tagNo) > -0.6;
  if (signal.dataType === "text") {
    return ["Bracket 40 × 60", "Bracket 60 × 80", "Hinge L", "Change-over"][Math.floor(ms / 2_400_000) % 4]!;
  }
  if (signal.dataType === "uint64") return String(BigInt(Math.floor(ms / 4_000)) % 50_000n);
  return signal.base + signal.swing * (slow * 0.7 + Math.sin(ms / 400_000 + tag.tagNo) * 0.3 + noise);
}

async function historyAnswer(request: Request, url: URL): Promise<Response | null> {
  if (url.pathname === "/api/v1/samples") {
    const answer = samplesOf(url.searchParams, tags, Date.now(), pastValue);
    if (answer === null)
      return problem(422, "request.invalid", "tag: 13 has more history than one answer holds.");
    if (url.searchParams.get("format") !== "csv") return Response.json(answer);
    return new Response("time,tag,value,quality\n", { headers: { "content-type": "text/csv" } });
  }
  const tag = /^\/api\/v1\/tags\/(\d+)\/history$/.exec(url.pathname);
  if (tag !== null) return Response.json(tagHistory(tags[Number(tag[1]) - 1]!));
  return await historyApi(request, url);
}

async function api(request: Request, url: URL): Promise<Response> {
  const signedIn = (request.headers.get("cookie") ?? "").includes("dev=1");
  const path = url.pathname;
  if (path === "/api/v1/setup")
    return request.method === "GET" ? Response.json({ needed: false }) : Response.json({});
  if (path === "/api/v1/sign-in/password") {
    return new Response('{"status":"signedIn"}', {
      headers: { "set-cookie": "dev=1; Path=/; HttpOnly", "content-type": "application/json" },
    });
  }
  if (path === "/api/v1/sign-in") return Response.json({ passkey: false, sso: null, shared: null });
  if (path === "/api/v1/sign-out")
    return new Response("{}", { headers: { "set-cookie": "dev=; Path=/; Max-Age=0" } });
  if (!signedIn) return problem(401, "auth.required", "Sign in first.");
  if (path === "/api/v1/me") {
    return Response.json({
      id: "1",
      name: "Ada Example",
      email: "ada@plant.example",
      grants: [{ role: "administrator", siteId: null, path: null }],
      permissions: [],
      reach: {},
      kind: "person",
      session: null,
      mustEnrol: false,
    });
  }
  if (path === "/api/v1/sites") return page(sites);
  if (path === "/api/v1/devices") return page(devices);
  if (path === "/api/v1/gateways") return page(gateways());
  if (path.endsWith("/claims")) {
    const command =
      "MILLRACE_HUB=https://hub.plant.example MILLRACE_CLAIM=mrc_4f1c09ab77e2d0c5a1b2c3d4 npx millrace-gateway";
    return Response.json({
      claimToken: "mrc_4f1c09ab77e2d0c5a1b2c3d4",
      expiresAt: iso(Date.now() + 900_000),
      command,
    });
  }
  if (path === "/api/v1/tags") return tagPage(url.searchParams);
  const history = await historyAnswer(request, url);
  if (history !== null) return history;
  const tag = /^\/api\/v1\/tags\/(\d+)$/.exec(path);
  const found = tag === null ? undefined : tags[Number(tag[1]) - 1];
  return found === undefined ? problem(404, "entity.missing", "There is no such tag.") : Response.json(found);
}

interface Client {
  id: number;
  seq: number;
  wanted: Tag[];
}
const clients = new Set<Bun.ServerWebSocket<Client>>();
const links = () =>
  gateways().map((gateway) => ({
    gatewayId: gateway.id,
    linkState: gateway.linkState,
    sinceMs: gateway.linkSince === null ? null : Date.parse(gateway.linkSince),
  }));
const send = (socket: Bun.ServerWebSocket<Client>, message: LiveServerMessage) =>
  socket.send(JSON.stringify(message));

const server = Bun.serve<Client>({
  port: Number(process.env.PORT ?? 0),
  fetch: async (request, self) => {
    const url = new URL(request.url);
    if (url.pathname === "/api/v1/live") {
      return self.upgrade(request, { data: { id: 0, seq: 0, wanted: [] } })
        ? undefined
        : new Response("", { status: 400 });
    }
    if (url.pathname.startsWith("/api/")) return await api(request, url);
    const file = Bun.file(DIST + url.pathname.slice(1));
    const body = url.pathname !== "/" && (await file.exists()) ? file : Bun.file(`${DIST}index.html`);
    return new Response(body, { headers: { "content-security-policy": CSP, "cache-control": "no-cache" } });
  },
  websocket: {
    open: (socket) => void clients.add(socket),
    close: (socket) => void clients.delete(socket),
    message: (socket, text) => {
      const message = JSON.parse(String(text)) as LiveClientMessage;
      if (message.type !== "subscribe") return;
      socket.data = { id: message.id, seq: 0, wanted: message.tags.map((tagNo) => tags[tagNo - 1]!) };
      const nowMs = Date.now();
      const values = socket.data.wanted.map((tag) => valueAt(tag, nowMs));
      send(socket, { type: "snapshot", id: message.id, seq: 0, hubTimeMs: nowMs, values, gateways: links() });
    },
  },
});
setInterval(() => {
  const nowMs = Date.now();
  for (const socket of clients) {
    const values = socket.data.wanted.map((tag) => valueAt(tag, nowMs)).filter((value) => value[3] === nowMs);
    if (values.length === 0) send(socket, { type: "hb", hubTimeMs: nowMs });
    else send(socket, { type: "delta", id: socket.data.id, seq: ++socket.data.seq, values, gateways: [] });
  }
}, 1_000);
process.stdout.write(`${server.url}\n`);
