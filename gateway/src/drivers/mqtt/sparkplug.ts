import type { MqttAddress, SparkplugSource } from "@millrace/contract/driver/mqtt/address";
import { SPARKPLUG } from "@millrace/contract/driver/mqtt/address";
import { QUALITY } from "@millrace/contract/vocabulary/quality";
import type { Point, Reading } from "../../driver/driver.ts";
import type { Message, Now } from "../../driver/payload/board.ts";
import { decodePayload, type Metric, type SparkplugPayload } from "../../driver/sparkplug-payload/payload.ts";
import { Garbled } from "../../driver/sparkplug-payload/read.ts";
import { metricValue } from "./codec.ts";

export type MetricPoint = Point<MqttAddress & { source: SparkplugSource }>;

/** Between two requests for a birth to one edge node: many of us may ask, and each birth is large. */
export const REBIRTH_MS = 10_000;

interface Seat {
  point: MetricPoint;
  reading: Reading | null;
  why: string | null;
}

/** What one birth told of one sender: the edge node itself or a device behind it. */
interface Born {
  aliases: Map<bigint, { name: string; type: number }>;
  types: Map<string, number>;
}

export interface Heard {
  readings: Reading[];
  /** Something was missed: the edge node shall be asked for its birth. */
  rebirth: boolean;
}

const NOTHING: Heard = { readings: [], rebirth: false };

/**
 * One Sparkplug B edge node as a host application sees it (Eclipse Sparkplug 3.0, 4 and 5), as far as our tags need it.
 * Values count only after a birth, which says what the aliases mean; a death takes them away. In between a
 * value stands, however long: the edge node is bound to tell every change. Pure but for its memory.
 */
export class EdgeNode {
  readonly group: string;
  readonly edge: string;
  readonly #seats: Seat[];
  /** By device; the edge node itself is the empty text. Null: born in an earlier life, or never. */
  readonly #born = new Map<string, Born>();
  #bdSeq: bigint | null = null;
  #seq: number | null = null;
  #askedMonoMs = Number.NEGATIVE_INFINITY;
  refused = 0;
  /** Values told as history; they are older than what the tag shows and not taken. */
  historical = 0;

  constructor(group: string, edge: string, points: readonly MetricPoint[]) {
    this.group = group;
    this.edge = edge;
    this.#seats = points.map((point) => ({ point, reading: null, why: null }));
  }

