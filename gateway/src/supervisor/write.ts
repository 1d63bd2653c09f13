import { AppError, asAppError } from "@millrace/contract/error/app-error";
import type { ErrorCode } from "@millrace/contract/error/code";
import type { Clock } from "@millrace/contract/std/clock";
import { QUALITY } from "@millrace/contract/vocabulary/quality";
import type { TagValue } from "@millrace/contract/vocabulary/value";
import type { CommandOutcome } from "@millrace/contract/wire/command";
import type { ManifestTag } from "@millrace/contract/wire/manifest";
import type { Point, Reading, Session } from "../driver/driver.ts";
import { type Derivation, derivationOf, deriveValue, rawOf } from "../scan/derive.ts";
import type { Connection } from "./connection.ts";
import type { Member } from "./member.ts";

/** A device may take a moment until a value it has taken can be read back: when to look again, in ms after the last. */
const LOOK_AGAIN_MS = [50, 150, 300] as const;

/** Where a write goes: one tag of a running device. */
export interface WriteTarget {
  tag: ManifestTag;
  point: Point;
  member: Member;
  connection: Connection;
  /** Hears what was read back, so that nobody waits for the next cycle to see it. */
  took: (reading: Reading) => void;
  /** Aborts when the device stops. */
  signal: AbortSignal;
}

export interface WriteOrder {
  /** In engineering units, of the tag's kind. */
  value: TagValue;
  /** What must be there before, as somebody saw it. */
  expected: TagValue;
  /** Why it may no longer be written, asked at the last moment; null while it may. */
  veto: () => Veto | null;
  pulse: Pulse;
}

/** What is kept of a momentary write, so that it is taken back whatever becomes of this program and its links. */
export interface Pulse {
  /** Durable when it returns; nothing is pressed before. @throws AppError why it cannot be kept */
  begin: (rest: boolean) => void;
  /** It was not pressed after all. */
  forget: () => void;
  /** Resolves after `ms`, or earlier when the device is about to stop. */
  wait: (ms: number) => Promise<void>;
  /** What was read when it was taken back, null when nothing could be; false while it is not taken back. */
  release: () => Promise<Reading | null | false>;
}

export interface Veto {
  outcome: "expired" | "failed";
  code: ErrorCode | "";
  message: string;
}

/** What came of it. `before` and `after` are what the device told, null where it did not. */
export interface WriteEnd {
  outcome: CommandOutcome;
  code: ErrorCode | "";
  message: string;
  before: TagValue;
  after: TagValue;
}

/** Writes once, at most, and only over the expected value; reads back. Never rejects. */
export async function writeOnce(target: WriteTarget, order: WriteOrder, clock: Clock): Promise<WriteEnd> {
  const write = new Write(target, order, clock);
  try {
    return await write.run();
  } catch (thrown) {
    if (write.lost !== null) return write.lost;
    const { code, message } = asAppError(thrown, "link.lost");
    return write.ended(write.sent ? "unknown" : "failed", code, `${message} ${write.sent ? MAYBE : NOTHING}`);
  }
}

const NOTHING = "Nothing was written.";
const MAYBE = "It may have been written; look at the machine.";
const STILL_ON =
  "It could not be taken back yet and may be on; look at the machine. It is taken back as soon as the machine answers.";

class Write {
  /** Something may have reached the device. */
  sent = false;
  /** How it ended, where the link went with it. */
  lost: WriteEnd | null = null;
  readonly #target: WriteTarget;
  readonly #order: WriteOrder;
  readonly #clock: Clock;
  readonly #derivation: Derivation;
  /** As the device holds them. */
  #rawBefore: TagValue = null;
  #rawAfter: TagValue = null;

  constructor(target: WriteTarget, order: WriteOrder, clock: Clock) {
    this.#target = target;
    this.#order = order;
    this.#clock = clock;
    this.#derivation = derivationOf(target.tag);
  }

