import { EntityId } from "@millrace/contract/vocabulary/id";
import { Value } from "@sinclair/typebox/value";
import { eq } from "drizzle-orm";
import type { DbOrTx } from "../../db/client.ts";
import { command } from "../../db/schema/command.ts";
import { device } from "../../db/schema/device.ts";
import { gateway } from "../../db/schema/gateway.ts";
import { site } from "../../db/schema/site.ts";
import { tag } from "../../db/schema/tag.ts";
import type { PlacedKind } from "../../http/access.ts";

type Lookup = (db: DbOrTx, key: string) => Promise<{ path: string }[]>;

/** Where each kind of thing stands. A gateway stands at its site, whatever its devices do; a command at its gateway. */
const LOOKUPS: Readonly<Record<PlacedKind, Lookup>> = {
  site: (db, id) => db.select({ path: site.path }).from(site).where(eq(site.id, id)),
  gateway: (db, id) =>
    db
      .select({ path: site.path })
      .from(gateway)
      .innerJoin(site, eq(site.id, gateway.siteId))
      .where(eq(gateway.id, id)),
  device: (db, id) => db.select({ path: device.path }).from(device).where(eq(device.id, id)),
  tag: (db, tagNo) =>
    db
      .select({ path: tag.path })
      .from(tag)
      .where(eq(tag.tagNo, Number(tagNo))),
  command: (db, id) =>
    db
      .select({ path: site.path })
      .from(command)
      .innerJoin(gateway, eq(gateway.gatewayNo, command.gatewayNo))
      .innerJoin(site, eq(site.id, gateway.siteId))
      .where(eq(command.id, id)),
};

const isKey = (kind: PlacedKind, key: string): boolean =>
  kind === "tag" ? /^[1-9]\d{0,9}$/.test(key) : Value.Check(EntityId, key);

/** Path of a thing's place; null when there is no such thing, or when the key cannot be one. */
export async function findPlace(db: DbOrTx, kind: PlacedKind, key: string): Promise<string | null> {
  if (!isKey(kind, key)) return null;
  const [row] = await LOOKUPS[kind](db, key);
  return row?.path ?? null;
}
