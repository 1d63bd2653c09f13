import { connect, type Socket } from "node:net";

export interface LineEvents {
  onOpen(): void;
  onBytes(chunk: Buffer): void;
  /** Called once, when everything has ended, also after `destroy`. */
  onClosed(error: (Error & { code?: string }) | null): void;
}

/** What carries bytes to the device and back. One line is opened once; the next connection is another line. */
export interface Line {
  open(events: LineEvents): void;
  /** @throws Error when the line takes no bytes */
  send(bytes: Buffer): void;
  destroy(): void;
  /** How long a byte is on its way; 0 where the network is much faster than the devices. */
  readonly msPerByte: number;
  /** Silence that parts two frames, ms. */
  readonly silenceMs: number;
}

const KEEP_ALIVE_MS = 30_000;

export class TcpLine implements Line {
  readonly msPerByte = 0;
  readonly silenceMs = 0;
  readonly #host: string;
  readonly #port: number;
  #socket: Socket | null = null;

  constructor(host: string, port: number) {
    this.#host = host;
    this.#port = port;
  }

  open({ onOpen, onBytes, onClosed }: LineEvents): void {
    let lastError: Error | null = null;
    const socket = connect({ host: this.#host, port: this.#port, noDelay: true });
    this.#socket = socket;
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    // Stays for the whole life of the socket: an error without a listener would end the process.
    socket.on("error", (error) => {
      lastError = error;
    });
    socket.on("connect", onOpen);
    socket.on("data", onBytes);
    socket.on("close", () => onClosed(lastError));
  }

  send(bytes: Buffer): void {
    this.#socket!.write(bytes);
  }

  destroy(): void {
    this.#socket?.destroy();
  }
}
