import type { LogRow } from "@millrace/contract/api/log";
import { ageWords } from "../../state/age.ts";
import { LEVEL_FROM } from "../../state/level-words.ts";
import type { LogFilter } from "./log-filter.ts";

/** Below this a record simply took its way. */
const LATE_MS = 60_000;

const PART: Record<string, string> = {
  gateway: "The gateway itself",
  "gateway.buffer": "Buffer",
  "gateway.commands": "Commands from the hub",
  "gateway.connection": "Connections to devices",
  "gateway.device": "Devices",
  "gateway.field": "Tests on the machine",
  "gateway.fleet": "Devices",
  "gateway.local": "The gateway's own page",
  "gateway.uplink": "Link to the hub",
};

/** Which part of the program said it; one this page does not know is told as it is written. */
export const partWords = (logger: string): string => {
  if (logger === "") return "Not told";
  return Object.hasOwn(PART, logger) ? PART[logger]! : logger;
};

/** That a record came long after it was written; empty when it came at once. */
export function lateWords({ time, receivedAt }: Pick<LogRow, "time" | "receivedAt">): string {
  const lateMs = Date.parse(receivedAt) - Date.parse(time);
  return lateMs < LATE_MS ? "" : `came ${ageWords(lateMs)} later`;
}

/** What a list is narrowed to, in a line; empty when it is not. */
export function filterWords({ gatewayId, level, q, from, to }: LogFilter, gatewayName: string): string {
  const parts: string[] = [];
  if (q !== "") parts.push(`“${q}”`);
  if (gatewayId !== "") parts.push(gatewayName);
  if (level !== "") parts.push(LEVEL_FROM[level].toLowerCase());
  if (from !== "") parts.push(`from ${from.replace("T", " ")}`);
  if (to !== "") parts.push(`until ${to.replace("T", " ")}`);
  return parts.join(", ");
}

/** Facts beside the message, as name and text. */
export const factsOf = ({ data }: Pick<LogRow, "data">): { name: string; text: string }[] =>
  Object.entries(data).map(([name, fact]) => ({ name, text: fact === null ? "—" : String(fact) }));
