import { expect, test } from "bun:test";
import { systemClock } from "@millrace/contract/std/clock";
import { encodeEvents, type GatewayEvent } from "@millrace/contract/wire/event";
import type { FrameHeader } from "@millrace/contract/wire/frame";
import { encodeRollup } from "@millrace/contract/wire/rollup";
import { FakeGateway, frame, series } from "../../test/fake-gateway.ts";
import { historyOf } from "../../test/history.ts";
import { type IngestHub, ingestHub, type KnownGateway } from "../../test/ingest-hub.ts";
import { LatestKeeper } from "../modules/latest/keeper.ts";
import { zstd } from "./zstd.ts";

const NOW = Date.UTC(2026, 10, 23, 10);
const iso = (ms: number) => new Date(ms).toISOString();

const history = (hub: IngestHub, tag: number, fromMs = NOW, toMs = NOW + 3_600_000) =>
  historyOf(hub, tag, fromMs, toMs);

const event = (change: Partial<GatewayEvent> = {}): GatewayEvent => ({
  timeMs: NOW,
  code: "gateway.started",
  severity: "info",
  message: "Boot 1 began.",
  data: { bootNo: 1 },
  ...change,
});

const eventsFrame = (seq: number, events: GatewayEvent[], change: Partial<FrameHeader> = {}) =>
  frame(seq, encodeEvents(events), {
    kind: "events",
    lane: "E",
    blockVersion: 0,
    compression: "none",
    sampleCount: events.length,
    ...change,
  });

const rollupFrame = (known: KnownGateway, seq: number, sampleCount: number) => {
  const tagNo = known.tagNos[0]!;
  const body = encodeRollup(
    {
      kept: [series(tagNo, [NOW, NOW + 9_000], [1, 9])],
      means: [series(tagNo, [NOW], [5])],
      counts: [series(tagNo, [NOW], [sampleCount])],
    },
    zstd,
  );
  return frame(seq, body, { kind: "rollup", last: seq + 3, sampleCount });
};

const twoStreams = {
  streams: [
    { lane: "H" as const, seg: 1, low: 1, next: 1_000_000, acked: 0 },
    { lane: "E" as const, seg: 1, low: 1, next: 1_000_000, acked: 0 },
  ],
};

test("a rollup: its true samples are read and shown, the rest is a thinned gap, the range is covered", async () => {
  await using hub = await ingestHub();
  const known = await hub.addGateway("A", 1);
  const { fake } = await FakeGateway.welcomed(hub, known);
  using _ = fake;
  fake.send(rollupFrame(known, 1, 10));
  expect((await fake.next("ack")).hwm).toBe(4);
  const tagNo = known.tagNos[0]!;
  const { items, gaps } = await history(hub, tagNo);
  expect(items.map(({ value }) => value)).toEqual([1, 9]);
  expect(gaps).toEqual([{ from: iso(NOW), to: iso(NOW + 9_000), cause: "thinned", samples: 8 }]);
  expect(hub.ingest.latest.cache.read(tagNo)?.newest?.value).toBe(9);
  const fresh = new LatestKeeper({ sql: hub.database.sql, clock: systemClock, compression: zstd });
  await fresh.start();
  expect(fresh.cache.read(tagNo)?.newest?.value).toBe(9);
  await fresh.stop();
});

test("a rollup that announces fewer samples than it holds is kept in quarantine whole", async () => {
  await using hub = await ingestHub();
  const known = await hub.addGateway("A", 1);
  const { fake } = await FakeGateway.welcomed(hub, known);
  using _ = fake;
  fake.send(rollupFrame(known, 1, 1));
  expect((await fake.next("ack")).hwm).toBe(4);
  const rows = await hub.database.sql`SELECT code FROM ingest_quarantine`;
  expect(rows[0]).toEqual({ code: "block.garbled" });
  expect((await history(hub, known.tagNos[0]!)).gaps).toEqual([]);
});

test("events are stored with their mark, repeated ones once, whatever characters they hold", async () => {
  await using hub = await ingestHub();
  const known = await hub.addGateway("A", 1);
  const { fake } = await FakeGateway.welcomed(hub, known, twoStreams);
  using _ = fake;
  const bytes = eventsFrame(1, [
    event(),
    event({
      message: "zero \u0000 and half \ud800",
      deviceId: known.id,
      data: { text: "\u0000", share: 0.7 },
    }),
  ]);
  fake.send(bytes);
  expect(await fake.next("ack")).toMatchObject({ lane: "E", hwm: 1 });
  fake.send(bytes);
  await fake.next("ack");
  const rows = await hub.database.sql`
    SELECT seq::int, position, at, code, message, device_id, data FROM gateway_event ORDER BY position`;
  expect(rows.map((row: object) => ({ ...row }))).toEqual([
    {
      seq: 1,
      position: 0,
      at: NOW,
      code: "gateway.started",
      message: "Boot 1 began.",
      device_id: null,
      data: { bootNo: 1 },
    },
    {
      seq: 1,
      position: 1,
      at: NOW,
      code: "gateway.started",
      message: "zero \ufffd and half \ufffd",
      device_id: known.id,
      data: { text: "\ufffd", share: 0.7 },
    },
  ]);
});

