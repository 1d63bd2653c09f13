import { expect, setDefaultTimeout, test } from "bun:test";
import { decodeSettings } from "@millrace/contract/driver/settings";
import type { AppError } from "@millrace/contract/error/app-error";
import { systemClock } from "@millrace/contract/std/clock";
import { QUALITY } from "@millrace/contract/vocabulary/quality";
import { until } from "../../driver/conformance.ts";
import { Line } from "../../driver/cuttable-line.ts";
import type { Reading, Session } from "../../driver/driver.ts";
import { keepInMemory } from "../../driver/keep.ts";
import { opcua } from "./index.ts";
import { type OpcuaPeer, opcuaPeer, type PeerOptions } from "./peer.ts";
import { sharedPeer } from "./simulator.ts";

// A server in a process of its own takes about a second to start.
setDefaultTimeout(30_000);

const URI = "nsu=urn:millrace:peer;s=";
const keep = keepInMemory();
const signal = () => AbortSignal.timeout(20_000);

interface Rig extends AsyncDisposable {
  peer: OpcuaPeer;
  line: Line;
  session: Session;
  lost: AppError[];
  points(names: string[], over?: { scanMs?: number; deadband?: number }): never[];
  /** Subscribes and gathers what is told. */
  listen(names: string[], over?: { scanMs?: number; deadband?: number }): Promise<Told>;
}
interface Told {
  all: Reading[];
  /** Newest of each point. */
  of(id: number): Reading | undefined;
  signsOfLife(): number;
  aliveMs: number | null;
  end(): void;
}

async function rig(over: Record<string, unknown> = {}, options?: PeerOptions): Promise<Rig> {
  const peer = options === undefined ? await sharedPeer() : await opcuaPeer(options);
  const line = await Line.to(peer.port);
  const settings = decodeSettings(opcua, {
    endpoint: `opc.tcp://127.0.0.1:${line.port}`,
    security: "none-insecure",
    publishMs: 100,
    keepAliveMs: 500,
    missingRetryMs: 500,
    timeoutMs: 3_000,
    ...over,
  });
  const lost: AppError[] = [];
  const session = await opcua.create(settings, {
    clock: systemClock,
    onLost: (error) => lost.push(error),
    keep,
  });
  const points: Rig["points"] = (names, { scanMs = 100, deadband = 0 } = {}) =>
    names.map((name, id) => ({
      id,
      dataType: "float64",
      address: opcua.parseAddress(name.includes("=") ? name : URI + name, "float64", settings),
      scanMs,
      deadband,
    })) as never[];
  return {
    peer,
    line,
    session,
    lost,
    points,
    async listen(names, wish) {
      const all: Reading[] = [];
      let life = 0;
      const stop = new AbortController();
      const made = await session.subscribe!(
        points(names, wish),
        (readings) => {
          if (readings.length === 0) life++;
          all.push(...readings);
        },
        stop.signal,
      );
      return {
        all,
        of: (id) => all.findLast((one) => one.id === id),
        signsOfLife: () => life,
        aliveMs: made?.aliveMs ?? null,
        end: () => stop.abort(),
      };
    },
    async [Symbol.asyncDispose]() {
      await session.close();
      await line.close();
      if (options !== undefined) await peer[Symbol.asyncDispose]();
    },
  };
}

/** A shared machine can be late by more than the limits here allow a healthy server. */
const BUSY = { retry: 2, timeout: 60_000 };

test.concurrent("5c.1 and 5c.13 after a cut the subscription is made anew, and no session is left behind", async () => {
  await using it = await rig({}, { variables: 3 });
  for (let round = 0; round < 5; round++) {
    await it.session.connect(signal());
    const told = await it.listen(["v1", "v2"]);
    await until(() => told.of(0)?.value === 1 && told.of(1)?.value === 2);
    if (round === 2) {
      it.line.cut();
      await until(() => it.lost.length === 1);
      expect(it.lost[0]!.code).toBe("link.lost");
    }
  }
  await it.session.close();
  // The one whose link was cut had no farewell; the server forgets it by its timeout.
  const { sessions } = await it.peer.counts();
  expect(sessions).toBeLessThanOrEqual(1);
});

test.concurrent("5c.2 nodes that are not there yet do not end the subscription; they come when they come", async () => {
  await using it = await rig();
  await it.session.connect(signal());
  const told = await it.listen(["v0", "Late"]);
  await until(() => told.of(0)?.value === 0);
  expect(told.of(1)).toMatchObject({
    value: null,
    quality: QUALITY["bad.addressIllegal"],
    status: "BadNodeIdUnknown",
  });
  expect(it.session.counters().note).toContain("1 of 2 tags");
  it.peer.tell({ do: "add", node: "Late", value: 7 });
  await until(() => told.of(1)?.value === 7);
  expect([it.session.counters().note, it.lost]).toEqual([undefined, []]);
});

