import { connect, type Socket } from "node:net";
import type { Clock } from "@millrace/contract/std/clock";

/** Version, reserved, length: what precedes each packet (RFC 1006, 6). */
const HEADER_BYTES = 4;
/** Header, length, type, end mark: what precedes the bytes of a telegram. */
const DATA_HEAD_BYTES = 7;
/** Longest packet we take: 1024 is the transport size we ask for. */
const PACKET_BYTES_MAX = HEADER_BYTES + 1024 + 3;
/** Longest telegram, also from parts. */
const TELEGRAM_BYTES_MAX = 1024;
const KEEP_ALIVE_MS = 30_000;
const TYPE = { confirm: 0xd0, refuse: 0x80, data: 0xf0 } as const;

/** Where a CPU is called, and how. */
export interface IsoPlace {
  host: string;
  port: number;
  local: number;
  remote: number;
}

export type IsoStage = "tcp" | "iso" | "open";

export interface IsoEvents {
  /** The CPU accepted the connection; telegrams may go. */
  onOpen(): void;
  onTelegram(bytes: Buffer): void;
  /** The connection is over. `refused`: the CPU does not want these TSAPs. `garbled`: the bytes made no sense. */
  onFailed(how: "tcp" | "refused" | "lost" | "garbled", why: string, cause?: NodeJS.ErrnoException): void;
}

/**
 * ISO transport class 0 over TCP (RFC 1006 and 905): connection request, telegrams whole, nothing else. One link is one
 * socket: after an end there is only a new link, so a stale socket has nobody to call.
 */
export class IsoLink {
  stage: IsoStage = "tcp";
  readonly closed: Promise<void>;
  readonly #events: IsoEvents;
  readonly #ended = Promise.withResolvers<void>();
  readonly #socket: Socket;
  readonly #packet = Buffer.allocUnsafe(PACKET_BYTES_MAX);
  #filled = 0;
  #over = false;
  /** Parts of a telegram that came in several packets. */
  #parts: Buffer[] = [];
  #partBytes = 0;

