import type { MqttAddress } from "@millrace/contract/driver/mqtt/address";
import { QUALITY } from "@millrace/contract/vocabulary/quality";
import type { Point, Reading } from "../../driver/driver.ts";
import { Board, type Message, type MessagePoint, type Now } from "../../driver/payload/board.ts";
import { EdgeNode, type MetricPoint } from "./sparkplug.ts";

export type MqttPoint = Point<MqttAddress>;

/** Filters in one SUBSCRIBE: brokers on small machines refuse long packets. */
export const FILTERS_AT_ONCE = 50;

export interface Told {
  readings: Reading[];
  /** Edge nodes to be asked for their birth, by the topic of the command. */
  rebirths: string[];
}

const isMetric = (point: MqttPoint): point is MetricPoint => point.address.source.at === "sparkplug";
const isMessage = (point: MqttPoint): point is MqttPoint & MessagePoint =>
  point.address.source.at === "topic";

/** What the tags of one subscription need of a broker, and what its messages mean to them. Pure but for its memory. */
export class Plan {
  readonly #points: readonly MqttPoint[];
  readonly #board: Board;
  readonly #nodes: EdgeNode[];
  readonly #byAlive = new Map<string, MqttPoint[]>();
  readonly #offline = new Set<string>();

  constructor(points: readonly MqttPoint[]) {
    this.#points = points;
    this.#board = new Board(points.filter(isMessage));
    const nodes = new Map<string, MetricPoint[]>();
    for (const point of points.filter(isMetric)) {
      const { group, edge } = point.address.source;
      nodes.set(`${group}/${edge}`, [...(nodes.get(`${group}/${edge}`) ?? []), point]);
    }
    this.#nodes = [...nodes.values()].map((own) => {
      const { group, edge } = own[0]!.address.source;
      return new EdgeNode(group, edge, own);
    });
    for (const point of points) {
      const { alive } = point.address;
      if (alive !== null) this.#byAlive.set(alive.topic, [...(this.#byAlive.get(alive.topic) ?? []), point]);
    }
  }

  /** Each filter once, however many tags look there. */
  get filters(): string[] {
    const own = this.#points.flatMap(({ address }) =>
      address.source.at === "topic" ? [address.source.topic] : [],
    );
    return [...new Set([...this.#byAlive.keys(), ...own, ...this.#nodes.flatMap(({ topics }) => topics)])];
  }

  hear(message: Message, now: Now): Told {
    const gone = this.#hearAlive(message);
    // What the broker kept of a device that is gone says nothing of now.
    const skip = message.retained && this.#offline.size > 0;
    const readings = skip ? [] : this.#board.hear(message, now);
    const told = this.#nodes.map((node) => ({ node, heard: node.hear(message, now) }));
    return {
      readings: [...gone, ...readings, ...told.flatMap(({ heard }) => heard.readings)],
      rebirths: told.filter(({ heard }) => heard.rebirth).map(({ node }) => node.commandTopic),
    };
  }

  #hearAlive({ topic, payload }: Message): Reading[] {
    const points = this.#byAlive.get(topic);
    const alive = points?.[0]?.address.alive;
    if (points === undefined || !alive) return [];
    const word = Buffer.from(payload.subarray(0, 200)).toString("utf8").trim().toLowerCase();
    if (word !== alive.offline.toLowerCase()) {
      this.#offline.delete(topic);
      return [];
    }
    this.#offline.add(topic);
    const ids = new Set(points.map(({ id }) => id));
    return this.#board.settle(ids, QUALITY["bad.deviceOffline"], `the device is offline, says ${topic}`);
  }

  /** The broker refuses these filters: whoever looks there has no value. */
  refuse(filters: ReadonlySet<string>): Reading[] {
    const nodes = this.#nodes.filter(({ topics }) => topics.some((topic) => filters.has(topic)));
    const readings = nodes.flatMap((node) => node.refuse());
    const ids = new Set(
      this.#points
        .filter(({ address }) => address.source.at === "topic" && filters.has(address.source.topic))
        .map(({ id }) => id),
    );
    return [
      ...readings,
      ...this.#board.settle(ids, QUALITY["bad.addressIllegal"], "the broker refuses this topic to our user"),
    ];
  }

  goStale(now: Now): Reading[] {
    return this.#board.goStale(now);
  }

  tellWaiting(now: Now): Told {
    const told = this.#nodes.map((node) => ({ node, heard: node.tellWaiting(now) }));
    return {
      readings: [...this.#board.tellWaiting(), ...told.flatMap(({ heard }) => heard.readings)],
      rebirths: told.filter(({ heard }) => heard.rebirth).map(({ node }) => node.commandTopic),
    };
  }

  /** Nothing at all comes any more, though the broker answers: it may have forgotten what we asked for. */
  get silent(): boolean {
    return this.#nodes.length === 0 && this.#board.silent;
  }

  /** The longest a value of these tags stands, ms. */
  get staleMs(): number {
    return Math.max(0, ...this.#points.map(({ address }) => address.staleMs));
  }

  get complete(): boolean {
    return this.#board.complete && this.#nodes.every(({ complete }) => complete);
  }

  present(): Reading[] {
    return [...this.#board.present(), ...this.#nodes.flatMap((node) => node.present())];
  }

  explain(id: number): string | null {
    return (
      this.#board.explain(id) ??
      this.#nodes.map((node) => node.explain(id)).find((why) => why !== null) ??
      null
    );
  }

  trouble(): string | null {
    return (
      this.#board.trouble() ?? this.#nodes.map((node) => node.trouble()).find((why) => why !== null) ?? null
    );
  }

  get refused(): number {
    return this.#board.refused + this.#nodes.reduce((sum, { refused }) => sum + refused, 0);
  }

  get historical(): number {
    return this.#nodes.reduce((sum, { historical }) => sum + historical, 0);
  }
}
