import type { DevicesEdit } from "@millrace/contract/api/plant";
import { parseHours } from "@millrace/contract/hours/text";

/** What was chosen for several devices; empty means: as it is. */
export interface TogetherForm {
  siteId: string;
  gatewayId: string;
  /** "on", "off" or empty. */
  read: string;
  /** `always` takes hours away. */
  hours: string;
}

export const AS_IT_IS: TogetherForm = { siteId: "", gatewayId: "", read: "", hours: "" };
export const ALWAYS = "always";

/** Why the hours cannot be taken; empty when they can. */
export function togetherHoursProblem(text: string): string {
  if (text.trim() === "" || text.trim().toLowerCase() === ALWAYS) return "";
  const parsed = parseHours(text);
  return parsed.ok ? "" : `${parsed.message.charAt(0).toUpperCase()}${parsed.message.slice(1)}`;
}

/** What is asked of the hub; null while nothing is chosen or the hours are wrong. */
export function togetherChange({
  siteId,
  gatewayId,
  read,
  hours,
}: TogetherForm): DevicesEdit["change"] | null {
  const text = hours.trim();
  const parsed = text.toLowerCase() === ALWAYS ? parseHours("") : parseHours(text);
  if (!parsed.ok) return null;
  const change = {
    ...(siteId === "" ? {} : { siteId }),
    ...(gatewayId === "" ? {} : { gatewayId }),
    ...(read === "" ? {} : { enabled: read === "on" }),
    ...(text === "" ? {} : { hours: parsed.hours }),
  };
  return Object.keys(change).length === 0 ? null : change;
}
