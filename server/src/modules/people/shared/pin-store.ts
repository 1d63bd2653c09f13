import { and, asc, eq, exists, isNull, sql } from "drizzle-orm";
import type { DbOrTx } from "../../../db/client.ts";
import { pin, pinFailure } from "../../../db/schema/factor.ts";
import { accessGrant, person } from "../../../db/schema/person.ts";
import { site } from "../../../db/schema/site.ts";

/** People with a PIN and a role at a place, or at one above or below it, by name. */
export const listPinPeople = (
  db: DbOrTx,
  path: string,
  max: number,
): Promise<{ id: string; name: string }[]> => {
  const here = sql`(${site.path} IS NULL OR ${site.path} = ${path} OR starts_with(${site.path}, ${`${path}/`}) OR starts_with(${path}, ${site.path} || '/'))`;
  const grants = db
    .select({ one: sql`1` })
    .from(accessGrant)
    .leftJoin(site, eq(site.id, accessGrant.siteId))
    .where(and(eq(accessGrant.personId, person.id), here));
  return db
    .select({ id: person.id, name: person.name })
    .from(person)
    .innerJoin(pin, eq(pin.personId, person.id))
    .where(and(isNull(person.disabledAt), exists(grants)))
    .orderBy(asc(person.name))
    .limit(max);
};

/** Counts a try before it is looked at. How many there are now without a right one. */
export async function countPinTry(db: DbOrTx, deviceId: string, personId: string): Promise<number> {
  const [row] = await db
    .insert(pinFailure)
    .values({ deviceId, personId, failures: 1 })
    .onConflictDoUpdate({
      target: [pinFailure.deviceId, pinFailure.personId],
      set: { failures: sql`${pinFailure.failures} + 1` },
    })
    .returning({ failures: pinFailure.failures });
  return row?.failures ?? 1;
}

export async function forgetPinFailures(db: DbOrTx, deviceId: string, personId: string): Promise<void> {
  await db
    .delete(pinFailure)
    .where(and(eq(pinFailure.deviceId, deviceId), eq(pinFailure.personId, personId)));
}
