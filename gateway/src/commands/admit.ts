import {
  COMMAND_CLOCK_SLACK_MS,
  COMMAND_MS_MAX,
  type Command,
  type CommandOutcome,
} from "@millrace/contract/wire/command";

/** A command this gateway has begun. `outcome` is null while it runs, and for ever when the gateway died in it. */
export interface KnownCommand {
  commandId: string;
  commandNo: number;
  /** Gateway's time when it was begun, ms UTC. */
  atMs: number;
  outcome: CommandOutcome | null;
}

export interface KnownCommands {
  /** Highest number ever taken; 0 before the first. */
  highestNo: number;
  /** Oldest first. */
  commands: readonly KnownCommand[];
}

export const KNOWN_COMMANDS_MAX = 1_000;

export type Verdict =
  | { do: "execute" }
  /** Taken before: the stored outcome is told again and nothing is done. */
  | { do: "repeat"; outcome: CommandOutcome }
  | { do: "expired" }
  | { do: "stale" }
  /** Its times make no sense: it would live too long, or was made later than now. */
  | { do: "refuse"; why: string };

/**
 * What to do with a command (`delivery.md` 2.7, 2.9). One that this gateway knows is never carried out again, one with
 * a number at or below the highest known comes from a hub that was restored, and expiry is judged by the hub's time.
 * @param hubNowMs the hub's time now, by its offset and the monotonic clock; null when no hub told it, and then nothing
 * is carried out: a late command is worse than none
 */
export function admitCommand(known: KnownCommands, command: Command, hubNowMs: number | null): Verdict {
  const before = known.commands.find(({ commandId }) => commandId === command.commandId);
  if (before) return { do: "repeat", outcome: before.outcome ?? "unknown" };
  if (command.commandNo <= known.highestNo) return { do: "stale" };
  if (hubNowMs === null || hubNowMs >= command.expiresMs) return { do: "expired" };
  if (command.expiresMs - hubNowMs > COMMAND_MS_MAX + COMMAND_CLOCK_SLACK_MS)
    return { do: "refuse", why: `It would live longer than ${COMMAND_MS_MAX / 1_000} s.` };
  if (command.notBeforeMs !== undefined && command.notBeforeMs - hubNowMs > COMMAND_CLOCK_SLACK_MS)
    return { do: "refuse", why: "It was made at a time that has yet to come." };
  return { do: "execute" };
}

/** The record with a command added; the oldest beyond the limit are forgotten, the highest number never. */
export function withCommand(known: KnownCommands, command: KnownCommand): KnownCommands {
  return {
    highestNo: Math.max(known.highestNo, command.commandNo),
    commands: [...known.commands, command].slice(-KNOWN_COMMANDS_MAX),
  };
}

/** The record with the outcome of a command that is in it. */
export function withOutcome(known: KnownCommands, commandId: string, outcome: CommandOutcome): KnownCommands {
  return {
    ...known,
    commands: known.commands.map((one) => (one.commandId === commandId ? { ...one, outcome } : one)),
  };
}
