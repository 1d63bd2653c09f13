import type { Tag } from "@millrace/contract/api/plant";
import { asFault, type HubFault } from "../../error/fault.ts";
import type { Interest } from "../../hub/plant-live.svelte.ts";
import type { TagFilter } from "../../router/route.ts";
import type { Services } from "../../services.ts";

const PAGE_ROWS = 500;
/** More rows than a person scrolls through; a search finds the rest. */
const ROWS_MAX = 100_000;

/** Tags of the stored visit that a filter lets through; the hub does the same on its side. */
export function filterStored(tags: readonly Tag[], filter: TagFilter): Tag[] {
  const words = filter.q.toLocaleLowerCase().split(/\s+/);
  return tags
    .filter((tag) => filter.deviceId === "" || tag.deviceId === filter.deviceId)
    .filter((tag) => filter.gatewayId === "" || tag.gatewayId === filter.gatewayId)
    .filter((tag) => words.every((word) => tag.path.toLocaleLowerCase().includes(word)))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** The tag list of one filter, read page by page as the person scrolls. */
export class TagListController {
  rows: readonly Tag[] = $state.raw([]);
  loading = $state(true);
  fault: HubFault | null = $state.raw(null);
  /** The rows are those of the last visit. */
  stored = $state(false);
  #cursor: string | null = null;
  #complete = $state(false);
  #filter: TagFilter = { q: "", deviceId: "", gatewayId: "" };
  /** Answers of an older filter are dropped. */
  #generation = 0;
  readonly #services: Pick<Services, "client" | "store">;
  readonly #interest: Interest;

  readonly complete = $derived(this.#complete);

  constructor(services: Pick<Services, "client" | "store" | "live">) {
    this.#services = services;
    this.#interest = services.live.interest();
  }

  release(): void {
    this.#generation++;
    this.#interest.release();
  }

  /** Only these are subscribed. */
  onScreen(tags: readonly Tag[]): void {
    this.#interest.set(tags.map((tag) => tag.tagNo));
  }

  async open(filter: TagFilter): Promise<void> {
    this.#filter = filter;
    this.#cursor = null;
    this.#complete = false;
    this.#generation++;
    this.loading = false;
    await this.loadMore(true);
  }

  async loadMore(fresh = false): Promise<void> {
    if (this.loading || this.#complete || (this.fault !== null && !fresh)) return;
    const generation = this.#generation;
    this.loading = true;
    try {
      const page = await this.#services.client.tags({
        ...this.#filter,
        cursor: this.#cursor,
        limit: PAGE_ROWS,
      });
      if (generation !== this.#generation) return;
      this.rows = this.#cursor === null ? page.items : [...this.rows, ...page.items];
      this.#cursor = page.nextCursor;
      this.#complete = page.nextCursor === null || this.rows.length >= ROWS_MAX;
      this.fault = null;
      this.stored = false;
      void this.#services.store.saveTags(page.items);
    } catch (thrown) {
      if (generation === this.#generation) await this.#fallBack(asFault(thrown));
    } finally {
      if (generation === this.#generation) this.loading = false;
    }
  }

  async #fallBack(fault: HubFault): Promise<void> {
    this.fault = fault;
    if (this.#cursor !== null) return;
    this.rows = filterStored(await this.#services.store.tags(), this.#filter);
    this.stored = true;
  }
}
