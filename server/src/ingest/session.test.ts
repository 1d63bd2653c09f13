import { expect, test } from "bun:test";
import { generateKeyPairSync } from "node:crypto";
import { joinEnvelope } from "@millrace/contract/wire/frame";
import { LIMITS } from "@millrace/contract/wire/limits";
import { FakeGateway, frame, series } from "../../test/fake-gateway.ts";
import { historyOf } from "../../test/history.ts";
import { helloOf, type IngestHub, ingestHub, type KnownGateway } from "../../test/ingest-hub.ts";
import { CLOSE } from "./close-code.ts";
import { zstd } from "./zstd.ts";

const NOW = Date.UTC(2026, 10, 23, 10);

const stored = async (hub: IngestHub, tagNo: number) =>
  (await historyOf(hub, tagNo, NOW - 3_600_000, NOW + 7_200_000)).items.map(({ value }) => value);

const journalRows = async (hub: IngestHub) =>
  Number((await hub.database.sql`SELECT count(*)::int AS n FROM journal`)[0].n);

/** One sample of the gateway's first tag; its value is the frame's number. */
const counted = (known: KnownGateway, seq: number) =>
  frame(seq, [series(known.tagNos[0]!, [NOW + seq * 1_000], [seq])]);

test("frames are acknowledged after the commit, and come back as samples", async () => {
  await using hub = await ingestHub();
  const known = await hub.addGateway("A", 2);
  const { fake, welcome } = await FakeGateway.welcomed(hub, known);
  using _ = fake;
  expect(welcome.streams).toEqual([{ lane: "H", seg: 1, hwm: 0 }]);
  fake.send(joinEnvelope([1, 2, 3].map((seq) => counted(known, seq))));
  expect(await fake.next("ack")).toMatchObject({ lane: "H", seg: 1, hwm: 3 });
  expect(await journalRows(hub)).toBe(3);
  expect(await stored(hub, known.tagNos[0]!)).toEqual([1, 2, 3]);
  expect(hub.ingest.latest.cache.read(known.tagNos[0]!)?.newest).toMatchObject({
    value: 3,
    timeMs: NOW + 3_000,
  });
});

test("repeated frames are acknowledged and stored once; overlap and gap are told the expected number", async () => {
  await using hub = await ingestHub();
  const known = await hub.addGateway("A", 1);
  const { fake } = await FakeGateway.welcomed(hub, known);
  using _ = fake;
  const frames = [1, 2, 3, 4].map((seq) => counted(known, seq));
  fake.send(joinEnvelope(frames.slice(0, 2)));
  await fake.next("ack");
  fake.send(joinEnvelope(frames.slice(0, 2)));
  expect((await fake.next("ack")).hwm).toBe(2);
  fake.send(joinEnvelope(frames.slice(1, 3)));
  expect((await fake.next("ack")).hwm).toBe(3);
  fake.send(counted(known, 6));
  expect(await fake.next("nack")).toMatchObject({ code: "frame.gap", seq: 6, expected: 4 });
  fake.send(frames[3]!);
  expect((await fake.next("ack")).hwm).toBe(4);
  expect(await stored(hub, known.tagNos[0]!)).toEqual([1, 2, 3, 4]);
});

test("the same number with other content ends the session and overwrites nothing", async () => {
  await using hub = await ingestHub();
  const known = await hub.addGateway("A", 1);
  const { fake } = await FakeGateway.welcomed(hub, known);
  using _ = fake;
  fake.send(counted(known, 1));
  await fake.next("ack");
  fake.send(frame(1, [series(known.tagNos[0]!, [NOW], [99])]));
  expect((await fake.next("bye")).code).toBe("uplink.sequenceConflict");
  expect(await fake.closed()).toBe(CLOSE.conflict);
  expect(await stored(hub, known.tagNos[0]!)).toEqual([1]);
});

test("a flipped bit is refused by its number; what stood before it is kept", async () => {
  await using hub = await ingestHub();
  const known = await hub.addGateway("A", 1);
  const { fake } = await FakeGateway.welcomed(hub, known);
  using _ = fake;
  const bytes = joinEnvelope([1, 2].map((seq) => counted(known, seq)));
  bytes[bytes.length - 3]! ^= 0x10;
  fake.send(bytes);
  expect((await fake.next("ack")).hwm).toBe(1);
  expect(await fake.next("nack")).toMatchObject({ code: "frame.garbled", seq: 2, expected: 2 });
  fake.send(counted(known, 2));
  expect((await fake.next("ack")).hwm).toBe(2);
});

