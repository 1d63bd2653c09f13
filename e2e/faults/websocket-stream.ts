/** Messages to send instead: none swallows it, several repeat it. Null leaves it as it is. */
export type MessageHook = (message: Message) => readonly Message[] | null;

export interface Message {
  binary: boolean;
  payload: Uint8Array;
}

const OPCODE_TEXT = 1;
const OPCODE_BINARY = 2;
const HEAD_END = "\r\n\r\n";

/**
 * One direction of a WebSocket connection, seen from the middle: passes the HTTP head and everything it does not know,
 * and lets a hook replace whole messages (RFC 6455). Fragmented messages pass untouched; ours never are.
 */
export class WebSocketStream {
  #rest: Buffer = Buffer.alloc(0);
  #at: "head" | "frames" | "opaque" = "head";

  /** @param masked True for client to server. */
  constructor(
    private readonly masked: boolean,
    private readonly hook: MessageHook,
  ) {}

  /** What to pass on for these bytes. */
  feed(chunk: Buffer): Buffer {
    if (this.#at === "opaque") return chunk;
    this.#rest = Buffer.concat([this.#rest, chunk]);
    const out: Buffer[] = [];
    if (this.#at === "head") {
      const end = this.#rest.indexOf(HEAD_END);
      if (end < 0) return Buffer.alloc(0);
      const head = this.#rest.subarray(0, end + HEAD_END.length);
      this.#rest = this.#rest.subarray(head.length);
      out.push(head);
      this.#at = /^upgrade: *websocket/im.test(head.toString("latin1")) ? "frames" : "opaque";
      if (this.#at === "opaque") {
        out.push(this.#rest);
        return Buffer.concat(out);
      }
    }
    for (let frame = this.#next(); frame !== null; frame = this.#next()) out.push(frame);
    return Buffer.concat(out);
  }

  /** The next whole frame, replaced where the hook says so; null when it has not come whole yet. */
  #next(): Buffer | null {
    const bytes = this.#rest;
    if (bytes.length < 2) return null;
    const short = bytes[1]! & 0x7f;
    const lengthBytes = short === 126 ? 2 : short === 127 ? 8 : 0;
    const maskAt = 2 + lengthBytes;
    const bodyAt = maskAt + (bytes[1]! & 0x80 ? 4 : 0);
    if (bytes.length < bodyAt) return null;
    let length = short;
    if (lengthBytes === 2) length = bytes.readUInt16BE(2);
    if (lengthBytes === 8) length = Number(bytes.readBigUInt64BE(2));
    if (bytes.length < bodyAt + length) return null;
    const frame = bytes.subarray(0, bodyAt + length);
    this.#rest = bytes.subarray(bodyAt + length);
    const opcode = bytes[0]! & 0x0f;
    // 0x80: the last fragment; 0x40: compressed, which ours never is.
    const plain = (bytes[0]! & 0xc0) === 0x80 && (opcode === OPCODE_TEXT || opcode === OPCODE_BINARY);
    if (!plain) return frame;
    const payload = Buffer.from(frame.subarray(bodyAt));
    if (bodyAt > maskAt) xor(payload, frame.subarray(maskAt, bodyAt));
    const messages = this.hook({ binary: opcode === OPCODE_BINARY, payload });
    if (messages === null) return frame;
    return Buffer.concat(messages.map((message) => frameOf(message, this.masked)));
  }
}

function xor(payload: Buffer, key: Uint8Array): void {
  for (let i = 0; i < payload.length; i++) payload[i] = payload[i]! ^ key[i & 3]!;
}

/** A whole message as one frame. The mask is zero where one is due, which leaves the payload as it is. */
export function frameOf({ binary, payload }: Message, masked: boolean): Buffer {
  const first = 0x80 | (binary ? OPCODE_BINARY : OPCODE_TEXT);
  const maskBit = masked ? 0x80 : 0;
  let head: Buffer;
  if (payload.length < 126) head = Buffer.from([first, maskBit | payload.length]);
  else if (payload.length < 65_536) {
    head = Buffer.from([first, maskBit | 126, 0, 0]);
    head.writeUInt16BE(payload.length, 2);
  } else {
    head = Buffer.from([first, maskBit | 127, 0, 0, 0, 0, 0, 0, 0, 0]);
    head.writeBigUInt64BE(BigInt(payload.length), 2);
  }
  return Buffer.concat(masked ? [head, Buffer.alloc(4), payload] : [head, payload]);
}
