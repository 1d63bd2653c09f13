import type { Tag } from "@millrace/contract/api/plant";
import { asFault, type HubFault } from "../../error/fault.ts";
import type { Interest } from "../../hub/plant-live.svelte.ts";
import type { Services } from "../../services.ts";
import { mergeSamples, type SparkGap, type SparkSample } from "./spark.ts";

export const HISTORY_MS = 3_600_000;
const REFRESH_MS = 10_000;
const LIMIT = 20_000;
/** An hour at the fastest scan (50 ms) is 72,000 samples. */
const PAGES_MAX = 4;
/** Late samples arrive behind newer ones; a short overlap catches them. */
const OVERLAP_MS = 60_000;

/** One tag: what it is, its value live, its last hour. */
export class TagDetailController {
  tag: Tag | null = $state.raw(null);
  fault: HubFault | null = $state.raw(null);
  samples: readonly SparkSample[] = $state.raw([]);
  gaps: readonly SparkGap[] = $state.raw([]);
  historyFault: HubFault | null = $state.raw(null);
  historyRead = $state(false);
  readonly #tagNo: number;
  readonly #services: Pick<Services, "client" | "store" | "live" | "clock">;
  readonly #interest: Interest;
  #cancel = () => {};
  #released = false;

  constructor(tagNo: number, services: Pick<Services, "client" | "store" | "live" | "clock">) {
    this.#tagNo = tagNo;
    this.#services = services;
    this.#interest = services.live.interest();
    this.#interest.set([tagNo]);
  }

  release(): void {
    this.#released = true;
    this.#cancel();
    this.#interest.release();
  }

  async open(): Promise<void> {
    try {
      this.tag = await this.#services.client.tag(this.#tagNo);
      this.fault = null;
    } catch (thrown) {
      const fault = asFault(thrown);
      const stored = fault.code === "web.unreachable" ? await this.#services.store.tags() : [];
      this.tag = stored.find((tag) => tag.tagNo === this.#tagNo) ?? null;
      this.fault = this.tag === null ? fault : null;
    }
    await this.#refresh();
  }

  async #refresh(): Promise<void> {
    try {
      await this.#read();
      this.historyFault = null;
    } catch (thrown) {
      this.historyFault = asFault(thrown);
    }
    if (!this.#released) this.#cancel = this.#services.clock.after(REFRESH_MS, () => void this.#refresh());
  }

  async #read(): Promise<void> {
    const toMs = Math.ceil(this.#services.live.nowMs);
    const startMs = toMs - HISTORY_MS;
    const newest = this.samples.at(-1);
    let fromMs = newest === undefined ? startMs : Math.max(startMs, Date.parse(newest.time) - OVERLAP_MS);
    const fresh: SparkSample[] = [];
    const gaps: SparkGap[] = [];
    for (let page = 0; page < PAGES_MAX && fromMs < toMs; page++) {
      const answer = await this.#services.client.samples(this.#tagNo, fromMs, toMs, LIMIT);
      fresh.push(...answer.items);
      gaps.push(...answer.gaps);
      if (answer.nextFrom === null) break;
      fromMs = Date.parse(answer.nextFrom);
    }
    this.samples = mergeSamples(this.samples, fresh, startMs);
    const known = new Map([...this.gaps, ...gaps].map((gap) => [`${gap.from}${gap.to}${gap.cause}`, gap]));
    this.gaps = [...known.values()].filter((gap) => Date.parse(gap.to) > startMs);
    this.historyRead = true;
  }
}
