import type { Parameter, ParameterValue, ProfileParameters } from "@millrace/contract/vocabulary/parameter";
import { numberOf } from "./number.ts";
import type { Decimal } from "./sheet.ts";

/** The parameter a column means: the one of its name, else the only one that differs in nothing but capitals. */
export function declaredName(name: string, declared: ProfileParameters): string {
  if (Object.hasOwn(declared, name)) return name;
  const alike = Object.keys(declared).filter((one) => one.toLowerCase() === name.toLowerCase());
  return alike.length === 1 ? (alike[0] as string) : name;
}

/**
 * A cell as a parameter's value: of the kind its default has; without one a number where it reads as one and would be
 * written the same again, so that 007 stays a text. A cell that says what is there already changes nothing.
 */
export function parameterOf(
  text: string,
  declared: Parameter | undefined,
  old: ParameterValue | undefined,
  decimal: Decimal,
): ParameterValue {
  const number = numberOf(text, decimal);
  if (old !== undefined && (old === number || old === text)) return old;
  const kind = typeof declared?.default;
  if (kind === "string" || number === null) return text;
  if (kind === "number") return number;
  return String(number).replace(".", decimal) === text ? number : text;
}
