import { join } from "node:path";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";

const SOURCE = join(import.meta.dir, "../../../test/peers/opcua-server.ts");

export interface PeerOptions {
  port?: number;
  /** How far the server's clock is off, ms. */
  clockOffMs?: number;
  /** Whether it accepts every client's certificate; true unless said otherwise. */
  trustsClients?: boolean;
  /** It offers no protection at all. */
  insecure?: boolean;
  sessionsMax?: number;
  /** Connections it takes; as many as sessions unless said otherwise. */
  connectionsMax?: number;
  /** Most nodes in one request. */
  nodesMax?: number;
  /** Namespaces that come before ours, so that our index moves. */
  namespacesBefore?: number;
  /** Variables v0, v1 … of type Double. */
  variables?: number;
  /** So many of them get another value each second, spread over it. */
  changing?: number;
  /** Most monitored items it takes; the library's own limit is far below ten thousand. */
  itemsMax?: number;
}

export type PeerCommand =
  | { do: "set"; node: string; value: unknown; status?: string; at?: number }
  | { do: "add"; node: string; value: number }
  | { do: "burst"; node: string; values: number[]; everyMs: number }
  | { do: "counts" };

/** A server of the node-opcua project in a process of its own. */
export interface OpcuaPeer extends AsyncDisposable {
  port: number;
  pid: number;
  tell(command: PeerCommand): void;
  counts(): Promise<{ sessions: number; subscriptions: number }>;
  /** Without a farewell, as a power cut. */
  kill(): Promise<void>;
}

export async function opcuaPeer(options: PeerOptions = {}): Promise<OpcuaPeer> {
  const server = Bun.spawn([process.execPath, SOURCE, JSON.stringify(options)], {
    stdin: "pipe",
    stdout: "pipe",
    stderr: "ignore",
  });
  const lines = createInterface({ input: Readable.fromWeb(server.stdout as never) })[Symbol.asyncIterator]();
  // The library prints now and then; only lines of JSON are ours.
  const answer = async <T>(): Promise<T> => {
    for (;;) {
      const { value, done } = await lines.next();
      if (done) throw new Error("the OPC UA peer ended");
      if (value.startsWith("{")) return JSON.parse(value) as T;
    }
  };
  const tell = (command: PeerCommand) => {
    server.stdin.write(`${JSON.stringify(command)}\n`);
    server.stdin.flush();
  };
  const { port } = await answer<{ port: number }>();
  const kill = async () => {
    server.kill("SIGKILL");
    await server.exited;
  };
  return {
    port,
    pid: server.pid,
    tell,
    async counts() {
      tell({ do: "counts" });
      return answer();
    },
    kill,
    async [Symbol.asyncDispose]() {
      server.stdin.end();
      await Promise.race([server.exited, Bun.sleep(1_000)]);
      await kill();
    },
  };
}
