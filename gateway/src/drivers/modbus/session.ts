import type { ModbusAddress } from "@millrace/contract/driver/modbus/address";
import type { ModbusRules, ModbusSettings } from "@millrace/contract/driver/modbus/settings";
import { AppError, asAppError } from "@millrace/contract/error/app-error";
import type { ErrorCode } from "@millrace/contract/error/code";
import { unreachable } from "@millrace/contract/std/assert";
import ModbusRTU from "modbus-serial";
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
import type { WriteRequest } from "./encode.ts";
import { MbapPort, type PeerManners } from "./mbap.ts";
import type { Span } from "./plan.ts";
import { type Answer, Reader } from "./reader.ts";
import { type WriteAnswer, writeAll } from "./writer.ts";

interface InFlight {
  settle(answer: Answer): void;
  fail(error: unknown): void;
}

/** One TCP connection to a device or converter. The only file that knows the Modbus library. */
export class ModbusSession implements Session<ModbusAddress> {
  readonly #settings: ModbusSettings;
  readonly #deps: SessionDeps;
  readonly #reader: Reader;
  readonly #peer: PeerManners = { answersInPieces: false };
  #port: MbapPort | null = null;
  #client: ModbusRTU | null = null;
  #inFlight: InFlight | null = null;
  /** Calls that hear of a lost link themselves: a read, and a write within it. */
  #calls = 0;
  /** Why there is no link, told by the next read. */
  #down: AppError;
  /** The connection may still carry an answer we could not tell from the next one: take a fresh one before we ask. */
  #stale = false;
  #lastAnswerMs = Number.NEGATIVE_INFINITY;
  #requests = 0;
  #errors = 0;
  #roundTripMs: number | null = null;

  constructor(settings: ModbusSettings, deps: SessionDeps) {
    this.#settings = settings;
    this.#deps = deps;
    this.#reader = this.#newReader();
    this.#down = this.#linkError("link.lost", "not connected");
  }

  async connect(signal: AbortSignal): Promise<void> {
    await this.close();
    signal.throwIfAborted();
    const port = new MbapPort(this.#settings.host, this.#settings.port, this.#peer, {
      onGarbled: (why) => this.#inFlight?.settle({ at: "garbled", why }),
      onFailed: (kind, why) => this.#failed(port, kind, why),
    });
    this.#port = port;
    this.#stale = false;
    const client = new ModbusRTU(port);
    try {
      await this.#open(client, signal);
    } catch (error) {
      this.#drop(port, this.#down);
      await port.closed;
      throw error;
    }
    // Somebody may have closed the session in the same turn in which the socket opened.
    if (this.#port !== port || !port.isOpen) throw this.#linkError("link.lost", "closed while it opened");
    this.#client = client;
  }

  #open(client: ModbusRTU, signal: AbortSignal): Promise<void> {
    const { clock } = this.#deps;
    const { connectTimeoutMs } = this.#settings;
    return new Promise<void>((resolve, reject) => {
      const done = (error: unknown) => {
        cancel();
        signal.removeEventListener("abort", onAbort);
        if (error === null) resolve();
        else reject(error);
      };
      const onAbort = () => done(signal.reason);
      const cancel = clock.after(connectTimeoutMs, () =>
        done(this.#linkError("link.unreachable", `no connection within ${connectTimeoutMs} ms`)),
      );
      signal.addEventListener("abort", onAbort, { once: true });
      client.open((cause?: NodeJS.ErrnoException) => done(cause == null ? null : this.#openError(cause)));
    });
  }

  read(points: readonly Point<ModbusAddress>[], signal: AbortSignal): Promise<Reading[]> {
    return this.#readBy(this.#reader, points, signal);
  }

  #newReader(): Reader {
    return new Reader((span, rules, signal) => this.#ask(span, rules, signal), this.#deps.clock);
  }

  async #readBy(
    reader: Reader,
    points: readonly Point<ModbusAddress>[],
    signal: AbortSignal,
  ): Promise<Reading[]> {
    return await this.#during(signal, () => reader.read(points, signal));
  }

  async #during<T>(signal: AbortSignal, run: () => Promise<T>): Promise<T> {
    signal.throwIfAborted();
    const onAbort = () => this.#abandon(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    this.#calls++;
    try {
      return await run();
    } finally {
      this.#calls--;
      signal.removeEventListener("abort", onAbort);
    }
  }

