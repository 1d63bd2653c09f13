/** What the list is narrowed to, as the fields of the form have it: empty for "any". Days are of this device's calendar. */
export interface AuditFilter {
  from: string;
  to: string;
  who: string;
  action: string;
  subject: string;
}

export const NO_AUDIT_FILTER: AuditFilter = { from: "", to: "", who: "", action: "", subject: "" };
const NAMES = ["from", "to", "who", "action", "subject"] as const;
const TEXT_MAX = 200;
const DAY = /^\d{4}-\d\d-\d\d$/;

/** Reads an address; what is not a day is no day. */
export function parseAuditFilter(search: string): AuditFilter {
  const found = new URLSearchParams(search);
  const text = (name: (typeof NAMES)[number]) => (found.get(name) ?? "").trim().slice(0, TEXT_MAX);
  const day = (name: "from" | "to") => (DAY.test(text(name)) ? text(name) : "");
  return {
    from: day("from"),
    to: day("to"),
    who: text("who"),
    action: text("action"),
    subject: text("subject"),
  };
}

/** Writes it into an address; `parseAuditFilter` reads it back. */
export function formatAuditFilter(filter: AuditFilter): string {
  const search = new URLSearchParams();
  for (const name of NAMES) if (filter[name].trim() !== "") search.set(name, filter[name].trim());
  return search.toString();
}

/** Midnight at the start of a day on this device's calendar, `later` days on. */
function midnight(day: string, later: number): string {
  const [year = 0, month = 1, date = 1] = day.split("-").map(Number);
  return new Date(year, month - 1, date + later).toISOString();
}

/** Parameters for the hub: whole days, the last one included. */
export function auditSearch(filter: AuditFilter, cursor: string | null, limit: number): string {
  const { from, to, who, action, subject } = filter;
  const search = new URLSearchParams({ limit: String(limit) });
  if (from !== "") search.set("from", midnight(from, 0));
  if (to !== "") search.set("to", midnight(to, 1));
  for (const [name, text] of Object.entries({ who, action, subject }))
    if (text !== "") search.set(name, text);
  if (cursor !== null) search.set("cursor", cursor);
  return search.toString();
}
