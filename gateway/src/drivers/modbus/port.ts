import { EventEmitter } from "node:events";
import type { ModbusRules } from "@millrace/contract/driver/modbus/settings";
import type { Line } from "./line.ts";

export interface PortEvents {
  /**
   * A request is on its way; the wait for its answer begins now and is `extraMs` longer than the timeout: that long the
   * bytes themselves travel. `step`: it is not the request of the caller, which is not sent yet.
   */
  onSent(extraMs: number, step: boolean): void;
  /** The answer to our request came and is not what we asked for. The framing is intact, the link goes on. */
  onGarbled(why: string): void;
  /** The connection is over. `garbled`: we ended it because the bytes made no sense. */
  onFailed(kind: "lost" | "garbled", why: string): void;
  /** An answer nobody waits for. @param afterMs since its request was sent; null when there was none of its id */
  onStray(unit: number, afterMs: number | null): void;
}

/**
 * The port we give the Modbus library instead of its own: that one takes any unit, function and byte count as an
 * answer, counts transactions to 256 and buffers without limit. Here a reply is handed up only when it is the answer
 * to the request in flight; anything else never becomes a value.
 * One port is one line: a new connection is a new port, so a stale one has nobody to call.
 */
export abstract class Port extends EventEmitter {
  /** The library files its requests under this number. Only one is in flight, so it stays the same. */
  readonly _transactionIdWrite = 1;
  readonly _transactionIdRead = 1;
  /** Those of the request to come; set before each. */
  rules: ModbusRules | null = null;
  isOpen = false;
  readonly closed: Promise<void>;
  protected readonly line: Line;
  protected readonly events: PortEvents;
  protected over = false;
  readonly #ended = Promise.withResolvers<void>();
  #opened = false;

  constructor(line: Line, events: PortEvents) {
    super();
    this.line = line;
    this.events = events;
    this.closed = this.#ended.promise;
  }

  /** @param callback called once: without an argument when connected, else with the line's error. */
  open(callback: (error?: Error) => void): void {
    let answered = false;
    const answer = (error?: Error) => {
      if (answered) return;
      answered = true;
      callback(error);
    };
    this.#opened = true;
    this.line.open({
      onOpen: () => {
        if (this.over) return;
        this.isOpen = true;
        answer();
      },
      onBytes: (chunk) => this.receive(chunk),
      onClosed: (error) => {
        answer(error ?? new Error("closed before it was open"));
        this.end("lost", error?.message ?? "the peer closed the connection");
        this.#ended.resolve();
      },
    });
  }

  /** Sends a request the library built: unit, PDU and a serial checksum. */
  abstract write(rtu: Buffer): void;

  /**
   * We no longer wait: an answer that still comes is not taken for the next one.
   * @returns whether this connection can go on
   */
  abstract forget(): boolean;

  /** What came instead of an answer, in words; null when nothing did. */
  unread(): string | null {
    return null;
  }

  close(callback?: () => void): void {
    this.destroy(callback);
  }

  /** Ends the line at once, open or not. Reports nothing. */
  destroy(callback?: () => void): void {
    this.over = true;
    this.isOpen = false;
    this.drop();
    if (this.#opened) this.line.destroy();
    else this.#ended.resolve();
    callback?.();
  }

  /** Forgets the request in flight, for good. */
  protected abstract drop(): void;
  protected abstract receive(chunk: Buffer): void;

  protected end(kind: "lost" | "garbled", why: string): void {
    if (this.over) return;
    const wasOpen = this.isOpen;
    this.destroy();
    if (wasOpen) this.events.onFailed(kind, why);
  }
}
