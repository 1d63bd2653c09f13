import { expect, test } from "bun:test";
import type { S7Address } from "@millrace/contract/driver/s7/address";
import { decodeSettings } from "@millrace/contract/driver/settings";
import type { AppError } from "@millrace/contract/error/app-error";
import { systemClock } from "@millrace/contract/std/clock";
import { qualityName } from "@millrace/contract/vocabulary/quality";
import type { DataType } from "@millrace/contract/vocabulary/value";
import { until } from "../../driver/conformance.ts";
import type { Point } from "../../driver/driver.ts";
import { s7 } from "./index.ts";
import { S7Simulator } from "./simulated-cpu.ts";

const signal = new AbortController().signal;

/** A CPU whose DB1 holds 1000 + number in each word, and a session connected to it. */
async function plant(over: Record<string, unknown> = {}) {
  const simulator = await S7Simulator.start(systemClock);
  const db = simulator.db(1, 2_000);
  for (let at = 0; at < 1_000; at++) db.writeUInt16BE(1_000 + at, at * 2);
  const settings = decodeSettings(s7, {
    host: "127.0.0.1",
    port: simulator.port,
    timeoutMs: 3_000,
    connectTimeoutMs: 3_000,
    illegalRetryMs: 100,
    ...over,
  });
  const lost: AppError[] = [];
  const session = await s7.create(settings, { clock: systemClock, onLost: (error) => lost.push(error) });
  const point = (text: string, id = 0, dataType: DataType = "uint16"): Point<S7Address> => ({
    id,
    address: s7.parseAddress(text, dataType, settings),
    dataType,
  });
  const words = (from: number, count: number) =>
    Array.from({ length: count }, (_, id) => point(`DB1.DBW${(from + id) * 2}`, id));
  /** The value of each point, or its quality's name. */
  const values = async (points: readonly Point<S7Address>[]) =>
    (await session.read(points, signal)).map(({ value, quality }) => value ?? qualityName(quality));
  const failure = (doing: Promise<unknown>) =>
    doing.then(
      () => null,
      (error: unknown) => error as AppError,
    );
  return {
    simulator,
    session,
    lost,
    settings,
    point,
    words,
    values,
    failure,
    async [Symbol.asyncDispose]() {
      await session.close();
      await simulator.close();
    },
  };
}

const row = (from: number, count: number) => Array.from({ length: count }, (_, at) => 1_000 + from + at);

test("5b.1 the three switches are named: PUT/GET, access level, optimized block", async () => {
  await using it = await plant({ family: "1500" });
  await it.session.connect(signal);
  it.simulator.refuses = 0x8104;
  const off = await it.failure(it.session.read(it.words(0, 3), signal));
  expect(off!.code).toBe("device.refused");
  for (const word of ["PUT/GET", "Access level", "OPC UA"]) expect(off!.message).toContain(word);
  it.simulator.refuses = null;
  const visit = it.session.visit!();
  const missing = it.point("DB9.DBW0");
  await visit.read([missing], signal);
  expect(visit.explain!(missing)).toContain('take "Optimized block access" off');
  it.simulator.illegal.set("db:1:0", 3);
  const [closed, open] = it.words(0, 2);
  const readings = await visit.read([closed!, { ...open!, id: 1 }], signal);
  expect(readings.map(({ quality }) => qualityName(quality))).toEqual(["bad.accessDenied", "good"]);
  expect(visit.explain!(closed!)).toContain("Permit access with PUT/GET");
  expect([it.lost, it.simulator.connections]).toEqual([[], 1]);
});

test("5b.1 a 300 is told of its own causes, not of TIA's switches", async () => {
  await using it = await plant({ family: "300" });
  await it.session.connect(signal);
  const visit = it.session.visit!();
  const missing = it.point("DB9.DBW0");
  await visit.read([missing], signal);
  expect(visit.explain!(missing)).toBe("The CPU refuses DB9.DBW0 (code 0x0a): DB9 is not in the CPU");
});

test("5b.2 a wrong slot is refused with the one that answers, asked for once", async () => {
  await using it = await plant({ family: "1500" });
  it.simulator.slots = [2];
  const first = await it.failure(it.session.connect(signal));
  expect([first!.code, first!.message.includes("set slot to 2")]).toEqual(["link.refused", true]);
  const { connections } = it.simulator;
  const second = await it.failure(it.session.connect(signal));
  expect([second!.code, it.simulator.connections - connections]).toEqual(["link.refused", 1]);
  await until(() => it.simulator.socketsOpen === 0);
});

