import type { Device, Tag } from "@millrace/contract/api/plant";
import type { HubClient } from "../../hub/client.ts";
import type { Interest } from "../../hub/plant-live.svelte.ts";
import type { Services } from "../../services.ts";
import { type DeviceView, deviceView } from "./device-state.ts";

export const KEY_VALUES = 4;
/** Tags among which they are chosen; of a larger device, the first by path. */
const KEY_CANDIDATES = 60;

/** Tag numbers grow in the order of the profile, where the important tags tend to stand first. */
const firstOf = (tags: readonly Tag[]): Tag[] =>
  tags.toSorted((a, b) => a.tagNo - b.tagNo).slice(0, KEY_VALUES);

/** Key values of so many devices are followed at once; the rest shows counts only. */
const CARDS_LIVE_MAX = 60;
const PARALLEL_REQUESTS = 4;

export interface Card {
  device: Device;
  view: DeviceView;
  place: string;
}

/** Overview: each device with its worst state first, and a few of its values live. */
export class OverviewController {
  order: "attention" | "place" = $state("attention");
  keyTags: ReadonlyMap<string, readonly Tag[]> = $state.raw(new Map());
  readonly #services: Pick<Services, "live" | "lists" | "store">;
  readonly #client: HubClient;
  readonly #interest: Interest;
  readonly #asked = new Set<string>();

  readonly cards = $derived.by(() => this.#cards());
  readonly attention = $derived(this.cards.filter((card) => card.view.rank >= 2).length);

  constructor(services: Pick<Services, "live" | "lists" | "store" | "client">) {
    this.#services = services;
    this.#client = services.client;
    this.#interest = services.live.interest();
  }

  release(): void {
    this.#interest.release();
  }

  /** Asks for the first tags of the devices shown first, a few requests at a time. */
  async follow(devices: readonly Device[]): Promise<void> {
    const missing = devices.slice(0, CARDS_LIVE_MAX).filter((device) => !this.#asked.has(device.id));
    for (const device of missing) this.#asked.add(device.id);
    const queue = [...missing];
    const work = async () => {
      for (let device = queue.shift(); device !== undefined; device = queue.shift()) await this.#load(device);
    };
    await Promise.all(Array.from({ length: PARALLEL_REQUESTS }, work));
  }

  async #load(device: Device): Promise<void> {
    const query = { q: "", deviceId: device.id, gatewayId: "", cursor: null, limit: KEY_CANDIDATES };
    try {
      const { items } = await this.#client.tags(query);
      this.#keep(device.id, firstOf(items));
      await this.#services.store.saveTags(items);
    } catch {
      // The hub's absence is shown by the chip and the lists; a card falls back to the tags of the last visit.
      this.#asked.delete(device.id);
      const kept = await this.#services.store.tags();
      const stored = kept.filter((tag) => tag.deviceId === device.id);
      if (stored.length > 0) this.#keep(device.id, firstOf(stored));
    }
  }

  #keep(deviceId: string, tags: readonly Tag[]): void {
    this.keyTags = new Map(this.keyTags).set(deviceId, tags);
    this.#interest.set([...this.keyTags.values()].flat().map((tag) => tag.tagNo));
  }

  #cards(): Card[] {
    const { live, lists } = this.#services;
    const cards = lists.devices.map((device): Card => {
      const gateway = lists.gatewayById.get(device.gatewayId);
      const gatewayLink = live.gatewayLinks.get(device.gatewayId)?.linkState;
      const view = deviceView({
        device,
        gateway,
        gatewayLink,
        hubLost: live.view.at === "offline",
        nowMs: live.nowMs,
      });
      return { device, view, place: lists.siteById.get(device.siteId)?.path ?? "" };
    });
    const byPlace = (a: Card, b: Card) =>
      a.device.path.localeCompare(b.device.path, undefined, { numeric: true });
    if (this.order === "place") return cards.sort(byPlace);
    return cards.sort((a, b) => b.view.rank - a.view.rank || byPlace(a, b));
  }
}
