import type { Clock } from "@millrace/contract/std/clock";
import { answerBytes, type Owed } from "./in-step.ts";
import type { Line } from "./line.ts";
import { Port, type PortEvents } from "./port.ts";
import { isRead, type Question, questionOf, withCrc } from "./question.ts";

/** Received bytes that are kept: the longest frame, its echo, and noise around them. */
const BUFFER_BYTES_MAX = 1_024;
/** Fewer bytes than the shortest answer are a disturbance, e.g. of a line that changes its direction. */
const ANSWER_BYTES_MIN = 5;
/** No device rests that long within a frame, nor a network between two parts of one. */
const REST_MS = 250;
/** Bytes without an answer among them after which a line is given up and opened anew. */
const BABBLE_BYTES_MAX = 65_536;
/** A line that does not fall silent for this long, and the time of what it may bring, is disturbed. */
const NOISE_MS_MAX = 1_000;
/** An answer that is later than this many timeouts does not come any more. */
const LATE_TIMEOUTS = 10;
/** Questions in a row to get into step again. */
const STEPS_MAX = 4;
const BROADCAST_UNIT = 0;
const ILLEGAL_FUNCTION = 1;

interface Pending {
  rtu: Buffer;
  question: Question;
  /** The caller's request that waits for this one to be answered; null when this is the caller's. */
  before: Buffer | null;
  /** When it left, ms of the monotonic clock: what comes from then on may be the answer. Null before. */
  sentMs: number | null;
  /** What we sent came back first: the adapter hears itself. */
  echoed: boolean;
}

/**
 * The frames of a serial line: no ids, no length, but a checksum. An answer is looked for anywhere among the bytes that
 * came since the question, and must have unit, function, byte count and checksum. What an older question may still bring
 * is told apart by `Owed`. Whether an adapter hears its own sending shows with the first answer; no write is sent before
 * that is known, since the echo of a write looks like its answer.
 */
export class RtuPort extends Port {
  readonly #clock: Clock;
  readonly #owed: Owed;
  readonly #learned: (fact: string) => void;
  #echo: "unknown" | "yes" | "no" = "unknown";
  #bytes: Buffer = Buffer.alloc(0);
  #babbled = 0;
  #lastByteMs = Number.NEGATIVE_INFINITY;
  #pending: Pending | null = null;
  #steps = 0;
  #cancel: () => void = () => {};

  /**
   * @param owed outlives the port: an answer that is late also comes to the line that was opened anew
   * @param learned called with a fact about the line, in words
   */
  constructor(
    line: Line,
    { clock, owed, learned }: { clock: Clock; owed: Owed; learned: (fact: string) => void },
    events: PortEvents,
  ) {
    super(line, events);
    this.#clock = clock;
    this.#owed = owed;
    this.#learned = learned;
  }

  write(rtu: Buffer): void {
    if (this.#pending !== null) throw new Error("one request is in flight already");
    this.#steps = 0;
    this.#ask(Buffer.from(rtu));
  }

  forget(): boolean {
    this.drop();
    return true;
  }

  override unread(): string | null {
    const { length } = this.#bytes;
    return length < ANSWER_BYTES_MIN ? null : `${length} bytes that are no answer to the question`;
  }

  protected drop(): void {
    this.#cancel();
    const pending = this.#pending;
    this.#pending = null;
    if (pending === null || pending.sentMs === null || pending.question.unit === BROADCAST_UNIT) return;
    const waitMs = (this.rules?.timeoutMs ?? NOISE_MS_MAX) * LATE_TIMEOUTS;
    this.#owed.add(pending.question, pending.sentMs, this.#clock.monoMs() + waitMs);
  }

  /** @param byOther a refusal came that may be of an older question: the next step goes by another function. */
  #ask(rtu: Buffer, byOther = false): void {
    const question = questionOf(rtu);
    if (question.unit === BROADCAST_UNIT) {
      this.#broadcast(rtu, question);
      return;
    }
    const blind = this.#echo === "unknown" && !isRead(question.functionCode);
    const doubted = blind || this.#owed.doubts(question, this.#clock.monoMs());
    const sent = !doubted ? rtu : this.#steps++ < STEPS_MAX ? this.#owed.stepFor(rtu, byOther) : null;
    if (sent === null) {
      this.events.onGarbled("only answers to older questions");
      return;
    }
    const pending: Pending = {
      rtu: sent,
      question: questionOf(sent),
      before: doubted ? rtu : null,
      sentMs: null,
      echoed: false,
    };
    this.#pending = pending;
    this.#whenSilent(() => {
      if (!this.#send(pending)) return;
      this.events.onSent(this.#travelMs(sent.length + answerBytes(pending.question)), doubted);
    });
  }

