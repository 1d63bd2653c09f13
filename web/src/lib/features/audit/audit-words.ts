import type { AuditEntry, AuditVerdict } from "@millrace/contract/api/audit";
import { PERMISSIONS, type Permission } from "@millrace/contract/api/role";
import { nounWords } from "./action-words.ts";
import { BREAK } from "./break-words.ts";

/** Who did it: by name where there is one. */
export function whoWords({ who, whoName }: Pick<AuditEntry, "who" | "whoName">): string {
  const [kind = "", rest] = who.split(":");
  const noun = nounWords(kind);
  if (whoName !== null)
    return kind === "person" ? whoName : `${whoName} (${kind === "apiKey" ? noun : noun.toLowerCase()})`;
  if (kind === "hub" || kind === "system") return `The hub itself${rest === undefined ? "" : ` (${rest})`}`;
  if (kind === "setup") return "The set-up link";
  if (kind === "nobody") return "Somebody unknown";
  return `${noun} that is gone`;
}

const CLIENT: Record<NonNullable<AuditEntry["from"]>["client"], string> = {
  browser: "a browser",
  mobile: "a phone or tablet",
  commandLine: "a command line",
  program: "a program",
  unknown: "something that did not say what it is",
};

export const fromWords = (from: AuditEntry["from"]): string =>
  from === null
    ? "The hub itself, or not recorded"
    : `${from.address === "unknown" ? "An unknown address" : from.address}, ${CLIENT[from.client]}`;

/** A field whose value is another now. Null: it was not there. */
export interface FieldChange {
  field: string;
  old: string | null;
  new: string | null;
}

/** Longest text of one value; the export has the whole. */
const VALUE_CHARACTERS_MAX = 300;
/** Fields of one entry that are shown. */
const FIELDS_MAX = 60;

function valueText(value: unknown): string | null {
  if (value === undefined) return null;
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.length > VALUE_CHARACTERS_MAX ? `${text.slice(0, VALUE_CHARACTERS_MAX)}…` : text;
}

/** What differs between old and new, field by field; fields that stayed are left out. */
export function changesOf({ old, new: now }: Pick<AuditEntry, "old" | "new">): {
  changes: FieldChange[];
  more: number;
} {
  const fields = new Set([...Object.keys(old ?? {}), ...Object.keys(now ?? {})]);
  const changed = [...fields].filter(
    (field) => JSON.stringify(old?.[field]) !== JSON.stringify(now?.[field]),
  );
  return {
    changes: changed.slice(0, FIELDS_MAX).map((field) => ({
      field: nounWords(field),
      old: valueText(old?.[field]),
      new: valueText(now?.[field]),
    })),
    more: Math.max(0, changed.length - FIELDS_MAX),
  };
}

/** Subjects that are no thing with a name. */
const SUBJECT: Record<string, string> = {
  "access:others": "of many sorts",
  "audit:access": "sign-ins and refusals",
  "audit:head": "this hub",
  "hub:self": "this hub",
  "person:unknown": "an account that does not exist",
  "table:history_stray": "samples set aside",
};

/** What it was done to: as it was called then, as it is called now, or what kind of thing it was. */
export function subjectWords({
  subject,
  subjectName,
  old,
  new: now,
}: Pick<AuditEntry, "subject" | "subjectName" | "old" | "new">): string {
  const name = now?.name ?? old?.name;
  if (typeof name === "string") return name;
  if (subjectName !== null) return subjectName;
  if (Object.hasOwn(SUBJECT, subject)) return SUBJECT[subject]!;
  const [kind = "", ...rest] = subject.split(":");
  const id = rest.join(":");
  if (kind === "permission")
    return Object.hasOwn(PERMISSIONS, id) ? PERMISSIONS[id as Permission].toLowerCase() : nounWords(id);
  if (kind === "config") return `version ${id}`;
  // A name that was chosen says more than its kind; an id made by a machine says nothing.
  return /^[a-z][\w -]{0,40}$/i.test(id) && !MADE.test(id)
    ? id
    : `${nounWords(kind).toLowerCase()} that is gone`;
}
/** Ids nobody chose: UUIDs, and long words of letters and digits. */
const MADE = /^[0-9a-f]{8}-[0-9a-f]{4}-|^(?=.*\d)\w{16,}$/i;

/** A verdict in words, with what to do when it is bad. */
export function verdictWords(
  { ok, rows, firstBroken, newestAnchor }: AuditVerdict,
  when: (ms: number) => string,
) {
  const held = `${rows.toLocaleString("en")} ${rows === 1 ? "entry holds" : "entries hold"}`;
  if (firstBroken !== undefined)
    return {
      ok: false,
      title: `The audit does not hold from entry ${firstBroken.no.toLocaleString("en")} on`,
      text: `Of this entry: ${BREAK[firstBroken.why]}. ${held} before it.`,
      nextStep:
        "Leave the database as it is, keep an export of the audit and the hub's log, and compare them with your last backup.",
    };
  const signed =
    newestAnchor === null
      ? "The hub has signed none yet; it does so each hour."
      : `The hub signed them up to entry ${newestAnchor.no.toLocaleString("en")} at ${when(Date.parse(newestAnchor.at))}.`;
  return { ok, title: "The audit holds", text: `${held}. ${signed}`, nextStep: "" };
}
