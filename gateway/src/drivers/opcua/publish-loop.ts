import { AppError } from "@millrace/contract/error/app-error";
import { statusIn } from "./fault.ts";
import type { Ack, News, Wire } from "./wire.ts";

/** Acknowledgements in one question; what is left waits for the next. */
const ACKS_MAX = 64;
/** Questions that wait at the server at once: one is being answered, the next is already there. */
const WAITING_MAX = 4;
const SEQUENCE_MAX = 2 ** 32 - 1;

interface Listener {
  hear(news: News): void;
  /** Sequence number the next message must have; null before the first. */
  next: number | null;
}

/**
 * Keeps questions for news at the server as long as anybody listens. A message that is missing, a subscription the
 * server gave up, a server that refuses: each of them ends the loop, because a value that stays behind unnoticed is
 * worse than a session made anew.
 */
export class PublishLoop {
  readonly #wire: Pick<Wire, "publish">;
  readonly #trouble: (thrown: unknown) => void;
  readonly #listeners = new Map<number, Listener>();
  #acks: Ack[] = [];
  #waiting = 0;
  #waitingMax = WAITING_MAX;
  #timeoutMs = 0;
  #ended = false;

  /** @param trouble called at most once, with what the library threw or an error of ours */
  constructor(wire: Pick<Wire, "publish">, trouble: (thrown: unknown) => void) {
    this.#wire = wire;
    this.#trouble = trouble;
  }

  add(subscriptionId: number, aliveMs: number, hear: (news: News) => void): void {
    this.#listeners.set(subscriptionId, { hear, next: null });
    this.#timeoutMs = Math.max(this.#timeoutMs, 3 * aliveMs, 10_000);
    this.#fill();
  }

  remove(subscriptionId: number): void {
    this.#listeners.delete(subscriptionId);
  }

  end(): void {
    this.#ended = true;
    this.#listeners.clear();
  }

  #wanted(): number {
    if (this.#ended || this.#listeners.size === 0) return 0;
    return Math.min(this.#listeners.size + 1, this.#waitingMax);
  }

  #fill(): void {
    while (this.#waiting < this.#wanted()) void this.#wait();
  }

  async #wait(): Promise<void> {
    this.#waiting++;
    const acks = this.#acks.splice(0, ACKS_MAX);
    try {
      const news = await this.#wire.publish(acks, this.#timeoutMs);
      this.#waiting--;
      this.#take(news);
      this.#fill();
    } catch (thrown) {
      this.#waiting--;
      this.#fail(thrown);
    }
  }

  #take(news: News): void {
    const listener = this.#listeners.get(news.subscriptionId);
    if (listener === undefined || this.#ended) return;
    if (news.ended !== null) throw gone(`the server ended the subscription (${news.ended})`);
    const { sequence, values } = news;
    if (listener.next !== null && sequence !== listener.next)
      throw gone(`message ${listener.next} of the subscription is missing, ${sequence} came`);
    // A sign of life carries the number of the message that will come; only messages use numbers up.
    listener.next = values.length === 0 ? sequence : sequence === SEQUENCE_MAX ? 1 : sequence + 1;
    if (values.length > 0 && this.#acks.length < 2 * ACKS_MAX)
      this.#acks.push({ subscriptionId: news.subscriptionId, sequence });
    listener.hear(news);
  }

  #fail(thrown: unknown): void {
    if (this.#ended) return;
    // Our last question comes back empty when nobody listens any more.
    if (this.#listeners.size === 0) return;
    if (statusIn(thrown) === "BadTooManyPublishRequests" && this.#waiting > 0) {
      this.#waitingMax = this.#waiting;
      return;
    }
    this.end();
    this.#trouble(thrown);
  }
}

const gone = (why: string): AppError => new AppError("link.lost", `${why}; the session is made anew.`);
