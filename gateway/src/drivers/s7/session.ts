import type { S7Address } from "@millrace/contract/driver/s7/address";
import { hasSlots, type S7Settings, slotOf, tsapsOf } from "@millrace/contract/driver/s7/settings";
import { AppError, asAppError } from "@millrace/contract/error/app-error";
import type { ErrorCode } from "@millrace/contract/error/code";
import type {
  Point,
  PointWrite,
  Reading,
  Session,
  SessionCounters,
  SessionDeps,
  Visit,
  WriteOutcome,
} from "../../driver/driver.ts";
import { type Ending, NO_METER } from "../../driver/meter.ts";
import { codeText, refusalOf } from "./causes.ts";
import { diagnose } from "./doctor.ts";
import { type IsoEvents, IsoLink, isoAnswers } from "./iso.ts";
import { type Answer, Reader, type S7Line } from "./reader.ts";
import { Requests } from "./requests.ts";
import {
  blockRequest,
  parseBlock,
  parseRead,
  parseSetup,
  parseWrite,
  type Range,
  type Reply,
  readRequest,
  setupRequest,
  type WriteItem,
  writeRequest,
} from "./wire.ts";
import { type WriteAnswer, writeAll } from "./writer.ts";

/** Shortest telegram that can carry a value of every type but long texts. */
const PDU_BYTES_MIN = 64;
/** Longest wait for one slot that is only tried for a hint. */
const SLOT_TRY_MS = 1_000;

type Refused = { at: "refused"; error: number };
type Asked<T> = { at: "data"; value: T } | Refused | { at: "timeout" } | { at: "garbled"; why: string };

/** One connection to a CPU. All who read it share it: a CPU has few. */
export class S7Session implements Session<S7Address> {
  readonly diagnose = diagnose;
  readonly #settings: S7Settings;
  readonly #deps: SessionDeps;
  readonly #reader: Reader;
  readonly #line: S7Line;
  readonly #tally = { requests: 0, errors: 0, roundTripMs: null as number | null };
  #link: IsoLink | null = null;
  #requests: Requests;
  #opening: PromiseWithResolvers<void> | null = null;
  /** What the CPU granted; before the first connection what we will ask for. */
  #grant: { pduBytes: number; jobs: number };
  /** Somebody waits for an answer, so that a lost link is told by its failure. */
  #busy = false;
  #up = false;
  #slotTried = false;
  /** Why there is no link, told by the next call. */
  #down: AppError;

