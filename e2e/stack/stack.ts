import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { HubCertificate } from "@millrace/contract/api/certificate";
import { HubApi } from "./api.ts";
import { type Child, startProgram } from "./child.ts";
import { freePort, portNear } from "./free-port.ts";
import { LINES } from "./plant/machines.ts";
import { type PlantPorts, seedDemoPlant } from "./seed.ts";

export interface StackOptions {
  /** Everything the system keeps lies in here. */
  folder: string;
  /** 0 or absent: any free port, remembered in the folder. */
  hubPort?: number;
  localPort?: number;
  /** The hub speaks TLS with an authority of its own, which the gateway pins; absent: plain http on loopback. */
  tls?: "own";
  hubEnv?: Record<string, string>;
  gatewayEnv?: Record<string, string>;
}

interface Ports extends PlantPorts {
  hub: number;
  local: number;
  /** The hub's plain port beside TLS. */
  plain?: number;
}

const DEMO_PLANT_PORTS: PlantPorts = { presses: 5020, packing: 5021, energy: 5022 };

/** Hub, one gateway and the simulated plant as processes of their own. The only code that starts the whole system. */
export class Stack {
  plant!: Child;
  hub!: Child;
  gateway!: Child;
  readonly api: HubApi;
  readonly apiKey: string;
  /** With it programs read the figures of the gateway's own page. */
  readonly localToken: string;
  /** First PIN of the gateway's own page, until somebody signed in and chose another. */
  readonly firstPin: string;

  private constructor(
    readonly options: StackOptions,
    readonly ports: Ports,
  ) {
    this.apiKey = secretOf(options.folder, "automation-key", makeKey);
    this.localToken = secretOf(options.folder, "local-token", makeKey);
    this.firstPin = secretOf(options.folder, "first-pin", makePin);
    this.api = new HubApi(this.hubUrl, this.apiKey);
  }

  get hubUrl(): string {
    return `${this.options.tls === undefined ? "http" : "https"}://localhost:${this.ports.hub}`;
  }

  /** The hub's plain port, where a phone learns what to trust. */
  get plainUrl(): string {
    return `http://localhost:${this.ports.plain}`;
  }

  get localUrl(): string {
    return `http://localhost:${this.ports.local}`;
  }

  /** The one-time set-up link, or null once an administrator exists. */
  get setupLink(): string | null {
    const file = join(this.hubFolder, "setup-link");
    return existsSync(file) ? readFileSync(file, "utf8").trim() : null;
  }

  get hubFolder(): string {
    return join(this.options.folder, "hub");
  }

  get gatewayFolder(): string {
    return join(this.options.folder, "gateway");
  }

  /** Starts everything and returns when the hub answers and the gateway runs. */
  static async start(options: StackOptions): Promise<Stack> {
    mkdirSync(options.folder, { recursive: true, mode: 0o700 });
    const stack = new Stack(options, portsOf(options));
    try {
      await Promise.all([stack.startPlant(), stack.startHub()]);
      const claimToken = await seedDemoPlant(stack.api, stack.ports);
      await stack.startGateway(claimToken);
    } catch (error) {
      await stack.stop();
      throw error;
    }
    return stack;
  }

  async startPlant(): Promise<void> {
    const args = LINES.map((line) => `${line}=${this.ports[line]}`);
    this.plant = startProgram("plant", "e2e/stack/plant/server.ts", { args, logFolder: this.logFolder });
    await this.plant.event("plant.ready");
  }

  async startHub(): Promise<void> {
    this.hub = startProgram("hub", "server/src/main.ts", {
      logFolder: this.logFolder,
      env: {
        MILLRACE_DATA: this.hubFolder,
        MILLRACE_LOG_FORMAT: "json",
        MILLRACE_PORT: String(this.ports.hub),
        MILLRACE_ADMIN_API_KEY: this.apiKey,
        ...(this.options.tls === undefined
          ? {}
          : { MILLRACE_TLS: this.options.tls, MILLRACE_PLAIN_PORT: String(this.ports.plain) }),
        ...this.options.hubEnv,
      },
    });
    await this.hub.event("hub.ready");
    if (this.options.tls !== undefined)
      this.api.authority = await (await fetch(`${this.plainUrl}/trust/ca.pem`)).text();
  }