test.concurrent("5c.3 the same address is found when the namespace's number has moved", async () => {
  for (const namespacesBefore of [0, 3]) {
    await using it = await rig({}, { namespacesBefore });
    await it.session.connect(signal());
    const [reading] = await it.session.read(it.points(["Double"]), signal());
    expect(reading!.value).toBe(Math.PI);
  }
});

test.concurrent("5c.4 the server's limit of nodes in one request is kept, for reading, subscribing and writing", async () => {
  await using it = await rig({}, { variables: 100, nodesMax: 7 });
  await it.session.connect(signal());
  const names = Array.from({ length: 100 }, (_, at) => `v${at}`);
  const readings = await it.session.read(it.points(names), signal());
  expect(readings.map(({ value }) => value)).toEqual(names.map((_, at) => at));
  const before = it.session.counters().requests;
  const told = await it.listen(names);
  await until(() => names.every((_, at) => told.of(at)?.value === at));
  // One for the subscription and one for each seven items.
  expect(it.session.counters().requests - before).toBe(1 + Math.ceil(100 / 7));
  const writable = "SByte Byte Int16 UInt16 Int32 UInt32 Int64 UInt64 Float Double".split(" ");
  const write = async (value: number) => {
    const writes = it.points(writable.map((name) => `w${name}`)).map((one: object) => ({ ...one, value }));
    const asked = it.session.counters().requests;
    const outcomes = await it.session.write!(writes as never, signal());
    expect(outcomes).toEqual(writable.map((_, id) => ({ id, done: true })));
    return it.session.counters().requests - asked;
  };
  // Types are asked for once, and then remembered.
  expect([await write(1), await write(2)]).toEqual([4, 2]);
});

test.concurrent("a write without an answer in time may be there, was sent once, and nothing follows it", async () => {
  await using it = await rig({ nodesMax: 1, timeoutMs: 500 });
  await it.session.connect(signal());
  const points = it.points(["wDouble", "wFloat"]);
  const values = async () =>
    (await it.session.read(points, signal())).toSorted((a, b) => a.id - b.id).map(({ value }) => value);
  const [, float] = await values();
  it.line.silence(true);
  const writes = points.map((one: object) => ({ ...one, value: 64 }));
  const outcomes = await it.session.write!(writes as never, signal());
  expect(outcomes).toMatchObject([
    { id: 0, done: false, maybe: true, code: "device.timeout" },
    { id: 1, done: false, maybe: false, code: "device.timeout" },
  ]);
  // Whatever is set there since must stay.
  it.peer.tell({ do: "set", node: "wDouble", value: -1 });
  await it.peer.counts();
  it.line.silence(false);
  expect(await values()).toEqual([-1, float!]);
});

test.concurrent("5c.5 a thousand items are made in groups", async () => {
  await using it = await rig();
  await it.session.connect(signal());
  const before = it.session.counters().requests;
  const told = await it.listen(Array.from({ length: 1_000 }, (_, at) => `v${at}`));
  await until(() => told.of(999)?.value === 999);
  expect(it.session.counters().requests - before).toBe(3);
});

test.concurrent("5c.8 and 5c.9 a wrong clock does not keep a secured session from being opened, and is told", async () => {
  for (const [clockOffMs, words] of [
    [-17 * 3_600_000, "17 h behind"],
    [-30 * 60_000, "30 min behind"],
    [120_000, "2 min ahead"],
  ] as const) {
    await using it = await rig({ security: "sign-and-encrypt" }, { clockOffMs, variables: 1 });
    const refused = (await it.session.connect(signal()).catch((thrown: AppError) => thrown)) as AppError;
    const { fingerprint } = refused.context.certificate as { fingerprint: string };
    const settings = decodeSettings(opcua, {
      endpoint: `opc.tcp://127.0.0.1:${it.line.port}`,
      serverFingerprint: fingerprint,
      publishMs: 100,
    });
    const session = await opcua.create(settings, { clock: systemClock, onLost: () => {}, keep });
    try {
      await session.connect(signal());
      const [reading] = await session.read(it.points(["v0"]), signal());
      expect(reading!.value).toBe(0);
      // Both times of the protocol are handed on; `scan/source-time.ts` judges them.
      expect(Math.abs(reading!.serverTimeMs! - (Date.now() + clockOffMs))).toBeLessThan(20_000);
      expect(reading!.sourceTimeMs).toBeNumber();
      expect(session.counters().note).toContain(words);
    } finally {
      await session.close();
    }
  }
});

