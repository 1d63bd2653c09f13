import { createHash, timingSafeEqual } from "node:crypto";
import { AppError } from "@millrace/contract/error/app-error";
import type { Clock } from "@millrace/contract/std/clock";
import type { Arrival, Arrivals, Ear, Taken } from "../driver/arrivals.ts";
import { INTAKE } from "./limits.ts";
import { Rates } from "./rates.ts";

const digest = (text: string): Buffer => createHash("sha256").update(text).digest();

/** What a login that nobody has is compared with: the answer takes as long. */
const NOBODY = digest("nobody");

/** The one list of who may send to this gateway, behind both doors: MQTT and HTTP. */
export class IntakeDesk implements Arrivals {
  readonly #ears = new Map<string, Set<Ear & { digest: Buffer }>>();
  readonly #wrong: Rates;
  readonly #messages: Rates;
  readonly #onLeft = new Set<(login: string) => void>();
  #open = true;

  constructor(clock: Clock) {
    this.#wrong = new Rates(clock, 1 / INTAKE.wrongEveryS, INTAKE.wrongBurst, INTAKE.neighboursMax);
    this.#messages = new Rates(clock, INTAKE.perSecond, INTAKE.burst, INTAKE.neighboursMax);
  }

  join(ear: Ear): () => void {
    if (!this.#open) throw new AppError("link.refused", "This gateway is stopping.");
    const own = { ...ear, digest: digest(ear.token) };
    const ears = this.#ears.get(ear.login) ?? new Set();
    this.#ears.set(ear.login, ears.add(own));
    return () => {
      if (!ears.delete(own)) return;
      if (ears.size === 0) this.#ears.delete(ear.login);
      for (const left of this.#onLeft) left(ear.login);
    };
  }

  /** Hears when a login ended or changed: whoever came in by it has to show its token again. */
  onLeft(listener: (login: string) => void): void {
    this.#onLeft.add(listener);
  }

  /**
   * Whether this is the token of this login.
   * @param neighbour where the question comes from; after some wrong ones it is refused without a look
   */
  admits(login: string, token: string, neighbour: string): boolean {
    if (this.#wrong.empty(neighbour)) return false;
    if (this.isToken(login, token)) return true;
    this.#wrong.take(neighbour);
    return false;
  }

  isToken(login: string, token: string): boolean {
    const given = digest(token);
    const ears = [...(this.#ears.get(login) ?? [])];
    const right = ears.map((ear) => timingSafeEqual(ear.digest, given));
    return ears.length > 0 ? right.includes(true) : timingSafeEqual(NOBODY, given) && false;
  }

  /** Counts a message. @returns how long its sender should wait, ms */
  waitMs(login: string): number {
    return this.#messages.take(login);
  }

  /** Null: nobody listens to this login any more. */
  offer(login: string, arrival: Arrival): Taken | null {
    const ears = [...(this.#ears.get(login) ?? [])];
    if (ears.length === 0) return null;
    const taken = ears.map((ear) => ear.hear(arrival));
    return {
      tags: taken.reduce((sum, { tags }) => sum + tags, 0),
      bad: taken.reduce((sum, { bad }) => sum + bad, 0),
    };
  }

  close(): void {
    this.#open = false;
    const why = new AppError("link.lost", "This gateway is stopping.");
    for (const ears of [...this.#ears.values()]) for (const ear of [...ears]) ear.gone(why);
    this.#ears.clear();
  }
}
