import { getLogger } from "@logtape/logtape";
import type { Series } from "@millrace/contract/block/series";
import { AppError, asAppError } from "@millrace/contract/error/app-error";
import type { Clock, Random } from "@millrace/contract/std/clock";
import type { GatewayStatus } from "@millrace/contract/vocabulary/gateway";
import { COMMAND_KINDS } from "@millrace/contract/wire/command";
import type { Challenge, CommandOffer, DownlinkMessage } from "@millrace/contract/wire/downlink";
import type { ClockQuality } from "@millrace/contract/wire/frame";
import { helloText } from "@millrace/contract/wire/signature";
import type { HelloBody, UplinkMessage } from "@millrace/contract/wire/uplink";
import { VERSION } from "@millrace/contract/wire/version";
import type { Static } from "@sinclair/typebox";
import type { CommandDesk } from "../commands/desk.ts";
import type { TlsTrust } from "../identity/hub-trust.ts";
import type { Identity } from "../identity/identity.ts";
import type { ManifestStore } from "../manifest/store.ts";
import type { Outbox } from "../outbox/outbox.ts";
import { zstd } from "../outbox/zstd.ts";
import { uplinkUrl } from "./address.ts";
import { answerField, type FieldPort } from "./field-answer.ts";
import { type HubTime, RoundTrip } from "./hub-time.ts";
import { type LinkReport, nextReport } from "./link-report.ts";
import { answerManifest } from "./manifest-answer.ts";
import { nextWakeMs, step } from "./protocol.ts";
import { SNAPSHOT_STREAM, SnapshotFrames } from "./snapshot.ts";
import { openSocket, type SocketEvents, type UplinkSocket } from "./socket.ts";
import {
  announced,
  type KnownStream,
  LINK_SETTINGS,
  type LinkAction,
  type LinkEvent,
  type LinkPhase,
  type LinkSettings,
} from "./state.ts";

const log = getLogger(["gateway", "uplink"]);

export interface UplinkInput {
  hubUrl: string;
  identity: Identity;
  /** For which key the hub seals secrets. */
  sealKey?: string;
  outbox: Pick<
    Outbox,
    "epoch" | "openSession" | "renewEpoch" | "frames" | "acknowledge" | "welcomed" | "condemn" | "onSealed"
  >;
  manifest: ManifestStore;
  /** The gateway's health, asked at each heartbeat and after `statusChanged`. */
  status: () => Promise<GatewayStatus>;
  software: string;
  clock: Clock;
  random: Random;
  /** What stands behind `clock` now. */
  clockQuality?: () => ClockQuality;
  /** Called for each word about its time of a hub that welcomed us. */
  onHubTime?: (time: HubTime) => void;
  /** Latest value of every tag, one series of one sample each; null when there is none. */
  snapshot?: () => readonly Series[] | null;
  /** Takes the hub's commands; without it they are refused. */
  commands?: Pick<CommandDesk, "highestNo" | "take">;
  /** Takes the hub's tests at devices; without it they are refused. */
  field?: FieldPort;
  /** By what the hub's certificate is judged, asked at each connection; without it by the public authorities. */
  tls?: () => TlsTrust;
  /** Takes `ws:` to another machine too. */
  allowPlain?: boolean;
  settings?: Partial<LinkSettings>;
}

export interface Uplink {
  start(): void;
  stop(): void;
  /** Something in the status changed that should not wait for the heartbeat. */
  statusChanged(): void;
  link(): LinkReport;
  onChange(listener: (link: LinkReport) => void): () => void;
}

/** @throws AppError `setting.wrong` for an address that cannot be the hub's, before any socket opens. */
export function createUplink(input: UplinkInput): Uplink {
  return new UplinkShell(input, uplinkUrl(input.hubUrl, input.allowPlain ?? false));
}

/** Does what the machine in `protocol.ts` decides, and tells it what happened. */
class UplinkShell implements Uplink {
  readonly #input: UplinkInput;
  readonly #url: string;
  readonly #settings: LinkSettings;
  readonly #listeners = new Set<(link: LinkReport) => void>();
  #phase: LinkPhase = { at: "stopped" };
  #socket: UplinkSocket | null = null;
  /** Counts connections: an answer that was asked for in an earlier one must not act in this one. */
  #connection = 0;
  #roundTrip = new RoundTrip(0);
  /** Of this connection, from the moment its first frame is asked for. */
  #snapshot: SnapshotFrames | null = null;
  #cancelWake: () => void = () => undefined;
  #unlisten: () => void = () => undefined;
  #report: LinkReport;

