import {
  COMMANDS_SHOWN_MAX,
  type GatewayCommand,
  type GatewayCommands,
} from "@millrace/contract/api/command";
import { AppError } from "@millrace/contract/error/app-error";
import { COMMAND_MS_MAX, type Command, type CommandBody } from "@millrace/contract/wire/command";
import { commandText } from "@millrace/contract/wire/signature";
import type { Tx } from "../../db/client.ts";
import type { Principal } from "../../http/principal.ts";
import type { HubIdentity } from "../../ports.ts";
import { applyChange, type ChangeDeps, found } from "../change.ts";
import type { InTurn } from "./in-turn.ts";
import { mapCommand } from "./map.ts";
import {
  findCommand,
  findGatewayNo,
  hasDevice,
  insertCommand,
  listCommands,
  lockHighestNo,
  markUnsent,
} from "./store.ts";

/** What a command needs of the gateways' sessions. */
export interface CommandLink {
  /**
   * Highest command number the gateway showed in its hello, or was sent since. `away`: not connected. `none`: it takes no commands,
   * because its software is older or its record of commands is damaged.
   */
  commandNoOf(gatewayId: string): number | "away" | "none";
  /** True when the gateway's software knows this kind of command. */
  takes(gatewayId: string, kind: CommandBody["kind"]): boolean;
  /** False when it did not leave the hub. */
  command(gatewayId: string, command: Command, signature: string): boolean;
}

export interface CommandDeps extends ChangeDeps {
  link: CommandLink;
  /** Signs each command for its gateway. */
  identity: Pick<HubIdentity, "hubId" | "sign">;
  /** Numbers must leave in the order they were given: the gateway takes no lower one after a higher. */
  inTurn: InTurn;
}

/** What a command is beside its body, where it is no plain one. */
export interface CommandTerms {
  /** How long it may wait for its turn, at most `COMMAND_MS_MAX`, which is also what it is otherwise. */
  lifeMs?: number;
  /** In the audit; otherwise `command.send` of the gateway. */
  audit?: { action: string; subject: string; facts: object };
  /** More to be kept in the same transaction. */
  keep?: (tx: Tx, commandId: string) => Promise<void>;
  /** Called when it is kept and has yet to leave. */
  onKept?: (commandId: string) => void;
}

/**
 * Asks a connected gateway to do something within `COMMAND_MS_MAX`. Nothing is queued: a command that comes late is
 * worse than none.
 * @throws AppError `entity.missing` | `command.away` | `command.refused`
 */
export function sendCommand(
  deps: CommandDeps,
  principal: Principal,
  gatewayId: string,
  body: CommandBody,
  terms: CommandTerms = {},
): Promise<GatewayCommand> {
  return deps.inTurn(async () => {
    const command = await keepCommand(deps, principal, gatewayId, body, terms);
    terms.onKept?.(command.commandId);
    const { hubId } = deps.identity;
    const signature = deps.identity.sign(commandText({ hubId, gatewayId, command }));
    // Only after the commit: a number that left the hub must be one the hub remembers.
    if (!deps.link.command(gatewayId, command, signature)) {
      await markUnsent(deps.db, command.commandId, new Date(deps.clock.nowMs()));
      throw away({ commandId: command.commandId });
    }
    return await getCommand(deps, command.commandId);
  });
}

function keepCommand(
  deps: CommandDeps,
  principal: Principal,
  gatewayId: string,
  body: CommandBody,
  { lifeMs = COMMAND_MS_MAX, audit, keep }: CommandTerms,
): Promise<Command> {
  return applyChange(deps, principal, async (tx) => {
    const gatewayNo = found(await findGatewayNo(tx, gatewayId), "gateway");
    if (body.kind === "restartDevice")
      found(await hasDevice(tx, gatewayId, body.deviceId), "device at this gateway");
    const highestNo = await lockHighestNo(tx, gatewayNo);
    const commandNo = Math.max(highestNo, shownNo(deps.link.commandNoOf(gatewayId))) + 1;
    if (!deps.link.takes(gatewayId, body.kind))
      throw new AppError(
        "command.refused",
        `The software of this gateway does not know the command ${body.kind}; it is older than this hub.`,
        { context: { kind: body.kind } },
      );
    const requestedMs = deps.clock.nowMs();
    const command: Command = {
      commandId: Bun.randomUUIDv7(),
      commandNo,
      expiresMs: requestedMs + lifeMs,
      notBeforeMs: requestedMs,
      body,
    };
    await insertCommand(tx, {
      id: command.commandId,
      gatewayNo,
      commandNo,
      body,
      requestedBy: principal.name,
      requestedAt: new Date(requestedMs),
      expiresAt: new Date(command.expiresMs),
    });
    await keep?.(tx, command.commandId);
    return {
      action: audit?.action ?? "command.send",
      subject: audit?.subject ?? `gateway:${gatewayId}`,
      old: null,
      new: { ...command, requestedBy: principal.name, ...audit?.facts },
      result: command,
      gatewayIds: [],
    };
  });
}

function shownNo(shown: number | "away" | "none"): number {
  if (shown === "away") throw away();
  if (shown === "none")
    throw new AppError(
      "command.refused",
      "This gateway takes no commands: its software is older than 0.2, or its record of commands is damaged.",
    );
  return shown;
}

const away = (context: Record<string, string> = {}): AppError =>
  new AppError("command.away", "This gateway is not connected, and commands are not kept for later.", {
    context,
  });

/** For the writes, which are commands. */
export { mapCommand } from "./map.ts";

/** @throws AppError `entity.missing` */
export async function getCommand(
  deps: Pick<CommandDeps, "db" | "clock">,
  id: string,
): Promise<GatewayCommand> {
  return mapCommand(found(await findCommand(deps.db, id), "command"), deps.clock.nowMs());
}

/** The newest commands of one gateway, the latest first. @throws AppError `entity.missing` */
export async function gatewayCommands(
  deps: Pick<CommandDeps, "db" | "clock">,
  gatewayId: string,
): Promise<GatewayCommands> {
  const gatewayNo = found(await findGatewayNo(deps.db, gatewayId), "gateway");
  const rows = await listCommands(deps.db, gatewayNo, COMMANDS_SHOWN_MAX);
  const nowMs = deps.clock.nowMs();
  return { items: rows.map((row) => mapCommand(row, nowMs)) };
}
