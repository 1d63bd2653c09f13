import type { S7Address } from "@millrace/contract/driver/s7/address";
import type { S7Rules } from "@millrace/contract/driver/s7/settings";
import { isText } from "@millrace/contract/driver/s7/types";
import { AppError } from "@millrace/contract/error/app-error";
import { unreachable } from "@millrace/contract/std/assert";
import type { Clock } from "@millrace/contract/std/clock";
import type { Point, Reading } from "../../driver/driver.ts";
import { itemWords, qualityOfItem, refusalOf } from "./causes.ts";
import { decoderOf } from "./codec.ts";
import { Cycle, type Item, isCut } from "./cycle.ts";
import { Knowledge, Learned } from "./knowledge.ts";
import { type BlockFacts, Layout } from "./layout.ts";
import { type Block, blockOf, halves, isSingle, pack, plan } from "./plan.ts";
import type { ItemReply, Range } from "./wire.ts";

/** What came of one request. A lost link is thrown as AppError instead. */
export type Answer =
  | { at: "data"; items: ItemReply[] }
  | { at: "refused"; error: number }
  | { at: "timeout" }
  | { at: "garbled"; why: string };

/** The connection as a reader sees it. */
export interface S7Line {
  /** What the CPU granted at the last connection; what we will ask for before the first. */
  grant(): { pduBytes: number; jobs: number };
  read(ranges: readonly Range[], timeoutMs: number, signal: AbortSignal): Promise<Answer>;
  /** @returns null when the CPU does not tell */
  blockFacts(db: number, timeoutMs: number, signal: AbortSignal): Promise<BlockFacts | null>;
}

/** Halvings of a refused item, and with them rounds of one call: more than the bits of an answer can be parted into. */
const ROUNDS_MAX = 14;
/** Refused addresses tried again in one call: one request. */
const RETRIES_MAX = 16;

/** A refused item that is being parted: when both halves are good, the place between them is the cause. */
interface Parted {
  left: number;
  clean: boolean;
  behind: Item;
}

type Part = Block<Item> & { of?: Parted };

/** A point list made ready: planned once, used every cycle until the CPU teaches us something. */
interface PointSet {
  items: Item[];
  rules: S7Rules;
  dbs: number[];
  marks: Item[];
  version: string;
  jobs: Part[][];
  refused: Item[];
}

interface Ctx {
  rules: S7Rules;
  points: readonly Point<S7Address>[];
  cycle: Cycle;
  signal: AbortSignal;
}

/** Turns point lists into requests and answers into readings, and learns from what the CPU refuses. */
export class Reader {
  readonly learned = new Learned();
  readonly layout = new Layout((words) => this.learned.add(words));
  readonly #line: S7Line;
  readonly #clock: Clock;
  readonly #watches: boolean;
  readonly #knowledge = new Knowledge();
  readonly #sets = new WeakMap<readonly Point<S7Address>[], PointSet>();

  /** @param watches false for a test, which looks at a block once and has nothing to compare */
  constructor(line: S7Line, clock: Clock, { watches }: { watches: boolean }) {
    this.#line = line;
    this.#clock = clock;
    this.#watches = watches;
  }

