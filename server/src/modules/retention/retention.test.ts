import { expect, test } from "bun:test";
import type { Profile } from "@millrace/contract/api/plant";
import type { RetentionClass } from "@millrace/contract/api/retention";
import { fillDay, makeMonth, tablesLike } from "../../../test/history-partitions.ts";
import { type TestHub, testHub } from "../../../test/hub.ts";
import { verifyAudit } from "../audit/service.ts";
import { CLASSES } from "./service.ts";

interface Refusal {
  code: string;
  detail: string;
  context: Record<string, unknown>;
}

const LONG = { name: "long", rawDays: 800, minuteDays: 3_660, hourDays: null };

const classes = async (hub: TestHub) =>
  (await hub.call<{ items: RetentionClass[] }>("GET", "/api/v1/retention")).body.items;
const add = (hub: TestHub, input: object = LONG) =>
  hub.call<RetentionClass & Refusal>("POST", "/api/v1/retention", input);
const put = (hub: TestHub, name: string, input: object, query = "") =>
  hub.call<RetentionClass & Refusal>("PUT", `/api/v1/retention/${name}${query}`, input);
const remove = (hub: TestHub, name: string) => hub.call<Refusal>("DELETE", `/api/v1/retention/${name}`);

async function auditOf(hub: TestHub, action: string) {
  const rows: { old: object | null; new: object | null }[] = await hub.database
    .sql`SELECT old, new FROM audit WHERE action = ${action} ORDER BY no`;
  return [...rows];
}

const chiller = (retention: string) => ({
  name: "Chiller",
  driver: "modbus",
  settings: {},
  tags: [
    { name: "Temperature", address: "holding:0", dataType: "float32" },
    { name: "Count", address: "holding:2", dataType: "uint32", retention },
  ],
});

async function deviceOf(hub: TestHub, profileId: string): Promise<string> {
  const at = { kind: "site", parentId: null, name: "Plant" };
  const site = (await hub.call<{ id: string }>("POST", "/api/v1/sites", at)).body;
  const gateway = (
    await hub.call<{ id: string }>("POST", "/api/v1/gateways", { name: "GW", siteId: site.id })
  ).body;
  const device = {
    name: "D",
    profileId,
    gatewayId: gateway.id,
    siteId: site.id,
    settings: { host: "10.0.0.1" },
  };
  return (await hub.call<{ id: string }>("POST", "/api/v1/devices", device)).body.id;
}

test("a new class takes samples at once, and its tables are like those of the others", async () => {
  await using hub = await testHub();
  const { sql } = hub.database;
  expect(await classes(hub)).toEqual([{ name: "standard", rawDays: 400, minuteDays: 1_830, hourDays: null }]);
  expect(await add(hub)).toMatchObject({ status: 200, body: LONG });
  expect((await classes(hub)).map(({ name }) => name)).toEqual(["long", "standard"]);
  expect(await tablesLike(sql, "%_c2")).toEqual(["history_c2", "minute_tier_c2", "rollup_hour_c2"]);
  await makeMonth(sql, 2, 2024, 1);
  await fillDay(sql, { classNo: 2, ms: Date.UTC(2024, 0, 5), tags: 2, n: 10 });
  const shape = (table: string) => sql`
    SELECT a.attname, a.attnotnull, a.attstorage, format_type(a.atttypid, a.atttypmod) AS type FROM pg_attribute a
    WHERE a.attrelid = to_regclass(${table}) AND a.attnum > 0 ORDER BY a.attnum`;
  for (const root of ["history", "minute_tier", "rollup_hour"])
    expect(await shape(`${root}_c2`)).toEqual(await shape(`${root}_c1`));
  const keys = await sql`SELECT count(*)::int AS n FROM pg_index
    WHERE indrelid IN ('history_c2'::regclass, 'history_c2_2024_01'::regclass) AND indisprimary`;
  expect(keys[0].n).toBe(2);
  expect(await auditOf(hub, "retention.create")).toEqual([{ old: null, new: { ...LONG, classNo: 2 } }]);
});

