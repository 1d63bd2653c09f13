import { getLogger } from "@logtape/logtape";
import { AppError, asAppError } from "@millrace/contract/error/app-error";
import type { SparkplugSettings } from "@millrace/contract/sparkplug/settings";
import type { Clock, Random } from "@millrace/contract/std/clock";
import type { OpenInput, VersionRefused } from "../driver/mqtt-wire/open.ts";
import type { Wire } from "../driver/mqtt-wire/wire.ts";
import { retryMs } from "../supervisor/link.ts";
import type { EdgeNode, Now, Output } from "./edge-node.ts";
import type { HostOrder, Refusal } from "./write-requests.ts";

const log = getLogger(["gateway", "sparkplug"]);

/** How often changes are told: they are gathered so long, and a device that came or went is seen within it. */
export const TURN_MS = 100;
/** While so much was not read by the broker, nothing more is told than births and deaths. */
const BACKLOG_BYTES_MAX = 1_048_576;
/** How long the broker may take to confirm a death that is told on purpose: a gateway that ends has more to do. */
const DEATH_MS = 1_000;
/** A session that lasted so long counts as a success: the next try comes soon. */
const PROVED_MS = 5_000;

export interface Library {
  openWire(input: OpenInput): Promise<Wire>;
  VersionRefused: typeof VersionRefused;
}

export interface LinkInput {
  settings: SparkplugSettings;
  clientId: string;
  node: EdgeNode;
  library: Library;
  clock: Clock;
  random: Random;
  /** Durable when it resolves, so that the number of a CONNECT is not used again after a power cut. */
  keepBdSeq: (bdSeq: number) => Promise<void>;
  onWrite: (order: HostOrder) => void;
  onRefusal: (refusal: Refusal) => void;
}

/** The edge node's link to its broker: keeps it, and carries what the node says. Decides nothing. */
export class SparkplugLink {
  readonly #input: LinkInput;
  readonly #stop = new AbortController();
  readonly #broker: string;
  #wire: Wire | null = null;
  #version: 5 | 4;
  #failures = 0;
  /** Why there is no session; null while there is one. */
  #problem: AppError | null = null;
  #sinceMs: number;
  #phaseSeen = "away";
  #done: Promise<void> = Promise.resolve();
  #cancelTurn = () => {};
  /** Ends the present session. */
  #over: (why: AppError | null) => void = () => {};

  constructor(input: LinkInput) {
    this.#input = input;
    this.#broker = input.settings.broker;
    this.#version = input.settings.version === "3.1.1" ? 4 : 5;
    this.#sinceMs = input.clock.nowMs();
  }

  get problem(): AppError | null {
    return this.#problem;
  }

  /** When the present phase began, ms UTC. */
  get sinceMs(): number {
    return this.#sinceMs;
  }

  start(): void {
    this.#done = this.#run();
    this.#turn();
  }

