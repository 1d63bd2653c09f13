import type { DownlinkMessage } from "@millrace/contract/wire/downlink";
import type { StreamKey } from "@millrace/contract/wire/stream";
import type { Draft } from "../../../gateway/src/outbox/draft.ts";
import type { OutboxEngine } from "../../../gateway/src/outbox/engine.ts";
import { currentStream } from "../../../gateway/src/outbox/segment.ts";
import type { GatewayWatch } from "../gateway/program.ts";
import { streamName } from "../hub/database.ts";
import type { HubWatch } from "../hub/program.ts";
import type { Site } from "../site.ts";
import { Catalogue } from "./catalogue.ts";
import { HubView } from "./hub-view.ts";
import { Ledger } from "./ledger.ts";

export interface Failure {
  invariant: string;
  message: string;
  atMs: number;
}

/** Samples named in a message, at most. */
const NAMED_MAX = 8;
/** A gateway knows the hub's time no better than the quickest word of the hub took. */
const LATE_MS = 50;
const LATE_ON_SLOW_LINE_MS = 5_100;
const NOTE_CHARS = 300;

/** Watches a history from outside and notes the first broken promise (`delivery.md` 2.10). */
export class Oracle implements HubWatch, GatewayWatch {
  readonly ledger = new Ledger();
  readonly catalogue = new Catalogue();
  readonly hubView: HubView;
  failure: Failure | null = null;
  /** Commands that took effect. */
  commands = 0;
  #beganEpoch = false;
  readonly #executed = new Set<string>();
  /** Samples the hub held when it went back: until the gateway told it again they may be nowhere. */
  readonly #heldBefore = new Set<number>();
  /** Given to the outbox in this boot and not seen on its disk: in its ring, or refused. */
  #pending: number[] = [];

  constructor(private readonly site: Site) {
    this.hubView = new HubView(this.ledger, this.catalogue, this.fail, () =>
      site.plan.faults.has("hubRestore"),
    );
  }

  readonly fail = (invariant: string, message: string): void => {
    this.failure ??= { invariant, message, atMs: Math.round(this.site.world.nowMs) };
  };

  says(message: DownlinkMessage, epoch: number): void {
    this.site.note?.(`the hub says ${JSON.stringify(message).slice(0, NOTE_CHARS)}`);
    if (message.type === "ack") this.#promised("ack", epoch, message, message.hwm);
    if (message.type === "renewEpoch") this.#beganEpoch = true;
    if (message.type === "renewEpoch" || message.type === "welcome") this.site.forgetBackupsAhead();
    if (message.type === "welcome")
      for (const stream of message.streams) this.#promised("welcome", epoch, stream, stream.hwm);
  }

