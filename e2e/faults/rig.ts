import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Gateway } from "@millrace/contract/api/gateway";
import type { RawSamples } from "@millrace/contract/api/history";
import type { Device, Profile, Tag } from "@millrace/contract/api/plant";
import type { GatewayStatus } from "@millrace/contract/vocabulary/gateway";
import { SQL } from "bun";
import { type Child, startProgram } from "../stack/child.ts";
import { freePort } from "../stack/free-port.ts";
import { rowsOf } from "../stack/rows.ts";
import { Stack } from "../stack/stack.ts";
import { compare, isWhole, readLedger, type Stored, type Verdict } from "./ledger/compare.ts";
import { FaultProxy } from "./proxy.ts";

/** Interval in which the gateway reads the ledger's counter. */
export const SCAN_MS = 100;
/**
 * Values served so shortly before a gateway is killed may be missing: up to 250 ms until the seal, one scan in flight,
 * and what two busy cores add to a timer.
 */
export const UNSEALED_MS_MAX = 250 + SCAN_MS + 100;
/** Longest wait for the last values of a row to arrive at the hub. */
const ARRIVE_MS_MAX = 45_000;
const LOAD_TAGS = 40;
const LOAD_TEXT_REGISTERS = 100;

/** What the gateway says of itself on its local page. */
export interface LocalStatus {
  gatewayId: string;
  status: GatewayStatus;
  hub: { url: string; up: boolean; sinceMs: number; code: string; reason: string };
}

export interface RigOptions {
  hubEnv?: Record<string, string>;
  gatewayEnv?: Record<string, string>;
  /** Called with the gateway's folder before the gateway starts. */
  prepare?: (gatewayFolder: string) => void;
}

/**
 * The whole system as processes, with the fault proxy between gateway and hub and the ledger as one of the gateway's
 * devices. Rows share a rig; each looks only at the values served since its own `mark()`.
 */
export class Rig {
  readonly endsMs: number[] = [];
  #sql: SQL | null = null;

  private constructor(
    readonly folder: string,
    readonly proxy: FaultProxy,
    readonly stack: Stack,
    readonly ledger: Child,
    readonly tag: Tag,
    private readonly loadDevice: Device,
    readonly ledgerPort: number,
  ) {}

  static async start(options: RigOptions = {}): Promise<Rig> {
    const folder = mkdtempSync(join(tmpdir(), "millrace-faults-"));
    const ports = portsOf("presses", "packing", "energy", "hub", "local", "ledger");
    writeFileSync(join(folder, "ports.json"), JSON.stringify(ports));
    const ledger = startProgram("ledger", "e2e/faults/ledger/server.ts", {
      args: [String(ports.ledger), join(folder, "ledger")],
      logFolder: join(folder, "log"),
    });
    await ledger.event("ledger.ready");
    options.prepare?.(join(folder, "gateway"));
    const proxy = await FaultProxy.listen(ports.hub!);
    const stack = await Stack.start({
      folder,
      hubEnv: { ...options.hubEnv },
      gatewayEnv: {
        MILLRACE_HUB_URL: proxy.url,
        BUN_OPTIONS: `--preload=${join(import.meta.dir, "shifted-clock.ts")}`,
        FAULT_CLOCK_FILE: join(folder, "clock"),
        ...options.gatewayEnv,
      },
    }).catch(async (thrown: unknown) => {
      // A stack that did not come up must not leave its source and its line behind.
      await ledger.stop();
      await proxy.close();
      throw thrown;
    });
    const { tag, load } = await addDevices(stack, ports.ledger!);
    const rig = new Rig(folder, proxy, stack, ledger, tag, load, ports.ledger!);
    await until(30_000, "the ledger is read", () => readLedger(rig.ledgerFile).length > 5);
    return rig;
  }

  get ledgerFile(): string {
    return join(this.folder, "ledger");
  }

  /** Sets the gateway's wall clock off by so much; the next look at it, within 100 ms, sees it. */
  shiftClock(ms: number): void {
    writeFileSync(join(this.folder, "clock"), String(ms));
  }

  /** Newest value the source has given out. */
  mark(): number {
    return readLedger(this.ledgerFile).at(-1)?.value ?? 0;
  }