  /** Topics this node and its devices tell at. */
  get topics(): string[] {
    const base = (type: string) => `${SPARKPLUG}/${this.group}/${type}/${this.edge}`;
    const devices = new Set(this.#seats.flatMap(({ point }) => point.address.source.device ?? []));
    return [
      ...["NBIRTH", "NDATA", "NDEATH"].map(base),
      ...[...devices].flatMap((device) =>
        ["DBIRTH", "DDATA", "DDEATH"].map((type) => `${base(type)}/${device}`),
      ),
    ];
  }

  get commandTopic(): string {
    return `${SPARKPLUG}/${this.group}/NCMD/${this.edge}`;
  }

  hear({ topic, payload: bytes, retained, delayed }: Message, now: Now): Heard {
    const [root, group, type = "", edge, device = "", ...more] = topic.split("/");
    if (root !== SPARKPLUG || group !== this.group || edge !== this.edge || more.length > 0) return NOTHING;
    // Births, data and deaths are never retained (5.1, 6.4.20); who does it all the same tells nothing of now.
    if (retained) return NOTHING;
    let payload: SparkplugPayload;
    try {
      payload = decodePayload(bytes);
    } catch (thrown) {
      if (!(thrown instanceof Garbled)) throw thrown;
      this.refused++;
      return {
        readings: this.#garbled(type, device, `${topic}: the payload is garbled: ${thrown.message}`),
        rebirth: this.#mayAsk(now),
      };
    }
    switch (type) {
      case "NBIRTH":
        return this.#nodeBirth(payload);
      case "DBIRTH":
        return this.#deviceBirth(device, payload, now);
      case "NDATA":
      case "DDATA":
        return this.#data(device, payload, now, delayed);
      case "NDEATH":
        return this.#nodeDeath(payload);
      case "DDEATH":
        this.#sequence(payload);
        this.#born.delete(device);
        return { readings: this.#lose(device, `${device} is offline, says its edge node`), rebirth: false };
      default:
        return NOTHING;
    }
  }

  #nodeBirth(payload: SparkplugPayload): Heard {
    const bdSeq = payload.metrics.find(({ name }) => name === "bdSeq")?.raw;
    this.#bdSeq = bdSeq?.as === "bits" ? bdSeq.bits : null;
    // 0 by the letter of the specification; senders differ, and only the steps that follow matter.
    this.#seq = payload.seq;
    this.#born.clear();
    this.#learn("", payload);
    const lost = this.#seats.filter(({ point }) => point.address.source.device !== null);
    const readings = lost.flatMap((seat) =>
      this.#away(seat, `${this.edge} began anew and did not name this device yet`),
    );
    return { readings: [...readings, ...this.#take("", payload, false)], rebirth: false };
  }

  #deviceBirth(device: string, payload: SparkplugPayload, now: Now): Heard {
    const inOrder = this.#sequence(payload);
    this.#learn(device, payload);
    return { readings: this.#take(device, payload, false), rebirth: !inOrder && this.#mayAsk(now) };
  }

  #data(device: string, payload: SparkplugPayload, now: Now, delayed: boolean): Heard {
    const inOrder = this.#sequence(payload);
    const known = this.#born.has("") && this.#born.has(device);
    if (!known) return { readings: [], rebirth: this.#mayAsk(now) };
    return { readings: this.#take(device, payload, delayed), rebirth: !inOrder && this.#mayAsk(now) };
  }

  #nodeDeath(payload: SparkplugPayload): Heard {
    const bdSeq = payload.metrics.find(({ name }) => name === "bdSeq")?.raw;
    // The will of a connection before this one, delivered late, says nothing of this life (5.5).
    if (this.#bdSeq !== null && bdSeq?.as === "bits" && bdSeq.bits !== this.#bdSeq) return NOTHING;
    this.#born.clear();
    this.#seq = null;
    const readings = this.#seats.flatMap((seat) => this.#away(seat, `the edge node ${this.edge} is offline`));
    return { readings, rebirth: false };
  }

  /** False: a message is missing, or they come out of order. */
  #sequence({ seq }: SparkplugPayload): boolean {
    const before = this.#seq;
    this.#seq = seq;
    return before === null || seq === null || seq === (before + 1) % 256;
  }

  #mayAsk({ monoMs }: Now): boolean {
    if (monoMs - this.#askedMonoMs < REBIRTH_MS) return false;
    this.#askedMonoMs = monoMs;
    return true;
  }

  /** Keeps of a birth what our tags need, however long it is. */
  #learn(device: string, { metrics }: SparkplugPayload): void {
    const born: Born = { aliases: new Map(), types: new Map() };
    const wanted = new Set(this.#seatsOf(device).map(({ point }) => point.address.source.metric));
    for (const { name, alias, type } of metrics) {
      if (!wanted.has(name)) continue;
      born.types.set(name, type);
      if (alias !== null) born.aliases.set(alias, { name, type });
    }
    this.#born.set(device, born);
    for (const seat of this.#seatsOf(device)) {
      const { metric } = seat.point.address.source;
      if (born.types.has(metric)) continue;
      seat.why = `the birth of ${device === "" ? this.edge : device} names no metric ${metric}`;
    }
  }

  #take(device: string, payload: SparkplugPayload, delayed: boolean): Reading[] {
    const born = this.#born.get(device);
    if (born === undefined) return [];
    const readings: Reading[] = [];
    for (const metric of payload.metrics) {
      const byAlias = metric.alias === null ? undefined : born.aliases.get(metric.alias);
      const name = metric.name === "" ? byAlias?.name : metric.name;
      if (name === undefined) continue;
      const seats = this.#seatsOf(device).filter(({ point }) => point.address.source.metric === name);
      if (seats.length > 0 && metric.historical) this.historical++;
      if (metric.historical) continue;
      const type = metric.type === 0 ? (born.types.get(name) ?? 0) : metric.type;
      for (const seat of seats) readings.push(this.#put(seat, metric, type, payload.timeMs, delayed));
    }
    return readings;
  }

  #put(seat: Seat, metric: Metric, type: number, timeMs: number | null, delayed: boolean): Reading {
    const { id, dataType } = seat.point;
    const found = metricValue(metric, type, dataType);
    if (found.why !== null) this.refused++;
    seat.why = found.why;
    const sourceTimeMs = metric.timeMs ?? timeMs;
    const reading: Reading = { id, value: found.value, quality: found.quality };
    if (found.quality === QUALITY.good) {
      if (metric.quality === 500) Object.assign(reading, { value: null, quality: QUALITY["bad.stale"] });
      else if (metric.quality !== null && metric.quality < 64)
        Object.assign(reading, { value: null, quality: QUALITY["bad.unspecified"] });
      else if (metric.quality !== null && metric.quality < 192)
        reading.quality = QUALITY["uncertain.unspecified"];
      else if (sourceTimeMs === null && delayed) reading.quality = QUALITY["uncertain.ageUnknown"];
    }
    if (metric.quality !== null && metric.quality !== 192) reading.status = `Quality ${metric.quality}`;
    if (sourceTimeMs !== null) reading.sourceTimeMs = sourceTimeMs;
    seat.reading = reading;
    return reading;
  }

  #seatsOf(device: string): Seat[] {
    return this.#seats.filter(({ point }) => (point.address.source.device ?? "") === device);
  }

  #lose(device: string, why: string): Reading[] {
    return this.#seatsOf(device).flatMap((seat) => this.#away(seat, why));
  }