  /** I1: what the hub says it has, it has on disk. */
  #promised(what: string, epoch: number, key: StreamKey, hwm: number): void {
    const last = this.site.database.state.marks.get(streamName(epoch, key))?.last ?? 0;
    if (hwm > last) this.fail("I1", `${what} of ${streamName(epoch, key)} ${hwm}, committed is ${last}`);
  }

  gatewayStarts(): void {
    this.#pending = [];
  }

  appended(epoch: number, key: StreamKey, first: number, drafts: readonly Draft[]): void {
    const { nowMs } = this.site.world;
    this.site.note?.(
      `stored ${streamName(epoch, key)} from ${first}: ${drafts.map(({ kind, n }) => `${kind} ${n}`)}`,
    );
    for (const value of this.catalogue.appended(epoch, key, first, drafts)) this.ledger.stored(value, nowMs);
  }

  /** I5, after each change of the disk. */
  diskChanged(): void {
    const used = this.site.engine?.store.bytesUsed() ?? 0;
    const { bytesQuota } = this.site.plan;
    if (used > bytesQuota) this.fail("I5", `the buffer has ${used} bytes, its quota is ${bytesQuota}`);
  }

  sealed(values: readonly number[], engine: OutboxEngine): void {
    const missing = [...this.#pending, ...values].filter(
      (value) => this.ledger.entries[value]?.storedMs === null,
    );
    this.#pending = missing;
    if (missing.length === 0 || !engine.status().durable) return;
    this.#pending = [];
    if (this.site.plan.mode !== "keep-oldest")
      return this.fail("I4", `sealed and said to be durable, but not on disk: ${named(missing)}`);
    const stream = currentStream(engine.store, "H");
    this.catalogue.refused(engine.store.epoch, stream, stream.next - 1, missing);
    for (const value of missing) this.ledger.stored(value, this.site.world.nowMs);
  }

  stumbled(what: string, thrown: unknown): void {
    const text = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
    this.fail("defect", `${what}: ${text}`);
  }

  gatewaySetBack(imageMs: number): void {
    this.ledger.setBack(imageMs);
    // What it did since that image was made, it cannot know any more.
    this.#executed.clear();
  }

  /** I7: no command twice, none after its time by the hub's clock. */
  executed(commandId: string): void {
    const { world, hubWall, database, plan } = this.site;
    const command = database.issuedCommands.find((one) => one.commandId === commandId);
    if (command === undefined) return this.fail("I7", `command ${commandId} was never given`);
    this.commands++;
    if (this.#executed.has(commandId)) this.fail("I7", `command ${command.commandNo} was carried out twice`);
    this.#executed.add(commandId);
    const lateMs = world.trueWallMs + hubWall.offsetMs - command.expiresMs;
    const slackMs = plan.faults.has("latency") ? LATE_ON_SLOW_LINE_MS : LATE_MS;
    if (lateMs > slackMs)
      this.fail("I7", `command ${command.commandNo} was carried out ${Math.round(lateMs)} ms after its time`);
  }

  hubGoesBack(): void {
    for (const value of this.hubView.covered(this.site.database.state)) {
      this.#heldBefore.add(value);
      // A gateway that began a new epoch keeps nothing of what the hub had before it: a hub that is restored after that
      // may lose it.
      if (this.#beganEpoch) this.ledger.entries[value]!.mayBeLost = true;
    }
  }

  hubWentBack(): void {
    this.hubView.reread(this.site.database.state);
  }

  /** I4: every sample that was ever on disk is at the hub, thinned, told as missing, or still on disk. */
  checkNothingLost(isEnd: boolean): void {
    const covered = this.hubView.covered(this.site.database.state);
    const onDisk = this.#onDisk();
    const lost: number[] = [];
    this.ledger.entries.forEach(({ storedMs, mayBeLost }, value) => {
      if (storedMs === null || mayBeLost || covered.has(value) || onDisk.has(value)) return;
      if (!isEnd && this.#heldBefore.has(value)) return;
      lost.push(value);
    });
    if (lost.length > 0) {
      const places = this.catalogue.placesOf(new Set(lost.slice(0, NAMED_MAX)));
      this.fail("I4", `lost without a word: ${named(lost)} of ${places.join(", ")}`);
    }
  }

  #onDisk(): Set<number> {
    const values = new Set<number>();
    for (const [name, rows] of this.site.disk.image?.frames ?? []) {
      const [epoch, lane, seg] = name.split("/");
      if (lane !== "H") continue;
      const key = { lane, seg: Number(seg) } as const;
      for (const { first, last } of rows)
        for (const value of this.catalogue.range(Number(epoch), key, first, last)) values.add(value);
    }
    return values;
  }

  /** I6: everything measured in the last boot was stored, and nothing waits. */
  isDrained(): boolean {
    const { gateway, engine } = this.site;
    if (gateway === null || engine === null || !gateway.isUp || !gateway.isSealed) return false;
    const { framesUnsent, durable } = engine.status();
    return framesUnsent === 0 && durable;
  }
}

const named = (values: readonly number[]): string =>
  `${values.length} samples (${values.slice(0, NAMED_MAX).join(", ")}${values.length > NAMED_MAX ? " …" : ""})`;
