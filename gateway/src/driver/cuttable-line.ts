import { connect, createServer, type Server, type Socket } from "node:net";

/** For tests: a line to a peer that can be cut, silenced, spoilt and moved to another peer. What is behind it notices nothing but that. */
export class Line implements AsyncDisposable {
  readonly #server: Server;
  readonly #pairs = new Set<[Socket, Socket]>();
  #silent = false;
  #held: (() => void)[] = [];
  connections = 0;
  /** The peer's port; who comes next is joined to it. */
  target: number;
  /** What comes from the peer may be changed, to play a hostile one. */
  spoil: ((bytes: Buffer) => Buffer) | null = null;

  private constructor(server: Server, target: number) {
    this.#server = server;
    this.target = target;
  }

  static async to(target: number): Promise<Line> {
    const server = createServer();
    const line = new Line(server, target);
    server.on("connection", (near) => line.#join(near, connect(line.target, "127.0.0.1")));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return line;
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  get socketsOpen(): number {
    return this.#pairs.size;
  }

  #join(near: Socket, far: Socket): void {
    this.connections++;
    const pair: [Socket, Socket] = [near, far];
    this.#pairs.add(pair);
    const end = () => {
      this.#pairs.delete(pair);
      near.destroy();
      far.destroy();
    };
    for (const socket of pair) socket.on("error", end).on("close", end);
    near.on("data", (bytes) => far.write(bytes));
    far.on("data", (bytes: Buffer) => {
      const pass = () => near.write(this.spoil === null ? bytes : this.spoil(bytes));
      if (this.#silent) this.#held.push(pass);
      else pass();
    });
  }

  cut(): void {
    for (const [near, far] of [...this.#pairs]) {
      near.destroy();
      far.destroy();
    }
    this.#held = [];
  }

  /** While true nothing comes back; what was said meanwhile comes late. */
  silence(on: boolean): void {
    this.#silent = on;
    if (on) return;
    for (const pass of this.#held) pass();
    this.#held = [];
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
