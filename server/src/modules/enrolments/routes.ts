import { Enrolment, EnrolmentRequest } from "@millrace/contract/api/enrolment";
import { ROUTE } from "@millrace/contract/wire/route";
import { Elysia } from "elysia";
import { access, type Gatekeeper } from "../../http/access.ts";
import { addressBucket } from "../../http/address.ts";
import { addressOf, requestFrom } from "../../http/request-from.ts";
import { type EnrolmentDeps, enrol } from "./service.ts";

export const enrolmentRoutes = (deps: EnrolmentDeps & { gatekeeper: Gatekeeper }) =>
  new Elysia({ detail: { tags: ["Gateways"] } })
    .use(access(deps.gatekeeper))
    .post(
      ROUTE.enrolments,
      ({ body, request, server }) =>
        enrol(deps, addressBucket(addressOf(request, server)), body, requestFrom(request, server)),
      {
        open: "a machine shows a one-time claim token and the key it made",
        body: EnrolmentRequest,
        response: { 200: Enrolment },
        detail: { summary: "Become a gateway by a claim token" },
      },
    );
