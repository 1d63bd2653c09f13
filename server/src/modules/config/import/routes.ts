import { ConfigPlan } from "@millrace/contract/api/config";
import { AppError } from "@millrace/contract/error/app-error";
import { type Static, Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { access, type Gatekeeper, whole } from "../../../http/access.ts";
import { readBytes } from "../../../http/body.ts";
import type { ChangeDeps } from "../../change.ts";
import { baseOf } from "../routes.ts";
import { CONFIG_IMPORT } from "./limits.ts";
import { type ImportMedia, type ReadOptions, readSheet } from "./read.ts";
import { exportSheet, importSheet } from "./service.ts";
import type { Decimal } from "./sheet.ts";
import type { Delimiter } from "./table.ts";

/** Its body is read by the route itself: text in other forms than JSON. */
export const CONFIG_IMPORT_PATH = "/api/v1/config/import";

const one = <T extends string>(names: readonly T[], description: string) =>
  Type.Optional(
    Type.Union(
      names.map((name) => Type.Literal(name)),
      { description },
    ),
  );
const Flag = one(["true", "false"], "");
const Profile = Type.Optional(Type.String({ minLength: 1, maxLength: 100 }));
const DELIMITER: Record<string, Delimiter> = {
  ",": ",",
  comma: ",",
  ";": ";",
  semicolon: ";",
  "\t": "\t",
  tab: "\t",
};
const DECIMAL: Record<string, Decimal> = { ".": ".", point: ".", ",": ",", comma: "," };
const Delimiter_ = one(Object.keys(DELIMITER), "Found by itself");
const Decimal_ = one(Object.keys(DECIMAL), "Sign before the decimals; found by itself");

const ImportQuery = Type.Object({
  kind: one(["tags", "devices", "auto"], "Found by the columns unless said"),
  profile: Profile,
  delimiter: Delimiter_,
  decimal: Decimal_,
  base: one(["0", "1"], "Number of the first register in an export from Ignition"),
  dryRun: Flag,
  prune: Flag,
  comment: Type.Optional(Type.String({ maxLength: 500, description: "Why; kept with the version" })),
});
const ExportQuery = Type.Object({
  kind: Type.Union([Type.Literal("tags"), Type.Literal("devices")]),
  profile: Profile,
  delimiter: Delimiter_,
  decimal: Decimal_,
});

function mediaOf(contentType: string | null): ImportMedia {
  const media = contentType?.split(";")[0]?.trim().toLowerCase();
  if (media === "text/csv" || media === "application/json") return media;
  throw new AppError("request.malformed", "Send the file as text/csv, or as application/json from Ignition.");
}

const readOptions = (query: Static<typeof ImportQuery>, request: Request): ReadOptions => ({
  media: mediaOf(request.headers.get("content-type")),
  kind: query.kind === "tags" || query.kind === "devices" ? query.kind : null,
  delimiter: DELIMITER[query.delimiter ?? ""] ?? null,
  decimal: DECIMAL[query.decimal ?? ""] ?? null,
  base: query.base === undefined ? null : query.base === "0" ? 0 : 1,
});

/** Tags and devices as files: what spreadsheets and other systems write, and the way back into a spreadsheet. */
export const configFileRoutes = (deps: ChangeDeps & { gatekeeper: Gatekeeper }) =>
  new Elysia({ prefix: "/api/v1/config", detail: { tags: ["Configuration"] } })
    .use(access(deps.gatekeeper))
    .post(
      "/import",
      async ({ query, headers, request, principal }) => {
        const options = readOptions(query, request);
        const read = await readSheet(await readBytes(request, CONFIG_IMPORT.bytesMax), options);
        return await importSheet(deps, principal, read, {
          dryRun: query.dryRun === "true",
          prune: query.prune === "true",
          comment: query.comment ?? "",
          profile: query.profile ?? null,
          basedOn: baseOf(headers),
        });
      },
      {
        can: whole("plant.edit"),
        query: ImportQuery,
        response: { 200: ConfigPlan },
        detail: {
          summary: "Take tags or devices from a file: CSV, KEPServerEX CSV, Ignition JSON",
          description:
            "All of it becomes one version, or, with anything wrong, nothing: every wrong cell is named by row, " +
            "column and content. Tags go into the profile of their column `profile`, else of the query. What the " +
            "file does not name stays, unless `prune=true`: then tags go from the profiles it fills, or devices. " +
            `At most ${CONFIG_IMPORT.rowsMax} rows and ${CONFIG_IMPORT.bytesMax} bytes of UTF-8.`,
        },
      },
    )
    .get(
      "/export",
      async ({ query: { kind, profile, ...query } }) => {
        const form = {
          delimiter: DELIMITER[query.delimiter ?? ""] ?? ",",
          decimal: DECIMAL[query.decimal ?? ""] ?? ".",
        };
        const text = await exportSheet(deps.db, kind, profile ?? null, form);
        return new Response(text, {
          headers: {
            "content-type": "text/csv; charset=utf-8",
            "content-disposition": `attachment; filename="${kind}.csv"`,
          },
        });
      },
      {
        can: whole("plant.read"),
        query: ExportQuery,
        detail: {
          summary: "Tags or devices as CSV, in the form the import takes",
          description:
            "Of one profile with `profile`, else of all. Texts a spreadsheet would run get an apostrophe.",
        },
      },
    );
