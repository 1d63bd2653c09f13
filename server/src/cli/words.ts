import type { ConfigChange, ConfigDiff, ConfigPlan, ConfigVersion } from "@millrace/contract/api/config";
import type { Problem } from "@millrace/contract/api/problem";

const SIGN = { added: "+", changed: "~", removed: "-" } as const;
/** Longest value shown on one line. */
const VALUE_CHARACTERS_MAX = 80;

const shown = (value: unknown): string => {
  const text = value === undefined ? "nothing" : JSON.stringify(value);
  return text.length > VALUE_CHARACTERS_MAX ? `${text.slice(0, VALUE_CHARACTERS_MAX)}…` : text;
};

const changeLines = ({ what, kind, name, fields, fieldCount }: ConfigChange): string[] => [
  `${SIGN[what]} ${kind} ${name}`,
  ...fields.map((field) => `    ${field.field}: ${shown(field.old)} → ${shown(field.new)}`),
  ...(fieldCount > fields.length ? [`    and ${fieldCount - fields.length} fields more`] : []),
];

const countWords = ({ added, changed, removed }: Pick<ConfigDiff, "added" | "changed" | "removed">): string =>
  `${added} added, ${changed} changed, ${removed} removed`;

function allChanges(diff: Pick<ConfigDiff, "added" | "changed" | "removed" | "changes">): string[] {
  const more = diff.added + diff.changed + diff.removed - diff.changes.length;
  return [...diff.changes.flatMap(changeLines), ...(more > 0 ? [`and ${more} more`] : [])];
}

/** A plan as lines for a terminal. */
export function planText(plan: ConfigPlan): string {
  const nothing = plan.added + plan.changed + plan.removed === 0;
  const end = nothing
    ? `Nothing to do: the configuration is as wanted (version ${plan.version}).`
    : plan.applied
      ? `Published as version ${plan.version}: ${countWords(plan)}; gateways: ${plan.gateways.join(", ") || "none"}.`
      : `Dry run, nothing was changed: ${countWords(plan)}; gateways: ${plan.gateways.join(", ") || "none"}.`;
  return [...allChanges(plan), ...plan.notes.map((note) => `! ${note}`), end].join("\n");
}

export const diffText = (diff: ConfigDiff): string =>
  [...allChanges(diff), `Version ${diff.from} → ${diff.to}: ${countWords(diff)}.`].join("\n");

export const versionLine = (row: ConfigVersion): string =>
  `${String(row.version).padStart(5)}  ${row.at}  ${row.author}  ${row.action}  +${row.added} ~${row.changed} -${row.removed}  ${row.comment}`.trimEnd();

/** A refusal, each of its problems on a line of its own. */
export function problemText({ code, detail, nextStep, context }: Problem): string {
  const { problems, problemCount } = context as {
    problems?: { at: string; line?: number; message: string }[];
    problemCount?: number;
  };
  if (problems === undefined) return `${code}: ${detail}\n${nextStep}`;
  const lines = problems.map(
    ({ at, line, message }) => `${line === undefined ? "" : `line ${line}: `}${at}: ${message}`,
  );
  const more = (problemCount ?? lines.length) - lines.length;
  return [...lines, ...(more > 0 ? [`and ${more} more`] : []), `Nothing was changed (${code}).`].join("\n");
}