  /** See `Session.read`. Points of the same array are planned once, so a caller should keep its array. */
  async read(points: readonly Point<S7Address>[], signal: AbortSignal): Promise<Reading[]> {
    if (points.length === 0) return [];
    const set = this.#setOf(points);
    const { rules } = set;
    const ctx: Ctx = { rules, points, cycle: new Cycle(points.length), signal };
    for (const item of set.refused) this.#failRefused(item, ctx);
    if (this.#watches) await this.#watch(set, signal);
    let jobs = [...set.jobs, ...this.#retries(set)];
    for (let round = 0; jobs.length > 0; round++) {
      const parts = await this.#run(jobs, ctx);
      if (round === ROUNDS_MAX) for (const part of parts) ctx.cycle.fail(part.items, "bad.addressIllegal");
      jobs = round === ROUNDS_MAX ? [] : pack(parts, this.#line.grant().pduBytes);
    }
    if (ctx.cycle.useful === 0 && ctx.cycle.problem !== null) throw ctx.cycle.problem;
    this.#doubt(set, ctx.cycle);
    return ctx.cycle.readings;
  }

  /** Requests one cycle of these points takes, by what is known of the CPU now. Asks nothing. */
  requestsFor(points: readonly Point<S7Address>[]): number {
    return points.length === 0 ? 0 : this.#setOf(points).jobs.length;
  }

  /** Why a point has no value, in words; null when nothing is known against it. */
  explain({ address }: Point<S7Address>): string | null {
    const refusal = this.#knowledge.refusal(itemOf(address, 0, 0));
    if (refusal !== undefined) return itemWords(refusal.code, address);
    return this.layout.changed(address.rules, address.db) ?? null;
  }

  #setOf(points: readonly Point<S7Address>[]): PointSet {
    let set = this.#sets.get(points);
    if (set === undefined) {
      const items = points.map(({ id, address }, at) => itemOf(address, id, at));
      const dbs = [...new Set(items.filter(({ area }) => area === "db").map(({ db }) => db))];
      const marks = items.filter(({ mark }) => mark !== null);
      set = { items, rules: points[0]!.address.rules, dbs, marks, version: "", jobs: [], refused: [] };
      this.#sets.set(points, set);
    }
    const { pduBytes } = this.#line.grant();
    const version = `${this.#knowledge.version}:${pduBytes}`;
    if (set.version !== version) {
      set.version = version;
      const isRefused = (item: Item) => this.#knowledge.refusal(item) !== undefined;
      set.refused = set.items.filter(isRefused);
      const open = set.refused.length === 0 ? set.items : set.items.filter((item) => !isRefused(item));
      const limits = { gapMax: set.rules.gapMax, pduBytes };
      set.jobs = pack(
        plan(open, limits, (area, db, from, end) => this.#knowledge.mayJoin(area, db, from, end)),
        pduBytes,
      );
    }
    return set;
  }

  /** Refused points whose time has come, as one more request. */
  #retries(set: PointSet): Part[][] {
    if (set.refused.length === 0) return [];
    const nowMs = this.#clock.monoMs();
    const due = set.refused.filter((item) => this.#knowledge.refusal(item)!.retryAtMs <= nowMs);
    const { pduBytes } = this.#line.grant();
    return pack(
      due.slice(0, RETRIES_MAX).map((item) => blockOf([item], pduBytes)),
      pduBytes,
    );
  }

  /** Asks all requests, as many at once as the CPU granted. @returns what must be asked again in parts */
  async #run(jobs: readonly Part[][], ctx: Ctx): Promise<Part[]> {
    const again: Part[] = [];
    let next = 0;
    const lane = async (): Promise<void> => {
      while (next < jobs.length) {
        const job = jobs[next++]!;
        const { stopped } = ctx.cycle;
        if (stopped !== null) for (const block of job) ctx.cycle.fail(block.items, stopped);
        else this.#take(job, await this.#line.read(job, ctx.rules.timeoutMs, ctx.signal), ctx, again);
      }
    };
    const lanes = Array.from({ length: Math.min(jobs.length, this.#line.grant().jobs) }, lane);
    // All of them end, also when one fails, so that nothing of this call is left when it returns.
    const ends = await Promise.allSettled(lanes);
    for (const end of ends) if (end.status === "rejected") throw end.reason;
    return again;
  }

  #take(job: readonly Part[], answer: Answer, ctx: Ctx, again: Part[]): void {
    const { cycle } = ctx;
    switch (answer.at) {
      case "data":
        cycle.useful++;
        for (const [index, part] of job.entries()) this.#takeItem(part, answer.items[index]!, ctx, again);
        break;
      case "refused": {
        const { code, quality, words } = refusalOf(answer.error, ctx.rules.family);
        this.learned.add(`the CPU ${words}`);
        cycle.stop(
          job,
          quality,
          new AppError(code, `The CPU ${words}.`, { context: { error: answer.error } }),
        );
        break;
      }
      case "timeout":
        cycle.timedOut(job, timeoutError(ctx.rules));
        break;
      case "garbled":
        for (const block of job) cycle.fail(block.items, "bad.replyGarbled");
        break;
      default:
        unreachable(answer);
    }
  }

  #takeItem(part: Part, reply: ItemReply, ctx: Ctx, again: Part[]): void {
    if (reply.bytes !== null) {
      ctx.cycle.decode(part, reply.bytes);
      this.#noteGood(part, ctx);
      return;
    }
    if (part.of !== undefined) part.of.clean = false;
    const quality = qualityOfItem(reply.code);
    if (quality === null) ctx.cycle.fail(part.items, "bad.deviceFailed");
    else if (isSingle(part)) for (const item of part.items) this.#refuse(item, reply.code, ctx);
    else {
      const [left, right] = halves(part, this.#line.grant().pduBytes);
      const of: Parted = { left: 2, clean: true, behind: right.items[0]! };
      again.push({ ...left, of }, { ...right, of });
    }
  }

  #noteGood(part: Part, ctx: Ctx): void {
    const [first] = part.items;
    if (this.#knowledge.refusal(first!) !== undefined) this.#knowledge.admit(first!);
    const { of } = part;
    if (of !== undefined && --of.left === 0 && of.clean) this.#knowledge.part(of.behind);
    const { pduBytes } = this.#line.grant();
    for (const item of part.items) {
      if (!isCut(item, pduBytes) || ctx.cycle.readings[item.at]!.value !== null) continue;
      this.learned.add(
        `a text of ${item.width} bytes does not fit into the CPU's telegrams of ${pduBytes} bytes`,
      );
    }
  }

  #refuse(item: Item, code: number, ctx: Ctx): void {
    const isNew = this.#knowledge.refusal(item) === undefined;
    this.#knowledge.refuse(item, code, this.#clock.monoMs() + ctx.rules.illegalRetryMs);
    if (isNew) this.learned.add(itemWords(code, ctx.points[item.at]!.address));
    this.#failRefused(item, ctx);
  }

  #failRefused(item: Item, { cycle }: Ctx): void {
    const refusal = this.#knowledge.refusal(item);
    cycle.fail([item], qualityOfItem(refusal?.code ?? 0) ?? "bad.addressIllegal");
  }

  /** Asks for the length of data blocks that are due. What the CPU does not tell is no reason to stop. */
  async #watch({ rules, dbs }: PointSet, signal: AbortSignal): Promise<void> {
    for (const db of this.layout.due(rules, dbs, this.#clock.monoMs())) {
      const facts = await this.#line.blockFacts(db, rules.timeoutMs, signal);
      this.layout.take(rules, db, facts, this.#clock.monoMs());
    }
  }

  /** Values of a block whose layout has changed may be any value: none of them is shown, only its mark. */
  #doubt({ items, marks, rules }: PointSet, cycle: Cycle): void {
    for (const item of marks) {
      const { value } = cycle.readings[item.at]!;
      if (typeof value === "number") this.layout.mark(rules, item.db, item.mark!, value);
    }
    if (!this.layout.isChanged(rules)) return;
    for (const item of items) {
      if (item.area !== "db" || item.mark !== null) continue;
      if (this.layout.changed(rules, item.db) !== undefined) cycle.fail([item], "bad.mappingChanged");
    }
  }
}

const itemOf = (address: S7Address, id: number, at: number): Item => ({
  at,
  id,
  area: address.area,
  db: address.db,
  start: address.start,
  width: address.area === "timer" || address.area === "counter" ? 1 : address.width,
  mayCut: isText(address.type),
  together: address.together,
  decode: decoderOf(address),
  mark: address.mark,
});

export const timeoutError = ({ timeoutMs }: S7Rules): AppError =>
  new AppError("device.timeout", `The CPU did not answer within ${timeoutMs} ms.`, {
    context: { timeoutMs },
  });
