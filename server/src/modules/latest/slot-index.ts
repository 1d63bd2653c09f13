/** Tag numbers in one page: 16 KiB each. Numbers are given one after the other, so pages are full but for the last. */
const PAGE = 4_096;

/**
 * From a tag number to its slot. A hub may know five million tags; a map takes some sixty bytes for each, this four.
 */
export class SlotIndex {
  readonly #pages = new Map<number, Uint32Array>();

  /** Undefined when the tag has none. */
  get(tagNo: number): number | undefined {
    const stored = this.#pages.get(Math.floor(tagNo / PAGE))?.[tagNo % PAGE];
    // Zero is what a page begins with, so slots are stored one higher.
    return stored === undefined || stored === 0 ? undefined : stored - 1;
  }

  set(tagNo: number, slot: number): void {
    const pageNo = Math.floor(tagNo / PAGE);
    let page = this.#pages.get(pageNo);
    if (page === undefined) {
      page = new Uint32Array(PAGE);
      this.#pages.set(pageNo, page);
    }
    page[tagNo % PAGE] = slot + 1;
  }
}
