import {
  type Area,
  describeAddress,
  FUNCTION,
  type ModbusAddress,
} from "@millrace/contract/driver/modbus/address";
import type { ModbusRules } from "@millrace/contract/driver/modbus/settings";
import { AppError } from "@millrace/contract/error/app-error";
import type { ErrorCode } from "@millrace/contract/error/code";
import { unreachable } from "@millrace/contract/std/assert";
import type { Clock } from "@millrace/contract/std/clock";
import type { Quality } from "@millrace/contract/vocabulary/quality";
import type { Point, Reading } from "../../driver/driver.ts";
import { decoderOf } from "./codec.ts";
import { Cycle, type Item } from "./cycle.ts";
import { Learned, UnitKnowledge } from "./knowledge.ts";
import { type Block, blockOf, countMax, halves, isSingle, type PlanItem, plan, type Span } from "./plan.ts";

/** What came of one request. A lost link is thrown as AppError instead. */
export type Answer =
  | { at: "data"; bytes: Buffer }
  | { at: "exception"; code: number }
  | { at: "timeout" }
  | { at: "garbled"; why: string };

/** Sends one request and waits for its answer. */
export type Request = (span: Span, rules: ModbusRules, signal: AbortSignal) => Promise<Answer>;

/** Refused addresses tried again in one call. */
const RETRIES_MAX = 2;
/**
 * How often a block stays without an answer right after a small request was answered, before we take the block for
 * too large. Once may be a lost packet.
 */
const EVIDENCE_MIN = 2;
/** Requests spent per session on finding out whether two areas were mixed up. */
const SUGGESTIONS_MAX = 4;

const TWIN: Record<Area, Area> = {
  holding: "input",
  input: "holding",
  coil: "discrete",
  discrete: "coil",
};

interface PlannedBlock extends Block<Item> {
  /** The last request for it got no answer. */
  suspect: boolean;
  evidence: number;
}

/** A point list made ready: planned once, used every cycle until the device teaches us something. */
interface PointSet {
  items: Item[];
  units: UnitKnowledge[];
  rules: ModbusRules;
  version: number;
  blocks: PlannedBlock[];
  refused: Item[];
}

/** `clean`: the whole block was read. `mixed`: something inside was refused, is too large or did not come. */
type Outcome = "clean" | "mixed";

interface Ctx {
  rules: ModbusRules;
  cycle: Cycle;
  signal: AbortSignal;
}

/** Turns point lists into requests and answers into readings, and learns from what the device refuses. */
export class Reader {
  readonly learned = new Learned();
  readonly #request: Request;
  readonly #clock: Clock;
  readonly #units = new Map<number, UnitKnowledge>();
  readonly #sets = new WeakMap<readonly Point<ModbusAddress>[], PointSet>();
  #suggestionsLeft = SUGGESTIONS_MAX;
  /** Refused places whose twin in the other area answered, in words. As many as suggestions at the most. */
  readonly #twins = new Map<string, string>();

  constructor(request: Request, clock: Clock) {
    this.#request = request;
    this.#clock = clock;
  }

  /** See `Session.read`. Points of the same array are planned once, so a caller should keep its array. */
  async read(points: readonly Point<ModbusAddress>[], signal: AbortSignal): Promise<Reading[]> {
    if (points.length === 0) return [];
    const set = this.#setOf(points);
    const cycle = new Cycle(points.length);
    const ctx: Ctx = { rules: set.rules, cycle, signal };
    cycle.fail(set.refused, "bad.addressIllegal");
    for (const block of set.blocks) await this.#readBlock(block, ctx);
    await this.#retryRefused(set.refused, ctx);
    if (cycle.resolved) for (const unit of set.units) unit.clearCuts();
    // What was silent comes last, so that it cannot keep the rest from being read.
    if (cycle.hadTimeout) set.blocks.sort((a, b) => Number(a.suspect) - Number(b.suspect));
    if (cycle.useful === 0 && cycle.problem !== null) throw cycle.problem;
    return cycle.readings;
  }