  /** As a power cut takes it; notes the moment. */
  async killGateway(): Promise<void> {
    this.endsMs.push(Date.now());
    await this.stack.gateway.kill();
  }

  /** An orderly end; an answer that was under way may still be dropped. */
  async stopGateway(): Promise<void> {
    this.endsMs.push(Date.now());
    await this.stack.gateway.stop();
  }

  /** Starts it and returns after how many ms the source is read again. */
  async startGateway(): Promise<number> {
    const startedMs = performance.now();
    const before = this.mark();
    await this.stack.startGateway();
    await until(20_000, "the ledger is read again", () => this.mark() > before, 25);
    return performance.now() - startedMs;
  }

  async local(): Promise<LocalStatus> {
    const response = await fetch(`${this.stack.localUrl}/api/v1/status`, {
      headers: { authorization: `Bearer ${this.stack.localToken}` },
      signal: AbortSignal.timeout(5_000),
    });
    return (await response.json()) as LocalStatus;
  }

  async gateway(): Promise<Gateway> {
    return await this.stack.api.get<Gateway>(`/gateways/${this.tag.gatewayId}`);
  }

  /** Waits until the gateway calls its link up; returns after how many ms. */
  async linkUp(msMax = 30_000): Promise<number> {
    return await until(msMax, "the link is up", async () => (await this.local()).hub.up, 50);
  }

  /** The sum of a hub's counter over its labels; 0 when it has not counted yet. */
  async metric(name: string, label = ""): Promise<number> {
    const text = await (await fetch(`${this.stack.hubUrl}/metrics`)).text();
    let sum = 0;
    for (const line of text.split("\n"))
      if (line.startsWith(`millrace_hub_${name}`) && line.includes(label))
        sum += Number(line.split(" ").at(-1));
    return sum;
  }

  /** The hub's own database, for what no API shows. */
  get sql(): SQL {
    this.#sql ??= new SQL({ url: this.stack.databaseUrl(), adapter: "postgres", max: 2, idleTimeout: 2 });
    return this.#sql;
  }

  /** The next question opens connections anew: the database behind them was replaced. */
  async forgetSql(): Promise<void> {
    await this.#sql?.close({ timeout: 1 }).catch(() => undefined);
    this.#sql = null;
  }

  /** Turns forty tags of noise, 80 kB/s, on or off. */
  async load(on: boolean): Promise<void> {
    await this.enable(this.loadDevice.id, on);
  }

  async enable(deviceId: string, enabled: boolean): Promise<void> {
    const { api } = this.stack;
    const device = await api.get<Device>(`/devices/${deviceId}`);
    const { name, profileId, gatewayId, siteId, settings, revision } = device;
    const body = { name, profileId, gatewayId, siteId, settings, enabled };
    await api.put(`/devices/${deviceId}`, body, { "if-match": `"${revision}"` });
  }

  /**
   * Compares the ledger from `mark` on with what the hub serves, waiting while something may still arrive.
   * @returns the last comparison, whole or not
   */
  async verdict(mark: number, msMax = ARRIVE_MS_MAX): Promise<Verdict> {
    const deadline = performance.now() + msMax;
    await Bun.sleep(300);
    const served = readLedger(this.ledgerFile).filter(({ value }) => value > mark);
    const last = served.at(-1)?.value ?? mark;
    for (;;) {
      const found = await this.stored(served[0]?.wallMs ?? Date.now()).catch(() => null);
      if (found !== null) {
        const stored = found.stored.filter(({ value }) => value > mark && value <= last);
        const { gaps } = found;
        const verdict = compare({
          served,
          stored,
          gaps,
          endsMs: this.endsMs,
          unsealedMsMax: UNSEALED_MS_MAX,
        });
        const waits = verdict.lost + verdict.unsealed + verdict.inGaps > 0 && last > 0;
        const arrived = found.stored.some(({ value }) => value > last);
        if ((arrived && isWhole(verdict)) || !waits || performance.now() > deadline) return verdict;
      } else if (performance.now() > deadline) throw new Error("the hub's API does not answer");
      await Bun.sleep(400);
    }
  }

