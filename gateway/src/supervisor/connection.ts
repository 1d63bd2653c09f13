import { getLogger } from "@logtape/logtape";
import { AppError } from "@millrace/contract/error/app-error";
import { assert } from "@millrace/contract/std/assert";
import type { Clock, Random } from "@millrace/contract/std/clock";
import type { PeerCertificate } from "@millrace/contract/vocabulary/certificate";
import type { BusWindow } from "@millrace/contract/wire/bus";
import type { Chart } from "../doctor/chart.ts";
import { LineMeter } from "../doctor/line-meter.ts";
import type { Arrivals } from "../driver/arrivals.ts";
import type { BrowsePage, Point, Reading, Session, Subscription, Visit, Wish } from "../driver/driver.ts";
import type { Keep } from "../driver/keep.ts";
import type { AnyDriver } from "../driver/registry.ts";
import { type Cause, causeOf, connectCause, errorOf, isLinkCode, type Now } from "./cause.ts";
import { decideLink, type Link, type LinkObservation, linkReason } from "./link.ts";
import { logLink } from "./link-log.ts";
import type { Member } from "./member.ts";
import { OBEY_MS, withinLimit } from "./obey.ts";
import { UrgentLane } from "./urgent.ts";

const log = getLogger(["gateway", "connection"]);

export interface ConnectionDeps {
  clock: Clock;
  random: Random;
  /** Where drivers keep what must survive a restart. */
  keep?: Keep;
  arrivals?: Arrivals;
}

/** Longest time a driver may take before we take the session away from it. Drivers have shorter limits of their own. */
export const CONNECT_MS_MAX = 60_000;
export const READ_MS_MAX = 120_000;
/**
 * So many timeouts in a row, whoever asked, and the connection is made anew: a device that lost power says no goodbye,
 * and its old connection would stay silent for minutes after it is back.
 */
const TIMEOUTS_MAX = 3;

/**
 * One session to the plant, shared by all devices with the same connection key. Serialises their requests in the order
 * they came; each device has at most one, so the order is fair and the queue is bounded by the number of devices.
 * One attempt to connect at a time. What an older session still says is ignored by its generation number.
 */
export class Connection {
  readonly key: string;
  readonly #driver: AnyDriver;
  readonly #deps: ConnectionDeps;
  readonly #members = new Map<string, Member>();
  readonly #visits = new WeakMap<Member, { session: Session; visit: Visit }>();
  #link: Link = { at: "idle" };
  #session: Session | null = null;
  #generation = 0;
  #connecting: AbortController | null = null;
  #cancelWait: () => void = () => {};
  readonly #urgent: UrgentLane;
  readonly #meter: LineMeter;
  /** Why the link was lost last, or could not be had. */
  #failure: Cause | null = null;
  /** The end of the queue. */
  #tail: Promise<void> = Promise.resolve();
  #timeoutsInRow = 0;

  constructor(driver: AnyDriver, key: string, deps: ConnectionDeps) {
    this.#driver = driver;
    this.key = key;
    this.#deps = deps;
    this.#urgent = new UrgentLane(key);
    this.#meter = new LineMeter(deps.clock);
  }

  get members(): number {
    return this.#members.size;
  }

  /** Devices of the running configuration; visitors do not count. */
  get devices(): number {
    return this.#residents().length;
  }

  #residents(): Member[] {
    return [...this.#members.values()].filter(({ visitor }) => visitor !== true);
  }

  /** A visitor's view of the session; null before the first attempt to connect. */
  visitOf(member: Member): Visit | null {
    const session = this.#session;
    if (session === null) return null;
    const known = this.#visits.get(member);
    if (known?.session === session) return known.visit;
    const visit = session.visit?.() ?? session;
    this.#visits.set(member, { session, visit });
    return visit;
  }

  link(): Link {
    return this.#link;
  }

