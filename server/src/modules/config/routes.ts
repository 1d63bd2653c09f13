import { ConfigDiff, ConfigPlan, ConfigVersion } from "@millrace/contract/api/config";
import { Page, PageQuery } from "@millrace/contract/api/page";
import { AppError } from "@millrace/contract/error/app-error";
import { type Static, Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { access, type Gatekeeper, whole } from "../../http/access.ts";
import { readText } from "../../http/body.ts";
import { asQuery } from "../../http/query.ts";
import { entityTag, revisionOf } from "../../http/revision.ts";
import type { ChangeDeps } from "../change.ts";
import { compareVersions, getConfig, getVersion, putConfig, rollBack, versionsPage } from "./service.ts";
import { CONFIG_TEXT, type ConfigMedia, readConfig, writeConfig } from "./text.ts";

/** Its body is read by the route itself: YAML too, and more of it than elsewhere. */
export const CONFIG_PATH = "/api/v1/config";

const Flag = Type.Optional(Type.Union([Type.Literal("true"), Type.Literal("false")]));
const Comment = Type.Optional(Type.String({ maxLength: 500, description: "Why; kept with the version" }));
const Version = Type.Integer({ minimum: 0, maximum: 0x7fff_ffff });
const Number_ = Type.Object({ version: Version });

const PutQuery = Type.Object({ dryRun: Flag, prune: Flag, comment: Comment });

function mediaOf(contentType: string): ConfigMedia {
  const media = contentType.split(";")[0]?.trim().toLowerCase();
  if (media === "application/json") return "application/json";
  if (media === "application/yaml" || media === "application/x-yaml") return "application/yaml";
  throw new AppError("request.malformed", "Send the document as application/yaml or application/json.");
}

async function readRequest(request: Request) {
  const media = mediaOf(request.headers.get("content-type") ?? "");
  const bytesMax = media === "application/json" ? CONFIG_TEXT.jsonBytesMax : CONFIG_TEXT.yamlBytesMax;
  return readConfig(await readText(request, bytesMax), media);
}

/** The version an edit is based on; a document without one wins over whatever is there. */
export const baseOf = (headers: Record<string, string | undefined>): number | null =>
  headers["if-match"] === undefined ? null : revisionOf(headers["if-match"]);

const optionsOf = (query: Static<typeof PutQuery>, headers: Record<string, string | undefined>) => ({
  dryRun: query.dryRun === "true",
  comment: query.comment ?? "",
  basedOn: baseOf(headers),
});

const wantsYaml = (accept: string | undefined): boolean => /yaml/i.test(accept ?? "");

export const configRoutes = (deps: ChangeDeps & { gatekeeper: Gatekeeper }) =>
  new Elysia({ prefix: CONFIG_PATH, detail: { tags: ["Configuration"] } })
    .use(access(deps.gatekeeper))
    .get(
      "/",
      async ({ query, headers }) => {
        const { version, document } = await getConfig(deps.db, query.version ?? null);
        const media: ConfigMedia = wantsYaml(headers.accept) ? "application/yaml" : "application/json";
        return new Response(writeConfig(document, media), {
          headers: { "content-type": `${media}; charset=utf-8`, etag: entityTag(version), vary: "accept" },
        });
      },
      {
        can: whole("plant.read"),
        query: asQuery(Type.Object({ version: Type.Optional(Version) })),
        detail: {
          summary: "The whole configuration as one document",
          description:
            "JSON, or YAML with `Accept: application/yaml`; `ETag` is the version. Stable in its order.",
        },
      },
    )
    .put(
      "/",
      async ({ query, headers, request, principal }) => {
        const read = await readRequest(request);
        const options = { ...optionsOf(query, headers), prune: query.prune === "true" };
        return await putConfig(deps, principal, read, options);
      },
      {
        can: whole("plant.edit"),
        query: PutQuery,
        response: { 200: ConfigPlan },
        detail: {
          summary: "Make the configuration what a document says",
          description:
            "What it names is added or changed, all or nothing. What it does not name stays, unless `prune=true`. " +
            "`dryRun=true` answers what would happen. `If-Match` with the version it is based on refuses to overwrite " +
            `newer changes. At most ${CONFIG_TEXT.yamlBytesMax} bytes of YAML or ${CONFIG_TEXT.jsonBytesMax} of JSON.`,
        },
      },
    );

/** What was published, and the way back to it. */
export const configVersionRoutes = (deps: ChangeDeps & { gatekeeper: Gatekeeper }) =>
  new Elysia({ prefix: CONFIG_PATH, detail: { tags: ["Configuration"] } })
    .use(access(deps.gatekeeper))
    .get("/versions", ({ query }) => versionsPage(deps.db, query), {
      can: whole("plant.read"),
      query: asQuery(PageQuery),
      response: { 200: Page(ConfigVersion) },
      detail: { summary: "Published versions, newest first" },
    })
    .get("/versions/:version", ({ params }) => getVersion(deps.db, params.version), {
      can: whole("plant.read"),
      params: asQuery(Number_),
      response: { 200: ConfigVersion },
      detail: { summary: "One version" },
    })
    .get("/diff", ({ query }) => compareVersions(deps.db, query.from, query.to), {
      can: whole("plant.read"),
      query: asQuery(Type.Object({ from: Version, to: Version })),
      response: { 200: ConfigDiff },
      detail: {
        summary: "What changed between two versions, by entity and field; version 0 is the empty one",
      },
    })
    .post(
      "/rollback",
      ({ query, headers, body, principal }) =>
        rollBack(deps, principal, body.to, {
          dryRun: query.dryRun === "true",
          comment: body.comment ?? "",
          basedOn: baseOf(headers),
        }),
      {
        can: whole("plant.edit"),
        query: Type.Object({ dryRun: Flag }),
        body: Type.Object({ to: Version, comment: Comment }),
        response: { 200: ConfigPlan },
        detail: { summary: "Go back to a version, under a new number" },
      },
    );
