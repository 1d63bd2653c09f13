import { afterAll, beforeAll, expect, test } from "bun:test";
import type { DataQuality, QualityWindow } from "@millrace/contract/api/data-quality";
import type { Series } from "@millrace/contract/block/series";
import { systemClock } from "@millrace/contract/std/clock";
import { QUALITY } from "@millrace/contract/vocabulary/quality";
import { series } from "../../../test/fake-gateway.ts";
import { Levels } from "../../../test/history-levels.ts";
import { type IngestHub, ingestHub, type KnownGateway } from "../../../test/ingest-hub.ts";
import { zstd } from "../../ingest/zstd.ts";
import { createDataQuality } from "./service.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** Ten in the morning of yesterday, UTC, and the minute until what is due has settled. */
const TODAY = Math.floor(systemClock.nowMs() / DAY) * DAY - DAY;
const NOW = TODAY + 10 * HOUR + MINUTE;

let hub: IngestHub;
beforeAll(async () => {
  hub = await ingestHub();
}, 60_000);
afterAll(async () => await hub?.[Symbol.asyncDispose]());

/** Asks as if it were ten o'clock, with nothing remembered from before. */
const ask = (query: {
  gatewayId?: string;
  deviceId?: string;
  window?: QualityWindow;
  cursor?: string;
  limit?: number;
}) =>
  createDataQuality({
    sql: hub.database.sql,
    clock: { ...systemClock, nowMs: () => NOW },
    compression: zstd,
    board: hub.ingest.coverage.board,
    latest: hub.ingest.latest.cache,
  })(query, "whole");

async function gatewayOf(name: string, tagCount: number, sinceMs: number): Promise<KnownGateway> {
  const known = await hub.addGateway(name, tagCount);
  await hub.ingest.coverage.tagsChanged(null);
  const listed = `{${known.tagNos.join(",")}}`;
  await hub.database
    .sql`UPDATE tag SET interpolation = 'linear' WHERE tag_no = ANY(${listed}::text::bigint[])`;
  await hub.database.sql`UPDATE coverage_tag SET since = ${new Date(sinceMs)}
    WHERE tag_no = ANY(${listed}::text::bigint[])`;
  return known;
}

/** A sample in every minute of [fromMs, toMs). */
function everyMinute(tagNo: number, fromMs: number, toMs: number, value: (i: number) => number): Series {
  const times = Array.from({ length: (toMs - fromMs) / MINUTE }, (_, i) => fromMs + i * MINUTE + 500);
  return series(
    tagNo,
    times,
    times.map((_, i) => value(i)),
  );
}

/** Marks as the intake makes them, without storing the samples. */
function mark(known: KnownGateway, fromMs: number, toMs: number, tagNos = known.tagNos): void {
  for (const tagNo of tagNos)
    for (let ms = fromMs; ms < toMs; ms += MINUTE)
      hub.ingest.coverage.board.mark(known.gatewayNo, tagNo, ms / MINUTE, true);
}

const offer = (tagNo: number, ageMs: number, quality: number = QUALITY.good) =>
  hub.ingest.latest.cache.offer({ tagNo, value: 1, quality, timeMs: NOW - ageMs }, NOW);

const rounded = (answer: DataQuality, of: "gateway" | 0 = 0) => {
  const { scores } = of === "gateway" ? answer.gateway! : answer.items[of]!;
  return Object.values(scores).map(({ percent, why }) =>
    percent === null ? why : Math.round(percent * 100) / 100,
  );
};

