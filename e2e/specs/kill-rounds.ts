// Kills gateway, hub and PostgreSQL at random moments while a counter runs, then compares what the gateway sealed with
// what the hub stored.      usage: bun e2e/specs/kill-rounds.ts [rounds, default 20] [seed]
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Gateway } from "@millrace/contract/api/gateway";
import type { RawSamples } from "@millrace/contract/api/history";
import type { Device, Profile, Tag } from "@millrace/contract/api/plant";
import { rowsOf } from "../stack/rows.ts";
import { Stack } from "../stack/stack.ts";
import { type SealedSample, sealedSamples } from "./sealed.ts";

export interface KillResult {
  kills: number;
  sealed: number;
  stored: number;
  /** Sealed at the gateway, absent at the hub. */
  lost: number;
  /** At the hub more than once. */
  doubled: number;
  /** At the hub, never sealed. */
  invented: number;
  seconds: number;
}

type Victim = "gateway" | "hub" | "postgres";

/** Small seeded generator, so that a bad run can be told apart from a bad moment. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A device that reads the plant's fast counter every 100 ms: each reading is a new value. */
export async function addCounter(stack: Stack): Promise<Tag> {
  const [gateway] = await stack.api.all<Gateway>("/gateways");
  const profile = await stack.api.post<Profile>("/profiles", {
    name: "Fast counter",
    driver: "modbus",
    settings: { timeoutMs: 500 },
    tags: [{ name: "Pulses", address: "holding:22", dataType: "uint32", scanMs: 100 }],
  });
  const device = await stack.api.post<Device>("/devices", {
    name: "Pulse counter",
    profileId: profile.id,
    gatewayId: gateway!.id,
    siteId: gateway!.siteId,
    settings: { host: "127.0.0.1", port: stack.ports.packing, unit: 1 },
  });
  const [tag] = await stack.api.all<Tag>(`/tags?deviceId=${device.id}`);
  return tag!;
}

export async function storedSamples(stack: Stack, tagNo: number, fromMs: number): Promise<SealedSample[]> {
  const found: SealedSample[] = [];
  const to = new Date(Date.now() + 60_000).toISOString();
  let from: string | null = new Date(fromMs).toISOString();
  while (from !== null) {
    const page: RawSamples = await stack.api.get(`/samples?tag=${tagNo}&from=${from}&to=${to}&limit=10000`);
    for (const { timeMs, value, quality } of rowsOf(page.series[0]!)) {
      if (quality === "good") found.push({ timeMs, value: Number(value) });
    }
    from = page.nextFrom;
  }
  return found;
}

async function strike(stack: Stack, victim: Victim): Promise<void> {
  if (victim === "gateway") {
    await stack.gateway.kill();
    await stack.startGateway();
  } else if (victim === "hub") {
    await stack.hub.kill();
    await stack.startHub();
  } else {
    process.kill(stack.postgresPid(), "SIGKILL");
  }
}

/** Waits until the hub answers again and everything the gateway holds has arrived. */
export async function drained(stack: Stack, gatewayId: string): Promise<void> {
  const deadline = performance.now() + 120_000;
  for (;;) {
    try {
      const gateway = await stack.api.get<Gateway>(`/gateways/${gatewayId}`);
      const fresh = gateway.status !== null && Date.now() - gateway.status.nowMs < 12_000;
      if (gateway.linkState === "up" && fresh && gateway.status!.outbox.framesUnsent <= 2) return;
    } catch {
      // The hub or its database is still on the way up.
    }
    if (performance.now() > deadline) throw new Error(`the backlog did not drain:\n${stack.gateway.tail()}`);
    await Bun.sleep(500);
  }
}

export function compare(sealed: readonly SealedSample[], stored: readonly SealedSample[]) {
  const count = new Map<string, number>();
  const key = ({ timeMs, value }: SealedSample) => `${timeMs}:${value}`;
  for (const sample of stored) count.set(key(sample), (count.get(key(sample)) ?? 0) + 1);
  const known = new Set(sealed.map(key));
  return {
    sealed: sealed.length,
    stored: stored.length,
    lost: sealed.filter((sample) => !count.has(key(sample))).length,
    doubled: [...count.values()].filter((times) => times > 1).length,
    invented: [...count.keys()].filter((each) => !known.has(each)).length,
  };
}

/** `rounds` kills of each of the three programs, in a shuffled order. */
export async function killRounds(
  rounds: number,
  seed: number,
  say: (line: string) => void,
): Promise<KillResult> {
  const random = seeded(seed);
  const folder = mkdtempSync(join(tmpdir(), "millrace-kill-"));
  const startedMs = Date.now();
  try {
    await using stack = await Stack.start({ folder });
    const tag = await addCounter(stack);
    const victims = (["gateway", "hub", "postgres"] as const).flatMap((name) =>
      Array<Victim>(rounds).fill(name),
    );
    victims.sort(() => random() - 0.5);
    await Bun.sleep(3_000);
    for (const [index, victim] of victims.entries()) {
      await Bun.sleep(200 + random() * 2_500);
      say(`${index + 1}/${victims.length} kill -9 ${victim}`);
      await strike(stack, victim);
    }
    await drained(stack, tag.gatewayId);
    await stack.gateway.stop();
    // What the gateway sealed in its last moments goes out with its next start.
    await stack.startGateway();
    await drained(stack, tag.gatewayId);
    await Bun.sleep(2_000);
    await stack.gateway.kill();
    const ledger = sealedSamples(stack.gatewayFolder, tag.tagNo);
    const cut = ledger.at(-1)!.timeMs - 5_000;
    const within = ({ timeMs }: SealedSample) => timeMs <= cut;
    const stored = await storedSamples(stack, tag.tagNo, startedMs - 60_000);
    const result = compare(ledger.filter(within), stored.filter(within));
    return { kills: victims.length, ...result, seconds: (Date.now() - startedMs) / 1_000 };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (import.meta.main) {
  const rounds = Number(process.argv[2] ?? 20);
  const seed = Number(process.argv[3] ?? Date.now() % 100_000);
  console.log(`${rounds} kills of each program, seed ${seed}`);
  const result = await killRounds(rounds, seed, console.log);
  console.log(result);
  process.exit(result.lost + result.doubled + result.invented === 0 ? 0 : 1);
}
