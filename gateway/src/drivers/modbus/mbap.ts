import { EventEmitter } from "node:events";
import { connect, type Socket } from "node:net";

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
const CRC_BYTES = 2;
/**
 * Writes we send, and how much of the PDU their answer repeats (V1.1b3, 6.5, 6.6, 6.11, 6.12, 6.16): all of it, or
 * function, address and count.
 */
const ECHO_BYTES: Readonly<Record<number, number>> = { 5: 5, 6: 5, 15: 5, 16: 5, 22: 7 };
const KEEP_ALIVE_MS = 30_000;

/** The request whose answer we wait for. */
interface Pending {
  id: number;
  unit: number;
  functionCode: number;
  /** Data bytes a good answer to a read must carry. */
  byteCount: number;
  /** The PDU a good answer to a write must be; null for a read. */
  echo: Buffer | null;
}

export interface MbapEvents {
  /** The answer to our request came and is not what we asked for. The framing is intact, the link goes on. */
  onGarbled(why: string): void;
  /** The connection is over. `garbled`: we ended it because the bytes made no sense. */
  onFailed(kind: "lost" | "garbled", why: string): void;
}

/** What is known of a peer beyond one connection. */
export interface PeerManners {
  /** It was seen to send one frame in several segments: then an older answer can get between them. */
  answersInPieces: boolean;
}

/**
 * The port we give the Modbus library instead of its own: that one takes any unit, function and byte count as an
 * answer, counts transactions to 256 and buffers without limit. Here a reply is handed up only when transaction id,
 * unit, function, byte count and length are all those of the request in flight; anything else never becomes a value.
 * One port is one socket: a new connection is a new port, so a stale socket has nobody to call.
 */
export class MbapPort extends EventEmitter {
  /** The library files its requests under this number. Only one is in flight, so it stays the same. */
  readonly _transactionIdWrite = 1;
  readonly _transactionIdRead = 1;
  /** See the setting of the same name; set before each request. */
  idsNotEchoed = false;
  isOpen = false;
  readonly closed: Promise<void>;

  readonly #host: string;
  readonly #portNo: number;
  readonly #peer: PeerManners;
  readonly #events: MbapEvents;
  readonly #ended = Promise.withResolvers<void>();
  readonly #frame = Buffer.alloc(HEADER_BYTES + LENGTH_MAX);
  #filled = 0;
  /** The frame at hand came in more than one piece. */
  #inPieces = false;
  /** Ids of requests we stopped waiting for, whose answers may still come. */
  readonly #owed = new Set<number>();
  #socket: Socket | null = null;
  #over = false;
  #pending: Pending | null = null;
  #lastId = 0;
  #strays = 0;

  constructor(host: string, port: number, peer: PeerManners, events: MbapEvents) {
    super();
    this.#host = host;
    this.#portNo = port;
    this.#peer = peer;
    this.#events = events;
    this.closed = this.#ended.promise;
  }

