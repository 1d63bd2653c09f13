import type { SparkplugStatus } from "@millrace/contract/vocabulary/sparkplug";
import { nextStepOf, type Rung } from "./ladder.ts";

const WORD: Record<SparkplugStatus["state"], string> = {
  online: "Told",
  waiting: "Waiting for the primary host",
  connecting: "Not connected",
  stopped: "Out of service",
};

/** The gateway as Sparkplug edge node, beside the way from the mains to the hub. */
export function sparkplugRung(status: SparkplugStatus, clock: (ms: number) => string): Rung {
  const at = (ms: number | null): string => (ms === null ? "never" : clock(ms));
  const numbers = [
    `${status.groupId} / ${status.edgeNodeId}`,
    `${status.devicesOnline} devices told as online`,
    `${status.births} births, last ${at(status.lastBirthMs)}`,
    `${status.rebirths} asked for, last ${at(status.lastRebirthMs)}`,
    `${status.messages} messages`,
    `${status.waiting} changes wait, ${status.dropped} dropped`,
    `writes by hosts: ${status.writesDone} done, ${status.writesRefused} refused`,
  ];
  return {
    name: "Sparkplug",
    state: status.state === "online" ? "ok" : status.state === "stopped" ? "fault" : "warn",
    word: WORD[status.state],
    sinceMs: status.sinceMs,
    numbers: numbers.join(" · "),
    cause: status.reason,
    nextStep:
      status.state === "waiting"
        ? "Start the host, or take it out of the gateway's Sparkplug settings at the hub."
        : nextStepOf(status.code),
  };
}