  constructor(settings: S7Settings, deps: SessionDeps) {
    this.#settings = settings;
    this.#deps = deps;
    this.#grant = { pduBytes: settings.pduMax, jobs: settings.jobsMax };
    this.#requests = new Requests(deps.clock, deps.meter);
    this.#line = {
      grant: () => this.#grant,
      read: async (ranges, timeoutMs, signal) => {
        await deps.between?.();
        return await this.#readRanges(ranges, timeoutMs, signal);
      },
      blockFacts: async (db, timeoutMs, signal) => {
        const asked = await this.#ask((ref) => blockRequest(ref, db), parseBlock, timeoutMs, signal);
        return asked.at === "data" ? asked.value.facts : null;
      },
    };
    this.#reader = new Reader(this.#line, deps.clock, { watches: true });
    this.#down = this.#error("link.lost", "is not connected");
  }

  async connect(signal: AbortSignal): Promise<void> {
    await this.close();
    signal.throwIfAborted();
    try {
      await this.#open(signal);
    } catch (thrown) {
      const link = this.#link as IsoLink | null;
      if (link !== null) this.#drop(link, this.#down);
      await link?.closed;
      throw await this.#withSlotHint(thrown, signal);
    }
  }

  async #open(signal: AbortSignal): Promise<void> {
    const { host, port, connectTimeoutMs } = this.#settings;
    const opening = Promise.withResolvers<void>();
    // An end before anybody waits for it is told by the throw below.
    opening.promise.catch(() => undefined);
    const link: IsoLink = new IsoLink(
      { host, port, ...tsapsOf(this.#settings) },
      {
        onOpen: () => opening.resolve(),
        onTelegram: (bytes) => {
          const why = this.#requests.take(bytes);
          if (why !== null) this.#failed(link, "garbled", why);
        },
        onFailed: (...end) => this.#failed(link, ...end),
      },
    );
    this.#link = link;
    this.#opening = opening;
    this.#requests = new Requests(this.#deps.clock, this.#deps.meter);
    const end = (error: unknown) => {
      opening.reject(error);
      if (this.#link === link) this.#requests.failAll(error);
    };
    const onAbort = () => end(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    const cancel = this.#deps.clock.after(connectTimeoutMs, () =>
      end(this.#lateError(link, connectTimeoutMs)),
    );
    try {
      await opening.promise;
      await this.#setUp(link, connectTimeoutMs, signal);
      signal.throwIfAborted();
    } finally {
      cancel();
      signal.removeEventListener("abort", onAbort);
      this.#opening = null;
    }
    // Somebody may have closed the session in the same turn in which the link opened.
    if (this.#link !== link) throw this.#down;
    this.#up = true;
    this.#reader.layout.reconnected();
  }

  async #setUp(link: IsoLink, timeoutMs: number, signal: AbortSignal): Promise<void> {
    const { pduMax, jobsMax, family } = this.#settings;
    this.#grant = { pduBytes: pduMax, jobs: 1 };
    const asked = await this.#ask((ref) => setupRequest(ref, pduMax, jobsMax), parseSetup, timeoutMs, signal);
    if (asked.at === "timeout") throw this.#lateError(link, timeoutMs);
    if (asked.at === "garbled")
      throw this.#error("link.garbled", `answered the S7 handshake with ${asked.why}`);
    if (asked.at === "refused") throw this.#error("link.refused", refusalOf(asked.error, family).words);
    const { pduBytes, jobs } = asked.value;
    if (pduBytes < PDU_BYTES_MIN) throw this.#error("link.garbled", `grants telegrams of ${pduBytes} bytes`);
    this.#grant = { pduBytes: Math.min(pduBytes, pduMax), jobs: Math.min(jobs, jobsMax) };
  }

  read(points: readonly Point<S7Address>[], signal: AbortSignal): Promise<Reading[]> {
    return this.#during(signal, () => this.#reader.read(points, signal));
  }

  write(points: readonly PointWrite<S7Address>[], signal: AbortSignal): Promise<WriteOutcome[]> {
    return this.#during(signal, () => {
      if (!this.#up) throw this.#down;
      return writeAll(points, {
        pduBytes: this.#grant.pduBytes,
        layout: this.#reader.layout,
        send: (items, timeoutMs) => this.#writeItems(items, timeoutMs, signal),
      });
    });
  }

  visit(): Visit<S7Address> {
    const reader = new Reader(this.#line, this.#deps.clock, { watches: false });
    return {
      read: (points, signal) => this.#during(signal, () => reader.read(points, signal)),
      requestsFor: (points) => reader.requestsFor(points),
      explain: (point) => reader.explain(point),
    };
  }

  counters(): SessionCounters {
    return { ...this.#tally, learned: this.#reader.learned.list() };
  }

  figures(): Readonly<Record<string, number>> {
    return { pduBytes: this.#grant.pduBytes, jobs: this.#grant.jobs };
  }

  async close(): Promise<void> {
    const link = this.#link;
    if (link === null) return;
    this.#drop(link, this.#error("link.lost", "was closed by us"));
    await link.closed;
  }

  async #during<T>(signal: AbortSignal, run: () => Promise<T>): Promise<T> {
    signal.throwIfAborted();
    // The caller lost interest. An answer that still comes is known by its number, and dropped.
    const onAbort = () => this.#requests.abandonAll(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    this.#busy = true;
    try {
      return await run();
    } finally {
      this.#busy = false;
      signal.removeEventListener("abort", onAbort);
    }
  }

  async #readRanges(ranges: readonly Range[], timeoutMs: number, signal: AbortSignal): Promise<Answer> {
    const parse = (reply: Reply) => parseRead(reply, ranges);
    const asked = await this.#ask((ref) => readRequest(ref, ranges), parse, timeoutMs, signal);
    if (asked.at !== "data") return asked;
    for (const { bytes, code } of asked.value)
      if (bytes === null) this.#deps.meter?.refused(null, codeText(code, 1));
    return { at: "data", items: asked.value };
  }

  async #writeItems(
    items: readonly WriteItem[],
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<WriteAnswer> {
    const parse = (reply: Reply) => parseWrite(reply, items.length);
    let isSent = false;
    const make = (ref: number) => {
      isSent = true;
      return writeRequest(ref, items);
    };
    try {
      const asked = await this.#ask(make, parse, timeoutMs, signal);
      return asked.at === "data" ? { at: "codes", codes: asked.value } : asked;
    } catch (thrown) {
      if (!isSent) throw thrown;
      return { at: "lost", error: asAppError(thrown, "link.lost") };
    }
  }

  /** One request, one answer. Timeouts and refusals are answers; a dead link is thrown. */
  async #ask<T extends object>(
    make: (ref: number) => Buffer,
    parse: (reply: Reply) => T | string,
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<Asked<T>> {
    const { clock } = this.#deps;
    const requests = this.#requests;
    await requests.room(this.#grant.jobs, signal);
    const link = this.#link;
    if (link === null) throw this.#down;
    const { meter = NO_METER } = this.#deps;
    const beganMs = meter.began();
    const startMs = clock.monoMs();
    this.#tally.requests++;
    let asked: Asked<T> | null = null;
    let tripMs = 0;
    try {
      const reply = await requests.send(link, make, timeoutMs);
      tripMs = clock.monoMs() - startMs;
      if (reply !== null) this.#tally.roundTripMs = tripMs;
      asked = judge(reply, parse);
    } finally {
      const code = asked?.at === "refused" ? codeText(asked.error, 2) : "";
      meter.ended(null, asked === null ? "lost" : ENDING[asked.at], beganMs, tripMs, code);
    }
    if (asked.at !== "data") this.#tally.errors++;
    return asked;
  }

  #failed(link: IsoLink, ...[how, why, cause]: Parameters<IsoEvents["onFailed"]>): void {
    if (this.#link !== link) return;
    this.#tally.errors++;
    const error = this.#endError(how, why, cause);
    const told = this.#busy || !this.#up;
    this.#drop(link, error);
    if (!told) this.#deps.onLost(error);
  }

  /** Ends the link with all that waits on it. It is never used again. */
  #drop(link: IsoLink, error: AppError): void {
    this.#down = error;
    link.destroy();
    if (this.#link !== link) return;
    this.#link = null;
    this.#up = false;
    this.#opening?.reject(error);
    this.#requests.failAll(error);
  }

  /**
   * A CPU that refuses this place may sit in another: the usual ones are tried once, so that the message can name the
   * right one. Never more than once in the life of a session, because connections of a CPU are few.
   */
  async #withSlotHint(thrown: unknown, signal: AbortSignal): Promise<unknown> {
    const settings = this.#settings;
    const isRefusal = thrown instanceof AppError && thrown.context.stage === "iso";
    if (!isRefusal || this.#slotTried || !hasSlots(settings) || signal.aborted) return thrown;
    this.#slotTried = true;
    const waitMs = Math.min(SLOT_TRY_MS, settings.connectTimeoutMs);
    for (const slot of [1, 2, 0, 3]) {
      if (slot === slotOf(settings)) continue;
      const to = { host: settings.host, port: settings.port, ...tsapsOf({ ...settings, slot }) };
      if (await isoAnswers(to, this.#deps.clock, waitMs, signal))
        return new AppError(thrown.code, `${thrown.message} Slot ${slot} answers: set slot to ${slot}.`, {
          cause: thrown,
          context: { ...thrown.context, slot },
        });
      if (signal.aborted) break;
    }
    return thrown;
  }

  #endError(...[how, why, cause]: Parameters<IsoEvents["onFailed"]>): AppError {
    if (how === "garbled") return this.#error("link.garbled", `sent ${why}`, cause);
    if (how === "lost") return this.#error("link.lost", `was lost: ${why}`, cause);
    if (how === "tcp") return this.#tcpError(why, cause);
    return this.#error("link.refused", `does not take us at ${this.#placeWords()} (${why})`, cause, "iso");
  }

  #tcpError(why: string, cause?: NodeJS.ErrnoException): AppError {
    const words: Record<string, string> = {
      ECONNREFUSED: "refused the connection",
      ENOTFOUND: "is not a name the network knows",
      EHOSTUNREACH: "cannot be reached: no route",
      ENETUNREACH: "cannot be reached: no network",
      ETIMEDOUT: "did not answer",
    };
    const code: ErrorCode = cause?.code === "ECONNREFUSED" ? "link.refused" : "link.unreachable";
    return this.#error(code, words[cause?.code ?? ""] ?? why, cause);
  }

  #lateError(link: IsoLink, ms: number): AppError {
    if (link.stage === "tcp") return this.#error("link.unreachable", `gave no connection within ${ms} ms`);
    if (link.stage === "open")
      return this.#error("link.unreachable", `took us and did not go on within ${ms} ms`);
    const why = `says nothing within ${ms} ms at ${this.#placeWords()}`;
    return this.#error("link.unreachable", why, undefined, "iso");
  }

  #placeWords(): string {
    const settings = this.#settings;
    const place = hasSlots(settings)
      ? `rack ${settings.rack}, slot ${slotOf(settings)}`
      : `TSAP ${tsapsOf(settings).remote.toString(16).padStart(4, "0")}`;
    return `${place}: either the place is wrong, or all its connections are taken; one that lost its power is free again after some minutes`;
  }

  #error(code: ErrorCode, why: string, cause?: unknown, stage?: "iso"): AppError {
    const { host, port } = this.#settings;
    return new AppError(code, `${host}:${port} ${why}.`, {
      cause,
      context: { host, port, ...(stage && { stage }) },
    });
  }
}

const ENDING: Readonly<Record<Asked<unknown>["at"], Ending>> = {
  data: "answer",
  refused: "refused",
  timeout: "timeout",
  garbled: "garbled",
};

function judge<T extends object>(reply: Reply | null, parse: (reply: Reply) => T | string): Asked<T> {
  if (reply === null) return { at: "timeout" };
  if (reply.error !== 0) return { at: "refused", error: reply.error };
  const value = parse(reply);
  return typeof value === "string" ? { at: "garbled", why: value } : { at: "data", value };
}
