import { mkdir, rename } from "node:fs/promises";
import { dirname, join } from "node:path";

const SOURCE = join(import.meta.dir, "peers/snap7-plc.cpp");
/** Snap7 itself, as the package carries it: its binding for Node is neither built nor used. */
const PACKAGE = Bun.resolveSync("node-snap7/package.json", import.meta.dir);
const SNAP7 = join(dirname(PACKAGE), "deps/snap7/src");
const CACHE = join(import.meta.dir, "../../.cache");
const LOCALHOST = "127.0.0.1";
const NEEDS = "this test compiles a server: install the Debian package g++";

export interface Snap7Peer extends AsyncDisposable {
  port: number;
  /** One line to the peer, its answer back. */
  tell(line: string): Promise<string>;
  /** SIGKILL: no goodbye on any connection. */
  kill(): Promise<void>;
  /** SIGSTOP: the peer takes bytes and says nothing; SIGCONT: it goes on. */
  freeze(on: boolean): void;
  /** A new process at the same port; at another address when one is given. */
  start(address?: string): Promise<void>;
}

function freePort(): number {
  const probe = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const { port } = probe;
  probe.stop(true);
  return port;
}

/** Compiled once for all test files: the name holds what it was made of, and it appears whole or not at all. */
async function compiled(): Promise<string> {
  if (Bun.which("g++") === null) throw new Error(`g++ is missing; ${NEEDS}`);
  const sources = [...new Bun.Glob("{sys,core,lib}/*.cpp").scanSync(SNAP7)].toSorted();
  const hash = new Bun.CryptoHasher("sha256");
  for (const file of [SOURCE, PACKAGE]) hash.update(await Bun.file(file).bytes());
  const path = join(CACHE, `snap7-plc-${hash.digest("hex").slice(0, 16)}`);
  if (await Bun.file(path).exists()) return path;
  await mkdir(CACHE, { recursive: true });
  const folders = ["sys", "core", "lib"].map((name) => `-I${join(SNAP7, name)}`);
  const files = [SOURCE, ...sources.map((name) => join(SNAP7, name))];
  const made = `${path}.${process.pid}`;
  const { exitCode, stderr } = Bun.spawnSync([
    ...["g++", "-O1", "-w", ...folders, "-o", made, ...files, "-lpthread", "-lrt"],
  ]);
  if (exitCode !== 0) throw new Error(`g++: ${stderr.toString()}; ${NEEDS}`);
  await rename(made, path);
  return path;
}

/** A CPU of foreign make: Snap7's server in a process of its own. */
export async function snap7Peer(): Promise<Snap7Peer> {
  const path = await compiled();
  const port = freePort();
  const launch = (address: string) => {
    const server = Bun.spawn([path, String(port), address], {
      stdin: "pipe",
      stdout: "pipe",
      stderr: "inherit",
    });
    return { server, lines: server.stdout.getReader() };
  };
  let { server, lines } = launch(LOCALHOST);
  const answer = async () => new TextDecoder().decode((await lines.read()).value).trim();
  const ready = async () => {
    const said = await answer();
    if (said !== "ready") throw new Error(`Snap7 did not start at port ${port}: ${said}`);
  };
  const kill = async () => {
    server.kill("SIGKILL");
    await server.exited;
  };
  await ready();
  return {
    port,
    tell: async (line) => {
      server.stdin.write(`${line}\n`);
      server.stdin.flush();
      return await answer();
    },
    kill,
    freeze: (on) => server.kill(on ? "SIGSTOP" : "SIGCONT"),
    start: async (address = LOCALHOST) => {
      ({ server, lines } = launch(address));
      await ready();
    },
    async [Symbol.asyncDispose]() {
      await kill();
    },
  };
}
