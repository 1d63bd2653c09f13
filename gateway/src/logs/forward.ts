import type { LogRecord } from "@logtape/logtape";
import type { Clock } from "@millrace/contract/std/clock";
import type { LogStatus } from "@millrace/contract/vocabulary/gateway";
import { isAtLeast, LOG_RECORD, type LogLevel } from "@millrace/contract/vocabulary/log";
import { EVENT, encodeEvents, type GatewayEvent } from "@millrace/contract/wire/event";
import { FRAME_BYTES_EXTRA } from "../outbox/draft.ts";
import { levelOf, logEvent } from "./log-event.ts";
import { fullGate, type Gate, LOG_GATE, passGate } from "./log-gate.ts";

/** Records from before the buffer is open; a start says little, and its beginning says most. */
const WAITING_MAX = 64;
/**
 * What the buffer says about itself travels as events of its own. As a log record it would have to go into the buffer
 * that has just refused, which would be told, and so on for ever.
 */
const LEFT_OUT = ["gateway", "buffer"];
const MINUTE_MS = 60_000;

/** Where records go once the buffer is open. */
export interface LogOutlet {
  clock: Clock;
  report: (event: GatewayEvent) => void;
}

/** Sends what this program logs to the hub: from a level on, at a bounded rate, without secrets. */
export class LogForward {
  readonly #clock: Clock;
  readonly #secrets = new Map<string, readonly string[]>();
  #outlet: LogOutlet | null = null;
  #waiting: { event: GatewayEvent; monoMs: number }[] = [];
  #gate: Gate;
  #hubUp = false;
  #bytesAway = 0;
  #sent = 0;
  #suppressed = 0;
  /** Kept back and not told yet. */
  #untold = 0;
  #cancelTell: () => void = () => undefined;
  #asked: { level: LogLevel; untilMonoMs: number } | null = null;
  #cancelAsked: () => void = () => undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#gate = fullGate(clock.monoMs());
  }

  /** For the logging library: takes a record, at any time, and never throws. */
  readonly sink = (record: LogRecord): void => {
    if (!isAtLeast(levelOf(record.level), this.level()) || isLeftOut(record.category)) return;
    if (this.#passes()) this.#send(logEvent(record, this.#nowMs(), this.#allSecrets()));
    else this.#keepBack();
  };

  /** Replaces the secret values known from one place, such as the settings of the devices. */
  keepSecret(place: string, values: readonly string[]): void {
    this.#secrets.set(place, values);
  }

  /** From now on records go out; those that wait go first, by the times of this clock. */
  attach(outlet: LogOutlet): void {
    this.#outlet = outlet;
    for (const { event, monoMs } of this.#waiting.splice(0))
      outlet.report({ ...event, timeMs: outlet.clock.nowMs() - (outlet.clock.monoMs() - monoMs) });
  }

  /** The program stops: nothing is sent any more. */
  detach(): void {
    this.#cancelTell();
    this.#cancelAsked();
    this.#outlet = null;
  }

  hubIs(up: boolean): void {
    if (up) this.#bytesAway = 0;
    this.#hubUp = up;
  }

  /** Least serious level that is sent now. */
  level(): LogLevel {
    return this.#asked?.level ?? LOG_RECORD.standardLevel;
  }

  /** True for a record that this program's own output shows: by its own level, or as somebody asked from the hub. */
  shows(record: Pick<LogRecord, "level">, ownLevel: LogLevel): boolean {
    const level = levelOf(record.level);
    return isAtLeast(level, ownLevel) || (this.#asked !== null && isAtLeast(level, this.#asked.level));
  }

  /**
   * Sends records from `level` on for some minutes, then falls back by itself; so does a restart.
   * @param minutes at most `LOG_RECORD.minutesMax`
   */
  setLevel(level: LogLevel, minutes: number): void {
    const ms = Math.min(minutes, LOG_RECORD.minutesMax) * MINUTE_MS;
    this.#cancelAsked();
    this.#asked = { level, untilMonoMs: this.#clock.monoMs() + ms };
    this.#cancelAsked = this.#clock.after(ms, () => this.#fallBack());
    this.#tellLevel(`Log records from ${level} on go to the hub for ${minutes} min.`, minutes);
  }

  status(): LogStatus {
    const asked = this.#asked;
    return {
      level: this.level(),
      untilMs: asked && Math.round(this.#nowMs() + asked.untilMonoMs - this.#clock.monoMs()),
      sent: this.#sent,
      suppressed: this.#suppressed,
    };
  }

  #fallBack(): void {
    this.#asked = null;
    this.#tellLevel(`Log records from ${LOG_RECORD.standardLevel} on go to the hub again.`, null);
  }

  #tellLevel(message: string, minutes: number | null): void {
    const code = "log.level";
    const data = { level: this.level(), minutes };
    this.#outlet?.report({ timeMs: this.#nowMs(), code, severity: EVENT[code], message, data });
  }

  #passes(): boolean {
    if (this.#isAwayFull()) return false;
    const perMinute = this.#asked === null ? LOG_GATE.perMinute : LOG_GATE.perMinuteAsked;
    const { passed, gate } = passGate(this.#gate, this.#clock.monoMs(), perMinute);
    this.#gate = gate;
    return passed;
  }

  #isAwayFull(): boolean {
    return !this.#hubUp && this.#bytesAway >= LOG_GATE.awayBytesMax;
  }

  #keepBack(): void {
    this.#suppressed++;
    this.#untold++;
    if (this.#untold === 1) this.#cancelTell = this.#clock.after(LOG_GATE.tellMs, () => this.#tellKeptBack());
  }

  /** At most one a minute, so it needs no gate of its own. While it cannot go out the number waits and grows. */
  #tellKeptBack(): void {
    if (this.#isAwayFull() || this.#outlet === null) {
      this.#cancelTell = this.#clock.after(LOG_GATE.tellMs, () => this.#tellKeptBack());
      return;
    }
    const suppressed = this.#untold;
    this.#untold = 0;
    this.#send({
      timeMs: this.#nowMs(),
      code: "log.record",
      severity: "warning",
      message: `${suppressed} records suppressed: this gateway logs faster than may be sent. Its own output has them.`,
      data: { level: "warning", logger: "gateway.logs", suppressed },
    });
  }

  #send(event: GatewayEvent): void {
    if (this.#outlet !== null) this.#outlet.report(event);
    else if (this.#waiting.length < WAITING_MAX) this.#waiting.push({ event, monoMs: this.#clock.monoMs() });
    else return this.#keepBack();
    this.#sent++;
    if (!this.#hubUp) this.#bytesAway += encodeEvents([event]).length + FRAME_BYTES_EXTRA;
  }

  #allSecrets(): string[] {
    return [...this.#secrets.values()].flat();
  }

  #nowMs(): number {
    return (this.#outlet?.clock ?? this.#clock).nowMs();
  }
}

const isLeftOut = (category: readonly string[]): boolean =>
  LEFT_OUT.every((part, index) => category[index] === part);
