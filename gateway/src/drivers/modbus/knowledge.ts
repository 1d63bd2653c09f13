import type { Area } from "@millrace/contract/driver/modbus/address";
import { isBitArea, type PlanItem, type PlanLimits } from "./plan.ts";

/** Facts kept per unit. Beyond it everything is forgotten and learnt again: a device that changes all the time. */
const FACTS_MAX = 10_000;

interface Refused {
  item: PlanItem;
  retryAtMs: number;
}

/** What one unit taught us by refusing. Lives as long as the session; a new manifest starts with none. */
export class UnitKnowledge {
  registersMax = 125;
  bitsMax = 2_000;
  /** Grows with every change: a plan made under an older one is made again. */
  version = 0;
  readonly #refused = new Map<string, Refused>();
  /** Stretches no request may cross: a refused address, or a hole between two good ones. */
  readonly #barriers = new Map<string, { area: Area; from: number; end: number }>();
  /** Places where a refused block was parted while we look for the cause. */
  readonly #cuts = new Map<string, { area: Area; offset: number }>();

  limits(rules: PlanLimits): PlanLimits {
    return {
      gapMax: rules.gapMax,
      bitGapMax: rules.bitGapMax,
      registersMax: Math.min(rules.registersMax, this.registersMax),
      bitsMax: Math.min(rules.bitsMax, this.bitsMax),
    };
  }

  mayJoin(area: Area, from: number, end: number): boolean {
    for (const barrier of this.#barriers.values()) {
      if (barrier.area === area && barrier.from < end && barrier.end > from) return false;
    }
    for (const cut of this.#cuts.values()) {
      if (cut.area === area && cut.offset > from && cut.offset < end) return false;
    }
    return true;
  }

  learnLimit(area: Area, count: number): void {
    if (isBitArea(area)) this.bitsMax = Math.min(this.bitsMax, count);
    else this.registersMax = Math.min(this.registersMax, count);
    this.version++;
  }

  refuse(item: PlanItem, retryAtMs: number): void {
    this.#makeRoom();
    const key = keyOf(item);
    this.#refused.set(key, { item, retryAtMs });
    this.#barriers.set(key, { area: item.area, from: item.offset, end: item.offset + item.width });
    this.version++;
  }

  /** The device gives this address again, e.g. after its program was changed. */
  admit(item: PlanItem): void {
    this.#refused.delete(keyOf(item));
    this.#barriers.delete(keyOf(item));
    this.version++;
  }

  /** Next try of a refused item in ms of the monotonic clock; null when it is not refused. */
  retryAtMs(item: PlanItem): number | null {
    return this.#refused.get(keyOf(item))?.retryAtMs ?? null;
  }

  postpone(item: PlanItem, retryAtMs: number): void {
    const refused = this.#refused.get(keyOf(item));
    if (refused !== undefined) refused.retryAtMs = retryAtMs;
  }

  addBarrier(area: Area, from: number, end: number): void {
    this.#makeRoom();
    this.#barriers.set(`${area}:${from}..${end}`, { area, from, end });
    this.version++;
  }

  addCut(area: Area, offset: number): void {
    this.#makeRoom();
    this.#cuts.set(`${area}:${offset}`, { area, offset });
    this.version++;
  }

  clearCuts(): void {
    if (this.#cuts.size === 0) return;
    this.#cuts.clear();
    this.version++;
  }

  #makeRoom(): void {
    if (this.#refused.size + this.#barriers.size + this.#cuts.size < FACTS_MAX) return;
    this.#refused.clear();
    this.#barriers.clear();
    this.#cuts.clear();
  }
}

const keyOf = (item: PlanItem): string => `${item.area}:${item.offset}+${item.width}`;

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
