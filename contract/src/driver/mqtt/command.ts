import type { DataType } from "../../vocabulary/value.ts";
import { refuseAddress } from "../message-address.ts";
import { formatPath, type MessagePath, parsePath } from "../message-path.ts";
import { filterProblem, hasWildcard } from "../topic.ts";

/** Where a device takes a value from, and in which shape. */
export interface MqttCommand {
  topic: string;
  /** Where the value stands in the JSON document that is sent; null when it is the payload. Names only. */
  json: MessagePath | null;
  /** What a switch is told, as text; null for true and false. */
  words: { on: string; off: string } | null;
}

/** Options of an address that belong to the command. */
export const COMMAND_OPTIONS = ["set", "setjson", "on", "off"] as const;

/**
 * @param source topic of the tag's own values, where the device must report what it was told
 * @throws AppError `address.illegal` naming what was found and what would be right
 */
export function parseCommand(
  text: string,
  options: ReadonlyMap<string, string>,
  { source, dataType }: { source: string; dataType: DataType },
): MqttCommand | null {
  const topic = options.get("set");
  if (topic === undefined) {
    const alone = COMMAND_OPTIONS.find((name) => options.has(name));
    if (alone !== undefined) refuseAddress(text, `${alone}= without set=`, "set= names the command topic");
    return null;
  }
  const problem = filterProblem(topic) ?? (hasWildcard(topic) ? "a wildcard" : null);
  if (problem !== null || topic.startsWith("$"))
    refuseAddress(text, `set=: ${problem ?? "a topic of the broker"}`, "write the topic of one device");
  if (hasWildcard(source))
    refuseAddress(
      text,
      "a wildcard beside set=",
      "a tag that is written names the topic its device reports at",
    );
  if (topic === source)
    refuseAddress(
      text,
      "set= with the tag's own topic",
      "our own message would pass for the device's report",
    );
  const json = options.get("setjson");
  return {
    topic,
    json: json === undefined ? null : namesOf(json, text),
    words: wordsOf(text, options, dataType),
  };
}

function namesOf(json: string, text: string): MessagePath {
  const path = parsePath(json, text);
  if (path.length === 0 || path.some((step) => typeof step === "number"))
    refuseAddress(
      text,
      `setjson=${json}`,
      "name a member, such as $.brightness; a list cannot be sent in part",
    );
  return path;
}

function wordsOf(text: string, options: ReadonlyMap<string, string>, dataType: DataType) {
  const [on, off] = [options.get("on"), options.get("off")];
  if (on === undefined && off === undefined) return null;
  if (dataType !== "boolean") refuseAddress(text, "on= or off=", "these are for tags of type boolean");
  if (on === undefined || off === undefined || on === "" || on === off)
    refuseAddress(text, "on= and off=", "both stand there, and differ");
  return { on: on!, off: off! };
}

/** As it stands in the canonical address, with a blank before it; empty for none. */
export function formatCommand(command: MqttCommand | null): string {
  if (command === null) return "";
  const { topic, json, words } = command;
  const place = json === null ? "" : ` setjson=${formatPath(json)}`;
  return ` set=${topic}${place}${words === null ? "" : ` on=${words.on} off=${words.off}`}`;
}
