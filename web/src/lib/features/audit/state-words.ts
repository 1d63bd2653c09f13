import type { AuditState } from "@millrace/contract/api/audit";
import { BREAK } from "./break-words.ts";

/** One line of the panel. `bad`: somebody must act; `wait`: nothing is known yet. */
export interface StateLine {
  look: "good" | "bad" | "warn" | "wait";
  title: string;
  text: string;
  /** What to do; empty when nothing is. */
  nextStep: string;
}

type When = (instant: string) => string;
const count = (number: number, one: string, many: string) =>
  `${number.toLocaleString("en")} ${number === 1 ? one : many}`;

const KEEP_EVIDENCE =
  "Leave the database as it is, keep an export of the audit and the hub's log, and compare them with your last backup. A hub that was restored from a backup finds this too; the manual's page on the audit says what to do then.";

/** Whether the chain holds, as the hub found by itself. */
export function chainLine({ checked }: Pick<AuditState, "checked">, when: When): StateLine {
  if (checked === null)
    return {
      look: "wait",
      title: "Not checked yet",
      text: "The hub checks the audit at its start and once a day.",
      nextStep: "",
    };
  const at = `The hub itself checked at ${when(checked.at)}`;
  if (checked.brokenNo !== null)
    return {
      look: "bad",
      title: `Altered from entry ${checked.brokenNo.toLocaleString("en")} on`,
      text: `${checked.why === null ? "" : `Of this entry: ${BREAK[checked.why]}. `}${at}. Nothing is signed any more.`,
      nextStep: KEEP_EVIDENCE,
    };
  return {
    look: "good",
    title: "Nothing was altered",
    text: `${at}: ${count(checked.rows, "entry holds", "entries hold")}. The next check is a day later.`,
    nextStep: "",
  };
}

/** Whether entries can be written now, and what follows when they cannot. */
export function writeLine(
  { unwritableSince, lost }: Pick<AuditState, "unwritableSince" | "lost">,
  when: When,
): StateLine {
  const missed =
    lost === 0 ? "" : ` ${count(lost, "sign-in or refusal", "sign-ins and refusals")} could not be kept.`;
  if (unwritableSince === null)
    return {
      look: lost === 0 ? "good" : "warn",
      title: "Can be written",
      text: `Every change gets its entry.${missed}`,
      nextStep: "",
    };
  return {
    look: "bad",
    title: `Cannot be written since ${when(unwritableSince)}`,
    text: `Changes and commands are refused until it can. Values, alarms and sign-ins go on.${missed}`,
    nextStep:
      "Look at the database: is its disk full, is its right to write gone? The hub tries again each minute.",
  };
}

/** How large it is and how much room there is. */
export function roomLine(
  {
    rows,
    bytes,
    diskFreeBytes,
    storageWarning,
  }: Omit<AuditState, "checked" | "unwritableSince" | "lost" | "guessing">,
  size: (bytes: number) => string,
): StateLine {
  const taken = bytes === null ? "" : `, ${size(bytes)}`;
  const room =
    diskFreeBytes === null
      ? "The database lies on another machine, so its free space is not known here."
      : `${size(diskFreeBytes)} are free on its disk.`;
  const title = rows === null ? "Size not known yet" : `${count(rows, "entry", "entries")}${taken}`;
  if (storageWarning === null)
    return { look: rows === null ? "wait" : "good", title, text: room, nextStep: "" };
  return {
    look: "warn",
    title,
    text: `${room} ${storageWarning === "disk" ? "That may not be enough." : "It has become large."}`,
    nextStep:
      storageWarning === "disk"
        ? "Give the disk more room: when it is full, nothing can be changed any more."
        : "Plan the room of the next years: entries of the audit are never deleted.",
  };
}

/** Whether somebody tries claim tokens; null while nobody does. */
export function guessLine({ guessing }: Pick<AuditState, "guessing">, when: When): StateLine | null {
  if (guessing === null) return null;
  return {
    look: "bad",
    title: `Somebody tries claim tokens since ${when(guessing.since)}`,
    text: `${count(guessing.count, "one was wrong", "were wrong")}. The hub slows them down, and a token cannot be guessed.`,
    nextStep:
      "Look in the audit from which networks they come, keep those away from the hub, and make claim tokens anew that somebody may have seen.",
  };
}

/** What everybody who may read the audit must see, on any screen; null when all is well. */
export function alarmWords(state: AuditState, when: When): string | null {
  const bad = [chainLine(state, when), writeLine(state, when)].filter(({ look }) => look === "bad");
  const audit = bad.map(({ title }) => title.charAt(0).toLowerCase() + title.slice(1)).join("; ");
  const parts = [...(audit === "" ? [] : [`The audit: ${audit}`]), guessLine(state, when)?.title ?? ""];
  return parts.filter((part) => part !== "").join(". ") || null;
}
