import type { Clock } from "@millrace/contract/std/clock";
import { LIMITS } from "@millrace/contract/wire/limits";
import { type AnyElysia, Elysia } from "elysia";
import type { Database } from "./db/client.ts";
import { gatewayAppRoutes } from "./gateway-routes.ts";
import { historyRoutes } from "./history-routes.ts";
import { unguardedRoutes } from "./http/access.ts";
import { parseBody } from "./http/body.ts";
import { docsRoutes } from "./http/docs.ts";
import { errorResponse } from "./http/error-response.ts";
import { securityHeaders } from "./http/headers.ts";
import { healthRoutes } from "./http/health.ts";
import type { Metrics } from "./http/metrics.ts";
import { checkSameOrigin } from "./http/origin.ts";
import { staticRoutes } from "./http/static.ts";
import type { Ingest } from "./ingest/ingest.ts";
import { uplinkRoutes } from "./ingest/routes.ts";
import { zstd } from "./ingest/zstd.ts";
import { liveRoutes } from "./live/routes.ts";
import type { Head } from "./modules/audit/chain.ts";
import { CONFIG_IMPORT_PATH } from "./modules/config/import/routes.ts";
import { CONFIG_PATH } from "./modules/config/routes.ts";
import { eventRoutes } from "./modules/events/routes.ts";
import { gapRoutes } from "./modules/gaps/routes.ts";
import { IMPORT } from "./modules/imports/limits.ts";
import { IMPORT_PATH } from "./modules/imports/routes.ts";
import { latestRoutes } from "./modules/latest/routes.ts";
import { logRoutes } from "./modules/logs/routes.ts";
import { type Auth, createGatekeeper } from "./modules/people/auth.ts";
import { peopleRoutes } from "./modules/people/routes.ts";
import { quarantineRoutes } from "./modules/quarantine/routes.ts";
import { setupRoutes } from "./modules/setup/routes.ts";
import type { Setup } from "./modules/setup/service.ts";
import { tagRoutes } from "./modules/tags/routes.ts";
import { plantRoutes } from "./plant-routes.ts";
import type { HubIdentity } from "./ports.ts";
import { trustRoutes } from "./trust-routes.ts";

export interface AppDeps {
  database: Database;
  identity: HubIdentity;
  ingest: Ingest;
  clock: Clock;
  auth: Auth;
  setup: Setup;
  metrics: Metrics;
  dataFolder: string;
  webFolder: string;
  metricsOpen: boolean;
  /** Free bytes of the disk PostgreSQL lies on; null when that is another machine's. */
  diskFree: () => Promise<number | null>;
  /** The newest head of the audit this process signed. */
  auditHead: () => Head | null;
  https: boolean;
  /** Origins of the hub's own pages; a function, because a port of 0 is known only after listening. */
  origins: () => readonly string[];
  publicUrl: () => string;
}

/** A message of the uplink may be a whole manifest; what a socket may hold back is bounded by the largest one. */
const socketLimits = {
  maxPayloadLength: LIMITS.uplinkTextBytesMax,
  backpressureLimit: LIMITS.downlinkTextBytesMax,
  perMessageDeflate: false,
  /** Silence is judged by the sessions themselves. */
  idleTimeout: 120,
} as const;

/** Sign-in reads its own body, with a smaller limit; an import and a whole configuration are read as they come. */
const readsItsBody = (path: string, method: string): boolean =>
  path.startsWith("/api/auth/") ||
  path.startsWith(IMPORT_PATH) ||
  path.startsWith(CONFIG_IMPORT_PATH) ||
  (method === "PUT" && path.replace(/\/$/, "") === CONFIG_PATH);

/** Larger bodies are cut by the runtime without our headers; ours are refused at a far smaller size, with them. */
const runtimeBodyBytesMax = IMPORT.bytesMax + 16 * 1024 * 1024;

/**
 * Puts the hub's HTTP side together.
 *
 * @throws Error when a route says neither who may use it nor why everybody may
 */
export function createApp(deps: AppDeps) {
  const headers = securityHeaders(deps.https);
  const { database, ingest, clock, origins } = deps;
  const { db } = database;
  const gatekeeper = createGatekeeper(db, deps.auth, clock);
  const { manifests, sessions } = ingest;
  const change = { db, clock, manifests, gatekeeper };
  const app = new Elysia({
    // The path of a request is otherwise searched from a fixed offset, and hosts under four letters end as 404.
    handler: { standardHostname: false },
    serve: { maxRequestBodySize: runtimeBodyBytesMax },
    websocket: socketLimits,
  })
    .onRequest(({ request, set }) => {
      Object.assign(set.headers, headers);
      checkSameOrigin(request, deps.origins());
    })
    // A value other than undefined keeps the default parser off it.
    .onParse(({ request, contentType, path }) =>
      readsItsBody(path, request.method) ? null : parseBody(request, contentType),
    )
    .onError(({ error, request }) => errorResponse(error, request))
    .use(healthRoutes({ ...deps, db, gatekeeper }))
    .use(setupRoutes({ setup: deps.setup, gatekeeper }))
    .use(peopleRoutes({ auth: deps.auth, clock: deps.clock, gatekeeper }))
    .use(tagRoutes({ db, gatekeeper }))
    .use(plantRoutes({ ...change, sessions }))
    .use(gatewayAppRoutes(deps, change))
    .use(latestRoutes({ db, cache: ingest.latest.cache, gatekeeper }))
    .use(historyRoutes(deps, change))
    .use(trustRoutes(deps, gatekeeper))
    .use(eventRoutes({ sql: database.sql, gatekeeper }))
    .use(logRoutes({ sql: database.sql, gatekeeper }))
    .use(gapRoutes({ sql: database.sql, gatekeeper }))
    .use(quarantineRoutes({ ...change, compression: zstd, committed: ingest.sessionDeps.committed }))
    .use(uplinkRoutes({ ...ingest.sessionDeps, gatekeeper }))
    .use(liveRoutes({ fanOut: ingest.fanOut, gatekeeper, clock, origins }))
    .use(docsRoutes(gatekeeper, (): AnyElysia => app))
    .use(staticRoutes(gatekeeper, deps.webFolder));
  const open = unguardedRoutes(app);
  if (open.length > 0) throw new Error(`routes without a permission: ${open.join(", ")}`);
  return app;
}
export type App = ReturnType<typeof createApp>;
