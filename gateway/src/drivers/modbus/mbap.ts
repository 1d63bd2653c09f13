import type { Line } from "./line.ts";
import { Port, type PortEvents } from "./port.ts";
import { CRC_BYTES, mismatch, type Question, questionOf, withCrc } from "./question.ts";

/** Transaction id, protocol id and length: what precedes unit and PDU (MODBUS Messaging on TCP/IP V1.0b, 3.1.3). */
const HEADER_BYTES = 6;
/** Unit and the shortest PDU, an exception. */
const LENGTH_MIN = 3;
/** Unit and the longest PDU of 253 bytes. */
const LENGTH_MAX = 254;
/** Well-formed frames nobody asked for that we put up with between two accepted answers. */
const STRAYS_MAX = 64;
/** Answers we stopped waiting for and still remember. One is enough to doubt; the oldest go first. */
const OWED_MAX = 64;

/** The request whose answer we wait for. */
interface Pending extends Question {
  id: number;
  sentMs: number;
}

/** What is known of a peer beyond one connection. */
export interface PeerManners {
  /** It was seen to send one frame in several segments: then an older answer can get between them. */
  answersInPieces: boolean;
}

/** Modbus TCP: an answer must have the transaction id, unit, function, byte count and length of the request in flight. */
export class MbapPort extends Port {
  readonly #peer: PeerManners;
  readonly #monoMs: () => number;
  readonly #frame = Buffer.alloc(HEADER_BYTES + LENGTH_MAX);
  #filled = 0;
  /** The frame at hand came in more than one piece. */
  #inPieces = false;
  /** Requests we stopped waiting for, by id, whose answers may still come. */
  readonly #owed = new Map<number, Pending>();
  #pending: Pending | null = null;
  #lastId = 0;
  #strays = 0;

  constructor(line: Line, peer: PeerManners, events: PortEvents, monoMs: () => number) {
    super(line, events);
    this.#peer = peer;
    this.#monoMs = monoMs;
  }

  get #idsNotEchoed(): boolean {
    return this.rules?.idsNotEchoed === true;
  }

  /** The serial checksum is left out: TCP does not carry it. */
  write(rtu: Buffer): void {
    const question = questionOf(rtu);
    if (this.#pending !== null) throw new Error("one request is in flight already");
    this.#lastId = (this.#lastId + 1) & 0xffff;
    this.#pending = { ...question, id: this.#lastId, sentMs: this.#monoMs() };
    const body = rtu.length - CRC_BYTES;
    const adu = Buffer.allocUnsafe(HEADER_BYTES + body);
    adu.writeUInt16BE(this.#lastId, 0);
    adu.writeUInt16BE(0, 2);
    adu.writeUInt16BE(body, 4);
    rtu.copy(adu, HEADER_BYTES, 0, body);
    this.line.send(adu);
    this.events.onSent(0, false);
  }

  /**
   * We no longer wait: an answer that still comes is a stray.
   * @returns whether this connection can go on. It cannot in the middle of a frame, whose missing bytes may be lost, nor
   * with a peer that answers in pieces: the next answer would fill the hole, and Modbus TCP has no checksum to tell.
   */
  forget(): boolean {
    if (this.#pending !== null) {
      this.#owed.set(this.#pending.id, this.#pending);
      if (this.#owed.size > OWED_MAX) this.#owed.delete(this.#owed.keys().next().value!);
    }
    this.#pending = null;
    return this.#filled === 0 && !this.#peer.answersInPieces;
  }

  protected drop(): void {
    this.#pending = null;
  }

  protected receive(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length && !this.over) {
      const wanted = this.#filled < HEADER_BYTES ? HEADER_BYTES : HEADER_BYTES + this.#frame.readUInt16BE(4);
      const take = Math.min(wanted - this.#filled, chunk.length - at);
      chunk.copy(this.#frame, this.#filled, at, at + take);
      this.#filled += take;
      at += take;
      if (this.#filled < wanted) {
        this.#inPieces = true;
        return;
      }
      if (wanted === HEADER_BYTES) {
        if (!this.#headerFits()) return;
      } else {
        this.#filled = 0;
        const inPieces = this.#inPieces;
        this.#inPieces = false;
        this.#take(this.#frame.subarray(0, wanted), chunk.subarray(at), inPieces);
      }
    }
  }

  /** Checked as soon as it is here, so a wild length never makes us wait for or hold its bytes. */
  #headerFits(): boolean {
    const protocol = this.#frame.readUInt16BE(2);
    const length = this.#frame.readUInt16BE(4);
    if (protocol === 0 && length >= LENGTH_MIN && length <= LENGTH_MAX) return true;
    this.end("garbled", `bytes that are no Modbus TCP frame (protocol ${protocol}, length ${length})`);
    return false;
  }

  #take(frame: Buffer, rest: Buffer, inPieces: boolean): void {
    const pending = this.#pending;
    const id = frame.readUInt16BE(0);
    const owed = this.#owed.get(id);
    this.#owed.delete(id);
    if (pending === null || (id !== pending.id && !this.#idsNotEchoed)) {
      this.#stray(frame[HEADER_BYTES]!, owed);
      return;
    }
    this.#pending = null;
    this.#strays = 0;
    const why = mismatch(pending, frame.subarray(HEADER_BYTES));
    if (inPieces) this.#peer.answersInPieces = true;
    if (inPieces && this.#owed.size > 0)
      this.end("garbled", "an answer in pieces, while an older one may still be on its way");
    else if (why !== null) this.events.onGarbled(why);
    else if (this.#idsNotEchoed ? rest.length === 0 : isFrames(rest))
      this.emit("data", withCrc(frame.subarray(HEADER_BYTES)));
    else this.end("garbled", "bytes behind the answer that are no frame");
  }

  #stray(unit: number, owed: Pending | undefined): void {
    const isLate = owed !== undefined && !this.#idsNotEchoed;
    this.events.onStray(isLate ? owed.unit : unit, isLate ? this.#monoMs() - owed.sentMs : null);
    // Without ids an unasked frame means that question and answer may be one apart from now on.
    if (this.#idsNotEchoed)
      this.end("garbled", "an answer nobody asked for, from a converter that echoes no ids");
    else if (++this.#strays > STRAYS_MAX) this.end("garbled", `${this.#strays} answers nobody asked for`);
  }
}

/**
 * Whether these are whole frames and nothing else. When half an answer is followed by an older one, the older one
 * fills up the half and shows by its own end standing out: then nothing of it may be taken for our values.
 */
function isFrames(bytes: Buffer): boolean {
  let at = 0;
  while (at + HEADER_BYTES <= bytes.length && bytes.readUInt16BE(at + 2) === 0) {
    at += HEADER_BYTES + bytes.readUInt16BE(at + 4);
  }
  return at === bytes.length;
}
