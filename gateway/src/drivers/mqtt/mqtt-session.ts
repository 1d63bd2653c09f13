import type { MqttAddress } from "@millrace/contract/driver/mqtt/address";
import { mqttDeclaration } from "@millrace/contract/driver/mqtt/declaration";
import type { MqttSettings } from "@millrace/contract/driver/mqtt/settings";
import { mqttSettingsProblem } from "@millrace/contract/driver/mqtt/settings";
import { AppError } from "@millrace/contract/error/app-error";
import type {
  Point,
  PointWrite,
  Reading,
  Session,
  SessionCounters,
  SessionDeps,
  Subscription,
  Visit,
  Wish,
  WriteOutcome,
} from "../../driver/driver.ts";
import { clientIdOf } from "../../driver/mqtt-wire/client-id.ts";
import type { Arrived, Wire } from "../../driver/mqtt-wire/wire.ts";
import type { Now } from "../../driver/payload/board.ts";
import { Asking } from "./asking.ts";
import { rebirthPayload } from "./codec.ts";
import { Drain } from "./drain.ts";
import { Inbox } from "./inbox.ts";
import { FILTERS_AT_ONCE, Plan, type Told } from "./plan.ts";
import type { OpenInput, VersionRefused } from "./session.ts";
import { Standing } from "./standing.ts";
import { writeAll } from "./writer.ts";

/** How often the ages of values are looked at. */
const TICK_MS = 500;
/** How long the inbox is kept for devices that are not there yet, after the link came up. */
const INBOX_MS = 10_000;
const TWIN_DROPS = 3;
const TWIN_MS = 5_000;

export interface Library {
  openWire(input: OpenInput): Promise<Wire>;
  VersionRefused: typeof VersionRefused;
}

/** Somebody who listens: a device, or a test for a moment. */
interface Ear {
  plan: Plan;
  sinceMonoMs: number;
  waitingTold: boolean;
  askedAgainMonoMs: number;
  tell(readings: readonly Reading[]): void;
}

/** One connection to a broker, shared by its devices. */
export class MqttSession implements Session<MqttAddress> {
  readonly #settings: MqttSettings;
  readonly #deps: SessionDeps;
  readonly #library: Library;
  readonly #ears = new Set<Ear>();
  readonly #inbox = new Inbox();
  readonly #drain: Drain;
  #wire: Wire | null = null;
  #version: 5 | 4;
  #clientId = "";
  #upMonoMs = 0;
  #drops = 0;
  #cancelTick = () => {};
  readonly #asking: Asking;
  readonly #standing = new Standing();

  constructor(settings: MqttSettings, deps: SessionDeps, library: Library) {
    this.#settings = settings;
    this.#deps = deps;
    this.#library = library;
    this.#version = settings.version === "3.1.1" ? 4 : 5;
    this.#drain = new Drain();
    this.#asking = new Asking(deps.clock, settings);
  }