  reason(): string {
    return linkReason(this.#link, this.#now());
  }

  /** The member hears of the link from now on; of a link that is up or known to be down at once. */
  attach(member: Member): void {
    assert(!this.#members.has(member.deviceId), `device ${member.deviceId} is attached once`);
    this.#members.set(member.deviceId, member);
    if (this.#link.at === "up") member.onLinkUp();
    else if (this.#link.at === "waiting" || this.#link.at === "refused") member.onLinkDown(this.#link.cause);
    this.#observe({ saw: "wanted" });
  }

  /** Somebody stands in front of the device: the next attempt comes now and not at the end of the wait. */
  hurry(): void {
    if (this.#link.at !== "waiting") return;
    this.#cancelWait();
    this.#observe({ saw: "due" });
  }

  /** The last one out closes the connection. */
  async detach(deviceId: string): Promise<void> {
    const wasFirst = this.#members.keys().next().value === deviceId;
    this.#members.delete(deviceId);
    if (this.#members.size === 0) {
      this.#observe({ saw: "unwanted" });
      await this.#tail;
      return;
    }
    // The session was made with the settings of the first member; who comes next may have others.
    if (wasFirst) void this.#tail.then(() => this.#renew(true));
  }

  /**
   * One reading per point, when the turn of this device comes.
   * @throws AppError as the driver says, or the cause why the link is down.
   */
  read(member: Member, points: readonly Point[], signal: AbortSignal): Promise<Reading[]> {
    return this.#inTurn(member, signal, (session, within) =>
      ((member.visitor && this.visitOf(member)) || session).read(points, within),
    );
  }

  /** Whether the present session can tell changes by itself. */
  get tells(): boolean {
    return this.#session?.subscribe !== undefined;
  }

  /** What somebody should know of this connection now, as a sentence; empty for nothing. */
  note(): string {
    return this.#session?.counters().note ?? "";
  }

  /** What the device showed of itself last, trusted or not; null where its protocol has no certificates. */
  certificate(): PeerCertificate | null {
    const link = this.#link;
    const refused = link.at === "waiting" || link.at === "refused" ? link.cause.certificate : undefined;
    return refused ?? this.#session?.counters().certificate ?? null;
  }

  /** Changes of these points from now on, when the turn comes; as `Session.subscribe`. */
  subscribe(
    member: Member,
    wishes: readonly Wish[],
    emit: (readings: readonly Reading[]) => void,
    signal: AbortSignal,
  ): Promise<Subscription | null> {
    // The turn has a limit of its own; the subscription lasts as long as the caller's signal.
    return this.#inTurn(member, signal, async (session) => {
      return (await session.subscribe?.(wishes, emit, signal)) ?? null;
    });
  }

  /** What lies below a place of the device. @throws AppError as `read`; `field.unsupported` where there is nothing to browse */
  browse(member: Member, from: string, after: number, signal: AbortSignal): Promise<BrowsePage> {
    return this.#inTurn(member, signal, (session, within) => {
      if (session.browse === undefined)
        throw new AppError("field.unsupported", `${this.key}: this driver has no places to browse.`);
      return session.browse(from, after, within);
    });
  }

  /** A device that tells by itself lets nothing hear any more: the connection is made anew. */
  silent(): void {
    this.#meter.link("silences");
    log.warn("{connection} fell silent and is made anew", { connection: this.key });
    this.#renew(false);
  }

  /**
   * Runs before whatever waits here, one after the other: writes are few, and somebody stands there and waits. A read
   * that takes many requests lets them in between two of them, where its driver can.
   * @throws AppError `request.tooMany`; what `run` throws, or the cause why the link is down
   */
  async urgently<T>(
    member: Member,
    signal: AbortSignal,
    run: (session: Session, within: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const done = this.#urgent.add(() => this.#runNow(member, signal, run));
    this.#tail = this.#tail.then(() => this.#urgent.run());
    return await done;
  }

  #inTurn<T>(
    member: Member,
    signal: AbortSignal,
    run: (session: Session, within: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const turn = this.#tail.then(() => this.#runNow(member, signal, run));
    this.#tail = turn.then(
      () => undefined,
      () => undefined,
    );
    return turn;
  }

