import { filterProblem, TOPIC_CHARS_MAX } from "@millrace/contract/driver/topic";
import { isCommandTopic } from "../driver/arrivals.ts";

/**
 * What a device may do at the gateway's broker, decided from its login and the topic alone. Its own part of the tree is
 * `devices/<login>/…`; there it sends everything but commands, and there alone it listens.
 */
export const ROOT = "devices";

export const ownRoot = (login: string): string => `${ROOT}/${login}/`;

/** The topic below the device's own, or null when it may not send there. */
export function sendsTo(login: string, topic: string): string | null {
  if (!topic.startsWith(ownRoot(login)) || /[+#]/.test(topic) || filterProblem(topic) !== null) return null;
  const rest = topic.slice(ownRoot(login).length);
  return rest === "" || isCommandTopic(rest) ? null : rest;
}

/** True when everything the filter can match belongs to the device. */
export function maySubscribe(login: string, filter: string): boolean {
  return (
    filter.length <= TOPIC_CHARS_MAX && filter.startsWith(ownRoot(login)) && filterProblem(filter) === null
  );
}