test("events outside lane E and times nobody can show go into quarantine, and block nothing", async () => {
  await using hub = await ingestHub();
  const known = await hub.addGateway("A", 1);
  const { fake } = await FakeGateway.welcomed(hub, known, twoStreams);
  using _ = fake;
  fake.send(eventsFrame(1, [event()], { lane: "H" }));
  expect(await fake.next("ack")).toMatchObject({ lane: "H", hwm: 1 });
  fake.send(eventsFrame(1, [event({ timeMs: 1e300 })]));
  expect(await fake.next("ack")).toMatchObject({ lane: "E", hwm: 1 });
  expect((await hub.database.sql`SELECT count(*)::int AS n FROM ingest_quarantine`)[0].n).toBe(2);
  expect((await hub.database.sql`SELECT count(*)::int AS n FROM gateway_event`)[0].n).toBe(0);
});

/** Samples of a boot that began at 0 by its own clock, and the anchor that tells when that was. */
async function clockless(hub: IngestHub) {
  const known = await hub.addGateway("A", 1);
  const { fake } = await FakeGateway.welcomed(hub, known, twoStreams);
  const tagNo = known.tagNos[0]!;
  const blind = (seq: number, atMs: number) =>
    frame(seq, [series(tagNo, [atMs], [seq])], { clockQuality: "none", bootNo: 7, wallMs: atMs });
  const anchor = eventsFrame(2, [
    event({ code: "clock.anchored", timeMs: NOW, data: { bootNo: 7, offsetMs: NOW, quality: "ntp" } }),
  ]);
  const early = eventsFrame(1, [event({ timeMs: 500 })], { clockQuality: "none", bootNo: 7 });
  return { fake, tagNo, blind, anchor, early };
}

test("samples without a clock wait for the anchor of their boot, then stand where they belong", async () => {
  await using hub = await ingestHub();
  const { fake, tagNo, blind, anchor, early } = await clockless(hub);
  using _ = fake;
  fake.send(blind(1, 1_000));
  await fake.next("ack");
  fake.send(early);
  await fake.next("ack");
  expect(hub.ingest.latest.cache.read(tagNo)?.newest).toBeNull();
  expect((await history(hub, tagNo, 0, 10_000)).items).toEqual([
    { time: iso(1_000), value: 1, quality: "uncertain.clock" },
  ]);
  fake.send(anchor);
  await fake.next("ack");
  await hub.ingest.latest.settled();
  expect((await history(hub, tagNo)).items).toEqual([{ time: iso(NOW + 1_000), value: 1, quality: "good" }]);
  expect((await history(hub, tagNo, 0, 10_000)).items).toEqual([]);
  expect(hub.ingest.latest.cache.read(tagNo)?.newest).toMatchObject({ value: 1, timeMs: NOW + 1_000 });
  const events = await hub.database.sql`SELECT at FROM gateway_event ORDER BY seq`;
  expect(events.map(({ at }: { at: number }) => at)).toEqual([NOW + 500, NOW]);
  fake.send(blind(2, 2_000));
  await fake.next("ack");
  expect(hub.ingest.latest.cache.read(tagNo)?.newest).toMatchObject({ value: 2, timeMs: NOW + 2_000 });
  expect((await history(hub, tagNo)).items).toHaveLength(2);
});

test("an anchor whose work a crash cut off is finished at the next start", async () => {
  await using hub = await ingestHub();
  const { fake, tagNo, blind } = await clockless(hub);
  using _ = fake;
  fake.send(blind(1, 1_000));
  await fake.next("ack");
  const { sql } = hub.database;
  await sql`UPDATE uplink_stream SET latest_seq = last`;
  await sql`INSERT INTO boot_clock (gateway_no, boot_no, offset_ms, quality, at)
    SELECT gateway_no, 7, ${NOW}::float8, 'ntp', now() FROM gateway`;
  const fresh = new LatestKeeper({ sql, clock: systemClock, compression: zstd });
  await fresh.start();
  expect(fresh.cache.read(tagNo)?.newest).toMatchObject({ value: 1, timeMs: NOW + 1_000 });
  await fresh.stop();
  expect((await history(hub, tagNo)).items).toHaveLength(1);
});

test("a sample from the future is kept, served as uncertain, and never the latest", async () => {
  await using hub = await ingestHub();
  const known = await hub.addGateway("A", 1);
  const { fake } = await FakeGateway.welcomed(hub, known);
  using _ = fake;
  const aheadMs = systemClock.nowMs() + 3_600_000;
  fake.send(frame(1, [series(known.tagNos[0]!, [NOW, aheadMs], [1, 2])]));
  await fake.next("ack");
  const { items } = await history(hub, known.tagNos[0]!, NOW, aheadMs + 1);
  expect(items.map(({ value, quality }) => [value, quality])).toEqual([
    [1, "good"],
    [2, "uncertain.clock"],
  ]);
  expect(hub.ingest.latest.cache.read(known.tagNos[0]!)?.newest?.value).toBe(1);
});
