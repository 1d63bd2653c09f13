import { readdirSync, readlinkSync, rmSync, symlinkSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

const OWN_FILES = "/proc/self/fd";

/** Pseudo terminals this process has open, once per open file. */
function terminals(): string[] {
  return readdirSync(OWN_FILES).flatMap((name) => {
    try {
      const target = readlinkSync(join(OWN_FILES, name));
      return target.startsWith("/dev/pts/") ? [target] : [];
    } catch {
      return [];
    }
  });
}

/** Where the bytes of a simulated line come from and go to. */
export interface LineEnd {
  write(bytes: Uint8Array): void;
  close(): void;
}

/**
 * A serial port made of a pseudo terminal, under a name that stays when the adapter is pulled and plugged in again. Needs
 * the `/proc` of Linux, as whoever tests it has.
 */
export class SimulatedLine {
  readonly path: string;
  readonly #folder: string;
  readonly #end: LineEnd;
  #terminal: Bun.Terminal | null = null;
  #real = "";

  private constructor(folder: string, makeEnd: (toLine: (bytes: Uint8Array) => void) => LineEnd) {
    this.#folder = folder;
    this.path = join(folder, "port");
    this.#end = makeEnd((bytes) => this.#terminal?.write(bytes));
    this.plug();
  }

  /** @param makeEnd gets the function that sends bytes to whoever has the port open */
  static async start(makeEnd: (toLine: (bytes: Uint8Array) => void) => LineEnd): Promise<SimulatedLine> {
    return new SimulatedLine(await mkdtemp(join(tmpdir(), "millrace-line-")), makeEnd);
  }

  /** A line with the device of a TCP port at its other end. */
  static async to(port: number): Promise<SimulatedLine> {
    let socket: Socket | null = null;
    await new Promise<void>((resolve, reject) => {
      socket = connect({ host: "127.0.0.1", port, noDelay: true }, resolve);
      socket.once("error", reject);
    });
    return await SimulatedLine.start((toLine) => {
      socket!.on("data", toLine);
      return { write: (bytes) => void socket!.write(bytes), close: () => socket!.destroy() };
    });
  }

  /** Two ports with a cable between them. */
  static async pair(): Promise<[SimulatedLine, SimulatedLine]> {
    let there: SimulatedLine | null = null;
    let toHere: (bytes: Uint8Array) => void = () => {};
    const here = await SimulatedLine.start((toLine) => {
      toHere = toLine;
      return { write: (bytes) => void there?.send(bytes), close: () => {} };
    });
    there = await SimulatedLine.start(() => ({ write: (bytes) => toHere(bytes), close: () => {} }));
    return [here, there];
  }

  /** To whoever has the port open. */
  send(bytes: Uint8Array): void {
    this.#terminal?.write(bytes);
  }

  /** 1 while somebody in this process has the port open, however many handles that takes. */
  opened(): number {
    const own = this.#terminal === null ? 0 : 1;
    return terminals().filter((path) => path.split(" ")[0] === this.#real).length > own ? 1 : 0;
  }

  /** The adapter is pulled: the port is gone. */
  unplug(): void {
    this.#terminal?.close();
    this.#terminal = null;
    rmSync(this.path, { force: true });
  }

  plug(): void {
    const before = terminals();
    this.#terminal = new Bun.Terminal({ data: (_, bytes) => this.#end.write(bytes) });
    this.#real = terminals().find((path) => !before.includes(path)) ?? "";
    symlinkSync(this.#real, this.path);
  }

  replug(): void {
    this.unplug();
    this.plug();
  }

  async close(): Promise<void> {
    this.unplug();
    this.#end.close();
    await rm(this.#folder, { recursive: true, force: true });
  }
}
