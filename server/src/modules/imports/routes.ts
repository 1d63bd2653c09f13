import { ImportReport } from "@millrace/contract/api/history";
import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { access, type Gatekeeper, whole } from "../../http/access.ts";
import { IMPORT } from "./limits.ts";
import { type ImportDeps, importSamples, keyOf } from "./service.ts";

/** Its body is read by the route itself, as it comes. */
export const IMPORT_PATH = "/api/v1/samples/import";

const Flag = Type.Optional(Type.Union([Type.Literal("true"), Type.Literal("false")]));

export const importRoutes = (deps: ImportDeps & { gatekeeper: Gatekeeper }) =>
  new Elysia({ prefix: IMPORT_PATH, detail: { tags: ["Samples"] } }).use(access(deps.gatekeeper)).post(
    "/",
    ({ query, request, principal }) =>
      importSamples(deps, principal, {
        key: keyOf(request.headers),
        body: request.body,
        contentType: request.headers.get("content-type") ?? "",
        dryRun: query.dryRun === "true",
        partial: query.partial === "true",
      }),
    {
      can: whole("sample.import"),
      query: Type.Object({ dryRun: Flag, partial: Flag }),
      response: { 200: ImportReport },
      detail: {
        summary: "Take history from elsewhere: CSV or NDJSON",
        description:
          "The header `Idempotency-Key` names the file: sent again, it does nothing. CSV has the columns tag or path, " +
          "time, value and, if need be, quality. A file with rejected rows is imported only with `partial=true`. " +
          `At most ${IMPORT.rowsMax} rows and ${IMPORT.bytesMax} bytes.`,
      },
    },
  );
