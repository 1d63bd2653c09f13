import type { AppError } from "@millrace/contract/error/app-error";
import type { SparkplugStatus } from "@millrace/contract/vocabulary/sparkplug";
import type { NodeName } from "./message.ts";
import type { Running } from "./open.ts";

interface Refused {
  name: NodeName;
  error: AppError;
  sinceMs: number;
}

const NOTHING = {
  births: 0,
  lastBirthMs: null,
  rebirths: 0,
  lastRebirthMs: null,
  devicesOnline: 0,
  messages: 0,
  waiting: 0,
  dropped: 0,
  writesDone: 0,
  writesRefused: 0,
} as const;

/** How the edge node is, for people and for the hub. */
export function statusOf(one: Running | Refused): SparkplugStatus {
  const { groupId, edgeNodeId } = one.name;
  if ("error" in one) {
    const { code, message } = one.error;
    const reason = message.slice(0, 500);
    return { state: "stopped", sinceMs: one.sinceMs, code, reason, groupId, edgeNodeId, ...NOTHING };
  }
  const { node, link, writes, history } = one;
  return {
    ...stateOf(one),
    sinceMs: link.sinceMs,
    groupId,
    edgeNodeId,
    births: node.births,
    lastBirthMs: node.lastBirthMs,
    rebirths: node.rebirths,
    lastRebirthMs: node.lastRebirthMs,
    devicesOnline: node.devicesOnline,
    messages: node.messages,
    waiting: node.waiting,
    dropped: history.dropped,
    writesDone: writes.done,
    writesRefused: writes.refused,
  };
}

function stateOf({ node, link, settings }: Running): Pick<SparkplugStatus, "state" | "code" | "reason"> {
  if (node.phase === "born") return { state: "online", code: "", reason: "" };
  if (node.phase === "waiting")
    return {
      state: "waiting",
      code: "",
      reason: `The primary host "${settings.primaryHost ?? ""}" is not online at ${settings.broker}.`,
    };
  const { problem } = link;
  return {
    state: "connecting",
    code: problem?.code ?? "",
    reason: (problem?.message ?? `Connecting to ${settings.broker}.`).slice(0, 500),
  };
}
