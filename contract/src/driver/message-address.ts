import { AppError } from "../error/app-error.ts";
import { formatPath, type MessagePath, parsePath } from "./message-path.ts";
import { filterProblem } from "./topic.ts";

/** A value in the messages of a topic. */
export interface MessageSource {
  /** Topic, or filter with wildcards; as the driver's own words it may be relative. */
  topic: string;
  /** Where in the JSON document; null when the payload is the value. */
  json: MessagePath | null;
  /** Where the time of the value lies; null when it is the time of arrival. */
  time: MessagePath | null;
}

/** How long a value stands and what a message without it means, resolved from the device's settings. */
export interface MessageRules {
  /** After so long without a value the tag is stale, ms; 0 for never. */
  staleMs: number;
  missing: "bad" | "keep";
}

export function refuseAddress(text: string, found: string, right: string): never {
  throw new AppError("address.illegal", `Address "${text.slice(0, 120)}": ${found}; ${right}.`, {
    context: { address: text.slice(0, 120), found, right },
  });
}

export interface AddressWords {
  topic: string;
  options: ReadonlyMap<string, string>;
}

/** `topic key=value key=value`; a topic may hold blanks, so the options begin at the first known word. */
export function splitAddress(text: string, known: readonly string[]): AddressWords {
  const [topic = "", ...rest] = text.trim().split(new RegExp(`(?:^|\\s+)(?=(?:${known.join("|")})=)`));
  const options = new Map<string, string>();
  for (const part of rest) {
    const at = part.indexOf("=");
    const key = part.slice(0, at);
    if (options.has(key)) refuseAddress(text, `${key}= twice`, "each option stands once");
    options.set(key, part.slice(at + 1).trim());
  }
  return { topic, options };
}

/** @throws AppError `address.illegal` naming what was found and what would be right */
export function parseSource(text: string): MessageSource {
  const { topic, options } = splitAddress(text, ["json", "time"]);
  return sourceOf(text, topic, options);
}

/**
 * The source of an address that may hold further options.
 * @throws AppError as `parseSource`
 */
export function sourceOf(text: string, topic: string, options: ReadonlyMap<string, string>): MessageSource {
  const problem = filterProblem(topic);
  if (problem !== null) refuseAddress(text, problem, "write a topic such as plant/line1/temperature");
  const json = options.get("json");
  const time = options.get("time");
  if (time !== undefined && json === undefined)
    refuseAddress(text, "time= without json=", "a time can only be found in a JSON document");
  return {
    topic,
    json: json === undefined ? null : parsePath(json, text),
    time: time === undefined ? null : parsePath(time, text),
  };
}

export const formatSource = ({ topic, json, time }: MessageSource): string =>
  `${topic}${json === null ? "" : ` json=${formatPath(json)}`}${time === null ? "" : ` time=${formatPath(time)}`}`;
