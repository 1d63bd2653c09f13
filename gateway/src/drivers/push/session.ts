import type { PushAddress } from "@millrace/contract/driver/push/address";
import type { PushSettings } from "@millrace/contract/driver/push/settings";
import { AppError } from "@millrace/contract/error/app-error";
import { QUALITY, qualityLevel } from "@millrace/contract/vocabulary/quality";
import type { Arrival, Taken } from "../../driver/arrivals.ts";
import type {
  Point,
  Reading,
  Session,
  SessionCounters,
  SessionDeps,
  Subscription,
  Visit,
  Wish,
} from "../../driver/driver.ts";
import { Board, type Now } from "../../driver/payload/board.ts";
import { messageOf } from "./codec.ts";
import { Recent, refusedIds } from "./plan.ts";

/** How often ages are looked at; it also shows the supervisor that this end is there. */
const TICK_MS = 500;
const ALIVE_MS = 10_000;
/** How long a test waits for a message. */
const FIRST_MS = 3_000;

interface Listening {
  board: Board;
  tell(readings: readonly Reading[]): void;
  sinceMonoMs: number;
  waitingTold: boolean;
}

/** One login: the device sends, its tags take what concerns them. */
export class PushSession implements Session<PushAddress> {
  readonly #settings: PushSettings;
  readonly #deps: SessionDeps;
  readonly #listening = new Set<Listening>();
  readonly #recent = new Recent();
  /** Ends what waits when the link goes. */
  readonly #waiting = new Set<(error: AppError) => void>();
  #leave: (() => void) | null = null;
  #cancelTick = () => {};
  #messages = 0;

  constructor(settings: PushSettings, deps: SessionDeps) {
    this.#settings = settings;
    this.#deps = deps;
  }

