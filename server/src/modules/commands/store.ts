import { and, desc, eq, max } from "drizzle-orm";
import type { DbOrTx, Tx } from "../../db/client.ts";
import { command } from "../../db/schema/command.ts";
import { device } from "../../db/schema/device.ts";
import { gateway } from "../../db/schema/gateway.ts";

export type CommandRow = typeof command.$inferSelect;
export type ShownCommand = CommandRow & { gatewayId: string };

export async function findGatewayNo(db: DbOrTx, gatewayId: string): Promise<number | null> {
  const rows = await db.select({ no: gateway.gatewayNo }).from(gateway).where(eq(gateway.id, gatewayId));
  return rows[0]?.no ?? null;
}

export async function hasDevice(db: DbOrTx, gatewayId: string, deviceId: string): Promise<true | null> {
  const rows = await db
    .select({ id: device.id })
    .from(device)
    .where(and(eq(device.id, deviceId), eq(device.gatewayId, gatewayId)));
  return rows.length > 0 ? true : null;
}

/**
 * Highest command number this hub gave or the gateway ever showed. The gateway's row stays locked to the end of the
 * transaction, so the number above is given once.
 */
export async function lockHighestNo(tx: Tx, gatewayNo: number): Promise<number> {
  const shown = await tx
    .select({ no: gateway.commandNo })
    .from(gateway)
    .where(eq(gateway.gatewayNo, gatewayNo))
    .for("update");
  const given = await tx
    .select({ no: max(command.commandNo) })
    .from(command)
    .where(eq(command.gatewayNo, gatewayNo));
  return Math.max(shown[0]?.no ?? 0, given[0]?.no ?? 0);
}

export async function insertCommand(
  tx: Tx,
  row: Omit<CommandRow, "state" | "answeredAt" | "result">,
): Promise<void> {
  await tx.insert(command).values(row);
}

/** The gateway cannot have got it. */
export async function markUnsent(db: DbOrTx, id: string, at: Date): Promise<void> {
  await db
    .update(command)
    .set({ state: "failed", answeredAt: at })
    .where(and(eq(command.id, id), eq(command.state, "sent")));
}

const shown = (db: DbOrTx) =>
  db
    .select({ command, gatewayId: gateway.id })
    .from(command)
    .innerJoin(gateway, eq(gateway.gatewayNo, command.gatewayNo));

const flat = (row: { command: CommandRow; gatewayId: string }): ShownCommand => ({
  ...row.command,
  gatewayId: row.gatewayId,
});

export async function findCommand(db: DbOrTx, id: string): Promise<ShownCommand | null> {
  const rows = await shown(db).where(eq(command.id, id));
  return rows[0] === undefined ? null : flat(rows[0]);
}

/** The latest first. */
export async function listCommands(db: DbOrTx, gatewayNo: number, limit: number): Promise<ShownCommand[]> {
  const rows = await shown(db)
    .where(eq(command.gatewayNo, gatewayNo))
    .orderBy(desc(command.commandNo))
    .limit(limit);
  return rows.map(flat);
}
