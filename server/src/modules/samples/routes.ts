import { RawSamples } from "@millrace/contract/api/history";
import { Instant } from "@millrace/contract/api/page";
import { TagNo } from "@millrace/contract/vocabulary/id";
import { LIMITS } from "@millrace/contract/wire/limits";
import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { type Authenticate, access } from "../../http/access.ts";
import { asQuery } from "../../http/query.ts";
import { rawSamples, type SamplesDeps } from "./service.ts";

const Query = asQuery(
  Type.Object({
    tag: TagNo,
    from: Instant,
    to: Instant,
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: LIMITS.samplesRowsMax })),
  }),
);

export const samplesRoutes = (deps: SamplesDeps & { authenticate: Authenticate }) =>
  new Elysia({ prefix: "/api/v1/samples", detail: { tags: ["Samples"] } })
    .use(access(deps.authenticate))
    .get("/", ({ query }) => rawSamples(deps, query), {
      can: "sample.read",
      query: Query,
      response: { 200: RawSamples },
      detail: { summary: "Raw samples of one tag in [from, to), oldest first" },
    });