test("a class whose tables cannot be made is not there at all", async () => {
  await using hub = await testHub();
  await hub.database.sql`CREATE TABLE rollup_hour_c2 (in_the_way int)`;
  expect((await add(hub)).status).toBe(500);
  expect(await classes(hub)).toHaveLength(1);
  expect(await tablesLike(hub.database.sql, "history_c2")).toEqual([]);
});

test("making a class waits for no reader of the history", async () => {
  await using hub = await testHub();
  const reader = await hub.database.sql.reserve();
  try {
    await reader.unsafe("BEGIN; SELECT count(*) FROM history");
    expect((await add(hub)).status).toBe(200);
  } finally {
    await reader.unsafe("COMMIT");
    reader.release();
  }
});

test("what a class may not be is named", async () => {
  await using hub = await testHub();
  const refused = async (input: object) => {
    const { body } = await add(hub, input);
    return [body.code, body.detail] as const;
  };
  const [code, detail] = await refused({ ...LONG, rawDays: 10, minuteDays: 9 });
  expect(code).toBe("request.invalid");
  expect(detail).toBe(
    "body/minuteDays: a coarser tier is kept at least as long as a finer one; rawDays is 10.",
  );
  expect((await refused({ ...LONG, minuteDays: null, hourDays: 40_000 }))[0]).toBe("request.invalid");
  expect((await refused({ ...LONG, minuteDays: null, hourDays: 36_500 }))[1]).toContain("body/hourDays");
  expect((await refused({ ...LONG, rawDays: 0 }))[1]).toContain("body/rawDays");
  expect((await refused({ ...LONG, name: "Long term" }))[1]).toContain("body/name");
  expect((await refused({ ...LONG, name: "standard" }))[0]).toBe("entity.conflict");
  for (let i = 1; i < CLASSES.max; i += 1)
    expect((await add(hub, { ...LONG, name: `c${i}` })).status).toBe(200);
  expect((await refused(LONG))[1]).toContain(`${CLASSES.max} classes`);
});

test("two classes made at once get a number each", async () => {
  await using hub = await testHub();
  const made = await Promise.all(["a", "b", "c"].map((name) => add(hub, { ...LONG, name })));
  expect(made.map(({ status }) => status)).toEqual([200, 200, 200]);
  const rows = await hub.database.sql`SELECT class_no AS no FROM retention_class ORDER BY class_no`;
  expect([...rows].map(({ no }) => no)).toEqual([1, 2, 3, 4]);
});

test("keeping longer is done at once; keeping shorter says first what would go", async () => {
  await using hub = await testHub();
  const { sql } = hub.database;
  const standard = { name: "standard", rawDays: 36_500, minuteDays: 36_500, hourDays: null };
  expect(await put(hub, "standard", standard)).toMatchObject({ status: 200, body: standard });
  await makeMonth(sql, 1, 2019, 12);
  await makeMonth(sql, 1, 2020, 1);
  await fillDay(sql, { classNo: 1, ms: Date.UTC(2020, 0, 5), tags: 4, n: 2_500 });
  const shorter = { ...standard, rawDays: 30 };
  const asked = await put(hub, "standard", shorter);
  expect(asked).toMatchObject({
    status: 409,
    body: {
      code: "retention.confirm",
      context: {
        tiers: ["raw"],
        partitions: 2,
        samples: 10_000,
        tables: ["history_c1_2019_12", "history_c1_2020_01"],
      },
    },
  });
  expect(asked.body.context.bytes).toBeGreaterThan(8_192);
  expect((await put(hub, "standard", shorter, "?confirm=false")).status).toBe(409);
  expect((await put(hub, "standard", shorter, "?confirm=yes")).body.code).toBe("request.invalid");
  expect(await classes(hub)).toEqual([standard]);
  expect((await put(hub, "standard", shorter, "?confirm=true")).body).toMatchObject(shorter);
  // What goes anyway is not counted again.
  expect((await put(hub, "standard", { ...shorter, rawDays: 29 })).body.context).toMatchObject({
    partitions: 0,
    samples: 0,
    bytes: 0,
  });
  expect((await auditOf(hub, "retention.edit")).at(-1)).toEqual({
    old: { ...standard, classNo: 1 },
    new: { ...shorter, classNo: 1 },
  });
  expect((await put(hub, "other", { ...LONG, name: "other" })).body.code).toBe("entity.missing");
  expect((await put(hub, "standard", { ...standard, name: "other" })).body.detail).toContain("body/name");
  expect((await put(hub, "standard", { ...standard, hourDays: 5 })).body.detail).toContain("body/hourDays");
});

