import { LIMITS } from "@millrace/contract/wire/limits";
import { Histogram } from "./histogram.ts";
import type { Tally } from "./windowed.ts";

/** Different codes counted apart; the rest count as `CODE_OTHER`. */
const CODES_MAX = LIMITS.busCodesMax - 1;
const CODE_OTHER = "other";

/** What one unit did with its requests. */
export class UnitTally implements Tally<UnitTally> {
  requests = 0;
  answers = 0;
  refusals = 0;
  timeouts = 0;
  garbled = 0;
  wrongIds = 0;
  late = 0;
  lateMaxMs = 0;
  retries = 0;
  /** Time its requests held the line, ms; `waitedMs` of it for answers that never came. */
  busyMs = 0;
  waitedMs = 0;
  readonly times = new Histogram();
  readonly codes = new Map<string, number>();

  code(code: string, count = 1): void {
    const known = this.codes.has(code) || this.codes.size < CODES_MAX ? code : CODE_OTHER;
    this.codes.set(known, (this.codes.get(known) ?? 0) + count);
  }

  add(other: UnitTally): void {
    this.requests += other.requests;
    this.answers += other.answers;
    this.refusals += other.refusals;
    this.timeouts += other.timeouts;
    this.garbled += other.garbled;
    this.wrongIds += other.wrongIds;
    this.late += other.late;
    this.lateMaxMs = Math.max(this.lateMaxMs, other.lateMaxMs);
    this.retries += other.retries;
    this.busyMs += other.busyMs;
    this.waitedMs += other.waitedMs;
    this.times.add(other.times);
    for (const [code, count] of other.codes) this.code(code, count);
  }

  clear(): void {
    this.requests = 0;
    this.answers = 0;
    this.refusals = 0;
    this.timeouts = 0;
    this.garbled = 0;
    this.wrongIds = 0;
    this.late = 0;
    this.lateMaxMs = 0;
    this.retries = 0;
    this.busyMs = 0;
    this.waitedMs = 0;
    this.times.clear();
    this.codes.clear();
  }
}

/** What the link itself did. */
export class LineTally implements Tally<LineTally> {
  /** Time in which at least one request was under way, ms. */
  busyMs = 0;
  opens = 0;
  losses = 0;
  failedTries = 0;
  /** Subscriptions that let nothing hear any more. */
  silences = 0;
  /** Messages that came by themselves, and those in which something was no value. */
  messages = 0;
  unreadable = 0;

  add(other: LineTally): void {
    this.busyMs += other.busyMs;
    this.opens += other.opens;
    this.losses += other.losses;
    this.failedTries += other.failedTries;
    this.silences += other.silences;
    this.messages += other.messages;
    this.unreadable += other.unreadable;
  }

  clear(): void {
    this.busyMs = 0;
    this.opens = 0;
    this.losses = 0;
    this.failedTries = 0;
    this.silences = 0;
    this.messages = 0;
    this.unreadable = 0;
  }
}

/** Cycles of one device: begun, and those whose deadline passed before their turn came. */
export class CycleTally implements Tally<CycleTally> {
  cycles = 0;
  missed = 0;

  add(other: CycleTally): void {
    this.cycles += other.cycles;
    this.missed += other.missed;
  }

  clear(): void {
    this.cycles = 0;
    this.missed = 0;
  }
}