  /** @param callback called once: without an argument when connected, else with the socket's error. */
  open(callback: (error?: Error) => void): void {
    let answered = false;
    const answer = (error?: Error) => {
      if (answered) return;
      answered = true;
      callback(error);
    };
    let lastError: Error | undefined;
    const socket = connect({ host: this.#host, port: this.#portNo, noDelay: true });
    this.#socket = socket;
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    // Stays for the whole life of the socket: an error without a listener would end the process.
    socket.on("error", (error) => {
      lastError = error;
      answer(error);
    });
    socket.on("connect", () => {
      if (this.#over) return;
      this.isOpen = true;
      answer();
    });
    socket.on("data", (chunk: Buffer) => this.#receive(chunk));
    socket.on("close", () => {
      answer(lastError ?? new Error("closed before it was open"));
      this.#end("lost", lastError?.message ?? "the peer closed the connection");
      this.#ended.resolve();
    });
  }

  /** Sends a request the library built: unit, PDU and a serial checksum, which TCP does not carry. */
  write(rtu: Buffer): void {
    const functionCode = rtu[1]!;
    const echoBytes = ECHO_BYTES[functionCode];
    const isRead = functionCode >= 1 && functionCode <= 4;
    if (!isRead && echoBytes === undefined) throw new Error(`function ${functionCode} is not used here`);
    if (this.#pending !== null) throw new Error("one request is in flight already");
    const count = rtu.readUInt16BE(4);
    this.#lastId = (this.#lastId + 1) & 0xffff;
    this.#pending = {
      id: this.#lastId,
      unit: rtu[0]!,
      functionCode,
      byteCount: functionCode <= 2 ? Math.ceil(count / 8) : count * 2,
      echo: echoBytes === undefined ? null : Buffer.from(rtu.subarray(1, 1 + echoBytes)),
    };
    const body = rtu.length - CRC_BYTES;
    const adu = Buffer.allocUnsafe(HEADER_BYTES + body);
    adu.writeUInt16BE(this.#lastId, 0);
    adu.writeUInt16BE(0, 2);
    adu.writeUInt16BE(body, 4);
    rtu.copy(adu, HEADER_BYTES, 0, body);
    this.#socket!.write(adu);
  }

  /**
   * We no longer wait: an answer that still comes is a stray.
   * @returns whether this connection can go on. It cannot in the middle of a frame, whose missing bytes may be lost, nor
   * with a peer that answers in pieces: the next answer would fill the hole, and Modbus TCP has no checksum to tell.
   */
  forget(): boolean {
    if (this.#pending !== null) {
      this.#owed.add(this.#pending.id);
      if (this.#owed.size > OWED_MAX) this.#owed.delete(this.#owed.values().next().value!);
    }
    this.#pending = null;
    return this.#filled === 0 && !this.#peer.answersInPieces;
  }

  close(callback?: () => void): void {
    this.destroy(callback);
  }

  /** Ends the socket at once, connected or not. Reports nothing. */
  destroy(callback?: () => void): void {
    this.#over = true;
    this.isOpen = false;
    this.#pending = null;
    if (this.#socket === null) this.#ended.resolve();
    else this.#socket.destroy();
    callback?.();
  }

  #end(kind: "lost" | "garbled", why: string): void {
    if (this.#over) return;
    const wasOpen = this.isOpen;
    this.destroy();
    if (wasOpen) this.#events.onFailed(kind, why);
  }

  #receive(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length && !this.#over) {
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
    this.#end("garbled", `bytes that are no Modbus TCP frame (protocol ${protocol}, length ${length})`);
    return false;
  }

  #take(frame: Buffer, rest: Buffer, inPieces: boolean): void {
    const pending = this.#pending;
    const id = frame.readUInt16BE(0);
    this.#owed.delete(id);
    if (pending === null || (id !== pending.id && !this.idsNotEchoed)) {
      this.#stray();
      return;
    }
    this.#pending = null;
    this.#strays = 0;
    const why = mismatch(pending, frame);
    if (inPieces) this.#peer.answersInPieces = true;
    if (inPieces && this.#owed.size > 0)
      this.#end("garbled", "an answer in pieces, while an older one may still be on its way");
    else if (why !== null) this.#events.onGarbled(why);
    else if (this.idsNotEchoed ? rest.length === 0 : isFrames(rest)) this.emit("data", toRtu(frame));
    else this.#end("garbled", "bytes behind the answer that are no frame");
  }

  #stray(): void {
    // Without ids an unasked frame means that question and answer may be one apart from now on.
    if (this.idsNotEchoed)
      this.#end("garbled", "an answer nobody asked for, from a converter that echoes no ids");
    else if (++this.#strays > STRAYS_MAX) this.#end("garbled", `${this.#strays} answers nobody asked for`);
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

/** What is wrong with the answer, in words; null when it is the answer. */
function mismatch(pending: Pending, frame: Buffer): string | null {
  const unit = frame[6]!;
  const functionCode = frame[7]!;
  const pduBytes = frame.length - HEADER_BYTES - 1;
  if (unit !== pending.unit) return `unit ${unit} answered for unit ${pending.unit}`;
  if (functionCode === (pending.functionCode | 0x80)) {
    return pduBytes === 2 ? null : `an exception of ${pduBytes} bytes`;
  }
  if (functionCode !== pending.functionCode) {
    return `function ${functionCode} in the answer to function ${pending.functionCode}`;
  }
  if (pending.echo !== null) {
    return pending.echo.equals(frame.subarray(HEADER_BYTES + 1))
      ? null
      : "a write that is not the one asked for";
  }
  if (frame[8] !== pending.byteCount || pduBytes !== 2 + pending.byteCount) {
    return `${pduBytes - 2} data bytes, said to be ${frame[8]}, where ${pending.byteCount} were asked for`;
  }
  return null;
}

/** Frame → what a serial line would have delivered: unit, PDU, checksum. The library reads no other form. */
function toRtu(frame: Buffer): Buffer {
  const body = frame.length - HEADER_BYTES;
  const rtu = Buffer.allocUnsafe(body + CRC_BYTES);
  frame.copy(rtu, 0, HEADER_BYTES);
  rtu.writeUInt16LE(crc16(rtu, body), body);
  return rtu;
}

const CRC_TABLE = Uint16Array.from({ length: 256 }, (_, index) => {
  let crc = index;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >> 1) ^ 0xa001 : crc >> 1;
  return crc;
});

/** CRC-16 of MODBUS over Serial Line V1.02, 6.2.2. */
function crc16(bytes: Buffer, end: number): number {
  let crc = 0xffff;
  for (let index = 0; index < end; index++) crc = (crc >> 8) ^ CRC_TABLE[(crc ^ bytes[index]!) & 0xff]!;
  return crc;
}
