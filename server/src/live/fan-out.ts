import { getLogger } from "@logtape/logtape";
import type { Clock } from "@millrace/contract/std/clock";
import { CLOSE } from "../ingest/close-code.ts";
import type { HubMetrics } from "../ingest/metrics.ts";
import { LIVE, type LiveSocket, type LiveSources, type Look, Subscriber } from "./subscriber.ts";

const log = getLogger(["hub", "live"]);

export interface FanOutDeps extends LiveSources {
  clock: Clock;
  metrics: HubMetrics;
}

interface Member {
  subscriber: Subscriber;
  socket: LiveSocket;
  /** Resolves to false when this browser may no longer watch. */
  stillAllowed: () => Promise<boolean>;
  lookedMonoMs: number;
}

/** All browsers on the live socket, served in one round. */
export class FanOut {
  readonly #members = new Map<Subscriber, Member>();
  #cancelTick: () => void = () => undefined;

  constructor(private readonly deps: FanOutDeps) {}

  start(): void {
    this.#cancelTick = this.deps.clock.after(LIVE.tickMs, () => {
      this.#tick();
      this.start();
    });
  }

  stop(): void {
    this.#cancelTick();
    for (const { socket } of this.#members.values()) socket.close(CLOSE.goingAway, "hub is stopping");
    this.#members.clear();
  }

  join(socket: LiveSocket, look: Look, stillAllowed: () => Promise<boolean>): Subscriber {
    const monoMs = this.deps.clock.monoMs();
    const subscriber = new Subscriber(socket, this.deps, look, monoMs);
    this.#members.set(subscriber, { subscriber, socket, stillAllowed, lookedMonoMs: monoMs });
    this.deps.metrics.liveSockets.set(this.#members.size);
    return subscriber;
  }

  leave(subscriber: Subscriber): void {
    this.#members.delete(subscriber);
    this.deps.metrics.liveSockets.set(this.#members.size);
  }

  #tick(): void {
    const monoMs = this.deps.clock.monoMs();
    const nowMs = this.deps.clock.nowMs();
    for (const member of this.#members.values()) {
      member.subscriber.tick(monoMs, nowMs);
      if (monoMs - member.lookedMonoMs < LIVE.accessLookMs) continue;
      member.lookedMonoMs = monoMs;
      void this.#look(member);
    }
  }

  /** A sign-out or a lost role ends the socket; a database that is away for a moment does not. */
  async #look(member: Member): Promise<void> {
    try {
      if (await member.stillAllowed()) return;
    } catch (thrown) {
      log.debug("Access of a live socket could not be looked up: {error}", { error: thrown });
      return;
    }
    this.leave(member.subscriber);
    member.socket.close(CLOSE.signedOut, "auth.required");
  }
}
