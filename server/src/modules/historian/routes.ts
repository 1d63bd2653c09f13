import { HistorianStatus } from "@millrace/contract/api/retention";
import { Elysia } from "elysia";
import { type Authenticate, access } from "../../http/access.ts";
import { createHistorianStatus, type HistorianDeps } from "./service.ts";

export const historianRoutes = (deps: HistorianDeps & { authenticate: Authenticate }) => {
  const status = createHistorianStatus(deps);
  return new Elysia({ prefix: "/api/v1/historian", detail: { tags: ["Historian"] } })
    .use(access(deps.authenticate))
    .get("/", () => status(), {
      can: "system.read",
      response: { 200: HistorianStatus },
      detail: { summary: "What the history takes on disk, what waits, and where it leads" },
    });
};