  /** Requests one cycle of these points takes, by what is known of the device now. Asks nothing. */
  requestsFor(points: readonly Point<ModbusAddress>[]): number {
    return points.length === 0 ? 0 : this.#setOf(points).blocks.length;
  }

  /** Why a point has no value, in words; null when the device never refused it. */
  explain({ address }: Point<ModbusAddress>): string | null {
    if (this.#unit(address.unit).retryAtMs(address) === null) return null;
    const twin = this.#twins.get(placeOf(address)) ?? "";
    return `Unit ${address.unit} refuses ${describeAddress(address)}${twin}`;
  }

  #unit(unit: number): UnitKnowledge {
    let knowledge = this.#units.get(unit);
    if (knowledge === undefined) {
      knowledge = new UnitKnowledge();
      this.#units.set(unit, knowledge);
    }
    return knowledge;
  }

  #setOf(points: readonly Point<ModbusAddress>[]): PointSet {
    let set = this.#sets.get(points);
    if (set === undefined) {
      const items = itemsOf(points);
      const units = [...new Set(items.map((item) => this.#unit(item.unit)))];
      set = { items, units, rules: points[0]!.address.rules, version: -1, blocks: [], refused: [] };
      this.#sets.set(points, set);
    }
    let version = 0;
    for (const unit of set.units) version += unit.version;
    if (set.version !== version) {
      set.version = version;
      set.refused = set.items.filter((item) => this.#unit(item.unit).retryAtMs(item) !== null);
      const open = set.items.filter((item) => this.#unit(item.unit).retryAtMs(item) === null);
      set.blocks = this.#plan(open, set.rules).map((block) => ({ ...block, suspect: false, evidence: 0 }));
    }
    return set;
  }

  #plan(items: readonly Item[], rules: ModbusRules): Block<Item>[] {
    const byUnit = Map.groupBy(items, (item) => item.unit);
    return [...byUnit].flatMap(([unit, own]) => {
      const knowledge = this.#unit(unit);
      return plan(own, knowledge.limits(rules), (_, area, from, end) => knowledge.mayJoin(area, from, end));
    });
  }

  async #readBlock(block: Block<Item>, ctx: Ctx): Promise<Outcome> {
    const stopped = ctx.cycle.stopped(block.unit);
    if (stopped !== undefined) {
      ctx.cycle.fail(block.items, stopped);
      return "mixed";
    }
    const limits = this.#unit(block.unit).limits(ctx.rules);
    if (block.count > countMax(block.area, limits) && !isSingle(block)) return this.#replan(block, ctx);
    const planned = block as Partial<PlannedBlock>;
    const suspect = planned.suspect === true && !isSingle(block);
    if (suspect) {
      const outcome = await this.#probe(block, planned.evidence ?? 0, ctx);
      if (outcome !== null) return outcome;
    }
    // Noted before we ask: a block too large for the device may also end the link, and that leaves this function.
    planned.suspect = true;
    planned.evidence = (planned.evidence ?? 0) + (suspect ? 1 : 0);
    const answer = await this.#request(block, ctx.rules, ctx.signal);
    if (answer.at !== "timeout") {
      planned.suspect = false;
      planned.evidence = 0;
    }
    return this.#take(block, answer, ctx);
  }

  /** The limit shrank since this block was made. */
  async #replan(block: Block<Item>, ctx: Ctx): Promise<Outcome> {
    for (const part of this.#plan(block.items, ctx.rules)) await this.#readBlock(part, ctx);
    return "mixed";
  }

  /**
   * This block got no answer last time. A small request tells a dead unit from a block that is too large for it. Null:
   * the unit lives, ask for the whole block again.
   */
  async #probe(block: Block<Item>, evidence: number, ctx: Ctx): Promise<Outcome | null> {
    const narrow = block.items.reduce((best, item) => (item.width < best.width ? item : best));
    const small = blockOf([narrow]);
    const answer = await this.#request(small, ctx.rules, ctx.signal);
    if (answer.at !== "data") return this.#take(block, answer, ctx, small);
    ctx.cycle.answered(block.unit);
    if (evidence < EVIDENCE_MIN) return null;
    this.#learnLimit(block, Math.max(narrow.width, block.count >> 1), "does not answer more");
    return this.#replan(block, ctx);
  }

  /** @param asked what the request covered, where that is less than the block. */
  async #take(block: Block<Item>, answer: Answer, ctx: Ctx, asked: Span = block): Promise<Outcome> {
    const { cycle } = ctx;
    switch (answer.at) {
      case "data":
        cycle.answered(block.unit);
        cycle.decode(block, answer.bytes);
        return "clean";
      case "timeout":
        cycle.timedOut(block, timeoutError(asked, ctx.rules));
        return "mixed";
      case "garbled":
        cycle.fail(block.items, "bad.replyGarbled");
        return "mixed";
      case "exception":
        return this.#exception(block, answer.code, ctx);
      default:
        return unreachable(answer);
    }
  }