test("good checksum, unusable content: kept in quarantine, and the next frame is applied", async () => {
  await using hub = await ingestHub();
  const known = await hub.addGateway("A", 1);
  const { fake } = await FakeGateway.welcomed(hub, known);
  using _ = fake;
  fake.send(joinEnvelope([frame(1, new Uint8Array(50).fill(7)), counted(known, 2)]));
  expect((await fake.next("ack")).hwm).toBe(2);
  const rows = await hub.database
    .sql`SELECT first::int, code, octet_length(body) AS bytes FROM ingest_quarantine`;
  expect(rows.map(({ first, code }: { first: number; code: string }) => [first, code])).toEqual([
    [1, "block.garbled"],
  ]);
  expect(await stored(hub, known.tagNos[0]!)).toEqual([2]);
});

test("a gateway cannot write the tags of another", async () => {
  await using hub = await ingestHub();
  const [own, other] = [await hub.addGateway("A", 1), await hub.addGateway("B", 1)];
  const { fake } = await FakeGateway.welcomed(hub, own);
  using _ = fake;
  fake.send(frame(1, [series(other.tagNos[0]!, [NOW], [666])]));
  await fake.next("ack");
  expect(hub.ingest.latest.cache.read(other.tagNos[0]!)?.newest).toBeNull();
  expect(await stored(hub, other.tagNos[0]!)).toEqual([]);
});

test("S41: every wrong hello gets the same answer", async () => {
  await using hub = await ingestHub();
  const known = await hub.addGateway("A", 1);
  const stranger = { ...known, key: generateKeyPairSync("ed25519").privateKey };
  const tries = [
    (c: { nonce: string; hubId: string }) => helloOf(stranger, c),
    (c: { nonce: string; hubId: string }) => helloOf(known, { ...c, nonce: "A".repeat(43) }),
    (c: { nonce: string; hubId: string }) => helloOf(known, { ...c, hubId: known.id }),
    (c: { nonce: string; hubId: string }) => helloOf({ ...known, id: Bun.randomUUIDv7() }, c),
    (c: { nonce: string; hubId: string }) => helloOf(known, c, { keyId: "other" }),
  ];
  const answers = new Set<string>();
  for (const make of tries) {
    using fake = new FakeGateway(hub.url);
    fake.say(make(await fake.next("challenge")));
    answers.add(JSON.stringify(await fake.next("bye")));
    expect(await fake.closed()).toBe(CLOSE.refused);
  }
  expect([...answers]).toHaveLength(1);
});

test("a lost buffer begins a higher epoch; the old one is closed for good", async () => {
  await using hub = await ingestHub();
  const known = await hub.addGateway("A", 1);
  const first = await FakeGateway.welcomed(hub, known);
  first.fake.send(counted(known, 1));
  await first.fake.next("ack");
  const { fake, welcome } = await FakeGateway.welcomed(hub, known, { epoch: 2, sessionNo: 2 });
  using _ = fake;
  expect(welcome.streams[0]?.hwm).toBe(0);
  fake.send(frame(1, [series(known.tagNos[0]!, [NOW + 50_000], [50])], { epoch: 2 }));
  expect((await fake.next("ack")).hwm).toBe(1);
  using old = new FakeGateway(hub.url);
  old.say(helloOf(known, await old.next("challenge"), { epoch: 1, sessionNo: 3 }));
  expect((await old.next("renewEpoch")).epoch).toBe(3);
  expect(await stored(hub, known.tagNos[0]!)).toEqual([1, 50]);
});

test("S42: a second session takes over, a revoked one ends within five seconds", async () => {
  await using hub = await ingestHub();
  const known = await hub.addGateway("A", 1);
  const one = await FakeGateway.welcomed(hub, known);
  const two = await FakeGateway.welcomed(hub, known, { sessionNo: 2 });
  using _ = two.fake;
  expect(await one.fake.closed()).toBe(CLOSE.conflict);
  expect(hub.ingest.sessions.linkOf(known.id).linkState).toBe("up");
  await hub.database.sql`UPDATE gateway SET enrolment = 'revoked' WHERE id = ${known.id}`;
  expect(await two.fake.closed(5_000)).toBe(CLOSE.refused);
  expect(hub.ingest.sessions.linkOf(known.id).linkState).toBe("down");
});

