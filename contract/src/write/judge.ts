import type { Scale } from "../vocabulary/tag.ts";
import {
  type DataType,
  type JsonValue,
  type TagValue,
  type ValueKind,
  valueKindOf,
} from "../vocabulary/value.ts";
import { WRITE_TEXT_CHARACTERS_MAX, type WriteRules } from "../vocabulary/write.ts";

/** What must be known of a tag to judge a write. */
export interface WritableTag {
  dataType: DataType;
  unit?: string;
  scale?: Scale | null;
  write?: WriteRules | null;
}

/** The value as the tag holds it, or why it may not be written, as a sentence. */
export type Judgement = { ok: true; value: TagValue } | { ok: false; why: "off" | "limits"; message: string };

const INTEGER: Partial<Record<DataType, readonly [min: number, max: number]>> = {
  int8: [-0x80, 0x7f],
  uint8: [0, 0xff],
  int16: [-0x8000, 0x7fff],
  uint16: [0, 0xffff],
  int32: [-0x8000_0000, 0x7fff_ffff],
  uint32: [0, 0xffff_ffff],
};
const LONG = { int64: [-(2n ** 63n), 2n ** 63n - 1n], uint64: [0n, 2n ** 64n - 1n] } as const;
/** Share of a step by which a value may miss it: 0.1 × 3 is not 0.3 in a computer. */
const STEP_SLACK = 1e-6;

const isScaled = ({ scale, dataType }: WritableTag): boolean =>
  scale != null && dataType !== "boolean" && dataType !== "text";

export const kindOfTag = (tag: WritableTag): ValueKind => valueKindOf(tag.dataType, isScaled(tag));

/** JSON → the value in the tag's own kind; null when it is none of that kind. */
export function valueOfKind(kind: ValueKind, json: JsonValue): TagValue {
  switch (kind) {
    case "boolean":
      return typeof json === "boolean" ? json : null;
    case "text":
      return typeof json === "string" ? json : null;
    case "double":
      return typeof json === "number" && Number.isFinite(json) ? json : null;
    case "int64":
    case "uint64": {
      const text = typeof json === "number" && Number.isSafeInteger(json) ? String(json) : json;
      if (typeof text !== "string" || !/^-?\d{1,20}$/.test(text)) return null;
      const value = BigInt(text);
      const [min, max] = LONG[kind];
      return value >= min && value <= max ? value : null;
    }
  }
}

/**
 * Whether a value may be written to a tag: the same rule at the hub, on screens and, with the signed manifest, at the
 * gateway, which trusts nobody else's judgement.
 */
export function judgeWrite(tag: WritableTag, json: JsonValue): Judgement {
  const rules = tag.write;
  if (rules == null) return { ok: false, why: "off", message: "Writing to this tag is off." };
  const value = valueOfKind(kindOfTag(tag), json);
  const outside = (message: string): Judgement => ({ ok: false, why: "limits", message });
  if (value === null) return outside(`${JSON.stringify(json).slice(0, 80)} is no value of this tag.`);
  if (typeof value === "string" && value.length > WRITE_TEXT_CHARACTERS_MAX)
    return outside(`The text has more than ${WRITE_TEXT_CHARACTERS_MAX} characters.`);
  if (rules.values !== undefined && !rules.values.some((one) => valueOfKind(kindOfTag(tag), one) === value))
    return outside(`${value} is not among the allowed values: ${rules.values.join(", ")}.`);
  if (typeof value === "number" || typeof value === "bigint") {
    const why = numberRefusal(tag, rules, value);
    if (why !== null) return outside(why);
  }
  return { ok: true, value };
}

function numberRefusal(
  tag: WritableTag,
  { min, max, step }: WriteRules,
  value: number | bigint,
): string | null {
  const unit = tag.unit ? ` ${tag.unit}` : "";
  if (min !== undefined && value < min) return `${value}${unit} is below the smallest value, ${min}${unit}.`;
  if (max !== undefined && value > max) return `${value}${unit} is above the largest value, ${max}${unit}.`;
  if (step !== undefined) {
    const steps = (Number(value) - (min ?? 0)) / step;
    if (Math.abs(steps - Math.round(steps)) > STEP_SLACK)
      return `${value}${unit} is not a step of ${step}${unit}.`;
  }
  const whole = INTEGER[tag.dataType];
  if (whole === undefined || isScaled(tag)) return null;
  const fits = Number.isInteger(value) && value >= whole[0] && value <= whole[1];
  return fits || typeof value === "bigint"
    ? null
    : `${value} is no whole number from ${whole[0]} to ${whole[1]}.`;
}

/** What makes no sense in rules: the member to correct, and why, as a sentence. */
export interface RulesFault {
  at: keyof WriteRules;
  message: string;
}

/**
 * Why rules make no sense for a tag; null when they do. A number must have both limits or a list of values: whoever
 * mistypes a digit must meet a limit.
 */
export function rulesFault(tag: WritableTag): RulesFault | null {
  const rules = tag.write;
  if (rules == null) return null;
  const kind = kindOfTag(tag);
  const isNumber = kind !== "boolean" && kind !== "text";
  const { min, max, values, pulseMs } = rules;
  const senseless = (["min", "max", "step"] as const).find((member) => rules[member] !== undefined);
  if (!isNumber && senseless !== undefined)
    return { at: senseless, message: `min, max and step have no meaning for ${tag.dataType}.` };
  if (isNumber && values === undefined && (min === undefined || max === undefined))
    return { at: min === undefined ? "min" : "max", message: "a number needs min and max, or values." };
  if (min !== undefined && max !== undefined && min >= max)
    return { at: "max", message: `min ${min} is not below max ${max}.` };
  if (pulseMs !== undefined && kind !== "boolean")
    return { at: "pulseMs", message: "pulseMs is for boolean tags." };
  const wrong = values?.find((one) => {
    const judged = judgeWrite({ ...tag, write: { ...rules, values: [one] } }, one);
    return !judged.ok;
  });
  if (wrong === undefined) return null;
  const message = `values: ${JSON.stringify(wrong)} is no value of this tag, or outside its limits.`;
  return { at: "values", message };
}

/** The same as a sentence alone. */
export const rulesProblem = (tag: WritableTag): string | null => rulesFault(tag)?.message ?? null;
