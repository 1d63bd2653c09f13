import { AppError } from "@millrace/contract/error/app-error";
import type { Clock, Random } from "@millrace/contract/std/clock";
import { QUALITY } from "@millrace/contract/vocabulary/quality";
import { Type } from "@sinclair/typebox";
import type {
  Driver,
  Point,
  PointWrite,
  Reading,
  Session,
  SessionDeps,
  WriteOutcome,
} from "../src/driver/driver.ts";
import type { AnyDriver, driverOf } from "../src/driver/registry.ts";

const Settings = Type.Object({ host: Type.String() }, { additionalProperties: false });
/** Longest way of a request or an answer, ms. */
export const PLANT_WAY_MS_MAX = 40;

/** A value that arrived at the machine. */
export interface Arrival {
  value: number;
  /** When it left the gateway and when it was there, by the clock of the test. */
  leftMs: number;
  atMs: number;
}

/**
 * One machine with one number, behind a link that may be cut while a request or its answer is on the way: what has left
 * may arrive although nobody hears of it.
 */
export class CutPlant {
  value = 0;
  readonly arrivals: Arrival[] = [];
  isDown = false;
  readonly #sessions = new Set<CutSession>();

  constructor(
    readonly clock: Clock,
    readonly random: Random,
  ) {}

  cut(): void {
    for (const session of [...this.#sessions]) session.cut();
  }

  track(session: CutSession, isOpen: boolean): void {
    if (isOpen) this.#sessions.add(session);
    else this.#sessions.delete(session);
  }

  wayMs(): number {
    return 1 + this.random() * (PLANT_WAY_MS_MAX - 1);
  }

  readonly driverOf: typeof driverOf = () => {
    const driver: Driver<typeof Settings, null> = {
      kind: "cut",
      label: "Cut",
      settings: Settings,
      address: Type.String(),
      capabilities: { read: true, subscribe: false, write: true, browse: false },
      parseAddress: () => null,
      formatAddress: () => "it",
      connectionKey: ({ host }) => host,
      create: async (_, deps) => new CutSession(this, deps),
    };
    return driver as unknown as AnyDriver;
  };
}

class CutSession implements Session<null> {
  #link: AbortController | null = null;
  #calls = 0;
  readonly #plant: CutPlant;
  readonly #deps: SessionDeps;

  constructor(plant: CutPlant, deps: SessionDeps) {
    this.#plant = plant;
    this.#deps = deps;
  }

  async connect(signal: AbortSignal): Promise<void> {
    await this.#plant.clock.sleep(this.#plant.wayMs(), signal);
    if (this.#plant.isDown) throw new AppError("link.refused", "refused.");
    this.#link = new AbortController();
    this.#plant.track(this, true);
  }

  async read(points: readonly Point<null>[], signal: AbortSignal): Promise<Reading[]> {
    await this.#deps.between?.();
    await this.#way(signal);
    const { value } = this.#plant;
    await this.#way(signal);
    return points.map(({ id }) => ({ id, value, quality: QUALITY.good }));
  }

  async write([point]: readonly PointWrite<null>[], signal: AbortSignal): Promise<WriteOutcome[]> {
    if (point === undefined) return [];
    if (this.#link === null) throw this.#lost();
    const { clock } = this.#plant;
    const leftMs = clock.monoMs();
    const arrives = this.#plant.wayMs();
    // Cut on the way: some bytes are already in a buffer that is delivered.
    const delivered = this.#plant.random() < 0.5;
    const there = Promise.withResolvers<void>();
    clock.after(arrives, () => {
      if (this.#link !== null || delivered) {
        this.#plant.value = Number(point.value);
        this.#plant.arrivals.push({ value: Number(point.value), leftMs, atMs: clock.monoMs() });
      }
      there.resolve();
    });
    try {
      await this.#way(signal, arrives);
      await there.promise;
      await this.#way(signal);
      return [{ id: point.id, done: true }];
    } catch {
      const { code, message } = this.#lost();
      return [{ id: point.id, done: false, maybe: true, code, message }];
    }
  }

  async #way(signal: AbortSignal, ms = this.#plant.wayMs()): Promise<void> {
    if (this.#link === null) throw this.#lost();
    this.#calls++;
    try {
      await this.#plant.clock.sleep(ms, AbortSignal.any([signal, this.#link.signal]));
    } finally {
      this.#calls--;
    }
  }

  #lost(): AppError {
    return new AppError("link.lost", "The link was cut.");
  }

  counters() {
    return { requests: 0, errors: 0, roundTripMs: null, learned: [] };
  }

  async close(): Promise<void> {
    this.#plant.track(this, false);
    this.#link?.abort(this.#lost());
    this.#link = null;
  }

  cut(): void {
    const link = this.#link;
    if (link === null) return;
    this.#link = null;
    this.#plant.track(this, false);
    const told = this.#calls > 0;
    link.abort(this.#lost());
    if (!told) this.#deps.onLost(this.#lost());
  }
}
