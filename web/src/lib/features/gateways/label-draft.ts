import { LABELS, Label } from "@millrace/contract/api/gateway";

const LABEL = new RegExp(Label.pattern ?? "");

/** Why a text cannot be added as a label; empty when it can. */
export function wrongLabel(text: string, present: readonly string[]): string {
  const label = text.trim();
  if (label === "") return "";
  if (present.includes(label)) return "This label is there already.";
  if (present.length >= LABELS.perGatewayMax) return `A gateway has at most ${LABELS.perGatewayMax} labels.`;
  if (label.length > LABELS.charsMax) return `A label has at most ${LABELS.charsMax} characters.`;
  if (label.includes(",")) return "A label has no comma. Add one after the other.";
  return LABEL.test(label) ? "" : "A label is plain text on one line.";
}

export const isSame = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((label) => b.includes(label));

/** What somebody changed is kept, and what another person changed meanwhile too. */
export const merged = (
  mine: readonly string[],
  began: readonly string[],
  theirs: readonly string[],
): string[] =>
  [...new Set([...theirs, ...mine])].filter((label) =>
    began.includes(label) ? mine.includes(label) && theirs.includes(label) : true,
  );