  async #exception(block: Block<Item>, code: number, ctx: Ctx): Promise<Outcome> {
    const { cycle } = ctx;
    if (code === 1) {
      // The function itself is refused: parting the block cannot help.
      cycle.answered(block.unit);
      for (const item of block.items) this.#refuse(item, ctx);
      await this.#suggest(block, ctx);
    } else if (code === 2 || code === 3) {
      cycle.answered(block.unit);
      await this.#refused(block, ctx);
    } else {
      const [error, quality, stops] = KIND[code] ?? FAILED;
      const problem = exceptionError(error, block, code);
      if (stops) cycle.stop(block, quality, problem);
      else {
        cycle.problem ??= problem;
        cycle.fail(block.items, quality);
      }
    }
    return "mixed";
  }

  /** Exception 2 or 3: one address, a hole, or the size. Halve until we know which; only that is bad. */
  async #refused(block: Block<Item>, ctx: Ctx): Promise<void> {
    const { cycle } = ctx;
    if (isSingle(block)) {
      for (const item of block.items) this.#refuse(item, ctx);
      return this.#suggest(block, ctx);
    }
    const [left, right] = halves(block);
    const knowledge = this.#unit(block.unit);
    knowledge.addCut(block.area, right.offset);
    if (cycle.halvingsLeft === 0) {
      cycle.resolved = false;
      cycle.fail(block.items, "bad.addressIllegal");
      return;
    }
    cycle.halvingsLeft--;
    const first = await this.#readBlock(left, ctx);
    const second = await this.#readBlock(right, ctx);
    if (first === "clean" && second === "clean") await this.#explain(block, left, right, ctx);
  }

  /** Both halves are fine, together they are refused: a hole between them, or too many at once. */
  async #explain(block: Block<Item>, left: Block<Item>, right: Block<Item>, ctx: Ctx): Promise<void> {
    const ask = async (offset: number, count: number) => {
      const span = { unit: block.unit, area: block.area, offset, count };
      return { span, answer: await this.#request(span, ctx.rules, ctx.signal) };
    };
    const holeFrom = left.offset + left.count;
    if (right.offset > holeFrom) {
      const from = left.items.at(-1)!;
      const to = right.items[0]!;
      const { span, answer } = await ask(from.offset, to.offset + to.width - from.offset);
      const same = span.offset === block.offset && span.count === block.count;
      if (same || isRefusal(answer)) {
        this.#unit(block.unit).addBarrier(block.area, holeFrom, right.offset);
        this.learned.add(
          `unit ${block.unit}: cannot read across ${block.area} offsets ${holeFrom} to ${right.offset - 1}`,
        );
        return;
      }
      if (answer.at !== "data") return;
    }
    let low = Math.max(left.count, right.count);
    let high = block.count - 1;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      const { answer } = await ask(block.offset, middle);
      if (answer.at === "data") low = middle;
      else if (isRefusal(answer)) high = middle - 1;
      else break;
    }
    this.#learnLimit(block, low, "refuses more");
  }

  #learnLimit(span: Span, count: number, why: string): void {
    this.#unit(span.unit).learnLimit(span.area, count);
    const what = span.area === "coil" || span.area === "discrete" ? "bits" : "registers";
    this.learned.add(`unit ${span.unit}: ${count} ${what} in one request; the device ${why}`);
  }

  #refuse(item: Item, ctx: Ctx): void {
    this.#unit(item.unit).refuse(item, this.#clock.monoMs() + ctx.rules.illegalRetryMs);
    ctx.cycle.fail([item], "bad.addressIllegal");
  }

  /** A refused address is often one of the other area: ask there once, and say so when it answers. */
  async #suggest(block: Block<Item>, ctx: Ctx): Promise<void> {
    const item = block.items[0]!;
    const refused = describeAddress({ area: item.area, offset: item.offset, base: 0 });
    if (this.#suggestionsLeft === 0) {
      this.learned.add(`unit ${item.unit}: ${refused} is refused`);
      return;
    }
    this.#suggestionsLeft--;
    const span = { unit: item.unit, area: TWIN[item.area], offset: item.offset, count: item.width };
    const answer = await this.#request(span, ctx.rules, ctx.signal);
    const other = describeAddress({ area: span.area, offset: item.offset, base: 0 });
    const hint = answer.at === "data" ? `; ${other} answers: is the area mixed up?` : "";
    if (hint !== "") this.#twins.set(placeOf(item), hint);
    this.learned.add(`unit ${item.unit}: ${refused} is refused${hint}`);
  }

  async #retryRefused(refused: readonly Item[], ctx: Ctx): Promise<void> {
    let left = RETRIES_MAX;
    for (const item of refused) {
      if (left === 0) return;
      const knowledge = this.#unit(item.unit);
      const retryAtMs = knowledge.retryAtMs(item);
      if (retryAtMs === null || retryAtMs > this.#clock.monoMs()) continue;
      if (ctx.cycle.stopped(item.unit) !== undefined) continue;
      left--;
      const block = blockOf([item]);
      const answer = await this.#request(block, ctx.rules, ctx.signal);
      knowledge.postpone(item, this.#clock.monoMs() + ctx.rules.illegalRetryMs);
      if (answer.at !== "data") continue;
      knowledge.admit(item);
      await this.#take(block, answer, ctx);
    }
  }
}

