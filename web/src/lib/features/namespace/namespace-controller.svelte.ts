import type { Device, Tag } from "@millrace/contract/api/plant";
import { SvelteMap, SvelteSet } from "svelte/reactivity";
import { asFault, type HubFault } from "../../error/fault.ts";
import type { Interest } from "../../hub/plant-live.svelte.ts";
import type { Services } from "../../services.ts";
import { filterStored } from "../tags/tag-list-controller.svelte.ts";
import { type NameRow, nameRows } from "./name-tree.ts";

const PAGE_ROWS = 1_000;
/** Tags of all open devices at once; above that a person closes one first. */
export const TAGS_MAX = 100_000;

type Reading = Pick<Services, "client" | "store" | "lists" | "live">;

/** What was read of a device. */
interface Opened {
  tags: readonly Tag[];
  at: "reading" | "read" | "full" | "failed";
  fault: HubFault | null;
}

/** What a search found; `more`: there is more than is shown. */
interface Found {
  tags: readonly Tag[];
  more: boolean;
}

/** The tree of names: what is open, what was read of it, what is searched. Only rows on the screen are subscribed. */
export class NamespaceController {
  q = $state("");
  searching = $state(false);
  fault: HubFault | null = $state.raw(null);
  #found: Found | null = $state.raw(null);
  readonly #opened = new SvelteMap<string, Opened>();
  /** Places are open until somebody closes them. */
  readonly #closed = new SvelteSet<string>();
  readonly #services: Reading;
  readonly #interest: Interest;
  /** Answers to an older search are not wanted any more. */
  #asked = 0;

  constructor(services: Reading) {
    this.#services = services;
    this.#interest = services.live.interest();
  }

  readonly found = $derived(this.#found);
  readonly rows: readonly NameRow[] = $derived.by(() => this.#rows());

  release(): void {
    this.#asked++;
    this.#opened.clear();
    this.#interest.release();
  }

  onScreen(rows: readonly NameRow[]): void {
    this.#interest.set(rows.flatMap((row) => (row.kind === "tag" ? [row.tag.tagNo] : [])));
  }

  opened(deviceId: string): Opened | undefined {
    return this.#opened.get(deviceId);
  }

  #rows(): NameRow[] {
    const { sites, devices } = this.#services.lists;
    const found = this.#found;
    if (found === null) {
      return nameRows({
        sites,
        devices,
        tagsOf: (deviceId) => this.#opened.get(deviceId)?.tags,
        isOpen: (kind, path) => (kind === "place" ? !this.#closed.has(path) : this.#isOpen(path)),
      });
    }
    const byDevice = Map.groupBy(found.tags, ({ deviceId }) => deviceId);
    return nameRows({
      sites: [],
      devices: devices.filter(({ id }) => byDevice.has(id)),
      tagsOf: (deviceId) => byDevice.get(deviceId),
      isOpen: (_, path) => !this.#closed.has(path),
    });
  }

  readonly #openPaths = $derived(
    new Set([...this.#opened.keys()].map((id) => this.#services.lists.deviceById.get(id)?.path)),
  );
  #isOpen(path: string): boolean {
    return this.#openPaths.has(path);
  }

  toggle(row: NameRow): void {
    if (row.kind === "tag") return;
    if (row.kind === "device" && this.#found === null) {
      if (!this.#opened.delete(row.device.id)) void this.#read(row.device);
    } else if (!this.#closed.delete(row.path)) this.#closed.add(row.path);
  }

  async #read(device: Device): Promise<void> {
    const mine: Opened = { tags: [], at: "reading", fault: null };
    let now = mine;
    const show = (next: Partial<Opened>): boolean => {
      // Closed, or closed and opened again, meanwhile.
      if (this.#opened.get(device.id) !== now) return false;
      now = { ...now, ...next };
      this.#opened.set(device.id, now);
      return true;
    };
    this.#opened.set(device.id, now);
    let cursor: string | null = null;
    try {
      do {
        const page = await this.#services.client.tags({
          ...{ q: "", deviceId: device.id, gatewayId: "" },
          cursor,
          limit: PAGE_ROWS,
        });
        cursor = page.nextCursor;
        const room = TAGS_MAX - [...this.#opened.values()].reduce((sum, { tags }) => sum + tags.length, 0);
        const tags = [...now.tags, ...page.items.slice(0, Math.max(0, room))];
        const at = room < page.items.length ? "full" : cursor === null ? "read" : "reading";
        if (!show({ tags, at })) return;
      } while (now.at === "reading");
    } catch (thrown) {
      const fault = asFault(thrown);
      const stored = now.tags.length > 0 ? now.tags : await this.#stored("", device.id);
      show({ tags: stored, at: "failed", fault });
    }
  }

  async #stored(q: string, deviceId: string): Promise<Tag[]> {
    return filterStored(await this.#services.store.tags(), { q, deviceId, gatewayId: "" });
  }

  /** Never throws. */
  async search(q: string): Promise<void> {
    this.q = q;
    const asked = ++this.#asked;
    this.fault = null;
    this.#closed.clear();
    if (q === "") {
      this.#found = null;
      this.searching = false;
      return;
    }
    this.searching = true;
    try {
      const page = await this.#services.client.tags({
        ...{ q, deviceId: "", gatewayId: "", cursor: null },
        limit: PAGE_ROWS,
      });
      if (asked === this.#asked) this.#found = { tags: page.items, more: page.nextCursor !== null };
    } catch (thrown) {
      if (asked !== this.#asked) return;
      this.fault = asFault(thrown);
      const tags = (await this.#stored(q, "")).slice(0, PAGE_ROWS);
      if (asked === this.#asked) this.#found = { tags, more: false };
    } finally {
      if (asked === this.#asked) this.searching = false;
    }
  }
}
