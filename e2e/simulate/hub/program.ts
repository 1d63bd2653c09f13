import type { Command } from "@millrace/contract/wire/command";
import type { DownlinkMessage } from "@millrace/contract/wire/downlink";
import type { HelloBody } from "@millrace/contract/wire/uplink";
import { Registry } from "prom-client";
import { CreditBudget } from "../../../server/src/ingest/credit.ts";
import { decodeUplinkMessage } from "../../../server/src/ingest/decode-message.ts";
import { FairShare } from "../../../server/src/ingest/fair-share.ts";
import { HelloOrder } from "../../../server/src/ingest/hello-order.ts";
import { Intake } from "../../../server/src/ingest/intake.ts";
import { hubMetrics } from "../../../server/src/ingest/metrics.ts";
import {
  greet,
  isRunning,
  type Refusal,
  type SessionAction,
  type SessionEvent,
  type SessionState,
  step,
} from "../../../server/src/ingest/protocol.ts";
import type { Renewal } from "../../../server/src/ingest/renewal.ts";
import { zstd } from "../../../server/src/ingest/zstd.ts";
import type { Chance } from "../chance.ts";
import type { End, EndEvents, Message } from "../network.ts";
import { ProgramClock, type WallClock, type World } from "../world.ts";
import { Commander } from "./commander.ts";
import type { HubDatabase } from "./database.ts";
import { checkHello } from "./hello.ts";

export const HUB_ID = "019b0000-0000-7000-8000-000000000001";
const GATEWAY_NO = 1;
const TICK_MS = 1_000;
const BUDGET_BYTES = 128 * 1024 * 1024;

/** Figures that nobody reads here; made once, since each costs more than a history's commits. */
const METRICS = hubMetrics(new Registry());

export interface HubWatch {
  /** A message leaves for the gateway, from a program that is alive. */
  says(message: DownlinkMessage, epoch: number): void;
}

/** One run of the hub, from its start to its death: the sessions with their real machine and intake. */
export class HubProgram {
  readonly clock: ProgramClock;
  readonly budget = new CreditBudget(BUDGET_BYTES);
  readonly fairShare = new FairShare();
  readonly order = new HelloOrder();
  readonly #sessions = new Set<HubSession>();
  #current: HubSession | null = null;
  #alive = true;

  constructor(
    world: World,
    wall: WallClock,
    readonly database: HubDatabase,
    readonly chance: Chance,
    readonly watch: HubWatch,
    repeats: () => boolean,
  ) {
    this.clock = new ProgramClock(world, wall);
    new Commander({
      chance: chance.fork("commands"),
      database,
      isAlive: this.isAlive,
      nowMs: () => this.clock.nowMs(),
      after: (ms, run) => this.clock.after(ms, run),
      send: (command) => this.#current?.command(command) ?? false,
      repeats,
    });
    this.#planTick();
  }

  readonly isAlive = (): boolean => this.#alive;

  #planTick(): void {
    this.clock.after(TICK_MS, () => {
      for (const session of this.#sessions) session.tick();
      this.#planTick();
    });
  }

  accept(end: End): EndEvents {
    const session = new HubSession(this, end);
    this.#sessions.add(session);
    session.opened();
    return session;
  }

  /** As `Sessions.joined`: an older session is a ghost. */
  joined(session: HubSession): void {
    const older = this.#current;
    this.#current = session;
    if (older !== null && older !== session) older.refuse("superseded");
  }

