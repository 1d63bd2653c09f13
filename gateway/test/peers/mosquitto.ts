import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "@millrace/contract/std/clock";

/** Where Debian puts it; `sbin` is not on every user's path. */
const PROGRAM = "/usr/sbin/mosquitto";

export interface MosquittoOptions {
  port?: number;
  /** Lines of `mosquitto.conf` beside the listener; without any, everybody may do everything. */
  config?: string[];
  /** Files of its folder by name, e.g. certificates or an access list. `%d` in `config` is the folder. */
  files?: Record<string, string>;
}

/** Debian's Mosquitto in a process of its own. */
export class Mosquitto implements AsyncDisposable {
  readonly port: number;
  readonly folder: string;
  #process: ReturnType<typeof Bun.spawn> | null = null;

  private constructor(port: number, folder: string) {
    this.port = port;
    this.folder = folder;
  }

  static async start({ port, config, files = {} }: MosquittoOptions = {}): Promise<Mosquitto> {
    const folder = await mkdtemp(join(tmpdir(), "millrace-mosquitto-"));
    const broker = new Mosquitto(port ?? (await freePort()), folder);
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
    const lines = [
      `listener ${broker.port} 127.0.0.1`,
      ...(process.getuid?.() === 0 ? ["user root"] : []),
      ...(config ?? ["allow_anonymous true"]).map((line) => line.replaceAll("%d", folder)),
    ];
    await writeFile(join(folder, "mosquitto.conf"), `${lines.join("\n")}\n`);
    await broker.up();
    return broker;
  }

  /** Starts it, also again after a kill, and waits until it listens. */
  async up(): Promise<void> {
    this.#process = Bun.spawn([PROGRAM, "-c", join(this.folder, "mosquitto.conf")], {
      stdout: "ignore",
      stderr: "ignore",
    });
    for (let tries = 0; tries < 500; tries++) {
      const heard = await Bun.connect({
        hostname: "127.0.0.1",
        port: this.port,
        socket: { data: () => undefined },
      }).then(
        (socket) => {
          socket.end();
          return true;
        },
        () => false,
      );
      if (heard) return;
      await systemClock.sleep(10);
    }
    throw new Error("Mosquitto did not start");
  }

  signal(name: "SIGKILL" | "SIGSTOP" | "SIGCONT"): void {
    this.#process?.kill(name);
  }

  /** Without a farewell, as a power cut. */
  async kill(): Promise<void> {
    this.signal("SIGKILL");
    await this.#process?.exited;
  }

  /** A message by Mosquitto's own client. */
  async publish(topic: string, payload: string | Uint8Array, more: string[] = []): Promise<number> {
    const client = Bun.spawn(
      ["mosquitto_pub", "-h", "127.0.0.1", "-p", String(this.port), "-t", topic, "-s", ...more],
      { stdin: Buffer.from(payload as Uint8Array), stdout: "ignore", stderr: "ignore" },
    );
    return await client.exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.signal("SIGCONT");
    await this.kill();
    await rm(this.folder, { recursive: true, force: true });
  }
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return port;
}
