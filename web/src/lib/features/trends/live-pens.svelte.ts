import { untrack } from "svelte";
import type { HistoryPoint } from "../../history/columns.ts";
import type { Interest, PlantLive } from "../../hub/plant-live.svelte.ts";
import type { Received } from "../../hub/received.ts";
import { afterAnswer, appendLive } from "./live-tail.ts";

/** Collects what the live socket brings for the pens between two answers. */
export class LivePens {
  #tails: ReadonlyMap<number, readonly HistoryPoint[]> = $state.raw(new Map());
  #tagNos: readonly number[] = $state.raw([]);
  readonly #live: PlantLive;
  readonly #interest: Interest;

  constructor(live: PlantLive) {
    this.#live = live;
    this.#interest = live.interest();
  }

  follow(tagNos: readonly number[]): void {
    this.#tagNos = tagNos;
    this.#interest.set(tagNos);
  }

  release(): void {
    this.#interest.release();
  }

  /** To be called in an effect: it reads the newest values, so that it runs again with each. */
  collect(): void {
    const received = this.#tagNos.map((tagNo) => [tagNo, this.#live.box(tagNo).current] as const);
    if (this.#live.view.at !== "live") return;
    untrack(() => this.#append(received));
  }

  #append(received: readonly (readonly [number, Received | undefined])[]): void {
    let changed = false;
    const next = new Map(this.#tails);
    for (const [tagNo, value] of received) {
      const tail = next.get(tagNo) ?? [];
      const longer = value === undefined ? tail : appendLive(tail, value);
      changed ||= longer !== tail;
      next.set(tagNo, longer);
    }
    if (changed) this.#tails = next;
  }

  /** Values that an answer up to `answeredMs` may not have. */
  tail(tagNo: number, answeredMs: number, overlapMs: number): readonly HistoryPoint[] {
    return afterAnswer(this.#tails.get(tagNo) ?? [], answeredMs, overlapMs);
  }
}
