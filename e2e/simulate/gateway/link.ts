import { asAppError } from "@millrace/contract/error/app-error";
import type { Challenge, DownlinkMessage } from "@millrace/contract/wire/downlink";
import type { HelloBody } from "@millrace/contract/wire/uplink";
import { VERSION } from "@millrace/contract/wire/version";
import type { Static } from "@sinclair/typebox";
import { RoundTrip } from "../../../gateway/src/uplink/hub-time.ts";
import { nextWakeMs, step } from "../../../gateway/src/uplink/protocol.ts";
import {
  LINK_SETTINGS,
  type LinkAction,
  type LinkEvent,
  type LinkPhase,
  type LinkSettings,
} from "../../../gateway/src/uplink/state.ts";
import type { End } from "../network.ts";
import type { GatewayProgram } from "./program.ts";

/** A person lifts a refusal at once here; otherwise a history would wait an hour for one. */
const SETTINGS: LinkSettings = { ...LINK_SETTINGS, refusedMs: { min: 5_000, max: 20_000 } };
const SIGNATURE = "A".repeat(86);
const KEY_ID = "simulated";
export const GATEWAY_ID = "019b0000-0000-7000-8000-0000000000aa";

/** As `UplinkShell` does: what the machine decides is done here, and it is told what happened. */
export class Link {
  #phase: LinkPhase = { at: "stopped" };
  #end: End | null = null;
  #connection = 0;
  #roundTrip = new RoundTrip(0);
  #cancelWake: () => void = () => undefined;

  constructor(private readonly gateway: GatewayProgram) {}

  get isUp(): boolean {
    return this.#phase.at === "up";
  }

  get reason(): string {
    return this.#phase.at === "waiting" ? `${this.#phase.code} ${this.#phase.reason}` : this.#phase.at;
  }

  start(): void {
    this.on({ type: "start" });
  }

  die(): void {
    this.#connection++;
    this.#end?.abandon();
    this.#end = null;
  }

  on(event: LinkEvent): void {
    const { clock, site, isAlive } = this.gateway;
    if (!isAlive) return;
    const moment = { nowMs: clock.monoMs(), chance: site.chance.next() };
    const { phase, actions } = step(this.#phase, event, moment, SETTINGS);
    this.#phase = phase;
    if (phase.at === "waiting" && phase.code === "internal.bug")
      this.gateway.stumbled("the link", new Error(phase.reason));
    for (const action of actions) this.#do(action);
    this.#planWake();
  }

  #planWake(): void {
    const { clock, isAlive } = this.gateway;
    this.#cancelWake();
    const wakeMs = nextWakeMs(this.#phase, SETTINGS);
    if (wakeMs === null || !isAlive) return;
    // No timer of a real machine takes no time at all; without that a rounding error would wake us for ever.
    this.#cancelWake = clock.after(Math.max(1, Math.ceil(wakeMs - clock.monoMs())), () =>
      this.on({ type: "tick" }),
    );
  }

  /** Runs what takes time; an outcome that a later connection has overtaken is dropped. */
  #later(work: () => Promise<LinkEvent | null>): void {
    const connection = this.#connection;
    work()
      .catch((thrown: unknown): LinkEvent => {
        this.gateway.stumbled("an answer of the outbox", thrown);
        return { type: "failed", error: asAppError(thrown, "outbox.failed") };
      })
      .then((event) => {
        if (event && connection === this.#connection) this.on(event);
      });
  }

  /** For the outbox, with the seal time of the moment it is asked. */
  #ask<T>(run: () => T): Promise<T> {
    return this.gateway.thread.call(run);
  }

  #do(action: LinkAction): void {
    const { engine, clock } = this.gateway;
    const at = this.gateway.sealTime();
    switch (action.do) {
      case "connect":
        return this.#connect();
      case "close":
        this.#connection++;
        this.#end?.close(1000, action.reason);
        this.#end = null;
        return;
      case "hello":
        return this.#later(() => this.#hello(action.challenge));
      case "send":
        return this.#end?.send(JSON.stringify(action.message));
      case "sendHeartbeat":
        return this.#end?.send(JSON.stringify({ type: "hb", wallMs: clock.nowMs() }));
      case "sendEnvelope":
        return this.#end?.send(action.envelope);
      case "sendSnapshot":
        return this.#later(async () => ({ type: "snapshotEnded" }));
      case "read":
        return this.#later(async () => {
          const { key, afterSeq, bytesMax, readNo } = action;
          const { last, bytes, refused } = await this.#ask(() => engine.frames(key, afterSeq, bytesMax, at));
          return { type: "framesRead", readNo, read: { ...key, afterSeq, last, envelope: bytes, refused } };
        });
      case "welcomed":
        return this.#later(() =>
          this.#ask(() => engine.welcomed(action.key, action.hwm, at)).then(() => null),
        );
      case "acknowledge":
        return this.#later(() =>
          this.#ask(() => engine.acknowledge(action.key, action.hwm)).then(() => null),
        );
      case "condemn":
        return this.#later(() =>
          this.#ask(() => engine.condemn(action.key, action.seq, action.code, at)).then(() => null),
        );
      case "renewEpoch":
        return this.#later(async () => {
          await this.#ask(() => engine.renewEpoch(action.epoch, action.known, at));
          return { type: "epochRenewed" };
        });
      case "command":
        return this.gateway.commands.take(action.offer.command);
      default:
        return;
    }
  }

  #connect(): void {
    const connection = ++this.#connection;
    this.#roundTrip = new RoundTrip(this.gateway.clock.monoMs());
    const ifMine = (event: LinkEvent) => {
      if (connection === this.#connection) this.on(event);
    };
    this.#end = this.gateway.site.network.connect({
      onOpened: () => ifMine({ type: "opened" }),
      onMessage: (text) => {
        const message = JSON.parse(text as string) as DownlinkMessage;
        ifMine({ type: "heard", message });
        if (connection === this.#connection) this.#hearTime(message);
      },
      onClosed: (code, reason) => ifMine({ type: "closed", code, reason }),
    });
  }

  #hearTime(message: DownlinkMessage): void {
    if (!("hubTimeMs" in message)) return;
    const monoMs = this.gateway.clock.monoMs();
    if (message.type !== "hb") this.#roundTrip.answered(monoMs);
    const time = this.#roundTrip.heard(message.hubTimeMs, monoMs);
    if (this.isUp) this.gateway.commands.hubSaid(time);
  }

  async #hello(challenge: Static<typeof Challenge>): Promise<LinkEvent> {
    const { engine, site, clock, bootNo } = this.gateway;
    const { identity } = site.disk;
    const connection = this.#connection;
    identity.sessionNo++;
    const at = this.gateway.sealTime();
    const streams = await this.#ask(() => engine.openSession(at));
    const body: HelloBody = {
      protocol: VERSION.uplink,
      gatewayId: GATEWAY_ID,
      keyId: KEY_ID,
      hubId: challenge.hubId,
      nonce: challenge.nonce,
      epoch: engine.store.epoch,
      sessionNo: identity.sessionNo,
      bootNo,
      streams: streams.map(({ backlog: _, ...head }) => head),
      manifestRev: 0,
      commandNo: this.gateway.commands.highestNo,
      software: "simulated",
      wallMs: clock.nowMs(),
    };
    if (connection === this.#connection) {
      this.#roundTrip.asked(clock.monoMs());
      this.#end?.send(JSON.stringify({ type: "hello", body, signature: SIGNATURE }));
    }
    return { type: "helloSent", streams };
  }
}