  /** Tells the death, says goodbye. */
  async stop(): Promise<void> {
    await this.carry(this.#input.node.part(this.#now(), "the gateway ends it"));
    this.#stop.abort(new Error("stopped"));
    this.#over(null);
    await this.#done;
    this.#cancelTurn();
    // What was not told yet lies in the history from here on.
    this.#input.node.tick(this.#now(), false);
  }

  #now = (): Now => ({ wallMs: this.#input.clock.nowMs(), monoMs: this.#input.clock.monoMs() });

  async #run(): Promise<void> {
    const { clock, random } = this.#input;
    while (!this.#stop.signal.aborted) {
      const beganMonoMs = clock.monoMs();
      const why = await this.#session().catch((thrown: unknown) => asAppError(thrown, "link.lost"));
      if (this.#stop.signal.aborted) return;
      const lasted = clock.monoMs() - beganMonoMs >= PROVED_MS;
      this.#failures = why === null || lasted ? 1 : this.#failures + 1;
      this.#tellProblem(why);
      await clock.sleep(retryMs(this.#failures, random()), this.#stop.signal).catch(() => undefined);
    }
  }

  #tellProblem(why: AppError | null): void {
    if (why !== null && why.message !== this.#problem?.message)
      log.warn("{reason}", { code: why.code, reason: why.message });
    this.#problem = why;
  }

  /** One session from the connection to its end. @returns why it was lost; null when it was ended on purpose */
  async #session(): Promise<AppError | null> {
    const { node } = this.#input;
    const ended = Promise.withResolvers<AppError | null>();
    this.#over = ended.resolve;
    const wire = await this.#open(ended.resolve);
    if (this.#stop.signal.aborted) {
      await wire.close(true);
      return null;
    }
    this.#wire = wire;
    try {
      node.linked();
      const { topics } = node;
      const codes = await this.#inTime(wire.subscribe(topics, 1), ended.promise);
      if (codes === null) return await ended.promise;
      const refused = topics.filter((_, index) => (codes[index] ?? 0x80) >= 0x80);
      if (refused.length > 0)
        return new AppError("link.denied", `${this.#broker}: our user may not subscribe to ${refused[0]}.`);
      this.#problem = null;
      await this.carry(node.subscribed(this.#now()));
      return await ended.promise;
    } finally {
      this.#wire = null;
      node.unlinked();
      // Nothing to do for one that is lost or was ended on purpose.
      await wire.close(true);
    }
  }

  /** Null when the session ended first. @throws AppError `device.timeout` */
  async #inTime<T>(answer: Promise<T>, ended: Promise<unknown>): Promise<T | null> {
    const { clock, settings } = this.#input;
    const late = Promise.withResolvers<never>();
    const cancel = clock.after(settings.timeoutMs, () =>
      late.reject(new AppError("device.timeout", `${this.#broker}: no answer to SUBSCRIBE.`)),
    );
    try {
      return await Promise.race([answer, late.promise, ended.then(() => null)]);
    } finally {
      cancel();
    }
  }

  async #open(over: (why: AppError | null) => void): Promise<Wire> {
    const { settings, library, node, clock, clientId, keepBdSeq } = this.#input;
    const input = (version: 5 | 4): OpenInput => ({
      // A session of the broker's would bring commands from before the birth (3.0, 2.4).
      settings: { ...settings, resume: false },
      clientId,
      version,
      clock,
      signal: this.#stop.signal,
      will: async () => {
        const death = node.nextDeath(this.#now());
        await keepBdSeq(node.bdSeq);
        return death;
      },
      events: {
        onMessage: ({ topic, payload, retain }) =>
          this.#say(() => node.hear(topic, payload, retain, this.#now())),
        onAlive: () => undefined,
        onClosed: (error) => over(error),
      },
    });
    try {
      return await library.openWire(input(this.#version));
    } catch (thrown) {
      if (!(thrown instanceof library.VersionRefused)) throw thrown;
      if (settings.version !== "auto" || this.#version === 4)
        throw new AppError(
          "link.refused",
          `${this.#broker}: the broker does not speak this version of MQTT.`,
        );
      this.#version = 4;
      return await library.openWire(input(4));
    }
  }

  #turn(): void {
    const { node, clock } = this.#input;
    const room = (this.#wire?.backlogBytes ?? 0) < BACKLOG_BYTES_MAX;
    this.#say(() => node.tick(this.#now(), room));
    this.#look();
    this.#cancelTurn = clock.after(TURN_MS, () => this.#turn());
  }

  /** A bug of ours costs what would have been said now, and nobody else anything. */
  #say(outputs: () => readonly Output[]): void {
    try {
      this.carry(outputs()).catch((thrown: unknown) => log.error("{error}", { error: asAppError(thrown) }));
    } catch (thrown) {
      log.error("{error}", { error: asAppError(thrown) });
    }
  }

  /** A line in the log when the phase changes, never one per turn. */
  #look(): void {
    const { node, settings, clock } = this.#input;
    if (node.phase === this.#phaseSeen) return;
    this.#phaseSeen = node.phase;
    this.#sinceMs = clock.nowMs();
    if (node.phase === "born") log.info("born at {broker}", { broker: this.#broker });
    if (node.phase === "waiting")
      log.info("waiting for the primary host {host}", { host: settings.primaryHost ?? "" });
  }

  /** Carries what the edge node says to the broker. Resolves when it is on its way, a goodbye included. */
  async carry(outputs: readonly Output[]): Promise<void> {
    const wire = this.#wire;
    for (const output of outputs) {
      switch (output.do) {
        case "publish":
          wire?.publish(output.topic, output.payload);
          break;
        case "write":
          this.#input.onWrite(output.order);
          break;
        case "refuse":
          this.#input.onRefusal(output.refusal);
          break;
        case "part":
          await this.#part(wire, output);
      }
    }
    this.#look();
  }

  async #part(wire: Wire | null, { topic, payload, why }: Output & { do: "part" }): Promise<void> {
    this.#wire = null;
    log.info("the session ends: {why}", { why });
    if (wire !== null) {
      await wire.publishSurely(topic, payload, DEATH_MS);
      await wire.close(true);
    }
    this.#over(null);
  }
}
