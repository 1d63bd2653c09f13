import type { SimulatorAddress } from "@millrace/contract/driver/simulator/address";
import type { SimulatorSettings } from "@millrace/contract/driver/simulator/settings";
import { AppError, asAppError } from "@millrace/contract/error/app-error";
import type {
  Point,
  PointWrite,
  Reading,
  Session,
  SessionCounters,
  SessionDeps,
  Visit,
  WriteOutcome,
} from "../../driver/driver.ts";
import { type Ending, NO_METER } from "../../driver/meter.ts";
import { Faults } from "./faults.ts";
import { Machine, refusalOf } from "./machine.ts";
import { setpointsOf } from "./plan.ts";

/** How soon a broken link is noticed. */
const TICK_MS = 250;

/** One simulated machine. There is no wire: what a wire does to an answer is done here, by the clock. */
export class SimulatorSession implements Session<SimulatorAddress> {
  readonly #settings: SimulatorSettings;
  readonly #deps: SessionDeps;
  readonly #faults: Faults;
  readonly #machine: Machine;
  /** Ends what waits for an answer when the link goes. */
  readonly #waiting = new Set<(error: AppError) => void>();
  /** The fault that broke the link before it came up; null while it is down. */
  #upSince: number | null = null;
  #cancelTick = () => {};
  #requests = 0;
  #errors = 0;
  #roundTripMs: number | null = null;

  constructor(settings: SimulatorSettings, deps: SessionDeps) {
    this.#settings = settings;
    this.#deps = deps;
    this.#faults = new Faults(settings);
    this.#machine = new Machine(settings, this.#faults);
  }

  async connect(signal: AbortSignal): Promise<void> {
    await this.close();
    signal.throwIfAborted();
    const place = this.#faults.place("unreachable", this.#deps.clock.nowMs());
    if (place?.inside)
      throw this.#error("link.unreachable", "cannot be reached, as its settings want it now");
    this.#upSince = place?.index ?? 0;
    if (this.#faults.has("unreachable")) this.#tick();
  }

  async read(points: readonly Point<SimulatorAddress>[], signal: AbortSignal): Promise<Reading[]> {
    this.#mustBeUp(signal);
    if (points.length === 0) return [];
    for (const { name, start } of setpointsOf(points)) this.#machine.memory.declare(name, start);
    await this.#answer(signal);
    const { clock } = this.#deps;
    const now = { wallMs: clock.nowMs(), monoMs: clock.monoMs() };
    return points.map((point) => this.#machine.read(point, now));
  }

  /** In the order given, one request each; after one that may have arrived nothing more is sent. */
  async write(points: readonly PointWrite<SimulatorAddress>[], signal: AbortSignal): Promise<WriteOutcome[]> {
    this.#mustBeUp(signal);
    const outcomes: WriteOutcome[] = [];
    let over: Extract<WriteOutcome, { done: false }> | null = null;
    for (const point of points) {
      const { id } = point;
      const refusal = over ?? refusalOf(point);
      if (refusal !== null) {
        outcomes.push({ ...refusal, id, done: false, maybe: false });
        continue;
      }
      this.#machine.write(point, { monoMs: this.#deps.clock.monoMs() });
      try {
        await this.#answer(signal);
        outcomes.push({ id, done: true });
      } catch (thrown) {
        const { code, message } = asAppError(thrown, "link.lost");
        outcomes.push({ id, done: false, maybe: true, code, message: `${message} It may have the value.` });
        over = { id, done: false, maybe: false, code, message: `Not written: ${message}` };
      }
    }
    return outcomes;
  }

  #mustBeUp(signal: AbortSignal): void {
    signal.throwIfAborted();
    if (this.#upSince !== null && this.#isBroken()) this.#end(this.#lost());
    if (this.#upSince === null) throw this.#lost();
  }

  #isBroken(): boolean {
    const place = this.#faults.place("unreachable", this.#deps.clock.nowMs());
    return place !== null && place.index !== this.#upSince;
  }

  /** As long as this machine takes now. @throws AppError `device.timeout` | `link.lost`; the signal's reason */
  async #answer(signal: AbortSignal): Promise<void> {
    const { clock, meter = NO_METER } = this.#deps;
    this.#requests++;
    const startMs = clock.monoMs();
    const beganMs = meter.began();
    const { timeoutMs } = this.#settings;
    const ms = this.#faults.answerMs(clock.nowMs());
    const inTime = ms !== null && ms <= timeoutMs;
    let ending: Ending = "lost";
    try {
      if (ms !== 0) await this.#wait(inTime ? ms : timeoutMs, signal);
      ending = inTime ? "answer" : "timeout";
      // It is known here already what a wire would bring later.
      if (!inTime && ms !== null) meter.late(null, ms);
      if (!inTime) throw this.#error("device.timeout", `did not answer within ${timeoutMs} ms`);
      this.#roundTripMs = clock.monoMs() - startMs;
    } catch (thrown) {
      this.#errors++;
      throw thrown;
    } finally {
      meter.ended(null, ending, beganMs, clock.monoMs() - startMs);
    }
  }

  #wait(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (run: () => void) => {
        cancel();
        this.#waiting.delete(fail);
        signal.removeEventListener("abort", onAbort);
        run();
      };
      const fail = (error: AppError) => settle(() => reject(error));
      const onAbort = () => settle(() => reject(signal.reason));
      const cancel = this.#deps.clock.after(ms, () => settle(resolve));
      this.#waiting.add(fail);
      signal.addEventListener("abort", onAbort, { once: true });
    });
  }

  #tick(): void {
    if (!this.#isBroken()) {
      this.#cancelTick = this.#deps.clock.after(TICK_MS, () => this.#tick());
      return;
    }
    const error = this.#lost();
    if (!this.#end(error)) this.#deps.onLost(error);
  }

  /** True when somebody waited and hears of it. */
  #end(why: AppError): boolean {
    this.#cancelTick();
    this.#upSince = null;
    const waiting = [...this.#waiting];
    for (const fail of waiting) fail(why);
    return waiting.length > 0;
  }

  #lost(): AppError {
    return this.#error("link.lost", "is no longer there");
  }

  #error(code: "link.lost" | "link.unreachable" | "device.timeout", why: string): AppError {
    const { machine } = this.#settings;
    return new AppError(code, `The simulated machine ${machine} ${why}.`, { context: { machine } });
  }

  counters(): SessionCounters {
    return {
      requests: this.#requests,
      errors: this.#errors,
      roundTripMs: this.#roundTripMs,
      learned: [],
    };
  }

  visit(): Visit<SimulatorAddress> {
    return {
      read: (points, signal) => this.read(points, signal),
      requestsFor: () => 1,
      explain: ({ address: { signal } }) => {
        if (signal.name === "missing")
          return "The machine has no such place; this signal is there to show it.";
        if (signal.name !== "follow" || this.#machine.memory.has(signal.options.of)) return null;
        return `No tag of this machine is the setpoint ${signal.options.of}, or it was not read yet.`;
      },
    };
  }

  async close(): Promise<void> {
    this.#end(this.#lost());
  }
}
