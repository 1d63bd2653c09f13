import { Gateway } from "@millrace/contract/api/gateway";
import { Device, Site } from "@millrace/contract/api/plant";
import type { Clock } from "@millrace/contract/std/clock";
import { Type } from "@sinclair/typebox";
import { asFault, HubFault } from "../error/fault.ts";
import type { OfflineStore } from "../offline/store.ts";
import type { HubClient } from "./client.ts";

/** Gateways report their health every 10 s; asking twice as often shows a change within 5 s of its arrival. */
const GATEWAYS_POLL_MS = 5_000;
/** Sites and devices change when a person edits them. */
const PLANT_EVERY_POLLS = 6;

const Lists = Type.Object({
  sites: Type.Array(Site),
  devices: Type.Array(Device),
  gateways: Type.Array(Gateway),
});

/** A role of the plant's own may see devices and no gateways: what it may not see is none, and the rest is shown. */
function nothingFor(thrown: unknown): [] {
  if (thrown instanceof HubFault && thrown.code === "auth.forbidden") return [];
  throw thrown;
}

/** Sites, devices and gateways with their health, shared by all screens. */
export class PlantLists {
  sites: Site[] = $state.raw([]);
  devices: Device[] = $state.raw([]);
  gateways: Gateway[] = $state.raw([]);
  /** `stored`: what the last visit saw; the hub has not answered yet. */
  from: "nothing" | "stored" | "hub" = $state("nothing");
  /** When the lists were read, ms of this device. */
  readMs: number | null = $state(null);
  fault: HubFault | null = $state.raw(null);
  refreshing = $state(false);
  readonly #client: HubClient;
  readonly #clock: Clock;
  readonly #store: OfflineStore;
  #cancelPoll: (() => void) | null = null;
  #polls = 0;

  readonly gatewayById = $derived(new Map(this.gateways.map((gateway) => [gateway.id, gateway])));
  readonly deviceById = $derived(new Map(this.devices.map((device) => [device.id, device])));
  readonly siteById = $derived(new Map(this.sites.map((site) => [site.id, site])));

  constructor(deps: { client: HubClient; clock: Clock; store: OfflineStore }) {
    this.#client = deps.client;
    this.#clock = deps.clock;
    this.#store = deps.store;
  }

  /** Shows the last visit's lists until the hub answers. Returns when they were saved. */
  async restore(): Promise<number | null> {
    const saved = await this.#store.list("plant", Lists);
    if (saved === null) return null;
    if (this.from === "nothing") {
      Object.assign(this, { ...saved.body, from: "stored", readMs: saved.savedMs });
    }
    return saved.savedMs;
  }

  start(): void {
    if (this.#cancelPoll !== null) return;
    this.#polls = 0;
    this.#schedule(0);
  }

  stop(): void {
    this.#cancelPoll?.();
    this.#cancelPoll = null;
  }

  forget(): void {
    this.stop();
    Object.assign(this, { sites: [], devices: [], gateways: [], from: "nothing", readMs: null, fault: null });
  }

  /** Reads everything now, for example after a change or when the hub came back. */
  async reload(): Promise<void> {
    this.refreshing = true;
    try {
      const [sites, devices, gateways] = await Promise.all([
        this.#client.sites().catch(nothingFor),
        this.#client.devices().catch(nothingFor),
        this.#client.gateways().catch(nothingFor),
      ]);
      this.#show({ sites, devices, gateways });
      await this.#store.saveList("plant", { sites, devices, gateways }, this.#clock.nowMs());
    } catch (thrown) {
      this.fault = asFault(thrown);
    } finally {
      this.refreshing = false;
    }
  }

  #schedule(ms: number): void {
    this.#cancelPoll = this.#clock.after(ms, () => void this.#poll());
  }

  async #poll(): Promise<void> {
    const visible = document.visibilityState === "visible";
    if (visible && (this.from !== "hub" || this.#polls % PLANT_EVERY_POLLS === 0)) await this.reload();
    else if (visible) await this.#reloadGateways();
    this.#polls++;
    if (this.#cancelPoll !== null) this.#schedule(GATEWAYS_POLL_MS);
  }

  async #reloadGateways(): Promise<void> {
    try {
      const gateways = await this.#client.gateways().catch(nothingFor);
      this.#show({ gateways });
    } catch (thrown) {
      this.fault = asFault(thrown);
    }
  }

  #show(lists: { sites?: Site[]; devices?: Device[]; gateways?: Gateway[] }): void {
    Object.assign(this, lists, { from: "hub", readMs: this.#clock.nowMs(), fault: null });
  }
}
