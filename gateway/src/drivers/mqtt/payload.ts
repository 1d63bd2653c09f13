import type { MqttCommand } from "@millrace/contract/driver/mqtt/command";
import type { DataType, TagValue } from "@millrace/contract/vocabulary/value";
import { fromText } from "../../driver/payload/value.ts";

/**
 * The message that tells a device a value. What reads back as another value, or as none, is refused: a device would take
 * it for something.
 * @throws RangeError in words
 */
export function payloadOf({ json, words }: MqttCommand, value: TagValue, dataType: DataType): Uint8Array {
  const text = textOf(value, words, dataType);
  if (words === null && fromText(text, dataType).value !== value)
    throw new RangeError(`${JSON.stringify(text)} is no ${dataType} that a message can hold`);
  if (json === null) return Buffer.from(text);
  const quoted = typeof value === "string" || words !== null;
  const inner = quoted ? JSON.stringify(text) : text;
  return Buffer.from(json.reduceRight<string>((rest, name) => `{${JSON.stringify(name)}:${rest}}`, inner));
}

function textOf(value: TagValue, words: MqttCommand["words"], dataType: DataType): string {
  if (typeof value === "boolean" && words !== null) return value ? words.on : words.off;
  if (typeof value === "number" && !Number.isFinite(value)) throw new RangeError("it is no number");
  if (typeof value === "number" && dataType === "float32") return shortest(value);
  return String(value);
}

/** Digits that tell every float32 from its neighbours (IEEE 754). */
const FLOAT32_DIGITS_MAX = 9;

/** A device that is set to 0.1 shall be told 0.1, not the 0.10000000149011612 that 32 bits make of it. */
function shortest(value: number): string {
  for (let digits = 1; digits < FLOAT32_DIGITS_MAX; digits++) {
    const rounded = Number(value.toPrecision(digits));
    if (Math.fround(rounded) === value) return String(rounded);
  }
  return String(value);
}
