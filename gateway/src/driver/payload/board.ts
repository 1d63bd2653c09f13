import type { MessageRules, MessageSource } from "@millrace/contract/driver/message-address";
import { lookUp } from "@millrace/contract/driver/message-path";
import { hasWildcard, topicMatches } from "@millrace/contract/driver/topic";
import { QUALITY } from "@millrace/contract/vocabulary/quality";
import type { Point, Reading } from "../driver.ts";
import { Payload } from "./document.ts";
import { timeOf } from "./time.ts";
import { type Found, fromJson, fromText, invalid, quoted } from "./value.ts";

/** A tag that takes its value from messages. */
export type MessagePoint = Point<MessageRules & { source: MessageSource }>;

export interface Message {
  topic: string;
  payload: Uint8Array;
  /** Kept by the broker for whoever subscribes: nobody knows how old it is. */
  retained: boolean;
  /** Sent while we were away and kept for us, so older than its arrival by an unknown time. */
  delayed: boolean;
}

interface Seat {
  point: MessagePoint;
  /** Monotonic ms of the last value or refusal; null before the first. */
  heardMonoMs: number | null;
  /** The reading that stands. */
  reading: Reading | null;
  why: string | null;
  stale: boolean;
}

export interface Now {
  wallMs: number;
  monoMs: number;
}

/** A retained message that says it is younger counts as live. */
const RETAINED_FRESH_MS = 10_000;

/**
 * The tags of one subscription and what their messages said last. Pure but for its memory: messages and the time go in,
 * readings come out.
 */
export class Board {
  readonly #seats: Seat[];
  readonly #byTopic = new Map<string, Seat[]>();
  readonly #wild: Seat[] = [];
  /** Messages in which something was wrong. */
  refused = 0;

  constructor(points: readonly MessagePoint[]) {
    this.#seats = points.map((point) => ({
      point,
      heardMonoMs: null,
      reading: null,
      why: null,
      stale: false,
    }));
    for (const seat of this.#seats) {
      const { topic } = seat.point.address.source;
      if (hasWildcard(topic)) this.#wild.push(seat);
      else this.#byTopic.set(topic, [...(this.#byTopic.get(topic) ?? []), seat]);
    }
  }

  /** The readings of one message, in the order of the points. A retained one never covers what was heard live. */
  hear(message: Message, now: Now): Reading[] {
    const { topic, retained } = message;
    const wild = this.#wild.filter((seat) => topicMatches(seat.point.address.source.topic, topic));
    const seats = [...(this.#byTopic.get(topic) ?? []), ...wild];
    const due = retained ? seats.filter(({ heardMonoMs }) => heardMonoMs === null) : seats;
    if (due.length === 0) return [];
    // The broker deletes a retained message by an empty one; that is no value.
    if (retained && message.payload.length === 0) return [];
    const payload = new Payload(message.payload);
    let wrong = false;
    const readings = due.flatMap((seat) => {
      const { reading, why } = readOne(seat, payload, message, now);
      if (why !== null) wrong = true;
      if (reading === null) return [];
      seat.why = why === null ? null : `${topic}: ${why}`;
      seat.heardMonoMs = now.monoMs;
      seat.reading = reading;
      seat.stale = false;
      return [reading];
    });
    if (wrong) this.refused++;
    return readings;
  }

  /** Tags whose value stood for too long. Each is told once. */
  goStale({ monoMs }: Now): Reading[] {
    return this.#seats.flatMap((seat) => {
      const { staleMs } = seat.point.address;
      const { heardMonoMs } = seat;
      if (staleMs === 0 || heardMonoMs === null || seat.stale || monoMs - heardMonoMs < staleMs) return [];
      seat.stale = true;
      seat.why = `nothing came at ${seat.point.address.source.topic} for ${Math.round(staleMs / 1_000)} s`;
      seat.reading = { id: seat.point.id, value: null, quality: QUALITY["bad.stale"] };
      return [seat.reading];
    });
  }

  /** Every tag that still waits for its first message, as a reading; each is told once. */
  tellWaiting(): Reading[] {
    return this.#seats.flatMap((seat) => {
      if (seat.reading !== null) return [];
      seat.reading = { id: seat.point.id, value: null, quality: QUALITY["bad.waitingForData"] };
      seat.why = `nothing came at ${seat.point.address.source.topic} yet`;
      return [seat.reading];
    });
  }

  /** Gives tags a reading that did not come by a message, e.g. that the broker refuses their topic. */
  settle(ids: ReadonlySet<number>, quality: number, why: string): Reading[] {
    return this.#seats.flatMap((seat) => {
      if (!ids.has(seat.point.id)) return [];
      seat.reading = { id: seat.point.id, value: null, quality };
      seat.why = why;
      return [seat.reading];
    });
  }

  /** True when no tag has a value that still stands. */
  get silent(): boolean {
    return this.#seats.length > 0 && this.#seats.every(({ stale }) => stale);
  }

  get complete(): boolean {
    return this.#seats.every(({ reading }) => reading !== null);
  }

  present(): Reading[] {
    return this.#seats.flatMap(({ reading }) => (reading === null ? [] : [reading]));
  }

  /** Why a tag has no value, as a sentence; null when it has one. */
  explain(id: number): string | null {
    return this.#seats.find(({ point }) => point.id === id)?.why ?? null;
  }

  /** The first thing that is wrong now, for whoever looks at the device. */
  trouble(): string | null {
    return this.#seats.find(({ why }) => why !== null)?.why ?? null;
  }
}

