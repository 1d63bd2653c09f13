import { LOG_SEARCH_CHARS_MAX } from "@millrace/contract/api/log";
import { LOG_LEVELS, type LogLevel } from "@millrace/contract/vocabulary/log";

/** What the list is narrowed to, as the fields of the form have it: empty for "any". Times are of this device's clock. */
export interface LogFilter {
  gatewayId: string;
  level: LogLevel | "";
  q: string;
  from: string;
  to: string;
}

export const NO_LOG_FILTER: LogFilter = { gatewayId: "", level: "", q: "", from: "", to: "" };
/** As a field for date and time writes it. */
const MINUTE = /^\d{4}-\d\d-\d\dT\d\d:\d\d$/;
const ID = /^[0-9a-f-]{36}$/;

const isLevel = (text: string): text is LogLevel => LOG_LEVELS.some((level) => level === text);

/** Reads an address; what is not a time is no time. */
export function parseLogFilter(search: string): LogFilter {
  const found = new URLSearchParams(search);
  const text = (name: string) => (found.get(name) ?? "").trim().slice(0, LOG_SEARCH_CHARS_MAX);
  const minute = (name: string) => (instantOf(text(name)) === null ? "" : text(name));
  const level = text("level");
  const gateway = text("gateway");
  return {
    gatewayId: ID.test(gateway) ? gateway : "",
    level: isLevel(level) ? level : "",
    q: text("q"),
    from: minute("from"),
    to: minute("to"),
  };
}

/** Writes it into an address; `parseLogFilter` reads it back. */
export function formatLogFilter({ gatewayId, ...rest }: LogFilter): string {
  const search = new URLSearchParams();
  for (const [name, text] of Object.entries({ gateway: gatewayId, ...rest }))
    if (text.trim() !== "") search.set(name, text.trim());
  return search.toString();
}

function instantOf(minute: string): string | null {
  const ms = MINUTE.test(minute) ? new Date(minute).getTime() : Number.NaN;
  return Number.isNaN(ms) ? null : new Date(ms).toISOString();
}

/** Parameters for the hub. */
export function logSearch(filter: LogFilter, cursor: string | null, limit: number): string {
  const search = new URLSearchParams({ limit: String(limit) });
  const { gatewayId, level, q } = filter;
  for (const [name, text] of Object.entries({ gatewayId, level, q })) if (text !== "") search.set(name, text);
  for (const name of ["from", "to"] as const) {
    const instant = instantOf(filter[name]);
    if (instant !== null) search.set(name, instant);
  }
  if (cursor !== null) search.set("cursor", cursor);
  return search.toString();
}
