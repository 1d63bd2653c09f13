import type { Reach } from "@millrace/contract/api/role";
import type { ExpandedTag } from "@millrace/contract/profile/expand";
import { and, asc, eq, ilike, inArray, isNull, type SQL, sql } from "drizzle-orm";
import type { DbOrTx, Tx } from "../../db/client.ts";
import { inReachOf } from "../../db/reach.ts";
import { device } from "../../db/schema/device.ts";
import { tag } from "../../db/schema/tag.ts";

export type TagRow = typeof tag.$inferSelect & { gatewayId: string };

export interface TagFilter {
  q?: string;
  deviceId?: string;
  gatewayId?: string;
  reach: Reach;
}

const columns = {
  tagNo: tag.tagNo,
  deviceId: tag.deviceId,
  name: tag.name,
  path: tag.path,
  address: tag.address,
  dataType: tag.dataType,
  unit: tag.unit,
  description: tag.description,
  scanMs: tag.scanMs,
  heartbeatMs: tag.heartbeatMs,
  deadband: tag.deadband,
  scale: tag.scale,
  range: tag.range,
  interpolation: tag.interpolation,
  retention: tag.retention,
  write: tag.write,
  removedAt: tag.removedAt,
  gatewayId: device.gatewayId,
};

/** What a person types means itself: the pattern signs of LIKE are made plain. */
const contains = (text: string): string => `%${text.replace(/[\\%_]/g, "\\$&")}%`;

/** Present tags in the order of their path. */
export async function listTags(
  db: DbOrTx,
  filter: TagFilter,
  after: { path: string; tagNo: number } | null,
  limit: number,
): Promise<TagRow[]> {
  const where: (SQL | undefined)[] = [
    isNull(tag.removedAt),
    filter.q === undefined || filter.q === "" ? undefined : ilike(tag.path, contains(filter.q)),
    filter.deviceId === undefined ? undefined : eq(tag.deviceId, filter.deviceId),
    filter.gatewayId === undefined ? undefined : eq(device.gatewayId, filter.gatewayId),
    inReachOf(tag.path, filter.reach),
    after === null ? undefined : sql`(${tag.path}, ${tag.tagNo}) > (${after.path}, ${after.tagNo}::bigint)`,
  ];
  return await db
    .select(columns)
    .from(tag)
    .innerJoin(device, eq(device.id, tag.deviceId))
    .where(and(...where))
    .orderBy(asc(tag.path), asc(tag.tagNo))
    .limit(limit);
}

export async function findTag(db: DbOrTx, tagNo: number): Promise<TagRow | null> {
  const rows = await db
    .select(columns)
    .from(tag)
    .innerJoin(device, eq(device.id, tag.deviceId))
    .where(and(eq(tag.tagNo, tagNo), isNull(tag.removedAt)));
  return rows[0] ?? null;
}

/** Which of the numbers were never given to a tag in the reach; removed tags count as known. */
export async function unknownTags(db: DbOrTx, tagNos: readonly number[], reach: Reach): Promise<number[]> {
  const rows = await db
    .select({ tagNo: tag.tagNo })
    .from(tag)
    .where(and(inArray(tag.tagNo, [...tagNos]), inReachOf(tag.path, reach)));
  const known = new Set(rows.map(({ tagNo }) => tagNo));
  return tagNos.filter((tagNo) => !known.has(tagNo));
}

/** Devices of one profile whose tags differ in nothing but their path. */
export interface TagGroup {
  deviceIds: readonly string[];
  /** Those of a device at the root: paths come below each device's own. */
  tags: readonly ExpandedTag[];
}

/** Descriptions of tags in one statement, some 5 MB of JSON. */
const TAGS_AT_ONCE = 20_000;

/** Groups that go in one statement; at least one. */
function* statements(groups: Iterable<TagGroup>): Generator<TagGroup[]> {
  let held: TagGroup[] = [];
  let tags = 0;
  for (const group of groups) {
    if (held.length > 0 && tags + group.tags.length > TAGS_AT_ONCE) {
      yield held;
      [held, tags] = [[], 0];
    }
    held.push(group);
    tags += group.tags.length;
  }
  if (held.length > 0) yield held;
}

