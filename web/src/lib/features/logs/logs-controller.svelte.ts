import { LogRow } from "@millrace/contract/api/log";
import { Page } from "@millrace/contract/api/page";
import { asFault, type HubFault } from "../../error/fault.ts";
import type { Services } from "../../services.ts";
import { type LogFilter, logSearch } from "./log-filter.ts";

const LogPage = Page(LogRow);
const PAGE_ROWS = 100;
/** Records on the screen at once; who needs more narrows the time. */
const ROWS_MAX = 2_000;

/** How the list stands. `stale`: the last attempt failed, and what is shown is older. */
export type LogListView =
  | { at: "loading" }
  | { at: "failed"; fault: HubFault }
  | { at: "live" | "stale"; rows: LogRow[]; readMs: number; cursor: string | null };

/** The gateways' logs as a list that goes back in time. */
export class LogsController {
  list: LogListView = $state.raw({ at: "loading" });
  /** Asking for older ones; `moreFault` when that failed. */
  busy = $state(false);
  /** Asking for the newest again, with a list on the screen. */
  refreshing = $state(false);
  moreFault: HubFault | null = $state.raw(null);
  readonly #services: Pick<Services, "client" | "clock">;
  #filter: LogFilter;
  /** Of the newest question; answers to older ones are not wanted any more. */
  #asked = 0;

  constructor(services: Pick<Services, "client" | "clock">, filter: LogFilter) {
    this.#services = services;
    this.#filter = filter;
  }

  get canShowMore(): boolean {
    const { list } = this;
    return "rows" in list && list.cursor !== null && list.rows.length < ROWS_MAX;
  }

  /** Asks for the newest records of a filter, in the place of all others. Never throws. */
  async open(filter: LogFilter): Promise<void> {
    const isOther = JSON.stringify(filter) !== JSON.stringify(this.#filter);
    this.#filter = filter;
    const asked = ++this.#asked;
    this.moreFault = null;
    if (isOther || !("rows" in this.list)) this.list = { at: "loading" };
    this.refreshing = true;
    try {
      const { items, nextCursor } = await this.#read(null);
      if (asked !== this.#asked) return;
      this.list = { at: "live", rows: items, readMs: this.#services.clock.nowMs(), cursor: nextCursor };
    } catch (thrown) {
      if (asked !== this.#asked) return;
      this.list =
        "rows" in this.list ? { ...this.list, at: "stale" } : { at: "failed", fault: asFault(thrown) };
    } finally {
      if (asked === this.#asked) this.refreshing = false;
    }
  }

  /** Asks for records before the last one shown. Never throws. */
  async more(): Promise<void> {
    const { list } = this;
    if (!("rows" in list) || list.cursor === null || this.busy) return;
    const asked = this.#asked;
    this.busy = true;
    this.moreFault = null;
    try {
      const { items, nextCursor } = await this.#read(list.cursor);
      if (asked === this.#asked) this.list = { ...list, rows: [...list.rows, ...items], cursor: nextCursor };
    } catch (thrown) {
      if (asked === this.#asked) this.moreFault = asFault(thrown);
    } finally {
      this.busy = false;
    }
  }

  #read(cursor: string | null) {
    const path = `/api/v1/logs?${logSearch(this.#filter, cursor, PAGE_ROWS)}`;
    return this.#services.client.call({ method: "GET", path, schema: LogPage });
  }
}
