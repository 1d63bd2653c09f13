import type { TagHistory } from "@millrace/contract/api/history";
import type { Tag } from "@millrace/contract/api/plant";
import { staleAfterMs } from "@millrace/contract/vocabulary/tag";
import { asFault, type HubFault } from "../../error/fault.ts";
import { figuresOf } from "../../history/day-figures.ts";
import { HistoryClient } from "../../history/history-client.ts";
import { HistoryReader, type PenReading } from "../../history/history-reader.ts";
import { lineOf } from "../../history/line.ts";
import type { Services } from "../../services.ts";

export const DAY_MS = 86_400_000;
/** Buckets of five minutes: as many as the sheet has pixels to show. */
const WIDTH = 300;
const REFRESH_MS = 60_000;

/** The last day of one tag, and what it costs to keep it. */
export class TagHistoryController {
  reading: PenReading | null = $state.raw(null);
  cost: TagHistory | null = $state.raw(null);
  costFault: HubFault | null = $state.raw(null);
  /** End of the day shown, by the hub's clock. */
  toMs = $state(0);
  readonly #tag: Tag;
  readonly #services: Services;
  readonly #client: HistoryClient;
  readonly #reader: HistoryReader;
  readonly #stop = new AbortController();
  #cancel = () => {};

  readonly line = $derived.by(() => {
    const history = this.reading?.history ?? null;
    if (history === null) return null;
    const facts = { staleAfterMs: staleAfterMs(this.#tag.heartbeatMs), nowMs: this.toMs, listening: false };
    return lineOf(history, [], facts);
  });
  readonly figures = $derived(this.reading?.history ? figuresOf(this.reading.history.points) : null);

  constructor(tag: Tag, services: Services) {
    this.#tag = tag;
    this.#services = services;
    this.#client = new HistoryClient(services.client);
    this.#reader = new HistoryReader({ client: this.#client, store: services.store, clock: services.clock });
  }

  release(): void {
    this.#stop.abort();
    this.#cancel();
  }

  /** Asks now, and again from time to time. Never throws. */
  async open(): Promise<void> {
    this.#cancel();
    const toMs = Math.ceil(this.#services.live.nowMs);
    const { tagNo } = this.#tag;
    const ask = { tagNos: [tagNo], fromMs: toMs - DAY_MS, toMs, width: WIDTH };
    if (this.reading === null) this.#take((await this.#reader.stored(ask)).get(tagNo), toMs);
    const fresh = (await this.#reader.read(ask, this.#stop.signal)).get(tagNo);
    if (this.#stop.signal.aborted) return;
    if (fresh?.history === null && this.reading?.history)
      this.reading = { ...this.reading, fault: fresh.fault };
    else this.#take(fresh, toMs);
    await this.#readCost();
    if (!this.#stop.signal.aborted)
      this.#cancel = this.#services.clock.after(REFRESH_MS, () => void this.open());
  }

  #take(reading: PenReading | undefined, toMs: number): void {
    if (reading === undefined) return;
    this.reading = reading;
    this.toMs = toMs;
  }

  async #readCost(): Promise<void> {
    try {
      this.cost = await this.#client.tagHistory(this.#tag.tagNo);
      this.costFault = null;
    } catch (thrown) {
      this.costFault = asFault(thrown);
    }
  }
}