  write(points: readonly PointWrite<ModbusAddress>[], signal: AbortSignal): Promise<WriteOutcome[]> {
    return this.#during(signal, () =>
      writeAll(points, (request, address) => this.#askWrite(request, address, signal)),
    );
  }

  visit(): Visit<ModbusAddress> {
    const reader = this.#newReader();
    return {
      read: (points, signal) => this.#readBy(reader, points, signal),
      requestsFor: (points) => reader.requestsFor(points),
      explain: (point) => reader.explain(point),
    };
  }

  counters(): SessionCounters {
    return {
      requests: this.#requests,
      errors: this.#errors,
      roundTripMs: this.#roundTripMs,
      learned: this.#reader.learned.list(),
    };
  }

  async close(): Promise<void> {
    this.#stale = false;
    const port = this.#port;
    if (port === null) return;
    this.#drop(port, this.#linkError("link.lost", "closed by us"));
    await port.closed;
  }

  async #ask(span: Span, rules: ModbusRules, signal: AbortSignal): Promise<Answer> {
    await this.#deps.between?.();
    return await this.#exchange(rules, signal, (client, next) => sendRead(client, span, next));
  }

  /** @throws AppError `link.*` while nothing was sent; a link that is lost later is an answer */
  async #askWrite(request: WriteRequest, address: ModbusAddress, signal: AbortSignal): Promise<WriteAnswer> {
    let sent = false;
    try {
      return await this.#exchange(address.rules, signal, (client, next) => {
        sent = true;
        sendWrite(client, address.unit, request, next);
      });
    } catch (thrown) {
      if (!sent) throw thrown;
      return { at: "lost", error: asAppError(thrown, "link.lost") };
    }
  }

  /** One request, one answer. Timeouts and exceptions are answers; a dead link is thrown. */
  async #exchange(rules: ModbusRules, signal: AbortSignal, send: Send): Promise<Answer> {
    const { clock } = this.#deps;
    if (rules.requestGapMs > 0) {
      const waitMs = this.#lastAnswerMs + rules.requestGapMs - clock.monoMs();
      if (waitMs > 0) await clock.sleep(waitMs, signal);
    }
    signal.throwIfAborted();
    if (this.#stale) await this.connect(signal);
    const port = this.#port;
    const client = this.#client;
    if (port === null || client === null) throw this.#down;
    const startMs = clock.monoMs();
    this.#requests++;
    port.idsNotEchoed = rules.idsNotEchoed;
    const answer = await this.#send(client, port, rules, send);
    this.#lastAnswerMs = clock.monoMs();
    if (answer.at !== "data") this.#errors++;
    if (answer.at !== "timeout") this.#roundTripMs = this.#lastAnswerMs - startMs;
    else if (rules.idsNotEchoed) this.#renewLater(port);
    if (answer.at === "garbled" && rules.idsNotEchoed) {
      throw this.#drop(port, this.#linkError("link.garbled", answer.why));
    }
    return answer;
  }

  #send(client: ModbusRTU, port: MbapPort, rules: ModbusRules, send: Send): Promise<Answer> {
    return new Promise<Answer>((resolve, reject) => {
      const cancel = this.#deps.clock.after(rules.timeoutMs, () => {
        const goesOn = port.forget();
        inFlight.settle({ at: "timeout" });
        if (!goesOn) this.#renewLater(port);
      });
      const end = () => {
        cancel();
        if (this.#inFlight === inFlight) this.#inFlight = null;
      };
      const inFlight: InFlight = {
        settle: (answer) => {
          end();
          resolve(answer);
        },
        fail: (error) => {
          end();
          reject(error);
        },
      };
      this.#inFlight = inFlight;
      send(client, (error, result) => inFlight.settle(answerOf(error, result)));
    });
  }

  /**
   * Without ids, or from a peer that answers in pieces, a late answer could not be told from the next one, so this
   * connection is never read again. The next request opens a new one: the unit was silent, not the link, and the other
   * units behind it must not suffer.
   */
  #renewLater(port: MbapPort): void {
    if (this.#port !== port) return;
    this.#drop(port, this.#linkError("link.lost", "not connected"));
    this.#stale = true;
  }

  /** The caller lost interest. Its answer, if it comes, is dropped by its id. */
  #abandon(reason: unknown): void {
    const port = this.#port;
    const inFlight = this.#inFlight;
    if (port === null || inFlight === null) return;
    const goesOn = port.forget();
    inFlight.fail(reason);
    if (port.idsNotEchoed || !goesOn) this.#renewLater(port);
  }

  #failed(port: MbapPort, kind: "lost" | "garbled", why: string): void {
    if (this.#port !== port) return;
    this.#errors++;
    const error = this.#linkError(kind === "lost" ? "link.lost" : "link.garbled", why);
    const told = this.#calls > 0 || this.#client === null;
    this.#drop(port, error);
    if (!told) this.#deps.onLost(error);
  }

  /** Ends the connection; returns the error for the one who throws it. */
  #drop(port: MbapPort, error: AppError): AppError {
    this.#down = error;
    if (this.#port === port) {
      this.#port = null;
      this.#client = null;
    }
    port.destroy();
    this.#inFlight?.fail(error);
    return error;
  }

  #openError(cause: NodeJS.ErrnoException): AppError {
    const code: ErrorCode = cause.code === "ECONNREFUSED" ? "link.refused" : "link.unreachable";
    const words: Record<string, string> = {
      ECONNREFUSED: "refused the connection",
      ENOTFOUND: "is not a name the network knows",
      EHOSTUNREACH: "cannot be reached: no route",
      ENETUNREACH: "cannot be reached: no network",
      ETIMEDOUT: "did not answer",
    };
    return this.#linkError(code, words[cause.code ?? ""] ?? cause.message, cause);
  }

  #linkError(code: ErrorCode, why: string, cause?: unknown): AppError {
    const { host, port } = this.#settings;
    return new AppError(code, `${host}:${port} ${why}.`, { cause, context: { host, port } });
  }
}

