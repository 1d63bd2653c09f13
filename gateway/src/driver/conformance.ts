import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { decodeSettings } from "@millrace/contract/driver/settings";
import { AppError } from "@millrace/contract/error/app-error";
import { systemClock } from "@millrace/contract/std/clock";
import { QUALITY } from "@millrace/contract/vocabulary/quality";
import type { DataType, TagValue } from "@millrace/contract/vocabulary/value";
import { LIMITS } from "@millrace/contract/wire/limits";
import type { Point, Reading, Session, SessionDeps } from "./driver.ts";
import type { AnyDriver } from "./registry.ts";

/** What a driver's own fake device must offer to be put through the suite: `conformanceDevice` of its simulator. */
export interface ConformanceDevice {
  /** What the session needs beside clock and network, where it needs something. */
  deps?: Partial<SessionDeps>;
  /** Settings as they would come in a manifest. */
  settings: Record<string, unknown>;
  /** One point per data type the protocol can hold, with the value the device holds. */
  readable: { address: string; dataType: DataType; value: TagValue }[];
  /** Well-formed, and refused by the device. */
  illegal: { address: string; dataType: DataType };
  /**
   * For drivers that write: one point per data type the protocol can hold, each with a value the device does not hold
   * yet, side by side where that could go wrong. Written in this order and then read back.
   */
  writable?: { address: string; dataType: DataType; value: TagValue }[];
  /** Well-formed writes that must be refused, by the driver or by the device. */
  unwritable?: { address: string; dataType: DataType; value: TagValue }[];
  /** Text no device of this protocol can mean. */
  malformed: string[];
  /** Settings that must be refused, and the setting the error must name. */
  wrong: { settings: Record<string, unknown>; setting: string }[];
  /** Connections open at the device at this moment. */
  socketsOpen(): number;
  connections(): number;
  /** Drops every connection; the device stays there for the next. */
  cut(): void;
  /** While true the device takes requests and says nothing. */
  silence(on: boolean): void;
  close(): Promise<void>;
}

/** A wait that ends in failure instead of hanging; nowhere near any speed we promise. */
const WAIT_MS_MAX = 5_000;

