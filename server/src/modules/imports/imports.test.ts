import { describe, expect, test } from "bun:test";
import type { ImportReport, RawSamples } from "@millrace/contract/api/history";
import type { Tag } from "@millrace/contract/api/plant";
import { addPlant } from "../../../test/add-plant.ts";
import { API_KEY, type TestHub, testHub } from "../../../test/hub.ts";

const FROM = "2026-11-01T00:00:00Z";
const TO = "2026-11-02T00:00:00Z";

interface Sent {
  status: number;
  report: ImportReport;
  problem: { code: string; detail: string };
}

async function send(
  hub: TestHub,
  body: string,
  { key = "k1", query = "", type = "text/csv" }: { key?: string; query?: string; type?: string } = {},
): Promise<Sent> {
  const response = await hub.ask(`/api/v1/samples/import${query}`, {
    method: "POST",
    headers: { authorization: `Bearer ${API_KEY}`, "content-type": type, "idempotency-key": key },
    body,
  });
  const answer = (await response.json()) as never;
  return { status: response.status, report: answer, problem: answer };
}

async function stored(hub: TestHub, tagNo: number): Promise<unknown[][]> {
  const path = `/api/v1/samples?tag=${tagNo}&from=${FROM}&to=${TO}`;
  const { body } = await hub.call<RawSamples>("GET", path);
  const [series] = body.series;
  return series!.timesMs.map((timeMs, i) => [new Date(timeMs).toISOString(), series!.values[i]]);
}

const audits = async (hub: TestHub): Promise<number> =>
  Number((await hub.database.sql`SELECT count(*)::int AS n FROM audit WHERE action = 'sample.import'`)[0].n);

const row = (tag: Tag | number | string, at: string, value: string) =>
  `${typeof tag === "object" ? tag.tagNo : tag},2026-11-01T${at}Z,${value}`;