  ended(outcome: CommandOutcome, code: ErrorCode | "", message: string): WriteEnd {
    const before = this.#engineering(this.#rawBefore);
    return { outcome, code, message, before, after: this.#engineering(this.#rawAfter) };
  }

  async run(): Promise<WriteEnd> {
    const raw = rawOf(this.#derivation, this.#target.tag.dataType, this.#order.value);
    if (raw === null)
      return this.ended("failed", "write.limits", `The device cannot hold this value. ${NOTHING}`);
    const pulseMs = this.#target.tag.write?.pulseMs;
    if (pulseMs !== undefined) return await this.#press(raw, pulseMs);
    const refused = await this.#urgently((session, within) => this.#writeOver(session, raw, within));
    if (refused !== null) return refused;
    for (const waitMs of LOOK_AGAIN_MS) {
      if (sameValue(this.#rawAfter, raw) || this.#target.connection.link().at !== "up") break;
      await this.#clock.sleep(waitMs, this.#target.signal);
      await this.#urgently((session, within) => this.#readBack(session, within));
    }
    if (this.#rawAfter === null)
      return this.ended("unknown", "link.lost", "The device took it, but it could not be read back.");
    if (sameValue(this.#rawAfter, raw)) return this.ended("done", "", "It was written and reads back.");
    const found = this.#engineering(this.#rawAfter);
    return this.ended("failed", "write.notTaken", `The device took the write, and reads back ${found}.`);
  }

  /** Pressed, held and taken back: a button that stays pressed is the worse fault, so that is tried on and on. */
  async #press(raw: TagValue, pulseMs: number): Promise<WriteEnd> {
    const { pulse } = this.#order;
    let pressed: WriteEnd | null;
    try {
      pressed = await this.#urgently((session, within) => this.#writeOver(session, raw, within));
    } catch (thrown) {
      if (!this.sent) {
        pulse.forget();
        throw thrown;
      }
      const { code, message } = asAppError(thrown, "link.lost");
      pressed = this.lost ?? this.ended("unknown", code, `${message} ${MAYBE}`);
    }
    if (pressed !== null && !this.sent) {
      pulse.forget();
      return pressed;
    }
    await pulse.wait(pulseMs);
    const reading = await pulse.release();
    if (reading === false) return this.ended("unknown", "link.lost", STILL_ON);
    this.#rawAfter = reading?.quality === QUALITY.good ? reading.value : null;
    return pressed ?? this.ended("done", "", `It was held for ${pulseMs} ms and taken back.`);
  }

  #urgently<T>(run: (session: Session, within: AbortSignal) => Promise<T>): Promise<T> {
    const { connection, member, signal } = this.#target;
    return connection.urgently(member, signal, run);
  }

  /** One turn at the device: looks, compares, writes, looks. Null when it was written. */
  async #writeOver(session: Session, raw: TagValue, within: AbortSignal): Promise<WriteEnd | null> {
    const { point, tag } = this.#target;
    if (session.write === undefined)
      return this.ended("failed", "write.off", `This driver does not write. ${NOTHING}`);
    const early = this.#vetoed();
    if (early !== null) return early;
    const [present] = await session.read([point], within);
    this.#rawBefore = present?.quality === QUALITY.good ? present.value : null;
    const before = this.#engineering(this.#rawBefore);
    if (before === null)
      return this.ended("failed", "write.unseen", `The present value cannot be read. ${NOTHING}`);
    if (!isAsSeen(this.#order.expected, before, tag.deadband))
      return this.ended(
        "failed",
        "write.changed",
        `It holds ${before} now, not ${this.#order.expected}. ${NOTHING}`,
      );
    if (tag.write?.pulseMs !== undefined) this.#order.pulse.begin(raw !== true);
    // The look took time, and somebody at the machine may have put a hand into it.
    const late = this.#vetoed();
    if (late !== null) return late;
    const writing = session.write([{ ...point, value: raw }], within);
    this.sent = true;
    const [outcome] = await writing;
    if (outcome === undefined)
      return this.ended("unknown", "internal.bug", `The driver told nothing. ${MAYBE}`);
    if (!outcome.done) {
      this.sent = outcome.maybe;
      const { code, message, maybe } = outcome;
      const end = this.ended(maybe ? "unknown" : "failed", code, maybe ? message : `${message} ${NOTHING}`);
      if (code !== "link.lost") return end;
      // The connection hears of a lost link by what is thrown: a device that tells by itself is asked nothing afterwards.
      this.lost = end;
      throw new AppError(code, message);
    }
    await this.#readBack(session, within);
    return null;
  }

  async #readBack(session: Session, within: AbortSignal): Promise<void> {
    const [reading] = await session.read([this.#target.point], within);
    this.#rawAfter = reading?.quality === QUALITY.good ? reading.value : null;
    if (reading !== undefined) this.#target.took(reading);
  }

  #vetoed(): WriteEnd | null {
    const veto = this.#order.veto();
    return veto && this.ended(veto.outcome, veto.code, `${veto.message} ${NOTHING}`);
  }

  #engineering(raw: TagValue): TagValue {
    return raw === null ? null : deriveValue(this.#derivation, raw);
  }
}

/** A value seen on a screen may be as far from the device's as its deadband lets it. */
function isAsSeen(expected: TagValue, present: TagValue, deadband: number): boolean {
  if (typeof expected === "number" && typeof present === "number")
    return Math.abs(expected - present) <= Math.max(deadband, Math.abs(present) * ROUNDING);
  return sameValue(expected, present);
}

/** Share by which a number may differ after it went through JSON, a scale and 32 bits. */
const ROUNDING = 1e-6;

/** Spaces at the end of a text are padding in many devices. */
const sameValue = (a: TagValue, b: TagValue): boolean =>
  typeof a === "string" && typeof b === "string" ? a.replace(/ +$/, "") === b.replace(/ +$/, "") : a === b;
