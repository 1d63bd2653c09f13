import { asFault, type HubFault } from "../error/fault.ts";
import type { Services } from "../services.ts";

/** How the list stands. `stale`: the last attempt failed, and what is shown is older. */
export type PagedListView<Row> =
  | { at: "loading" }
  | { at: "failed"; fault: HubFault }
  | { at: "live" | "stale"; rows: Row[]; readMs: number; cursor: string | null };

interface PagedListInput<Row, Filter> {
  /** One page of a filter; the first for no cursor. */
  read: (filter: Filter, cursor: string | null) => Promise<{ items: Row[]; nextCursor: string | null }>;
  /** Rows on the screen at once. */
  rowsMax: number;
}

/** What the hub keeps of a kind, as a list that goes back in time. */
export class PagedList<Row, Filter> {
  view: PagedListView<Row> = $state.raw({ at: "loading" });
  /** Asking for older ones; `moreFault` when that failed. */
  busy = $state(false);
  moreFault: HubFault | null = $state.raw(null);
  /** Asking for the newest again, with a list on the screen. */
  refreshing = $state(false);
  readonly #clock: Services["clock"];
  readonly #input: PagedListInput<Row, Filter>;
  #filter: Filter;
  /** Of the newest question; answers to older ones are not wanted any more. */
  #asked = 0;

  constructor(clock: Services["clock"], filter: Filter, input: PagedListInput<Row, Filter>) {
    this.#clock = clock;
    this.#filter = filter;
    this.#input = input;
  }

  get canShowMore(): boolean {
    const { view } = this;
    return "rows" in view && view.cursor !== null && view.rows.length < this.#input.rowsMax;
  }

  /** Asks for the newest of a filter, in the place of all others. Never throws. */
  async open(filter: Filter): Promise<void> {
    const isOther = JSON.stringify(filter) !== JSON.stringify(this.#filter);
    this.#filter = filter;
    const asked = ++this.#asked;
    this.moreFault = null;
    if (isOther || !("rows" in this.view)) this.view = { at: "loading" };
    this.refreshing = true;
    try {
      const { items, nextCursor } = await this.#input.read(filter, null);
      if (asked !== this.#asked) return;
      this.view = { at: "live", rows: items, readMs: this.#clock.nowMs(), cursor: nextCursor };
    } catch (thrown) {
      if (asked !== this.#asked) return;
      this.view =
        "rows" in this.view ? { ...this.view, at: "stale" } : { at: "failed", fault: asFault(thrown) };
    } finally {
      if (asked === this.#asked) this.refreshing = false;
    }
  }

  /** Asks for those before the last one shown. Never throws. */
  async more(): Promise<void> {
    const { view } = this;
    if (!("rows" in view) || view.cursor === null || this.busy) return;
    const asked = this.#asked;
    this.busy = true;
    this.moreFault = null;
    try {
      const { items, nextCursor } = await this.#input.read(this.#filter, view.cursor);
      if (asked === this.#asked) this.view = { ...view, rows: [...view.rows, ...items], cursor: nextCursor };
    } catch (thrown) {
      if (asked === this.#asked) this.moreFault = asFault(thrown);
    } finally {
      this.busy = false;
    }
  }
}
