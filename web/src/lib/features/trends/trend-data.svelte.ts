import type { HubFault } from "../../error/fault.ts";
import type { HistoryAsk, HistoryReader, PenReading } from "../../history/history-reader.ts";
import { LatestOnly } from "./requests.ts";

export interface TrendAsk extends HistoryAsk {
  /** The same once more, so far back; null for no comparison. */
  compareMs: number | null;
}
type Readings = ReadonlyMap<number, PenReading>;

/** What the pens are drawn from. The last answer stays until a newer one covers it. */
export class TrendData {
  pens: Readings = $state.raw(new Map());
  /** Of the compared stretch, at its own times. */
  compared: Readings = $state.raw(new Map());
  loading = $state(false);
  readonly #reader: HistoryReader;
  readonly #requests = new LatestOnly();
  #comparedMs: number | null = null;

  constructor(reader: HistoryReader) {
    this.#reader = reader;
  }

  ask(ask: TrendAsk): void {
    this.loading = true;
    if (ask.compareMs !== this.#comparedMs) this.compared = new Map();
    this.#comparedMs = ask.compareMs;
    this.#requests.ask((signal) => this.#run(ask, signal));
  }

  release(): void {
    this.#requests.stop();
  }

  /** A pen that went keeps no answer; it would come back with an old one. */
  keepOnly(tagNos: readonly number[]): void {
    this.pens = only(this.pens, tagNos);
    this.compared = only(this.compared, tagNos);
  }

  async #run(ask: TrendAsk, signal: AbortSignal): Promise<void> {
    const blank = ask.tagNos.filter((tagNo) => !covers(this.pens.get(tagNo), ask));
    const stored = blank.length === 0 ? new Map() : await this.#reader.stored({ ...ask, tagNos: blank });
    if (signal.aborted) return;
    if (stored.size > 0) this.pens = new Map([...this.pens, ...stored]);
    const fresh = await this.#reader.read(ask, signal);
    if (signal.aborted) return;
    this.pens = merged(this.pens, fresh);
    if (ask.compareMs !== null) await this.#compare(ask, ask.compareMs, signal);
    if (!signal.aborted) this.loading = false;
  }

  async #compare(ask: TrendAsk, compareMs: number, signal: AbortSignal): Promise<void> {
    const before = { ...ask, fromMs: ask.fromMs - compareMs, toMs: ask.toMs - compareMs };
    const fresh = await this.#reader.read(before, signal);
    if (!signal.aborted) this.compared = merged(this.compared, fresh);
  }
}

const only = (readings: Readings, tagNos: readonly number[]): Readings =>
  new Map([...readings].filter(([tagNo]) => tagNos.includes(tagNo)));

function covers(reading: PenReading | undefined, ask: HistoryAsk): boolean {
  const history = reading?.history;
  return history !== null && history !== undefined && history.fromMs < ask.toMs && history.toMs > ask.fromMs;
}

/** A failure keeps the history that is there, and names itself. */
export function merged(old: Readings, fresh: Readings): Readings {
  const all = new Map(old);
  for (const [tagNo, reading] of fresh) {
    const before = old.get(tagNo);
    all.set(
      tagNo,
      reading.history === null && before !== undefined ? { ...before, fault: reading.fault } : reading,
    );
  }
  return all;
}

/** The fault that is not one pen's but the whole hub's: all pens have it. */
export function commonFault(readings: Readings, tagNos: readonly number[]): HubFault | null {
  const faults = tagNos.map((tagNo) => readings.get(tagNo)?.fault ?? null);
  const first = faults[0] ?? null;
  return first !== null && faults.every((fault) => fault?.code === first.code) ? first : null;
}