  async connect(signal: AbortSignal): Promise<void> {
    await this.close();
    // One turn later, so that who gives up at once leaves nothing behind.
    await Promise.resolve();
    signal.throwIfAborted();
    const { login, token } = this.#settings;
    const { arrivals } = this.#deps;
    if (arrivals === undefined) throw this.#closed();
    this.#leave = arrivals.join({
      login,
      token,
      hear: (arrival) => this.#hear(arrival),
      gone: (error) => this.#gone(error),
    });
    this.#tick();
  }

  #closed(): AppError {
    return new AppError(
      "link.refused",
      "This gateway takes no messages of devices: MILLRACE_INTAKE_MQTT_HOST or MILLRACE_INTAKE_HTTP_HOST opens it.",
    );
  }

  #hear(arrival: Arrival): Taken {
    this.#messages++;
    const now = this.#now();
    this.#recent.put(arrival, now);
    const taken = { tags: 0, bad: 0 };
    for (const one of [...this.#listening]) {
      const readings = one.board.hear(messageOf(arrival), now);
      taken.tags += readings.length;
      taken.bad += readings.filter(({ quality }) => qualityLevel(quality) === "bad").length;
      if (readings.length > 0) one.tell(readings);
    }
    this.#deps.meter?.heard(taken.bad > 0);
    return taken;
  }

  read(points: readonly Point<PushAddress>[], signal: AbortSignal): Promise<Reading[]> {
    return this.#read(points, signal, () => undefined);
  }

  /** What came last at each topic, as old as it is; where nothing came yet, a little patience. */
  async #read(
    points: readonly Point<PushAddress>[],
    signal: AbortSignal,
    look: (board: Board) => void,
  ): Promise<Reading[]> {
    signal.throwIfAborted();
    if (this.#leave === null) throw new AppError("link.lost", `${this.#settings.login}: not connected.`);
    if (points.length === 0) return [];
    let changed = () => {};
    const one = this.#listen(points, () => changed());
    one.waitingTold = true;
    for (const { arrival, ...then } of this.#recent.all()) one.board.hear(messageOf(arrival), then);
    one.board.goStale(this.#now());
    try {
      const endMonoMs = this.#deps.clock.monoMs() + FIRST_MS;
      while (!one.board.complete && this.#deps.clock.monoMs() < endMonoMs) {
        await this.#orEnd(signal, endMonoMs - this.#deps.clock.monoMs(), (done) => {
          changed = done;
        });
      }
      one.board.tellWaiting();
      look(one.board);
      return one.board.present();
    } finally {
      this.#listening.delete(one);
    }
  }

  #listen(points: readonly Point<PushAddress>[], tell: (readings: readonly Reading[]) => void): Listening {
    const board = new Board(points);
    board.settle(
      refusedIds(points),
      QUALITY["bad.addressIllegal"],
      "no device sends at a topic for commands",
    );
    const one = { board, tell, sinceMonoMs: this.#deps.clock.monoMs(), waitingTold: false };
    this.#listening.add(one);
    return one;
  }

  async subscribe(
    wishes: readonly Wish<PushAddress>[],
    emit: (readings: readonly Reading[]) => void,
    signal: AbortSignal,
  ): Promise<Subscription | null> {
    const one = this.#listen(wishes, emit);
    signal.addEventListener("abort", () => this.#listening.delete(one), { once: true });
    emit(one.board.present());
    return { aliveMs: ALIVE_MS };
  }

  /** Until `done` is called or `msMax` is over. @throws when the signal aborts or the link goes */
  #orEnd(signal: AbortSignal, msMax: number, begin: (done: () => void) => void): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      const settle = (run: () => void) => {
        cancel();
        this.#waiting.delete(fail);
        signal.removeEventListener("abort", onAbort);
        run();
      };
      const fail = (error: AppError) => settle(() => reject(error));
      const onAbort = () => settle(() => reject(signal.reason));
      const cancel = this.#deps.clock.after(Math.max(0, msMax), () => settle(resolve));
      this.#waiting.add(fail);
      signal.addEventListener("abort", onAbort, { once: true });
      begin(() => settle(resolve));
    });
  }

  #tick(): void {
    const now = this.#now();
    for (const one of [...this.#listening]) {
      const stale = one.board.goStale(now);
      const wait = !one.waitingTold && now.monoMs - one.sinceMonoMs >= FIRST_MS;
      if (wait) one.waitingTold = true;
      one.tell([...stale, ...(wait ? one.board.tellWaiting() : [])]);
    }
    this.#cancelTick = this.#deps.clock.after(TICK_MS, () => this.#tick());
  }

  #gone(error: AppError): void {
    if (this.#leave === null) return;
    const waited = this.#end(error);
    if (!waited) this.#deps.onLost(error);
  }

  /** True when somebody waited and heard of it. */
  #end(why: AppError): boolean {
    this.#cancelTick();
    this.#leave?.();
    this.#leave = null;
    this.#listening.clear();
    const waiting = [...this.#waiting];
    for (const fail of waiting) fail(why);
    return waiting.length > 0;
  }

  #now(): Now {
    return { wallMs: this.#deps.clock.nowMs(), monoMs: this.#deps.clock.monoMs() };
  }

  counters(): SessionCounters {
    const boards = [...this.#listening].map(({ board }) => board);
    const trouble = boards.map((board) => board.trouble()).find((one) => one !== null) ?? null;
    return {
      requests: this.#messages,
      errors: boards.reduce((sum, { refused }) => sum + refused, 0),
      roundTripMs: null,
      learned: [],
      ...(trouble === null ? {} : { note: `${trouble}.` }),
    };
  }

  visit(): Visit<PushAddress> {
    let last: Board | null = null;
    return {
      read: (points, signal) =>
        this.#read(points, signal, (board) => {
          last = board;
        }),
      requestsFor: () => 1,
      explain: ({ id }) => last?.explain(id) ?? null,
    };
  }

  async close(): Promise<void> {
    this.#end(new AppError("link.lost", `${this.#settings.login}: closed.`));
  }
}
