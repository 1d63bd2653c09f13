import type { Clock } from "@millrace/contract/std/clock";
import { type AnyElysia, Elysia } from "elysia";
import type { Database } from "./db/client.ts";
import { gatewayAppRoutes } from "./gateway-routes.ts";
import { historyRoutes } from "./history-routes.ts";
import { unguardedRoutes } from "./http/access.ts";
import type { Trusts } from "./http/address.ts";
import { parseBody } from "./http/body.ts";
import { docsRoutes } from "./http/docs.ts";
import { errorResponse } from "./http/error-response.ts";
import { securityHeaders } from "./http/headers.ts";
import { healthRoutes } from "./http/health.ts";
import { bodyBytesMaxOf } from "./http/limit/body-limit.ts";
import type { RequestLimits } from "./http/limit/request-limits.ts";
import { SOCKET_LIMITS } from "./http/limit/socket-limits.ts";
import type { Metrics } from "./http/metrics.ts";
import { checkSameOrigin } from "./http/origin.ts";
import { refusalNotes } from "./http/refusals.ts";
import { addressOf, noteForwarded } from "./http/request-from.ts";
import { securityTextRoutes } from "./http/security-text.ts";
import { staticRoutes } from "./http/static.ts";
import { checkTarget } from "./http/target.ts";
import type { Ingest } from "./ingest/ingest.ts";
import { uplinkRoutes } from "./ingest/routes.ts";
import { zstd } from "./ingest/zstd.ts";
import { liveRoutes } from "./live/routes.ts";
import type { AuditKeeper } from "./modules/audit/keeper.ts";
import { CONFIG_IMPORT_PATH } from "./modules/config/import/routes.ts";
import { CONFIG_PATH } from "./modules/config/routes.ts";
import { eventRoutes } from "./modules/events/routes.ts";
import { gapRoutes } from "./modules/gaps/routes.ts";
import { IMPORT } from "./modules/imports/limits.ts";
import { IMPORT_PATH } from "./modules/imports/routes.ts";
import { latestRoutes } from "./modules/latest/routes.ts";
import { logRoutes } from "./modules/logs/routes.ts";
import type { People } from "./modules/people/people.ts";
import { peopleRoutes } from "./modules/people/routes.ts";
import { createGatekeeper } from "./modules/people/session/gatekeeper.ts";
import { quarantineRoutes } from "./modules/quarantine/routes.ts";
import type { Vault } from "./modules/secrets/service.ts";
import { setupRoutes } from "./modules/setup/routes.ts";
import type { Setup } from "./modules/setup/service.ts";
import type { Sso } from "./modules/sso/service.ts";
import { tagRoutes } from "./modules/tags/routes.ts";
import { plantRoutes } from "./plant-routes.ts";
import type { HubIdentity } from "./ports.ts";
import { type HubTls, hstsS } from "./tls/hub-tls.ts";
import { tlsRoutes } from "./tls/routes.ts";
import { trustRoutes } from "./trust-routes.ts";

export interface AppDeps {
  database: Database;
  identity: HubIdentity;
  vault: Vault;
  ingest: Ingest;
  clock: Clock;
  people: People;
  /** Null where no provider is set. */
  sso: Sso | null;
  setup: Setup;
  metrics: Metrics;
  dataFolder: string;
  webFolder: string;
  metricsOpen: boolean;
  limits: RequestLimits;
  /** Whose word about whom they forward for counts. */
  trusts: Trusts;
  /** Free bytes of the disk PostgreSQL lies on; null when that is another machine's. */
  diskFree: () => Promise<number | null>;
  /** Keeps the audit; sign-ins and refusals are told to its `access`. */
  audit: AuditKeeper;
  https: boolean;
  tls: HubTls;
  /** Origins of the hub's own pages; a function, because a port of 0 is known only after listening. */
  origins: () => readonly string[];
  publicUrl: () => string;
  /** Whom to tell of a weakness; undefined for nobody named. */
  securityContact?: string | undefined;
}

/** An import and a whole configuration are read as they come. */
const readsItsBody = (path: string, method: string): boolean =>
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
  const headers = securityHeaders(deps.https ? hstsS(deps.tls) : 0);
  const { database, ingest, clock, origins, limits } = deps;
  const { db } = database;
  const plainGatekeeper = createGatekeeper(deps.people);
  const gatekeeper = limits.counting(plainGatekeeper);
  const { manifests, sessions } = ingest;
  const change = { db, clock, manifests, vault: deps.vault, gatekeeper };
  const noteRefusal = refusalNotes(deps.audit.access, gatekeeper);
  const app = new Elysia({
    // The framework searches the path of a request from a fixed offset: the 11th letter, which is too far for a host of
    // three letters on plain http, or the 7th, which with https is the second slash of the scheme.
    handler: { standardHostname: deps.tls.keeper !== null },
    // In development the runtime shows whoever asks the source around an error.
    serve: { maxRequestBodySize: runtimeBodyBytesMax, development: false },
    websocket: SOCKET_LIMITS,
  })
    .onRequest(({ request, server, set }) => {
      Object.assign(set.headers, headers);
      noteForwarded(request, server, deps.trusts);
      limits.arrived(new URL(request.url).pathname, addressOf(request, server));
      checkTarget(request.url);
      checkSameOrigin(request, deps.origins());
    })
    // A value other than undefined keeps the default parser off it.
    .onParse(({ request, contentType, path }) =>
      readsItsBody(path, request.method) ? null : parseBody(request, contentType, bodyBytesMaxOf(path)),
    )
    .onError(({ error, request }) => {
      noteRefusal(error, request, app.server);
      return errorResponse(error, request);
    })
    .use(healthRoutes({ ...deps, db, gatekeeper }))
    .use(tlsRoutes({ tls: deps.tls, gatekeeper }))
    .use(securityTextRoutes({ ...deps, contact: deps.securityContact, gatekeeper }))
    .use(setupRoutes({ setup: deps.setup, gatekeeper }))
    .use(peopleRoutes({ people: deps.people, sso: deps.sso, gatekeeper }))
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
    .use(uplinkRoutes({ ...ingest.sessionDeps, access: deps.audit.access, gatekeeper, limits }))
    // Its sockets are counted, and each looks up its right again every few seconds.
    .use(liveRoutes({ db, fanOut: ingest.fanOut, gatekeeper: plainGatekeeper, clock, origins, limits }))
    .use(docsRoutes(gatekeeper, (): AnyElysia => app))
    .use(staticRoutes(gatekeeper, deps.webFolder));
  const open = unguardedRoutes(app);
  if (open.length > 0) throw new Error(`routes without a permission: ${open.join(", ")}`);
  return app;
}
export type App = ReturnType<typeof createApp>;
