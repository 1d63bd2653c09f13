import { getLogger } from "@logtape/logtape";
import type { Link } from "./link.ts";

const log = getLogger(["gateway", "connection"]);

/** One line when the link comes or goes; the tries in between say nothing new. */
export function logLink(connection: string, before: Link, state: Link, reason: string): void {
  if (state.at === "up" && before.at !== "up") log.info("{connection} is up", { connection });
  const firstFailure = state.at === "waiting" && state.failures === 1;
  if (firstFailure || (state.at === "refused" && before.at !== "refused")) {
    log.warn("{connection} is down: {reason}", { connection, reason, code: state.cause.code });
  }
}
