import type { ModbusAddress } from "@millrace/contract/driver/modbus/address";
import { lineWords, type ModbusRules, type ModbusSettings } from "@millrace/contract/driver/modbus/settings";
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
import { NO_METER } from "../../driver/meter.ts";
import { diagnose } from "./doctor.ts";
import type { WriteRequest } from "./encode.ts";
import { Owed } from "./in-step.ts";
import { type Line, TcpLine } from "./line.ts";
import { MbapPort, type PeerManners } from "./mbap.ts";
import { measured } from "./measured.ts";
import { NO_PEER, NO_PORT } from "./open-failures.ts";
import type { Span } from "./plan.ts";
import type { Port, PortEvents } from "./port.ts";
import { type Answer, Reader } from "./reader.ts";
import { RtuPort } from "./rtu.ts";
import { SerialLine } from "./serial-line.ts";
import { type WriteAnswer, writeAll } from "./writer.ts";

interface InFlight {
  /** The wait for an answer begins. */
  sent(extraMs: number): void;
  settle(answer: Answer): void;
  fail(error: unknown): void;
}

/** One connection to a device or converter, or one serial line. The only file that knows the Modbus library. */
export class ModbusSession implements Session<ModbusAddress> {
  readonly diagnose = diagnose;
  readonly #settings: ModbusSettings;
  readonly #deps: SessionDeps;
  readonly #reader: Reader;
  readonly #peer: PeerManners = { answersInPieces: false };
  readonly #owed = new Owed();
  #port: Port | null = null;
  #client: ModbusRTU | null = null;
  #inFlight: InFlight | null = null;
  /** Calls that hear of a lost link themselves: a read, and a write within it. */
  #calls = 0;
  /** Why there is no link, told by the next read. */
  #down: AppError;
  /** The connection may still carry an answer we could not tell from the next one: take a fresh one before we ask. */
  #stale = false;
  /** The last request itself has left, and not only a question before it. */
  #left = false;
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
    const { meter = NO_METER } = this.#deps;
    const port: Port = this.#newPort({
      onSent: (extraMs, step) => {
        if (!step) this.#left = true;
        this.#inFlight?.sent(extraMs);
      },
      onGarbled: (why) => this.#inFlight?.settle({ at: "garbled", why }),
      onFailed: (kind, why) => this.#failed(port, kind, why),
      onStray: (unit, afterMs) => (afterMs === null ? meter.stray(unit) : meter.late(unit, afterMs)),
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

  #newPort(events: PortEvents): Port {
    const { transport, host = "", port, serialPort = "" } = this.#settings;
    const { clock } = this.#deps;
    if (transport === "tcp")
      return new MbapPort(new TcpLine(host, port), this.#peer, events, () => clock.monoMs());
    const line: Line =
      transport === "serial" ? new SerialLine({ ...this.#settings, serialPort }) : new TcpLine(host, port);
    const learned = (fact: string) => this.#reader.learned.add(fact);
    return new RtuPort(line, { clock, owed: this.#owed, learned }, events);
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
    return await this.#during(points, signal, () => reader.read(points, signal));
  }

  async #during<T>(
    points: readonly Point<ModbusAddress>[],
    signal: AbortSignal,
    run: () => Promise<T>,
  ): Promise<T> {
    signal.throwIfAborted();
    this.#checkLine(points);
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

  /** All devices of one call have the same settings. @throws AppError `setting.wrong` */
  #checkLine([first]: readonly Point<ModbusAddress>[]): void {
    const line = lineWords(this.#settings);
    const wanted = first?.address.rules.line ?? line;
    if (wanted === line) return;
    throw new AppError(
      "setting.wrong",
      `${this.#place} runs with ${line} for another device, and this one says ${wanted}.`,
      { context: { setting: "baudRate", found: wanted, expected: line } },
    );
  }

  write(points: readonly PointWrite<ModbusAddress>[], signal: AbortSignal): Promise<WriteOutcome[]> {
    return this.#during(points, signal, () =>
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
    return await this.#measured(span.unit, () =>
      this.#exchange(rules, signal, (client, next) => sendRead(client, span, next)),
    );
  }

  /** @throws AppError `link.*` while nothing was sent; a link that is lost later is an answer */
  async #askWrite(request: WriteRequest, address: ModbusAddress, signal: AbortSignal): Promise<WriteAnswer> {
    this.#left = false;
    try {
      const answer = await this.#measured(address.unit, () =>
        this.#exchange(address.rules, signal, (client, next) =>
          sendWrite(client, address.unit, request, next),
        ),
      );
      return this.#left ? answer : { at: "unsent", answer };
    } catch (thrown) {
      if (!this.#left) throw thrown;
      return { at: "lost", error: asAppError(thrown, "link.lost") };
    }
  }

  #measured(unit: number, exchange: () => Promise<Answer>): Promise<Answer> {
    return measured(this.#deps.meter, unit, () => this.#roundTripMs, exchange);
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
    port.rules = rules;
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

  #send(client: ModbusRTU, port: Port, rules: ModbusRules, send: Send): Promise<Answer> {
    return new Promise<Answer>((resolve, reject) => {
      let cancel = () => {};
      const late = () => {
        const why = port.unread();
        const goesOn = port.forget();
        inFlight.settle(why === null ? { at: "timeout" } : { at: "garbled", why });
        if (!goesOn) this.#renewLater(port);
      };
      const end = () => {
        cancel();
        if (this.#inFlight === inFlight) this.#inFlight = null;
      };
      const inFlight: InFlight = {
        sent: (extraMs) => {
          cancel();
          cancel = this.#deps.clock.after(rules.timeoutMs + extraMs, late);
        },
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
  #renewLater(port: Port): void {
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
    if (port.rules?.idsNotEchoed === true || !goesOn) this.#renewLater(port);
  }

  #failed(port: Port, kind: "lost" | "garbled", why: string): void {
    if (this.#port !== port) return;
    this.#errors++;
    const error = this.#linkError(kind === "lost" ? "link.lost" : "link.garbled", why);
    const told = this.#calls > 0 || this.#client === null;
    this.#drop(port, error);
    if (!told) this.#deps.onLost(error);
  }

  /** Ends the connection; returns the error for the one who throws it. */
  #drop(port: Port, error: AppError): AppError {
    this.#down = error;
    if (this.#port === port) {
      this.#port = null;
      this.#client = null;
    }
    port.destroy();
    this.#inFlight?.fail(error);
    return error;
  }

  get #place(): string {
    const { transport, host, port, serialPort } = this.#settings;
    return transport === "serial" ? `${serialPort}` : `${host}:${port}`;
  }

  #openError(cause: NodeJS.ErrnoException): AppError {
    const serial = this.#settings.transport === "serial";
    const [code, words] = (serial ? NO_PORT : NO_PEER)[cause.code ?? ""] ?? [
      "link.unreachable",
      cause.message,
    ];
    return this.#linkError(code, words || cause.message, cause);
  }

  #linkError(code: ErrorCode, why: string, cause?: unknown): AppError {
    const { transport, host, port, serialPort } = this.#settings;
    const context = transport === "serial" ? { serialPort } : { host, port };
    return new AppError(code, `${this.#place} ${why}.`, { cause, context });
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
