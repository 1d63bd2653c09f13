import { expect, test } from "bun:test";
import type { EventRow } from "@millrace/contract/api/event";
import type { GapRow } from "@millrace/contract/api/gap";
import type { Gateway } from "@millrace/contract/api/gateway";
import type { RawSamples } from "@millrace/contract/api/history";
import type { Device, Profile, Site, Tag } from "@millrace/contract/api/plant";
import type { QuarantinedFrame } from "@millrace/contract/api/quarantine";
import { encodeEvents } from "@millrace/contract/wire/event";
import { encodeGap, type GapCause } from "@millrace/contract/wire/gap";
import type { Lane } from "@millrace/contract/wire/stream";
import { frame, series } from "../../../test/fake-gateway.ts";
import { itemsOf } from "../../../test/history.ts";
import { type TestHub, testHub } from "../../../test/hub.ts";
import { Intake } from "../../ingest/intake.ts";
import { openStreams } from "../../ingest/store.ts";
import { verifyAudit } from "../audit/service.ts";

/** What a person sees of events, gaps and quarantine, and what they can do about them. */

const NOW = Date.UTC(2026, 10, 23, 10);
const iso = (ms: number) => new Date(ms).toISOString();
const RANGE = `from=${iso(NOW - 3_600_000)}&to=${iso(NOW + 3_600_000)}`;

interface Items<T> {
  items: T[];
  nextCursor: string | null;
}

async function plant(hub: TestHub) {
  const make = async <T>(path: string, body: unknown) =>
    (await hub.call<T>("POST", `/api/v1${path}`, body)).body;
  const site = await make<Site>("/sites", { name: "Plant", kind: "site", parentId: null });
  const gateway = await make<Gateway>("/gateways", { name: "GW", siteId: site.id });
  const other = await make<Gateway>("/gateways", { name: "Other", siteId: site.id });
  const tags = [{ name: "T", address: "holding:0", dataType: "float64" }];
  const profile = await make<Profile>("/profiles", { name: "P", driver: "modbus", settings: {}, tags });
  const links = { profileId: profile.id, gatewayId: gateway.id, siteId: site.id };
  await make<Device>("/devices", { name: "D", ...links, settings: { host: "10.0.0.1", unit: 1 } });
  const tagNo = (await hub.call<Items<Tag>>("GET", "/api/v1/tags")).body.items[0]!.tagNo;
  const { sql, sessionDeps } = { sql: hub.database.sql, sessionDeps: hub.ingest.sessionDeps };
  const gatewayNo: number = (await sql`SELECT gateway_no FROM gateway WHERE id = ${gateway.id}`)[0]
    .gateway_no;
  const lanes: Lane[] = ["E", "H"];
  const { marks } = await openStreams(
    sql,
    gatewayNo,
    1,
    lanes.map((lane) => ({ lane, seg: 1, acked: 0 })),
  );
  const refusals: string[] = [];
  const sink = { send: () => undefined, refuse: (why: string) => void refusals.push(why) };
  const intake = new Intake(sessionDeps, sink, { gatewayNo, epoch: 1 }, marks);
  const put = async (bytes: Uint8Array) => {
    intake.push(bytes);
    await intake.idle();
    expect(refusals).toEqual([]);
  };
  return { gateway, other, tagNo, put };
}

const eventFrame = (seq: number, timesMs: number[], code: string) =>
  frame(
    seq,
    encodeEvents(
      timesMs.map((timeMs) => ({
        timeMs,
        code,
        severity: "info" as const,
        message: `${timeMs}`,
        data: { seq },
      })),
    ),
    { kind: "events", lane: "E", blockVersion: 0, compression: "none" },
  );

const gapFrame = (seq: number, atMs: number, cause: GapCause) =>
  frame(seq, encodeGap({ tMinMs: atMs, tMaxMs: atMs + 10, samples: 5, cause }), {
    kind: "gap",
    blockVersion: 0,
    compression: "none",
    sampleCount: 5,
  });