  constructor(to: IsoPlace, events: IsoEvents) {
    this.#events = events;
    this.closed = this.#ended.promise;
    const socket = connect({ host: to.host, port: to.port, noDelay: true });
    this.#socket = socket;
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    let lastError: NodeJS.ErrnoException | undefined;
    // Stays for the whole life of the socket: an error without a listener would end the process.
    socket.on("error", (error) => {
      lastError = error;
    });
    socket.on("connect", () => {
      if (this.#over) return;
      this.stage = "iso";
      socket.write(connectRequest(to.local, to.remote));
    });
    socket.on("data", (chunk: Buffer) => this.#receive(chunk));
    socket.on("close", () => {
      const how = this.stage === "tcp" ? "tcp" : this.stage === "iso" ? "refused" : "lost";
      this.#end(how, lastError?.message ?? "the CPU closed the connection", lastError);
      this.#ended.resolve();
    });
  }

  send(telegram: Buffer): void {
    const packet = Buffer.allocUnsafe(DATA_HEAD_BYTES + telegram.length);
    packet.writeUInt16BE(0x0300, 0);
    packet.writeUInt16BE(packet.length, 2);
    packet[4] = 2;
    packet[5] = TYPE.data;
    packet[6] = 0x80;
    telegram.copy(packet, DATA_HEAD_BYTES);
    this.#socket.write(packet);
  }

  /** Ends the socket at once, connected or not. Reports nothing. */
  destroy(): void {
    this.#over = true;
    this.#socket.destroy();
  }

  #end(how: Parameters<IsoEvents["onFailed"]>[0], why: string, cause?: NodeJS.ErrnoException): void {
    if (this.#over) return;
    this.destroy();
    this.#events.onFailed(how, why, cause);
  }

  #receive(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length && !this.#over) {
      const wanted = this.#filled < HEADER_BYTES ? HEADER_BYTES : this.#packet.readUInt16BE(2);
      const count = Math.min(wanted - this.#filled, chunk.length - at);
      chunk.copy(this.#packet, this.#filled, at, at + count);
      this.#filled += count;
      at += count;
      if (this.#filled < wanted) return;
      if (wanted === HEADER_BYTES && !this.#headerFits()) return;
      if (this.#filled < this.#packet.readUInt16BE(2)) continue;
      this.#filled = 0;
      if (at < chunk.length && !this.#goesOn(chunk, at)) return;
      this.#take(this.#packet.subarray(0, this.#packet.readUInt16BE(2)));
    }
  }

  /**
   * When half a packet is followed by another, the other fills up the half and shows by its own end standing out: then
   * nothing of it may be taken for our values. So what stands behind a packet must be a packet.
   */
  #goesOn(chunk: Buffer, at: number): boolean {
    const left = chunk.length - at;
    const type = left < 6 ? TYPE.data : chunk[at + 5]! & 0xf0;
    const isHead =
      chunk[at] === 3 &&
      (left < 2 || chunk[at + 1] === 0) &&
      (type === TYPE.data || type === TYPE.refuse || type === TYPE.confirm);
    const length = left < HEADER_BYTES ? DATA_HEAD_BYTES : chunk.readUInt16BE(at + 2);
    if (isHead && length >= DATA_HEAD_BYTES && length <= PACKET_BYTES_MAX) return true;
    this.#end("garbled", "bytes behind a packet that are none");
    return false;
  }

  /** Checked as soon as it is here, so a wild length never makes us wait for or hold its bytes. */
  #headerFits(): boolean {
    const length = this.#packet.readUInt16BE(2);
    if (this.#packet[0] === 3 && length >= DATA_HEAD_BYTES && length <= PACKET_BYTES_MAX) return true;
    this.#end("garbled", `bytes that are no ISO packet (version ${this.#packet[0]}, length ${length})`);
    return false;
  }

  #take(packet: Buffer): void {
    const type = packet[5]! & 0xf0;
    if (this.stage === "iso") {
      if (type === TYPE.confirm) {
        this.stage = "open";
        this.#events.onOpen();
      } else if (type === TYPE.refuse) this.#end("refused", `refused by the CPU, reason ${packet[10] ?? 0}`);
      else this.#end("garbled", `a packet of type ${type} instead of the confirmation`);
      return;
    }
    if (type === TYPE.refuse) this.#end("lost", "the CPU ended the connection");
    else if (type !== TYPE.data || packet[4] !== 2)
      this.#end("garbled", `a packet of type ${type} instead of data`);
    else this.#data(packet.subarray(DATA_HEAD_BYTES), packet[6]! >= 0x80);
  }

  /** A telegram may come in several packets; old CPUs send an empty one before it. */
  #data(bytes: Buffer, last: boolean): void {
    if (last && this.#partBytes === 0) {
      // A copy: what is answered is decoded before the next packet overwrites this one, but a caller may keep it.
      this.#events.onTelegram(Buffer.from(bytes));
      return;
    }
    this.#partBytes += bytes.length;
    if (this.#partBytes > TELEGRAM_BYTES_MAX) return this.#end("garbled", "a telegram without end");
    if (bytes.length > 0) this.#parts.push(Buffer.from(bytes));
    if (!last) return;
    const telegram = Buffer.concat(this.#parts);
    this.#parts = [];
    this.#partBytes = 0;
    this.#events.onTelegram(telegram);
  }
}

/** Connection request with both TSAPs and a transport size of 1024 (RFC 905, 13.3). */
function connectRequest(local: number, remote: number): Buffer {
  const packet = Buffer.from([
    3, 0, 0, 22, 17, 0xe0, 0, 0, 0, 1, 0, 0xc0, 1, 10, 0xc1, 2, 0, 0, 0xc2, 2, 0, 0,
  ]);
  packet.writeUInt16BE(local, 16);
  packet.writeUInt16BE(remote, 20);
  return packet;
}

/** Whether a CPU takes a connection at this place. It is ended at once. */
export async function isoAnswers(
  to: IsoPlace,
  clock: Clock,
  waitMs: number,
  signal: AbortSignal,
): Promise<boolean> {
  const answered = Promise.withResolvers<boolean>();
  const link = new IsoLink(to, {
    onOpen: () => answered.resolve(true),
    onTelegram: () => undefined,
    onFailed: () => answered.resolve(false),
  });
  const onAbort = () => answered.resolve(false);
  signal.addEventListener("abort", onAbort, { once: true });
  const cancel = clock.after(waitMs, () => answered.resolve(false));
  const isThere = await answered.promise;
  cancel();
  signal.removeEventListener("abort", onAbort);
  link.destroy();
  await link.closed;
  return isThere;
}