  async connect(signal: AbortSignal): Promise<void> {
    await this.close();
    signal.throwIfAborted();
    const problem = mqttSettingsProblem(this.#settings);
    if (problem !== null)
      throw new AppError("setting.wrong", `MQTT: setting "${problem.setting}": ${problem.message}.`);
    this.#clientId =
      this.#settings.clientId ??
      (await clientIdOf(this.#deps.keep, mqttDeclaration.connectionKey(this.#settings)));
    const wire = await this.#open(signal);
    this.#wire = wire;
    this.#upMonoMs = this.#deps.clock.monoMs();
    this.#drain.begin(wire.sessionPresent, this.#upMonoMs);
    this.#tick();
  }

  async #open(signal: AbortSignal): Promise<Wire> {
    let wire: Wire | null = null;
    const input = (version: 5 | 4): OpenInput => ({
      settings: this.#settings,
      clientId: this.#clientId,
      version,
      clock: this.#deps.clock,
      signal,
      events: {
        onMessage: (message) => this.#hear(message),
        onAlive: () => {
          if (wire !== null && this.#wire === wire) for (const ear of [...this.#ears]) ear.tell([]);
        },
        onClosed: (error) => this.#lost(wire, error),
      },
    });
    try {
      wire = await this.#library.openWire(input(this.#version));
    } catch (thrown) {
      if (!(thrown instanceof this.#library.VersionRefused)) throw thrown;
      if (this.#settings.version !== "auto" || this.#version === 4) {
        const asked = this.#version === 5 ? "5" : "3.1.1";
        throw new AppError(
          "link.refused",
          `${this.#settings.broker}: the broker does not speak MQTT ${asked}.`,
        );
      }
      this.#version = 4;
      wire = await this.#library.openWire(input(4));
    }
    return wire;
  }

  /** Waits for each tag's first message, a little; what the broker keeps comes at once. */
  read(points: readonly Point<MqttAddress>[], signal: AbortSignal): Promise<Reading[]> {
    return this.#read(points, signal, () => undefined);
  }

  async #read(
    points: readonly Point<MqttAddress>[],
    signal: AbortSignal,
    look: (plan: Plan) => void,
  ): Promise<Reading[]> {
    signal.throwIfAborted();
    if (this.#wire === null) throw this.#down();
    if (points.length === 0) return [];
    const { clock } = this.#deps;
    let changed = () => {};
    const ear = this.#newEar(new Plan(points), () => changed());
    // What a test finds silent it says itself.
    ear.waitingTold = true;
    this.#ears.add(ear);
    try {
      this.#standing.watch(points);
      for (const message of this.#standing.of(points, clock.monoMs())) this.#tellOne(ear, message);
      if (!ear.plan.complete) await this.#ask(ear.plan, signal);
      const endMonoMs = clock.monoMs() + this.#settings.firstValueMs;
      while (!ear.plan.complete && clock.monoMs() < endMonoMs) {
        await this.#asking.orEnd(signal, endMonoMs - clock.monoMs(), (done) => {
          changed = done;
        });
      }
      this.#obey(ear.plan.tellWaiting(this.#now()));
      look(ear.plan);
      return ear.plan.present();
    } finally {
      this.#forget(ear);
    }
  }

  async subscribe(
    wishes: readonly Wish<MqttAddress>[],
    emit: (readings: readonly Reading[]) => void,
    signal: AbortSignal,
  ): Promise<Subscription | null> {
    const ear = this.#newEar(new Plan(wishes), emit);
    this.#ears.add(ear);
    this.#standing.watch(wishes);
    const stop = () => this.#forget(ear);
    signal.addEventListener("abort", stop, { once: true });
    try {
      for (const message of this.#inbox.all()) this.#tellOne(ear, message);
      await this.#ask(ear.plan, signal);
    } catch (thrown) {
      signal.removeEventListener("abort", stop);
      stop();
      throw thrown;
    }
    // The library notices a broker that stopped answering sooner; this is for a library that does not.
    return { aliveMs: this.#settings.keepAliveMs * 2 + this.#settings.timeoutMs };
  }

  #newEar(plan: Plan, tell: (readings: readonly Reading[]) => void): Ear {
    const nowMonoMs = this.#deps.clock.monoMs();
    return { plan, tell, sinceMonoMs: nowMonoMs, waitingTold: false, askedAgainMonoMs: nowMonoMs };
  }

  /** Subscribes to everything the plan needs. A filter that others have is asked for again: so its kept value comes. */
  async #ask(plan: Plan, signal?: AbortSignal): Promise<void> {
    const { filters } = plan;
    const refused = new Set<string>();
    for (let at = 0; at < filters.length; at += FILTERS_AT_ONCE) {
      const part = filters.slice(at, at + FILTERS_AT_ONCE);
      const codes = await this.#subscribeNow(part, signal);
      part.forEach((filter, index) => {
        if ((codes[index] ?? 0x80) >= 0x80) refused.add(filter);
      });
    }
    if (refused.size === 0) return;
    this.#asking.errors += refused.size;
    const readings = plan.refuse(refused);
    for (const ear of this.#ears) if (ear.plan === plan) ear.tell(readings);
  }

  async #subscribeNow(filters: readonly string[], signal?: AbortSignal): Promise<number[]> {
    const wire = this.#wire;
    if (wire === null) throw this.#down();
    const { timeoutMs, qos, broker } = this.#settings;
    const codes = await this.#asking.ask(() => wire.subscribe(filters, qos), signal);
    if (codes !== null) return codes;
    throw new AppError("device.timeout", `${broker}: no answer to SUBSCRIBE within ${timeoutMs} ms.`);
  }

  write(points: readonly PointWrite<MqttAddress>[], signal: AbortSignal): Promise<WriteOutcome[]> {
    return writeAll(points, {
      reportMs: this.#settings.reportMs,
      mustBeUp: () => {
        signal.throwIfAborted();
        if (this.#wire === null) throw this.#down();
      },
      listen: (point, heard) => this.#listen(point, heard),
      send: async (topic, payload) => {
        const wire = this.#wire;
        if (wire === null || signal.aborted) return { at: "unsent" };
        const { reportMs } = this.#settings;
        return await this.#asking.ask(() => wire.command(topic, payload, reportMs), signal);
      },
      orEnd: (msMax, begin) => this.#asking.orEnd(signal, msMax, begin),
    });
  }

  /** A filter that the device's own subscription has is not asked for again: its kept value would come once more. */
  #listen(point: Point<MqttAddress>, heard: (reading: Reading) => void): { end(): void } {
    const plan = new Plan([point]);
    const used = this.#filtersUsed();
    const ear = this.#newEar(plan, (readings) => readings.forEach(heard));
    ear.waitingTold = true;
    this.#standing.watch([point]);
    this.#ears.add(ear);
    if (!plan.filters.every((filter) => used.has(filter))) this.#ask(plan).catch(() => undefined);
    return { end: () => this.#forget(ear) };
  }

  #hear(message: Arrived): void {
    const now = this.#now();
    this.#drain.hear(message, now.monoMs);
    this.#standing.hear(message, now.monoMs, message.qos > 0 && this.#drain.delayed);
    let [heard, refused] = [false, false];
    for (const ear of [...this.#ears]) {
      const before = ear.plan.refused;
      heard = this.#tellOne(ear, message) || heard;
      refused ||= ear.plan.refused > before;
    }
    this.#deps.meter?.heard(refused);
    if (!heard && message.qos > 0 && now.monoMs - this.#upMonoMs < INBOX_MS) this.#inbox.put(message);
  }

  #refused(): number {
    let refused = 0;
    for (const { plan } of this.#ears) refused += plan.refused;
    return refused;
  }

  /** True when it meant something to somebody. */
  #tellOne(ear: Ear, { topic, payload, retain, qos }: Arrived): boolean {
    const now = this.#now();
    const delayed = qos > 0 && this.#drain.delayed;
    const told = ear.plan.hear({ topic, payload, retained: retain, delayed }, now);
    if (told.readings.length > 0) ear.tell(told.readings);
    this.#obey(told);
    return told.readings.length > 0;
  }

  /** Asks edge nodes for their birth, where that is allowed. */
  #obey({ rebirths }: Told): void {
    if (!this.#settings.rebirth) return;
    for (const topic of rebirths) this.#wire?.publish(topic, rebirthPayload(this.#deps.clock.nowMs()));
  }

  #tick(): void {
    const now = this.#now();
    this.#drain.tick(now.monoMs);
    if (now.monoMs - this.#upMonoMs > INBOX_MS) this.#inbox.clear();
    for (const ear of [...this.#ears]) {
      const stale = ear.plan.goStale(now);
      if (stale.length > 0) ear.tell(stale);
      if (!ear.waitingTold && now.monoMs - ear.sinceMonoMs >= this.#settings.firstValueMs) {
        ear.waitingTold = true;
        const told = ear.plan.tellWaiting(now);
        if (told.readings.length > 0) ear.tell(told.readings);
        this.#obey(told);
      }
      this.#askAgain(ear, now);
    }
    this.#cancelTick = this.#deps.clock.after(TICK_MS, () => this.#tick());
  }

  /** A broker that answers and forwards nothing may have lost the subscription; asking again costs one packet. */
  #askAgain(ear: Ear, { monoMs }: Now): void {
    if (!ear.plan.silent || monoMs - ear.askedAgainMonoMs < ear.plan.staleMs) return;
    ear.askedAgainMonoMs = monoMs;
    this.#ask(ear.plan).catch(() => undefined);
  }

  #forget(ear: Ear): void {
    if (!this.#ears.delete(ear)) return;
    const used = this.#filtersUsed();
    const unused = ear.plan.filters.filter((filter) => !used.has(filter));
    if (unused.length > 0) this.#wire?.unsubscribe(unused);
  }

  #filtersUsed(): ReadonlySet<string> {
    return new Set([...this.#ears].flatMap(({ plan }) => plan.filters));
  }

  #now(): Now {
    return { wallMs: this.#deps.clock.nowMs(), monoMs: this.#deps.clock.monoMs() };
  }

  #down(): AppError {
    return new AppError("link.lost", `${this.#settings.broker}: not connected.`);
  }

  /** The link ended by itself. Whoever waits for an answer hears it there; otherwise the supervisor is told. */
  #lost(wire: Wire | null, why: AppError): void {
    if (wire === null || this.#wire !== wire) return;
    const shortLived = this.#deps.clock.monoMs() - this.#upMonoMs < TWIN_MS;
    this.#drops = shortLived ? this.#drops + 1 : 0;
    const error = this.#drops >= TWIN_DROPS ? this.#twin(why) : why;
    const waited = this.#end(error);
    if (!waited) this.#deps.onLost(error);
  }

  /** MQTT 3.1.1 has no word for it: two clients with one id throw each other out, and both come back. */
  #twin(why: AppError): AppError {
    const hint = `It ended ${this.#drops} times right after connecting: another client may use the client id ${this.#clientId}`;
    return new AppError(why.code, `${why.message} ${hint}.`, { cause: why });
  }

  /** True when somebody waited for an answer and heard of it. */
  #end(why: AppError): boolean {
    this.#cancelTick();
    this.#wire = null;
    this.#ears.clear();
    this.#inbox.clear();
    this.#standing.forget();
    return this.#asking.end(why);
  }

  counters(): SessionCounters {
    const plans = [...this.#ears].map(({ plan }) => plan);
    const historical = plans.reduce((sum, plan) => sum + plan.historical, 0);
    const trouble = plans.map((plan) => plan.trouble()).find((one) => one !== null) ?? null;
    const notes = [
      ...(trouble === null ? [] : [`${trouble}.`]),
      ...(historical === 0 ? [] : [`${historical} values told as history were not taken.`]),
      ...(this.#inbox.lost === 0
        ? []
        : [`${this.#inbox.lost} messages came before anybody listened and are lost.`]),
    ];
    const { requests, errors, roundTripMs } = this.#asking;
    return {
      requests,
      errors: errors + this.#refused(),
      roundTripMs,
      learned: [],
      ...(notes.length === 0 ? {} : { note: notes.join(" ") }),
    };
  }

  visit(): Visit<MqttAddress> {
    let last: Plan | null = null;
    return {
      read: (points, signal) =>
        this.#read(points, signal, (plan) => {
          last = plan;
        }),
      requestsFor: (points) => Math.ceil(new Plan(points).filters.length / FILTERS_AT_ONCE),
      explain: ({ id }) => last?.explain(id) ?? null,
    };
  }

  async close(): Promise<void> {
    const wire = this.#wire;
    this.#end(this.#down());
    await wire?.close();
  }
}
