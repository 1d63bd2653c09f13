import { HISTORIAN } from "../limits.ts";

/** Items that failed more than this are forgotten, oldest first, and then simply tried again. */
const ITEMS_MAX = 10_000;

/** What failed waits longer each time, so that one broken item costs little and the others go on. */
export class Retries {
  readonly #failed = new Map<string, { attempts: number; nextMs: number }>();

  mayTry(what: string, monoMs: number): boolean {
    return (this.#failed.get(what)?.nextMs ?? monoMs) <= monoMs;
  }

  /** @returns whether it worked the time before: only then it is news */
  failed(what: string, monoMs: number): boolean {
    const attempts = (this.#failed.get(what)?.attempts ?? 0) + 1;
    const waitMs = Math.min(HISTORIAN.retryMsMax, HISTORIAN.retryMs * 2 ** Math.min(attempts - 1, 20));
    this.#failed.delete(what);
    this.#failed.set(what, { attempts, nextMs: monoMs + waitMs });
    if (this.#failed.size > ITEMS_MAX) this.#failed.delete(this.#failed.keys().next().value!);
    return attempts === 1;
  }

  /** @returns whether it had failed before */
  succeeded(what: string): boolean {
    return this.#failed.delete(what);
  }
}