test("5b.3 telegram length and requests under way are what the CPU grants", async () => {
  await using it = await plant({ gapMax: 0, timeoutMs: 2_000 });
  it.simulator.pduBytes = 240;
  it.simulator.jobs = 2;
  await it.session.connect(signal);
  expect(await it.values(it.words(0, 1_000))).toEqual(row(0, 1_000));
  expect(it.simulator.jobsSeen).toBe(2);
  const bytes = it.simulator.requests.map(({ items }) =>
    items.reduce((sum, one) => sum + 4 + one.bytes + (one.bytes & 1), 14),
  );
  expect(Math.max(...bytes)).toBeLessThanOrEqual(240);
  expect(it.simulator.requests).toHaveLength(10);
});

test("5b.3 requests without an answer count against what the CPU granted", async () => {
  await using it = await plant({ timeoutMs: 300 });
  it.simulator.jobs = 1;
  await it.session.connect(signal);
  it.simulator.misdeeds.push({ do: "late", ms: 500 });
  expect((await it.failure(it.session.read(it.words(0, 1), signal)))!.code).toBe("device.timeout");
  const before = it.simulator.requests.length;
  const next = it.values(it.words(1, 1));
  await systemClock.sleep(30);
  expect(it.simulator.requests.length).toBe(before);
  expect(await next).toEqual([1_001]);
});

test("a late answer is never taken for the next one", async () => {
  await using it = await plant({ timeoutMs: 300 });
  await it.session.connect(signal);
  it.simulator.misdeeds.push({ do: "late", ms: 340 });
  expect((await it.failure(it.session.read(it.words(0, 1), signal)))!.code).toBe("device.timeout");
  for (let at = 1; at < 30; at++) {
    expect(await it.values(it.words(at, 1))).toEqual([1_000 + at]);
    await systemClock.sleep(3);
  }
  expect([it.simulator.connections, it.lost]).toEqual([1, []]);
});

test("an answer may come byte by byte", async () => {
  await using it = await plant({ timeoutMs: 2_000 });
  await it.session.connect(signal);
  it.simulator.misdeeds.push({ do: "drip" });
  expect(await it.values(it.words(0, 20))).toEqual(row(0, 20));
});

test("5b.4 5b.6 connecting again leaves one socket, and the old one has nobody to call", async () => {
  await using it = await plant();
  for (let round = 0; round < 20; round++) await it.session.connect(signal);
  expect(await it.values(it.words(1, 1))).toEqual([1_001]);
  expect([it.simulator.socketsOpen, it.lost]).toEqual([1, []]);
});

test("5b.4 a CPU that takes the call and says nothing ends the attempt, and leaves nothing open", async () => {
  const deaf = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  await using it = await plant({ port: deaf.port, connectTimeoutMs: 60, family: "LOGO" });
  const failure = await it.failure(it.session.connect(signal));
  expect(failure!.code).toBe("link.unreachable");
  expect(failure!.message).toContain("all its connections are taken");
  deaf.stop(true);
});

test("5b.5 a reset at any moment ends the link, not the process", async () => {
  await using it = await plant();
  for (let bytes = 0; bytes < 40; bytes += 3) {
    await it.session.connect(signal);
    it.simulator.misdeeds.push({ do: "cut", bytes });
    expect((await it.failure(it.session.read(it.words(0, 10), signal)))!.code).toBe("link.lost");
  }
});

test("5b.7 a bad item spoils only itself, is asked again slowly, and the link stays", async () => {
  await using it = await plant();
  await it.session.connect(signal);
  it.simulator.illegal.set("db:1:100", 5);
  const points = it.words(0, 100);
  const wanted = row(0, 100).map((value, at) => (at === 50 ? "bad.addressIllegal" : value));
  expect(await it.values(points)).toEqual(wanted);
  it.simulator.requests.length = 0;
  expect(await it.values(points)).toEqual(wanted);
  // Both sides of the refused word, in one request.
  expect(it.simulator.requests.map(({ items }) => items.length)).toEqual([2]);
  it.simulator.illegal.clear();
  await systemClock.sleep(120);
  await it.values(points);
  expect(await it.values(points)).toEqual(row(0, 100));
  it.simulator.requests.length = 0;
  await it.values(points);
  expect(it.simulator.requests.map(({ items }) => items.length)).toEqual([1]);
  expect([it.simulator.connections, it.lost]).toEqual([1, []]);
});

test("5b.7 a place between two good values that the CPU does not give is remembered, and no tag is spoilt", async () => {
  await using it = await plant();
  await it.session.connect(signal);
  it.simulator.illegal.set("db:1:2", 5);
  const points = [it.point("DB1.DBW0"), it.point("DB1.DBW4", 1)];
  for (let round = 0; round < 2; round++) expect(await it.values(points)).toEqual([1_000, 1_002]);
  it.simulator.requests.length = 0;
  expect(await it.values(points)).toEqual([1_000, 1_002]);
  expect(it.simulator.requests).toHaveLength(1);
});

