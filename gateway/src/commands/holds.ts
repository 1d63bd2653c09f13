import { getLogger } from "@logtape/logtape";
import { AppError, asAppError } from "@millrace/contract/error/app-error";
import type { Clock } from "@millrace/contract/std/clock";
import { EVENT, type EventCode, type GatewayEvent } from "@millrace/contract/wire/event";
import type { Reading } from "../driver/driver.ts";
import { placeOf, takeBack } from "../supervisor/take-back.ts";
import type { WriteTarget } from "../supervisor/write.ts";
import { type Hold, HoldRecord } from "./hold-record.ts";

const log = getLogger(["gateway", "commands"]);

/** Momentary values held at once. Each is held for seconds; more would mean that none is taken back any more. */
export const HELD_MAX = 64;
/** How long who pressed waits until it is taken back, in ms. Afterwards it goes on without them. */
export const RELEASE_MS_MAX = 10_000;
/** Between two tries, in ms: at first, and when it takes longer. A link that comes up is a try of its own. */
const RETRY_MS = { quick: 250, slow: 5_000 } as const;
/** How long a device that is to stop waits for what is held at it, in ms. */
const STOP_MS_MAX = 1_000;
const TEXT_MAX = 500;

export interface HoldsInput {
  folder: string;
  clock: Clock;
  /** Where a tag is now; null while no device that runs here has it. */
  targetOf: (tagNo: number) => WriteTarget | null;
  /** Puts it into lane E. */
  report: (event: GatewayEvent) => void;
}

interface Held extends Hold {
  /** Why it outlived its press; empty while who pressed still waits. */
  late: "" | "restart" | "link";
  /** Ends the hold before its time. */
  hurry: AbortController;
  /** It is time to take it back. */
  due: boolean;
  trying: boolean;
  /** False when it was given up. */
  ended: PromiseWithResolvers<Reading | null | false>;
}

/**
 * What is held at machines and must be taken back: on disk before anything is pressed, and tried until the machine has
 * it, across lost links and restarts. What is taken back late is only ever OFF: switching something on minutes after
 * somebody asked would be a write that comes too late.
 */
export class Holds {
  readonly #input: HoldsInput;
  readonly #record: HoldRecord | null;
  readonly #problem: AppError | null;
  readonly #held = new Map<number, Held>();
  readonly #stop = new AbortController();

  private constructor(input: HoldsInput, record: HoldRecord | null, problem: AppError | null) {
    this.#input = input;
    this.#record = record;
    this.#problem = problem;
  }

  /** Knows what a gateway that died left held. Before the devices are started: it must be the first they hear. */
  static open(input: HoldsInput): Holds {
    try {
      return new Holds(input, HoldRecord.open(input.folder), null);
    } catch (thrown) {
      return new Holds(input, null, asAppError(thrown));
    }
  }

