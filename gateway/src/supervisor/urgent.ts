import { AppError } from "@millrace/contract/error/app-error";

/** Writes that may wait at one connection. They live seconds, so a longer queue would only expire. */
const WAITING_MAX = 64;

/** What goes before every read that waits at a connection, and between the requests of one that runs: one after the other. */
export class UrgentLane {
  readonly #waiting: (() => Promise<void>)[] = [];
  #runs = false;

  constructor(private readonly key: string) {}

  /** Takes what is to be run by the next `run`. @throws AppError `request.tooMany` */
  add<T>(work: () => Promise<T>): Promise<T> {
    if (this.#waiting.length >= WAITING_MAX)
      throw new AppError("request.tooMany", `${this.key}: ${WAITING_MAX} writes wait already.`);
    const asked = Promise.withResolvers<T>();
    this.#waiting.push(() => work().then(asked.resolve, asked.reject));
    return asked.promise;
  }

  /** Never rejects. What an urgent one reads lets no other in. */
  async run(): Promise<void> {
    if (this.#runs) return;
    this.#runs = true;
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) await next();
    this.#runs = false;
  }
}
