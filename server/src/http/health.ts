import { statfs } from "node:fs/promises";
import type { Clock } from "@millrace/contract/std/clock";
import { isLoopback } from "@millrace/contract/std/loopback";
import { sql } from "drizzle-orm";
import { Elysia } from "elysia";
import type { Db } from "../db/client.ts";
import { access, type Gatekeeper, requirePermission, whole } from "./access.ts";
import { plainAddress } from "./address.ts";
import type { Metrics } from "./metrics.ts";

export interface HealthDeps {
  db: Db;
  clock: Clock;
  dataFolder: string;
  metrics: Metrics;
  metricsOpen: boolean;
  gatekeeper: Gatekeeper;
}

const dbAnswerMs = 2_000;
/** PostgreSQL stops when its disk is full; below this we say so while there is still room to act. */
const diskFreeBytesMin = 256 * 1024 * 1024;

interface Check {
  name: "database" | "disk";
  ok: boolean;
  detail: string;
}

async function checkDatabase({ db, clock }: HealthDeps): Promise<Check> {
  const waiting = new AbortController();
  try {
    const slow = clock.sleep(dbAnswerMs, waiting.signal).then(() => {
      throw new Error("no answer");
    });
    await Promise.race([db.execute(sql`SELECT 1`), slow]);
    return { name: "database", ok: true, detail: "answers" };
  } catch {
    return { name: "database", ok: false, detail: `did not answer within ${dbAnswerMs} ms` };
  } finally {
    waiting.abort();
  }
}

async function checkDisk({ dataFolder }: HealthDeps): Promise<Check> {
  const { bavail, bsize } = await statfs(dataFolder);
  const freeBytes = bavail * bsize;
  const detail = `${Math.floor(freeBytes / 1024 / 1024)} MiB free`;
  return { name: "disk", ok: freeBytes >= diskFreeBytesMin, detail };
}

async function checkMetricsReader(
  deps: HealthDeps,
  headers: Headers,
  address: string | undefined,
): Promise<void> {
  // A proxy on this machine makes everybody look local; whoever forwards says so in a header.
  const local = address !== undefined && isLoopback(plainAddress(address) ?? "");
  if (deps.metricsOpen || (local && !headers.has("x-forwarded-for") && !headers.has("forwarded"))) return;
  await requirePermission(deps.gatekeeper, headers, whole("system.read"));
}

/** For whoever watches over the hub: does it live, can it serve, how much does it do. */
export const healthRoutes = (deps: HealthDeps) =>
  new Elysia({ detail: { tags: ["Operation"] } })
    .use(access(deps.gatekeeper))
    .get("/livez", () => "ok\n", {
      open: "tells only that the program runs",
      detail: { summary: "The program runs" },
    })
    .get(
      "/readyz",
      async ({ set }) => {
        const checks = await Promise.all([checkDatabase(deps), checkDisk(deps)]);
        const ready = checks.every((check) => check.ok);
        if (!ready) set.status = 503;
        return { ready, checks };
      },
      { open: "needed by load balancers; tells no content", detail: { summary: "The hub can serve" } },
    )
    .get(
      "/metrics",
      async ({ request, server }) => {
        await checkMetricsReader(deps, request.headers, server?.requestIP(request)?.address);
        const { registry } = deps.metrics;
        return new Response(await registry.metrics(), { headers: { "content-type": registry.contentType } });
      },
      { open: "checks for loopback or an API key itself", detail: { summary: "Figures for Prometheus" } },
    );
