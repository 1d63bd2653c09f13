import type { AuditBreak, AuditEntry, AuditVerdict } from "@millrace/contract/api/audit";

/** Actions that are more than a thing and what became of it. */
const ACTION: Record<string, string> = {
  "certificate.refuse": "Machine's certificate refused",
  "certificate.trust": "Machine's certificate trusted",
  "command.send": "Command sent",
  "config.apply": "Configuration applied",
  "config.import": "Tags or devices imported",
  "config.rollout": "Change rolled out in stages",
  "config.rollback": "Configuration taken back",
  "field.browse": "Device looked through",
  "field.connection": "Connection to a device tried",
  "field.match": "Display searched in a device",
  "field.read": "Device read in a test",
  "field.scan": "Network searched for devices",
  "gateway.claim": "Claim token made",
  "gateway.cloned": "Gateway believed to be two machines",
  "gateway.confirmConfiguration": "This hub's configuration confirmed",
  "gateway.supportBundle": "Support bundle made",
  "gateway.trust": "Gateway trusted again",
  "quarantine.delete": "Frame in quarantine deleted",
  "quarantine.retry": "Frame in quarantine tried again",
  "retention.create": "Retention class added",
  "retention.delete": "Retention class deleted",
  "retention.drop": "Expired history dropped",
  "retention.edit": "Retention class changed",
  "sample.import": "Samples imported",
};
const VERB: Record<string, string> = {
  create: "added",
  edit: "changed",
  delete: "deleted",
  enrol: "enrolled",
  label: "labelled",
  revoke: "revoked",
};

/** "apiKey" → "API key", "trendView" → "Trend view". */
function nounWords(noun: string): string {
  const words = noun.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  return (words.charAt(0).toUpperCase() + words.slice(1)).replace(/^Api\b/, "API");
}

/** An action in words; one this page does not know is shown as it is written. */
export function actionWords(action: string): string {
  if (Object.hasOwn(ACTION, action)) return ACTION[action]!;
  const [noun = "", verb = ""] = action.split(".");
  const known = Object.hasOwn(VERB, verb) ? VERB[verb] : undefined;
  return known === undefined ? action : `${nounWords(noun)} ${known}`;
}

/** Who did it: by name where there is one, else as the audit has it. */
export function whoWords({ who, whoName }: Pick<AuditEntry, "who" | "whoName">): string {
  const [kind = "", rest] = who.split(":");
  if (whoName !== null)
    return kind === "person"
      ? whoName
      : `${whoName} (${nounWords(kind).toLowerCase().replace("api", "API")})`;
  if (kind === "hub" || kind === "system") return `The hub itself${rest === undefined ? "" : ` (${rest})`}`;
  if (kind === "setup") return "The set-up link";
  return who;
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
    changes: changed
      .slice(0, FIELDS_MAX)
      .map((field) => ({ field, old: valueText(old?.[field]), new: valueText(now?.[field]) })),
    more: Math.max(0, changed.length - FIELDS_MAX),
  };
}

/** What the thing was called, when the entry tells. */
export function subjectWords({
  subject,
  old,
  new: now,
}: Pick<AuditEntry, "subject" | "old" | "new">): string {
  const name = now?.name ?? old?.name;
  return typeof name === "string" ? name : subject;
}

const BREAK: Record<AuditBreak, string> = {
  "row.changed": "what it says was altered after it was written",
  "row.missing": "it is missing, and later ones are there",
  "row.order": "it does not follow the one before it: entries were moved, taken out or put in",
  "row.unreadable": "it cannot be read",
  "end.missing": "it was there when the hub signed the audit, and the audit now ends before it",
  "anchor.differs": "it is not the one the hub signed: the audit was written anew",
  "anchor.signature": "the signature over it is not genuine",
  "anchor.key": "the signature over it was made with a key that is not this hub's",
};

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
