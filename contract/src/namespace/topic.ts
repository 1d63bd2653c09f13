import { TOPIC_LEVELS_MAX } from "../driver/topic.ts";
import { NAME_PATTERN } from "../vocabulary/id.ts";

/** What a gateway's part of the unified namespace may take. */
export const NAMESPACE = {
  /** Longest topic, characters: a path of seven levels with long names fits, and so does one that had to be escaped. */
  topicCharsMax: 1_000,
  /** Topics of one gateway. Each keeps its last message in memory: 15 MB for all of them. */
  topicsMax: 50_000,
} as const;

/** First levels of every topic. Not what devices send below, and nothing a broker gives a meaning to. */
export const PREFIX_PATTERN = "^(?!devices(/|$))[A-Za-z0-9_-]{1,32}(/[A-Za-z0-9_-]{1,32}){0,2}$";
export const PREFIX_STANDARD = "v1";

/** What somebody may listen to: a path and everything below it, or all. */
export const BRANCH_ALL = "#";
const LEVEL = NAME_PATTERN.slice(1, -1);
export const BRANCH_PATTERN = `^(${BRANCH_ALL}|${LEVEL}(/${LEVEL})*)$`;

/** The level below a device's own topic at which its link is told. No tag has it: its name would be escaped. */
export const STATE_LEVEL = "_state";

/**
 * What has a meaning in a topic or in a filter, our own escape sign, and what MQTT 5.0 (1.5.4) asks not to send: control
 * characters, non-characters and halves of surrogate pairs.
 */
const UNSAFE = /[\p{Cc}\p{Noncharacter_Code_Point}\p{Cs}%+#$/]/gu;

const hex = (codePoint: number): string => codePoint.toString(16).toUpperCase();

function escaped(character: string): string {
  const codePoint = character.codePointAt(0)!;
  return codePoint <= 0xff ? `%${hex(codePoint).padStart(2, "0")}` : `%u{${hex(codePoint)}}`;
}

/** A name as one level of a topic. Two names never give the same level. */
export const levelOf = (name: string): string =>
  name === STATE_LEVEL
    ? `%${hex(STATE_LEVEL.charCodeAt(0))}${STATE_LEVEL.slice(1)}`
    : name.replace(UNSAFE, escaped);

const within = (topic: string): string | null =>
  topic.length <= NAMESPACE.topicCharsMax && topic.split("/").length <= TOPIC_LEVELS_MAX ? topic : null;

/**
 * The topic at which a gateway publishes what lies at this path: of a tag its value, of a place or a device the
 * beginning of everything below. Null when it would be longer or deeper than brokers take: it is not published.
 */
export function topicOf(prefix: string, path: string): string | null {
  const levels = path.split("/").filter((name) => name !== "");
  return within([prefix, ...levels.map(levelOf)].join("/"));
}

/** The topic at which a gateway tells the state of its link to this device. */
export function stateTopicOf(prefix: string, devicePath: string): string | null {
  const topic = topicOf(prefix, devicePath);
  return topic === null ? null : within(`${topic}/${STATE_LEVEL}`);
}
