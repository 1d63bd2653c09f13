import { Elysia } from "elysia";
import type { Gatekeeper } from "./http/access.ts";
import { configFileRoutes } from "./modules/config/import/routes.ts";
import { configRoutes, configVersionRoutes } from "./modules/config/routes.ts";
import { deviceRoutes } from "./modules/devices/routes.ts";
import { draftRoutes } from "./modules/drafts/routes.ts";
import { profileRoutes } from "./modules/profiles/routes.ts";
import { rolloutRoutes } from "./modules/rollouts/routes.ts";
import type { RolloutDeps } from "./modules/rollouts/service.ts";
import { siteRoutes } from "./modules/sites/routes.ts";

/** The routes by which the plant is configured: entity by entity, as one document, in stages. */
export const plantRoutes = (deps: RolloutDeps & { gatekeeper: Gatekeeper }) =>
  new Elysia()
    .use(siteRoutes(deps))
    .use(profileRoutes(deps))
    .use(deviceRoutes(deps))
    .use(configRoutes(deps))
    .use(configVersionRoutes(deps))
    .use(draftRoutes(deps))
    .use(configFileRoutes(deps))
    .use(rolloutRoutes(deps));
