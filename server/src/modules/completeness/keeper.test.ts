import { afterAll, beforeAll, expect, test } from "bun:test";
import type { Completeness } from "@millrace/contract/api/completeness";
import { decodeColumns } from "@millrace/contract/block/decode";
import { encodeBlock } from "@millrace/contract/block/encode";
import type { Series } from "@millrace/contract/block/series";
import { systemClock } from "@millrace/contract/std/clock";
import { QUALITY } from "@millrace/contract/vocabulary/quality";
import { encodeEvents } from "@millrace/contract/wire/event";
import { encodeGap } from "@millrace/contract/wire/gap";
import { encodeRollup } from "@millrace/contract/wire/rollup";
import type { SQL } from "bun";
import { FakeGateway, frame, series } from "../../../test/fake-gateway.ts";
import { type IngestHub, ingestHub, type KnownGateway } from "../../../test/ingest-hub.ts";
import { zstd } from "../../ingest/zstd.ts";
import { CoverageKeeper } from "./keeper.ts";
import { type CompletenessQuery, completeness } from "./service.ts";

const MINUTE = 60_000;
const DAY = 1_440 * MINUTE;
/** Yesterday is over, so all of it is due. */
const YESTERDAY = Math.floor(systemClock.nowMs() / DAY) * DAY - DAY;
const day = (ms: number) => new Date(ms).toISOString().slice(0, 10);
const at = (minute: number) => YESTERDAY + minute * MINUTE;

let hub: IngestHub;
beforeAll(async () => {
  hub = await ingestHub();
}, 60_000);
afterAll(async () => await hub?.[Symbol.asyncDispose]());

const keeper = (sql = hub.database.sql) =>
  new CoverageKeeper({
    sql,
    clock: systemClock,
    compression: zstd,
    ownerOf: (tagNo) => hub.ingest.latest.cache.ownerOf(tagNo),
  });

const ask = (query: Partial<CompletenessQuery>, board = hub.ingest.coverage.board): Promise<Completeness> =>
  completeness(
    { sql: hub.database.sql, clock: systemClock, compression: zstd, board, links: hub.ingest.sessions },
    { from: day(YESTERDAY), to: day(YESTERDAY), ...query },
    "whole",
  );

/** A gateway whose tags exist since the start of yesterday, with its link up. */
async function gatewayOf(name: string, tagCount: number): Promise<KnownGateway> {
  const known = await hub.addGateway(name, tagCount);
  await hub.ingest.coverage.tagsChanged(null);
  await hub.database.sql`UPDATE coverage_tag SET since = ${new Date(YESTERDAY)}`;
  return known;
}

const minutes = (tagNo: number, from: number, to: number): Series => {
  const times = Array.from({ length: to - from }, (_, index) => at(from + index) + 500);
  return series(
    tagNo,
    times,
    times.map(() => 1),
  );
};

const bad = (given: Series): Series => ({ ...given, quality: given.quality.fill(QUALITY["bad.linkLost"]) });

const gapFrame = (seq: number, fromMinute: number, toMinute: number) =>
  frame(seq, encodeGap({ tMinMs: at(fromMinute), tMaxMs: at(toMinute) - 1, samples: 5, cause: "overflow" }), {
    kind: "gap",
    blockVersion: 0,
    compression: "none",
    sampleCount: 5,
  });

test("what came, what did not and why, for a gateway and for a tag", async () => {
  const known = await gatewayOf("A", 2);
  const [one, two] = known.tagNos as [number, number];
  const { fake } = await FakeGateway.welcomed(hub, known);
  using _ = fake;
  fake.send(frame(1, [minutes(one, 100, 1_440), bad(minutes(two, 0, 1_440))]));
  fake.send(frame(2, [minutes(one, 0, 20)]));
  fake.send(gapFrame(3, 20, 30));
  while ((await fake.next("ack")).hwm < 3);
  const whole = await ask({ gateway: known.id });
  expect(whole.days).toEqual([
    {
      day: day(YESTERDAY),
      expected: 2_880,
      received: 1_360,
      missing: 1_520,
      share: 1_360 / 2_880,
      thinned: 0,
      causes: {
        deviceOff: 1_440,
        overflow: 10,
        quarantine: 0,
        corrupt: 0,
        hubRestore: 0,
        stillArriving: 0,
        gatewayOff: 70,
      },
    },
  ]);
  expect([whole.tagCount, whole.stretches]).toEqual([2, null]);
  const single = await ask({ tag: one });
  const iso = (minute: number) => new Date(at(minute)).toISOString();
  expect(single.stretches).toEqual([
    { from: iso(20), to: iso(30), cause: "overflow" },
    { from: iso(30), to: iso(100), cause: "gatewayOff" },
  ]);
  // Local days an hour ahead of UTC: yesterday's first minute is their minute 60.
  const ahead = await ask({ tag: one, from: day(YESTERDAY), to: day(YESTERDAY), offsetMinutes: 60 });
  expect(ahead.days[0]).toMatchObject({ expected: 1_380, received: 1_300, missing: 80 });
  await hub.database
    .sql`UPDATE gateway SET health = ${{ outbox: { oldestUnsentMs: at(50) } }} WHERE id = ${known.id}`;
  expect((await ask({ tag: one })).days[0]!.causes).toMatchObject({ stillArriving: 50, gatewayOff: 20 });
});

