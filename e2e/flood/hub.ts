import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { memoryOf } from "../bench/process-usage.ts";
import { HubApi } from "../stack/api.ts";
import { type Child, startProgram } from "../stack/child.ts";
import { freePort } from "../stack/free-port.ts";

const API_KEY = "flood".repeat(10);

/** The hub alone, as a process with a database of its own: what is thrown at it hits nothing else. */
export class LoneHub implements AsyncDisposable {
  readonly api: HubApi;
  readonly apiKey = API_KEY;

  private constructor(
    readonly port: number,
    readonly child: Child,
    private readonly folder: string,
  ) {
    this.api = new HubApi(this.url, API_KEY);
  }

  get url(): string {
    return `http://localhost:${this.port}`;
  }

  static async start(env: Record<string, string> = {}): Promise<LoneHub> {
    const folder = mkdtempSync(join(tmpdir(), "millrace-flood-"));
    const port = freePort();
    const child = startProgram("hub", "server/src/main.ts", {
      logFolder: folder,
      env: {
        MILLRACE_DATA: folder,
        MILLRACE_LOG_FORMAT: "json",
        MILLRACE_PORT: String(port),
        MILLRACE_ADMIN_API_KEY: API_KEY,
        ...env,
      },
    });
    try {
      await child.event("hub.ready");
    } catch (error) {
      await child.stop();
      rmSync(folder, { recursive: true, force: true });
      throw error;
    }
    return new LoneHub(port, child, folder);
  }

  /** The one-time link under which the first person is made. */
  setupLink(): string {
    return readFileSync(join(this.folder, "setup-link"), "utf8").trim();
  }

  /** What the hub complained of so far: its records of level warning and above, as far back as its log is kept. */
  complaints(): string[] {
    const files = [".1", ""]
      .map((end) => join(this.folder, `hub.log${end}`))
      .filter((file) => existsSync(file));
    const lines = files.flatMap((file) => readFileSync(file, "utf8").split("\n"));
    return lines.filter(
      (line) => /"level":"(WARN|WARNING|ERROR|FATAL)"/.test(line) || /^\S*[Ee]rror: /.test(line),
    );
  }

  errors(): string[] {
    return this.complaints().filter((line) => !/"level":"WARN/.test(line));
  }

  /** Process id of its PostgreSQL, as that wrote it down itself. */
  postgresPid(): number {
    const file = join(this.folder, "postgres", "data", "postmaster.pid");
    return Number(readFileSync(file, "utf8").split("\n")[0]);
  }

  memory(): { rssBytes: number; peakBytes: number } {
    return memoryOf(this.child.pid);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.child.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
