import { AppError } from "@millrace/contract/error/app-error";
import type { Clock } from "@millrace/contract/std/clock";

export interface GateLimits {
  atOnce: number;
  waitingMax: number;
  waitMsMax: number;
}

/**
 * Lets so many queries run at once. The rest wait in the order they came, neither many nor long: a person who waits for
 * a picture asks again, and a queue of forgotten questions would only make that slower.
 */
export class QueryGate {
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(
    private readonly clock: Clock,
    private readonly limits: GateLimits,
  ) {}

  /**
   * @returns gives the place back; calling it twice does nothing
   * @throws AppError `query.busy` | the signal's reason
   */
  async enter(signal?: AbortSignal): Promise<() => void> {
    if (this.#running < this.limits.atOnce) this.#running++;
    else await this.#wait(signal);
    let inside = true;
    return () => {
      if (!inside) return;
      inside = false;
      // The place is handed on, or given up; in between nobody else can take it.
      const next = this.#waiting.shift();
      if (next) next();
      else this.#running--;
    };
  }

  #wait(signal?: AbortSignal): Promise<void> {
    const { waitingMax, waitMsMax, atOnce } = this.limits;
    if (this.#waiting.length >= waitingMax) throw busy(`${waitingMax} queries wait already (waitingMax).`);
    return new Promise<void>((resolve, reject) => {
      const leave = (reason: unknown) => {
        const at = this.#waiting.indexOf(enter);
        if (at >= 0) this.#waiting.splice(at, 1);
        end();
        reject(reason);
      };
      const onAbort = () => leave(signal?.reason);
      const cancel = this.clock.after(waitMsMax, () =>
        leave(busy(`${atOnce} queries of this kind run, and none ended within ${waitMsMax} ms (waitMsMax).`)),
      );
      const end = () => {
        cancel();
        signal?.removeEventListener("abort", onAbort);
      };
      const enter = () => {
        end();
        resolve();
      };
      if (signal?.aborted) return leave(signal.reason);
      signal?.addEventListener("abort", onAbort, { once: true });
      this.#waiting.push(enter);
    });
  }
}

const busy = (message: string) => new AppError("query.busy", message, { context: { retryAfterS: 5 } });