test("a profile that names an unknown class is refused, naming the tag and the classes there are", async () => {
  await using hub = await testHub();
  const made = await hub.call<Profile & Refusal>("POST", "/api/v1/profiles", chiller("long"));
  expect(made.body).toMatchObject({
    code: "request.invalid",
    detail: 'body/tags/1/retention: tag "Count" names the class "long"; there are standard.',
    context: { tag: "Count", found: "long", classes: ["standard"] },
  });
  await add(hub);
  const profile = (await hub.call<Profile>("POST", "/api/v1/profiles", chiller("long"))).body;
  const edit = await hub.call<Refusal>("PUT", `/api/v1/profiles/${profile.id}`, chiller("longer"), {
    "if-match": '"1"',
  });
  expect(edit.body.detail).toContain('tag "Count" names the class "longer"; there are long, standard.');
});

test("a class goes when nothing needs it any longer, and its removed tags join the standard one", async () => {
  await using hub = await testHub();
  const { sql } = hub.database;
  await add(hub);
  const profile = (await hub.call<Profile>("POST", "/api/v1/profiles", chiller("long"))).body;
  expect((await remove(hub, "long")).body).toMatchObject({
    code: "entity.inUse",
    context: { profiles: ["Chiller"] },
  });
  const device = await deviceOf(hub, profile.id);
  expect((await remove(hub, "long")).body).toMatchObject({ code: "entity.inUse", context: { tags: 1 } });
  await hub.call("DELETE", `/api/v1/devices/${device}`);
  await hub.call("DELETE", `/api/v1/profiles/${profile.id}`);
  await makeMonth(sql, 2, 2024, 1);
  await fillDay(sql, { classNo: 2, ms: Date.UTC(2024, 0, 5), tags: 2, n: 10 });
  const stored = (await remove(hub, "long")).body;
  expect(stored).toMatchObject({ code: "entity.inUse", context: { table: "history" } });
  await sql`TRUNCATE history_c2, minute_tier_c2`;
  expect((await remove(hub, "long")).status).toBe(200);
  expect(await tablesLike(sql, "%\\_c2%")).toEqual([]);
  expect(await sql`SELECT DISTINCT retention FROM tag`).toHaveLength(1);
  expect((await auditOf(hub, "retention.delete"))[0]).toEqual({ old: { ...LONG, classNo: 2 }, new: null });
  expect((await remove(hub, "long")).body.code).toBe("entity.missing");
  expect((await remove(hub, "standard")).body.code).toBe("entity.inUse");
  expect(await verifyAudit(hub.database.db)).toBeNull();
});

test("a class whose tables are being read is not removed meanwhile, and says so", async () => {
  await using hub = await testHub();
  await add(hub);
  const reader = await hub.database.sql.reserve();
  try {
    await reader.unsafe("BEGIN; SELECT count(*) FROM history");
    expect((await remove(hub, "long")).body.code).toBe("database.unavailable");
  } finally {
    await reader.unsafe("COMMIT");
    reader.release();
  }
  expect((await remove(hub, "long")).status).toBe(200);
});

test("nobody changes a class without being signed in", async () => {
  await using hub = await testHub();
  const answer = await hub.ask("/api/v1/retention/standard?confirm=true", {
    method: "PUT",
    headers: { "content-type": "application/json" },
    body: "{}",
  });
  expect(answer.status).toBe(401);
});
