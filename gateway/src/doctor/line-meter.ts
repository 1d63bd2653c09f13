import type { Clock } from "@millrace/contract/std/clock";
import type { BusWindow } from "@millrace/contract/wire/bus";
import type { Ending, Meter, Unit } from "../driver/meter.ts";
import { LineTally, UnitTally } from "./tallies.ts";
import { Windowed } from "./windowed.ts";

/** Units counted apart: more than a line can have, so reached only by a fault of ours. The rest count for the line. */
const UNITS_MAX = 256;

interface Counted {
  tally: Windowed<UnitTally>;
  /** The last request got nothing useful, so the next one is a retry. */
  failed: boolean;
}

/** What one connection and its units do, over two windows. Belongs to the connection, so it outlives its sessions. */
export class LineMeter implements Meter {
  readonly #clock: Clock;
  readonly #units = new Map<Unit, Counted>();
  readonly #line: Windowed<LineTally>;
  #startMs: number;
  #startWallMs: number;
  #underWay = 0;
  #busySinceMs = 0;
  /** The last message; null before the first. */
  #heardMs: number | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#startMs = clock.monoMs();
    this.#startWallMs = clock.nowMs();
    this.#line = new Windowed(() => new LineTally(), this.#startMs);
  }

  began(): number {
    const nowMs = this.#clock.monoMs();
    if (this.#underWay++ === 0) this.#busySinceMs = nowMs;
    return nowMs;
  }

  ended(unit: Unit, ending: Ending, beganMs: number, roundTripMs: number, code = ""): void {
    const nowMs = this.#clock.monoMs();
    this.#underWay = Math.max(0, this.#underWay - 1);
    if (this.#underWay === 0)
      this.#line.at(nowMs).busyMs += nowMs - Math.max(this.#busySinceMs, this.#startMs);
    const counted = this.#unit(unit);
    const tally = counted.tally.at(nowMs);
    const tookMs = nowMs - Math.max(beganMs, this.#startMs);
    tally.requests++;
    tally.busyMs += tookMs;
    if (counted.failed) tally.retries++;
    counted.failed = ending === "timeout" || ending === "garbled" || ending === "lost";
    if (ending === "timeout") {
      tally.timeouts++;
      tally.waitedMs += tookMs;
      return;
    }
    if (ending === "lost") return;
    tally.times.note(roundTripMs);
    if (ending === "answer") tally.answers++;
    else if (ending === "garbled") tally.garbled++;
    else {
      tally.refusals++;
      tally.code(code);
    }
  }

  refused(unit: Unit, code: string): void {
    this.#at(unit).code(code);
  }

  late(unit: Unit, afterMs: number): void {
    const tally = this.#at(unit);
    tally.late++;
    tally.lateMaxMs = Math.max(tally.lateMaxMs, afterMs);
  }

  stray(unit: Unit): void {
    this.#at(unit).wrongIds++;
  }

  heard(unreadable: boolean): void {
    const nowMs = this.#clock.monoMs();
    const tally = this.#line.at(nowMs);
    tally.messages++;
    if (unreadable) tally.unreadable++;
    this.#heardMs = nowMs;
  }

  /** Something about the link itself. */
  link(what: "opens" | "losses" | "failedTries" | "silences"): void {
    this.#line.at(this.#clock.monoMs())[what]++;
  }

  /** Begins anew. What is under way counts from now. */
  reset(): void {
    this.#startMs = this.#clock.monoMs();
    this.#startWallMs = this.#clock.nowMs();
    this.#line.reset(this.#startMs);
    this.#units.clear();
  }

  /** Everything at this moment. */
  read(window: BusWindow): LineFigures {
    const nowMs = this.#clock.monoMs();
    const fromMs = this.#line.fromMs(window, nowMs);
    const line = this.#line.sum(window, nowMs);
    if (this.#underWay > 0) line.busyMs += nowMs - Math.max(this.#busySinceMs, fromMs);
    const units = [...this.#units].map(([unit, { tally }]) => ({ unit, tally: tally.sum(window, nowMs) }));
    // A clock that was set meanwhile moves the begin with it: what people compare is the present time.
    const fromWallMs = window === "start" ? this.#startWallMs : this.#clock.nowMs() - (nowMs - fromMs);
    return {
      spanMs: nowMs - fromMs,
      fromMs: fromWallMs,
      countedSinceMs: this.#startWallMs,
      heardAgoMs: this.#heardMs === null ? null : nowMs - this.#heardMs,
      line,
      units,
    };
  }

  #at(unit: Unit): UnitTally {
    return this.#unit(unit).tally.at(this.#clock.monoMs());
  }

  #unit(unit: Unit): Counted {
    const known = this.#units.get(unit);
    if (known !== undefined) return known;
    if (unit !== null && this.#units.size >= UNITS_MAX) return this.#unit(null);
    const counted = { tally: new Windowed(() => new UnitTally(), this.#startMs), failed: false };
    this.#units.set(unit, counted);
    return counted;
  }
}

/** What a `LineMeter` counted in one window. */
export interface LineFigures {
  /** Length of the window so far, ms. */
  spanMs: number;
  /** When it and all counting began, ms UTC. */
  fromMs: number;
  countedSinceMs: number;
  /** Since the last message, ms; null before the first. */
  heardAgoMs: number | null;
  line: LineTally;
  units: { unit: Unit; tally: UnitTally }[];
}
