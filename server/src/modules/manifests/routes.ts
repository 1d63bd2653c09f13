import { AppError } from "@millrace/contract/error/app-error";
import { EntityId } from "@millrace/contract/vocabulary/id";
import { SignedManifest } from "@millrace/contract/wire/manifest";
import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { access, atGateway, type Gatekeeper } from "../../http/access.ts";
import { type ManifestDeps, wantedManifest } from "./service.ts";

export const manifestRoutes = (deps: Pick<ManifestDeps, "db"> & { gatekeeper: Gatekeeper }) =>
  new Elysia({ prefix: "/api/v1/gateways", detail: { tags: ["Gateways"] } }).use(access(deps.gatekeeper)).get(
    "/:id/manifest",
    async ({ params }) => {
      const wanted = await wantedManifest(deps, params.id);
      if (wanted === null) throw new AppError("entity.missing", "This gateway has no manifest yet.");
      return { rev: wanted.rev, signed: wanted.signed };
    },
    {
      can: atGateway("gateway.read"),
      params: Type.Object({ id: EntityId }),
      response: { 200: Type.Object({ rev: Type.Integer(), signed: SignedManifest }) },
      detail: { summary: "The manifest a gateway is to run" },
    },
  );
