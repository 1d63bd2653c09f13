import { getLogger } from "@logtape/logtape";
import type { Clock } from "@millrace/contract/std/clock";
import type { DeviceStatus } from "@millrace/contract/vocabulary/gateway";
import type { QualityCode } from "@millrace/contract/vocabulary/quality";
import type { ManifestDevice } from "@millrace/contract/wire/manifest";
import type { Point, Reading } from "../driver/driver.ts";
import type { SampleSink } from "../outbox/sink.ts";
import { TagColumns } from "../scan/columns.ts";
import { nextDeadlineMs, planGroups, type ScanGroup, skipPassed, takeDue } from "../scan/schedule.ts";
import { causeOf, type Now, qualityOf } from "./cause.ts";
import { CycleCount } from "./cycle-count.ts";
import {
  type Device,
  type DeviceObservation,
  decide,
  deviceCode,
  deviceReason,
  linkStateOf,
  overdueMs,
  startDevice,
} from "./decide.ts";
import { GroupPoints } from "./group-points.ts";
import { Listener, wishesOf } from "./listener.ts";
import type { Member } from "./member.ts";
import { logWrongAddresses } from "./prepare.ts";
import type { Reach } from "./reach.ts";
import { Wake } from "./wake.ts";
import { durationWords } from "./words.ts";
import type { WriteTarget } from "./write.ts";

const log = getLogger(["gateway", "device"]);

/** After a bug of ours: soon enough to be useful, seldom enough not to burn the machine. */
const RESTART_MS = 5_000;

export interface DeviceDeps {
  clock: Clock;
  sink: SampleSink;
  holds?: { deviceIsUp(deviceId: string): void };
}

/**
 * Supervisor of one device: observes what its connection and its schedule say, lets `decide` decide, acts. A device
 * that fails, hangs or hits a bug of ours disturbs nobody else.
 */
export class DeviceSupervisor {
  readonly device: ManifestDevice;
  readonly columns: TagColumns;
  readonly #deps: DeviceDeps;
  readonly #reach: Reach;
  readonly #groups: ScanGroup[];
  readonly #scanMs: number;
  readonly #member: Member;
  readonly #readable: number[];
  readonly #wrong: number[];
  readonly #pointsOf: GroupPoints;
  readonly #wake: Wake;
  readonly #listener: Listener | null;
  readonly #stop = new AbortController();
  #state: Device;
  /** Quality of all tags while the device has none of their values; null while it answers. */
  #badQuality: QualityCode | null = null;
  #linkUp = false;
  #readNow = false;
  #answeredMonoMs: number | null = null;
  #lastCycleMs = 0;
  readonly #cycles: CycleCount;
  #ended: Promise<void> = Promise.resolve();

