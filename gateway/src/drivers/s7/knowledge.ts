import type { S7Area } from "@millrace/contract/driver/s7/address";
import type { PlanItem } from "./plan.ts";

/** Facts kept per CPU. Beyond it everything is forgotten and learnt again: a CPU that changes all the time. */
const FACTS_MAX = 20_000;

interface Refusal {
  code: number;
  retryAtMs: number;
}

/** What one CPU taught us by refusing. Lives as long as the session. */
export class Knowledge {
  /** Grows with every change: a plan made under an older one is made again. */
  version = 0;
  readonly #refused = new Map<string, Refusal>();
  /** Stretches no item may cross, by area and block: a refused address, or a place between two good ones. */
  readonly #barriers = new Map<string, Map<string, readonly [from: number, end: number]>>();
  #facts = 0;

  mayJoin(area: S7Area, db: number, from: number, end: number): boolean {
    for (const [low, high] of this.#barriers.get(`${area}:${db}`)?.values() ?? []) {
      if (low < end && high > from) return false;
    }
    return true;
  }

  refusal(item: PlanItem): Refusal | undefined {
    return this.#refused.get(keyOf(item));
  }

  refuse(item: PlanItem, code: number, retryAtMs: number): void {
    const known = this.refusal(item);
    if (known !== undefined) {
      known.code = code;
      known.retryAtMs = retryAtMs;
      return;
    }
    this.#makeRoom();
    this.#refused.set(keyOf(item), { code, retryAtMs });
    this.#barrier(item, keyOf(item), item.start, item.start + item.width);
  }

  /** Both sides of this place are given alone and refused together. */
  part(item: PlanItem): void {
    this.#makeRoom();
    // A barrier without width stands between two bytes: it is crossed only by who has both.
    this.#barrier(item, `|${item.start}`, item.start - 0.5, item.start + 0.5);
  }

  /** The CPU gives something here again, e.g. after a download: all of this block is asked anew. */
  admit({ area, db }: PlanItem): void {
    const place = `${area}:${db}`;
    this.#facts -= this.#barriers.get(place)?.size ?? 0;
    this.#barriers.delete(place);
    for (const key of this.#refused.keys()) if (key.startsWith(`${place}:`)) this.#refused.delete(key);
    this.version++;
  }

  #barrier({ area, db }: PlanItem, key: string, from: number, end: number): void {
    const place = `${area}:${db}`;
    const barriers = this.#barriers.get(place) ?? new Map<string, readonly [number, number]>();
    barriers.set(key, [from, end]);
    this.#barriers.set(place, barriers);
    this.#facts++;
    this.version++;
  }

  #makeRoom(): void {
    if (this.#facts < FACTS_MAX) return;
    this.#facts = 0;
    this.#refused.clear();
    this.#barriers.clear();
  }
}

const keyOf = ({ area, db, start, width }: PlanItem): string => `${area}:${db}:${start}+${width}`;

/** Longest list of facts a session shows. */
const LEARNED_MAX = 32;

/** Facts in words for the health report, newest last, each once. */
export class Learned {
  readonly #facts = new Set<string>();

  add(fact: string): void {
    this.#facts.add(fact);
    if (this.#facts.size > LEARNED_MAX) this.#facts.delete(this.#facts.values().next().value!);
  }

  list(): readonly string[] {
    return [...this.#facts];
  }
}
