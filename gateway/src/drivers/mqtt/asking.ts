import type { AppError } from "@millrace/contract/error/app-error";
import type { Clock } from "@millrace/contract/std/clock";
import { linkFault } from "../../driver/mqtt-wire/fault.ts";

/** What waits for a broker or a device, each for a limited time, ended by the link's own end. Counts the questions. */
export class Asking {
  readonly #clock: Clock;
  readonly #broker: string;
  readonly #timeoutMs: number;
  readonly #waiting = new Set<(error: AppError) => void>();
  requests = 0;
  errors = 0;
  roundTripMs: number | null = null;

  constructor(clock: Clock, { broker, timeoutMs }: { broker: string; timeoutMs: number }) {
    this.#clock = clock;
    this.#broker = broker;
    this.#timeoutMs = timeoutMs;
  }

  /** The answer; null when none came in time. @throws AppError `link.*`; the reason of the signal */
  async ask<T>(run: () => Promise<T>, signal?: AbortSignal): Promise<T | null> {
    this.requests++;
    const beganMonoMs = this.#clock.monoMs();
    let answer: T | null = null;
    let failed: unknown = null;
    await this.orEnd(signal, this.#timeoutMs, (done) => {
      run()
        .then(
          (told) => {
            answer = told;
          },
          (thrown: unknown) => {
            failed = thrown;
          },
        )
        .finally(done);
    });
    this.roundTripMs = this.#clock.monoMs() - beganMonoMs;
    if (answer === null) this.errors++;
    if (failed !== null) throw linkFault(this.#broker, failed);
    return answer;
  }

  /** Until `done` is called or `msMax` is over. @throws when the signal aborts or the link goes */
  orEnd(signal: AbortSignal | undefined, msMax: number, begin: (done: () => void) => void): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      const settle = (run: () => void) => {
        cancel();
        this.#waiting.delete(fail);
        signal?.removeEventListener("abort", onAbort);
        run();
      };
      const fail = (error: AppError) => settle(() => reject(error));
      const onAbort = () => settle(() => reject(signal?.reason));
      const cancel = this.#clock.after(Math.max(0, msMax), () => settle(resolve));
      this.#waiting.add(fail);
      signal?.addEventListener("abort", onAbort, { once: true });
      begin(() => settle(resolve));
    });
  }

  /** The link is gone. True when somebody waited and hears of it. */
  end(why: AppError): boolean {
    const waiting = [...this.#waiting];
    for (const fail of waiting) fail(why);
    return waiting.length > 0;
  }
}
