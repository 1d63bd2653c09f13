import { mkdirSync } from "node:fs";
import { join } from "node:path";

/** Compiles one of the C peers against Debian's libmodbus. @throws Error naming the missing Debian package. */
export function compilePeer(name: "modbus-fleet" | "bare-client", folder: string): string {
  mkdirSync(folder, { recursive: true });
  const source = join(import.meta.dir, "peers", `${name}.c`);
  const output = join(folder, name);
  const flags = Bun.spawnSync(["pkg-config", "--cflags", "--libs", "libmodbus"]);
  if (flags.exitCode !== 0)
    throw new Error("libmodbus is missing: apt-get install libmodbus-dev pkg-config gcc");
  const cc = Bun.spawnSync([
    "cc",
    "-O2",
    "-o",
    output,
    source,
    ...flags.stdout.toString().trim().split(/\s+/),
  ]);
  if (cc.exitCode !== 0) throw new Error(`cc refused ${source}: ${cc.stderr.toString()}`);
  return output;
}

/** A fleet of Modbus devices in a process of its own; resolves with one port a device. */
export async function startFleet(folder: string, devices: number, floats: number) {
  const process = Bun.spawn([compilePeer("modbus-fleet", folder), String(devices), String(floats)], {
    stdout: "pipe",
    stderr: "inherit",
  });
  const reader = process.stdout.getReader();
  let text = "";
  while (!text.includes("\n")) {
    const { value, done } = await reader.read();
    if (done) throw new Error("the Modbus fleet did not start");
    text += new TextDecoder().decode(value);
  }
  return { ports: text.trim().split(" ").map(Number), stop: () => process.kill("SIGKILL") };
}
