import type { Me } from "@millrace/contract/api/person";
import type { Clock } from "@millrace/contract/std/clock";
import type { Db } from "../../db/client.ts";
import { inTransaction } from "../../db/transaction.ts";
import { type Principal, permissionsOf } from "../../http/access.ts";
import { tokenHash } from "../../secret.ts";
import { recordAudit } from "../audit/service.ts";
import { insertApiKey } from "./store.ts";

export const meOf = ({ id, name, email, role }: Principal): Me => ({
  id,
  name,
  email,
  role,
  permissions: permissionsOf(role),
});

/** Lets in whoever holds the operator's administrator key. Starting again with the same key changes nothing. */
export async function seedAdminKey({ db, clock }: { db: Db; clock: Clock }, key: string): Promise<void> {
  const row = {
    id: Bun.randomUUIDv7(),
    name: "MILLRACE_ADMIN_API_KEY",
    hash: tokenHash(key),
    role: "administrator" as const,
    createdAt: new Date(clock.nowMs()),
  };
  await inTransaction(db, async (tx) => {
    if (!(await insertApiKey(tx, row))) return;
    await recordAudit(tx, {
      atMs: clock.nowMs(),
      who: "system",
      action: "apiKey.create",
      subject: `apiKey:${row.id}`,
      old: null,
      new: { name: row.name, role: row.role },
    });
  });
}
