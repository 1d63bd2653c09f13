import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

const SOURCE = join(import.meta.dir, "peers/snap7-plc.cpp");
/** Snap7 itself, as the package carries it: its binding for Node is neither built nor used. */
const SNAP7 = join(dirname(Bun.resolveSync("node-snap7/package.json", import.meta.dir)), "deps/snap7/src");
const NEEDS = "this test compiles a server: install the Debian package g++";

export interface Snap7Peer extends AsyncDisposable {
  port: number;
  /** One line to the peer, its answer back. */
  tell(line: string): Promise<string>;
  /** SIGKILL: no goodbye on any connection. */
  kill(): Promise<void>;
  /** SIGSTOP: the peer takes bytes and says nothing; SIGCONT: it goes on. */
  freeze(on: boolean): void;
  /** A new process at the same port. */
  start(): Promise<void>;
}

function freePort(): number {
  const probe = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const { port } = probe;
  probe.stop(true);
  return port;
}

async function compile(folder: string): Promise<string> {
  if (Bun.which("g++") === null) throw new Error(`g++ is missing; ${NEEDS}`);
  const path = join(folder, "snap7-plc");
  const sources = [...new Bun.Glob("{sys,core,lib}/*.cpp").scanSync(SNAP7)].map((name) => join(SNAP7, name));
  const folders = ["sys", "core", "lib"].map((name) => `-I${join(SNAP7, name)}`);
  const { exitCode, stderr } = Bun.spawnSync([
    "g++",
    "-O1",
    "-w",
    ...folders,
    "-o",
    path,
    SOURCE,
    ...sources,
    "-lpthread",
    "-lrt",
  ]);
  if (exitCode !== 0) throw new Error(`g++: ${stderr.toString()}; ${NEEDS}`);
  return path;
}

/** A CPU of foreign make: Snap7's server in a process of its own. */
export async function snap7Peer(): Promise<Snap7Peer> {
  const folder = await mkdtemp(join(tmpdir(), "millrace-snap7-"));
  const path = await compile(folder);
  const port = freePort();
  const launch = () => {
    const server = Bun.spawn([path, String(port)], { stdin: "pipe", stdout: "pipe", stderr: "inherit" });
    return { server, lines: server.stdout.getReader() };
  };
  let { server, lines } = launch();
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
    start: async () => {
      ({ server, lines } = launch());
      await ready();
    },
    async [Symbol.asyncDispose]() {
      await kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