test.concurrent("5c.11 an unknown certificate is refused with its details, and trusted by its fingerprint alone", async () => {
  await using it = await rig({ security: "sign-and-encrypt" });
  const refused = (await it.session.connect(signal()).catch((thrown: AppError) => thrown)) as AppError;
  expect(refused.code).toBe("link.untrusted");
  const certificate = refused.context.certificate as {
    fingerprint: string;
    subject: string;
    validToMs: number;
  };
  expect(certificate.fingerprint).toMatch(/^[0-9a-f]{64}$/);
  expect(certificate.subject).toContain("CN=");
  expect(certificate.validToMs).toBeGreaterThan(Date.now());
  const endpoint = `opc.tcp://127.0.0.1:${it.line.port}`;
  const outcome = async (over: Record<string, unknown>) => {
    const settings = decodeSettings(opcua, { endpoint, serverFingerprint: certificate.fingerprint, ...over });
    const session = await opcua.create(settings, { clock: systemClock, onLost: () => {}, keep });
    try {
      await session.connect(signal());
      const [reading] = await session.read(it.points(["Double"]), signal());
      return reading!.value;
    } catch (thrown) {
      return (thrown as AppError).code;
    } finally {
      await session.close();
    }
  };
  expect(await outcome({})).toBe(Math.PI);
  expect(await outcome({ security: "sign" })).toBe(Math.PI);
  for (const policy of ["Aes128_Sha256_RsaOaep", "Aes256_Sha256_RsaPss"])
    expect(await outcome({ policy })).toBe(Math.PI);
  expect(await outcome({ serverFingerprint: "0".repeat(64) })).toBe("link.untrusted");
  expect(await outcome({ login: "user", user: "mill", password: "race" })).toBe(Math.PI);
  expect(await outcome({ login: "user", user: "mill", password: "wrong" })).toBe("link.denied");
});

test.concurrent("5c.11 a server that does not trust us is told apart, with our fingerprint", async () => {
  await using it = await rig({ security: "sign-and-encrypt" }, { trustsClients: false });
  const refused = (await it.session.connect(signal()).catch((thrown: AppError) => thrown)) as AppError;
  const { fingerprint } = refused.context.certificate as { fingerprint: string };
  const settings = decodeSettings(opcua, {
    endpoint: `opc.tcp://127.0.0.1:${it.line.port}`,
    serverFingerprint: fingerprint,
  });
  const session = await opcua.create(settings, { clock: systemClock, onLost: () => {}, keep });
  const error = (await session.connect(signal()).catch((thrown: AppError) => thrown)) as AppError;
  await session.close();
  expect([error.code, error.message]).toEqual(["link.denied", expect.stringContaining("SHA-1")]);
});

test.concurrent(
  "5c.12 a server with nothing to tell shows that it is there, and silence is the lack of it",
  async () => {
    await using it = await rig();
    await it.session.connect(signal());
    const told = await it.listen(["Double"]);
    expect(told.aliveMs).toBe(1_500);
    await until(() => told.signsOfLife() >= 2);
    it.line.silence(true);
    const before = told.signsOfLife();
    await systemClock.sleep(told.aliveMs!);
    expect(told.signsOfLife()).toBe(before);
  },
  BUSY,
);

test.concurrent("5c.14 status codes are kept as qualities and by name; no value is an event too", async () => {
  await using it = await rig();
  await it.session.connect(signal());
  const told = await it.listen(["v20"]);
  await until(() => told.all.length === 1);
  for (const [status, quality] of [
    ["BadSensorFailure", "bad.sensorFailed"],
    ["UncertainLastUsableValue", "uncertain.lastUsable"],
    ["BadNoCommunication", "bad.noCommunication"],
    ["UncertainSensorNotAccurate", "uncertain.sensorInaccurate"],
  ] as const) {
    it.peer.tell({ do: "set", node: "v20", value: 5, status });
    await until(() => told.of(0)?.status === status);
    const bad = quality.startsWith("bad");
    expect(told.of(0)).toMatchObject({ quality: QUALITY[quality], value: bad ? null : 5 });
  }
});

test.concurrent("5c.15 fast changes between two messages all come, and a queue that is too short is noticed", async () => {
  const values = Array.from({ length: 8 }, (_, at) => at + 1);
  for (const queueMax of [0, 2]) {
    await using it = await rig({ publishMs: 1_500, keepAliveMs: 1_500, queueMax });
    await it.session.connect(signal());
    const told = await it.listen([`v${10 + queueMax}`], { scanMs: 50 });
    await until(() => told.all.length === 1);
    // Slower than the server samples, faster than it sends.
    it.peer.tell({ do: "burst", node: `v${10 + queueMax}`, values, everyMs: 130 });
    await until(() => told.of(0)?.value === 8);
    const got = told.all.map(({ value }) => value as number).slice(1);
    const noticed = it.session.counters().learned.join().includes("queue is too short");
    if (queueMax === 0) expect([got, noticed]).toEqual([values, false]);
    else {
      expect(got.length).toBeLessThan(values.length);
      expect(noticed).toBe(true);
    }
  }
});

test.concurrent(
  "a session that is read more seldom than its own timeout is kept",
  async () => {
    await using it = await rig({ updates: "poll", sessionTimeoutMs: 5_000, connectTimeoutMs: 500 });
    expect(it.session.subscribe).toBeUndefined();
    await it.session.connect(signal());
    await systemClock.sleep(7_000);
    const [reading] = await it.session.read(it.points(["Double"]), signal());
    expect([reading!.value, it.lost]).toEqual([Math.PI, []]);
  },
  BUSY,
);
