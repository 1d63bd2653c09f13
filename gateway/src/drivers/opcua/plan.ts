import type { DataType } from "@millrace/contract/vocabulary/value";
import type { Wish } from "../../driver/driver.ts";

/** Most nodes in one request when nobody says less: servers that promise more have been seen to fall over. */
export const NODES_MAX = 500;

/** What a server says of itself; 0 and absence mean that it sets no limit. */
export interface ServerLimits {
  read: number;
  write: number;
  monitor: number;
  browse: number;
}

/** Nodes in one request: the smallest of the setting, the server's own limit and ours. */
export function chunkSize(setting: number, server: number): number {
  const own = setting === 0 ? NODES_MAX : setting;
  return server > 0 ? Math.min(own, server) : own;
}

export function chunks<T>(list: readonly T[], size: number): T[][] {
  const parts: T[][] = [];
  for (let at = 0; at < list.length; at += size) parts.push(list.slice(at, at + size));
  return parts;
}

const NUMERIC: ReadonlySet<DataType> = new Set([
  "int8",
  "uint8",
  "int16",
  "uint16",
  "int32",
  "uint32",
  "int64",
  "uint64",
  "float32",
  "float64",
]);

/** How one tag is to be monitored. */
export interface ItemPlan {
  samplingMs: number;
  queue: number;
  /** Absolute deadband asked of the server; 0 for none. */
  deadband: number;
}

export interface ItemRules {
  publishMs: number;
  queueMax: number;
  serverDeadband: boolean;
}

/** Values a queue holds at most, whatever the intervals are. */
const QUEUE_MAX = 1_000;

/**
 * A queue of one loses every change but the last between two publishes, so it has a place for each sampling that
 * falls between them, and one more for a publish that comes late.
 */
export function planItem(wish: Wish, rules: ItemRules): ItemPlan {
  const samplingMs = wish.scanMs;
  const between = Math.ceil(rules.publishMs / samplingMs) + 1;
  const queue = Math.min(rules.queueMax === 0 ? between : rules.queueMax, QUEUE_MAX);
  const filters = rules.serverDeadband && wish.deadband > 0 && NUMERIC.has(wish.dataType);
  return { samplingMs, queue, deadband: filters ? wish.deadband : 0 };
}

/** Pause before nodes that were missing `tries` times are asked for again, ms. */
export const missingPauseMs = (tries: number, firstMs: number): number =>
  Math.min(Math.max(60_000, firstMs), firstMs * 2 ** Math.min(tries, 20));

/**
 * How long one answer may take: what is set, or eight times what answers took lately where that is more. A line of
 * 900 ms latency is slow, not dead.
 */
export class Patience {
  readonly #setMs: number;
  #smoothMs = 0;

  constructor(setMs: number) {
    this.#setMs = setMs;
  }

  heard(roundTripMs: number): void {
    this.#smoothMs = this.#smoothMs === 0 ? roundTripMs : this.#smoothMs * 0.8 + roundTripMs * 0.2;
  }

  /**
   * After a timeout the next wait is longer, or an answer that takes 5.1 s would never be heard; four times what is set
   * at most, or a dead server would hold everybody up.
   */
  missed(): void {
    this.#smoothMs = Math.max(this.#smoothMs, Math.min(this.#limit() / 4, this.#setMs / 2));
  }

  get limitMs(): number {
    return this.#limit();
  }

  #limit(): number {
    return Math.round(Math.min(60_000, Math.max(this.#setMs, 8 * this.#smoothMs)));
  }
}
