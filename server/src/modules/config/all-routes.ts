import { Elysia } from "elysia";
import type { Authenticate } from "../../http/access.ts";
import type { ChangeDeps } from "../change.ts";
import { configFileRoutes } from "./import/routes.ts";
import { configRoutes, configVersionRoutes } from "./routes.ts";

/** The configuration as a document, its versions, and tags and devices as files. */
export const allConfigRoutes = (deps: ChangeDeps & { authenticate: Authenticate }) =>
  new Elysia().use(configRoutes(deps)).use(configVersionRoutes(deps)).use(configFileRoutes(deps));
