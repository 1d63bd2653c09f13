import {
  AuditEntry,
  type AuditExportFormat,
  AuditExportQuery,
  AuditQuery,
  AuditState,
  AuditVerdict,
} from "@millrace/contract/api/audit";
import { Page } from "@millrace/contract/api/page";
import { Elysia } from "elysia";
import { access, type Gatekeeper, whole } from "../../http/access.ts";
import { asQuery } from "../../http/query.ts";
import { AUDIT } from "./limits.ts";
import { type AuditDeps, auditPage, auditVerdict, exportAudit } from "./service.ts";

const TYPE: Record<AuditExportFormat, string> = {
  ndjson: "application/x-ndjson",
  csv: "text/csv; charset=utf-8",
};
const exportHeaders = (format: AuditExportFormat) => ({
  "cache-control": "no-store",
  "content-type": TYPE[format],
  "content-disposition": `attachment; filename="audit.${format}"`,
});

export const auditRoutes = (deps: AuditDeps & { gatekeeper: Gatekeeper; state: () => AuditState }) =>
  new Elysia({ prefix: "/api/v1/audit", detail: { tags: ["Audit"] } })
    .use(access(deps.gatekeeper))
    .get("/", ({ query }) => auditPage(deps, query), {
      can: whole("audit.read"),
      query: asQuery(AuditQuery),
      response: { 200: Page(AuditEntry) },
      detail: { summary: "Every change: who, when, what, old, new and from where, the latest first" },
    })
    .get("/state", () => deps.state(), {
      can: whole("audit.read"),
      response: { 200: AuditState },
      detail: { summary: "Whether the audit can be written, holds, and has room, as the hub last found" },
    })
    .get(
      "/verify",
      ({ request, server }) => {
        // The server ends a silent connection long before a walk of years is through.
        server?.timeout(request, AUDIT.answerMs / 1_000);
        return auditVerdict(deps, request.signal);
      },
      {
        can: whole("audit.read"),
        response: { 200: AuditVerdict },
        detail: { summary: "Walk the whole chain and say whether it holds, and where it does not" },
      },
    )
    .get(
      "/export",
      async ({ request, server, query: { format = "ndjson" } }) => {
        server?.timeout(request, AUDIT.answerMs / 1_000);
        const body = await exportAudit(deps, format, request.signal);
        return new Response(body, { headers: exportHeaders(format) });
      },
      {
        can: whole("audit.read"),
        query: asQuery(AuditExportQuery),
        detail: {
          summary: "The whole audit as lines of JSON, for server/scripts/audit-verify.ts, or as CSV to read",
          responses: {
            200: {
              description: "A head, rows and anchors in order, and a signed end",
              content: { "application/x-ndjson": {}, "text/csv": {} },
            },
          },
        },
      },
    );
