import { asAppError } from "@millrace/contract/error/app-error";
import type { OutboxMode } from "@millrace/contract/vocabulary/gateway";
import { QUALITY } from "@millrace/contract/vocabulary/quality";
import type { GatewayEvent } from "@millrace/contract/wire/event";
import type { SealTime } from "../../../gateway/src/outbox/draft.ts";
import { OutboxEngine } from "../../../gateway/src/outbox/engine.ts";
import { SampleBuffer } from "../../../gateway/src/outbox/sample-buffer.ts";
import { zstd } from "../../../gateway/src/outbox/zstd.ts";
import type { Chance } from "../chance.ts";
import type { Network } from "../network.ts";
import { ProgramClock, type WallClock, type World } from "../world.ts";
import { Commands } from "./commands.ts";
import type { GatewayDisk } from "./disk.ts";
import { Link } from "./link.ts";
import { Killed, OutboxThread } from "./worker.ts";

const BATCHES_OUT_MAX = 2;

export interface GatewaySettings {
  bytesQuota: number;
  ackedKeepMs: number;
  mode: OutboxMode;
  sealMs: number;
}

export interface GatewayWatch {
  /** The engine took a batch of these values; `engine` is still in the same state as right after. */
  /** A command takes effect now. */
  executed(commandId: string): void;
  sealed(values: readonly number[], engine: OutboxEngine): void;
  /** The program stumbled over itself: no fault of the world explains this. */
  stumbled(what: string, thrown: unknown): void;
}

export interface GatewaySite {
  world: World;
  wall: WallClock;
  disk: GatewayDisk;
  network: Network;
  chance: Chance;
  settings: GatewaySettings;
  watch: GatewayWatch;
  /** Slowest answer of the disk now. */
  slowMs: () => number;
  /** The machine knows no time: it counts from the boot. */
  hasNoClock: () => boolean;
}

/** One run of the gateway: the real sample buffer, engine and uplink machine, with threads and sockets of the world. */
export class GatewayProgram {
  readonly clock: ProgramClock;
  readonly thread: OutboxThread;
  readonly engine: OutboxEngine;
  readonly bootNo: number;
  readonly commands: Commands;
  readonly #link: Link;
  readonly #buffer: SampleBuffer;
  #waiting: number[] = [];
  #batchesOut = 0;
  #open = false;
  #alive = true;

  constructor(readonly site: GatewaySite) {
    const { disk, world, wall, chance, settings } = site;
    this.bootNo = ++disk.identity.bootNo;
    this.clock = new ProgramClock(world, wall);
    this.thread = new OutboxThread(this.clock, chance.fork(`thread ${this.bootNo}`), site.slowMs);
    this.engine = new OutboxEngine(
      {
        folder: "",
        bytesQuota: settings.bytesQuota,
        ackedKeepMs: settings.ackedKeepMs,
        mode: settings.mode,
      },
      { disk, compression: zstd, report: () => undefined },
    );
    this.#buffer = new SampleBuffer(() => this.#handOver());
    this.commands = new Commands(this);
    this.#link = new Link(this);
    void this.#start();
  }

  get isAlive(): boolean {
    return this.#alive;
  }

  /** The outbox is open: samples are taken. */
  get isOpen(): boolean {
    return this.#open && this.#alive;
  }

  get isUp(): boolean {
    return this.#link.isUp;
  }

  get reason(): string {
    return this.#link.reason;
  }

  /** Nothing waits in memory to be sealed. */
  get isSealed(): boolean {
    return this.#waiting.length === 0 && this.#batchesOut === 0;
  }

  sealTime(): SealTime {
    const clockQuality = this.site.hasNoClock() ? "none" : "rtc";
    return { bootNo: this.bootNo, monoMs: this.clock.monoMs(), wallMs: this.clock.nowMs(), clockQuality };
  }

  async #start(): Promise<void> {
    const { disk } = this.site;
    try {
      for (;;) {
        const outcome = await this.thread.call(() => this.engine.open(disk.identity.epoch, this.sealTime()));
        if (outcome.at === "open") break;
        while (disk.identity.epoch <= outcome.above) disk.identity.epoch++;
      }
    } catch (thrown) {
      return this.site.watch.stumbled("open", thrown);
    }
    this.#open = true;
    await this.commands.open();
    this.#planTick();
    this.#link.start();
  }

  #planTick(): void {
    this.clock.after(this.site.settings.sealMs, () => {
      this.#handOver(true);
      this.#planTick();
    });
  }

  push(value: number, tagNo: number, timeMs: number): void {
    this.#waiting.push(value);
    this.#buffer.push(tagNo, "double", value, QUALITY.good, timeMs);
  }

  #handOver(evenEmpty = false): void {
    if (this.#batchesOut >= BATCHES_OUT_MAX) return;
    const batch = this.#buffer.take();
    if (batch === null && !evenEmpty) return;
    const values = this.#waiting;
    this.#waiting = [];
    this.#batchesOut++;
    const at = this.sealTime();
    this.thread
      .call(() => {
        const lanes = this.engine.seal(batch, at);
        this.site.watch.sealed(values, this.engine);
        return lanes;
      })
      .then((lanes) => {
        if (batch) this.#buffer.recycle(batch.buffer);
        for (const lane of lanes) this.#link.on({ type: "sealed", lane });
      })
      .catch((thrown: unknown) => this.site.watch.stumbled("seal", thrown))
      .finally(() => this.#batchesOut--);
  }

  record(event: GatewayEvent): void {
    const at = this.sealTime();
    this.thread
      .call(() => this.engine.record([event], at))
      .then((lanes) => {
        for (const lane of lanes) this.#link.on({ type: "sealed", lane });
      })
      .catch((thrown: unknown) => this.site.watch.stumbled("record", thrown));
  }

  /** Power is gone. */
  kill(): void {
    if (!this.#alive) return;
    this.#alive = false;
    this.#open = false;
    this.clock.stop();
    this.thread.stop();
    this.#link.die();
  }

  /** For the disk's watch: dies here, in the middle of what the engine does. */
  killHere(): never {
    this.kill();
    throw new Killed();
  }

  stumbled(what: string, thrown: unknown): void {
    const { code } = asAppError(thrown);
    if (String((thrown as { code?: unknown } | null)?.code).startsWith("SQLITE_")) return;
    // These are answers to a world in trouble; anything else is a mistake of the program.
    if (code === "outbox.failed" || code === "outbox.overflow" || code === "uplink.protocol") return;
    this.site.watch.stumbled(what, thrown);
  }
}
