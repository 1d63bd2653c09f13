import type { Arrived } from "../../driver/mqtt-wire/wire.ts";

/** Messages that wait between the connection and the first device that listens. */
export const INBOX_MESSAGES_MAX = 1_000;
export const INBOX_BYTES_MAX = 4 * 1024 * 1024;

/** A bounded queue; when it is full the oldest goes and is counted. */
export class Inbox {
  #waiting: Arrived[] = [];
  #bytes = 0;
  lost = 0;

  put(message: Arrived): void {
    // A view would keep the whole packet buffer alive.
    this.#waiting.push({ ...message, payload: message.payload.slice() });
    this.#bytes += message.payload.length;
    while (this.#waiting.length > INBOX_MESSAGES_MAX || this.#bytes > INBOX_BYTES_MAX) {
      this.#bytes -= this.#waiting.shift()!.payload.length;
      this.lost++;
    }
  }

  /** Everything that waits, in the order it came. Each device that comes hears all of it: it knows its own topics. */
  all(): readonly Arrived[] {
    return this.#waiting;
  }

  clear(): void {
    this.#waiting = [];
    this.#bytes = 0;
  }
}