/** As if an older hub had not understood the frame. */
const lock = (hub: TestHub, first: number) => hub.database.sql`
  WITH held AS (
    INSERT INTO ingest_quarantine (gateway_no, epoch, lane, seg, first, last, code, reason, received_at, body)
    SELECT gateway_no, epoch, lane, seg, first, last, 'block.version', 'too new', received_at, body
    FROM journal WHERE lane = 'H' AND first = ${first} RETURNING gateway_no
  )
  UPDATE journal SET kind = 'quarantined', body = '' WHERE lane = 'H' AND first = ${first}`;

const held = async (hub: TestHub, query = "") =>
  (await hub.call<Items<QuarantinedFrame>>("GET", `/api/v1/quarantine${query}`)).body;

const samplesOf = async (hub: TestHub, tagNo: number) => {
  const { body } = await hub.call<RawSamples>("GET", `/api/v1/samples?tag=${tagNo}&${RANGE}`);
  return { items: itemsOf(body.series[0]!), gaps: body.gaps };
};

const actions = async (hub: TestHub) =>
  (await hub.database.sql`SELECT action FROM audit ORDER BY no`).map(
    ({ action }: { action: string }) => action,
  );

test("events: newest first, by gateway, code and time, page by page", async () => {
  await using hub = await testHub();
  const { gateway, other, put } = await plant(hub);
  await put(eventFrame(1, [NOW, NOW, NOW + 1], "buffer.filling"));
  await put(eventFrame(2, [NOW + 2], "buffer.relaxed"));
  const ask = async (query: string) => {
    const { status, body } = await hub.call<Items<EventRow>>("GET", `/api/v1/events?${query}`);
    expect(status).toBe(200);
    return body;
  };
  const all = await ask("");
  expect(all.items.map(({ time }) => Date.parse(time) - NOW)).toEqual([2, 1, 0, 0]);
  expect(all.items[0]).toMatchObject({ gatewayId: gateway.id, gatewayName: "GW", data: { seq: 2 } });
  const first = await ask("limit=3");
  const second = await ask(`limit=3&cursor=${first.nextCursor}`);
  expect([...first.items, ...second.items]).toEqual(all.items);
  expect(second.nextCursor).toBeNull();
  expect((await ask("code=buffer.relaxed,gateway.started")).items).toHaveLength(1);
  expect((await ask(`gateway=${other.id}`)).items).toEqual([]);
  expect((await ask(`from=${iso(NOW + 1)}&to=${iso(NOW + 2)}`)).items).toHaveLength(1);
  for (const wrong of ["cursor=x", "code=;", "from=2026-02-31"])
    expect((await hub.call("GET", `/api/v1/events?${wrong}`)).status).toBe(422);
  expect((await hub.ask("/api/v1/events")).status).toBe(401);
});

test("gaps: by gateway, tag, cause and time, page by page", async () => {
  await using hub = await testHub();
  const { gateway, other, tagNo, put } = await plant(hub);
  await put(gapFrame(1, NOW, "overflow"));
  await put(gapFrame(2, NOW + 1_000, "hubRestore"));
  const ask = async (query: string) => (await hub.call<Items<GapRow>>("GET", `/api/v1/gaps?${query}`)).body;
  const all = await ask(`gateway=${gateway.id}`);
  expect(all.items.map(({ cause, samples }) => [cause, samples])).toEqual([
    ["hubRestore", 5],
    ["overflow", 5],
  ]);
  const first = await ask("limit=1");
  expect((await ask(`limit=1&cursor=${first.nextCursor}`)).items).toEqual([all.items[1]!]);
  expect((await ask(`tag=${tagNo}`)).items).toEqual(all.items);
  expect((await ask("tag=4000000")).items).toEqual([]);
  expect((await ask("cause=overflow")).items).toHaveLength(1);
  expect((await ask(`gateway=${other.id}`)).items).toEqual([]);
  expect((await ask(`from=${iso(NOW + 11)}`)).items).toHaveLength(1);
});

