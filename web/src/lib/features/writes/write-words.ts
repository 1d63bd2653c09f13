import type { Me } from "@millrace/contract/api/person";
import type { Tag } from "@millrace/contract/api/plant";
import type { TagWrite, WriteResult } from "@millrace/contract/api/write";
import type { JsonValue } from "@millrace/contract/vocabulary/value";
import type { WriteRules } from "@millrace/contract/vocabulary/write";
import { isErrorCode } from "../../error/fault.ts";
import { nextStepOf } from "../../error/present.ts";
import { formatValue, type NumberTraits } from "../../state/format-value.ts";

/** What of a tag decides how its values are written out. */
export type ValueTraits = NumberTraits & Pick<Tag, "unit">;

/** Whether somebody may write at a path, by what the hub said of them. The hub and the gateway judge it again. */
export function mayWrite(me: Pick<Me, "reach">, path: string): boolean {
  const reach = me.reach["tag.write"];
  if (reach === undefined) return false;
  return reach === "whole" || reach.some((place) => path === place || path.startsWith(`${place}/`));
}

/** A value with its unit. */
export const valueWords = (value: JsonValue, tag: ValueTraits): string =>
  `${formatValue(value, tag)} ${tag.unit}`.trim();

/** Where only the write is known and not its tag: as many digits as its values have. */
export function traitsOf({ unit, value, before, after, expected }: TagWrite): ValueTraits {
  const all = [value, before, after, expected];
  if (all.some((one) => typeof one === "string")) return { dataType: "text", deadband: 0, unit };
  const digits = all.map((one) =>
    typeof one === "number" ? (/\.(\d+)$/.exec(String(one))?.[1]?.length ?? 0) : 0,
  );
  return { dataType: "float64", deadband: 10 ** -Math.min(6, Math.max(...digits)), unit };
}

/** What became of a momentary value that outlived its press, and when; null of any other write. */
export function releaseWords({
  release,
}: Pick<TagWrite, "release">): { ok: boolean; title: string; atMs: number; text: string } | null {
  if (release === null) return null;
  const { taken, message } = release;
  const title = taken ? "Taken back later, at" : "Not taken back, as of";
  const text = message === "" && !taken ? "It may still be held: look at the machine." : message;
  return { ok: taken, title, atMs: Date.parse(release.at), text };
}

/** How writes are looked for by what became of them. */
export const RESULT_WORDS: Record<WriteResult, string> = {
  done: "Done",
  refused: "Refused or not done",
  expired: "Too late",
  unknown: "Not known",
  pending: "Pending",
};

/** What to do about a write that was not done; empty where its code says nothing, or its own sentence says it. */
export function nextStepWords({
  state,
  code,
  message,
}: Pick<TagWrite, "state" | "code" | "message">): string {
  if (state === "done" || !isErrorCode(code)) return "";
  const step = nextStepOf(code);
  return message.includes(step) ? "" : step;
}

/** What may be written, as a sentence. */
export function limitWords({ min, max, step, values, pulseMs }: WriteRules, tag: Tag): string {
  if (pulseMs !== undefined) return `Momentary: held for ${pulseMs / 1_000} s, then taken back.`;
  if (values !== undefined && tag.dataType !== "boolean")
    return `One of ${values.map((value) => `${value} ${tag.unit}`.trim()).join(", ")}.`;
  if (min === undefined || max === undefined) return "";
  const steps = step === undefined ? "" : `, in steps of ${step}`;
  return `From ${min} to ${max} ${tag.unit}${steps}`.trim().concat(".");
}

/** What was typed, as the tag's value; null when it is none. */
export function typedValue(text: string, tag: Tag): JsonValue {
  const plain = text.trim();
  if (tag.dataType === "boolean") return plain === "true" ? true : plain === "false" ? false : null;
  if (tag.dataType === "text") return text;
  const isLong = (tag.dataType === "int64" || tag.dataType === "uint64") && tag.scale === undefined;
  if (isLong) return /^-?\d{1,20}$/.test(plain) ? plain : null;
  const number = plain === "" ? Number.NaN : Number(plain.replace(",", "."));
  return Number.isFinite(number) ? number : null;
}

export interface Told {
  /** Null while nobody knows. */
  ok: boolean | null;
  title: string;
  text: string;
}

/** What became of a write, in words. `unknown` is never told as a failure: it may have been written. */
export function outcomeWords(write: TagWrite, tag: ValueTraits): Told {
  const { state, message, after, value } = write;
  switch (state) {
    case "selected":
      return { ok: null, title: "Chosen", text: "Nothing is written yet." };
    case "lapsed":
      return { ok: false, title: "Lapsed", text: "It was not carried out in time, so nothing was written." };
    case "sent":
      return { ok: null, title: "Pending", text: "The gateway was asked; its answer has yet to come." };
    case "done":
      return { ok: true, title: "Done", text: `The machine holds ${valueWords(after ?? value, tag)}.` };
    case "expired":
      return {
        ok: false,
        title: "Too late",
        text: "It reached the machine's turn too late. Nothing was written.",
      };
    case "stale":
      return { ok: false, title: "Refused", text: "The gateway had taken a later one. Nothing was written." };
    case "failed":
      return { ok: false, title: "Not done", text: message };
    case "unknown":
      return {
        ok: false,
        title: "Not known",
        text: message === "" ? "No answer came. It may have been written: look at the machine." : message,
      };
  }
}

/** False while the outcome may still change. */
export const isSettled = ({ state, answeredAt }: Pick<TagWrite, "state" | "answeredAt">): boolean =>
  state !== "sent" && (state !== "unknown" || answeredAt !== null);
