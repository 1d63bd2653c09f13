import { AuditEntry } from "@millrace/contract/api/audit";
import { Page } from "@millrace/contract/api/page";
import { PagedList } from "../../hub/paged-list.svelte.ts";
import type { Services } from "../../services.ts";
import { type AuditFilter, auditSearch } from "./audit-filter.ts";

const AuditPage = Page(AuditEntry);
const PAGE_ROWS = 50;
/** Who needs more takes the export. */
const ROWS_MAX = 2_000;

/** The entries of the audit, the latest first. */
export const auditList = (
  { client, clock }: Pick<Services, "client" | "clock">,
  filter: AuditFilter,
): PagedList<AuditEntry, AuditFilter> =>
  new PagedList(clock, filter, {
    rowsMax: ROWS_MAX,
    read: (wanted, cursor) => {
      const path = `/api/v1/audit?${auditSearch(wanted, cursor, PAGE_ROWS)}`;
      return client.call({ method: "GET", path, schema: AuditPage });
    },
  });
