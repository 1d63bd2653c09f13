import type { Tag } from "@millrace/contract/api/plant";
import { asFault, type HubFault } from "../../error/fault.ts";
import type { Services } from "../../services.ts";

/** Tags of the pens, from the hub or from this device. */
export class PenTags {
  #tags: ReadonlyMap<number, Tag> = $state.raw(new Map());
  #faults: ReadonlyMap<number, HubFault> = $state.raw(new Map());
  readonly #services: Pick<Services, "client" | "store">;

  constructor(services: Pick<Services, "client" | "store">) {
    this.#services = services;
  }

  of(tagNo: number): Tag | null {
    return this.#tags.get(tagNo) ?? null;
  }

  fault(tagNo: number): HubFault | null {
    return this.#faults.get(tagNo) ?? null;
  }

  failed(tagNo: number): boolean {
    return this.#faults.has(tagNo);
  }

  know(tag: Tag): void {
    this.#tags = new Map(this.#tags).set(tag.tagNo, tag);
  }

  /** Reads those that are not known yet. Never throws. */
  async ask(tagNos: readonly number[]): Promise<void> {
    const missing = tagNos.filter((tagNo) => !this.#tags.has(tagNo));
    await Promise.all(missing.map((tagNo) => this.#read(tagNo)));
  }

  async #read(tagNo: number): Promise<void> {
    try {
      const tag = await this.#services.client.tag(tagNo);
      this.know(tag);
      void this.#services.store.saveTags([tag]);
      const faults = new Map(this.#faults);
      faults.delete(tagNo);
      this.#faults = faults;
    } catch (thrown) {
      const fault = asFault(thrown);
      const stored = fault.code === "web.unreachable" ? await this.#services.store.tags() : [];
      const tag = stored.find((one) => one.tagNo === tagNo);
      if (tag === undefined) this.#faults = new Map(this.#faults).set(tagNo, fault);
      else this.know(tag);
    }
  }
}
