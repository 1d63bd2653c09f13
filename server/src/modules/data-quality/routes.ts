import { DataQuality, DataQualityQuery } from "@millrace/contract/api/data-quality";
import { Elysia } from "elysia";
import { access, checkWithin, type Gatekeeper, inReach } from "../../http/access.ts";
import { reachOf } from "../../http/principal.ts";
import { asQuery } from "../../http/query.ts";
import { createDataQuality, type DataQualityDeps } from "./service.ts";

export const dataQualityRoutes = (deps: DataQualityDeps & { gatekeeper: Gatekeeper }) => {
  const answer = createDataQuality(deps);
  return new Elysia({ prefix: "/api/v1/data-quality", detail: { tags: ["Samples"] } })
    .use(access(deps.gatekeeper))
    .get(
      "/",
      async ({ query, principal }) => {
        const reach = reachOf(principal, "sample.read");
        const { gatewayId } = query;
        if (gatewayId !== undefined) await checkWithin(deps.gatekeeper, reach, "gateway", gatewayId);
        return await answer(query, reach);
      },
      {
        can: inReach("sample.read"),
        query: asQuery(DataQualityQuery),
        response: { 200: DataQuality },
        detail: {
          summary:
            "Accuracy, completeness, integrity, consistency and freshness of devices, by path, and of a gateway",
        },
      },
    );
};
