import { close, constants, open, writeSync } from "node:fs";
import { realpath, stat } from "node:fs/promises";
import { isatty } from "node:tty";
import { promisify } from "node:util";
import type { ModbusSettings } from "@millrace/contract/driver/modbus/settings";
import type { Line, LineEvents } from "./line.ts";

const openFile = promisify(open) as (path: string, flags: number) => Promise<number>;

/** A driver of a port that does not take its parameters hangs; nobody waits for it. */
const STTY_MS_MAX = 3_000;
/** Serial ports as Linux and macOS name them. Whatever else a path leads to is never opened: that alone may have effects. */
const SERIAL_PORT = /^\/dev\/(tty[A-Za-z]|cu\.|pts\/)/;
/** Silence between frames: 3.5 characters, and no less than this (MODBUS over Serial Line V1.02, 2.5.1.1). */
const SILENCE_MS_MIN = 1.75;
const SILENCE_CHARACTERS = 3.5;

/** Ports open in this process, by their real path: one line has one master. */
const OPEN = new Set<string>();

type SerialSettings = Pick<ModbusSettings, "baudRate" | "parity" | "stopBits"> & { serialPort: string };

const PARITY = { none: ["-parenb"], even: ["parenb", "-parodd"], odd: ["parenb", "parodd"] } as const;

/** `stty` arguments for a line that passes every byte as it is, 8 bits, no flow control. */
function sttyArguments({ baudRate, parity, stopBits }: SerialSettings): string[] {
  const stops = stopBits === 2 ? "cstopb" : "-cstopb";
  return [`${baudRate}`, "raw", "-echo", "cs8", ...PARITY[parity], stops, "clocal", "-crtscts", "-hupcl"];
}

export class SerialLineError extends Error {
  /** As of an error of the system: ENOENT, EACCES, EBUSY or another. */
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/**
 * A serial port by what the system itself offers: `stty` sets it up, and its file is read as it becomes readable. The
 * serial library of the ecosystem needs a part of Node's event loop that this runtime lacks, and ends the process.
 */
export class SerialLine implements Line {
  readonly msPerByte: number;
  readonly silenceMs: number;
  readonly #settings: SerialSettings;
  #fd: number | null = null;
  #reader: ReturnType<typeof readerOf> | null = null;
  #over = false;

  constructor(settings: SerialSettings) {
    const bits = 1 + 8 + (settings.parity === "none" ? 0 : 1) + settings.stopBits;
    this.msPerByte = (bits * 1_000) / settings.baudRate;
    this.silenceMs = Math.max(SILENCE_MS_MIN, SILENCE_CHARACTERS * this.msPerByte);
    this.#settings = settings;
  }

  open(events: LineEvents): void {
    void this.#run(events).then(
      () => events.onClosed(null),
      (error: Error) => events.onClosed(error),
    );
  }

  async #run({ onOpen, onBytes }: LineEvents): Promise<void> {
    const real = await this.#realPath();
    if (OPEN.has(real))
      throw new SerialLineError("EBUSY", "is open already under another name: give all its devices the same");
    OPEN.add(real);
    try {
      this.#fd = await openFile(real, constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK);
      if (!isatty(this.#fd)) throw new SerialLineError("ENOTTY", "is no serial port");
      await this.#setUp(real);
      if (this.#over) return;
      const reader = readerOf(this.#fd);
      this.#reader = reader;
      onOpen();
      for (;;) {
        const { done, value } = await reader.read();
        if (done || this.#over) return;
        onBytes(Buffer.from(value));
      }
    } finally {
      this.#over = true;
      const fd = this.#fd;
      this.#fd = null;
      await this.#reader?.cancel().catch(() => undefined);
      // Not on this thread: a port may wait until its last byte has left.
      if (fd !== null) await new Promise<void>((resolve) => close(fd, () => resolve()));
      OPEN.delete(real);
    }
  }

  async #realPath(): Promise<string> {
    const real = await realpath(this.#settings.serialPort);
    if (!SERIAL_PORT.test(real) || !(await stat(real)).isCharacterDevice())
      throw new SerialLineError("ENOTTY", "is no serial port");
    return real;
  }

  async #setUp(path: string): Promise<void> {
    const flag = process.platform === "linux" ? "-F" : "-f";
    const stty = Bun.spawn(["stty", flag, path, ...sttyArguments(this.#settings)], {
      stdin: "ignore",
      stdout: "ignore",
      stderr: "pipe",
      timeout: STTY_MS_MAX,
    });
    const why = await new Response(stty.stderr).text();
    if ((await stty.exited) === 0) return;
    throw new SerialLineError("EINVAL", `does not take the speed, parity or stop bits (${why.trim()})`);
  }

  send(bytes: Buffer): void {
    if (this.#fd === null) throw new SerialLineError("EBADF", "the port is closed");
    if (writeSync(this.#fd, bytes) !== bytes.length)
      throw new SerialLineError("EAGAIN", "the port takes no bytes");
  }

  destroy(): void {
    this.#over = true;
    void this.#reader?.cancel().catch(() => undefined);
  }
}

function readerOf(fd: number) {
  return Bun.file(fd).stream().getReader();
}
