import { connect, type Socket } from "node:net";
import { systemClock } from "@millrace/contract/std/clock";

/** A TCP connection that says exactly what it is told to say, for what no well-behaved client would. */
export class RawSocket implements Disposable {
  heard = Buffer.alloc(0);
  closed = false;
  readonly #socket: Socket;

  constructor(port: number) {
    this.#socket = connect(port, "127.0.0.1");
    this.#socket.on("data", (chunk) => {
      this.heard = Buffer.concat([this.heard, chunk]);
    });
    this.#socket.on("close", () => {
      this.closed = true;
    });
    this.#socket.on("error", () => undefined);
  }

  write(bytes: string | Uint8Array): void {
    this.#socket.write(bytes);
  }

  /** @throws Error when it does not become true within 10 s */
  async until(isTrue: () => boolean, what: string): Promise<void> {
    const deadline = systemClock.monoMs() + 10_000;
    while (!isTrue()) {
      if (systemClock.monoMs() > deadline) throw new Error(`${what} did not happen within 10 s`);
      await systemClock.sleep(5);
    }
  }

  /** Status and head of the answer to an upgrade. */
  async upgrade(path: string, headers: Record<string, string>): Promise<{ status: number; head: string }> {
    const lines = Object.entries({
      host: "localhost:8080",
      connection: "Upgrade",
      upgrade: "websocket",
      "sec-websocket-version": "13",
      "sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA==",
      ...headers,
    }).map(([name, value]) => `${name}: ${value}\r\n`);
    this.write(`GET ${path} HTTP/1.1\r\n${lines.join("")}\r\n`);
    await this.until(() => this.heard.includes("\r\n\r\n") || this.closed, "an answer to the upgrade");
    const end = this.heard.indexOf("\r\n\r\n");
    const head = this.heard.subarray(0, end).toString();
    this.heard = this.heard.subarray(end + 4);
    return { status: Number(head.slice(9, 12)), head };
  }

  /** A frame as a client sends it, masked by zeros. @param first FIN, RSV1 to RSV3 and the opcode */
  frame(first: number, payload: Uint8Array): void {
    const { length } = payload;
    const head = Buffer.alloc(length < 126 ? 2 : length < 65_536 ? 4 : 10);
    head[0] = first;
    head[1] = 0x80 | (length < 126 ? length : length < 65_536 ? 126 : 127);
    if (length >= 65_536) head.writeBigUInt64BE(BigInt(length), 2);
    else if (length >= 126) head.writeUInt16BE(length, 2);
    this.write(Buffer.concat([head, Buffer.alloc(4), payload]));
  }

  text(text: string): void {
    this.frame(0x81, Buffer.from(text));
  }

  /** The code of the close frame the hub sent, 0 when it closed without one. */
  async closeCode(): Promise<number> {
    await this.until(() => this.closed, "the end of the socket");
    for (let at = 0; at + 2 <= this.heard.length; ) {
      const short = this.heard[at + 1]! & 0x7f;
      const size = short === 126 ? this.heard.readUInt16BE(at + 2) : short === 127 ? 0 : short;
      const body = at + (short < 126 ? 2 : short === 126 ? 4 : 10);
      const length = short === 127 ? Number(this.heard.readBigUInt64BE(at + 2)) : size;
      if ((this.heard[at]! & 0x0f) === 0x08) return length >= 2 ? this.heard.readUInt16BE(body) : 0;
      at = body + length;
    }
    return 0;
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }
}
