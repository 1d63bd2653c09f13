import { AppError } from "@millrace/contract/error/app-error";
import { inTransaction } from "../../db/transaction.ts";
import { recordAudit } from "../audit/service.ts";
import { BY_CONSOLE, draftInvitation, linkOf } from "../invitations/service.ts";
import { deleteResetLinks, findPersonByEmail, insertInvitation } from "../invitations/store.ts";
import { countAdministrators } from "./grant-store.ts";
import type { People } from "./people.ts";
import { OVER_ALL } from "./service.ts";
import { insertGrants, lockPeople } from "./store.ts";

const HOURS = 1;

/**
 * The way back in from the hub's own console, for whoever can change its settings: a one-time link that sets somebody's
 * way to sign in anew and takes all their factors away. When nobody administers the whole plant any more, they do.
 * @returns the link
 * @throws AppError `setting.wrong` for an address nobody has
 */
export async function rescue(
  people: Pick<People, "db" | "clock" | "publicUrl">,
  email: string,
): Promise<string> {
  const { db, clock } = people;
  return await inTransaction(db, async (tx) => {
    await lockPeople(tx);
    const person = await findPersonByEmail(tx, email.trim().toLowerCase());
    if (person === null)
      throw new AppError("setting.wrong", "MILLRACE_RESET_ADMIN: nobody here has this e-mail address.");
    const made = (await countAdministrators(tx)) === 0;
    if (made) await insertGrants(tx, { personId: person.id }, [OVER_ALL]);
    await deleteResetLinks(tx, person.id);
    const { row, token } = draftInvitation(people, {
      name: person.name,
      email: person.email,
      grants: [],
      personId: person.id,
      removeFactors: true,
      by: BY_CONSOLE,
      hours: HOURS,
    });
    await insertInvitation(tx, row);
    await recordAudit(tx, {
      atMs: clock.nowMs(),
      who: BY_CONSOLE,
      action: "person.resetLink",
      subject: `person:${person.id}`,
      old: null,
      new: { removeFactors: true, expiresAt: row.expiresAt, ...(made ? { grants: [OVER_ALL] } : {}) },
    });
    return linkOf(people, token);
  });
}