  constructor(input: UplinkInput, url: string) {
    this.#input = input;
    this.#url = url;
    this.#settings = { ...LINK_SETTINGS, ...input.settings };
    this.#report = {
      linkState: "down",
      sinceMs: input.clock.nowMs(),
      code: "",
      reason: "",
      attempt: 0,
      nextTryMs: null,
      clockOffsetMs: null,
    };
  }

  start(): void {
    this.#unlisten();
    this.#unlisten = this.#input.outbox.onSealed((lane) => this.#on({ type: "sealed", lane }));
    this.#on({ type: "start" });
  }

  stop(): void {
    this.#unlisten();
    this.#on({ type: "stop" });
  }

  statusChanged(): void {
    this.#on({ type: "statusChanged" });
  }

  link(): LinkReport {
    return this.#report;
  }

  onChange(listener: (link: LinkReport) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #on(event: LinkEvent): void {
    const { clock, random } = this.#input;
    const before = this.#phase;
    const moment = { nowMs: clock.monoMs(), chance: random() };
    const { phase, actions } = step(before, event, moment, this.#settings);
    this.#phase = phase;
    for (const action of actions) this.#do(action);
    if (before.at !== this.#phase.at) this.#tell();
    if (before.at === "up" && this.#phase.at !== "up") this.#input.field?.abandon();
    this.#planWake();
  }

  #planWake(): void {
    this.#cancelWake();
    const wakeMs = nextWakeMs(this.#phase, this.#settings);
    if (wakeMs === null) return;
    const inMs = Math.max(0, Math.ceil(wakeMs - this.#input.clock.monoMs()));
    this.#cancelWake = this.#input.clock.after(inMs, () => this.#on({ type: "tick" }));
  }

  #tell(): void {
    const { clock } = this.#input;
    const before = this.#report;
    this.#report = nextReport(before, this.#phase, clock.nowMs(), clock.monoMs());
    if (before.linkState !== this.#report.linkState) this.#logTransition();
    for (const listener of this.#listeners) listener(this.#report);
  }

  #logTransition(): void {
    const { linkState, code, reason, attempt } = this.#report;
    if (linkState === "up") log.info("Link to the hub is up after {attempt} failures.", { attempt });
    // Once per outage: the further attempts are in the report.
    if (linkState === "waiting" && attempt === 1)
      log.warn("Link to the hub is down: {reason}", { code, reason });
  }

  /** Runs what takes time; an outcome that a later connection has overtaken is dropped. */
  #later(work: () => Promise<LinkEvent | null>): void {
    const connection = this.#connection;
    work()
      .catch((thrown: unknown): LinkEvent => ({ type: "failed", error: asAppError(thrown) }))
      .then((event) => {
        if (event && connection === this.#connection) this.#on(event);
      });
  }

  #do(action: LinkAction): void {
    const { outbox } = this.#input;
    switch (action.do) {
      case "connect":
        this.#connect();
        break;
      case "close":
        this.#connection++;
        this.#socket?.close(action.reason);
        this.#socket = null;
        break;
      case "hello":
        this.#later(() => this.#hello(action.challenge));
        break;
      case "send":
        this.#send(action.message);
        break;
      case "sendHeartbeat":
        this.#send({ type: "hb", wallMs: this.#input.clock.nowMs() });
        break;
      case "sendStatus":
        this.#later(() => this.#status());
        break;
      case "sendEnvelope":
        this.#socket?.send(action.envelope);
        break;
      case "read":
        this.#later(async () => {
          const { last, bytes, refused } = await outbox.frames(action.key, action.afterSeq, action.bytesMax);
          const read = { ...action.key, afterSeq: action.afterSeq, last, envelope: bytes, refused };
          return { type: "framesRead", readNo: action.readNo, read };
        });
        break;
      case "welcomed":
        this.#later(() => outbox.welcomed(action.key, action.hwm).then(() => null));
        break;
      case "acknowledge":
        this.#later(() => outbox.acknowledge(action.key, action.hwm).then(() => null));
        break;
      case "condemn":
        this.#later(() => outbox.condemn(action.key, action.seq, action.code).then(() => null));
        break;
      case "sendSnapshot":
        this.#later(() => this.#sendSnapshot(action.bytesAim));
        break;
      case "renewEpoch":
        this.#later(() => this.#renewEpoch(action.epoch, action.known));
        break;
      case "command":
        this.#command(action.offer);
        break;
      case "field":
        this.#later(() => this.#answer(answerField(this.#input.field, action.request)));
        break;
      case "cancelField":
        this.#input.field?.cancel(action.requestId);
        break;
      case "manifest":
        this.#later(() => this.#answer(answerManifest(this.#input.manifest, action.signed)));
        break;
    }
  }

  #connect(): void {
    const connection = ++this.#connection;
    this.#roundTrip = new RoundTrip(this.#input.clock.monoMs());
    this.#snapshot = null;
    const ifMine = (event: LinkEvent) => {
      if (connection === this.#connection) this.#on(event);
    };
    try {
      const events: SocketEvents = {
        onOpened: () => ifMine({ type: "opened" }),
        onHeard: (message) => {
          ifMine({ type: "heard", message });
          if (connection === this.#connection) this.#hearTime(message);
        },
        onGarbage: (error) => ifMine({ type: "failed", error }),
        onClosed: (code, reason) => ifMine({ type: "closed", code, reason }),
      };
      this.#socket = openSocket(this.#url, events, this.#input.tls?.());
    } catch (cause) {
      this.#later(async () => {
        throw new AppError("uplink.unreachable", `${this.#url} cannot be opened`, { cause });
      });
    }
  }

  #hearTime(message: DownlinkMessage): void {
    if (!("hubTimeMs" in message)) return;
    const { clock, onHubTime } = this.#input;
    const monoMs = clock.monoMs();
    if (message.type !== "hb") this.#roundTrip.answered(monoMs);
    const time = this.#roundTrip.heard(message.hubTimeMs, monoMs);
    this.#report.clockOffsetMs = Math.round(clock.nowMs() - message.hubTimeMs - time.roundTripMs / 2);
    // Anybody may challenge us; the clock follows a hub that took our hello.
    if (this.#phase.at === "up") onHubTime?.(time);
  }

  #send(message: UplinkMessage): void {
    this.#socket?.send(JSON.stringify(message));
  }

  async #hello(challenge: Static<typeof Challenge>): Promise<LinkEvent> {
    const { identity, outbox, manifest, clock, clockQuality, commands, field, software, sealKey } =
      this.#input;
    const state = identity.state();
    if (challenge.hubId !== state.hubId) {
      throw new AppError(
        "uplink.refused",
        `The hub at ${this.#url} is ${challenge.hubId}; this gateway belongs to ${state.hubId}.`,
      );
    }
    const connection = this.#connection;
    const [sessionNo, streams] = [await identity.nextSessionNo(), await outbox.openSession()];
    const commandNo = commands?.highestNo() ?? null;
    const body: HelloBody = {
      protocol: VERSION.uplink,
      gatewayId: state.gatewayId,
      keyId: state.keyId,
      hubId: state.hubId,
      nonce: challenge.nonce,
      epoch: outbox.epoch,
      sessionNo,
      bootNo: identity.bootNo,
      streams: [...streams.map(announced), { ...SNAPSHOT_STREAM, low: 1, next: 1, acked: 0 }],
      manifestRev: manifest.current()?.rev ?? 0,
      ...(commandNo === null ? {} : { commandNo, commandKinds: [...COMMAND_KINDS] }),
      ...(field ? { fieldKinds: [...field.kinds] } : {}),
      ...(sealKey === undefined ? {} : { sealKey }),
      ...(clockQuality ? { clockQuality: clockQuality() } : {}),
      software,
      wallMs: clock.nowMs(),
    };
    const signature = identity.key.sign(helloText(body));
    if (connection === this.#connection) {
      this.#roundTrip.asked(clock.monoMs());
      this.#send({ type: "hello", body, signature });
    }
    return { type: "helloSent", streams };
  }

  /** The buffer first: while it holds the old epoch, the hub names the same frames again. */
  async #renewEpoch(epoch: number, known: readonly KnownStream[]): Promise<LinkEvent> {
    const { identity, outbox } = this.#input;
    if (epoch <= outbox.epoch) {
      throw new AppError(
        "uplink.protocol",
        `The hub asks for epoch ${epoch}; this gateway is at ${outbox.epoch} already.`,
      );
    }
    log.warn("The hub begins epoch {epoch}: this gateway has gone back in time", { epoch });
    await outbox.renewEpoch(epoch, known);
    await identity.adoptEpoch(epoch);
    return { type: "epochRenewed" };
  }

  async #sendSnapshot(bytesAim: number): Promise<LinkEvent | null> {
    try {
      this.#snapshot ??= this.#takeSnapshot();
      const frame = this.#snapshot.next(bytesAim);
      if (frame === null) return { type: "snapshotEnded" };
      this.#socket?.send(frame);
      return null;
    } catch (thrown) {
      // The history brings the same values later: that is no reason to end the session.
      const { code, message } = asAppError(thrown);
      log.warn("No snapshot for the hub this time: {message}", { code, message });
      return { type: "snapshotEnded" };
    }
  }

  #takeSnapshot(): SnapshotFrames {
    const { clock, clockQuality, identity, outbox, snapshot } = this.#input;
    const header = {
      epoch: outbox.epoch,
      bootNo: identity.bootNo,
      monoMs: clock.monoMs(),
      wallMs: clock.nowMs(),
      clockQuality: clockQuality?.() ?? "rtc",
    };
    return new SnapshotFrames(snapshot?.() ?? [], header, zstd);
  }

  #command({ command, signature }: CommandOffer): void {
    const { commands } = this.#input;
    if (commands) void commands.take(command, signature);
    else
      log.warn("Command {commandNo} is not taken: this gateway takes none", { commandNo: command.commandNo });
  }

  async #status(): Promise<null> {
    const connection = this.#connection;
    try {
      const status = await this.#input.status();
      if (connection === this.#connection) this.#send({ type: "status", status });
    } catch (thrown) {
      // Data matters more than the report about it: the session goes on and the next heartbeat asks again.
      const { code, message } = asAppError(thrown);
      log.warn("No status for the hub this time: {message}", { code, message });
    }
    return null;
  }

  /** Tells the hub what became of something it asked, unless another connection has come meanwhile. */
  async #answer(answer: Promise<UplinkMessage | null>): Promise<null> {
    const connection = this.#connection;
    const message = await answer;
    if (message !== null && connection === this.#connection) this.#send(message);
    return null;
  }
}
