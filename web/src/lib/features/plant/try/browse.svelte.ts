import type { FieldBrowseRequest, FieldProblem } from "@millrace/contract/api/field";
import { SvelteMap, SvelteSet } from "svelte/reactivity";
import { asFault, type HubFault } from "../../../error/fault.ts";
import type { PlantClient } from "../plant-client.ts";
import { type BrowseNode, type Chosen, loadedCount, type OpenPlace } from "./browse-tree.ts";

/** Places held on the screen; whoever needs more looks elsewhere first. */
export const PLACES_MAX = 5_000;
/** How deep one can look; servers may lead in circles. */
export const DEPTH_MAX = 20;

/** What is asked with each look: it changes as the form does. */
export interface BrowseTarget {
  gatewayId: string;
  driver: string;
  settings: Record<string, unknown>;
}

/** A look into a device's own address space: what was loaded, opened and chosen. One question at a time. */
export class Browse {
  readonly loaded = new SvelteMap<string, OpenPlace>();
  /** By the way that leads there: a place can lie below several others. */
  readonly opened = new SvelteSet<string>();
  readonly chosen = new SvelteMap<string, Chosen>();
  /** The node that is being asked for; null for none. */
  asking: string | null = $state(null);
  fault: HubFault | null = $state.raw(null);
  cause: FieldProblem | undefined = $state.raw(undefined);
  readonly #client: PlantClient;
  readonly #target: () => BrowseTarget;

  constructor(client: PlantClient, target: () => BrowseTarget) {
    this.#client = client;
    this.#target = target;
  }

  get full(): boolean {
    return loadedCount(this.loaded) >= PLACES_MAX;
  }

  /** From the beginning: what was loaded may be of another server. */
  async begin(): Promise<void> {
    this.loaded.clear();
    this.opened.clear();
    this.chosen.clear();
    await this.more("");
  }

  async toggle(way: string, node: string): Promise<void> {
    if (this.opened.delete(way)) return;
    if (this.loaded.has(node) || (await this.more(node))) this.opened.add(way);
  }

  /** The next page of a place. True when it came. */
  async more(from: string): Promise<boolean> {
    if (this.asking !== null || this.full) return false;
    const before = this.loaded.get(from);
    if (before?.after === null) return true;
    this.asking = from;
    this.fault = null;
    this.cause = undefined;
    try {
      const { gatewayId, ...target } = this.#target();
      const question: FieldBrowseRequest = { ...target, from, after: before?.after ?? 0 };
      const page = await this.#client.fieldBrowse(gatewayId, question);
      if (!page.ok) this.cause = page.cause;
      else this.loaded.set(from, { nodes: [...(before?.nodes ?? []), ...page.nodes], after: page.after });
      return page.ok;
    } catch (thrown) {
      this.fault = asFault(thrown);
      return false;
    } finally {
      this.asking = null;
    }
  }

  choose(node: BrowseNode, parent: string, on: boolean): void {
    if (on) this.chosen.set(node.node, { node, parent });
    else this.chosen.delete(node.node);
  }
}