  #away(seat: Seat, why: string): Reading[] {
    seat.why = why;
    seat.reading = { id: seat.point.id, value: null, quality: QUALITY["bad.deviceOffline"] };
    return [seat.reading];
  }

  /** What a garbled message would have told is unknown now: nobody can say which tags it meant. */
  #garbled(type: string, device: string, why: string): Reading[] {
    if (!/^[ND](BIRTH|DATA)$/.test(type)) return [];
    return this.#seatsOf(device).map((seat) => {
      seat.why = why;
      seat.reading = { id: seat.point.id, value: null, quality: QUALITY["bad.valueInvalid"] };
      return seat.reading;
    });
  }

  /** Tags that wait for the birth, and whether it shall be asked for. */
  tellWaiting(now: Now): Heard {
    const readings = this.#seats.flatMap((seat) => {
      if (seat.reading !== null) return [];
      seat.why ??= `${this.edge} told no birth yet`;
      seat.reading = { id: seat.point.id, value: null, quality: QUALITY["bad.waitingForData"] };
      return [seat.reading];
    });
    return { readings, rebirth: readings.length > 0 && this.#mayAsk(now) };
  }

  /** The broker refuses its topics. */
  refuse(): Reading[] {
    return this.#seats.map((seat) => {
      seat.why = "the broker refuses the topics of this edge node to our user";
      seat.reading = { id: seat.point.id, value: null, quality: QUALITY["bad.addressIllegal"] };
      return seat.reading;
    });
  }

  get complete(): boolean {
    return this.#seats.every(({ reading }) => reading !== null);
  }

  present(): Reading[] {
    return this.#seats.flatMap(({ reading }) => (reading === null ? [] : [reading]));
  }

  explain(id: number): string | null {
    return this.#seats.find(({ point }) => point.id === id)?.why ?? null;
  }

  trouble(): string | null {
    return this.#seats.find(({ why }) => why !== null)?.why ?? null;
  }
}
