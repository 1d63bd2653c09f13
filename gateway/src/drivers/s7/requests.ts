import type { Clock } from "@millrace/contract/std/clock";
import { type Meter, NO_METER } from "../../driver/meter.ts";
import type { IsoLink } from "./iso.ts";
import { parseReply, type Reply } from "./wire.ts";

/**
 * Telegrams nobody asked for that we put up with between two accepted answers: as many as requests under way may come
 * later than we remember them. A CPU tells nothing unasked.
 */
const STRAYS_MAX = 8;
/** How long a request that somebody gave up counts against what the CPU granted. */
const ABANDONED_MS = 1_000;
/** How often we look whether a place became free. */
const ROOM_MS = 10;

interface InFlight {
  sentMs: number;
  settle(reply: Reply | null): void;
  fail(error: unknown): void;
}

/**
 * What is under way on one link. An answer counts only for the request of its number; a number is used again after
 * 65,535 others.
 */
export class Requests {
  readonly #clock: Clock;
  readonly #meter: Meter;
  readonly #inFlight = new Map<number, InFlight>();
  /** Given up by us; the CPU may still work on them. Until when they count against what it granted, and since when. */
  readonly #abandoned = new Map<number, { untilMs: number; sentMs: number }>();
  #lastRef = 0;
  #strays = 0;

  constructor(clock: Clock, meter: Meter = NO_METER) {
    this.#clock = clock;
    this.#meter = meter;
  }

  /** Resolves when the CPU can take one more of at most `jobs` requests. @throws the reason of the signal */
  async room(jobs: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    while (this.#inFlight.size + this.#abandoned.size >= jobs) {
      const nowMs = this.#clock.monoMs();
      for (const [ref, { untilMs }] of this.#abandoned) if (untilMs <= nowMs) this.#abandoned.delete(ref);
      if (this.#inFlight.size + this.#abandoned.size < jobs) return;
      await this.#clock.sleep(ROOM_MS, signal);
    }
  }

  /** @returns the answer of this request's number, or null when none came in time. @throws why the link ended */
  send(link: IsoLink, make: (ref: number) => Buffer, timeoutMs: number): Promise<Reply | null> {
    const ref = this.#nextRef();
    const sentMs = this.#clock.monoMs();
    return new Promise<Reply | null>((resolve, reject) => {
      const cancel = this.#clock.after(timeoutMs, () => {
        this.#abandon(ref, timeoutMs, sentMs);
        resolve(null);
      });
      const end = () => {
        cancel();
        this.#inFlight.delete(ref);
      };
      this.#inFlight.set(ref, {
        sentMs,
        settle: (reply) => {
          end();
          resolve(reply);
        },
        fail: (error) => {
          end();
          reject(error);
        },
      });
      link.send(make(ref));
    });
  }

  /** A telegram of the CPU. @returns why the link cannot go on; null when it can */
  take(bytes: Buffer): string | null {
    const reply = parseReply(bytes);
    if (typeof reply === "string") return reply;
    const inFlight = this.#inFlight.get(reply.ref);
    if (inFlight !== undefined) {
      this.#strays = 0;
      inFlight.settle(reply);
      return null;
    }
    const late = this.#abandoned.get(reply.ref);
    if (late !== undefined) {
      this.#abandoned.delete(reply.ref);
      this.#meter.late(null, this.#clock.monoMs() - late.sentMs);
      return null;
    }
    this.#meter.stray(null);
    return ++this.#strays > STRAYS_MAX ? `${this.#strays} answers nobody asked for` : null;
  }

  /** Nobody waits any more; the link goes on. */
  abandonAll(reason: unknown): void {
    for (const [ref, inFlight] of [...this.#inFlight]) {
      this.#abandon(ref, ABANDONED_MS, inFlight.sentMs);
      inFlight.fail(reason);
    }
  }

  failAll(error: unknown): void {
    for (const inFlight of [...this.#inFlight.values()]) inFlight.fail(error);
    this.#abandoned.clear();
  }

  #abandon(ref: number, forMs: number, sentMs: number): void {
    this.#inFlight.delete(ref);
    this.#abandoned.set(ref, { untilMs: this.#clock.monoMs() + forMs, sentMs });
  }

  #nextRef(): number {
    do this.#lastRef = (this.#lastRef % 0xffff) + 1;
    while (this.#inFlight.has(this.#lastRef) || this.#abandoned.has(this.#lastRef));
    return this.#lastRef;
  }
}
