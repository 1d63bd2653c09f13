import type { AppError } from "@millrace/contract/error/app-error";
import { QUALITY, type Quality } from "@millrace/contract/vocabulary/quality";
import type { Reading } from "../../driver/driver.ts";
import type { Decode } from "./codec.ts";
import { type Block, type PlanItem, payloadMax } from "./plan.ts";

/** A point as the planner and the decoder need it. */
export interface Item extends PlanItem {
  /** Place in the caller's list. */
  at: number;
  id: number;
  decode: Decode;
  mark: number | null;
}

/** Timeouts in one call to a CPU that answered before: then the rest waits for the next call. */
const TIMEOUTS_MAX = 2;

/** What one call to `read` has found so far. */
export class Cycle {
  readonly readings: Reading[];
  /** Requests the CPU answered with something we could use. */
  useful = 0;
  /** The first reason why this CPU gave nothing; thrown when nothing useful came at all. */
  problem: AppError | null = null;
  #timeouts = 0;
  /** Why the rest of the call is not asked. */
  #stopped: Quality | null = null;

  constructor(length: number) {
    this.readings = new Array(length);
  }

  get stopped(): Quality | null {
    return this.#stopped;
  }

  stop(blocks: readonly Block<Item>[], quality: Quality, problem: AppError): void {
    this.problem ??= problem;
    this.#stopped ??= quality;
    for (const block of blocks) this.fail(block.items, quality);
  }

  timedOut(blocks: readonly Block<Item>[], problem: AppError): void {
    this.problem ??= problem;
    this.#timeouts++;
    if (this.useful === 0 || this.#timeouts >= TIMEOUTS_MAX) this.#stopped ??= "bad.deviceTimeout";
    for (const block of blocks) this.fail(block.items, "bad.deviceTimeout");
  }

  fail(items: readonly Item[], quality: Quality): void {
    const code = QUALITY[quality];
    for (const item of items) this.readings[item.at] = { id: item.id, value: null, quality: code };
  }

  decode(block: Block<Item>, bytes: Buffer): void {
    const { readings } = this;
    const isCounted = block.area === "timer" || block.area === "counter";
    for (const item of block.items) {
      const at = (item.start - block.start) * (isCounted ? 2 : 1);
      const value = item.decode(bytes, at, Math.min(bytes.length, at + item.width));
      readings[item.at] = { id: item.id, value: value ?? null, quality: qualityOf(value) };
    }
  }
}

function qualityOf(value: ReturnType<Decode>): number {
  if (value === undefined) return QUALITY["bad.valueInvalid"];
  return typeof value !== "number" || Number.isFinite(value) ? QUALITY.good : QUALITY["bad.notFinite"];
}

/** Whether the CPU's telegrams are too short for this point to come whole. */
export const isCut = (item: PlanItem, pduBytes: number): boolean =>
  item.mayCut && item.width > payloadMax(pduBytes);
