import { timingSafeEqual } from "node:crypto";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { AuditFrom } from "@millrace/contract/api/audit";
import type { Me, SetupRequest } from "@millrace/contract/api/person";
import { AppError } from "@millrace/contract/error/app-error";
import type { Clock } from "@millrace/contract/std/clock";
import type { Db } from "../../db/client.ts";
import { inTransaction } from "../../db/transaction.ts";
import { newToken, tokenHash } from "../../secret.ts";
import { recordAudit } from "../audit/service.ts";
import type { Passwords } from "../people/hashing/password.ts";
import { meOf, OVER_ALL } from "../people/service.ts";
import { findPersonGrants, hasPerson, insertGrants, insertPerson, lockPeople } from "../people/store.ts";

export interface SetupDeps {
  db: Db;
  clock: Clock;
  passwords: Passwords;
  dataFolder: string;
}

export interface Setup {
  needed(): Promise<boolean>;
  /**
   * Makes a fresh token while nobody exists, writes the link to `setup-link` in the data folder (readable by the hub's
   * user only) and returns it; null when the set-up is done. An older link is worthless from then on.
   */
  openLink(publicUrl: string): Promise<string | null>;
  /** @throws AppError `setup.tokenWrong` | `setup.done` */
  finish(request: SetupRequest, from?: AuditFrom): Promise<Me>;
}

/** The first administrator. There is no default account: without the token from the console nothing can be made. */
export function createSetup({ db, clock, passwords, dataFolder }: SetupDeps): Setup {
  let hash: Uint8Array | null = null;
  const linkFile = join(dataFolder, "setup-link");
  const done = () => new AppError("setup.done", "The first administrator exists already.");
  return {
    needed: async () => !(await hasPerson(db)),

    async openLink(publicUrl) {
      if (await hasPerson(db)) {
        await rm(linkFile, { force: true });
        return null;
      }
      const token = newToken();
      hash = tokenHash(token);
      // Behind the #, so that it reaches no server log and no proxy.
      const link = `${publicUrl.replace(/\/$/, "")}/setup#token=${token}`;
      await rm(linkFile, { force: true });
      await writeFile(linkFile, `${link}\n`, { mode: 0o600 });
      return link;
    },

    async finish(request, from) {
      if (await hasPerson(db)) throw done();
      // Before the token is looked at nothing costly happens, so guessing costs us nothing; 192 bits forbid success.
      if (hash === null || !timingSafeEqual(hash, tokenHash(request.token))) {
        throw new AppError("setup.tokenWrong", "This is not the token the hub printed.");
      }
      const passwordHash = await passwords.hashChosen(request.password, [request.name, request.email]);
      const id = Bun.randomUUIDv7();
      const email = request.email.trim().toLowerCase();
      const row = { id, name: request.name, email };
      await inTransaction(db, async (tx) => {
        await lockPeople(tx);
        if (await hasPerson(tx)) throw done();
        await insertPerson(tx, { ...row, passwordHash });
        await insertGrants(tx, { personId: id }, [OVER_ALL]);
        await recordAudit(tx, {
          atMs: clock.nowMs(),
          who: "setup",
          action: "person.create",
          subject: `person:${id}`,
          old: null,
          new: { ...row, grants: [OVER_ALL] },
          from,
        });
      });
      hash = null;
      await rm(linkFile, { force: true });
      const grants = (await findPersonGrants(db, id)) ?? [];
      return meOf({ kind: "person", ...row, grants });
    },
  };
}
