import { expect, setDefaultTimeout, test } from "bun:test";
import { decodeSettings } from "@millrace/contract/driver/settings";
import { AppError } from "@millrace/contract/error/app-error";
import { systemClock } from "@millrace/contract/std/clock";
import { Line } from "../../driver/cuttable-line.ts";
import type { Point, Session } from "../../driver/driver.ts";
import { keepInMemory } from "../../driver/keep.ts";
import { opcua } from "./index.ts";
import { opcuaPeer } from "./peer.ts";

setDefaultTimeout(process.env.MILLRACE_FUZZ === undefined ? 60_000 : 1_800_000);

/** More by `MILLRACE_FUZZ=10000`; the line is then spoilt that often. */
const SPOILT = Number(process.env.MILLRACE_FUZZ ?? 60) / 2;
const keep = keepInMemory();

/** Small and seeded (mulberry32): a failure comes again. */
function dice(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const NAMES = ["v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8"];

async function sessionOn(port: number, over: Record<string, unknown>) {
  const settings = decodeSettings(opcua, {
    endpoint: `opc.tcp://127.0.0.1:${port}`,
    timeoutMs: 200,
    connectTimeoutMs: 3_000,
    updates: "poll",
    sessionTimeoutMs: 5_000,
    ...over,
  });
  const session: Session = await opcua.create(settings, { clock: systemClock, onLost: () => {}, keep });
  const points = NAMES.map((name, id) => ({
    id,
    dataType: "float64" as const,
    address: opcua.parseAddress(`nsu=urn:millrace:peer;s=${name}`, "float64", settings),
  }));
  const fingerprint = async () => {
    const refused = await session.connect(AbortSignal.timeout(5_000)).catch((thrown: unknown) => thrown);
    return ((refused as AppError).context.certificate as { fingerprint: string }).fingerprint;
  };
  return { session, points, fingerprint };
}

/** Where to damage an answer, and how: by its length and the dice. */
type Damage = (bytes: Buffer, roll: () => number) => Buffer;

const flipAnywhere: Damage = (bytes, roll) => {
  const spoilt = Buffer.from(bytes);
  spoilt[Math.floor(roll() * bytes.length)]! ^= 1 << Math.floor(roll() * 8);
  return spoilt;
};

/** Kind, length, channel, token, sequence, request and type of the answer: what must fit before a value is believed. */
const HEAD_BYTES = 28;
const damageHead: Damage = (bytes, roll) => {
  const spoilt = Buffer.from(bytes);
  const at = Math.floor(roll() * Math.min(HEAD_BYTES, bytes.length));
  spoilt[at] = Math.floor(roll() * 256);
  return spoilt;
};
const cutShort: Damage = (bytes, roll) => Buffer.from(bytes.subarray(0, Math.floor(roll() * bytes.length)));
const tooMuch: Damage = (bytes, roll) =>
  Buffer.concat([bytes, Buffer.alloc(Math.floor(roll() * 2_000), 0xff)]);

/** Lines spoilt at one moment: most of the time goes by waiting for what never comes. */
const LANES = 8;

async function attack(security: "sign" | "none-insecure", damages: Damage[], seed: number): Promise<Seen> {
  // Every session that is broken off stays at the server until its time is over.
  await using peer = await opcuaPeer({ variables: 16, sessionsMax: 2_000 });
  const { port } = peer;
  const straight = await sessionOn(port, { security: "sign" });
  const trust = { security, serverFingerprint: await straight.fingerprint() };
  await straight.session.close();
  const roll = dice(seed);
  const seen: Seen = { spoilt: 0, wrong: 0, errors: 0, foreign: [], heapMb: [] };
  const lane = async () => {
    await using line = await Line.to(port);
    while (seen.spoilt < SPOILT) {
      line.spoil = null;
      const { session, points } = await sessionOn(line.port, trust);
      try {
        await session.connect(AbortSignal.timeout(20_000));
        line.spoil = (bytes) => {
          if (roll() > 0.7) return bytes;
          if (++seen.spoilt % Math.ceil(SPOILT / 10) === 0) seen.heapMb.push(heapMb());
          return damages[Math.floor(roll() * damages.length)]!(bytes, roll);
        };
        await readUntilBroken(session, points, seen);
      } finally {
        await session.close();
      }
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  return seen;
}

function heapMb(): number {
  Bun.gc(true);
  return process.memoryUsage().heapUsed / 2 ** 20;
}

interface Seen {
  spoilt: number;
  wrong: number;
  errors: number;
  /** Thrown and none of ours. */
  foreign: unknown[];
  /** At each tenth of the way. */
  heapMb: number[];
}

async function readUntilBroken(session: Session, points: Point[], seen: Seen): Promise<void> {
  for (;;) {
    try {
      const readings = await session.read(points, AbortSignal.timeout(20_000));
      seen.wrong += readings.filter(({ id, value }) => value !== null && value !== id + 1).length;
    } catch (thrown) {
      seen.errors++;
      if (!(thrown instanceof AppError)) seen.foreign.push(thrown);
      return;
    }
  }
}

function judge(seen: Seen): void {
  expect([seen.wrong, seen.foreign]).toEqual([0, []]);
  if (SPOILT > 1_000)
    console.log(
      `${seen.spoilt} spoilt, ${seen.errors} errors, heap MB: ${seen.heapMb.map((mb) => mb.toFixed(0)).join(" ")}`,
    );
  expect(seen.errors).toBeGreaterThan(0);
  // Libraries fill their caches in the beginning; after that an answer that was no answer must leave nothing behind.
  const half = seen.heapMb[Math.floor(seen.heapMb.length / 2)]!;
  expect(seen.heapMb.at(-1)!).toBeLessThan(half + 10);
}

test("status codes nobody knows fill no console", async () => {
  const lines: unknown[] = [];
  const { warn } = console;
  console.warn = (...words) => lines.push(words);
  try {
    // A copy of its own, which takes the console as it is now.
    await import("./session.ts?quiet" as string);
    console.warn("expecting a known StatusCode but got 0x10000");
    console.warn("something else");
    expect(lines).toEqual([["something else"]]);
  } finally {
    console.warn = warn;
  }
});

/** A shared machine can be late by more than the limits here allow a healthy server; a wrong value would come again. */
const BUSY = { retry: 2, timeout: 60_000 };

test(
  "a signed line that is damaged anywhere gives errors, never a wrong value",
  async () => {
    judge(await attack("sign", [flipAnywhere, cutShort, tooMuch], 1));
  },
  BUSY,
);

test(
  "an answer whose head does not fit is not believed, also without protection",
  async () => {
    judge(await attack("none-insecure", [damageHead, cutShort, tooMuch], 2));
  },
  BUSY,
);