/** What the library hands to its callback, as far as we read it; after a write there are no bytes. */
type Next = (error: (Error & { modbusCode?: number }) | null, result: { buffer?: Buffer }) => void;
type Send = (client: ModbusRTU, next: Next) => void;

function sendRead(client: ModbusRTU, { unit, area, offset, count }: Span, next: Next): void {
  if (area === "coil") client.writeFC1(unit, offset, count, next);
  else if (area === "discrete") client.writeFC2(unit, offset, count, next);
  else if (area === "holding") client.writeFC3(unit, offset, count, next);
  else client.writeFC4(unit, offset, count, next);
}

function sendWrite(client: ModbusRTU, unit: number, request: WriteRequest, next: Next): void {
  const { offset } = request;
  const done = (error: Parameters<Next>[0]) => next(error, {});
  switch (request.do) {
    case "coil":
      if (request.multiple) client.writeFC15(unit, offset, [request.on], done);
      else client.writeFC5(unit, offset, request.on, done);
      return;
    case "register":
      client.writeFC6(unit, offset, request.word, done);
      return;
    case "registers":
      client.writeFC16(unit, offset, request.words, done);
      return;
    case "mask":
      client.writeFC22(unit, offset, request.and, request.or, done);
      return;
    default:
      unreachable(request);
  }
}

const NO_BYTES = Buffer.alloc(0);

function answerOf(error: Parameters<Next>[0], result: { buffer?: Buffer }): Answer {
  if (error === null) return { at: "data", bytes: result.buffer ?? NO_BYTES };
  return error.modbusCode === undefined
    ? { at: "garbled", why: error.message }
    : { at: "exception", code: error.modbusCode };
}