test("a gap at no time at all is kept aside instead of breaking every reader", async () => {
  await using hub = await testHub();
  const { put } = await plant(hub);
  await put(gapFrame(1, 1e300, "overflow"));
  expect((await held(hub)).items[0]).toMatchObject({ code: "frame.garbled", first: 1 });
  expect((await hub.call("GET", "/api/v1/gaps")).status).toBe(200);
});

test("a frame that today's hub understands takes its place in the journal, once, and in the audit", async () => {
  await using hub = await testHub();
  const { gateway, tagNo, put } = await plant(hub);
  const bytes = frame(1, [series(tagNo, [NOW], [42])]);
  await put(bytes);
  await lock(hub, 1);
  hub.ingest.latest.cache.offer({ tagNo, value: 0, quality: 0, timeMs: NOW - 1 }, NOW);
  const { items } = await held(hub, `?gateway=${gateway.id}`);
  expect(items).toHaveLength(1);
  const { id } = items[0]!;
  expect(items[0]).toMatchObject({ gatewayName: "GW", lane: "H", samples: 1, bytes: bytes.length });
  const exported = await hub.ask(`/api/v1/quarantine/${id}/body`, {
    headers: { authorization: `Bearer ${"k".repeat(40)}` },
  });
  expect(exported.headers.get("content-type")).toBe("application/octet-stream");
  expect(Buffer.from(await exported.arrayBuffer()).equals(bytes)).toBe(true);
  expect((await samplesOf(hub, tagNo)).items).toEqual([]);
  const retried = await hub.call("POST", `/api/v1/quarantine/${id}/retry`);
  expect(retried.body).toEqual({ kind: "data", samples: 1 });
  expect((await samplesOf(hub, tagNo)).items.map(({ value }) => value)).toEqual([42]);
  expect(hub.ingest.latest.cache.read(tagNo)?.newest?.value).toBe(42);
  expect((await held(hub)).items).toEqual([]);
  expect((await hub.call("POST", `/api/v1/quarantine/${id}/retry`)).status).toBe(404);
  expect((await actions(hub)).at(-1)).toBe("quarantine.retry");
  expect(await verifyAudit(hub.database.db)).toBeNull();
});

test("a frame that still cannot be used stays, and says why", async () => {
  await using hub = await testHub();
  const { put } = await plant(hub);
  await put(frame(1, new Uint8Array(50).fill(7)));
  const [{ id }] = (await held(hub)).items as [QuarantinedFrame];
  const retried = await hub.call("POST", `/api/v1/quarantine/${id}/retry`);
  expect([retried.status, retried.body.code]).toEqual([422, "block.garbled"]);
  expect((await held(hub)).items).toHaveLength(1);
  expect(await actions(hub)).not.toContain("quarantine.retry");
});

test("a deleted frame leaves a gap and a line in the audit", async () => {
  await using hub = await testHub();
  const { put } = await plant(hub);
  await put(frame(1, new Uint8Array(50).fill(7), { wallMs: NOW, sampleCount: 9 }));
  await put(frame(2, new Uint8Array(50).fill(7), { wallMs: NOW }));
  const first = await held(hub, "?limit=1");
  const second = await held(hub, `?limit=1&cursor=${first.nextCursor}`);
  const ids = [first, second].flatMap(({ items }) => items.map((item) => [item.first, item.id] as const));
  const id = new Map(ids).get(1)!;
  expect(ids).toHaveLength(2);
  expect((await hub.call("DELETE", `/api/v1/quarantine/${id}`)).body).toEqual({ id });
  expect((await hub.call("DELETE", `/api/v1/quarantine/${id}`)).status).toBe(404);
  expect((await hub.call("DELETE", "/api/v1/quarantine/nonsense")).status).toBe(422);
  const gaps = (await hub.call<Items<GapRow>>("GET", "/api/v1/gaps")).body.items;
  expect(gaps).toMatchObject([{ cause: "quarantine", samples: 9, from: iso(NOW) }]);
  expect((await actions(hub)).at(-1)).toBe("quarantine.delete");
});
