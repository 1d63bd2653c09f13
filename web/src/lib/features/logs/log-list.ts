import { LogRow } from "@millrace/contract/api/log";
import { Page } from "@millrace/contract/api/page";
import { PagedList } from "../../hub/paged-list.svelte.ts";
import type { Services } from "../../services.ts";
import { type LogFilter, logSearch } from "./log-filter.ts";

const LogPage = Page(LogRow);
const PAGE_ROWS = 100;
/** Who needs more narrows the time. */
const ROWS_MAX = 2_000;

/** The gateways' logs, the newest record first. */
export const logList = (
  { client, clock }: Pick<Services, "client" | "clock">,
  filter: LogFilter,
): PagedList<LogRow, LogFilter> =>
  new PagedList(clock, filter, {
    rowsMax: ROWS_MAX,
    read: (wanted, cursor) => {
      const path = `/api/v1/logs?${logSearch(wanted, cursor, PAGE_ROWS)}`;
      return client.call({ method: "GET", path, schema: LogPage });
    },
  });
