import { AppError } from "@millrace/contract/error/app-error";
import type { ErrorCode } from "@millrace/contract/error/code";
import type { Clock } from "@millrace/contract/std/clock";
import { QUALITY } from "@millrace/contract/vocabulary/quality";
import type { TagValue, ValueKind } from "@millrace/contract/vocabulary/value";
import type { ManifestDevice, ManifestTag } from "@millrace/contract/wire/manifest";
import { Type } from "@sinclair/typebox";
import type { Driver, Point, Reading, Session, SessionDeps } from "../src/driver/driver.ts";
import type { AnyDriver } from "../src/driver/registry.ts";
import type { SampleSink } from "../src/outbox/sink.ts";

const Settings = Type.Object(
  { host: Type.String({ minLength: 1 }), unit: Type.Integer({ default: 1 }) },
  { additionalProperties: false },
);

/** How one unit behind a host behaves. */
export interface FakeUnit {
  /** Time to answer in ms. */
  answerMs: number;
  /** Throws this instead of answering, after `answerMs`. */
  fails: ErrorCode | null;
  /** Thrown as it is, to play a bug of a driver. */
  bug: Error | null;
  /** Never answers and ignores the abort. */
  hangs: boolean;
  value: (id: number) => TagValue;
  reads: { atMs: number; ids: number[] }[];
}

/** A plant of hosts and units, at the driver's edge: what stands behind the sockets, not our own modules. */
export class FakePlant {
  readonly clock: Clock;
  readonly units = new Map<string, FakeUnit>();
  /** Hosts that do not take connections, with the error they give. */
  readonly down = new Map<string, ErrorCode>();
  readonly connects: { host: string; atMs: number }[] = [];
  open = 0;
  overlaps = 0;
  readonly #sessions = new Map<string, Set<FakeSession>>();

  constructor(clock: Clock) {
    this.clock = clock;
  }

  unit(host: string, unit = 1): FakeUnit {
    const key = `${host}/${unit}`;
    let found = this.units.get(key);
    if (found === undefined) {
      found = { answerMs: 10, fails: null, bug: null, hangs: false, value: (id) => id, reads: [] };
      this.units.set(key, found);
    }
    return found;
  }

  /** The host is gone: open links are cut, new ones are refused. */
  kill(host: string, code: ErrorCode = "link.refused"): void {
    this.down.set(host, code);
    for (const session of [...(this.#sessions.get(host) ?? [])]) session.cut();
  }

  revive(host: string): void {
    this.down.delete(host);
  }

  track(host: string, session: FakeSession, open: boolean): void {
    const sessions = this.#sessions.get(host) ?? new Set();
    this.#sessions.set(host, sessions);
    const had = sessions.has(session);
    if (open) sessions.add(session);
    else sessions.delete(session);
    if (had !== open) this.open += open ? 1 : -1;
  }

  readonly driverOf = (kind: string): AnyDriver => {
    if (kind !== "fake") throw new AppError("setting.wrong", `No driver is called "${kind}".`);
    const driver: Driver<typeof Settings, { unit: number }> = {
      kind: "fake",
      label: "Fake",
      settings: Settings,
      address: Type.String(),
      capabilities: { read: true, subscribe: false, write: false, browse: false },
      parseAddress: (text, _type, settings) => {
        if (text.startsWith("wrong")) throw new AppError("address.illegal", `"${text}" is no address.`);
        return { unit: settings.unit };
      },
      formatAddress: (address) => String(address.unit),
      connectionKey: (settings) => settings.host,
      create: async (settings, deps) => new FakeSession(this, settings.host, deps),
    };
    return driver as unknown as AnyDriver;
  };
}

class FakeSession implements Session<{ unit: number }> {
  readonly #plant: FakePlant;
  readonly #host: string;
  readonly #deps: SessionDeps;
  #requests = 0;
  #errors = 0;
  #busy = false;
  #closed = new AbortController();

  constructor(plant: FakePlant, host: string, deps: SessionDeps) {
    this.#plant = plant;
    this.#host = host;
    this.#deps = deps;
  }

  async connect(signal: AbortSignal): Promise<void> {
    this.#plant.connects.push({ host: this.#host, atMs: this.#plant.clock.monoMs() });
    await this.#plant.clock.sleep(5, signal);
    const code = this.#plant.down.get(this.#host);
    if (code) throw new AppError(code, `${this.#host} refused the connection.`);
    this.#closed = new AbortController();
    this.#plant.track(this.#host, this, true);
  }

  async read(points: readonly Point<{ unit: number }>[], signal: AbortSignal): Promise<Reading[]> {
    if (this.#busy) this.#plant.overlaps++;
    this.#busy = true;
    this.#requests++;
    const unit = this.#plant.unit(this.#host, points[0]?.address.unit);
    unit.reads.push({ atMs: this.#plant.clock.monoMs(), ids: points.map((point) => point.id) });
    try {
      if (unit.hangs) await new Promise(() => {});
      await this.#plant.clock.sleep(unit.answerMs, AbortSignal.any([signal, this.#closed.signal]));
      if (unit.bug) throw unit.bug;
      if (unit.fails)
        throw new AppError(unit.fails, `unit ${points[0]?.address.unit} failed with ${unit.fails}`);
      return points.map((point) => ({ id: point.id, value: unit.value(point.id), quality: QUALITY.good }));
    } catch (thrown) {
      this.#errors++;
      throw thrown;
    } finally {
      this.#busy = false;
    }
  }

  counters() {
    return { requests: this.#requests, errors: this.#errors, roundTripMs: null, learned: [] };
  }

  async close(): Promise<void> {
    this.#closed.abort(new AppError("link.lost", `${this.#host}: closed`));
    this.#plant.track(this.#host, this, false);
  }

  /** The peer goes away. */
  cut(): void {
    this.#plant.track(this.#host, this, false);
    const error = new AppError("link.lost", `${this.#host} closed the connection.`);
    if (this.#busy) this.#closed.abort(error);
    else this.#deps.onLost(error);
  }
}

export interface Pushed {
  tagNo: number;
  kind: ValueKind;
  value: TagValue;
  quality: number;
  timeMs: number;
  monoMs: number;
}

/** A sink that remembers. */
export class FakeSink implements SampleSink {
  readonly samples: Pushed[] = [];
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  push(tagNo: number, kind: ValueKind, value: TagValue, quality: number, timeMs: number): void {
    this.samples.push({ tagNo, kind, value, quality, timeMs, monoMs: this.#clock.monoMs() });
  }

  of(tagNo: number): Pushed[] {
    return this.samples.filter((sample) => sample.tagNo === tagNo);
  }

  last(tagNo: number): Pushed | undefined {
    return this.of(tagNo).at(-1);
  }
}

const uuid = (n: number) => `00000000-0000-7000-8000-${n.toString(16).padStart(12, "0")}`;

export function fakeTag(tagNo: number, more: Partial<ManifestTag> = {}): ManifestTag {
  return {
    tagNo,
    name: `tag${tagNo}`,
    path: `plant/tag${tagNo}`,
    address: `a${tagNo}`,
    dataType: "float64",
    unit: "",
    scanMs: 1_000,
    heartbeatMs: 10_000,
    deadband: 0,
    ...more,
  };
}

export function fakeDevice(n: number, more: Partial<ManifestDevice> = {}): ManifestDevice {
  return {
    deviceId: uuid(n),
    name: `device${n}`,
    path: `plant/device${n}`,
    driver: "fake",
    settings: { host: `host${n}` },
    tags: [fakeTag(n * 100), fakeTag(n * 100 + 1)],
    ...more,
  };
}