  /** Begins to take back what was found; reports what cannot be. */
  start(): void {
    if (this.#problem !== null) this.#tell("write.stuck", this.#problem.message, {});
    for (const hold of this.#record?.found ?? []) {
      const held = this.#add(hold, "restart");
      log.warn("{path} was held when this gateway ended and is to be taken back", { path: hold.path });
      if (hold.rest) this.#giveUp(held, "Its rest is ON, and that is never written late.");
      else void this.#run(held);
    }
  }

  /** Something at this tag has yet to be taken back. */
  has(tagNo: number): boolean {
    return this.#held.has(tagNo);
  }

  /** Durable when it returns. @throws AppError `write.held` | `request.tooMany` | `setting.wrong`; what the disk says */
  begin(hold: Hold): void {
    if (this.#problem !== null) throw this.#problem;
    if (this.#held.has(hold.tagNo))
      throw new AppError("write.held", "What was pressed before has yet to be taken back.");
    if (this.#held.size >= HELD_MAX)
      throw new AppError("request.tooMany", `${HELD_MAX} momentary values are held already.`);
    this.#record?.keep(hold);
    this.#add(hold, "");
  }

  /** It was not pressed after all. */
  forget(tagNo: number): void {
    const held = this.#held.get(tagNo);
    if (held !== undefined) this.#end(held, null);
  }

  /** Resolves after `ms`, or earlier when the device is about to stop. */
  async wait(tagNo: number, ms: number): Promise<void> {
    const held = this.#held.get(tagNo);
    await this.#input.clock.sleep(ms, held?.hurry.signal).catch(() => undefined);
  }

  /**
   * Takes it back, and goes on trying when that takes longer than `RELEASE_MS_MAX`.
   * @returns false while it is not taken back; else what was read afterwards, null when nothing could be
   */
  async release(tagNo: number): Promise<Reading | null | false> {
    const held = this.#held.get(tagNo);
    if (held === undefined) return null;
    void this.#run(held);
    const left = new AbortController();
    const late = this.#input.clock.sleep(RELEASE_MS_MAX, left.signal).then(
      () => false as const,
      () => false as const,
    );
    const first = await Promise.race([held.ended.promise, late]);
    left.abort();
    if (first === false && this.#held.get(tagNo) === held) {
      held.late = "link";
      if (held.rest) this.#giveUp(held, "Its rest is ON, and that is never written late.");
    }
    return first;
  }

  /** The link to a device came up: what is held there is the first it hears. */
  deviceIsUp(deviceId: string): void {
    // In this same turn of the loop: a read that is asked for after it must wait behind it.
    for (const held of this.#at(deviceId)) if (held.due) void this.#try(held);
  }

  /** A device is about to stop, and its link with it: what is held there is taken back now, or waits for its next start. */
  async deviceStops(deviceId: string): Promise<void> {
    await this.#letGo(this.#at(deviceId));
  }

  /** Takes back what it can, and closes the record. */
  async stop(): Promise<void> {
    await this.#letGo([...this.#held.values()]);
    this.#stop.abort();
    this.#record?.close();
  }

  async #letGo(all: readonly Held[]): Promise<void> {
    const pressed = all.filter(({ late }) => late === "");
    if (pressed.length === 0) return;
    for (const held of pressed) held.hurry.abort();
    const enough = new AbortController();
    await Promise.race([
      Promise.all(pressed.map(({ ended }) => ended.promise)),
      this.#input.clock.sleep(STOP_MS_MAX, enough.signal).catch(() => undefined),
    ]);
    enough.abort();
  }

  #at(deviceId: string): Held[] {
    return [...this.#held.values()].filter(
      ({ tagNo }) => this.#input.targetOf(tagNo)?.member.deviceId === deviceId,
    );
  }

  #add(hold: Hold, late: Held["late"]): Held {
    const held: Held = {
      ...hold,
      late,
      hurry: new AbortController(),
      due: false,
      trying: false,
      ended: Promise.withResolvers(),
    };
    this.#held.set(hold.tagNo, held);
    return held;
  }

  /** Tries until it is taken back, given up, or this gateway stops. Never rejects. */
  async #run(held: Held): Promise<void> {
    held.due = true;
    const { clock } = this.#input;
    const slowMs = clock.monoMs() + RELEASE_MS_MAX;
    while (this.#held.get(held.tagNo) === held && !this.#stop.signal.aborted) {
      await this.#try(held);
      if (this.#held.get(held.tagNo) !== held) return;
      const waitMs = clock.monoMs() < slowMs ? RETRY_MS.quick : RETRY_MS.slow;
      await clock.sleep(waitMs, this.#stop.signal).catch(() => undefined);
    }
  }

  async #try(held: Held): Promise<void> {
    if (held.trying || this.#stop.signal.aborted) return;
    const target = this.#input.targetOf(held.tagNo);
    if (target === null) return;
    if (placeOf(target) !== held.place)
      return this.#giveUp(held, "Its address or its device's connection has been changed since.");
    held.trying = true;
    try {
      const reading = await takeBack(target, held.rest, held.late !== "");
      this.#end(held, reading);
    } catch (thrown) {
      log.debug("{path} is not taken back yet: {error}", { path: held.path, error: thrown });
    } finally {
      held.trying = false;
    }
  }

  #end(held: Held, reading: Reading | null): void {
    if (this.#held.get(held.tagNo) !== held) return;
    this.#held.delete(held.tagNo);
    try {
      this.#record?.drop(held.tagNo);
    } catch (thrown) {
      // Found again at the next start, which finds it at rest.
      log.error("what was taken back is still in the record: {error}", { error: thrown });
    }
    held.ended.resolve(reading);
    if (held.late === "") return;
    const heldMs = this.#heldMs(held);
    const why =
      held.late === "restart" ? "after this gateway was started again" : "when its machine was reached again";
    const forS = heldMs === null ? "" : `; it was on for up to ${Math.round(heldMs / 1_000)} s`;
    this.#tell("write.released", `${held.path} was taken back ${why}${forS}.`, {
      ...factsOf(held),
      why: held.late,
      heldMs,
    });
  }

  #giveUp(held: Held, why: string): void {
    this.#held.delete(held.tagNo);
    held.ended.resolve(false);
    this.#tell(
      "write.stuck",
      `${held.path} was not taken back and may be held: look at the machine. ${why}`,
      {
        ...factsOf(held),
        heldMs: this.#heldMs(held),
      },
    );
    try {
      this.#record?.drop(held.tagNo);
    } catch (thrown) {
      log.error("what was given up is still in the record: {error}", { error: thrown });
    }
  }

  /** Null when the clock was set back meanwhile. */
  #heldMs({ sinceMs }: Hold): number | null {
    const heldMs = Math.round(this.#input.clock.nowMs() - sinceMs);
    return heldMs < 0 ? null : heldMs;
  }

  #tell(code: EventCode, message: string, data: GatewayEvent["data"]): void {
    log.warn("{message}", { message });
    this.#input.report({
      timeMs: this.#input.clock.nowMs(),
      code,
      severity: EVENT[code],
      message: message.slice(0, TEXT_MAX),
      data,
    });
  }
}

const factsOf = ({ tagNo, commandId }: Hold): GatewayEvent["data"] => ({ tagNo, commandId });