  constructor(device: ManifestDevice, reach: Reach, deps: DeviceDeps) {
    this.device = device;
    this.#reach = reach;
    this.#deps = deps;
    this.columns = new TagColumns(device.tags, deps.sink);
    this.#wake = new Wake(deps.clock);
    const now = this.#now();
    this.#state = startDevice(now.wallMs);
    const intervals = device.tags.map((tag) => tag.scanMs);
    this.#groups = planGroups(device.deviceId, intervals, now.monoMs);
    this.#scanMs = this.#groups[0]?.scanMs ?? 1_000;
    this.#cycles = new CycleCount(deps.clock);
    this.#pointsOf = new GroupPoints(reach.ok ? reach.prepared.points : [], this.#groups);
    this.#wrong = reach.ok ? reach.prepared.wrong.map((one) => one.index) : [];
    const wrong = new Set(this.#wrong);
    this.#readable = device.tags.map((_, index) => index).filter((index) => !wrong.has(index));
    this.#member = {
      deviceId: device.deviceId,
      settings: reach.ok ? reach.prepared.settings : null,
      tally: { requests: 0, errors: 0, roundTripMs: null },
      patient: { name: device.name, scanMs: this.#scanMs, cycles: this.#cycles.windowed },
      onLinkUp: () => this.#onLink(true, { saw: "linkUp", asks: device.tags.length > 0 }),
      onLinkDown: (cause) => this.#onLink(false, { saw: "linkDown", cause }),
    };
    this.#listener = reach.ok
      ? new Listener(
          reach.connection,
          this.#member,
          wishesOf(reach.prepared.points, device.tags),
          (readings) => this.#hear(readings),
        )
      : null;
  }

  start(): void {
    if (this.#reach.ok) logWrongAddresses(this.device.name, this.#reach.prepared);
    if (this.#reach.ok) this.#reach.connection.attach(this.#member);
    else this.#observe({ saw: "linkDown", cause: this.#reach.cause });
    this.#ended = this.#supervise();
  }

  /** Returns when nothing of this device runs any more. Its tags keep their last sample: stopping is no fault. */
  async stop(): Promise<void> {
    this.#stop.abort(new Error("stopped"));
    this.#wake.poke();
    await this.#ended;
    if (this.#reach.ok) await this.#reach.connection.detach(this.device.deviceId);
  }

  status(): DeviceStatus {
    const counts = this.columns.counts();
    const { requests, errors, roundTripMs } = this.#member.tally;
    const certificate = this.#reach.ok ? this.#reach.connection.certificate() : null;
    return {
      deviceId: this.device.deviceId,
      ...this.link(),
      sinceMs: this.#state.sinceMs,
      reason: this.#reason().slice(0, 500),
      lastGoodMs: this.columns.lastGoodMs(),
      cycles: this.#cycles.begun,
      cyclesMissed: this.#cycles.missed,
      requests,
      errors,
      roundTripMs,
      tagsGood: counts.good,
      tagsBad: counts.bad,
      ...(certificate === null ? {} : { certificate }),
    };
  }

  /** State and cause of the link, without the figures that change at every cycle. */
  link(): Pick<DeviceStatus, "linkState" | "code"> {
    return { linkState: linkStateOf(this.#state), code: deviceCode(this.#state) };
  }

  /** Where the device is reached, for people; its driver when that cannot be said. */
  endpoint(): string {
    return this.#reach.ok ? this.#reach.connection.key : this.device.driver;
  }

  /** Why an address is wrong, by tag number; empty for nearly every device. */
  wrongAddresses(): ReadonlyMap<number, string> {
    if (!this.#reach.ok) return new Map();
    const { wrong } = this.#reach.prepared;
    return new Map(wrong.map((one) => [this.device.tags[one.index]!.tagNo, one.cause.message]));
  }

  /** Where a write to one of its tags goes; null for a tag it has not, or whose address is wrong. */
  writeTarget(tagNo: number): WriteTarget | null {
    const index = this.device.tags.findIndex((tag) => tag.tagNo === tagNo);
    const point = this.#reach.ok ? (this.#reach.prepared.points[index] ?? null) : null;
    if (point === null || !this.#reach.ok) return null;
    return {
      tag: this.device.tags[index]!,
      point,
      member: this.#member,
      connection: this.#reach.connection,
      signal: this.#stop.signal,
      took: (reading) => {
        const now = this.#now();
        if (this.#state.at === "polling") this.columns.take([reading], now.wallMs, now.monoMs);
      },
    };
  }

  #reason(): string {
    const state = this.#state;
    // The connection knows how often it tried and when it tries next.
    if (state.at === "cut" && this.#reach.ok) return this.#reach.connection.reason();
    if (state.at === "polling" && this.#lastCycleMs > this.#scanMs) {
      return `Answers, but needs ${durationWords(this.#lastCycleMs)} for a cycle of ${durationWords(this.#scanMs)}: cycles are skipped.`;
    }
    const note = state.at === "polling" && this.#reach.ok ? this.#reach.connection.note() : "";
    return `${deviceReason(state, this.#now())}${note === "" ? "" : ` ${note}`}`;
  }

  #now(): Now {
    return { wallMs: this.#deps.clock.nowMs(), monoMs: this.#deps.clock.monoMs() };
  }

  #onLink(up: boolean, observed: DeviceObservation): void {
    this.#linkUp = up;
    if (up) this.#deps.holds?.deviceIsUp(this.device.deviceId);
    this.#listener?.anew();
    this.#observe(observed);
    this.#wake.poke();
  }

  #observe(observed: DeviceObservation): void {
    const now = this.#now();
    const before = this.#state;
    const { state, action, reason } = decide(before, observed, now);
    this.#state = state;
    if (state.at === "polling") this.#badQuality = null;
    if (action.do === "readNow") this.#readNow = true;
    if (action.do === "markBad") {
      this.#badQuality = action.quality;
      this.#beat(now);
    }
    this.#report(before, state, reason);
  }

  /** A line when the device is lost, when it is back, and when the cause changes; never one per cycle. */
  #report(before: Device, state: Device, reason: string): void {
    const device = this.device.name;
    if (state.at === "polling" && before.at !== "polling") log.info("{device} answers", { device });
    if (state.at === "polling") return;
    const code = deviceCode(state);
    if (code === "" || code === deviceCode(before)) return;
    log.warn("{device} is not readable: {reason}", { device, code, reason });
  }

  /** A bug of ours costs this device a pause, and nobody else anything. */
  async #supervise(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      try {
        await this.#run();
      } catch (thrown) {
        if (this.#stop.signal.aborted) return;
        log.error("supervisor of {device} failed and starts again: {error}", {
          device: this.device.name,
          error: thrown,
        });
        this.#observe({ saw: "failure", cause: causeOf(thrown), shared: false });
        await this.#deps.clock.sleep(RESTART_MS, this.#stop.signal).catch(() => undefined);
      }
    }
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      const now = this.#now();
      this.#checkOverdue(now);
      if (this.#asks())
        await (this.#listener?.wanted ? this.#listen(this.#listener, now) : this.#readDue(now));
      else await this.#rest(now);
    }
  }

  /** True while the device is read at its deadlines. */
  #asks(): boolean {
    const at = this.#state.at;
    return this.#linkUp && (at === "starting" || at === "polling" || at === "failing");
  }

  /** The device tells by itself: nothing is asked, its silence is watched. */
  async #listen(listener: Listener, now: Now): Promise<void> {
    // Deadlines that pass are nobody's fault here.
    takeDue(this.#groups, now.monoMs);
    this.#readNow = false;
    if (!listener.running) return await this.#startListening(listener, now);
    await this.#wake.wait(this.#overdueAtMs() - now.monoMs);
  }

  async #startListening(listener: Listener, now: Now): Promise<void> {
    this.#answeredMonoMs ??= now.monoMs;
    try {
      if (!(await listener.start(this.#stop.signal)) || !listener.running) return;
      this.#answeredMonoMs = this.#deps.clock.monoMs();
      this.#lastCycleMs = 0;
      this.#observe({ saw: "answer" });
    } catch (thrown) {
      this.#failed(thrown);
      this.#beat(this.#now());
      await this.#wake.wait(this.#scanMs);
    }
  }

  #hear(readings: readonly Reading[]): void {
    if (this.#stop.signal.aborted) return;
    const now = this.#now();
    this.#answeredMonoMs = now.monoMs;
    this.#observe({ saw: "answer" });
    if (this.#state.at !== "polling") return;
    if (readings.length > 0) this.#cycles.add(1, 0);
    this.columns.take(readings, now.wallMs, now.monoMs);
    this.columns.confirm(now.wallMs, now.monoMs);
    this.#beat(now);
  }

  async #readDue(now: Now): Promise<void> {
    const due = takeDue(this.#groups, now.monoMs);
    this.#cycles.add(0, due.missed);
    const groups = this.#readNow ? this.#groups.map((_, index) => index) : due.groups;
    this.#readNow = false;
    if (groups.length > 0) {
      await this.#cycle(groups, now);
      return;
    }
    const overdue = this.#overdueAtMs();
    const next = Math.min(
      nextDeadlineMs(this.#groups),
      overdue > now.monoMs ? overdue : Number.POSITIVE_INFINITY,
    );
    await this.#wake.wait(next - now.monoMs);
  }

  /** Nobody to ask: deadlines pass and are counted, bad samples keep their heartbeat, the breaker probes. */
  async #rest(now: Now): Promise<void> {
    const due = takeDue(this.#groups, now.monoMs);
    this.#cycles.add(0, due.missed + due.groups.length);
    this.#beat(now);
    let nextMs = nextDeadlineMs(this.#groups);
    const state = this.#state;
    if (state.at === "silent" && this.#linkUp) {
      if (state.probeMonoMs <= now.monoMs) {
        await this.#probe();
        return;
      }
      nextMs = Math.min(nextMs, state.probeMonoMs);
    }
    await this.#wake.wait(nextMs - now.monoMs);
  }

  async #cycle(groups: number[], now: Now): Promise<void> {
    const points = this.#pointsOf.of(groups);
    this.#cycles.add(groups.length, 0);
    // Before the first answer the wait counts from the first question.
    this.#answeredMonoMs ??= now.monoMs;
    // While the answer is awaited nobody looks at the clock; this does.
    const cancel = this.#deps.clock.after(Math.max(0, this.#overdueAtMs() - now.monoMs), () =>
      this.#checkOverdue(this.#now()),
    );
    try {
      await this.#read(points, now);
    } finally {
      cancel();
      this.#cycles.add(0, skipPassed(this.#groups, groups, this.#deps.clock.monoMs()).missed);
      this.#beat(this.#now());
    }
  }

  async #read(points: readonly Point[], now: Now): Promise<void> {
    if (points.length === 0 || !this.#reach.ok) return;
    const { connection } = this.#reach;
    try {
      const readings = await connection.read(this.#member, points, this.#stop.signal);
      const then = this.#now();
      this.#observe({ saw: "answer" });
      if (this.#state.at !== "polling") return;
      this.columns.take(readings, then.wallMs, then.monoMs);
      this.#answeredMonoMs = now.monoMs;
      this.#lastCycleMs = then.monoMs - now.monoMs;
    } catch (thrown) {
      this.#failed(thrown);
    }
  }

  #failed(thrown: unknown): void {
    if (this.#stop.signal.aborted || !this.#reach.ok) return;
    const cause = causeOf(thrown);
    // A bug must not pass for a failing device: it goes up, is logged and restarts this supervisor.
    if (cause.code === "internal.bug") throw thrown;
    this.#observe({ saw: "failure", cause, shared: this.#reach.connection.devices > 1 });
  }

  /** One small request to see whether anybody is there. */
  async #probe(): Promise<void> {
    const first = this.#readable[0];
    const point = first === undefined || !this.#reach.ok ? null : this.#reach.prepared.points[first];
    await this.#read(point ? [point] : [], this.#now());
  }

  #overdueAtMs(): number {
    if (this.#readable.length === 0 || this.#answeredMonoMs === null) return Number.POSITIVE_INFINITY;
    if (this.#listener?.running) return this.#answeredMonoMs + this.#listener.aliveMs;
    return this.#answeredMonoMs + overdueMs(this.#scanMs, this.#lastCycleMs);
  }

  #checkOverdue(now: Now): void {
    const listening = this.#listener?.running === true;
    if (!this.#asks() || (this.#state.at === "failing" && !listening)) return;
    if (now.monoMs < this.#overdueAtMs()) return;
    const forMs = now.monoMs - (this.#answeredMonoMs ?? now.monoMs);
    this.#observe({ saw: "overdue", forMs });
    if (!listening) return;
    // A subscription that fell silent does not come back by waiting.
    this.#listener?.end();
    if (this.#reach.ok) this.#reach.connection.silent();
  }

  /** Keeps bad tags reported: all of them while the device is lost, and always those with a wrong address. */
  #beat(now: Now): void {
    const mark = (quality: QualityCode, tags: readonly number[]) =>
      this.columns.markBad(quality, now.wallMs, now.monoMs, tags);
    if (this.#badQuality !== null) mark(this.#badQuality, this.#readable);
    if (this.#wrong.length > 0) mark(qualityOf("address.illegal"), this.#wrong);
  }
}
