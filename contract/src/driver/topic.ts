/** Longest topic or filter we use, in characters; far above what brokers carry in practice. */
export const TOPIC_CHARS_MAX = 300;
/** Most levels; brokers refuse more, and each costs a step of matching. */
export const TOPIC_LEVELS_MAX = 32;

/** Why this is no topic filter of MQTT (3.1.1 and 5.0, 4.7), or null. */
export function filterProblem(filter: string): string | null {
  if (filter === "") return "no topic";
  if (filter.length > TOPIC_CHARS_MAX) return `a topic of more than ${TOPIC_CHARS_MAX} characters`;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  if (/[\u0000-\u001f\u007f]/.test(filter)) return "a control character in the topic";
  const levels = filter.split("/");
  if (levels.length > TOPIC_LEVELS_MAX) return `a topic of more than ${TOPIC_LEVELS_MAX} levels`;
  for (const [at, level] of levels.entries()) {
    if (level.includes("+") && level !== "+") return `"${level}": + stands for a whole level`;
    if (level.includes("#") && (level !== "#" || at !== levels.length - 1))
      return `"${level}": # stands for all levels that follow, alone and at the end`;
  }
  return null;
}

export const hasWildcard = (filter: string): boolean => /(^|\/)[+#](\/|$)/.test(filter);

/** Whether a message of this topic belongs to the filter. A wildcard does not reach into `$` topics (4.7.2). */
export function topicMatches(filter: string, topic: string): boolean {
  if (filter === topic) return true;
  const wanted = filter.split("/");
  const levels = topic.split("/");
  if (topic.startsWith("$") && (wanted[0] === "+" || wanted[0] === "#")) return false;
  for (const [at, level] of wanted.entries()) {
    if (level === "#") return true;
    if (at >= levels.length) return false;
    if (level !== "+" && level !== levels[at]) return false;
  }
  return wanted.length === levels.length;
}
