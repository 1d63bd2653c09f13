import { expect, test } from "bun:test";
import type { LogRow } from "@millrace/contract/api/log";
import type { Problem } from "@millrace/contract/api/problem";
import { systemClock } from "@millrace/contract/std/clock";
import type { GatewayEvent } from "@millrace/contract/wire/event";
import type { TestHub } from "../../../test/hub.ts";
import { deliver, eventsFrame, plant, tell } from "../../../test/plant-hub.ts";
import { trimLogs } from "./keeper.ts";
import { LOGS } from "./limits.ts";

/** Log records on their way from lane E to whoever searches them. */

const T0 = Date.UTC(2026, 10, 26, 8);

const record = (n: number, over: Partial<GatewayEvent> = {}): GatewayEvent => ({
  timeMs: T0 + n * 1_000,
  code: "log.record",
  severity: "warning",
  message: `line ${n}`,
  data: { level: "warning", logger: "gateway.device" },
  ...over,
});

interface Answer {
  items: LogRow[];
  nextCursor: string | null;
}

const search = async (hub: TestHub, query = ""): Promise<Answer> => {
  const { status, body } = await hub.call<Answer>("GET", `/api/v1/logs${query}`);
  if (status !== 200) throw new Error(JSON.stringify(body));
  return body;
};
const messages = async (hub: TestHub, query = "") =>
  (await search(hub, query)).items.map(({ message }) => message);

test("a record comes with lane E, is found, and stands apart from the other events", async () => {
  await using p = await plant();
  const gateway = await p.enrolled("A");
  using fake = await p.connected(gateway);
  const data = { level: "error", logger: "gateway.device", code: "device.timeout", tries: 3 };
  await tell(fake, 1, [
    record(1, { severity: "error", message: "Press is not readable", deviceId: gateway.deviceId, data }),
    { ...record(2), code: "gateway.started", severity: "info", message: "started", data: { bootNo: 1 } },
    record(3, { data: { level: "a newer one" } }),
  ]);
  const { items } = await search(p.hub);
  expect(items).toMatchObject([
    { message: "line 3", level: "warning", logger: "" },
    {
      gatewayId: gateway.id,
      gatewayName: "A",
      time: new Date(T0 + 1_000).toISOString(),
      level: "error",
      logger: "gateway.device",
      message: "Press is not readable",
      deviceId: gateway.deviceId,
      data: { code: "device.timeout", tries: 3 },
    },
  ]);
  const events = await p.hub.call<{ items: { code: string }[] }>("GET", "/api/v1/events");
  expect(events.body.items.map(({ code }) => code)).toEqual(["gateway.started"]);
});

test("a frame that comes twice is stored once", async () => {
  await using p = await plant();
  const gateway = await p.enrolled("A");
  const bytes = eventsFrame(1, [record(1), record(2)]);
  {
    using fake = await p.connected(gateway);
    await deliver(fake, 1, bytes);
    await deliver(fake, 1, bytes);
  }
  using again = await p.connected(gateway);
  await deliver(again, 1, bytes);
  await tell(again, 2, [record(3)]);
  expect(await messages(p.hub)).toEqual(["line 3", "line 2", "line 1"]);
});

test("searching: by gateway, level, words and time, each and together", async () => {
  await using p = await plant();
  const [a, b] = [await p.enrolled("A"), await p.enrolled("B")];
  using fakeA = await p.connected(a);
  using fakeB = await p.connected(b);
  const at = (level: string) => ({ level, logger: "gateway.uplink" });
  await tell(fakeA, 1, [
    record(1, { data: at("debug"), severity: "info" }),
    record(2, { data: at("info"), severity: "info", message: "100% of A_B" }),
    record(3, { data: at("warning") }),
    record(4, { data: at("error"), severity: "error", message: "The HUB is away" }),
  ]);
  await tell(fakeB, 1, [record(5, { message: "the hub is back" })]);
  expect(await messages(p.hub, `?gatewayId=${b.id}`)).toEqual(["the hub is back"]);
  expect(await messages(p.hub, "?level=error")).toEqual(["The HUB is away"]);
  expect(await messages(p.hub, "?level=warning")).toEqual(["the hub is back", "The HUB is away", "line 3"]);
  expect(await messages(p.hub, "?level=debug")).toHaveLength(5);
  expect(await messages(p.hub, "?q=hub%20is")).toEqual(["the hub is back", "The HUB is away"]);
  expect(await messages(p.hub, "?q=GATEWAY.UPLINK")).toHaveLength(4);
  // What is a pattern to the database is a text to a person.
  expect(await messages(p.hub, "?q=0%25")).toEqual(["100% of A_B"]);
  expect(await messages(p.hub, "?q=A_B")).toEqual(["100% of A_B"]);
  expect(await messages(p.hub, "?q=A%5CB")).toEqual([]);
  const [from, to] = [new Date(T0 + 3_000).toISOString(), new Date(T0 + 5_000).toISOString()];
  expect(await messages(p.hub, `?from=${from}&to=${to}`)).toEqual(["The HUB is away", "line 3"]);
  expect(await messages(p.hub, `?from=${from}&q=hub&level=error&gatewayId=${a.id}`)).toEqual([
    "The HUB is away",
  ]);
});