/** The promises of `Driver` and `Session`, as tests. Run on every entry of the registry. */
export function conformance(driver: AnyDriver, makeDevice: () => Promise<ConformanceDevice>, way = ""): void {
  describe(`conformance of ${driver.kind}${way}`, () => {
    let device: ConformanceDevice;
    let session: Session;
    let lost: AppError[];
    const signal = () => AbortSignal.timeout(WAIT_MS_MAX);
    const settings = () => decodeSettings(driver, device.settings);
    const point = (id: number, one: { address: string; dataType: DataType }): Point => ({
      id,
      address: driver.parseAddress(one.address, one.dataType, settings()),
      dataType: one.dataType,
    });
    const readable = () => device.readable.map((one, id) => point(id, one));

    beforeEach(async () => {
      device = await makeDevice();
      lost = [];
      session = await driver.create(settings(), {
        clock: systemClock,
        onLost: (error) => lost.push(error),
        ...device.deps,
      });
    });
    afterEach(async () => {
      await session.close();
      await device.close();
    });

    test("opens, closes twice and leaves nothing open", async () => {
      await session.connect(signal());
      await until(() => device.socketsOpen() === 1);
      await session.close();
      await session.close();
      await until(() => device.socketsOpen() === 0);
      expect(lost).toEqual([]);
    });

    test("closes before it ever opened", async () => {
      await session.close();
      expect(device.connections()).toBe(0);
    });

    test("reads each type, one reading per point", async () => {
      await session.connect(signal());
      const readings = await session.read(readable(), signal());
      const byId = [...readings].sort((a, b) => a.id - b.id);
      expect(byId.map(({ value, quality }) => ({ value, quality }))).toEqual(
        device.readable.map(({ value }) => ({ value, quality: QUALITY.good })),
      );
      expect(session.counters().requests).toBeGreaterThan(0);
      expect(await session.read([], signal())).toEqual([]);
    });

    test("one bad address spoils only itself", async () => {
      await session.connect(signal());
      const bad = device.readable.length;
      const readings = await session.read([...readable(), point(bad, device.illegal)], signal());
      expect(readings).toHaveLength(bad + 1);
      for (const reading of readings) {
        if (reading.id !== bad) expect(reading.value).toEqual(device.readable[reading.id]!.value);
        else expect(reading).toMatchObject({ id: bad, value: null, quality: QUALITY["bad.addressIllegal"] });
      }
    });

    test("a test's visit reads the same, names a refusal, and leaves no trace in the session", async () => {
      const visit = session.visit?.();
      if (visit === undefined) return;
      await session.connect(signal());
      const bad = point(device.readable.length, device.illegal);
      const readings = await visit.read([...readable(), bad], signal());
      const byId = [...readings].sort((a, b) => a.id - b.id);
      expect(byId.map(({ value }) => value)).toEqual([...device.readable.map(({ value }) => value), null]);
      expect(readable().map((one) => visit.explain?.(one) ?? null)).toEqual(readable().map(() => null));
      expect(visit.explain?.(bad) ?? "refused").not.toBe("");
      expect(visit.requestsFor?.(readable()) ?? 1).toBeGreaterThan(0);
      expect(session.counters().learned).toEqual([]);
      expect(await session.read(readable(), signal())).toHaveLength(device.readable.length);
    });

    test("the question of a connection test is one this driver can ask, and is answered", async () => {
      const probe = driver.probe?.(settings() as never);
      if (probe === undefined) return;
      await session.connect(signal());
      expect(await session.read([point(0, probe)], signal())).toHaveLength(1);
    });

    test("says what it can do, and then can", () => {
      const { write, subscribe, browse } = session;
      const can = { read: true, write: write !== undefined, subscribe: subscribe !== undefined };
      expect(driver.capabilities).toEqual({ ...can, browse: browse !== undefined });
      expect(device.writable !== undefined && device.unwritable !== undefined).toBe(can.write);
    });

    test("tells by itself what each point holds, until the link goes, which it tells once", async () => {
      const told = new Map<number, TagValue>();
      const end = new AbortController();
      const wishes = readable().map((one) => ({ ...one, scanMs: 100, deadband: 0 }));
      const emit = (readings: readonly Reading[]) => {
        for (const { id, value } of readings) told.set(id, value);
      };
      await session.connect(signal());
      const subscription = (await session.subscribe?.(wishes, emit, end.signal)) ?? null;
      if (subscription === null) return;
      expect(subscription.aliveMs).toBeGreaterThan(0);
      const holds = () => wishes.every(({ id }) => Bun.deepEquals(told.get(id), device.readable[id]!.value));
      await until(holds);
      device.cut();
      await until(() => lost.length > 0);
      expect(lost.map((error) => error.code)).toEqual(["link.lost"]);
      end.abort();
    });

    test("shows what lies in the device, within bounds, and says when there is no such place", async () => {
      if (session.browse === undefined) return;
      await session.connect(signal());
      const { nodes } = await session.browse("", 0, signal());
      expect(nodes.length).toBeGreaterThan(0);
      expect(nodes.length).toBeLessThanOrEqual(LIMITS.fieldNodesMax);
      const nowhere = session.browse("no such place", 0, signal()).catch((error: unknown) => error);
      expect(((await nowhere) as AppError).code).toBe("address.illegal");
    });

    const written = (one: { address: string; dataType: DataType; value: TagValue }, id: number) => ({
      ...point(id, one),
      value: one.value,
    });

    test("writes each type and reads it back, its neighbours untouched", async () => {
      if (session.write === undefined) return;
      const writable = device.writable!.map(written);
      await session.connect(signal());
      expect(await session.write(writable, signal())).toEqual(writable.map(({ id }) => ({ id, done: true })));
      const readings = [...(await session.read(writable, signal()))].sort((a, b) => a.id - b.id);
      expect(readings.map(({ value }) => value)).toEqual(writable.map(({ value }) => value));
      expect(await session.write([], signal())).toEqual([]);
    });

    test("a refused write is told, leaves no doubt and does not stop the next", async () => {
      if (session.write === undefined) return;
      const refused = device.unwritable!.map(written);
      const good = written(device.writable![0]!, refused.length);
      await session.connect(signal());
      const outcomes = await session.write([...refused, good], signal());
      expect(outcomes.slice(0, -1).map((one) => [one.id, one.done, !one.done && one.maybe])).toEqual(
        refused.map(({ id }) => [id, false, false]),
      );
      expect(outcomes.at(-1)).toEqual({ id: good.id, done: true });
    });

    test("a write whose answer never comes may have arrived, and nothing follows it", async () => {
      if (session.write === undefined) return;
      const points = device.writable!.slice(0, 2).map(written);
      await session.connect(signal());
      await until(() => device.socketsOpen() === 1);
      // Of what was not heard yet a driver may ask first, and then nothing of the write was sent.
      await session.read(points, signal());
      device.silence(true);
      const writing = session.write(points, signal());
      // A serial line is silent for a moment before each request.
      await systemClock.sleep(20);
      device.cut();
      const outcomes = await writing;
      expect(outcomes.map(({ id, done }) => [id, done])).toEqual([
        [0, false],
        [1, false],
      ]);
      // Whatever went in the same request may have arrived too; what would have come after it did not.
      expect(outcomes[0]).toMatchObject({ maybe: true });
      await expect(session.write(points, signal())).rejects.toThrow(AppError);
      expect(lost).toEqual([]);
    });

    test("tells of a link cut between two reads, and connects again", async () => {
      await session.connect(signal());
      await session.read(readable(), signal());
      device.cut();
      await until(() => lost.length > 0);
      expect(lost.map((error) => error.code)).toEqual(["link.lost"]);
      await expect(session.read(readable(), signal())).rejects.toThrow(AppError);
      await session.connect(signal());
      expect(await session.read(readable(), signal())).toHaveLength(device.readable.length);
      expect(lost).toHaveLength(1);
    });

    test("a link cut during a read ends that read, not the process", async () => {
      await session.connect(signal());
      await until(() => device.socketsOpen() === 1);
      device.silence(true);
      const reading = session.read(readable(), signal()).catch((error: unknown) => error);
      device.cut();
      expect(((await reading) as AppError).code).toBe("link.lost");
      expect(lost).toEqual([]);
    });

    test("a read is given up on abort, and the session goes on", async () => {
      await session.connect(signal());
      device.silence(true);
      const abort = new AbortController();
      const reading = session.read(readable(), abort.signal).catch((error: unknown) => error);
      abort.abort(new Error("given up"));
      expect(((await reading) as Error).message).toBe("given up");
      device.silence(false);
      expect(await session.read(readable(), signal())).toHaveLength(device.readable.length);
    });

    test("a connect that was given up leaves nothing open", async () => {
      const abort = new AbortController();
      const connecting = session.connect(abort.signal).catch((error: unknown) => error);
      abort.abort(new Error("given up"));
      expect(((await connecting) as Error).message).toBe("given up");
      await until(() => device.socketsOpen() === 0);
    });

    test("nobody there is a coded link error", async () => {
      await device.close();
      const error = await session.connect(signal()).catch((thrown: unknown) => thrown);
      expect((error as AppError).code).toStartWith("link.");
    });

    test("wrong settings fail before any socket opens", () => {
      for (const { settings: wrong, setting } of device.wrong) {
        const error = thrownBy(() => decodeSettings(driver, wrong));
        expect([error.code, error.context.setting]).toEqual(["setting.wrong", setting]);
      }
      expect(device.connections()).toBe(0);
    });

    test("address text round-trips; nonsense is refused", () => {
      for (const one of [...device.readable, device.illegal]) {
        const address = driver.parseAddress(one.address, one.dataType, settings());
        const text = driver.formatAddress(address);
        expect(driver.parseAddress(text, one.dataType, settings())).toEqual(address);
      }
      for (const text of device.malformed) {
        expect(thrownBy(() => driver.parseAddress(text, "uint16", settings())).code).toBe("address.illegal");
      }
    });

    test("the schema explains every setting", () => {
      for (const [name, property] of Object.entries(driver.settings.properties ?? {})) {
        const { description, examples } = property as { description?: string; examples?: unknown[] };
        expect([name, typeof description, Array.isArray(examples)]).toEqual([name, "string", true]);
      }
    });
  });
}

function thrownBy(run: () => unknown): AppError {
  try {
    run();
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

/** Resolves as soon as `reached` holds. @throws Error after a long time without. */
export async function until(reached: () => boolean, msMax = WAIT_MS_MAX): Promise<void> {
  const endMs = systemClock.monoMs() + msMax;
  while (!reached()) {
    if (systemClock.monoMs() > endMs) throw new Error("waited in vain");
    await systemClock.sleep(2);
  }
}