/** Reading null: the message says nothing of this tag, and what stands goes on standing. */
function readOne(
  { point }: Seat,
  payload: Payload,
  message: Message,
  now: Now,
): { reading: Reading | null; why: string | null } {
  const { source, missing } = point.address;
  const { json } = source;
  if (json === null) {
    const text = payload.text();
    const found = text === null ? invalid("the message is no text (UTF-8)") : fromText(text, point.dataType);
    return { reading: dated(point, found, null, message, now), why: found.why };
  }
  const document = payload.json();
  if (!document.ok) {
    const found = invalid(`the message is not readable: ${document.why}`);
    return { reading: dated(point, found, null, message, now), why: found.why };
  }
  const place = lookUp(document.value, json);
  if (place === undefined && missing === "keep") return { reading: null, why: null };
  const found =
    place === undefined
      ? invalid("the message lacks the place the tag names")
      : fromJson(place, point.dataType);
  const time = source.time === null ? null : { found: lookUp(document.value, source.time) };
  const reading = dated(point, found, time, message, now);
  const timeWrong = time !== null && found.why === null && timeOf(time.found) === null;
  const why = timeWrong ? `the time ${inWords(time.found)} cannot be read` : found.why;
  return { reading, why };
}

/** Adds what is known of the age. A value is only as good as its time. */
function dated(
  { id, address }: MessagePoint,
  { value, quality }: Found,
  time: { found: unknown } | null,
  { retained, delayed }: Message,
  { wallMs }: Now,
): Reading {
  const reading: Reading = { id, value, quality };
  if (quality !== QUALITY.good) return reading;
  const sourceTimeMs = time === null ? null : timeOf(time.found);
  if (sourceTimeMs === null) {
    if (retained || delayed) return { ...reading, quality: QUALITY["uncertain.ageUnknown"] };
    return time === null ? reading : { ...reading, quality: QUALITY["uncertain.clock"] };
  }
  const ageMs = wallMs - sourceTimeMs;
  if (!retained || ageMs <= RETAINED_FRESH_MS) return { ...reading, sourceTimeMs };
  // It was the last one then; what has been since, nobody said.
  if (address.staleMs === 0 || ageMs <= address.staleMs)
    return { ...reading, quality: QUALITY["uncertain.lastUsable"], sourceTimeMs };
  return { id, value: null, quality: QUALITY["bad.stale"], sourceTimeMs };
}

/** A foreign object may bring a \`toString\` of its own that is none. */
function inWords(found: unknown): string {
  if (typeof found === "string") return quoted(found);
  return typeof found === "object" && found !== null ? "there is no text or number and" : String(found);
}