test("paging gives each record once, with equal times too", async () => {
  await using p = await plant();
  const gateway = await p.enrolled("A");
  using fake = await p.connected(gateway);
  for (let seq = 1; seq <= 5; seq++)
    await tell(
      fake,
      seq,
      [1, 2, 3].map((n) => record(0, { message: `${seq}.${n}` })),
    );
  const seen: string[] = [];
  let cursor: string | null = "";
  for (let pages = 0; cursor !== null && pages < 20; pages++) {
    const page: Answer = await search(p.hub, `?limit=4${cursor ? `&cursor=${cursor}` : ""}`);
    seen.push(...page.items.map(({ message }) => message));
    cursor = page.nextCursor;
  }
  expect(seen).toHaveLength(15);
  expect(new Set(seen).size).toBe(15);
  expect(seen[0]).toBe("5.3");
});

test("what cannot be asked is refused in words, and nobody reads logs unasked", async () => {
  await using p = await plant();
  const refusal = async (query: string) => {
    const { status, body } = await p.hub.call<Problem>("GET", `/api/v1/logs?${query}`);
    return [status, body.code];
  };
  for (const query of [
    "level=loud",
    "from=yesterday",
    "cursor=x",
    "limit=5000",
    "gatewayId=1",
    `q=${"x".repeat(101)}`,
  ])
    expect([query, ...(await refusal(query))]).toEqual([query, 422, "request.invalid"]);
  expect((await p.hub.ask("/api/v1/logs")).status).toBe(401);
});

async function fill(
  hub: TestHub,
  gatewayId: string,
  rows: number,
  receivedMs: number,
  epoch = 1,
): Promise<void> {
  await hub.database.sql`
    INSERT INTO gateway_log (gateway_no, epoch, seg, seq, position, at, level, logger, message, data, received_at)
    SELECT g.gateway_no, ${epoch}, 1, n, 0, n, 'warning', '', n::text, '{}', ${new Date(receivedMs)}::timestamptz + n * interval '1 ms'
    FROM gateway g, generate_series(1, ${rows}::int) AS n WHERE g.id = ${gatewayId}`;
}

test("what is too old goes, by the hub's own time; then what is too much, the oldest of the talkative first", async () => {
  await using p = await plant();
  const [a, b] = [await p.enrolled("A"), await p.enrolled("B")];
  const { sql } = p.hub.database;
  const deps = { sql, clock: systemClock };
  const now = systemClock.nowMs();
  await fill(p.hub, a.id, 12, now - (LOGS.daysKept + 1) * 86_400_000);
  await fill(p.hub, a.id, 50, now - 60_000, 2);
  await fill(p.hub, b.id, 10, now - 30_000, 2);
  const left = async () =>
    (
      await sql`SELECT g.name, count(*)::int AS n, min(l.seq)::int AS low FROM gateway_log l JOIN gateway g USING (gateway_no)
      GROUP BY g.name ORDER BY g.name`
    ).map(({ name, n, low }: { name: string; n: number; low: number }) => [name, n, low]);
  expect(await trimLogs(deps)).toBe(12);
  expect(await left()).toEqual([
    ["A", 50, 1],
    ["B", 10, 1],
  ]);
  expect(await trimLogs(deps, { ...LOGS, rowsPerGatewayMax: 20, deleteChunk: 7 })).toBe(30);
  expect(await left()).toEqual([
    ["A", 20, 31],
    ["B", 10, 1],
  ]);
  expect(await trimLogs(deps, { ...LOGS, rowsMax: 9, deleteChunk: 4 })).toBe(21);
  expect(await left()).toEqual([["B", 9, 2]]);
  // One run is bounded too; the next goes on.
  expect(await trimLogs(deps, { ...LOGS, rowsMax: 0, deleteChunk: 2, chunksPerRun: 3 })).toBe(6);
  expect(await left()).toEqual([["B", 3, 8]]);
});