  async startGateway(claimToken: string | null = null): Promise<void> {
    this.gateway = startProgram("gateway", "gateway/src/main.ts", {
      logFolder: this.logFolder,
      env: {
        MILLRACE_DATA: this.gatewayFolder,
        MILLRACE_LOG_FORMAT: "json",
        MILLRACE_HUB_URL: this.hubUrl,
        MILLRACE_LOCAL_PORT: String(this.ports.local),
        MILLRACE_LOCAL_PIN: this.firstPin,
        MILLRACE_LOCAL_TOKEN: this.localToken,
        ...(claimToken ? { MILLRACE_CLAIM_TOKEN: claimToken, ...(await this.pin()) } : {}),
        ...this.options.gatewayEnv,
      },
    });
    const { localUrl } = await this.gateway.event("gateway.ready");
    this.ports.local = Number(new URL(String(localUrl)).port);
    keepPorts(this.options.folder, this.ports);
  }

  /** What the claim command carries beside its token. */
  private async pin(): Promise<Record<string, string>> {
    if (this.options.tls === undefined) return {};
    const { authority } = await this.api.get<HubCertificate>("/system/certificate");
    return { MILLRACE_HUB_CA: authority!.pin };
  }

  /** Process id of the embedded PostgreSQL, as it wrote it down itself. */
  postgresPid(): number {
    return Number(
      readFileSync(join(this.hubFolder, "postgres", "data", "postmaster.pid"), "utf8").split("\n")[0],
    );
  }

  /** The hub's own database, for what no API shows or ages. */
  databaseUrl(): string {
    const postgres = join(this.hubFolder, "postgres");
    const port = readFileSync(join(postgres, "data", "postmaster.pid"), "utf8").split("\n")[3];
    const password = readFileSync(join(postgres, "password"), "utf8").trim();
    return `postgres://millrace:${password}@127.0.0.1:${port}/millrace`;
  }

  /** The gateway first, so that what it holds still reaches the hub. */
  async stop(): Promise<void> {
    for (const child of [this.gateway, this.hub, this.plant]) await child?.stop();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  private get logFolder(): string {
    return join(this.options.folder, "log");
  }
}

const makeKey = (): string => Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64url");

/** Eight digits of which no two neighbours are alike, so that none is too easy to guess. */
function makePin(): string {
  let pin = "";
  while (pin.length < 8) {
    const digit = String(crypto.getRandomValues(new Uint32Array(1))[0]! % 10);
    if (!pin.endsWith(digit)) pin += digit;
  }
  return new Set(pin).size < 4 ? makePin() : pin;
}

/** A secret of this stack; made once, readable by the owner alone. */
function secretOf(folder: string, name: string, make: () => string): string {
  const file = join(folder, name);
  if (!existsSync(file)) writeFileSync(file, make(), { mode: 0o600 });
  return readFileSync(file, "utf8").trim();
}

const portsFile = (folder: string): string => join(folder, "ports.json");

const keepPorts = (folder: string, ports: Ports): void =>
  writeFileSync(portsFile(folder), JSON.stringify(ports, null, 2));

/** Ports stay the same from start to start, unless somebody else took one meanwhile. */
function portsOf(options: StackOptions): Ports {
  const file = portsFile(options.folder);
  const known = existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Ports) : null;
  const plant = Object.fromEntries(
    LINES.map((line) => [
      line,
      portNear(known?.[line] ?? (options.hubPort ? DEMO_PLANT_PORTS[line] : freePort())),
    ]),
  ) as PlantPorts;
  const ports = {
    ...plant,
    hub: options.hubPort || known?.hub || freePort(),
    // The gateway takes one and says which: chosen here, somebody else might have it by the time it starts.
    local: options.localPort || known?.local || 0,
    ...(options.tls === undefined ? {} : { plain: portNear(known?.plain ?? freePort()) }),
  };
  keepPorts(options.folder, ports);
  return ports;
}