const placeOf = ({ unit, area, offset }: PlanItem): string => `${unit}:${area}:${offset}`;

function itemsOf(points: readonly Point<ModbusAddress>[]): Item[] {
  return points.map(({ id, address }, at) => ({
    at,
    id,
    unit: address.unit,
    area: address.area,
    offset: address.offset,
    width: address.width,
    decode: decoderOf(address),
  }));
}

const isRefusal = (answer: Answer): boolean =>
  answer.at === "exception" && (answer.code === 2 || answer.code === 3);

/** Exception code → error, quality, and whether the unit is left alone for the rest of the call (V1.1b3, 7). */
type Kind = readonly [ErrorCode, Quality, boolean];
const FAILED: Kind = ["device.failed", "bad.deviceFailed", false];
const BUSY: Kind = ["device.busy", "bad.deviceBusy", true];
const AWAY: Kind = ["device.unreachable", "bad.deviceUnreachable", true];
const KIND: Record<number, Kind> = { 4: FAILED, 5: BUSY, 6: BUSY, 10: AWAY, 11: AWAY };

const WORDS: Record<number, string> = {
  4: "failure of the device",
  5: "request taken, answer comes later",
  6: "busy",
  10: "no path to the unit",
  11: "the unit behind the converter did not answer",
};

function exceptionError(code: ErrorCode, span: Span, exception: number): AppError {
  const words = WORDS[exception] ?? "unknown to the standard";
  return new AppError(
    code,
    `Unit ${span.unit} answered exception ${exception} (${words}) to function ${FUNCTION[span.area]}, offset ${span.offset}, count ${span.count}.`,
    { context: { unit: span.unit, exception, area: span.area, offset: span.offset, count: span.count } },
  );
}

export function timeoutError(span: Span, rules: ModbusRules): AppError {
  return new AppError(
    "device.timeout",
    `Unit ${span.unit} did not answer within ${rules.timeoutMs} ms (function ${FUNCTION[span.area]}, offset ${span.offset}, count ${span.count}).`,
    { context: { unit: span.unit, timeoutMs: rules.timeoutMs, area: span.area, offset: span.offset } },
  );
}
