import { getLogger } from "@logtape/logtape";
import type { Server } from "bun";
import type { TlsPair } from "./certificate.ts";

const logger = getLogger(["hub", "tls"]);

type AnyServer = Server<unknown>;

/** What of the application the listener needs; it is put into `server` anew by each `listen`. */
interface Listening {
  server: AnyServer | null;
  listen(options: {
    hostname: string;
    port: number;
    reusePort: false;
    tls?: { cert: string; key: string };
  }): unknown;
}

/**
 * Serves the application, and goes over to another certificate without dropping anybody: the runtime cannot change the
 * certificate of an open socket (measured), so the old listener takes no more connections, keeps the ones it has until
 * they end, and a new one opens at the same port in the same turn of the event loop.
 */
export class HubListener {
  readonly #old = new Set<AnyServer>();
  #pair: TlsPair | null;

  constructor(
    readonly app: Listening,
    readonly address: { hostname: string; port: number },
    pair: TlsPair | null,
  ) {
    this.#pair = pair;
    this.#open(address.port, pair);
  }

  get port(): number {
    return this.app.server?.port ?? 0;
  }

  /** @throws Error when the new certificate cannot be served with; the old one goes on then */
  swap(pair: TlsPair): void {
    const { port } = this;
    const old = this.app.server;
    if (old !== null) {
      this.#old.add(old);
      void old.stop().finally(() => this.#old.delete(old));
    }
    try {
      this.#open(port, pair);
      this.#pair = pair;
    } catch (thrown) {
      logger.error("The new certificate cannot be served with; the old one goes on: {error}", {
        error: thrown,
      });
      this.#open(port, this.#pair);
      throw thrown;
    }
  }

  /** Ends every connection, also those from before a swap. */
  async stop(): Promise<void> {
    const servers = [...this.#old, this.app.server];
    this.app.server = null;
    await Promise.all(servers.map((server) => server?.stop(true)));
  }

  #open(port: number, pair: TlsPair | null): void {
    // Sharing a port is the default of the framework: two hubs would then take turns at each request.
    const tls = pair === null ? {} : { tls: { cert: pair.cert, key: pair.key } };
    this.app.listen({ hostname: this.address.hostname, port, reusePort: false, ...tls });
  }
}
