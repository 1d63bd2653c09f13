import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const SOURCE = join(import.meta.dir, "peers/libmodbus-server.c");
const NEEDS = "this test compiles a server: install the Debian packages gcc, pkg-config and libmodbus-dev";

export interface LibmodbusPeer extends AsyncDisposable {
  port: number;
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
  const server = Bun.spawn(serialPort === undefined ? [path] : [path, serialPort], {
    stdout: "pipe",
    stderr: "inherit",
  });
  const { value } = await server.stdout.getReader().read();
  return {
    port: Number(new TextDecoder().decode(value)),
    async [Symbol.asyncDispose]() {
      server.kill();
      await server.exited;
      await rm(folder, { recursive: true, force: true });
    },
  };
}
