type Job = (signal: AbortSignal) => Promise<void>;

/**
 * At most one job runs and one waits. A newer job takes the place of the waiting one and stops the running one: what
 * the range has moved away from is of no use to anybody. A job must end soon after its signal, and never throw.
 */
export class LatestOnly {
  #running: AbortController | null = null;
  #waiting: Job | null = null;

  ask(job: Job): void {
    this.#waiting = job;
    if (this.#running !== null) this.#running.abort();
    else void this.#work();
  }

  stop(): void {
    this.#waiting = null;
    this.#running?.abort();
  }

  async #work(): Promise<void> {
    for (let job = this.#waiting; job !== null; job = this.#waiting) {
      this.#waiting = null;
      this.#running = new AbortController();
      await job(this.#running.signal).catch(() => undefined);
      this.#running = null;
    }
  }
}
