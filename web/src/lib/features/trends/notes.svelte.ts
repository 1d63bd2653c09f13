import type { Annotation, AnnotationCreate } from "@millrace/contract/api/trend";
import { asFault, type HubFault } from "../../error/fault.ts";
import type { HistoryClient } from "../../history/history-client.ts";

/** Annotations of the range on the screen. */
export class Notes {
  rows: readonly Annotation[] = $state.raw([]);
  fault: HubFault | null = $state.raw(null);
  busy = $state(false);
  readonly #client: HistoryClient;
  #asked = "";

  constructor(client: HistoryClient) {
    this.#client = client;
  }

  /** Reads those of a range and of what lies beside it, unless they are there already. */
  async open(fromMs: number, toMs: number, fresh = false): Promise<void> {
    const length = toMs - fromMs;
    // In steps of the length, so that a pan of a few pixels asks nothing.
    const from = Math.floor(fromMs / length) * length - length;
    const key = `${from}/${length}`;
    if (key === this.#asked && !fresh) return;
    this.#asked = key;
    try {
      const rows = await this.#client.annotations(from, from + 4 * length);
      if (this.#asked !== key) return;
      this.rows = rows.toSorted((a, b) => (a.from < b.from ? -1 : 1));
      this.fault = null;
    } catch (thrown) {
      this.#asked = "";
      this.fault = asFault(thrown);
    }
  }

  /** Returns whether the hub took it. */
  add(note: AnnotationCreate): Promise<boolean> {
    return this.#do(async () => {
      const added = await this.#client.addAnnotation(note);
      this.rows = [...this.rows, added].toSorted((a, b) => (a.from < b.from ? -1 : 1));
    });
  }

  remove(id: string): Promise<boolean> {
    return this.#do(async () => {
      await this.#client.deleteAnnotation(id);
      this.rows = this.rows.filter((row) => row.id !== id);
    });
  }

  async #do(work: () => Promise<void>): Promise<boolean> {
    this.busy = true;
    try {
      await work();
      this.fault = null;
      return true;
    } catch (thrown) {
      this.fault = asFault(thrown);
      return false;
    } finally {
      this.busy = false;
    }
  }
}

/** Whether a note is of the range and of the pens on the screen. */
export function touches(note: Annotation, fromMs: number, toMs: number, tagNos: readonly number[]): boolean {
  const startMs = Date.parse(note.from);
  const endMs = note.to === null ? startMs : Date.parse(note.to);
  return startMs < toMs && endMs >= fromMs && (note.tagNo === null || tagNos.includes(note.tagNo));
}
