import { connect, type Socket } from "node:net";

/** How long an answer of the hub may take before it counts as none. */
const ANSWER_MS_MAX = 45_000;

/** A frame of a WebSocket as it goes out, right or wrong. */
export interface WireFrame {
  /** FIN, RSV1 to RSV3 and the opcode. */
  first: number;
  payload: Uint8Array;
  masked: boolean;
  /** The length it claims; another than the payload's for a lie. */
  length: number;
}

export const textFrame = (text: string): WireFrame => {
  const payload = Buffer.from(text);
  return { first: 0x81, payload, masked: true, length: payload.length };
};
export const binaryFrame = (payload: Uint8Array): WireFrame => ({
  first: 0x82,
  payload,
  masked: true,
  length: payload.length,
});

/** Bytes of a frame; its mask is made of zeros, which is a mask as good as any. */
export function frameBytes({ first, payload, masked, length }: WireFrame): Buffer {
  const head = Buffer.alloc(length < 126 ? 2 : length < 65_536 ? 4 : 10);
  head[0] = first;
  head[1] = (masked ? 0x80 : 0) | (length < 126 ? length : length < 65_536 ? 126 : 127);
  if (length >= 65_536) head.writeBigUInt64BE(BigInt(length), 2);
  else if (length >= 126) head.writeUInt16BE(length, 2);
  return Buffer.concat([head, Buffer.alloc(masked ? 4 : 0), payload]);
}

/** A TCP connection from any address of loopback: each of 127.x.y.z counts as another machine. */
export class RawClient implements Disposable {
  /** What came and was not taken yet. */
  heard: Buffer = Buffer.alloc(0);
  closed = false;
  /** Of the close frame; 0 for an end without one, null before. */
  closeCode: number | null = null;
  readonly #socket: Socket;
  #wake: () => void = () => undefined;

  constructor(port: number, from = "127.0.0.1") {
    this.#socket = connect({ port, host: "127.0.0.1", localAddress: from });
    this.#socket.on("data", (chunk: Buffer) => {
      this.heard = this.heard.length === 0 ? chunk : Buffer.concat([this.heard, chunk]);
      this.#wake();
    });
    this.#socket.on("close", () => {
      this.closed = true;
      this.closeCode ??= 0;
      this.#wake();
    });
    this.#socket.on("error", () => undefined);
  }

  write(bytes: string | Uint8Array): void {
    if (!this.closed) this.#socket.write(bytes);
  }

  /** Waits until something comes or the connection ends. @returns false when `ms` passed first */
  async change(ms: number): Promise<boolean> {
    return await new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve(true);
      };
    });
  }

  /** Sends a request of HTTP/1.1 and reads the head of its answer. @returns 0 for none */
  async request(text: string): Promise<number> {
    this.write(text);
    const deadline = performance.now() + ANSWER_MS_MAX;
    while (!this.heard.includes("\r\n\r\n") && !this.closed)
      if (!(await this.change(deadline - performance.now()))) return 0;
    const end = this.heard.indexOf("\r\n\r\n");
    if (end < 0) return 0;
    const status = Number(this.heard.subarray(9, 12).toString());
    this.heard = this.heard.subarray(end + 4);
    return status;
  }

  /** @returns the status; 101 for a socket */
  async upgrade(path: string, headers: Record<string, string> = {}): Promise<number> {
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    return await this.request(
      `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n${lines.join("")}\r\n`,
    );
  }

  send(frame: WireFrame): void {
    this.write(frameBytes(frame));
  }

  /** Texts that have come whole since the last call. */
  texts(): string[] {
    const found: string[] = [];
    let at = 0;
    for (;;) {
      const frame = frameAt(this.heard, at);
      if (frame === null) break;
      if (frame.opcode === 1) found.push(frame.body.toString());
      if (frame.opcode === 8)
        this.closeCode = frame.body.length >= 2 ? frame.body.readUInt16BE(0) : (this.closeCode ?? 0);
      at = frame.end;
    }
    this.heard = this.heard.subarray(at);
    return found;
  }

  /** The next text that holds `what`, or null when the socket ends or nothing comes. */
  async textWith(what: string, ms = ANSWER_MS_MAX): Promise<string | null> {
    const deadline = performance.now() + ms;
    for (;;) {
      const found = this.texts().find((text) => text.includes(what));
      if (found !== undefined) return found;
      if (this.closed || !(await this.change(deadline - performance.now()))) return null;
    }
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }
}

/** A frame of the hub, which are neither masked nor cut in pieces; null while it is not whole. */
function frameAt(bytes: Buffer, at: number): { opcode: number; body: Buffer; end: number } | null {
  if (bytes.length < at + 2) return null;
  const short = bytes[at + 1]! & 0x7f;
  const begin = at + (short < 126 ? 2 : short === 126 ? 4 : 10);
  if (bytes.length < begin) return null;
  const length =
    short < 126 ? short : short === 126 ? bytes.readUInt16BE(at + 2) : Number(bytes.readBigUInt64BE(at + 2));
  const end = begin + length;
  return bytes.length < end ? null : { opcode: bytes[at]! & 0x0f, body: bytes.subarray(begin, end), end };
}

/** The so-manyth address of loopback from which attacks come; 127.0.0.1 is none of them. */
export const addressNo = (no: number): string =>
  `127.${1 + (Math.floor(no / 62_500) % 250)}.${Math.floor(no / 250) % 250}.${1 + (no % 250)}`;
