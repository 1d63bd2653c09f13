import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import { AppError } from "@millrace/contract/error/app-error";
import type { PacketGuard } from "./packet-guard.ts";

/**
 * A socket behind a guard. The first bad byte ends it; a reader that is slow makes the socket wait, so what is not read
 * stays with whoever sent it.
 */
export class GuardedStream extends Duplex {
  readonly #socket: Socket;
  readonly #guard: PacketGuard;

  constructor(socket: Socket, guard: PacketGuard) {
    super();
    this.#socket = socket;
    this.#guard = guard;
    socket.on("data", (bytes: Buffer) => this.#take(bytes));
    socket.on("end", () => this.push(null));
    socket.on("error", (error) => this.destroy(error));
    socket.on("close", () => this.destroy());
  }

  get remoteAddress(): string | undefined {
    return this.#socket.remoteAddress;
  }

  #take(bytes: Buffer): void {
    if (this.destroyed) return;
    const wrong = this.#guard.feed(bytes);
    if (wrong !== null) {
      this.destroy(new AppError("link.garbled", `the other side sent ${wrong}`));
    } else if (!this.push(bytes)) this.#socket.pause();
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    // Why a write failed the socket says by itself, and better.
    this.#socket.write(chunk, () => done());
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#socket.end();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#socket.destroy();
    done(error);
  }
}
