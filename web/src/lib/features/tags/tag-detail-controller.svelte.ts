import type { Tag } from "@millrace/contract/api/plant";
import { asFault, type HubFault } from "../../error/fault.ts";
import type { Interest } from "../../hub/plant-live.svelte.ts";
import type { Services } from "../../services.ts";

/** One tag: what it is, and its value live. Its history is loaded by a part of its own. */
export class TagDetailController {
  tag: Tag | null = $state.raw(null);
  fault: HubFault | null = $state.raw(null);
  readonly #tagNo: number;
  readonly #services: Pick<Services, "client" | "store" | "live">;
  readonly #interest: Interest;

  constructor(tagNo: number, services: Pick<Services, "client" | "store" | "live">) {
    this.#tagNo = tagNo;
    this.#services = services;
    this.#interest = services.live.interest();
    this.#interest.set([tagNo]);
  }

  release(): void {
    this.#interest.release();
  }

  async open(): Promise<void> {
    try {
      this.tag = await this.#services.client.tag(this.#tagNo);
      this.fault = null;
      void this.#services.store.saveTags([this.tag]);
    } catch (thrown) {
      const fault = asFault(thrown);
      const stored = fault.code === "web.unreachable" ? await this.#services.store.tags() : [];
      this.tag = stored.find((tag) => tag.tagNo === this.#tagNo) ?? null;
      this.fault = this.tag === null ? fault : null;
    }
  }
}