  left(session: HubSession): void {
    this.#sessions.delete(session);
    if (this.#current === session) this.#current = null;
  }

  /** The process is gone between two instructions; what it sent to the database may still happen. */
  kill(): void {
    this.#alive = false;
    this.clock.stop();
    for (const session of this.#sessions) session.die();
    this.#sessions.clear();
  }
}

/** As `GatewaySession` does: what the machine decides is done here, and it is told what happened. */
class HubSession implements EndEvents {
  readonly #nonce: string;
  readonly #openedNo: number;
  #state: SessionState = { at: "ended" };
  #intake: Intake | null = null;
  #epoch = 0;

  constructor(
    private readonly hub: HubProgram,
    private readonly end: End,
  ) {
    this.#nonce = nonceOf(hub.chance.next());
    this.#openedNo = hub.order.opened();
  }

  opened(): void {
    const { clock } = this.hub;
    const { state, actions } = greet(this.#nonce, HUB_ID, clock.nowMs(), clock.monoMs());
    this.#state = state;
    for (const action of actions) this.#do(action);
  }

  onMessage(message: Message): void {
    const monoMs = this.hub.clock.monoMs();
    if (typeof message !== "string") return this.#on({ type: "binary", bytes: message, monoMs });
    this.#on({ type: "text", message: decodeUplinkMessage(message), monoMs });
  }

  onClosed(): void {
    this.#state = { at: "ended" };
    this.hub.left(this);
    this.#intake?.stop();
  }

  tick(): void {
    this.#on({ type: "tick", monoMs: this.hub.clock.monoMs(), nowMs: this.hub.clock.nowMs() });
  }

  /** As the hub's session does with a message of its own: only while the machine runs. */
  command(command: Command): boolean {
    if (!isRunning(this.#state)) return false;
    this.#send({ type: "command", command });
    return true;
  }

  refuse(refusal: Refusal): void {
    this.#on({ type: "refuse", refusal });
  }

  die(): void {
    this.#state = { at: "ended" };
    this.#intake?.stop();
    this.end.abandon();
  }

  #on(event: SessionEvent): void {
    if (!this.hub.isAlive()) return;
    const { state, actions } = step(this.#state, event);
    this.#state = state;
    for (const action of actions) this.#do(action);
  }

  #do(action: SessionAction): void {
    switch (action.do) {
      case "send":
        return this.#send(action.message);
      case "checkHello":
        return void this.#check(action.body);
      case "envelope":
        return this.#intake?.push(action.bytes);
      case "close":
        this.#intake?.stop();
        this.hub.left(this);
        return this.end.close(action.closeCode, action.code);
      default:
        return;
    }
  }

  #send(message: DownlinkMessage): void {
    if (!this.hub.isAlive()) return;
    this.hub.watch.says(message, this.#epoch);
    this.end.send(JSON.stringify(message));
  }

  async #check(body: HelloBody): Promise<void> {
    const { database, isAlive, clock, order } = this.hub;
    try {
      const place = { order, openedNo: this.#openedNo };
      const verdict = await checkHello(database, isAlive, body, clock.nowMs(), place);
      if ("renewal" in verdict) return this.#renew(verdict.renewal);
      if (!verdict.ok) return this.refuse(verdict.refusal);
      if (this.#state.at !== "checking") return;
      this.#epoch = body.epoch;
      this.#intake = this.#intakeFor(body.epoch, verdict.marks);
      this.#on({
        type: "accepted",
        monoMs: clock.monoMs(),
        welcome: {
          gatewayId: body.gatewayId,
          sessionId: "019b0000-0000-7000-8000-0000000000ff",
          streams: verdict.marks.map(({ lane, seg, hwm }) => ({ lane, seg, hwm })),
          creditBytes: this.#intake.creditBytes,
          manifestRev: 0,
          hubTimeMs: clock.nowMs(),
          offer: null,
        },
      });
      this.hub.joined(this);
    } catch {
      this.refuse("busy");
    }
  }

  #renew({ epoch, streams }: Renewal): void {
    if (this.#state.at !== "checking") return;
    this.#state = { at: "ended" };
    this.#send({ type: "renewEpoch", epoch, streams });
    this.hub.left(this);
    this.end.close(1000, "renewed");
  }

  #intakeFor(epoch: number, marks: ConstructorParameters<typeof Intake>[3]): Intake {
    const { database, isAlive, clock, budget, fairShare } = this.hub;
    const deps = {
      store: database.client(isAlive),
      clock,
      metrics: METRICS,
      budget,
      fairShare,
      compression: zstd,
      committed: {
        absorb: () => 0,
        reached: () => undefined,
        anchored: () => undefined,
        answered: () => undefined,
      },
    };
    const sink = {
      send: (message: DownlinkMessage) => this.#send(message),
      refuse: (why: Refusal) => this.refuse(why),
    };
    return new Intake(deps, sink, { gatewayNo: GATEWAY_NO, epoch }, marks);
  }
}

/** 32 bytes, base64url; only their shape matters here. */
const nonceOf = (draw: number): string => {
  const bytes = new Uint8Array(32);
  new DataView(bytes.buffer).setFloat64(0, draw);
  return bytes.toBase64({ alphabet: "base64url", omitPadding: true });
};
