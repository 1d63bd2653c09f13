import { Elysia } from "elysia";
import type { AppDeps } from "./app.ts";
import type { Gatekeeper } from "./http/access.ts";
import { zstd } from "./ingest/zstd.ts";
import { auditRoutes } from "./modules/audit/routes.ts";
import { auditGate } from "./modules/audit/service.ts";
import { completenessRoutes } from "./modules/completeness/routes.ts";
import { dataQualityRoutes } from "./modules/data-quality/routes.ts";

/** Everything that says how far the rest may be trusted: what came of the data, how good it is, and who changed what. */
export function trustRoutes(deps: AppDeps, gatekeeper: Gatekeeper) {
  const { database, identity, ingest, clock, audit } = deps;
  const { db, sql } = database;
  const marks = { sql, clock, compression: zstd, board: ingest.coverage.board, gatekeeper };
  return new Elysia()
    .use(completenessRoutes({ ...marks, links: ingest.sessions }))
    .use(dataQualityRoutes({ ...marks, latest: ingest.latest.cache }))
    .use(
      auditRoutes({
        db,
        clock,
        identity,
        remembered: () => audit.head,
        state: () => audit.state,
        gate: auditGate(clock),
        gatekeeper,
      }),
    );
}
