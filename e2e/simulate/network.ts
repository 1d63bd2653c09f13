import type { Chance } from "./chance.ts";
import type { World } from "./world.ts";

export type Message = string | Uint8Array;

/** What one end of a connection is told. */
export interface EndEvents {
  onMessage(message: Message): void;
  onClosed(code: number, reason: string): void;
}

/** One end of a connection, as a program holds it. */
export interface End {
  send(message: Message): void;
  close(code: number, reason: string): void;
  /** Nobody listens at this end any more: the program died, and the machine says nothing for it. */
  abandon(): void;
}

/** How the line is now. Changes act on messages sent from then on. */
export interface LineState {
  latencyMs: { min: number; max: number };
  /** New connections are refused, and open ones are cut. */
  isDown: boolean;
  /** Share of envelopes that arrive with one bit turned. */
  bitFlipShare: number;
}

interface Direction {
  /** A line keeps its order: nothing arrives before what was sent earlier. */
  readyMs: number;
  /** What is on its way waits until then. */
  holdMs: number;
  /** Swallows what is sent without telling anyone. */
  isDeaf: boolean;
}

/**
 * Connections between one gateway and one hub. A connection keeps order and loses nothing until it ends; then it
 * loses a tail. What it can do besides: go deaf in one direction or both with nobody told, or live on at the hub for
 * a while after the gateway is gone, with its last messages still to come.
 */
export class Network {
  readonly #open = new Set<Connection>();
  readonly state: LineState = { latencyMs: { min: 1, max: 20 }, isDown: false, bitFlipShare: 0 };
  /** For how long a dead gateway's connection may live on at the hub, its tail delayed; 0 for not at all. */
  ghostMs = 0;

  constructor(
    readonly world: World,
    readonly chance: Chance,
    private readonly listen: (far: End) => EndEvents | null,
  ) {}

  /** Opens a connection from the gateway. `onOpened` or `onClosed` comes later. */
  connect(events: EndEvents & { onOpened(): void }): End {
    const connection = new Connection(this, events);
    this.world.after(this.latency(), () => {
      if (connection.isOver) return;
      const far = this.state.isDown ? null : this.listen(connection.hubEnd);
      if (far === null) return connection.refuse();
      this.#open.add(connection);
      connection.accept(far, events.onOpened);
    });
    return connection.gatewayEnd;
  }

  latency(): number {
    const { min, max } = this.state.latencyMs;
    return this.chance.between(min, max);
  }

  forget(connection: Connection): void {
    this.#open.delete(connection);
  }

  /** Ends all connections; both ends are told, each in its own time, and what is on its way is lost. */
  cut(): void {
    for (const connection of [...this.#open]) connection.cut();
  }

  /** The gateway loses its connections and may be back at once; the hub hears of it late, after what was on its way. */
  reset(): void {
    for (const connection of [...this.#open]) connection.reset();
  }

  /** From now on messages vanish and no end is told. */
  deafen(which: "up" | "down" | "both"): void {
    for (const connection of this.#open) connection.deafen(which);
  }
}

class Connection {
  readonly gatewayEnd: End;
  readonly hubEnd: End;
  isOver = false;
  #hub: EndEvents | null = null;
  #gateway: EndEvents | null;
  readonly #up: Direction = { readyMs: 0, holdMs: 0, isDeaf: false };
  readonly #down: Direction = { readyMs: 0, holdMs: 0, isDeaf: false };

  constructor(
    private readonly network: Network,
    gateway: EndEvents,
  ) {
    this.#gateway = gateway;
    this.gatewayEnd = {
      send: (message) => this.#carry(this.#up, message, () => this.#hub),
      close: (code, reason) => this.#leave("gateway", code, reason),
      abandon: () => this.#leave("gateway", 1006, "gone"),
    };
    this.hubEnd = {
      send: (message) => this.#carry(this.#down, message, () => this.#gateway),
      close: (code, reason) => this.#leave("hub", code, reason),
      abandon: () => this.#leave("hub", 1006, "gone"),
    };
  }

  accept(hub: EndEvents, opened: () => void): void {
    this.#hub = hub;
    this.network.world.after(this.network.latency(), () => {
      if (this.#gateway !== null) opened();
    });
  }

  refuse(): void {
    this.isOver = true;
    this.#gateway?.onClosed(1006, "refused");
    this.#gateway = null;
  }

  cut(): void {
    this.#up.isDeaf = true;
    this.#down.isDeaf = true;
    this.#leave("gateway", 1006, "cut", true);
    this.#leave("hub", 1006, "cut", true);
  }

  reset(): void {
    this.#leave("gateway", 1006, "reset", true);
  }

  deafen(which: "up" | "down" | "both"): void {
    if (which !== "down") this.#up.isDeaf = true;
    if (which !== "up") this.#down.isDeaf = true;
  }

  #carry(direction: Direction, message: Message, to: () => EndEvents | null): void {
    const { world } = this.network;
    if (direction.isDeaf || this.isOver) return;
    direction.readyMs = Math.max(world.nowMs + this.network.latency(), direction.readyMs);
    const carried = typeof message === "string" ? message : this.#worn(message);
    this.#deliver(direction, direction.readyMs, () => to()?.onMessage(carried));
  }

  #deliver(direction: Direction, atMs: number, run: () => void): void {
    const { world } = this.network;
    world.after(atMs - world.nowMs, () => {
      if (world.nowMs < direction.holdMs) return this.#deliver(direction, direction.holdMs, run);
      if (!direction.isDeaf) run();
    });
  }

  /** A line under TLS turns no bit of a text; memory, disks and proxies on the way may, and only frames have a CRC. */
  #worn(message: Uint8Array): Uint8Array {
    const copy = message.slice();
    const { chance, state } = this.network;
    if (!chance.hits(state.bitFlipShare)) return copy;
    const at = chance.whole(0, copy.length - 1);
    copy[at] = copy[at]! ^ (1 << chance.whole(0, 7));
    return copy;
  }

  /** One end goes. The other end hears of it after what was sent before, or much later when it becomes a ghost. */
  #leave(who: "gateway" | "hub", code: number, reason: string, tell = false): void {
    const { world } = this.network;
    const own = who === "gateway" ? this.#gateway : this.#hub;
    if (own === null) return;
    if (who === "gateway") this.#gateway = null;
    else this.#hub = null;
    if (tell) world.after(0, () => own.onClosed(code, reason));
    const direction = who === "gateway" ? this.#up : this.#down;
    const { chance, ghostMs } = this.network;
    if (who === "gateway" && ghostMs > 0 && chance.hits(0.5))
      direction.holdMs = world.nowMs + chance.between(0, ghostMs);
    direction.readyMs = Math.max(world.nowMs + this.network.latency(), direction.readyMs, direction.holdMs);
    if (this.#gateway === null && this.#hub === null) return this.#end();
    world.after(direction.readyMs - world.nowMs, () => {
      const other = who === "gateway" ? this.#hub : this.#gateway;
      if (who === "gateway") this.#hub = null;
      else this.#gateway = null;
      this.#end();
      // A deaf line tells nobody that its other end is gone.
      if (!direction.isDeaf) other?.onClosed(code, reason);
    });
  }

  #end(): void {
    this.isOver = true;
    this.network.forget(this);
  }
}
