import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const SOURCE = join(import.meta.dir, "peers/libmodbus-server.c");
const NEEDS = "this test compiles a server: install the Debian packages gcc, pkg-config and libmodbus-dev";

export interface LibmodbusPeer extends AsyncDisposable {
  readonly port: number;
  /** SIGKILL: no goodbye on any connection. */
  kill(): Promise<void>;
  /** SIGSTOP: the peer takes bytes and says nothing; SIGCONT: it goes on. */
  freeze(on: boolean): void;
  /** A new process, at another port. */
  start(): Promise<void>;
}

/** @throws Error with the packages to install when a tool or the library is missing. */
function run(command: string[]): string {
  if (Bun.which(command[0]!) === null) throw new Error(`${command[0]} is missing; ${NEEDS}`);
  const { exitCode, stdout, stderr } = Bun.spawnSync(command);
  if (exitCode !== 0) throw new Error(`${command.join(" ")}: ${stderr.toString()}; ${NEEDS}`);
  return stdout.toString().trim();
}

/**
 * A device of foreign make that serves one connection at a time, as many devices do.
 * @param serialPort where it is unit 1 of a line, instead of Modbus TCP
 */
export async function libmodbusPeer(serialPort?: string): Promise<LibmodbusPeer> {
  const folder = await mkdtemp(join(tmpdir(), "millrace-libmodbus-"));
  const path = join(folder, "server");
  const flags = run(["pkg-config", "--cflags", "--libs", "libmodbus"]).split(/\s+/);
  run(["cc", "-Wall", "-Werror", "-o", path, SOURCE, ...flags]);
  const launch = async () => {
    const server = Bun.spawn(serialPort === undefined ? [path] : [path, serialPort], {
      stdout: "pipe",
      stderr: "inherit",
    });
    const { value } = await server.stdout.getReader().read();
    return { server, port: Number(new TextDecoder().decode(value)) };
  };
  let { server, port } = await launch();
  const kill = async () => {
    server.kill("SIGKILL");
    await server.exited;
  };
  return {
    get port() {
      return port;
    },
    kill,
    freeze: (on) => server.kill(on ? "SIGSTOP" : "SIGCONT"),
    start: async () => {
      ({ server, port } = await launch());
    },
    async [Symbol.asyncDispose]() {
      await kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
