import { type TagWrite, type WriteResult, WritesOfDevice } from "@millrace/contract/api/write";
import type { HubClient } from "../../hub/client.ts";

/** Writes one screen gathers; the rest is in the audit. */
export const WRITES_GATHERED_MAX = 1_000;

export interface Gathered {
  /** The latest first. */
  writes: TagWrite[];
  hasOlder: boolean;
  /** Counts up: of two, the one with the higher turn knows more. */
  turn: number;
}

/** The writes of a device as far as somebody looked back, the latest first. Methods throw `HubFault`. */
export class DeviceWriteList {
  readonly #hub: Pick<HubClient, "call">;
  readonly #path: string;
  readonly #result: WriteResult | "";
  readonly #byId = new Map<string, TagWrite>();
  /** Where the oldest page ended; undefined before the first one came. */
  #next: string | null | undefined;
  #turn = 0;

  /** @param result only writes with it; all for an empty one */
  constructor(hub: Pick<HubClient, "call">, deviceId: string, result: WriteResult | "" = "") {
    this.#hub = hub;
    this.#result = result;
    this.#path = `/api/v1/devices/${encodeURIComponent(deviceId)}/writes`;
  }

  /** The newest page once more: outcomes come late, and other people write too. */
  async refresh(): Promise<Gathered> {
    const { items, nextCursor } = await this.#page(null);
    const last = items.at(-1);
    if (last === undefined || nextCursor === null || !items.some(({ id }) => this.#byId.has(id))) {
      // The page holds all there is; or more came since than it holds, and what was gathered does not follow it any more.
      this.#byId.clear();
      this.#next = nextCursor;
    } else {
      // As far as the page reaches it says what there is: a choice that lapsed is in it no more.
      for (const write of this.#byId.values()) if (newestFirst(write, last) < 0) this.#byId.delete(write.id);
    }
    return this.#gathered(items);
  }

  async older(): Promise<Gathered> {
    const from = this.#next;
    if (typeof from !== "string") return this.#gathered([]);
    const { items, nextCursor } = await this.#page(from);
    // The list began anew meanwhile: this page does not follow it.
    if (this.#next !== from) return this.#gathered([]);
    this.#next = nextCursor;
    return this.#gathered(items);
  }

  #page(cursor: string | null): Promise<WritesOfDevice> {
    const query = new URLSearchParams();
    if (this.#result !== "") query.set("result", this.#result);
    if (cursor !== null) query.set("cursor", cursor);
    const path = query.size === 0 ? this.#path : `${this.#path}?${query}`;
    return this.#hub.call({ method: "GET", path, schema: WritesOfDevice });
  }

  #gathered(items: readonly TagWrite[]): Gathered {
    for (const write of items) this.#byId.set(write.id, write);
    const writes = [...this.#byId.values()].toSorted(newestFirst);
    const hasOlder = typeof this.#next === "string" && writes.length < WRITES_GATHERED_MAX;
    return { writes, hasOlder, turn: ++this.#turn };
  }
}

const newestFirst = (a: TagWrite, b: TagWrite): number =>
  b.selectedAt.localeCompare(a.selectedAt) || b.id.localeCompare(a.id);
