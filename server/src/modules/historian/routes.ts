import { HistorianStatus } from "@millrace/contract/api/retention";
import { Elysia } from "elysia";
import { access, type Gatekeeper, whole } from "../../http/access.ts";
import { createHistorianStatus, type HistorianDeps } from "./service.ts";

export const historianRoutes = (deps: HistorianDeps & { gatekeeper: Gatekeeper }) => {
  const status = createHistorianStatus(deps);
  return new Elysia({ prefix: "/api/v1/historian", detail: { tags: ["Historian"] } })
    .use(access(deps.gatekeeper))
    .get("/", () => status(), {
      can: whole("system.read"),
      response: { 200: HistorianStatus },
      detail: { summary: "What the history takes on disk, what waits, and where it leads" },
    });
};
