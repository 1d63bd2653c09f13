import type { Clock } from "@millrace/contract/std/clock";
import { type AnyElysia, Elysia } from "elysia";
import type { Db } from "./db/client.ts";
import { unguardedRoutes } from "./http/access.ts";
import { parseBody } from "./http/body.ts";
import { docsRoutes } from "./http/docs.ts";
import { errorResponse } from "./http/error-response.ts";
import { securityHeaders } from "./http/headers.ts";
import { healthRoutes } from "./http/health.ts";
import type { Metrics } from "./http/metrics.ts";
import { checkSameOrigin } from "./http/origin.ts";
import { staticRoutes } from "./http/static.ts";
import { type Auth, createAuthenticate } from "./modules/people/auth.ts";
import { peopleRoutes } from "./modules/people/routes.ts";
import { setupRoutes } from "./modules/setup/routes.ts";
import type { Setup } from "./modules/setup/service.ts";

export interface AppDeps {
  db: Db;
  clock: Clock;
  auth: Auth;
  setup: Setup;
  metrics: Metrics;
  dataFolder: string;
  webFolder: string;
  metricsOpen: boolean;
  https: boolean;
  /** Origins of the hub's own pages; a function, because a port of 0 is known only after listening. */
  origins: () => readonly string[];
}

/** Larger bodies are cut by the runtime without our headers; ours are refused at a far smaller size, with them. */
const runtimeBodyBytesMax = 16 * 1024 * 1024;

/**
 * Puts the hub's HTTP side together.
 *
 * @throws Error when a route says neither who may use it nor why everybody may
 */
export function createApp(deps: AppDeps) {
  const headers = securityHeaders(deps.https);
  const authenticate = createAuthenticate(deps.db, deps.auth);
  const app = new Elysia({
    // The path of a request is otherwise searched from a fixed offset, and hosts under four letters end as 404.
    handler: { standardHostname: false },
    serve: { maxRequestBodySize: runtimeBodyBytesMax },
  })
    .onRequest(({ request, set }) => {
      Object.assign(set.headers, headers);
      checkSameOrigin(request, deps.origins());
    })
    // Sign-in reads its own body, with a smaller limit; a value other than undefined keeps the default parser off it.
    .onParse(({ request, contentType, path }) =>
      path.startsWith("/api/auth/") ? null : parseBody(request, contentType),
    )
    .onError(({ error, request }) => errorResponse(error, request))
    .use(healthRoutes({ ...deps, authenticate }))
    .use(setupRoutes({ setup: deps.setup, authenticate }))
    .use(peopleRoutes({ auth: deps.auth, clock: deps.clock, authenticate }))
    .use(docsRoutes(authenticate, (): AnyElysia => app))
    .use(staticRoutes(authenticate, deps.webFolder));
  const open = unguardedRoutes(app);
  if (open.length > 0) throw new Error(`routes without a permission: ${open.join(", ")}`);
  return app;
}
export type App = ReturnType<typeof createApp>;
