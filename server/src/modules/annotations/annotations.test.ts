import { expect, test } from "bun:test";
import type { Annotation } from "@millrace/contract/api/trend";
import { type TestHub, testHub } from "../../../test/hub.ts";
import { verifyAudit } from "../audit/service.ts";

interface Refusal {
  code: string;
  detail: string;
}
interface Answer {
  items: Annotation[];
  nextCursor: string | null;
}

const NOBODY = "01938f5e-7c1a-7b2e-9d30-6c1f0e2a4b55";
const at = (minute: number) => `2026-03-01T10:${String(minute).padStart(2, "0")}:00.000Z`;

/** Tags 1 to 3; of the tag alone an annotation asks for nothing more than that it is there. */
async function withTags(hub: TestHub): Promise<void> {
  await hub.database.sql`
    INSERT INTO tag (device_id, name, path, address, data_type, unit, description, scan_ms, heartbeat_ms, deadband)
    SELECT gen_random_uuid(), 'T' || i, 'P/T' || i, 'a', 'int16', '', '', 1000, 10000, 0 FROM generate_series(1, 3) i`;
}

const write = (hub: TestHub, change: Partial<Annotation> = {}) =>
  hub.call<Annotation & Refusal>("POST", "/api/v1/annotations", {
    from: at(10),
    to: null,
    tagNo: null,
    text: "a note",
    ...change,
  });

const textsOf = async (hub: TestHub, query: string) =>
  (await hub.call<Answer>("GET", `/api/v1/annotations?${query}`)).body.items.map(({ text }) => text);

test("those that touch the range come, of the tags named and of the plant", async () => {
  await using hub = await testHub();
  await withTags(hub);
  await write(hub, { text: "point", tagNo: 1 });
  await write(hub, { text: "stretch", tagNo: 2, from: at(0), to: at(20) });
  await write(hub, { text: "plant", from: at(5), to: at(6) });
  const range = (from: number, to: number) => `from=${at(from)}&to=${at(to)}`;
  expect(await textsOf(hub, "")).toEqual(["stretch", "plant", "point"]);
  expect(await textsOf(hub, "from=0000-01-01T00:00:00Z&to=0000-02-01T00:00:00Z")).toEqual([]);
  expect(await textsOf(hub, "tag=1")).toEqual(["plant", "point"]);
  expect(await textsOf(hub, "tag=3")).toEqual(["plant"]);
  expect(await textsOf(hub, "tag=1,2")).toEqual(["stretch", "plant", "point"]);
  // [from, to): a note at `from` is inside, one at `to` is not; a stretch reaches to its end.
  expect(await textsOf(hub, range(10, 11))).toEqual(["stretch", "point"]);
  expect(await textsOf(hub, range(9, 10))).toEqual(["stretch"]);
  expect(await textsOf(hub, range(6, 7))).toEqual(["stretch", "plant"]);
  expect(await textsOf(hub, range(20, 21))).toEqual(["stretch"]);
  expect(await textsOf(hub, range(21, 22))).toEqual([]);
  expect(await textsOf(hub, `from=${at(21)}`)).toEqual([]);
});

test("a list is never longer than a page, and no note of one millisecond is lost between two", async () => {
  await using hub = await testHub();
  for (let i = 0; i < 5; i += 1) await write(hub, { text: `${i}` });
  const seen: string[] = [];
  let cursor: string | null = "";
  while (cursor !== null) {
    const { body }: { body: Answer } = await hub.call<Answer>(
      "GET",
      `/api/v1/annotations?limit=2${cursor === "" ? "" : `&cursor=${cursor}`}`,
    );
    expect(body.items.length).toBeLessThanOrEqual(2);
    seen.push(...body.items.map(({ text }) => text));
    cursor = body.nextCursor;
  }
  expect(seen.sort()).toEqual(["0", "1", "2", "3", "4"]);
});

test("the author is whoever is signed in, whatever the body says", async () => {
  await using hub = await testHub();
  const { body } = await write(hub, { author: "somebody else", from: at(1), to: at(2) });
  const [key] = await hub.database.sql`SELECT name FROM api_key`;
  expect(body).toMatchObject({ author: key.name, from: at(1), to: at(2), text: "a note" });
  expect(Date.parse(body.createdAt)).toBeGreaterThan(0);
  expect((await hub.call("DELETE", `/api/v1/annotations/${body.id}`)).status).toBe(200);
  expect((await hub.call<Refusal>("DELETE", `/api/v1/annotations/${body.id}`)).body.code).toBe(
    "entity.missing",
  );
  const rows = await hub.database.sql`SELECT action FROM audit WHERE action LIKE 'annotation.%' ORDER BY no`;
  expect([...rows].map(({ action }) => action)).toEqual(["annotation.create", "annotation.delete"]);
  expect(await verifyAudit(hub.database.db)).toBeNull();
});

test("each wrong field is named", async () => {
  await using hub = await testHub();
  const said = async (change: Partial<Annotation>) => {
    const { status, body } = await write(hub, change);
    return `${status} ${body.code} ${body.detail}`;
  };
  expect(await said({ tagNo: 77 })).toBe("422 request.invalid body/tagNo: there is no tag 77.");
  expect(await said({ to: at(9) })).toContain("body/to");
  expect(await said({ to: at(10) })).toContain("200");
  expect(await said({ from: "2026-02-31T25:00:00Z" })).toContain("body/from");
  expect(await said({ from: "0000-05-01T00:00:00Z" })).toContain("body/from");
  expect(await said({ text: "" })).toContain("body/text");
  expect(await said({ text: "x".repeat(1_001) })).toContain("body/text");
  const asked = async (query: string) =>
    (await hub.call<Refusal>("GET", `/api/v1/annotations?${query}`)).body.code;
  expect(await asked("tag=x")).toBe("request.invalid");
  expect(await asked("tag=1,,2")).toBe("request.invalid");
  expect(await asked(`from=${at(2)}&to=${at(1)}`)).toBe("request.invalid");
  expect(await asked("from=yesterday")).toBe("request.invalid");
  for (const key of [
    ["x", "y"],
    [1e300, "y"],
    [8e15, NOBODY],
    [1, "y"],
  ])
    expect(await asked(`cursor=${Buffer.from(JSON.stringify(key)).toString("base64url")}`)).toBe(
      "request.invalid",
    );
});
