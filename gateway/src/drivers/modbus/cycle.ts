import type { AppError } from "@millrace/contract/error/app-error";
import { QUALITY, type Quality } from "@millrace/contract/vocabulary/quality";
import type { Reading } from "../../driver/driver.ts";
import type { Decode } from "./codec.ts";
import { bitAt } from "./codec.ts";
import { type Block, isBitArea, type PlanItem } from "./plan.ts";

/** A point as the planner and the decoder need it. */
export interface Item extends PlanItem {
  /** Place in the caller's list. */
  at: number;
  id: number;
  decode: Decode;
}

/** Halvings of refused blocks in one call. What is left over goes on in the next call, so a call stays short. */
const HALVINGS_MAX = 16;
/** Timeouts in one call to a unit that answered before: then the rest of its points wait for the next call. */
const TIMEOUTS_MAX = 2;

/** What one call to `read` has found so far. */
export class Cycle {
  readonly readings: Reading[];
  /** Requests the device answered with something we could use. */
  useful = 0;
  halvingsLeft = HALVINGS_MAX;
  /** False when a refused block was left for the next call. */
  resolved = true;
  /** The first reason why this device gave nothing; thrown when nothing useful came at all. */
  problem: AppError | null = null;
  readonly #answered = new Set<number>();
  readonly #timeouts = new Map<number, number>();
  readonly #stopped = new Map<number, Quality>();

  constructor(length: number) {
    this.readings = new Array(length);
  }

  /** Why this unit is left alone for the rest of the call. */
  stopped(unit: number): Quality | undefined {
    return this.#stopped.get(unit);
  }

  stop(block: Block<Item>, quality: Quality, problem: AppError): void {
    this.problem ??= problem;
    this.#stopped.set(block.unit, quality);
    this.fail(block.items, quality);
  }

  answered(unit: number): void {
    this.useful++;
    this.#answered.add(unit);
  }

  get hadTimeout(): boolean {
    return this.#timeouts.size > 0;
  }

  timedOut(block: Block<Item>, problem: AppError): void {
    this.problem ??= problem;
    const count = (this.#timeouts.get(block.unit) ?? 0) + 1;
    this.#timeouts.set(block.unit, count);
    if (!this.#answered.has(block.unit) || count >= TIMEOUTS_MAX) {
      this.#stopped.set(block.unit, "bad.deviceTimeout");
    }
    this.fail(block.items, "bad.deviceTimeout");
  }

  fail(items: readonly Item[], quality: Quality): void {
    const code = QUALITY[quality];
    for (const item of items) this.readings[item.at] = { id: item.id, value: null, quality: code };
  }

  decode(block: Block<Item>, bytes: Buffer): void {
    const { readings } = this;
    const start = block.offset;
    if (isBitArea(block.area)) {
      for (const item of block.items) {
        readings[item.at] = { id: item.id, value: bitAt(bytes, item.offset - start), quality: QUALITY.good };
      }
      return;
    }
    for (const item of block.items) {
      const value = item.decode(bytes, (item.offset - start) * 2);
      const finite = typeof value !== "number" || Number.isFinite(value);
      readings[item.at] = { id: item.id, value, quality: finite ? QUALITY.good : QUALITY["bad.notFinite"] };
    }
  }
}
