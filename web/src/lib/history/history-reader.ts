import type { Clock } from "@millrace/contract/std/clock";
import { asFault, HubFault } from "../error/fault.ts";
import type { OfflineStore } from "../offline/store.ts";
import { historyOf, type PenHistory } from "./columns.ts";
import type { HistoryClient } from "./history-client.ts";
import { keep, keptOf } from "./kept-answers.ts";

/** One pen's history as far as it is known, and why it is not known further. */
export interface PenReading {
  history: PenHistory | null;
  fault: HubFault | null;
  /** When the history was saved, if it is from this device and not from the hub; else null. */
  savedMs: number | null;
}

export interface HistoryAsk {
  tagNos: readonly number[];
  fromMs: number;
  toMs: number;
  /** Buckets for so many pixels; null: the samples as they came. */
  width: number | null;
}

/** Errors that are about the hub and not about one of the tags: asking tag by tag would only repeat them. */
const ABOUT_THE_HUB = new Set<string>([
  "web.unreachable",
  "web.answerUnexpected",
  "auth.required",
  "auth.forbidden",
  "query.busy",
  "query.timeout",
  "database.unavailable",
]);

/** Asks the hub, one request at a time, and keeps what came on this device. Never throws. */
export class HistoryReader {
  readonly #client: HistoryClient;
  readonly #store: OfflineStore;
  readonly #clock: Clock;

  constructor(deps: { client: HistoryClient; store: OfflineStore; clock: Clock }) {
    this.#client = deps.client;
    this.#store = deps.store;
    this.#clock = deps.clock;
  }

  /** What this device has; tags of which it has nothing are left out. */
  async stored(ask: HistoryAsk): Promise<Map<number, PenReading>> {
    const found = new Map<number, PenReading>();
    for (const tagNo of ask.tagNos) {
      const kept = await keptOf(this.#store, tagNo, ask.fromMs, ask.toMs);
      if (kept !== null) found.set(tagNo, { history: kept.history, fault: null, savedMs: kept.savedMs });
    }
    return found;
  }

  /** All pens in one request; if one of them is refused, each alone, so that one cannot take the others with it. */
  async read(ask: HistoryAsk, signal: AbortSignal): Promise<Map<number, PenReading>> {
    if (ask.tagNos.length === 0 || signal.aborted) return new Map();
    try {
      return await this.#readTogether(ask, signal);
    } catch (thrown) {
      const fault = asFault(thrown);
      if (ask.tagNos.length === 1 || ABOUT_THE_HUB.has(fault.code)) return failed(ask.tagNos, fault);
    }
    const all = new Map<number, PenReading>();
    for (const tagNo of ask.tagNos) {
      for (const [no, reading] of await this.read({ ...ask, tagNos: [tagNo] }, signal)) all.set(no, reading);
    }
    return all;
  }

  async #readTogether(ask: HistoryAsk, signal: AbortSignal): Promise<Map<number, PenReading>> {
    let answer = await this.#client.samples(ask, signal);
    // Cut short: more samples than one answer holds. As an envelope they fit.
    if (answer.kind === "raw" && answer.nextFrom !== null) {
      answer = await this.#client.samples({ ...ask, width: ask.width ?? 1_000 }, signal);
    }
    void keep(this.#store, answer, ask.tagNos, this.#clock.nowMs());
    const missing = new HubFault("web.answerUnexpected", "The answer has nothing for this tag.");
    return new Map(
      ask.tagNos.map((tagNo) => {
        const history = historyOf(answer, tagNo);
        return [tagNo, { history, fault: history === null ? missing : null, savedMs: null }];
      }),
    );
  }
}

const failed = (tagNos: readonly number[], fault: HubFault): Map<number, PenReading> =>
  new Map(tagNos.map((tagNo) => [tagNo, { history: null, fault, savedMs: null }]));
