import { type TagWrite, WritesOfDevice } from "@millrace/contract/api/write";
import type { HubClient } from "../../hub/client.ts";

/** Writes one screen gathers; the rest is in the audit. */
export const WRITES_GATHERED_MAX = 1_000;

export interface Gathered {
  /** The latest first. */
  writes: TagWrite[];
  hasOlder: boolean;
}

/** The writes of a device as far as somebody looked back, the latest first. Methods throw `HubFault`. */
export class DeviceWriteList {
  readonly #hub: Pick<HubClient, "call">;
  readonly #path: string;
  readonly #byId = new Map<string, TagWrite>();
  /** Where the oldest page ended; undefined before the first one came. */
  #next: string | null | undefined;

  constructor(hub: Pick<HubClient, "call">, deviceId: string) {
    this.#hub = hub;
    this.#path = `/api/v1/devices/${encodeURIComponent(deviceId)}/writes`;
  }

  /** The newest page once more: outcomes come late, and other people write too. */
  async refresh(): Promise<Gathered> {
    const { items, nextCursor } = await this.#page("");
    // More came since than one page holds: what was gathered does not follow this page any more.
    const joins =
      this.#next !== undefined && (nextCursor === null || items.some(({ id }) => this.#byId.has(id)));
    if (!joins) {
      this.#byId.clear();
      this.#next = nextCursor;
    }
    return this.#gathered(items);
  }

  async older(): Promise<Gathered> {
    if (typeof this.#next !== "string") return this.#gathered([]);
    const { items, nextCursor } = await this.#page(`?cursor=${encodeURIComponent(this.#next)}`);
    this.#next = nextCursor;
    return this.#gathered(items);
  }

  #page(query: string): Promise<WritesOfDevice> {
    return this.#hub.call({ method: "GET", path: this.#path + query, schema: WritesOfDevice });
  }

  #gathered(items: readonly TagWrite[]): Gathered {
    for (const write of items) this.#byId.set(write.id, write);
    const writes = [...this.#byId.values()].toSorted(
      (a, b) => b.selectedAt.localeCompare(a.selectedAt) || b.id.localeCompare(a.id),
    );
    return { writes, hasOlder: typeof this.#next === "string" && writes.length < WRITES_GATHERED_MAX };
  }
}
