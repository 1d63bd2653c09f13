import { Elysia } from "elysia";
import type { AppDeps } from "./app.ts";
import { queryGates } from "./historian/query/gates.ts";
import type { Gatekeeper } from "./http/access.ts";
import { zstd } from "./ingest/zstd.ts";
import { annotationRoutes } from "./modules/annotations/routes.ts";
import type { ChangeDeps } from "./modules/change.ts";
import { historianRoutes } from "./modules/historian/routes.ts";
import { importRoutes } from "./modules/imports/routes.ts";
import { importGate } from "./modules/imports/service.ts";
import { retentionRoutes } from "./modules/retention/routes.ts";
import { samplesRoutes, tagHistoryRoutes } from "./modules/samples/routes.ts";
import { trendViewRoutes } from "./modules/trend-views/routes.ts";

/** Everything about stored samples: reading them, how long they are kept, what they take, and what people note on them. */
export function historyRoutes(
  { database: { db, sql }, ingest, clock, diskFree }: AppDeps,
  change: ChangeDeps & { gatekeeper: Gatekeeper },
) {
  const { gatekeeper } = change;
  const query = { sql, compression: zstd, frames: ingest.frames, clock, gates: queryGates(clock) };
  return new Elysia()
    .use(samplesRoutes({ ...query, gatekeeper }))
    .use(tagHistoryRoutes({ ...query, gatekeeper }))
    .use(importRoutes({ ...query, db, latest: ingest.latest.cache, gate: importGate(clock), gatekeeper }))
    .use(retentionRoutes(change))
    .use(historianRoutes({ db, clock, diskFree, gatekeeper }))
    .use(trendViewRoutes(change))
    .use(annotationRoutes(change));
}