test("five scores of a device and its gateway from stored figures, marks and the newest values", async () => {
  const known = await gatewayOf("Full", 2, TODAY - 3 * DAY);
  const [one, two] = known.tagNos as [number, number];
  const levels = new Levels(hub.database, known.gatewayNo, known.tagNos);
  const fromMs = NOW - MINUTE - DAY;
  // The window is 10:00 to 10:00. Out of range for 2 of 24 hours, bad for 1, and no power for 1.
  const moving = everyMinute(one, fromMs, NOW - MINUTE, (i) => 20 + Math.sin(i));
  moving.quality.fill(QUALITY["uncertain.outOfRange"], 0, 120).fill(QUALITY["bad.linkLost"], 120, 180);
  const still = everyMinute(two, fromMs, NOW - MINUTE - HOUR, () => 4);
  await levels.minutes([moving, still]);
  for (let hour = fromMs / HOUR; hour < (NOW - MINUTE) / HOUR; hour++) await levels.closeHour(hour);
  mark(known, fromMs, NOW - MINUTE, [one]);
  mark(known, fromMs, NOW - MINUTE - HOUR, [two]);
  // Before the window: of no interest to it.
  mark(known, fromMs - HOUR, fromMs);
  offer(one, 12_000);
  offer(two, 60_000);
  const answer = await ask({ gatewayId: known.id });
  expect([answer.from, answer.to]).toEqual([
    new Date(fromMs).toISOString(),
    new Date(NOW - MINUTE).toISOString(),
  ]);
  const [usable, bad] = [1_440 - 60 + 1_380, 60];
  const wanted = [
    (usable - 120) / usable,
    2_820 / 2_880,
    usable / (usable + bad),
    // The tag that stands still to the last bit counts for nothing.
    1_439 / 2_878,
    (1 + 60 / 90) / 2,
    1_439 / 2_878,
  ].map((share) => Math.round(share * 1e4) / 100);
  expect(rounded(answer)).toEqual(wanted);
  expect(answer.items[0]).toMatchObject({
    deviceName: "Full",
    tagCount: 2,
    uncertainSamples: 120,
    badSamples: 60,
    missingMinutes: 60,
    frozenTags: 1,
    staleTags: 1,
    scores: { overall: { weakest: "consistency" } },
  });
  expect(rounded(answer, "gateway")).toEqual(wanted);
  // What the gateway lost and what lies in quarantine is its own.
  const { sql } = hub.database;
  await sql`INSERT INTO gap (gateway_no, epoch, lane, seg, first, last, n, t_min, t_max, cause) VALUES
    (${known.gatewayNo}, 1, 'H', 1, 1, 1, 60, ${NOW - HOUR}, ${NOW - HOUR + 1}, 'overflow'),
    (${known.gatewayNo}, 1, 'H', 1, 2, 2, 500, ${NOW - HOUR}, ${NOW - HOUR + 1}, 'thinned'),
    (${known.gatewayNo}, 1, 'H', 1, 3, 3, 500, ${NOW - 9 * DAY}, ${NOW - 8 * DAY}, 'overflow')`;
  const later = await ask({ gatewayId: known.id });
  expect(later.gateway).toMatchObject({
    lostSamples: 60,
    quarantinedSamples: 0,
    deviceCount: 1,
    clock: null,
  });
  expect(rounded(later, "gateway")[2]).toBe(Math.round((usable / (usable + bad + 60)) * 1e4) / 100);
  expect(rounded(later)[2]).toBe(wanted[2]!);
  // Once the day is closed its figures come from one row, and a week that begins before the tag counts the same.
  const before = (await ask({ deviceId: later.items[0]!.deviceId, window: "7d" })).items[0];
  await levels.closeDay((TODAY - DAY) / DAY);
  expect((await sql`SELECT count(*)::int AS n FROM history`)[0].n).toBe(2);
  const week = await ask({ deviceId: later.items[0]!.deviceId, window: "7d" });
  expect(week.items[0]).toEqual(before!);
  expect(week.items[0]).toMatchObject({ uncertainSamples: 120, badSamples: 60, frozenTags: 1 });
  expect(week.items[0]!.scores.integrity).toMatchObject({ part: usable, of: usable + bad });
});