/**
 * Makes the tags of devices of one profile what they should be, in few statements however many there are. The groups
 * differ in addresses, units and descriptions, never in names. A tag that comes back under its old name keeps its
 * number, and with it its history.
 */
export async function syncTags(tx: Tx, groups: Iterable<TagGroup>, at: Date): Promise<void> {
  const deviceIds: string[] = [];
  let names: string[] = [];
  for (const some of statements(groups)) {
    await upsertTags(tx, some);
    for (const group of some) deviceIds.push(...group.deviceIds);
    names = some[0]?.tags.map(({ name }) => name) ?? [];
  }
  if (deviceIds.length === 0) return;
  const ids = JSON.stringify(deviceIds);
  await noteWriters(tx, ids);
  await tx.execute(sql`
    UPDATE tag SET removed_at = ${at.toISOString()}::timestamptz
    WHERE device_id IN (SELECT jsonb_array_elements_text(${ids}::text::jsonb)::uuid) AND removed_at IS NULL
      AND name NOT IN (SELECT jsonb_array_elements_text(${JSON.stringify(names)}::text::jsonb))`);
}

async function upsertTags(tx: Tx, groups: readonly TagGroup[]): Promise<void> {
  await tx.execute(sql`
    INSERT INTO tag (device_id, name, path, address, data_type, unit, description, scan_ms, heartbeat_ms, deadband,
      scale, range, interpolation, retention, write)
    SELECT d.id, x.name, d.path || x.path, x.address, x."dataType", x.unit, x.description, x."scanMs",
      x."heartbeatMs", x.deadband, nullif(x.scale, 'null'), nullif(x.range, 'null'), x.interpolation, x.retention,
      nullif(x.write, 'null')
    FROM jsonb_to_recordset(${JSON.stringify(groups)}::text::jsonb) AS g("deviceIds" jsonb, tags jsonb)
    CROSS JOIN LATERAL jsonb_array_elements_text(g."deviceIds") AS wanted(id)
    JOIN device d ON d.id = wanted.id::uuid
    CROSS JOIN LATERAL jsonb_to_recordset(g.tags) AS x(name text, path text, address text, "dataType" text,
      unit text, description text, "scanMs" int, "heartbeatMs" int, deadband float8, scale jsonb, range jsonb,
      interpolation text, retention text, write jsonb)
    ON CONFLICT (device_id, name) DO UPDATE SET path = excluded.path, address = excluded.address,
      data_type = excluded.data_type, unit = excluded.unit, description = excluded.description,
      scan_ms = excluded.scan_ms, heartbeat_ms = excluded.heartbeat_ms, deadband = excluded.deadband,
      scale = excluded.scale, range = excluded.range, interpolation = excluded.interpolation,
      retention = excluded.retention, write = excluded.write, removed_at = NULL`);
}

/** The tags of devices that go leave the lists; their numbers and their samples stay. */
export async function removeTags(tx: Tx, deviceIds: readonly string[], at: Date): Promise<void> {
  await tx.execute(sql`
    UPDATE tag SET removed_at = ${at.toISOString()}::timestamptz WHERE removed_at IS NULL
      AND device_id IN (SELECT jsonb_array_elements_text(${JSON.stringify(deviceIds)}::text::jsonb)::uuid)`);
}

/**
 * Notes that each device's present gateway writes its tags. Kept for ever: what a gateway still brings after its device
 * moved or was deleted was true when it was read, and belongs into the history of the tag.
 */
async function noteWriters(tx: Tx, ids: string): Promise<void> {
  await tx.execute(sql`
    INSERT INTO tag_writer (tag_no, gateway_no)
    SELECT t.tag_no, g.gateway_no FROM tag t JOIN device d ON d.id = t.device_id JOIN gateway g ON g.id = d.gateway_id
    WHERE d.id IN (SELECT jsonb_array_elements_text(${ids}::text::jsonb)::uuid) ON CONFLICT DO NOTHING`);
}
