import type { AedesPublishPacket, Client } from "aedes";

/** What a client is still to be told, the newest message of each topic. */
type Waiting = Map<string, AedesPublishPacket>;

/**
 * Whoever listens to the namespace and is slower than the plant gets the newest of each topic, not a queue. The broker
 * would wait for each client's socket, and everybody else with it: so every client is told from its own list here, one
 * message after the other as it takes them. One that takes nothing at all is dropped by the broker (`INTAKE.drainMs`).
 */
export class SlowListeners {
  readonly #waiting = new WeakMap<Client, Waiting>();
  #telling = false;
  #told = 0;

  /** What the broker sends by itself; null when it is told from the list. Bounded: a topic has one place. */
  pass(client: Client, packet: AedesPublishPacket): AedesPublishPacket | null {
    // What is kept comes when a client subscribes, one by one as it takes it.
    if (packet.retain || this.#telling) return packet;
    const waiting = this.#waiting.get(client);
    if (waiting !== undefined) {
      waiting.set(packet.topic, packet);
      return null;
    }
    const first: Waiting = new Map([[packet.topic, packet]]);
    this.#waiting.set(client, first);
    this.#tell(client, first);
    return null;
  }

  #tell(client: Client, waiting: Waiting): void {
    const [next] = waiting.values();
    if (next === undefined || client.closed) return void this.#waiting.delete(client);
    waiting.delete(next.topic);
    // Counted by itself: the broker takes a message for sent that comes after one with a higher number.
    const message = {
      ...next,
      qos: 0 as const,
      retain: false,
      brokerId: "list",
      brokerCounter: ++this.#told,
    };
    this.#telling = true;
    // `pass` is asked before this returns; the next goes when there is room again.
    client.publish(message, () => this.#tell(client, waiting));
    this.#telling = false;
  }
}