test("after a crash nothing is missing and nothing counts twice", async () => {
  const known = await gatewayOf("B", 300);
  const { fake } = await FakeGateway.welcomed(hub, known);
  using _ = fake;
  const all = (from: number, to: number) => known.tagNos.map((tagNo) => minutes(tagNo, from, to));
  fake.send(frame(1, all(0, 10)));
  await fake.next("ack");
  await hub.ingest.coverage.save();
  fake.send(frame(2, all(10, 20)));
  fake.send(frame(3, all(5, 12)));
  while ((await fake.next("ack")).hwm < 3);
  const before = (await ask({ gateway: known.id })).days;
  expect(before[0]!.received).toBe(300 * 20);
  // A second hub on the same database knows what was stored, and the journal.
  const fresh = keeper();
  expect((await ask({ gateway: known.id }, fresh.board)).days[0]!.received).toBe(300 * 10);
  await fresh.start();
  await fresh.replayed();
  expect((await ask({ gateway: known.id }, fresh.board)).days).toEqual(before);
  await fresh.stop();
  const stored: { seq: string }[] = await hub.database.sql`
    SELECT seq::text FROM coverage_position WHERE gateway_no = ${known.gatewayNo} AND lane = 'H'`;
  expect(stored).toEqual([{ seq: "3" }]);
  const third = keeper();
  await third.start();
  await third.replayed();
  expect(third.board.get(known.gatewayNo, YESTERDAY / DAY, Math.floor(known.tagNos[0]! / 256))).toBeNull();
  expect((await ask({ gateway: known.id }, third.board)).days).toEqual(before);
  await third.stop();
});

test("whatever is stored, dropped and replayed when, the count is that of a plain set", async () => {
  const known = await gatewayOf("H", 3);
  const { fake } = await FakeGateway.welcomed(hub, known);
  using _ = fake;
  const { coverage } = hub.ingest;
  // A fixed sequence of chance, so that a failure comes back.
  let state = 2_026;
  const below = (limit: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff;
    return (state >>> 8) % limit;
  };
  const oracle = new Set<string>();
  for (let seq = 1; seq <= 40; seq++) {
    const blocks = known.tagNos.map((tagNo) => {
      const from = below(1_400);
      const to = from + 1 + below(40);
      for (let minute = from; minute < to; minute++) oracle.add(`${tagNo}/${minute}`);
      return minutes(tagNo, from, to);
    });
    fake.send(frame(seq, blocks));
    while ((await fake.next("ack")).hwm < seq);
    const what = below(4);
    if (what > 1) await coverage.save();
    if (what === 3) coverage.board.evict(Number.POSITIVE_INFINITY, 0);
    expect((await ask({ gateway: known.id })).days[0]!.received).toBe(oracle.size);
  }
  const fresh = keeper();
  await fresh.start();
  await fresh.replayed();
  expect((await ask({ gateway: known.id }, fresh.board)).days[0]!.received).toBe(oracle.size);
  await fresh.stop();
});

test("a day that left the memory is put together with what is stored", async () => {
  const known = await gatewayOf("C", 1);
  const tagNo = known.tagNos[0]!;
  const { fake } = await FakeGateway.welcomed(hub, known);
  using _ = fake;
  const { coverage } = hub.ingest;
  fake.send(frame(1, [minutes(tagNo, 0, 3)]));
  await fake.next("ack");
  await coverage.save();
  coverage.board.evict(Number.POSITIVE_INFINITY, 0);
  expect(coverage.board.rows).toBe(0);
  fake.send(frame(2, [minutes(tagNo, 10, 14)]));
  await fake.next("ack");
  expect((await ask({ tag: tagNo })).days[0]!.received).toBe(7);
  await coverage.save();
  coverage.board.evict(Number.POSITIVE_INFINITY, 0);
  expect((await ask({ tag: tagNo })).days[0]!.received).toBe(7);
});

