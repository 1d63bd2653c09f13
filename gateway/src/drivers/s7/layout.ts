import type { S7Rules } from "@millrace/contract/driver/s7/settings";

/** How often a data block is asked for its length. */
const CHECK_MS = 10_000;
/** Blocks asked in one call, so that a call stays short. */
const CHECKS_MAX = 4;

export interface BlockFacts {
  bytes: number;
  declared: string;
}

interface Watched {
  /** As it was when the device was published; null while we do not know. */
  first: BlockFacts | null;
  dueAtMs: number;
  /** Connection it was last asked on: a download often ends one, so each new one asks again. */
  connection: number;
}

/**
 * Whether offsets may have moved: after a download the same address can hold another value that looks as good as the
 * right one. What is first seen belongs to the settings of one device: publishing it again accepts what is there.
 */
export class Layout {
  readonly #watched = new WeakMap<S7Rules, Map<number, Watched>>();
  readonly #moved = new WeakMap<S7Rules, Map<number, string>>();
  readonly #marked = new WeakMap<S7Rules, Map<number, string>>();
  readonly #tellNews: (words: string) => void;
  #connection = 0;

  /** @param tellNews hears of each change in words */
  constructor(tellNews: (words: string) => void) {
    this.#tellNews = tellNews;
  }

  /** Blocks to be asked for their length now. Only 300 and 400 tell it. */
  due(rules: S7Rules, dbs: readonly number[], nowMs: number): number[] {
    if (!rules.dbLengthCheck || (rules.family !== "300" && rules.family !== "400")) return [];
    const watched = this.#watchedOf(rules);
    const isDue = (db: number) => {
      const known = watched.get(db);
      return known === undefined || known.dueAtMs <= nowMs || known.connection !== this.#connection;
    };
    return dbs.filter(isDue).slice(0, CHECKS_MAX);
  }

  /** @param facts null: the CPU does not tell, or the block is not there */
  take(rules: S7Rules, db: number, facts: BlockFacts | null, nowMs: number): void {
    const watched = this.#watchedOf(rules);
    const known = watched.get(db);
    const first = known?.first ?? facts;
    watched.set(db, { first, dueAtMs: nowMs + CHECK_MS, connection: this.#connection });
    if (facts === null || first === null) return;
    const moved = this.#mapOf(this.#moved, rules);
    if (facts.bytes === first.bytes && facts.declared === first.declared) moved.delete(db);
    else
      moved.set(
        db,
        this.#tell(`DB${db} ${differs(first, facts)}: check its addresses, then publish the device again`),
      );
  }

  reconnected(): void {
    this.#connection++;
  }

  /** The value that tells the layout of a block was read. */
  mark(rules: S7Rules, db: number, wanted: number, found: number): void {
    const marked = this.#mapOf(this.#marked, rules);
    if (found === wanted) marked.delete(db);
    else
      marked.set(
        db,
        this.#tell(`DB${db} says layout ${found} where ${wanted} is expected: check its addresses`),
      );
  }

  /** Why the values of this block must not be believed, in words; undefined when nothing speaks against them. */
  changed(rules: S7Rules, db: number): string | undefined {
    return this.#moved.get(rules)?.get(db) ?? this.#marked.get(rules)?.get(db);
  }

  /** Whether anything of this device must not be believed. */
  isChanged(rules: S7Rules): boolean {
    return (this.#moved.get(rules)?.size ?? 0) > 0 || (this.#marked.get(rules)?.size ?? 0) > 0;
  }

  #tell(words: string): string {
    this.#tellNews(words);
    return words;
  }

  #watchedOf = (rules: S7Rules) => this.#mapOf(this.#watched, rules);

  #mapOf<T>(of: WeakMap<S7Rules, Map<number, T>>, rules: S7Rules): Map<number, T> {
    let map = of.get(rules);
    if (map === undefined) {
      map = new Map();
      of.set(rules, map);
    }
    return map;
  }
}

const differs = (first: BlockFacts, now: BlockFacts): string =>
  first.bytes === now.bytes
    ? "was declared anew"
    : `is ${now.bytes} bytes long where it was ${first.bytes} when the device was published`;
