import { createServer, type Server, type Socket } from "node:net";
import type { Clock } from "@millrace/contract/std/clock";

const PIECE_GAP_MS = 1;

/** A device of our own on a loopback port of this process: what each does with its sockets, whatever it speaks. */
export abstract class SimulatedPeer implements AsyncDisposable {
  /** Connections it ever took. */
  connections = 0;
  protected readonly clock: Clock;
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;

  constructor(clock: Clock) {
    this.clock = clock;
    this.#server = createServer((socket) => this.#serve(socket));
  }

  /** @param port 0 lets the system choose; a test that brings a device back gives the old one. */
  protected async listen(port: number): Promise<this> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(port, "127.0.0.1", resolve);
    });
    return this;
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  }

  /** Sockets open at this moment. */
  get socketsOpen(): number {
    return this.#sockets.size;
  }

  /** Pulls the cable of everybody connected. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Sends bytes nobody asked for. */
  blurt(bytes: Uint8Array): void {
    for (const socket of this.#sockets) socket.write(bytes);
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.cut();
    await closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Length of the first message among these bytes; infinite while it cannot be told yet. */
  protected abstract messageBytes(received: Buffer): number;

  /** @param message whole, and never touched again */
  protected abstract take(socket: Socket, message: Buffer): void;

  /** Each piece in a segment of its own. */
  protected async drip(socket: Socket, pieces: Iterable<Uint8Array>): Promise<void> {
    for (const piece of pieces) {
      if (!socket.writable) return;
      socket.write(piece);
      await this.clock.sleep(PIECE_GAP_MS);
    }
  }

  #serve(socket: Socket): void {
    this.connections++;
    this.#sockets.add(socket);
    socket.setNoDelay(true);
    socket.on("error", () => {});
    socket.on("close", () => this.#sockets.delete(socket));
    let rest: Buffer = Buffer.alloc(0);
    socket.on("data", (chunk: Buffer) => {
      rest = Buffer.concat([rest, chunk]);
      for (let bytes = this.messageBytes(rest); bytes <= rest.length; bytes = this.messageBytes(rest)) {
        const message = rest.subarray(0, bytes);
        rest = rest.subarray(bytes);
        this.take(socket, message);
      }
    });
  }
}

/** Its bytes one by one, for `drip`. */
export const singly = (bytes: Uint8Array): Uint8Array[] => Array.from(bytes, (byte) => Uint8Array.of(byte));
