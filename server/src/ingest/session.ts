import { getLogger } from "@logtape/logtape";
import type { AuditFrom } from "@millrace/contract/api/audit";
import { asAppError } from "@millrace/contract/error/app-error";
import { COMMAND_KINDS_FIRST, type Command } from "@millrace/contract/wire/command";
import type { DownlinkMessage } from "@millrace/contract/wire/downlink";
import type { FieldBody, FieldBus, FieldResult } from "@millrace/contract/wire/field";
import type { HelloBody } from "@millrace/contract/wire/uplink";
import type { AccessLog } from "../modules/audit/access-log.ts";
import type { NumberedManifest } from "../modules/manifests/service.ts";
import { decodeUplinkMessage } from "./decode-message.ts";
import { FieldLine, fieldAway } from "./field-line.ts";
import type { Gate } from "./gate.ts";
import { checkHello, type HelloDeps, type HelloVerdict } from "./hello.ts";
import { Intake, type IntakeDeps } from "./intake.ts";
import {
  greet,
  isRunning,
  type Refusal,
  type SessionAction,
  type SessionEvent,
  type SessionState,
  step,
} from "./protocol.ts";
import type { Sessions } from "./sessions.ts";
import { holdManifest } from "./store.ts";

const log = getLogger(["hub", "uplink"]);

/** Texts and pings of one gateway in a second: a heartbeat, a status and an answer are a handful. Data comes as bytes, by credit. */
const TEXTS_PER_SECOND_MAX = 50;

/** How long a new manifest waits for a newer one. */
const OFFER_MS = 300;

/** The socket as a session needs it. `send` returns false when the message was dropped. */
export interface SessionSocket {
  send(text: string): boolean;
  close(closeCode: number, reason: string): void;
  /** Who is at the other end; for the audit. */
  from?: AuditFrom;
}

export interface SessionDeps extends Omit<HelloDeps, "retire">, IntakeDeps {
  sessions: Sessions;
  /** A herd that comes back at once must not take every connection to the database from the people. */
  hellos: Gate;
  /** 32 fresh random bytes, base64url. */
  nonce: () => string;
  wanted: (gatewayId: string) => Promise<NumberedManifest | null>;
  /** Hears of gateways that are turned away; for the audit. */
  access?: Pick<AccessLog, "note">;
  /** The gateway proved that secrets are to be sealed for this key; its manifest may be another from then on. */
  sealKeyShown: (gatewayId: string, sealKey: string) => Promise<void>;
}

/** One gateway's connection: does what the machine in `protocol.ts` decides, and tells it what happened. */
export class GatewaySession {
  readonly #nonce: string;
  readonly #openedNo: number;
  #state: SessionState = { at: "ended" };
  #intake: Intake | null = null;
  #gatewayId: string | null = null;
  #epoch = 0;
  #manifestRev = 0;
  #commandNo: number | null = null;
  #fieldKinds: readonly string[] | null = null;
  readonly #field: FieldLine;
  /** Beside it, since a look at the gateway's own figures waits for no test at a device. */
  readonly #looks: FieldLine;
  #commandKinds: readonly string[] = COMMAND_KINDS_FIRST;
  #offered: NumberedManifest | null = null;
  #second = 0;
  #texts = 0;

  constructor(
    private readonly deps: SessionDeps,
    private readonly socket: SessionSocket,
  ) {
    this.#nonce = deps.nonce();
    this.#openedNo = deps.order.opened();
    this.#field = new FieldLine(deps.clock, (message) => this.#send(message));
    this.#looks = new FieldLine(deps.clock, (message) => this.#send(message));
  }

  /** Known once the hello was accepted. */
  get gatewayId(): string | null {
    return this.#gatewayId;
  }

  get epoch(): number {
    return this.#epoch;
  }

  /** Highest command number the hello showed or that was sent since; null for a gateway that takes no commands. */
  get commandNo(): number | null {
    return this.#commandNo;
  }

  /** Tests at devices the hello named; null for a gateway that takes none. */
  get fieldKinds(): readonly string[] | null {
    return this.#fieldKinds;
  }

  /** A test runs through this session. */
  get fieldBusy(): boolean {
    return this.#field.busy;
  }

