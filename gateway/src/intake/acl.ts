import { filterProblem, TOPIC_CHARS_MAX } from "@millrace/contract/driver/topic";
import { BRANCH_ALL, NAMESPACE, topicOf } from "@millrace/contract/namespace/topic";
import { isCommandTopic } from "../driver/arrivals.ts";

/**
 * What a device may do at the gateway's broker, decided from its login and the topic alone. Its own part of the tree is
 * `devices/<login>/…`; there alone it sends, everything but commands. There it listens, and in the branch of the
 * namespace it was given.
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

/** True when everything the filter can match lies in one of these branches of the namespace. */
export function mayListen(prefix: string, branches: readonly string[], filter: string): boolean {
  if (filterProblem(filter, NAMESPACE.topicCharsMax) !== null) return false;
  return branches.some((branch) => {
    const root = branch === BRANCH_ALL ? prefix : topicOf(prefix, branch);
    if (root === null || (root === prefix && branch !== BRANCH_ALL)) return false;
    return filter === root || filter.startsWith(`${root}/`);
  });
}