describe("an import", () => {
  test("stores rows of numbers, paths and ms, of every kind, exactly", async () => {
    await using hub = await testHub();
    const { float, int64, boolean, text } = await addPlant(hub);
    const file = [
      "tag,time,value",
      row(float, "10:00:00", "1.25"),
      row(float.path, "10:00:01.500", "-3e2"),
      `${float.tagNo},${Date.parse("2026-11-01T10:00:02Z")},0.1`,
      row(int64, "10:00:00", "-9223372036854775808"),
      row(int64, "10:00:01", "9223372036854775807"),
      row(boolean, "10:00:00", "true"),
      row(text, "10:00:00", '"a, ""b"""'),
    ].join("\n");
    const { status, report } = await send(hub, file);
    expect([status, report.imported, report.rejected, report.conflicts]).toEqual([200, 7, 0, 0]);
    expect(await stored(hub, float.tagNo)).toEqual([
      ["2026-11-01T10:00:00.000Z", 1.25],
      ["2026-11-01T10:00:01.500Z", -300],
      ["2026-11-01T10:00:02.000Z", 0.1],
    ]);
    expect(await stored(hub, int64.tagNo)).toEqual([
      ["2026-11-01T10:00:00.000Z", "-9223372036854775808"],
      ["2026-11-01T10:00:01.000Z", "9223372036854775807"],
    ]);
    expect(await stored(hub, boolean.tagNo)).toEqual([["2026-11-01T10:00:00.000Z", true]]);
    expect(await stored(hub, text.tagNo)).toEqual([["2026-11-01T10:00:00.000Z", 'a, "b"']]);
    expect(await audits(hub)).toBe(1);
  });

  test("sent again does nothing and answers the same; another file under its key is refused", async () => {
    await using hub = await testHub();
    const { float } = await addPlant(hub);
    const file = `tag,time,value\n${row(float, "10:00:00", "1")}`;
    const first = await send(hub, file);
    expect((await send(hub, file)).report).toEqual(first.report);
    const other = await send(hub, `${file}\n${row(float, "10:00:01", "2")}`);
    expect([other.status, other.problem.code]).toEqual([409, "import.keyUsed"]);
    expect(await stored(hub, float.tagNo)).toHaveLength(1);
    expect(await audits(hub)).toBe(1);
  });

  test("keeps what is stored: the same is counted, another value is a conflict", async () => {
    await using hub = await testHub();
    const { float } = await addPlant(hub);
    await send(hub, `tag,time,value\n${row(float, "10:00:00", "1")}\n${row(float, "10:00:01", "2")}`);
    const lines = [row(float, "10:00:00", "1"), row(float, "10:00:01", "3"), row(float, "10:00:02", "4")];
    const { report } = await send(hub, ["tag,time,value", ...lines].join("\n"), { key: "k2" });
    expect([report.same, report.conflicts, report.imported]).toEqual([1, 1, 1]);
    expect(report.problems).toEqual([
      { row: 2, field: "value", found: "3", expected: "2, which is there at this time and stays" },
    ]);
    expect((await stored(hub, float.tagNo)).map(([, value]) => value)).toEqual([1, 2, 4]);
  });

  test("names each of forty planted faults by row and field and stores nothing, unless asked for a part", async () => {
    await using hub = await testHub();
    const { float, int16 } = await addPlant(hub);
    const wrong = [
      row(999_999, "10:00:00", "1"),
      `${float.tagNo},2026-11-01 10:00,1`,
      row(float, "10:00:00", "warm"),
      row(int16, "10:00:00", "40000"),
      `${float.tagNo},2999-01-01T00:00:00Z,1`,
      `${float.tagNo},1990-01-01T00:00:00Z,1`,
      row(float, "10:00:00", ""),
      `,2026-11-01T10:00:00Z,1`,
    ];
    const fields = ["tag", "time", "value", "value", "time", "time", "value", "tag"];
    const lines = Array.from({ length: 200 }, (_, i) => {
      const at = new Date(Date.UTC(2026, 10, 1, 0, 0, i)).toISOString().slice(11, 19);
      return i % 5 === 2 ? wrong[((i - 2) / 5) % 8]! : row(float, at, String(i));
    });
    const file = ["tag,time,value", ...lines].join("\n");
    const { status, report } = await send(hub, file);
    expect([status, report.rejected, report.imported]).toEqual([200, 40, 0]);
    expect(report.problems.map((each) => [each.row, each.field])).toEqual(
      Array.from({ length: 40 }, (_, k) => [k * 5 + 3, fields[k % 8]!]),
    );
    expect(await stored(hub, float.tagNo)).toEqual([]);
    const part = await send(hub, file, { query: "?partial=true" });
    expect([part.report.imported, part.report.rejected]).toEqual([160, 40]);
    expect(await stored(hub, float.tagNo)).toHaveLength(160);
  });

  test("tried out says what would happen and stores nothing", async () => {
    await using hub = await testHub();
    const { float } = await addPlant(hub);
    const file = `tag,time,value\n${row(float, "10:00:00", "1")}`;
    const { report } = await send(hub, file, { query: "?dryRun=true" });
    expect([report.dryRun, report.imported]).toEqual([true, 1]);
    expect(await stored(hub, float.tagNo)).toEqual([]);
    expect((await send(hub, file)).report.imported).toBe(1);
  });

  test("takes semicolons with a decimal comma, and NDJSON", async () => {
    await using hub = await testHub();
    const { float, float64 } = await addPlant(hub);
    await send(hub, `Path;Time;Value\n${float.path};2026-11-01T10:00:00Z;21,5\n`);
    expect(await stored(hub, float.tagNo)).toEqual([["2026-11-01T10:00:00.000Z", 21.5]]);
    const line = JSON.stringify({
      tag: float64.tagNo,
      time: "2026-11-01T10:00:00Z",
      value: 0.1,
      quality: "good",
    });
    const { report } = await send(hub, `${line}\n`, { key: "k2", type: "application/x-ndjson" });
    expect(report.imported).toBe(1);
    expect(await stored(hub, float64.tagNo)).toEqual([["2026-11-01T10:00:00.000Z", 0.1]]);
  });

  test("that is none is refused with a code", async () => {
    await using hub = await testHub();
    const { float } = await addPlant(hub);
    const file = `tag,time,value\n${row(float, "10:00:00", "1")}`;
    expect((await send(hub, file, { key: "" })).problem.code).toBe("request.invalid");
    expect((await send(hub, file, { type: "text/plain" })).problem.code).toBe("request.malformed");
    expect((await send(hub, "a,b\n1,2")).problem.code).toBe("request.invalid");
    expect((await send(hub, '{"tag":', { type: "application/x-ndjson" })).status).toBeLessThan(500);
    expect(await stored(hub, float.tagNo)).toEqual([]);
  });

  test("that the database breaks off leaves nothing and may be sent again", async () => {
    await using hub = await testHub();
    const { float } = await addPlant(hub);
    const { sql } = hub.database;
    const file = `tag,time,value\n${row(float, "10:00:00", "1")}`;
    await sql.unsafe(`
      CREATE FUNCTION break_off() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'broken off'; END $$;
      CREATE TRIGGER break_off BEFORE INSERT ON import_run FOR EACH ROW EXECUTE FUNCTION break_off();`);
    expect((await send(hub, file)).status).toBe(500);
    expect(await stored(hub, float.tagNo)).toEqual([]);
    await sql.unsafe("DROP TRIGGER break_off ON import_run");
    expect((await send(hub, file)).report.imported).toBe(1);
    expect(await stored(hub, float.tagNo)).toHaveLength(1);
  });
});