  /** To every unit, answered by none. */
  #broadcast(rtu: Buffer, question: Question): void {
    const { unit, functionCode, echo } = question;
    const answer = echo ?? Buffer.from([functionCode | 0x80, ILLEGAL_FUNCTION]);
    const done = () => this.emit("data", withCrc(Buffer.concat([Buffer.from([unit]), answer])));
    const pending: Pending = { rtu, question, before: null, sentMs: null, echoed: false };
    this.#pending = pending;
    const finish = (ms: number) => {
      this.#cancel = this.#clock.after(ms, () => {
        this.#pending = null;
        done();
      });
    };
    if (echo === null) {
      finish(0);
      return;
    }
    this.#whenSilent(() => {
      if (!this.#send(pending)) return;
      const quietMs = this.#travelMs(rtu.length) + (this.rules?.turnaroundMs ?? 0);
      this.events.onSent(quietMs, false);
      finish(quietMs);
    });
  }

  #send(pending: Pending): boolean {
    this.#bytes = Buffer.alloc(0);
    pending.sentMs = this.#clock.monoMs();
    try {
      this.line.send(pending.rtu);
    } catch (error) {
      this.end("lost", error instanceof Error ? error.message : String(error));
      return false;
    }
    this.#lastByteMs = this.#clock.monoMs() + this.#travelMs(pending.rtu.length);
    return true;
  }

  /** Frames are parted by silence; a late answer that is just coming is waited for. */
  #whenSilent(run: () => void): void {
    const endMs = this.#clock.monoMs() + NOISE_MS_MAX + this.#travelMs(BUFFER_BYTES_MAX);
    const look = () => {
      if (this.over) return;
      const nowMs = this.#clock.monoMs();
      const waitMs = this.#lastByteMs + this.line.silenceMs - nowMs;
      if (waitMs <= 0 || this.line.silenceMs === 0) {
        run();
      } else if (nowMs > endMs) {
        this.drop();
        this.events.onGarbled("no answer: the line never falls silent");
      } else {
        this.#cancel = this.#clock.after(Math.ceil(waitMs), look);
      }
    };
    look();
  }

  #travelMs(bytes: number): number {
    return Math.ceil(bytes * this.line.msPerByte);
  }

  protected receive(chunk: Buffer): void {
    this.#lastByteMs = Math.max(this.#lastByteMs, this.#clock.monoMs());
    this.#babbled += chunk.length;
    if (this.#babbled > BABBLE_BYTES_MAX) {
      this.end("garbled", `${this.#babbled} bytes without an answer among them`);
      return;
    }
    const bytes = Buffer.concat([this.#bytes, chunk]);
    this.#bytes = bytes.length > BUFFER_BYTES_MAX ? bytes.subarray(-BUFFER_BYTES_MAX) : bytes;
    const pending = this.#pending;
    if (pending === null || pending.sentMs === null) {
      this.#lookForLate();
      return;
    }
    if (pending.question.unit === BROADCAST_UNIT) return;
    this.#look(pending, false);
    if (this.#pending !== pending) return;
    this.#cancel();
    this.#cancel = this.#clock.after(REST_MS, () => this.#rested(pending));
  }

  /** Nothing more comes: what stands in front of a frame was no beginning of one. */
  #rested(pending: Pending): void {
    this.#look(pending, true);
    const why = this.unread();
    if (this.#pending !== pending || why === null) return;
    this.drop();
    this.events.onGarbled(why);
  }

  /** @param final the bytes are all there: the beginning of a frame is none. */
  #look(pending: Pending, final: boolean): void {
    const bytes = this.#bytes;
    let at = 0;
    while (at < bytes.length) {
      const echo = this.#echoAt(bytes, at, pending);
      if (echo === "part" && !final) return;
      if (echo === "whole") {
        pending.echoed = true;
        at += pending.rtu.length;
        this.#bytes = bytes.subarray(at);
        continue;
      }
      const found = this.#owed.find(bytes, at, pending.question);
      if (found.at === "part" && !final) return;
      if (found.at !== "frame") {
        at++;
        continue;
      }
      const frame = bytes.subarray(at, at + found.bytes);
      at += found.bytes;
      this.#bytes = bytes.subarray(at);
      if (found.owedSinceMs === undefined) {
        this.#answered(pending, Buffer.from(frame));
        return;
      }
      this.#late(frame, found.owedSinceMs);
      // A refusal has no length, so it may as well be that of the step; its own may then still come.
      if (pending.before !== null && refuses(frame, pending.question)) {
        const { before } = pending;
        this.drop();
        this.#ask(before, true);
        return;
      }
    }
  }

  /** Between two questions only what is owed can be an answer. */
  #lookForLate(): void {
    let at = 0;
    while (at < this.#bytes.length) {
      const found = this.#owed.find(this.#bytes, at, null);
      if (found.at === "part") return;
      if (found.at === "nothing") {
        at++;
        continue;
      }
      this.#late(this.#bytes.subarray(at), found.owedSinceMs!);
      this.#bytes = this.#bytes.subarray(at + found.bytes);
      at = 0;
    }
  }

  #late(frame: Buffer, sentMs: number): void {
    this.events.onStray(frame[0]!, this.#clock.monoMs() - sentMs);
  }

  #echoAt(bytes: Buffer, at: number, { rtu, echoed }: Pending): "whole" | "part" | "none" {
    // Where none was heard so far, an answer to a write is one: it looks the same. An answer to a read never does.
    if (echoed || (this.#echo === "no" && !isRead(rtu[1]!))) return "none";
    const there = bytes.subarray(at, at + rtu.length);
    if (!there.equals(rtu.subarray(0, there.length))) return "none";
    return there.length === rtu.length ? "whole" : "part";
  }

  #answered({ echoed, before }: Pending, frame: Buffer): void {
    this.#cancel();
    this.#pending = null;
    this.#babbled = 0;
    if (echoed && this.#echo !== "yes") {
      this.#echo = "yes";
      this.#learned("the adapter hears its own sending; the echo is taken out");
    } else if (this.#echo === "unknown") this.#echo = "no";
    if (before === null) this.emit("data", frame);
    else this.#ask(before);
  }
}

const refuses = (frame: Buffer, { unit, functionCode }: Question): boolean =>
  frame[0] === unit && frame[1] === (functionCode | 0x80);
