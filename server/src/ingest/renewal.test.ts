import { expect, test } from "bun:test";
import { joinEnvelope } from "@millrace/contract/wire/frame";
import { decodeKnownFrames } from "@millrace/contract/wire/known-frames";
import type { HelloBody } from "@millrace/contract/wire/uplink";
import { FakeGateway, frame, series } from "../../test/fake-gateway.ts";
import { helloOf, type IngestHub, ingestHub, type KnownGateway } from "../../test/ingest-hub.ts";
import { CLOSE } from "./close-code.ts";

const NOW = Date.UTC(2026, 10, 23, 10);

const counted = (known: KnownGateway, seq: number, epoch = 1, value = seq) =>
  frame(seq, [series(known.tagNos[0]!, [NOW + seq * 1_000], [value])], { epoch });

const crcOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset).getUint32(64, true);

/** Says hello and is told to renew; the hub then ends the session. */
async function renewedBy(hub: IngestHub, known: KnownGateway, change: Partial<HelloBody>) {
  using fake = new FakeGateway(hub.url);
  fake.say(helloOf(known, await fake.next("challenge"), change));
  const { epoch, streams } = await fake.next("renewEpoch");
  expect(await fake.closed()).toBe(CLOSE.renewed);
  return { epoch, known: streams.map(({ known: text }) => decodeKnownFrames(text)) };
}

const refusedBy = async (hub: IngestHub, known: KnownGateway, change: Partial<HelloBody>) => {
  using fake = new FakeGateway(hub.url);
  fake.say(helloOf(known, await fake.next("challenge"), change));
  return (await fake.next("bye")).code;
};

const stream = (next: number, acked: number) => [{ lane: "H" as const, seg: 1, low: 1, next, acked }];

const renewals = async (hub: IngestHub) =>
  (
    await hub.database
      .sql`SELECT from_epoch::int AS f, to_epoch::int AS t, reason FROM gateway_renewal ORDER BY to_epoch`
  ).map(({ f, t, reason }: { f: number; t: number; reason: string }) => [f, t, reason]);

/** A gateway with three frames at the hub, whose session has ended. */
async function withThree(hub: IngestHub) {
  const known = await hub.addGateway("A", 1);
  const { fake } = await FakeGateway.welcomed(hub, known, { sessionNo: 5 });
  const frames = [1, 2, 3].map((seq) => counted(known, seq));
  fake.send(joinEnvelope(frames));
  await fake.next("ack");
  fake[Symbol.dispose]();
  return { known, frames };
}

test("a gateway whose numbers would be used again begins a new epoch and learns what the hub has", async () => {
  await using hub = await ingestHub();
  const { known, frames } = await withThree(hub);
  const told = await renewedBy(hub, known, { sessionNo: 6, streams: stream(2, 1) });
  expect(told.epoch).toBe(2);
  expect(told.known).toEqual([[2, 3].map((seq) => ({ first: seq, crc: crcOf(frames[seq - 1]!) }))]);
  const { fake, welcome } = await FakeGateway.welcomed(hub, known, {
    epoch: 2,
    sessionNo: 7,
    streams: stream(1, 0),
  });
  using _ = fake;
  expect(welcome.streams[0]?.hwm).toBe(0);
  fake.send(counted(known, 1, 2));
  expect((await fake.next("ack")).hwm).toBe(1);
  expect(await renewals(hub)).toEqual([[1, 2, "sequence"]]);
});

test("an old image is known by its session number, and goes on counting from there", async () => {
  await using hub = await ingestHub();
  const { known } = await withThree(hub);
  expect((await renewedBy(hub, known, { sessionNo: 3, streams: stream(9, 3) })).epoch).toBe(2);
  const { fake } = await FakeGateway.welcomed(hub, known, { epoch: 2, sessionNo: 4 });
  using _ = fake;
  expect(await renewals(hub)).toEqual([[1, 2, "session"]]);
});

test("a gateway that died during its renewal gets the same epoch again, until somebody used it", async () => {
  await using hub = await ingestHub();
  const { known } = await withThree(hub);
  const change = { sessionNo: 6, streams: stream(2, 1) };
  const first = await renewedBy(hub, known, change);
  expect(await renewedBy(hub, known, { ...change, sessionNo: 7 })).toEqual(first);
  const { fake } = await FakeGateway.welcomed(hub, known, { epoch: 2, sessionNo: 8 });
  fake[Symbol.dispose]();
  expect((await renewedBy(hub, known, { ...change, sessionNo: 9 })).epoch).toBe(3);
  expect(await renewals(hub)).toEqual([
    [1, 2, "sequence"],
    [1, 3, "epoch"],
  ]);
});

test("other content under a known number: refused, and the next hello begins a new epoch", async () => {
  await using hub = await ingestHub();
  const known = await hub.addGateway("A", 1);
  const { fake } = await FakeGateway.welcomed(hub, known);
  using _ = fake;
  const stored = counted(known, 1);
  fake.send(stored);
  await fake.next("ack");
  fake.send(counted(known, 1, 1, 99));
  expect(await fake.next("bye")).toMatchObject({ code: "uplink.sequenceConflict", retryAfterMs: 2_000 });
  const told = await renewedBy(hub, known, { sessionNo: 2, streams: stream(2, 0) });
  expect(told.known).toEqual([[{ first: 1, crc: crcOf(stored) }]]);
  expect(await renewals(hub)).toEqual([[1, 2, "content"]]);
});