  async #runNow<T>(
    member: Member,
    signal: AbortSignal,
    run: (session: Session, within: AbortSignal) => Promise<T>,
  ): Promise<T> {
    signal.throwIfAborted();
    const session = this.#session;
    if (this.#link.at !== "up" || session === null) throw this.#downError();
    const generation = this.#generation;
    const before = session.counters();
    try {
      const answer = await this.#within(READ_MS_MAX, signal, (within) => run(session, within));
      this.#timeoutsInRow = 0;
      if (generation === this.#generation) this.#observe({ saw: "answered" });
      return answer;
    } catch (thrown) {
      if (!signal.aborted && generation === this.#generation) this.#blame(causeOf(thrown), member);
      throw thrown;
    } finally {
      const after = session.counters();
      member.tally.requests += after.requests - before.requests;
      member.tally.errors += after.errors - before.errors;
      member.tally.roundTripMs = after.roundTripMs;
    }
  }

  /** What a failed read says about the link. */
  #blame(cause: Cause, { visitor }: Member): void {
    if (isLinkCode(cause.code)) {
      this.#failed(cause);
      return;
    }
    // Who tries unit numbers finds silent ones; that says nothing against the line the devices use.
    if (visitor) return;
    this.#timeoutsInRow = cause.code === "device.timeout" ? this.#timeoutsInRow + 1 : 0;
    if (this.#timeoutsInRow >= TIMEOUTS_MAX) this.#renew(false);
  }

  #downError(): AppError {
    const link = this.#link;
    if (link.at === "waiting" || link.at === "refused") return errorOf(link.cause);
    return new AppError("device.timeout", `${this.key} is being connected again after it stopped answering`);
  }

  #now(): Now {
    return { wallMs: this.#deps.clock.nowMs(), monoMs: this.#deps.clock.monoMs() };
  }

  #failed(cause: Cause): void {
    this.#failure = cause;
    this.#meter.link(this.#link.at === "up" ? "losses" : "failedTries");
    this.#observe({ saw: "failed", cause, chance: this.#deps.random() });
  }

  #observe(observed: LinkObservation): void {
    const before = this.#link;
    const { state, action, reason } = decideLink(before, observed, this.#now());
    this.#link = state;
    logLink(this.key, before, state, reason);
    switch (action.do) {
      case "nothing":
        break;
      case "connect":
        void this.#connect();
        break;
      case "close":
        void this.#drop();
        break;
      case "closeAndWait":
        void this.#drop();
        this.#cancelWait = this.#deps.clock.after(action.waitMs, () => this.#observe({ saw: "due" }));
        break;
    }
    if (state.at === "up" && before.at !== "up") for (const m of [...this.#members.values()]) m.onLinkUp();
    if ((state.at === "waiting" || state.at === "refused") && before !== state) {
      for (const m of [...this.#members.values()]) m.onLinkDown(state.cause);
    }
  }

  async #connect(): Promise<void> {
    const generation = ++this.#generation;
    const attempt = new AbortController();
    this.#connecting = attempt;
    try {
      // The tail holds the reads and closes before: calls to a session never overlap.
      await this.#tail;
      if (generation !== this.#generation) return;
      const session = this.#session ?? (await this.#create());
      if (generation !== this.#generation) return;
      this.#session = session;
      await this.#within(CONNECT_MS_MAX, attempt.signal, (within) => session.connect(within));
      if (generation !== this.#generation) return;
      this.#timeoutsInRow = 0;
      this.#meter.link("opens");
      this.#observe({ saw: "opened" });
    } catch (thrown) {
      if (generation === this.#generation && !attempt.signal.aborted) this.#failed(connectCause(thrown));
    }
  }

  async #create(): Promise<Session> {
    const first = this.#members.values().next().value;
    assert(first, "a connection is made for a device");
    const session: Session = await this.#driver.create(first.settings as never, {
      ...this.#deps,
      meter: this.#meter,
      between: () => this.#urgent.run(),
      onLost: (error) => {
        if (this.#session === session && this.#link.at === "up") this.#failed(causeOf(error));
      },
    });
    return session;
  }

  /** Closes what is open. The session stays, with what it learnt about the device, unless it is replaced. */
  #drop(): Promise<void> {
    this.#generation++;
    this.#cancelWait();
    this.#connecting?.abort(new AppError("link.lost", `${this.key} is closed`));
    const session = this.#session;
    if (this.#members.size === 0) this.#session = null;
    if (session === null) return Promise.resolve();
    // Closing does not wait for its turn: a read that hangs is ended by it.
    const closed = this.#within(OBEY_MS, undefined, () => session.close()).catch(() => {
      if (this.#session === session) this.#session = null;
    });
    this.#tail = Promise.all([this.#tail, closed]).then(() => undefined);
    return this.#tail;
  }

  /** Makes the connection anew without calling it down: only a failed attempt is news to the members. */
  #renew(newSettings: boolean): void {
    if (this.#link.at !== "up") return;
    this.#timeoutsInRow = 0;
    void this.#drop();
    if (newSettings) this.#session = null;
    this.#link = { at: "opening", sinceMs: this.#deps.clock.nowMs(), failures: this.#link.failures };
    void this.#connect();
  }

  /** Gives up a session that no longer obeys: a new one is made for the next attempt. */
  #disown(cause: Cause): void {
    const session = this.#session;
    this.#session = null;
    void session?.close().catch(() => undefined);
    if (this.#link.at === "up") this.#failed(cause);
  }

  #within<T>(
    msMax: number,
    outer: AbortSignal | undefined,
    run: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const disown = (error: AppError) => this.#disown(causeOf(error));
    return withinLimit({ clock: this.#deps.clock, key: this.key, msMax, outer, disown }, run);
  }

  /** Everything the bus doctor wants to know of this connection and the devices behind it. */
  chart(window: BusWindow): Chart {
    const session = this.#session;
    return {
      key: this.key,
      driver: this.#driver,
      link: this.#link,
      reason: this.reason(),
      failure: this.#failure,
      members: this.#residents(),
      figures: this.#meter.read(window),
      learned: session?.counters().learned ?? [],
      note: this.note(),
      diagnose: session?.diagnose,
      session: session?.figures?.() ?? {},
    };
  }

  /** Counts anew from now on. */
  resetMeter(): void {
    this.#meter.reset();
    this.#failure = null;
    const nowMs = this.#deps.clock.monoMs();
    for (const { patient } of this.#members.values()) patient?.cycles.reset(nowMs);
  }
}