test("the database goes away under a commit: neither ack nor nack, and the truth after the next welcome", async () => {
  await using hub = await ingestHub();
  const known = await hub.addGateway("A", 1);
  const { fake } = await FakeGateway.welcomed(hub, known);
  using _ = fake;
  await hub.database.sql.begin(async (tx) => {
    await tx`LOCK TABLE journal IN ACCESS EXCLUSIVE MODE`;
    fake.send(counted(known, 1));
    await Bun.sleep(200);
    expect(fake.heard.map(({ type }) => type)).not.toContain("ack");
    await tx`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%WITH moved%' AND pid <> pg_backend_pid()`;
  });
  expect((await fake.next("bye")).code).toBe("uplink.busy");
  expect(fake.heard.map(({ type }) => type)).not.toContain("nack");
  const again = await FakeGateway.welcomed(hub, known, { sessionNo: 2 });
  using __ = again.fake;
  expect(again.welcome.streams[0]?.hwm).toBe(0);
  again.fake.send(counted(known, 1));
  expect((await again.fake.next("ack")).hwm).toBe(1);
  expect(await stored(hub, known.tagNos[0]!)).toEqual([1]);
});

test("latest values survive a restart that stored nothing", async () => {
  await using hub = await ingestHub();
  const known = await hub.addGateway("A", 1);
  const { fake } = await FakeGateway.welcomed(hub, known);
  using _ = fake;
  fake.send(joinEnvelope([1, 2].map((seq) => counted(known, seq))));
  await fake.next("ack");
  const { LatestKeeper } = await import("../modules/latest/keeper.ts");
  const { systemClock } = await import("@millrace/contract/std/clock");
  const fresh = new LatestKeeper({ sql: hub.database.sql, clock: systemClock, compression: zstd });
  await fresh.start();
  expect(fresh.cache.read(known.tagNos[0]!)?.newest).toMatchObject({ value: 2 });
  await fresh.stop();
});

test("garbage of every kind ends that session alone", async () => {
  await using hub = await ingestHub();
  const known = await hub.addGateway("A", 1);
  const { fake } = await FakeGateway.welcomed(hub, known);
  using _ = fake;
  const strange = [
    "{",
    "null",
    '{"type":"launch"}',
    '{"type":"hello"}',
    "x".repeat(LIMITS.uplinkTextBytesMax + 1),
  ];
  for (const text of strange) {
    using other = new FakeGateway(hub.url);
    await other.next("challenge");
    other.say(text);
    // What is too long never reaches the session: the runtime ends the socket.
    expect(await other.closed()).toBe(text.length > LIMITS.uplinkTextBytesMax ? 1009 : CLOSE.protocol);
    expect((await other.next("bye").catch(() => null))?.code ?? "uplink.protocol").toBe("uplink.protocol");
  }
  fake.send(counted(known, 1));
  expect((await fake.next("ack")).hwm).toBe(1);
}, 60_000);

test("S02: a browser has no business at the uplink", async () => {
  await using hub = await ingestHub();
  using fake = new FakeGateway(hub.url, { origin: "https://evil.example" });
  expect(await fake.closed()).toBeGreaterThan(0);
  expect(fake.heard).toEqual([]);
});

test("of manifests made in one moment the gateway gets the newest", async () => {
  await using hub = await ingestHub();
  const known = await hub.addGateway("A", 1);
  const { fake } = await FakeGateway.welcomed(hub, known);
  using _ = fake;
  const signed = { json: "{}", sha256: "0".repeat(64), signature: "A".repeat(86) };
  for (const rev of [1, 2, 3])
    hub.ingest.sessions.offer(known.id, { rev, signed: { ...signed, json: String(rev) } });
  expect((await fake.next("manifest")).signed.json).toBe("3");
  await Bun.sleep(500);
  expect(fake.heard.filter(({ type }) => type === "manifest")).toHaveLength(1);
});

test("S05: a gateway that floods its session is thrown out, and another goes on", async () => {
  await using hub = await ingestHub();
  const [wild, calm] = [await hub.addGateway("A", 1), await hub.addGateway("B", 1)];
  const { fake: noisy } = await FakeGateway.welcomed(hub, wild);
  const { fake: quiet } = await FakeGateway.welcomed(hub, calm);
  using _ = quiet;
  for (let i = 0; i < 1_000; i++) noisy.say({ type: "hb", wallMs: NOW });
  expect(await noisy.closed()).toBe(CLOSE.tooMany);
  quiet.send(counted(calm, 1));
  expect((await quiet.next("ack")).hwm).toBe(1);
});
