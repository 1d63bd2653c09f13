import type { BrowsePage, Point, Reading } from "../driver/driver.ts";
import { type Cause, errorOf } from "./cause.ts";
import type { Connection } from "./connection.ts";
import type { Member } from "./member.ts";

/** Numbers the visitors, so that each is a member of its own. */
let visits = 0;

/**
 * A test's place on a connection: a visitor among the devices that use it. Its requests wait their turn like everybody's,
 * and the connection stays open while it is here. What the devices behind the connection do is not disturbed by it.
 */
export class Line {
  /** The running configuration had the connection before this visit. */
  readonly shared: boolean;
  readonly #connection: Connection;
  readonly #member: Member;
  readonly #leave: (leave: () => Promise<void>) => Promise<void>;
  #onLink: (cause: Cause | null) => void = () => {};

  constructor(
    connection: Connection,
    settings: unknown,
    leave: (leave: () => Promise<void>) => Promise<void>,
  ) {
    this.#connection = connection;
    this.#leave = leave;
    this.shared = connection.devices > 0;
    this.#member = {
      deviceId: `visitor:${++visits}`,
      settings,
      visitor: true,
      tally: { requests: 0, errors: 0, roundTripMs: null },
      onLinkUp: () => this.#onLink(null),
      onLinkDown: (cause) => this.#onLink(cause),
    };
    connection.attach(this.#member);
  }

  /** Round trip of the last request of this visit; null before the first. */
  get roundTripMs(): number | null {
    const { roundTripMs } = this.#member.tally;
    return roundTripMs === null ? null : Math.round(roundTripMs * 100) / 100;
  }

  /**
   * Resolves when the link is up. A link that waits for its next attempt tries now.
   * @throws AppError why the attempt failed; the reason of the signal
   */
  async open(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    this.#connection.hurry();
    const link = this.#connection.link();
    if (link.at === "up") return;
    if (link.at === "refused") throw errorOf(link.cause);
    await new Promise<void>((resolve, reject) => {
      const end = (settle: () => void) => {
        this.#onLink = () => {};
        signal.removeEventListener("abort", onAbort);
        settle();
      };
      const onAbort = () => end(() => reject(signal.reason));
      this.#onLink = (cause) => end(() => (cause === null ? resolve() : reject(errorOf(cause))));
      signal.addEventListener("abort", onAbort, { once: true });
    });
  }

  /**
   * One reading per point, when our turn comes. Who is cancelled does not wait for the turn.
   * @throws as `Session.read` does; the reason of the signal
   */
  read(points: readonly Point[], signal: AbortSignal): Promise<Reading[]> {
    return this.#unlessCancelled(signal, () => this.#connection.read(this.#member, points, signal));
  }

  /** A page of what lies below a place, when our turn comes. @throws as `Session.browse` does; the reason of the signal */
  browse(from: string, after: number, signal: AbortSignal): Promise<BrowsePage> {
    return this.#unlessCancelled(signal, () => this.#connection.browse(this.#member, from, after, signal));
  }

  async #unlessCancelled<T>(signal: AbortSignal, ask: () => Promise<T>): Promise<T> {
    signal.throwIfAborted();
    let onAbort = () => {};
    const cancelled = new Promise<never>((_, reject) => {
      onAbort = () => reject(signal.reason);
      signal.addEventListener("abort", onAbort, { once: true });
    });
    try {
      return await Promise.race([ask(), cancelled]);
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }

  /** Why a point has no value, in words; null when nobody knows. */
  explain(point: Point): string | null {
    return this.#connection.visitOf(this.#member)?.explain?.(point) ?? null;
  }

  /** Requests one cycle of these points takes; null when the driver cannot tell or was never needed. */
  requestsFor(points: readonly Point[]): number | null {
    return this.#connection.visitOf(this.#member)?.requestsFor?.(points) ?? null;
  }

  /** Ends the visit; a connection nobody else uses is closed when this resolves. */
  close(): Promise<void> {
    return this.#leave(() => this.#connection.detach(this.#member.deviceId));
  }
}
