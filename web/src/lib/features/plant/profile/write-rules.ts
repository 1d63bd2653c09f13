import { profileProblems } from "@millrace/contract/driver/check";
import type { ProfileParameters } from "@millrace/contract/vocabulary/parameter";
import type { ProfileTag } from "@millrace/contract/vocabulary/tag";
import {
  PULSE_MS,
  WRITE_TEXT_CHARACTERS_MAX,
  WRITE_VALUES_MAX,
  type WriteClass,
  WriteRules,
  writeClassOf,
} from "@millrace/contract/vocabulary/write";
import { kindOfTag, rulesFault } from "@millrace/contract/write/judge";
import { Value } from "@sinclair/typebox/value";
import { besideField } from "./tag-rows.ts";

type NumberMember = "min" | "max" | "step" | "pulseMs";
type RuleValue = NonNullable<WriteRules["values"]>[number];

/** What may be written to a tag, as it is being typed. */
export interface RuleDraft extends Record<NumberMember, string> {
  writable: boolean;
  class: WriteClass;
  /** One value a line. */
  values: string;
  atMachine: boolean;
}

export type RuleField = keyof RuleDraft;
export type RuleProblems = Partial<Record<RuleField, string>>;

interface TextField {
  key: NumberMember | "values";
  label: string;
  help: string;
  kinds: readonly ("number" | "boolean" | "text")[];
}

/** The names in brackets are those of the configuration; the contract's sentences use them. */
const TEXT_FIELDS: readonly TextField[] = [
  {
    key: "min",
    label: "Smallest value (min)",
    help: "In the tag's unit. Nothing below is written.",
    kinds: ["number"],
  },
  {
    key: "max",
    label: "Largest value (max)",
    help: "In the tag's unit. Nothing above is written.",
    kinds: ["number"],
  },
  {
    key: "step",
    label: "Step",
    help: "Distance of two values, counted from the smallest. Left empty: all between.",
    kinds: ["number"],
  },
  {
    key: "pulseMs",
    label: "Momentary, ms (pulseMs)",
    help: `Written, held for ${PULSE_MS.min} to ${PULSE_MS.max} ms, then taken back. Empty: it stays.`,
    kinds: ["boolean"],
  },
  {
    key: "values",
    label: "Allowed values",
    help: "One a line: nothing else is written. Empty: whatever the other rules allow.",
    kinds: ["number", "boolean", "text"],
  },
];

/** How a member that the schema refuses is told. */
const REFUSED: Readonly<Record<string, string>> = {
  min: "A number.",
  max: "A number.",
  step: "A number above 0.",
  pulseMs: `A whole number from ${PULSE_MS.min} to ${PULSE_MS.max}.`,
  values: `At most ${WRITE_VALUES_MAX} values, each of at most ${WRITE_TEXT_CHARACTERS_MAX} characters.`,
};

const textOf = (value: number | undefined): string => (value === undefined ? "" : String(value));
const linesOf = (values: readonly RuleValue[] = []): string => values.map(String).join("\n");

export const draftOf = (rules: WriteRules | undefined): RuleDraft => ({
  writable: rules !== undefined,
  class: writeClassOf(rules ?? {}),
  min: textOf(rules?.min),
  max: textOf(rules?.max),
  step: textOf(rules?.step),
  pulseMs: textOf(rules?.pulseMs),
  values: linesOf(rules?.values),
  atMachine: rules?.atMachine ?? false,
});

/** The fields that mean something for a tag, and those that hold something that must go. */
export function fieldsFor(tag: ProfileTag, draft: RuleDraft): TextField[] {
  const kind = kindOfTag(tag);
  const plain = kind === "boolean" || kind === "text" ? kind : "number";
  return TEXT_FIELDS.filter(({ key, kinds }) => kinds.includes(plain) || draft[key].trim() !== "");
}

/** Decimal comma or point; what is no number is NaN, which the schema refuses. */
const numberOf = (text: string): number => Number(text.trim().replace(",", "."));

/** A line as a value of the tag's kind; what is none stays a text, which the contract refuses. */
function lineValue(line: string, tag: ProfileTag): RuleValue {
  const plain = line.trim();
  switch (kindOfTag(tag)) {
    case "boolean":
      return plain === "true" ? true : plain === "false" ? false : plain;
    case "double":
      return Number.isFinite(numberOf(plain)) ? numberOf(plain) : plain;
    case "int64":
    case "uint64":
      return plain;
    case "text":
      return line;
  }
}

/** A tag with the rules that were typed; without any where writing is off. */
export function withRules(tag: ProfileTag, draft: RuleDraft): ProfileTag {
  const { write: before, ...rest } = tag;
  if (!draft.writable) return rest;
  const numbers = (["min", "max", "step", "pulseMs"] as const).flatMap((key) =>
    draft[key].trim() === "" ? [] : [[key, numberOf(draft[key])]],
  );
  const lines = draft.values.split("\n").filter((line) => line.trim() !== "");
  // A text may hold a line break, which cannot be typed here: a list nobody touched is kept as it is.
  const values =
    before?.values !== undefined && linesOf(before.values) === draft.values
      ? before.values
      : lines.map((line) => lineValue(line, tag));
  return {
    ...rest,
    write: {
      ...(draft.class === 1 ? {} : { class: draft.class }),
      ...Object.fromEntries(numbers),
      ...(values.length === 0 ? {} : { values }),
      ...(draft.atMachine ? { atMachine: true } : {}),
    },
  };
}

/** What the profile is besides the tag. */
export interface RuleSurroundings {
  driver: string;
  settings: Record<string, unknown>;
  parameters: ProfileParameters;
}

/** What is wrong with what was typed, by field: the contract's schema, its rules, and what the driver can write. */
export function ruleProblems(tag: ProfileTag, draft: RuleDraft, around: RuleSurroundings): RuleProblems {
  const next = withRules(tag, draft);
  if (next.write === undefined) return {};
  const problems: RuleProblems = {};
  for (const { path } of Value.Errors(WriteRules, next.write)) {
    const member = path.split("/")[1] ?? "";
    if (Object.hasOwn(REFUSED, member)) problems[member as RuleField] = REFUSED[member];
  }
  if (Object.keys(problems).length > 0) return problems;
  const fault = rulesFault(next);
  if (fault !== null) return { [fault.at]: besideField(fault.message.replace(/^values: /, "")) };
  const judge = (one: ProfileTag) => profileProblems({ ...around, tags: [one] });
  const { write: _write, ...readOnly } = next;
  const known = new Set(judge(readOnly).map(({ message }) => message));
  const refused = judge(next).find(({ at, message }) => at[0] === "tags" && !known.has(message));
  return refused === undefined ? {} : { writable: besideField(refused.message) };
}