test("a renewal ends the session that runs in the epoch before", async () => {
  await using hub = await ingestHub();
  const known = await hub.addGateway("A", 1);
  const { fake } = await FakeGateway.welcomed(hub, known, { sessionNo: 5 });
  using _ = fake;
  await renewedBy(hub, known, { sessionNo: 5 });
  expect(await fake.closed()).toBe(CLOSE.conflict);
  expect(hub.ingest.sessions.linkOf(known.id).linkState).toBe("down");
});

test("the third renewal in five minutes is a clone: nobody is let in until a person trusts one", async () => {
  await using hub = await ingestHub();
  const known = await hub.addGateway("A", 1);
  const { fake: one } = await FakeGateway.welcomed(hub, known, { sessionNo: 5 });
  expect((await renewedBy(hub, known, { sessionNo: 5 })).epoch).toBe(2);
  const { fake: two } = await FakeGateway.welcomed(hub, known, { epoch: 2, sessionNo: 6 });
  expect((await renewedBy(hub, known, { sessionNo: 7 })).epoch).toBe(3);
  const { fake: three } = await FakeGateway.welcomed(hub, known, { epoch: 3, sessionNo: 8 });
  expect(await refusedBy(hub, known, { epoch: 2, sessionNo: 9 })).toBe("uplink.cloned");
  expect(await three.closed()).toBe(CLOSE.conflict);
  expect(await refusedBy(hub, known, { epoch: 3, sessionNo: 10 })).toBe("uplink.cloned");
  const { sql } = hub.database;
  expect((await sql`SELECT "from"->>'address' AS address FROM audit`)[0].address).toBe("127.0.0.1");
  expect((await sql`SELECT action FROM audit`).map(({ action }: { action: string }) => action)).toEqual([
    "gateway.cloned",
  ]);
  await sql`UPDATE gateway SET cloned_at = NULL, trusted_at = now()`;
  expect((await renewedBy(hub, known, { epoch: 2, sessionNo: 11 })).epoch).toBe(4);
  for (const fake of [one, two]) fake[Symbol.dispose]();
});

test("a hub set back is known by what the gateway had acknowledged, until it has all of it again", async () => {
  await using hub = await ingestHub();
  const known = await hub.addGateway("A", 1);
  const { findGateway } = await import("../modules/gateways/store.ts");
  const restoring = async () => (await findGateway(hub.database.db, known.id))?.restoring;
  const { fake, welcome } = await FakeGateway.welcomed(hub, known, { streams: stream(4, 2) });
  using _ = fake;
  expect(welcome.streams[0]?.hwm).toBe(0);
  expect(await restoring()).toBe(true);
  fake.send(counted(known, 1));
  await fake.next("ack");
  expect(await restoring()).toBe(true);
  fake.send(counted(known, 2));
  await fake.next("ack");
  expect(await restoring()).toBe(false);
});

test("of two hellos with one session number at the same moment one at most is welcomed", async () => {
  await using hub = await ingestHub();
  const known = await hub.addGateway("A", 1);
  const fakes = [new FakeGateway(hub.url), new FakeGateway(hub.url)];
  const hellos = await Promise.all(fakes.map(async (fake) => helloOf(known, await fake.next("challenge"))));
  fakes.forEach((fake, index) => {
    fake.say(hellos[index]);
  });
  await Bun.sleep(500);
  const heard = fakes.flatMap((fake) => fake.heard.map(({ type }) => type));
  expect(heard.filter((type) => type === "welcome")).toHaveLength(1);
  for (const fake of fakes) fake[Symbol.dispose]();
});

test("the highest command number a gateway showed is kept", async () => {
  await using hub = await ingestHub();
  const known = await hub.addGateway("A", 1);
  for (const [sessionNo, commandNo] of [
    [1, 7],
    [2, 3],
  ] as const) {
    const { fake } = await FakeGateway.welcomed(hub, known, { sessionNo, commandNo });
    fake[Symbol.dispose]();
  }
  expect((await hub.database.sql`SELECT command_no::int AS n FROM gateway`)[0].n).toBe(7);
});

test("a hello that comes after a younger one, from an older socket, is late and no old image", async () => {
  await using hub = await ingestHub();
  const known = await hub.addGateway("A", 1);
  const late = new FakeGateway(hub.url);
  const challenge = await late.next("challenge");
  const { fake } = await FakeGateway.welcomed(hub, known, { sessionNo: 6 });
  using _ = fake;
  late.say(helloOf(known, challenge, { sessionNo: 5 }));
  expect((await late.next("bye")).code).toBe("uplink.busy");
  expect(await renewals(hub)).toEqual([]);
  // The younger one lives on; and on a socket of its own, an old image is known for what it is.
  fake.send(counted(known, 1));
  expect((await fake.next("ack")).hwm).toBe(1);
  await renewedBy(hub, known, { sessionNo: 5 });
  expect(await renewals(hub)).toEqual([[1, 2, "session"]]);
  late[Symbol.dispose]();
});