test("minutes of a boot without a clock count when its times are known; lane L counts never", async () => {
  const known = await gatewayOf("D", 1);
  const tagNo = known.tagNos[0]!;
  const { fake } = await FakeGateway.welcomed(hub, known, {
    streams: (["H", "E", "L"] as const).map((lane) => ({ lane, seg: 1, low: 1, next: 1_000, acked: 0 })),
  });
  using _ = fake;
  fake.send(frame(1, [minutes(tagNo, 700, 800)], { lane: "L" }));
  fake.send(
    frame(1, [series(tagNo, [0, MINUTE, 2 * MINUTE], [1, 2, 3])], { clockQuality: "none", bootNo: 7 }),
  );
  await fake.next("ack");
  const { coverage } = hub.ingest;
  await coverage.save();
  expect((await ask({ tag: tagNo })).days[0]!.received).toBe(0);
  const anchored = {
    timeMs: systemClock.nowMs(),
    code: "clock.anchored",
    severity: "info" as const,
    message: "The clock is right now.",
    data: { bootNo: 7, offsetMs: at(100), quality: "hub" },
  };
  fake.send(
    frame(1, encodeEvents([anchored]), { kind: "events", lane: "E", blockVersion: 0, compression: "none" }),
  );
  await fake.next("ack");
  await hub.ingest.latest.settled();
  await coverage.save();
  expect((await ask({ tag: tagNo })).days[0]!.received).toBe(3);
  fake.send(frame(2, [series(tagNo, [3 * MINUTE], [4])], { clockQuality: "none", bootNo: 7 }));
  await fake.next("ack");
  expect((await ask({ tag: tagNo })).days[0]!.received).toBe(4);
  const boots: unknown[] = await hub.database
    .sql`SELECT 1 FROM coverage_boot WHERE gateway_no = ${known.gatewayNo} AND boot_no = 7`;
  expect(boots).toHaveLength(1);
});

test("thinned minutes are received, and said to be thinned", async () => {
  const known = await gatewayOf("E", 1);
  const tagNo = known.tagNos[0]!;
  const { fake } = await FakeGateway.welcomed(hub, known);
  using _ = fake;
  const body = encodeRollup(
    {
      kept: [series(tagNo, [at(3), at(4)], [1, 9])],
      means: [series(tagNo, [at(3), at(4)], [5, 9])],
      counts: [series(tagNo, [at(3), at(4)], [30, 30])],
    },
    zstd,
  );
  fake.send(frame(1, body, { kind: "rollup", last: 3, sampleCount: 60 }));
  fake.send(frame(4, [minutes(tagNo, 10, 20)]));
  while ((await fake.next("ack")).hwm < 4);
  expect((await ask({ tag: tagNo })).days[0]).toMatchObject({ received: 12, thinned: 2 });
});

test("with the database away marks stay in memory, and no position runs ahead of them", async () => {
  const known = await gatewayOf("G", 1);
  const tagNo = known.tagNos[0]!;
  const { sql } = hub.database;
  let away = false;
  const lost = () => Promise.reject(new Error("the database is away"));
  const flaky = Object.assign((...query: Parameters<SQL>) => (away ? lost() : sql(...query)), {
    begin: (work: (tx: SQL) => Promise<unknown>) => (away ? lost() : sql.begin(work)),
  }) as unknown as SQL;
  const lone = keeper(flaky);
  await lone.start();
  await lone.replayed();
  await lone.save();
  const columns = decodeColumns(encodeBlock([minutes(tagNo, 0, 5)], zstd), zstd);
  lone.absorb(known.gatewayNo, columns, 0);
  lone.reached(known.gatewayNo, 1, { lane: "H", seg: 9 }, 4);
  const stored = async (): Promise<number> => {
    const rows: unknown[] = await sql`SELECT 1 FROM coverage_position WHERE gateway_no = ${known.gatewayNo}`;
    return rows.length;
  };
  away = true;
  await lone.save();
  expect([await stored(), lone.board.dirty().length]).toEqual([0, 1]);
  away = false;
  await lone.save();
  expect([await stored(), lone.board.dirty().length]).toEqual([1, 0]);
  expect((await ask({ tag: tagNo })).days[0]!.received).toBe(5);
  await lone.stop();
});

test("a question that cannot be answered is refused with the reason", async () => {
  const known = await gatewayOf("F", 1);
  const codeOf = (query: Partial<CompletenessQuery>) =>
    ask(query).then(
      () => "none",
      (thrown: { code: string }) => thrown.code,
    );
  expect(await codeOf({})).toBe("request.invalid");
  expect(await codeOf({ tag: 1, gateway: known.id })).toBe("request.invalid");
  expect(await codeOf({ tag: 1, from: "2026-02-30" })).toBe("request.invalid");
  expect(await codeOf({ gateway: known.id, from: "2026-01-01", to: "2026-04-03" })).toBe("request.invalid");
  expect(await codeOf({ tag: 4_000_000_000 })).toBe("entity.missing");
  expect(await codeOf({ gateway: known.id, from: "2026-01-01", to: "2026-04-02" })).toBe("none");
});
