import {
  CertificateDecision,
  MachineCertificate,
  MachineCertificates,
} from "@millrace/contract/api/machine-certificate";
import { EntityId } from "@millrace/contract/vocabulary/id";
import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { access, atGateway, type Gatekeeper } from "../../http/access.ts";
import { reachOf } from "../../http/principal.ts";
import type { ChangeDeps } from "../change.ts";
import { certificatesOf, decideCertificate } from "./service.ts";

/** What machines show of themselves, and whom a person trusts. */
export const machineCertificateRoutes = (deps: ChangeDeps & { gatekeeper: Gatekeeper }) =>
  new Elysia({ prefix: "/api/v1/gateways/:id/certificates", detail: { tags: ["Gateways"] } })
    .use(access(deps.gatekeeper))
    .get(
      "/",
      ({ params, principal }) => certificatesOf(deps, params.id, reachOf(principal, "gateway.read")),
      {
        can: atGateway("gateway.read"),
        params: Type.Object({ id: EntityId }),
        response: { 200: MachineCertificates },
        detail: { summary: "Certificates that machines showed to this gateway" },
      },
    )
    .post(
      "/:certificateId/decision",
      ({ params: { id, certificateId }, principal, body }) =>
        decideCertificate(deps, principal, { gatewayId: id, id: certificateId }, body),
      {
        can: atGateway("plant.edit"),
        params: Type.Object({ id: EntityId, certificateId: EntityId }),
        body: CertificateDecision,
        response: { 200: MachineCertificate },
        detail: { summary: "Trust or refuse a machine's certificate; nothing is trusted by itself" },
      },
    );
