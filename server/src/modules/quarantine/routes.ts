import { Page, PageQuery } from "@millrace/contract/api/page";
import { QuarantinedFrame, QuarantineId, QuarantineRetry } from "@millrace/contract/api/quarantine";
import { EntityId } from "@millrace/contract/vocabulary/id";
import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { access, type Gatekeeper, whole } from "../../http/access.ts";
import { asQuery } from "../../http/query.ts";
import { deleteFrame, exportFrame, type QuarantineDeps, quarantinePage, retryFrame } from "./service.ts";

const One = Type.Object({ id: QuarantineId });

export const quarantineRoutes = (deps: QuarantineDeps & { gatekeeper: Gatekeeper }) =>
  new Elysia({ prefix: "/api/v1/quarantine", detail: { tags: ["Gateways"] } })
    .use(access(deps.gatekeeper))
    .get("/", ({ query }) => quarantinePage(deps, query), {
      can: whole("gateway.read"),
      query: asQuery(Type.Object({ gateway: Type.Optional(EntityId), ...PageQuery.properties })),
      response: { 200: Page(QuarantinedFrame) },
      detail: { summary: "Frames that came whole and could not be used, the latest first" },
    })
    .get(
      "/:id/body",
      async ({ params }) =>
        new Response(Buffer.from(await exportFrame(deps, params.id)), {
          headers: {
            "content-type": "application/octet-stream",
            "content-disposition": `attachment; filename="${params.id}.frame"`,
          },
        }),
      {
        can: whole("gateway.read"),
        params: One,
        detail: { summary: "A frame in quarantine, byte for byte" },
      },
    )
    .post("/:id/retry", ({ params, principal }) => retryFrame(deps, principal, params.id), {
      can: whole("gateway.edit"),
      params: One,
      response: { 200: QuarantineRetry },
      detail: { summary: "Read a frame again with what this hub knows today" },
    })
    .delete("/:id", ({ params, principal }) => deleteFrame(deps, principal, params.id), {
      can: whole("gateway.edit"),
      params: One,
      response: { 200: Type.Object({ id: QuarantineId }) },
      detail: { summary: "Give a frame up; its samples become a gap" },
    });
