import { SampleFormat, SamplesAnswer, TagHistory } from "@millrace/contract/api/history";
import type { Reach } from "@millrace/contract/api/role";
import { TagNo } from "@millrace/contract/vocabulary/id";
import { LIMITS } from "@millrace/contract/wire/limits";
import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { QUERY } from "../../historian/query/limits.ts";
import { access, atTag, type Gatekeeper, inReach } from "../../http/access.ts";
import { reachOf } from "../../http/principal.ts";
import { asQuery } from "../../http/query.ts";
import { openExport, streamOf } from "./export.ts";
import { envelopeCsv, envelopeNdjson } from "./format/envelope-lines.ts";
import { MEDIA_TYPE } from "./format/format.ts";
import { readRequest, type SamplesQuery } from "./request.ts";
import { type SamplesDeps, samplesAnswer } from "./service.ts";
import { tagHistory } from "./tag-history.ts";

const Flag = Type.Union([Type.Literal("true"), Type.Literal("false")]);

const Query = asQuery(
  Type.Object({
    tag: Type.String({
      pattern: "^\\d{1,10}(,\\d{1,10})*$",
      maxLength: 20_000,
      description: `Numbers of up to ${QUERY.tagsMax} tags with commas between`,
    }),
    from: Type.String({ maxLength: 40, description: "First instant, included" }),
    to: Type.String({ maxLength: 40, description: "Last instant, not included" }),
    width: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: QUERY.widthMax,
        description: "Answer with an envelope of at most so many buckets",
      }),
    ),
    interval: Type.Optional(
      Type.String({ maxLength: 20, description: "Length of a bucket: 500ms, 10s, 1m, 1h, 1d, or ms" }),
    ),
    weighted: Type.Optional(Flag),
    bounds: Type.Optional(Flag),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: LIMITS.samplesRowsMax })),
    format: Type.Optional(SampleFormat),
  }),
);

const NO_STORE = { "cache-control": "no-store" };

/** Answers a query in the form asked for. */
async function respond(
  deps: SamplesDeps,
  query: SamplesQuery,
  request: Request,
  reach: Reach,
): Promise<Response> {
  const asked = readRequest(query, request.headers.get("accept"), reach);
  const { format } = asked;
  if (format === "json" || asked.what.kind === "envelope") {
    const answer = await samplesAnswer(deps, asked, request.signal);
    if (format === "json" || answer.kind === "raw") return Response.json(answer, { headers: NO_STORE });
    const text = format === "csv" ? envelopeCsv(answer) : envelopeNdjson(answer);
    return new Response(text, { headers: fileHeaders(format) });
  }
  const gone = new AbortController();
  request.signal.addEventListener("abort", () => gone.abort(request.signal.reason), { once: true });
  const opened = await openExport(deps, { ...asked, format }, gone.signal);
  return new Response(
    streamOf(opened, () => gone.abort()),
    { headers: fileHeaders(format) },
  );
}

const fileHeaders = (format: SampleFormat) => ({
  ...NO_STORE,
  "content-type": MEDIA_TYPE[format],
  "content-disposition": `attachment; filename="samples.${format}"`,
});

/** The answers are not checked against their schemas on the way out: that costs more than reading them. A test does. */
export const samplesRoutes = (deps: SamplesDeps & { gatekeeper: Gatekeeper }) =>
  new Elysia({ prefix: "/api/v1/samples", detail: { tags: ["Samples"] } })
    .use(access(deps.gatekeeper))
    .get(
      "/",
      ({ query, request, principal }) => respond(deps, query, request, reachOf(principal, "sample.read")),
      {
        can: inReach("sample.read"),
        query: Query,
        detail: {
          summary: "Samples of tags in [from, to), raw or as an envelope, oldest first",
          responses: {
            200: {
              description: "One page of raw samples or an envelope; other forms hold the whole range",
              content: { "application/json": { schema: SamplesAnswer as never } },
            },
          },
        },
      },
    );

export const tagHistoryRoutes = (deps: SamplesDeps & { gatekeeper: Gatekeeper }) =>
  new Elysia({ prefix: "/api/v1/tags", detail: { tags: ["Samples"] } })
    .use(access(deps.gatekeeper))
    .get("/:tagNo/history", ({ params }) => tagHistory(deps, params.tagNo), {
      can: atTag("sample.read"),
      params: asQuery(Type.Object({ tagNo: TagNo })),
      response: { 200: TagHistory },
      detail: { summary: "What a tag has stored, and what it costs a day" },
    });