  /** Good values of the ledger's tag since `fromMs`, and the gaps of its gateway. */
  async stored(fromMs: number, toMs = Date.now() + 60_000) {
    const stored: Stored[] = [];
    const gaps: RawSamples["gaps"] = [];
    const to = new Date(toMs).toISOString();
    let from: string | null = new Date(fromMs - 10_000).toISOString();
    while (from !== null) {
      const path: string = `/samples?tag=${this.tag.tagNo}&from=${from}&to=${to}&limit=20000`;
      const page: RawSamples = await this.stack.api.get(path);
      // Uncertain: a true value under a time that nobody vouches for.
      for (const { value, timeMs, quality } of rowsOf(page.series[0]!)) {
        const uncertain = quality.startsWith("uncertain");
        if (quality === "good" || uncertain) stored.push({ value: Number(value), timeMs, uncertain });
      }
      gaps.push(...page.gaps);
      from = page.nextFrom;
    }
    const known = gaps.map((gap) => ({
      fromMs: Date.parse(gap.from),
      toMs: Date.parse(gap.to),
      cause: gap.cause,
      samples: gap.samples,
    }));
    return { stored, gaps: known };
  }

  async stop(): Promise<void> {
    this.proxy.heal();
    await this.forgetSql();
    await this.stack.stop();
    await this.ledger.stop();
    await this.proxy.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}

/** Resident memory of a process, from what Linux says of it. */
export async function residentBytes(pid: number): Promise<number> {
  const text = await Bun.file(`/proc/${pid}/status`).text();
  return Number(/VmRSS:\s+(\d+)/.exec(text)?.[1] ?? 0) * 1_024;
}

/** Polls until `ready`; returns the milliseconds it took. @throws Error naming `what` after `msMax` */
export async function until(
  msMax: number,
  what: string,
  ready: () => boolean | Promise<boolean>,
  everyMs = 100,
): Promise<number> {
  const startedMs = performance.now();
  for (;;) {
    if (await Promise.resolve(ready()).catch(() => false)) return performance.now() - startedMs;
    if (performance.now() - startedMs > msMax) throw new Error(`not within ${msMax} ms: ${what}`);
    await Bun.sleep(everyMs);
  }
}

/** Different free ports by name; each is probed while the ones before are still remembered. */
function portsOf(...names: string[]): Record<string, number> {
  const ports: Record<string, number> = {};
  for (const name of names) {
    let port = freePort();
    while (Object.values(ports).includes(port)) port = freePort();
    ports[name] = port;
  }
  return ports;
}

async function addDevices(stack: Stack, ledgerPort: number): Promise<{ tag: Tag; load: Device }> {
  const { api } = stack;
  const [gateway] = await api.all<Gateway>("/gateways");
  // Long, because a late answer is a value served and not taken: that is the driver's matter, not delivery's.
  const settings = { timeoutMs: 10_000 };
  const place = { gatewayId: gateway!.id, siteId: gateway!.siteId };
  const counter = await api.post<Profile>("/profiles", {
    name: "Ledger",
    driver: "modbus",
    settings,
    tags: [{ name: "Value", address: "holding:0", dataType: "uint32", scanMs: SCAN_MS }],
  });
  const noise = await api.post<Profile>("/profiles", {
    name: "Noise",
    driver: "modbus",
    settings,
    tags: Array.from({ length: LOAD_TAGS }, (_, i) => ({
      name: `Noise ${i}`,
      address: `holding:${i * LOAD_TEXT_REGISTERS} length=${LOAD_TEXT_REGISTERS}`,
      dataType: "text",
      scanMs: SCAN_MS,
    })),
  });
  const at = { host: "127.0.0.1", port: ledgerPort };
  const load = await api.post<Device>("/devices", {
    ...place,
    name: "Noise",
    profileId: noise.id,
    enabled: false,
    settings: { ...at, unit: 2 },
  });
  const device = await api.post<Device>("/devices", {
    ...place,
    name: "Ledger",
    profileId: counter.id,
    settings: { ...at, unit: 1 },
  });
  const [tag] = await api.all<Tag>(`/tags?deviceId=${device.id}`);
  return { tag: tag!, load };
}
