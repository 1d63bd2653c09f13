// A large fleet configured by one document: how long it takes to import, and until every gateway's manifest is there.
//   MILLRACE_BENCH_GATEWAYS (1000)      50 devices each, 100 tags a device
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ConfigDocument, ConfigPlan } from "@millrace/contract/api/config";
import { SQL } from "bun";
import { Stack } from "../stack/stack.ts";
import { databaseUrl } from "./database-url.ts";
import { memoryOf } from "./process-usage.ts";
import { type BenchRow, printRows } from "./report.ts";

const GATEWAYS = Number(process.env.MILLRACE_BENCH_GATEWAYS ?? 1_000);
const DEVICES = 50;
const TAGS = 100;
const PROFILES = 20;

/** A plant of many halls, each with a gateway and its machines. */
function largePlant(): ConfigDocument {
  const sites: ConfigDocument["sites"] = { Works: { kind: "enterprise" } };
  const profiles: ConfigDocument["profiles"] = {};
  const gateways: ConfigDocument["gateways"] = {};
  const devices: ConfigDocument["devices"] = {};
  for (let p = 0; p < PROFILES; p++) {
    const tags = Array.from({ length: TAGS }, (_, i) => ({
      name: `Value ${i}`,
      address: `holding:${i * 2}`,
      dataType: "float32" as const,
      unit: "bar",
    }));
    profiles[`Machine type ${p}`] = { driver: "modbus", settings: { timeoutMs: 800 }, tags };
  }
  for (let g = 0; g < GATEWAYS; g++) {
    sites[`Works/Hall ${g}`] = { kind: "area" };
    gateways[`Gateway of hall ${g}`] = { site: `Works/Hall ${g}` };
    for (let d = 0; d < DEVICES; d++) {
      devices[`Works/Hall ${g}/Machine ${d}`] = {
        profile: `Machine type ${d % PROFILES}`,
        gateway: `Gateway of hall ${g}`,
        settings: { host: `10.${g >> 8}.${g & 255}.${d + 1}` },
      };
    }
  }
  return { millrace: 1, sites, profiles, gateways, devices };
}

/** How long the newest manifests of the fleet took, as the database saw it. */
async function manifestSeconds(stack: Stack): Promise<number> {
  await using sql = new SQL({ url: databaseUrl(stack), max: 1 });
  const [row] = await sql<{ s: number }[]>`
    SELECT extract(epoch FROM max(m.created_at) - min(m.created_at))::float8 AS s FROM manifest m
    JOIN gateway g ON g.id = m.gateway_id WHERE g.name LIKE 'Gateway of hall %'`;
  return row?.s ?? 0;
}

export async function benchConfig(): Promise<BenchRow[]> {
  const folder = mkdtempSync(join(tmpdir(), "millrace-config-"));
  try {
    await using stack = await Stack.start({ folder: join(folder, "data") });
    const put = async (document: ConfigDocument) => {
      const beganMs = performance.now();
      const plan = await stack.api.put<ConfigPlan>("/config", document);
      return { plan, seconds: (performance.now() - beganMs) / 1_000 };
    };
    const before = memoryOf(stack.hub.pid).rssBytes;
    const whole = await put(largePlant());
    const imported = memoryOf(stack.hub.pid).peakBytes;
    const built = await manifestSeconds(stack);
    const one = await put({
      millrace: 1,
      devices: {
        "Works/Hall 7/Machine 0": {
          profile: "Machine type 0",
          gateway: "Gateway of hall 7",
          settings: { host: "10.9.9.9" },
        },
      },
    });
    return [
      { name: "gateways", value: GATEWAYS, unit: "" },
      { name: "tags", value: GATEWAYS * DEVICES * TAGS, unit: "" },
      { name: "import, tags and all manifests", value: whole.seconds, unit: "s" },
      { name: "  of it, from the first manifest to the last", value: built, unit: "s" },
      { name: "one device changed, until its manifest is there", value: one.seconds, unit: "s" },
      { name: "  gateways reached", value: one.plan.gateways.length, unit: "" },
      { name: "memory of hub before", value: before / 1e6, unit: "MB" },
      { name: "memory of hub, peak", value: imported / 1e6, unit: "MB" },
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (import.meta.main) printRows("Configuration of a large fleet", await benchConfig());
