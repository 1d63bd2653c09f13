import { asc, inArray, type SQL, sql } from "drizzle-orm";
import type { PgColumn, PgTable } from "drizzle-orm/pg-core";
import type { DbOrTx, Tx } from "../../db/client.ts";
import { device } from "../../db/schema/device.ts";
import { gateway } from "../../db/schema/gateway.ts";
import { profile } from "../../db/schema/profile.ts";
import { site } from "../../db/schema/site.ts";
import type {
  ConfigState,
  ContentOf,
  DeviceContent,
  GatewayContent,
  ProfileContent,
  SiteContent,
} from "./state.ts";

/** Rows in one statement; a device takes eleven of the 65,535 parameters there may be. */
const ROWS_AT_ONCE = 5_000;

/** What versions keep of a row of each table. */
export const contentOf = {
  site: ({ name, kind, parentId, path }: SiteContent): SiteContent => ({ name, kind, parentId, path }),
  profile: ({
    name,
    driver,
    settings,
    parameters,
    tags,
    scanMs,
    heartbeatMs,
  }: ProfileContent): ProfileContent => ({
    name,
    driver,
    settings,
    parameters,
    tags,
    scanMs,
    heartbeatMs,
  }),
  gateway: ({ name, siteId, sparkplug }: GatewayContent): GatewayContent => ({ name, siteId, sparkplug }),
  device: (row: DeviceContent): DeviceContent => {
    const { name, profileId, gatewayId, siteId, settings, parameters, hours, enabled, path } = row;
    return { name, profileId, gatewayId, siteId, settings, parameters, hours, enabled, path };
  },
};

/** The whole configuration as it is now. */
export async function loadState(db: DbOrTx): Promise<ConfigState> {
  const [sites, profiles] = [await db.select().from(site), await db.select().from(profile)];
  const gateways = await db
    .select({
      id: gateway.id,
      name: gateway.name,
      siteId: gateway.siteId,
      sparkplug: gateway.sparkplug,
    })
    .from(gateway);
  const devices = await db.select().from(device).orderBy(asc(device.id));
  return {
    site: new Map(sites.map((row) => [row.id, contentOf.site(row)])),
    profile: new Map(profiles.map((row) => [row.id, contentOf.profile(row)])),
    gateway: new Map(gateways.map((row) => [row.id, contentOf.gateway(row)])),
    device: new Map(devices.map((row) => [row.id, contentOf.device(row)])),
  };
}

type Rows<T> = readonly (T & { id: string })[];

/** `column = excluded.column` for each; revisions count up. */
function overwritten(columns: Record<string, PgColumn>, revision?: PgColumn): Record<string, SQL> {
  const set = Object.fromEntries(
    Object.entries(columns).map(([name, column]) => [name, sql.raw(`excluded."${column.name}"`)]),
  );
  return revision === undefined ? set : { ...set, revision: sql`${revision} + 1` };
}

async function upsert(
  tx: Tx,
  table: PgTable & { id: PgColumn; revision?: PgColumn },
  rows: Rows<object>,
  columns: Record<string, PgColumn>,
): Promise<void> {
  for (let i = 0; i < rows.length; i += ROWS_AT_ONCE) {
    await tx
      .insert(table)
      .values(rows.slice(i, i + ROWS_AT_ONCE) as never)
      .onConflictDoUpdate({ target: table.id, set: overwritten(columns, table.revision) as never });
  }
}

export const writeSites = (tx: Tx, rows: Rows<ContentOf["site"]>): Promise<void> => {
  const { name, kind, parentId, path } = site;
  // Parents first: a place refers to the one above it.
  const sorted = [...rows].sort((a, b) => a.path.split("/").length - b.path.split("/").length);
  return upsert(tx, site, sorted, { name, kind, parentId, path });
};

export const writeProfiles = (tx: Tx, rows: Rows<ContentOf["profile"]>): Promise<void> => {
  const { name, driver, settings, parameters, tags, scanMs, heartbeatMs } = profile;
  return upsert(tx, profile, rows, { name, driver, settings, parameters, tags, scanMs, heartbeatMs });
};

export const writeGateways = (tx: Tx, rows: Rows<ContentOf["gateway"]>): Promise<void> => {
  const { name, siteId, sparkplug } = gateway;
  return upsert(tx, gateway, rows, { name, siteId, sparkplug });
};

export const writeDevices = (tx: Tx, rows: Rows<ContentOf["device"]>): Promise<void> => {
  const { name, profileId, gatewayId, siteId, settings, parameters, hours, enabled, path } = device;
  const columns = { name, profileId, gatewayId, siteId, settings, parameters, hours, enabled, path };
  return upsert(tx, device, rows, columns);
};

const TABLES = { site, profile, device } as const;

/** Gateways are never removed. Places must come children first. */
export async function deleteEntities(
  tx: Tx,
  kind: keyof typeof TABLES,
  ids: readonly string[],
): Promise<void> {
  const table = TABLES[kind];
  for (let i = 0; i < ids.length; i += ROWS_AT_ONCE)
    await tx.delete(table).where(inArray(table.id, ids.slice(i, i + ROWS_AT_ONCE)));
}

/** Without it, the first manifests after a large import are planned for tables of another size: seconds instead of ms. */
export async function analyzePlant(tx: Tx): Promise<void> {
  await tx.execute(sql`ANALYZE device, tag, tag_writer`);
}
