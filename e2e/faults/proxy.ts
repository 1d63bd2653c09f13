import { connect, createServer, type Server, type Socket } from "node:net";
import { type Message, WebSocketStream } from "./websocket-stream.ts";

/** State of one direction of the line. */
export interface Way {
  latencyMs: number;
  /** 0: as fast as it goes. */
  bytesPerS: number;
  /** Takes everything and passes nothing on, without a word: half of a half-open connection. */
  silent: boolean;
}

/** Sees each message that passes; what it returns goes on in its place (see `MessageHook`). */
export type Tap = (message: Message, link: Link) => readonly Message[] | null;

/** Bytes that may wait for a slow line before the sender is held back. */
const QUEUE_BYTES_MAX = 64 * 1024;

const freshWay = (): Way => ({ latencyMs: 0, bytesPerS: 0, silent: false });

/** One connection through the proxy. */
export class Link {
  readonly openedMs = Date.now();
  lastByteMs = Date.now();
  #ended = false;

  constructor(
    private readonly proxy: FaultProxy,
    private readonly near: Socket,
    private readonly far: Socket,
  ) {
    this.#pass(near, far, proxy.up, true, (message) => proxy.onUp?.(message, this) ?? null);
    this.#pass(far, near, proxy.down, false, (message) => proxy.onDown?.(message, this) ?? null);
  }

  get ended(): boolean {
    return this.#ended;
  }

  cut(how: "reset" | "fin"): void {
    this.#ended = true;
    this.proxy.links.delete(this);
    for (const socket of [this.near, this.far]) {
      if (how === "fin") socket.end();
      else socket.resetAndDestroy();
    }
  }

  #pass(
    from: Socket,
    to: Socket,
    way: Way,
    masked: boolean,
    hook: (message: Message) => readonly Message[] | null,
  ) {
    const stream = new WebSocketStream(masked, hook);
    let tail: Promise<void> = Promise.resolve();
    let lineFreeMs = 0;
    let queued = 0;
    from.on("data", (chunk: Buffer) => {
      if (way.silent || this.#ended) return;
      this.lastByteMs = Date.now();
      const bytes = stream.feed(chunk);
      if (bytes.length === 0) return;
      if (way.latencyMs === 0 && way.bytesPerS === 0 && queued === 0) {
        to.write(bytes);
        return;
      }
      const lineMs = way.bytesPerS > 0 ? (bytes.length / way.bytesPerS) * 1_000 : 0;
      lineFreeMs = Math.max(lineFreeMs, performance.now()) + lineMs;
      const dueMs = lineFreeMs + way.latencyMs;
      queued += bytes.length;
      if (queued > QUEUE_BYTES_MAX) from.pause();
      tail = tail.then(async () => {
        const leftMs = dueMs - performance.now();
        if (leftMs > 0) await Bun.sleep(leftMs);
        queued -= bytes.length;
        if (queued <= QUEUE_BYTES_MAX) from.resume();
        if (!this.#ended && !way.silent) to.write(bytes);
      });
    });
    from.on("error", () => this.#peerGone("reset"));
    from.on("close", () => void tail.then(() => this.#peerGone("fin")));
  }

  /** A silent way hides the end of a connection too. */
  #peerGone(how: "reset" | "fin"): void {
    if (this.#ended || this.proxy.up.silent || this.proxy.down.silent) return;
    this.cut(how);
  }
}

/**
 * The line between a gateway and a hub, on loopback, with faults to switch on: delay, a narrow line, cuts, silence,
 * refusal, and taps that see and change single WebSocket messages. Listens on one port all its life; the hub's port
 * may change.
 */
export class FaultProxy {
  /** Gateway to hub, and back. */
  readonly up: Way = freshWay();
  readonly down: Way = freshWay();
  onUp: Tap | null = null;
  onDown: Tap | null = null;
  /** New connections are reset at once. */
  refusing = false;
  /** A connection without a byte for so long is cut; 0: never. */
  idleMsMax = 0;
  /** Answers every request itself, as a captive portal does; null: passes on. */
  portal: string | null = null;
  readonly links = new Set<Link>();
  opened = 0;
  #server: Server;
  readonly #idleTimer: ReturnType<typeof setInterval>;

  private constructor(public hubPort: number) {
    this.#server = createServer((near) => this.#accept(near));
    this.#idleTimer = setInterval(() => {
      if (this.idleMsMax === 0) return;
      for (const link of this.links) if (Date.now() - link.lastByteMs > this.idleMsMax) link.cut("reset");
    }, 250);
  }

  static async listen(hubPort: number): Promise<FaultProxy> {
    const proxy = new FaultProxy(hubPort);
    await new Promise<void>((resolve, reject) => {
      proxy.#server.once("error", reject);
      proxy.#server.listen(0, "127.0.0.1", () => resolve());
    });
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Ends every connection; with `refuse` until `heal` also those that are tried. */
  cut(how: "reset" | "fin", refuse = false): void {
    this.refusing = refuse;
    for (const link of [...this.links]) link.cut(how);
  }

  /** Every fault off. Connections that were silent are dead and stay so, as after a real outage. */
  heal(): void {
    const wasSilent = this.up.silent || this.down.silent;
    Object.assign(this.up, freshWay());
    Object.assign(this.down, freshWay());
    this.onUp = null;
    this.onDown = null;
    this.refusing = false;
    this.idleMsMax = 0;
    this.portal = null;
    if (wasSilent) this.cut("reset");
  }

  async close(): Promise<void> {
    clearInterval(this.#idleTimer);
    this.cut("reset", true);
    await new Promise<void>((done) => this.#server.close(() => done()));
  }

  #accept(near: Socket): void {
    near.on("error", () => undefined);
    near.setNoDelay(true);
    if (this.refusing) {
      near.resetAndDestroy();
      return;
    }
    if (this.portal !== null) {
      const page = this.portal;
      const head = `HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: ${page.length}\r\nconnection: close\r\n\r\n`;
      near.once("data", () => near.end(head + page));
      return;
    }
    const far = connect(this.hubPort, "127.0.0.1");
    far.setNoDelay(true);
    this.opened++;
    this.links.add(new Link(this, near, far));
  }
}