  /** Kinds of commands the gateway's software knows. */
  get commandKinds(): readonly string[] {
    return this.#commandKinds;
  }

  get running(): boolean {
    return isRunning(this.#state);
  }

  opened(): void {
    const { clock, hubId } = this.deps;
    const { state, actions } = greet(this.#nonce, hubId, clock.nowMs(), clock.monoMs());
    this.#state = state;
    this.#perform(actions);
  }

  /** Counts a text, or a ping, which the runtime answers by itself. @returns false when it was one too many */
  counts(monoMs = this.deps.clock.monoMs()): boolean {
    const second = Math.floor(monoMs / 1_000);
    this.#texts = second === this.#second ? this.#texts + 1 : 1;
    this.#second = second;
    if (this.#texts <= TEXTS_PER_SECOND_MAX) return true;
    this.refuse("flood");
    return false;
  }

  heard(message: string | Uint8Array): void {
    const monoMs = this.deps.clock.monoMs();
    if (typeof message !== "string") return this.#on({ type: "binary", bytes: message, monoMs });
    if (!this.counts(monoMs)) return;
    try {
      this.#on({ type: "text", message: decodeUplinkMessage(message), monoMs });
    } catch (thrown) {
      this.#on({ type: "garbage", reason: asAppError(thrown).message });
    }
  }

  tick(): void {
    this.#on({ type: "tick", monoMs: this.deps.clock.monoMs(), nowMs: this.deps.clock.nowMs() });
  }

  refuse(refusal: Refusal): void {
    this.#on({ type: "refuse", refusal });
  }

  /** An edit of many devices makes a manifest each; the gateway gets the newest of a moment, not every one. */
  offer(manifest: NumberedManifest): void {
    const waiting = this.#offered !== null;
    this.#offered = manifest;
    if (!waiting) this.deps.clock.after(OFFER_MS, () => this.#sendOffer());
  }

  /** Commands live seconds: one that cannot leave now is not kept. @returns false when it did not leave. */
  command(command: Command, signature: string): boolean {
    if (!this.running || this.#commandNo === null) return false;
    this.#commandNo = Math.max(this.#commandNo, command.commandNo);
    return this.#send({ type: "command", command, signature });
  }

  /** Asks the gateway to try something at a device now. @throws AppError as `FieldLine.ask` says */
  async ask(body: FieldBody | FieldBus, signal: AbortSignal): Promise<FieldResult> {
    if (!this.running) throw fieldAway("This gateway is not connected");
    return await (body.kind === "bus" ? this.#looks : this.#field).ask(body, signal);
  }

  #sendOffer(): void {
    const manifest = this.#offered;
    this.#offered = null;
    if (manifest === null || !this.running || manifest.rev <= this.#manifestRev) return;
    this.#manifestRev = manifest.rev;
    this.#send({ type: "manifest", signed: manifest.signed });
  }

  /** The socket is gone. Resolves when no commit of this session is under way any more. */
  async closed(): Promise<void> {
    this.#state = { at: "ended" };
    this.#field.gone();
    this.#looks.gone();
    this.deps.sessions.left(this);
    this.#intake?.stop();
    await this.#intake?.idle();
  }

  #on(event: SessionEvent): void {
    const { state, actions } = step(this.#state, event);
    this.#state = state;
    this.#perform(actions);
  }

  #perform(actions: readonly SessionAction[]): void {
    for (const action of actions) this.#do(action);
  }

  #do(action: SessionAction): void {
    const { sessions } = this.deps;
    switch (action.do) {
      case "send":
        return void this.#send(action.message);
      case "checkHello":
        return void this.#check(action.body, action.signature);
      case "envelope":
        return this.#intake?.push(action.bytes);
      case "storeStatus":
        return sessions.reported(this, action.status);
      case "manifestApplied":
        return sessions.manifestResult(this, { running: action.rev, error: null });
      case "manifestRefused":
        return sessions.manifestResult(this, { error: `${action.code}: ${action.message}` });
      case "fieldAnswer":
        // Each knows its own question by its number.
        this.#looks.answered(action.answer);
        return this.#field.answered(action.answer);
      case "close":
        this.#field.gone();
        this.#looks.gone();
        this.deps.metrics.refused.inc({ code: action.code });
        log.info("Session of {gateway} ends: {code}", {
          gateway: this.#gatewayId ?? "a stranger",
          code: action.code,
        });
        this.#intake?.stop();
        sessions.left(this);
        return this.socket.close(action.closeCode, action.code);
    }
  }

  #send(message: DownlinkMessage): boolean {
    const sent = this.socket.send(JSON.stringify(message));
    // A dropped message would leave the gateway waiting for ever; a new session tells it everything again.
    if (!sent) this.socket.close(1013, "uplink.busy");
    return sent;
  }

  async #check(body: HelloBody, signature: string): Promise<void> {
    try {
      await this.deps.hellos.pass(() => this.#greet(body, signature));
    } catch (thrown) {
      log.warn("A hello could not be checked: {error}", { error: thrown });
      this.refuse("busy");
    }
  }

  async #greet(body: HelloBody, signature: string): Promise<void> {
    // Gone while it waited for its turn.
    if (this.#state.at !== "checking") return;
    const verdict = await checkHello(
      { ...this.deps, retire: (id) => this.deps.sessions.retire(id) },
      { nonce: this.#nonce, openedNo: this.#openedNo, from: this.socket.from },
      body,
      signature,
    );
    if (!verdict.ok) return this.#reject(body.gatewayId, verdict);
    if (body.sealKey !== undefined) await this.deps.sealKeyShown(body.gatewayId, body.sealKey);
    const wanted = await this.deps.wanted(body.gatewayId);
    const newest = wanted?.rev ?? 0;
    if (body.manifestRev > newest) await this.#hold(body, verdict.gatewayNo, newest);
    const held = verdict.manifestHeld !== null || body.manifestRev > newest;
    if (this.#state.at !== "checking") return;
    this.#gatewayId = body.gatewayId;
    this.#epoch = body.epoch;
    this.#commandNo = body.commandNo ?? null;
    this.#fieldKinds = body.fieldKinds ?? null;
    this.#commandKinds = body.commandKinds ?? COMMAND_KINDS_FIRST;
    this.#manifestRev = held ? body.manifestRev : newest;
    const gateway = { gatewayNo: verdict.gatewayNo, epoch: body.epoch };
    const sink = {
      send: (message: DownlinkMessage) => void this.#send(message),
      refuse: (why: Refusal) => this.refuse(why),
    };
    this.#intake = new Intake(this.deps, sink, gateway, verdict.marks);
    this.#on({
      type: "accepted",
      monoMs: this.deps.clock.monoMs(),
      welcome: {
        gatewayId: body.gatewayId,
        sessionId: Bun.randomUUIDv7(),
        streams: verdict.marks.map(({ lane, seg, hwm }) => ({ lane, seg, hwm })),
        creditBytes: this.#intake.creditBytes,
        manifestRev: this.#manifestRev,
        hubTimeMs: this.deps.clock.nowMs(),
        offer: wanted !== null && !held && newest !== body.manifestRev ? wanted.signed : null,
      },
    });
    this.deps.sessions.joined(this, body.manifestRev);
  }

  #reject(gatewayId: string, verdict: Exclude<HelloVerdict, { ok: true }>): void {
    // The streams of an older session are fenced now, or its identity is in doubt: it ends before it finds out.
    if ("renewal" in verdict) {
      this.deps.sessions.end(gatewayId, "superseded");
      return this.#on({ type: "renew", renewal: verdict.renewal });
    }
    if (verdict.refusal === "cloned") this.deps.sessions.end(gatewayId, "cloned");
    void this.deps.access?.note({
      kind: "refused",
      action: "gateway.refused",
      who: "nobody",
      subject: `gateway:${gatewayId}`,
      from: this.socket.from ?? null,
      facts: { why: verdict.refusal },
    });
    this.refuse(verdict.refusal);
  }

  async #hold(body: HelloBody, gatewayNo: number, newest: number): Promise<void> {
    log.error("Gateway {gatewayId} runs manifest {rev}, this hub made {newest} at most; nothing is offered", {
      gatewayId: body.gatewayId,
      rev: body.manifestRev,
      newest,
    });
    await holdManifest(this.deps.sql, gatewayNo, body.manifestRev);
  }
}
