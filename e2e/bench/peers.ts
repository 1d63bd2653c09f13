import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { freePort } from "../stack/free-port.ts";

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

/** Compiles one of the C++ peers with the sources of Snap7 that `node-snap7` carries. */
export function compileSnap7Peer(name: "s7-fleet" | "s7-bare-client", folder: string): string {
  mkdirSync(folder, { recursive: true });
  const output = join(folder, name);
  const snap7 = join(dirname(Bun.resolveSync("node-snap7/package.json", import.meta.dir)), "deps/snap7/src");
  const folders = ["sys", "core", "lib"].map((part) => join(snap7, part));
  const sources = [...new Bun.Glob("{sys,core,lib}/*.cpp").scanSync(snap7)].map((path) => join(snap7, path));
  const made = Bun.spawnSync([
    ...["g++", "-std=c++14", "-O2", "-w", ...folders.map((path) => `-I${path}`), "-o", output],
    ...[join(import.meta.dir, "peers", `${name}.cpp`), ...sources, "-lpthread", "-lrt"],
  ]);
  if (made.exitCode !== 0) throw new Error(`g++ refused ${name}.cpp: ${made.stderr.toString()}`);
  return output;
}

/** CPUs made by Snap7 in a process of their own; resolves with one port a CPU. */
export async function startS7Fleet(
  folder: string,
  cpus: number,
  tags: { reals: number; ints: number; bools: number },
) {
  const ports = Array.from({ length: cpus }, () => freePort());
  const process = Bun.spawn(
    [
      compileSnap7Peer("s7-fleet", folder),
      ...[tags.reals, tags.ints, tags.bools, ...ports].map((number) => String(number)),
    ],
    { stdout: "pipe", stderr: "inherit" },
  );
  const { value } = await process.stdout.getReader().read();
  if (value === undefined) throw new Error("the S7 fleet did not start");
  return { ports, pid: process.pid, stop: () => process.kill("SIGKILL") };
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
