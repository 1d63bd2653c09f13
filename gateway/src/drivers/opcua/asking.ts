import { AppError } from "@millrace/contract/error/app-error";
import type { Clock } from "@millrace/contract/std/clock";
import { type Ending, type Meter, NO_METER } from "../../driver/meter.ts";
import { faultOf } from "./fault.ts";
import { Patience } from "./plan.ts";
import type { Wire } from "./wire.ts";

export interface AskDeps {
  clock: Clock;
  endpoint: string;
  timeoutMs: number;
  meter?: Meter | undefined;
}

/**
 * The questions of one session: one after the other (some PLCs count the nodes of all calls that wait), each within its
 * time, ended by the link's own end. Counts them and measures round trips.
 */
export class Asking {
  readonly #deps: AskDeps;
  readonly #patience: Patience;
  readonly #waiting = new Set<(error: AppError) => void>();
  #tail: Promise<unknown> = Promise.resolve();
  #wire: Wire | null = null;
  #down: AppError;
  requests = 0;
  errors = 0;
  roundTripMs: number | null = null;

  constructor(deps: AskDeps) {
    this.#deps = deps;
    this.#patience = new Patience(deps.timeoutMs);
    this.#down = new AppError("link.lost", `${deps.endpoint}: not connected.`);
  }

  get wire(): Wire | null {
    return this.#wire;
  }

  up(wire: Wire): void {
    this.#wire = wire;
  }

  /** Every question that waits ends with this error, and so does every later one. True when any waited. */
  down(error: AppError): boolean {
    this.#wire = null;
    this.#down = error;
    const waited = this.#waiting.size > 0;
    for (const fail of [...this.#waiting]) fail(error);
    return waited;
  }

  /** @throws AppError `link.*` | `device.*`; the reason of the signal */
  ask<T>(doing: string, run: (wire: Wire) => Promise<T>, signal?: AbortSignal): Promise<T> {
    const turn = this.#tail.then(() => this.#askNow(doing, run, signal));
    this.#tail = turn.catch(() => undefined);
    return turn;
  }

  async #askNow<T>(
    doing: string,
    run: (wire: Wire) => Promise<T>,
    signal: AbortSignal | undefined,
  ): Promise<T> {
    signal?.throwIfAborted();
    const wire = this.#wire;
    if (wire === null) throw this.#down;
    const { clock, endpoint, meter = NO_METER } = this.#deps;
    const beganMs = meter.began();
    const startMs = clock.monoMs();
    let [ending, code]: [Ending, string] = ["lost", ""];
    this.requests++;
    try {
      const answer = await this.#race(run(wire), doing, signal, startMs);
      this.roundTripMs = clock.monoMs() - startMs;
      this.#patience.heard(this.roundTripMs);
      ending = "answer";
      return answer;
    } catch (thrown) {
      if (signal?.aborted && thrown === signal.reason) throw thrown;
      this.errors++;
      const fault = faultOf(thrown, endpoint, doing, "ask");
      [ending, code] = endingOf(fault);
      throw fault;
    } finally {
      meter.ended(null, ending, beganMs, clock.monoMs() - startMs, code);
    }
  }

  #race<T>(work: Promise<T>, doing: string, signal: AbortSignal | undefined, startMs: number): Promise<T> {
    const { clock, endpoint, meter = NO_METER } = this.#deps;
    let gaveUp = false;
    return new Promise<T>((resolve, reject) => {
      const done = (settle: () => void) => {
        cancel();
        this.#waiting.delete(reject);
        signal?.removeEventListener("abort", onAbort);
        settle();
      };
      const fail = (error: unknown) => done(() => reject(error));
      const onAbort = () => fail(signal?.reason);
      const limitMs = this.#patience.limitMs;
      const cancel = clock.after(limitMs, () => {
        this.#patience.missed();
        gaveUp = true;
        fail(new AppError("device.timeout", `${endpoint} did not answer within ${limitMs} ms (${doing}).`));
      });
      this.#waiting.add(reject);
      signal?.addEventListener("abort", onAbort, { once: true });
      work.then((answer) => {
        if (gaveUp) meter.late(null, clock.monoMs() - startMs);
        done(() => resolve(answer));
      }, fail);
    });
  }
}

function endingOf({ code, context }: AppError): [Ending, string] {
  if (code === "device.timeout") return ["timeout", ""];
  return code.startsWith("device.") ? ["refused", String(context.status ?? code)] : ["lost", ""];
}
