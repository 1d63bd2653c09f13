import { appendFileSync, mkdirSync, renameSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { Subprocess } from "bun";

export const ROOT = resolve(import.meta.dir, "../..");

/** Log of one program; at this size the old half is set aside as `.1`. */
const LOG_BYTES_MAX = 10 * 1024 * 1024;
const LINES_KEPT = 300;
const START_MS_MAX = 60_000;

type Event = Record<string, unknown>;

/** One of our programs as a process: its log lines, its announced events, its end. */
export class Child {
  readonly name: string;
  readonly process: Subprocess<"ignore", "pipe", "pipe">;
  readonly lines: string[] = [];
  private readonly events = new Map<string, Event>();
  private readonly waiting = new Set<() => void>();
  private readonly logFile: string | null;

  constructor(name: string, command: readonly string[], env: Record<string, string>, logFile: string | null) {
    this.name = name;
    this.logFile = logFile;
    if (logFile) mkdirSync(dirname(logFile), { recursive: true });
    this.process = Bun.spawn([...command], {
      cwd: ROOT,
      env: { ...process.env, ...env } as Record<string, string>,
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
    });
    void this.read(this.process.stdout);
    void this.read(this.process.stderr);
    void this.process.exited.then(() => this.wake());
  }

  get pid(): number {
    return this.process.pid;
  }

  get running(): boolean {
    return this.process.exitCode === null && this.process.signalCode === null;
  }

  /**
   * The fields of the first log line whose event has this name.
   * @throws Error with the last lines of the log when the program ends or `withinMs` pass first.
   */
  async event(name: string, withinMs = START_MS_MAX): Promise<Event> {
    const deadline = Date.now() + withinMs;
    for (;;) {
      const event = this.events.get(name);
      if (event) return event;
      if (!this.running) throw new Error(`${this.name} ended before ${name}:\n${this.tail()}`);
      const left = deadline - Date.now();
      if (left <= 0) throw new Error(`${this.name} did not reach ${name} in ${withinMs} ms:\n${this.tail()}`);
      await new Promise<void>((wake) => {
        const timer = setTimeout(() => done(), Math.min(left, 1_000));
        const done = () => {
          clearTimeout(timer);
          this.waiting.delete(done);
          wake();
        };
        this.waiting.add(done);
      });
    }
  }

  tail(count = 25): string {
    return this.lines.slice(-count).join("\n");
  }

  /** Asks the program to end and waits; after `graceMs` it is killed. Returns the exit code. */
  async stop(graceMs = 10_000): Promise<number> {
    if (!this.running) return this.process.exitCode ?? 1;
    this.process.kill("SIGTERM");
    const timer = setTimeout(() => this.process.kill("SIGKILL"), graceMs);
    const code = await this.process.exited;
    clearTimeout(timer);
    return code;
  }

  /** As a power cut takes it: no warning, no clean-up. */
  async kill(): Promise<void> {
    this.process.kill("SIGKILL");
    await this.process.exited;
  }

  private async read(stream: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    let rest = "";
    for await (const chunk of stream) {
      rest += decoder.decode(chunk, { stream: true });
      const lines = rest.split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) this.take(line);
    }
    if (rest) this.take(rest);
  }

  private take(line: string): void {
    this.lines.push(line);
    if (this.lines.length > LINES_KEPT) this.lines.splice(0, LINES_KEPT / 2);
    if (this.logFile) this.keep(`${line}\n`);
    if (!line.startsWith("{")) return;
    try {
      const parsed = JSON.parse(line) as Event;
      const fields = { ...parsed, ...(parsed.properties as Event | undefined) };
      if (typeof fields.event === "string" && !this.events.has(fields.event)) {
        this.events.set(fields.event, fields);
        this.wake();
      }
    } catch {
      // Not every line that begins with a brace is ours; it stays in the log as it is.
    }
  }

  private keep(text: string): void {
    const file = this.logFile!;
    appendFileSync(file, text);
    if (statSync(file).size > LOG_BYTES_MAX) renameSync(file, `${file}.1`);
  }

  private wake(): void {
    for (const done of [...this.waiting]) done();
  }
}

/** Starts a program of ours under this very Bun. */
export function startProgram(
  name: string,
  entry: string,
  options: { args?: readonly string[]; env?: Record<string, string>; logFolder?: string | null } = {},
): Child {
  const command = [process.execPath, join(ROOT, entry), ...(options.args ?? [])];
  return new Child(
    name,
    command,
    options.env ?? {},
    options.logFolder ? join(options.logFolder, `${name}.log`) : null,
  );
}
