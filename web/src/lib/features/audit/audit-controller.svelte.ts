import { AuditEntry, AuditVerdict } from "@millrace/contract/api/audit";
import { Page } from "@millrace/contract/api/page";
import { asFault, type HubFault } from "../../error/fault.ts";
import type { Services } from "../../services.ts";
import { type AuditFilter, auditSearch } from "./audit-filter.ts";

const AuditPage = Page(AuditEntry);
const PAGE_ROWS = 50;
/** Entries on the screen at once; who needs more takes the export. */
const ROWS_MAX = 2_000;
/** Walking years of entries takes the hub a while; it gives up after four minutes itself. */
const VERIFY_TIMEOUT_MS = 250_000;

/** How the list stands. `stale`: the last attempt failed, and what is shown is older. */
export type AuditListView =
  | { at: "loading" }
  | { at: "failed"; fault: HubFault }
  | { at: "live" | "stale"; rows: AuditEntry[]; readMs: number; cursor: string | null };

export type VerifyView =
  | { at: "idle" }
  | { at: "running"; sinceMs: number }
  | { at: "done"; verdict: AuditVerdict; doneMs: number }
  | { at: "failed"; fault: HubFault };

/** The audit as a list that goes back in time, and the check of its chain. */
export class AuditController {
  list: AuditListView = $state.raw({ at: "loading" });
  verify: VerifyView = $state.raw({ at: "idle" });
  /** Asking for older ones; `moreFault` when that failed. */
  busy = $state(false);
  moreFault: HubFault | null = $state.raw(null);
  readonly #services: Pick<Services, "client" | "clock">;
  #filter: AuditFilter;
  /** Of the newest question; answers to older ones are not wanted any more. */
  #asked = 0;

  constructor(services: Pick<Services, "client" | "clock">, filter: AuditFilter) {
    this.#services = services;
    this.#filter = filter;
  }

  get canShowMore(): boolean {
    const { list } = this;
    return "rows" in list && list.cursor !== null && list.rows.length < ROWS_MAX;
  }

  /** Asks for the latest entries of a filter, in the place of all others. Never throws. */
  async open(filter: AuditFilter): Promise<void> {
    const isOther = JSON.stringify(filter) !== JSON.stringify(this.#filter);
    this.#filter = filter;
    const asked = ++this.#asked;
    this.moreFault = null;
    if (isOther || !("rows" in this.list)) this.list = { at: "loading" };
    try {
      const { items, nextCursor } = await this.#read(null);
      if (asked !== this.#asked) return;
      this.list = { at: "live", rows: items, readMs: this.#services.clock.nowMs(), cursor: nextCursor };
    } catch (thrown) {
      if (asked !== this.#asked) return;
      this.list =
        "rows" in this.list ? { ...this.list, at: "stale" } : { at: "failed", fault: asFault(thrown) };
    }
  }

  /** Asks for entries before the last one shown. Never throws. */
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

  /** Has the hub walk its whole chain. Never throws. */
  async check(): Promise<void> {
    const { client, clock } = this.#services;
    if (this.verify.at === "running") return;
    this.verify = { at: "running", sinceMs: clock.nowMs() };
    try {
      const verdict = await client.call({
        method: "GET",
        path: "/api/v1/audit/verify",
        schema: AuditVerdict,
        timeoutMs: VERIFY_TIMEOUT_MS,
      });
      this.verify = { at: "done", verdict, doneMs: clock.nowMs() };
    } catch (thrown) {
      this.verify = { at: "failed", fault: asFault(thrown) };
    }
  }

  #read(cursor: string | null) {
    const path = `/api/v1/audit?${auditSearch(this.#filter, cursor, PAGE_ROWS)}`;
    return this.#services.client.call({ method: "GET", path, schema: AuditPage });
  }
}