test("5b.8 a silent CPU costs two waits a call however many values there are", async () => {
  await using it = await plant({ gapMax: 0, timeoutMs: 100 });
  it.simulator.jobs = 1;
  it.simulator.pduBytes = 240;
  await it.session.connect(signal);
  it.simulator.always = { do: "silent" };
  const { length } = it.simulator.requests;
  expect((await it.failure(it.session.read(it.words(0, 1_000), signal)))!.code).toBe("device.timeout");
  expect(it.simulator.requests.length - length).toBe(1);
});

test("5b.9 a text longer than the telegram is good while its present length fits, and never torn", async () => {
  await using it = await plant();
  it.simulator.pduBytes = 240;
  const db = it.simulator.db(2, 300);
  db.set([254, 100]);
  db.fill("a", 2, 256);
  await it.session.connect(signal);
  const points = [it.point("DB2.STRING0.254", 0, "text")];
  expect(await it.values(points)).toEqual(["a".repeat(100)]);
  db[1] = 254;
  expect(await it.values(points)).toEqual(["bad.valueInvalid"]);
  expect(it.session.counters().learned.join()).toContain(
    "does not fit into the CPU's telegrams of 240 bytes",
  );
});

test("5b.11 values that belong together come in one item of one request", async () => {
  await using it = await plant({ gapMax: 0 });
  await it.session.connect(signal);
  const points = [
    it.point("DB1.DBW0 together=pair"),
    it.point("DB1.DBW100", 1),
    it.point("DB1.DBW200 together=pair", 2),
  ];
  expect(await it.values(points)).toEqual([1_000, 1_050, 1_100]);
  expect(it.simulator.requests.map(({ items }) => items.map(({ bytes }) => bytes))).toEqual([[202]]);
});

test("5b.12 a declaration made anew at the same length is noticed by its time", async () => {
  await using it = await plant({ family: "400" });
  await it.session.connect(signal);
  const points = it.words(0, 2);
  expect(await it.values(points)).toEqual([1_000, 1_001]);
  it.simulator.declared.set(1, 2);
  await it.session.connect(signal);
  expect(await it.values(points)).toEqual(["bad.mappingChanged", "bad.mappingChanged"]);
  expect(it.session.counters().learned.join()).toContain("DB1 was declared anew");
});

test("5b.12 with the check off nothing is asked, and a mark that fits again is believed again", async () => {
  await using it = await plant({ family: "300", dbLengthCheck: false });
  await it.session.connect(signal);
  const points = [it.point("DB1.DBW0 mark=1000"), it.point("DB1.DBW2", 1)];
  expect(await it.values(points)).toEqual([1_000, 1_001]);
  it.simulator.db(1).writeUInt16BE(7, 0);
  expect(await it.values(points)).toEqual([7, "bad.mappingChanged"]);
  it.simulator.db(1).writeUInt16BE(1_000, 0);
  expect(await it.values(points)).toEqual([1_000, 1_001]);
  expect(it.simulator.requests.some(({ does }) => does === "block")).toBe(false);
});

test("a write without an answer may have arrived; what follows it is not sent", async () => {
  await using it = await plant({ pduMax: 240, timeoutMs: 100 });
  await it.session.connect(signal);
  const writes = Array.from({ length: 30 }, (_, id) => ({ ...it.point(`DB1.DBW${id * 2}`, id), value: id }));
  it.simulator.misdeeds.push({ do: "silent" });
  const outcomes = await it.session.write!(writes, signal);
  const maybe = outcomes.filter((one) => !one.done && one.maybe).length;
  expect(outcomes.some(({ done }) => done)).toBe(false);
  expect(maybe).toBe(it.simulator.requests[0]!.items.length);
  expect([it.simulator.requests.length, outcomes.length]).toEqual([1, 30]);
  it.simulator.cut();
  await until(() => it.lost.length > 0);
  expect((await it.failure(it.session.write!(writes, signal)))!.code).toBe("link.lost");
});

test("the session is loaded when a device wants it, not with the gateway", async () => {
  const script = `
    await import("${import.meta.dir}/index.ts");
    const loaded = Object.keys(require.cache).filter((path) => path.includes("/drivers/s7/"));
    console.log(JSON.stringify(loaded.map((path) => path.split("/").at(-1))));`;
  const run = Bun.spawnSync([process.execPath, "-e", script], { cwd: import.meta.dir });
  expect(JSON.parse(run.stdout.toString())).toEqual(["index.ts"]);
});
