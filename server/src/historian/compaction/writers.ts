import type { SQL } from "bun";
import { DAY_MS } from "../slot.ts";
import { findRawDays, findWriters } from "./journal-store.ts";
import type { KeptFrom } from "./sift.ts";

/**
 * Which tags a gateway ever wrote, and their class, remembered: rows of `tag_writer` are only ever added, so what was
 * found once stays true, and just the tags that were not found are asked for again. The class may change and is merely
 * a limit of age here, so that it is read again now and then is enough.
 */
export class Writers {
  readonly #known = new Map<number, { classes: Map<number, number>; readMs: number }>();

  constructor(private readonly keepMs: number) {}

  /** Tells from when on the samples of each of these tags are kept. */
  async keptFrom(tx: SQL, gatewayNo: number, tagNos: Iterable<number>, nowMs: number): Promise<KeptFrom> {
    let known = this.#known.get(gatewayNo);
    if (known === undefined || nowMs - known.readMs >= this.keepMs || nowMs < known.readMs) {
      known = { classes: new Map(), readMs: nowMs };
      this.#known.set(gatewayNo, known);
    }
    const { classes } = known;
    const unknown = [...tagNos].filter((tagNo) => !classes.has(tagNo));
    if (unknown.length > 0)
      for (const { tagNo, classNo } of await findWriters(tx, gatewayNo, unknown)) classes.set(tagNo, classNo);
    const froms = new Map<number, number>();
    for (const [classNo, days] of await findRawDays(tx))
      froms.set(classNo, days === null ? Number.NEGATIVE_INFINITY : nowMs - days * DAY_MS);
    return (tagNo) => {
      const classNo = classes.get(tagNo);
      return classNo === undefined ? undefined : (froms.get(classNo) ?? Number.NEGATIVE_INFINITY);
    };
  }
}