test("a device of which nothing came is 0 where that is known, and not known where it is not", async () => {
  const silent = await gatewayOf("Silent", 1, TODAY - DAY);
  // A bad sample of this very moment is no fresh value.
  offer(silent.tagNos[0]!, 0, QUALITY["bad.linkLost"]);
  const answer = await ask({ gatewayId: silent.id });
  expect(rounded(answer)).toEqual(["noSamples", 0, "noSamples", 100, 0, 0]);
  const young = await gatewayOf("Young", 1, NOW - 5_000);
  expect(rounded(await ask({ gatewayId: young.id }))).toEqual([
    "nothingDue",
    "nothingDue",
    "nothingDue",
    "nothingDue",
    "tooNew",
    "partUnknown",
  ]);
  // Minutes came, and their hour is not closed.
  mark(young, NOW - 42 * MINUTE, NOW);
  await hub.database
    .sql`UPDATE coverage_tag SET since = ${new Date(NOW - 41 * MINUTE)} WHERE tag_no = ${young.tagNos[0]!}`;
  offer(young.tagNos[0]!, 1_000);
  expect(rounded(await ask({ gatewayId: young.id }))).toEqual([
    "hoursOpen",
    100,
    "hoursOpen",
    100,
    100,
    "partUnknown",
  ]);
  // It stays worth what it was when a bad one comes after it.
  offer(young.tagNos[0]!, 0, QUALITY["bad.linkLost"]);
  expect(rounded(await ask({ gatewayId: young.id }))[4]).toBe(100);
  await hub.database.sql`UPDATE device SET enabled = false WHERE gateway_id = ${young.id}::uuid`;
  const off = await ask({ gatewayId: young.id });
  expect(rounded(off).slice(4)).toEqual(["deviceOff", "deviceOff"]);
  expect(rounded(off, "gateway")).toEqual(Array(6).fill("noTags"));
});

test("a removed tag keeps its past and has no present", async () => {
  const known = await gatewayOf("Removed", 2, TODAY - DAY);
  await hub.database
    .sql`UPDATE tag SET removed_at = ${new Date(NOW - MINUTE - 10 * HOUR)} WHERE tag_no = ${known.tagNos[1]!}`;
  offer(known.tagNos[0]!, 0);
  const { items } = await ask({ gatewayId: known.id });
  expect(items[0]).toMatchObject({ tagCount: 1, staleTags: 0 });
  expect(items[0]!.scores.completeness.of).toBe(1_440 + 14 * 60);
});

test("pages of devices go by path, the gateway comes with the first alone", async () => {
  const known = await gatewayOf("Many", 1, TODAY);
  const { sql } = hub.database;
  await sql`INSERT INTO device (id, name, profile_id, gateway_id, site_id, settings, enabled, path, revision)
    SELECT gen_random_uuid(), 'D' || i, profile_id, gateway_id, site_id, settings, true, path || '/' || lpad(i::text, 3, '0'), 1
    FROM device, generate_series(1, 24) i WHERE gateway_id = ${known.id}::uuid`;
  const seen: string[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < 10; page++) {
    const answer = await ask({ gatewayId: known.id, limit: 10, ...(cursor ? { cursor } : {}) });
    expect(answer.gateway === null).toBe(page > 0);
    seen.push(...answer.items.map(({ devicePath }) => devicePath));
    if (answer.nextCursor === null) break;
    cursor = answer.nextCursor;
  }
  expect(seen).toEqual([...new Set(seen)].sort());
  expect(seen).toHaveLength(25);
  const everything = await ask({});
  expect([everything.gateway, everything.items.length > 25]).toEqual([null, true]);
  const nobody = "01938f5e-7c1a-7b2e-9d30-6c1f0e2a4b55";
  await expect(ask({ gatewayId: nobody })).rejects.toThrow("gateway");
  await expect(ask({ deviceId: nobody })).rejects.toThrow("device");
  await expect(ask({ deviceId: nobody, gatewayId: nobody })).rejects.toThrow("not both");
});
