import { expect, test } from "bun:test";
import type { FieldResult } from "@millrace/contract/wire/field";
import { LIMITS } from "@millrace/contract/wire/limits";
import { FakeClock, settle } from "../../test/fake-clock.ts";
import { FakePlant, FakeSink, fakeDevice, fakeTag } from "../../test/fake-plant.ts";
import { BREAKER } from "../supervisor/decide.ts";
import { Fleet } from "../supervisor/fleet.ts";
import { FieldDesk } from "./desk.ts";

/** What a test does to the gateway it runs on: lines, turns and limits, with a plant behind the driver's edge. */

const uuid = (n: number) => `00000000-0000-7000-8000-${String(n).padStart(12, "0")}`;

async function rig(devices = [fakeDevice(1)]) {
  const clock = new FakeClock();
  const plant = new FakePlant(clock);
  const fleet = new Fleet({ clock, random: () => 0.5, sink: new FakeSink(clock), driverOf: plant.driverOf });
  await fleet.apply({ rev: 1, devices });
  const desk = new FieldDesk({ clock, fleet, driverOf: plant.driverOf });
  let asked = 0;
  const take = (body: object, limitMs: number = LIMITS.fieldMs) =>
    desk.take({ requestId: uuid(++asked), limitMs, body });
  /** Moves time until the answer is there, at most `ms`. */
  const within = async <T>(answer: Promise<T>, ms: number): Promise<T> => {
    let done = false;
    void answer.finally(() => {
      done = true;
    });
    await settle();
    for (let passed = 0; passed < ms && !done; passed += 10) await clock.advance(10);
    expect(done).toBe(true);
    return await answer;
  };
  return { clock, plant, fleet, desk, take, within };
}

const connection = (host: string, more: object = {}) => ({
  kind: "connection",
  driver: "fake",
  settings: { host, ...more },
});
const read = (host: string, addresses = ["a1", "a2"], more: object = {}) => ({
  kind: "read",
  driver: "fake",
  settings: { host, ...more },
  parts: [addresses.map((address) => ({ address, dataType: "float64", scale: { factor: 2, offset: 1 } }))],
});

const codeOf = (result: FieldResult | null) =>
  result === null
    ? null
    : result.kind === "refused"
      ? result.code
      : "cause" in result
        ? (result.cause?.code ?? "")
        : "";

test("a test of a running device waits its turn on the line that is open, and every poll goes on", async () => {
  const { clock, plant, fleet, take, within } = await rig();
  plant.unit("host1").answerMs = 400;
  await clock.advance(5_000);
  const results: (FieldResult | null)[] = [];
  for (let index = 0; index < 10; index++) results.push(await within(take(read("host1")), 3_000));
  for (const result of results) {
    expect(result).toMatchObject({ kind: "read", ok: true, shared: true });
    expect(result?.kind === "read" && result.readings.map(({ raw, value }) => [raw, value])).toEqual([
      [0, 1],
      [1, 3],
    ]);
  }
  expect(plant.overlaps).toBe(0);
  expect(plant.connects).toHaveLength(1);
  expect(fleet.statuses()[0]).toMatchObject({ linkState: "up", errors: 0, cyclesMissed: 0 });
  // What a test asked is not counted as the device's own.
  const { cycles, requests } = fleet.statuses()[0]!;
  expect(requests).toBe(cycles);
});

test("a line of its own is closed when the test ends, whatever came of it", async () => {
  const { plant, take, within } = await rig([]);
  expect(await within(take(connection("new")), 1_000)).toMatchObject({
    kind: "connection",
    ok: true,
    shared: false,
  });
  expect(plant.open).toBe(0);
  plant.unit("new").fails = "device.timeout";
  expect(codeOf(await within(take(read("new")), 1_000))).toBe("device.timeout");
  expect(plant.open).toBe(0);
  plant.kill("new", "link.refused");
  expect(codeOf(await within(take(connection("new")), 1_000))).toBe("link.refused");
  expect(plant.open).toBe(0);
});

test("a device that is published in the middle of a test never makes a second connection", async () => {
  const { clock, plant, fleet, take, within } = await rig([]);
  plant.unit("host1").answerMs = 2_000;
  let most = 0;
  const track = plant.track.bind(plant);
  plant.track = (...args) => {
    track(...args);
    most = Math.max(most, plant.open);
  };
  const answer = take(read("host1"));
  await clock.advance(500);
  expect(plant.open).toBe(1);
  await fleet.apply({ rev: 2, devices: [fakeDevice(1)] });
  expect(await within(answer, 5_000)).toMatchObject({ ok: true, shared: false });
  plant.unit("host1").answerMs = 10;
  await clock.advance(10_000);
  expect([most, plant.overlaps]).toEqual([1, 0]);
  expect(fleet.statuses()[0]).toMatchObject({ linkState: "up", tagsGood: 2 });
});

test("a device that is published while the line of a test closes waits until it is closed", async () => {
  const { clock, plant, within } = await rig([]);
  let open = 0;
  let most = 0;
  const driverOf: typeof plant.driverOf = (kind) => {
    const driver = plant.driverOf(kind);
    const create: typeof driver.create = async (settings, deps) => {
      const session = await driver.create(settings, deps);
      const connect = async (signal: AbortSignal) => {
        await session.connect(signal);
        most = Math.max(most, ++open);
      };
      const close = async () => {
        await clock.sleep(1_000);
        if (open > 0) open--;
        await session.close();
      };
      return { connect, close, read: session.read.bind(session), counters: session.counters.bind(session) };
    };
    return { ...driver, create };
  };
  const slow = new Fleet({ clock, random: () => 0.5, sink: new FakeSink(clock), driverOf });
  const visiting = new FieldDesk({ clock, fleet: slow, driverOf });
  const body = read("host1");
  const answer = visiting.take({ requestId: uuid(1), limitMs: 9_000, body });
  await clock.advance(100);
  expect(open).toBe(1);
  const applied = slow.apply({ rev: 2, devices: [fakeDevice(1)] });
  expect(await within(answer, 5_000)).toMatchObject({ ok: true });
  await within(applied, 5_000);
  await clock.advance(5_000);
  expect([most, slow.statuses()[0]?.linkState]).toEqual([1, "up"]);
});

test("a device that is taken away in the middle of a test leaves the line to it, then it closes", async () => {
  const { clock, plant, fleet, take, within } = await rig();
  await clock.advance(2_000);
  plant.unit("host1").answerMs = 2_000;
  const answer = take(read("host1"));
  await clock.advance(100);
  const applied = fleet.apply({ rev: 2, devices: [] });
  await within(applied, 10_000);
  expect(await within(answer, 8_000)).toMatchObject({ ok: true });
  await clock.advance(100);
  expect([plant.open, plant.overlaps]).toEqual([0, 0]);
});

test("a link that waits for its next attempt tries at once, and the running device has it back too", async () => {
  const { clock, plant, fleet, take, within } = await rig();
  plant.kill("host1");
  await clock.advance(60_000);
  expect(codeOf(await within(take(connection("host1")), 100))).toBe("link.refused");
  plant.revive("host1");
  expect(await within(take(connection("host1")), 100)).toMatchObject({ ok: true, shared: true });
  await clock.advance(1_500);
  expect(fleet.statuses()[0]).toMatchObject({ linkState: "up" });
});

test("tests beside a silent device do not make it asked more seldom: it is no converter's neighbour for that", async () => {
  const { clock, plant, take, within } = await rig();
  plant.unit("host1", 2);
  await clock.advance(2_000);
  // Longer than the pause between two tests, so that each probe of the device ends with a test in the queue.
  Object.assign(plant.unit("host1"), { fails: "device.timeout", answerMs: 1_100 });
  const before = plant.unit("host1").reads.length;
  const seconds = 400;
  for (let second = 0; second < seconds; second++) {
    const answer = take(read("host1", ["x"], { unit: 2 }));
    await clock.advance(1_000);
    await within(answer, 3_000);
  }
  const probes = plant.unit("host1").reads.length - before;
  expect(probes).toBeGreaterThan((0.7 * seconds * 1_000) / BREAKER.capAloneMs);
});

test("unit numbers tried in vain do not make the line of a running device be made anew", async () => {
  const tags = [fakeTag(1, { scanMs: 3_600_000, heartbeatMs: 3_600_000 })];
  const { clock, plant, fleet, take, within } = await rig([fakeDevice(1, { tags })]);
  await clock.advance(3_600_000);
  for (let unit = 2; unit < 12; unit++) {
    plant.unit("host1", unit).fails = "device.timeout";
    expect(codeOf(await within(take(read("host1", ["x"], { unit })), 900))).toBe("device.timeout");
  }
  expect([plant.connects.length, fleet.statuses()[0]?.linkState]).toEqual([1, "up"]);
});

test("a wrong address spoils only itself and is not asked for", async () => {
  const { plant, take, within } = await rig([]);
  const result = await within(take(read("new", ["a1", "wrong1"])), 1_000);
  expect(result).toMatchObject({ ok: true });
  expect(result?.kind === "read" && result.readings[1]).toMatchObject({
    raw: null,
    quality: "bad.addressIllegal",
    cause: { code: "address.illegal", message: '"wrong1" is no address.' },
  });
  expect(plant.unit("new").reads.map(({ ids }) => ids)).toEqual([[0]]);
});

test("one test at a time; the next has its turn when the line of the first is free", async () => {
  const { clock, plant, take, within } = await rig([]);
  plant.unit("a").answerMs = 1_000;
  const first = take(read("a"));
  await clock.advance(100);
  expect(codeOf(await take(read("b")))).toBe("request.tooMany");
  expect(await within(first, 2_000)).toMatchObject({ ok: true });
  expect(await within(take(read("b")), 2_000)).toMatchObject({ ok: true });
});

test("cancelled while it waits for its turn, a test ends at once and asks nothing", async () => {
  const { clock, plant, desk, take, within } = await rig();
  await clock.advance(2_000);
  plant.unit("host1").answerMs = 60_000;
  await clock.advance(1_000);
  const reads = plant.unit("host1").reads.length;
  const answer = take(read("host1"));
  await clock.advance(100);
  desk.cancel(uuid(99));
  await clock.advance(100);
  desk.cancel(uuid(1));
  expect(await within(answer, 20)).toBeNull();
  plant.unit("host1").answerMs = 10;
  await clock.advance(60_000);
  const asked = plant.unit("host1").reads.slice(reads);
  expect(asked.some(({ ids }) => ids.includes(0))).toBe(false);
  expect(await within(take(read("host1")), 3_000)).toMatchObject({ ok: true });
});

test("a driver that obeys nothing costs a test its limit, and the next one is not shut out", async () => {
  const { clock, plant, take, within } = await rig([]);
  plant.unit("a").hangs = true;
  const result = await within(take(read("a"), 60_000), LIMITS.fieldAnswerMs + 20);
  expect(result).toMatchObject({ kind: "refused", code: "field.timeout" });
  expect(result?.kind === "refused" && result.message).toContain("9000 ms while reading the points");
  await clock.advance(5_000);
  expect(await within(take(read("b")), 1_000)).toMatchObject({ ok: true });
});

test("the hub gone, the test ends; stopping waits until the line is closed", async () => {
  const { clock, plant, desk, take, within } = await rig([]);
  plant.unit("a").answerMs = 5_000;
  const gone = take(read("a"));
  await clock.advance(100);
  desk.abandon();
  expect(await within(gone, 20)).toBeNull();
  await clock.advance(100);
  const last = take(read("a"));
  await clock.advance(100);
  expect(plant.open).toBe(1);
  await within(desk.stop(), 3_000);
  expect(plant.open).toBe(0);
  expect(await last).toBeNull();
});

test.each([
  ["a kind of a newer hub", { kind: "firmware", driver: "fake" }, "field.unsupported"],
  ["a kind that is part of every object", { kind: "constructor" }, "field.unsupported"],
  ["no kind at all", {}, "field.unsupported"],
  ["a driver this gateway does not have", { ...connection("a"), driver: "telepathy" }, "setting.wrong"],
  ["a wrong setting", connection(""), "setting.wrong"],
  ["a point without a type", { ...read("a"), parts: [[{ address: "a1" }]] }, "request.invalid"],
  ["parts that are none", { ...read("a"), parts: "all" }, "request.invalid"],
  [
    "more points than a test may have",
    { ...read("a"), parts: [1, 2].map(() => Array(150).fill({ address: "a", dataType: "int16" })) },
    "request.tooLarge",
  ],
])("%s is refused with a code, and the desk goes on", async (_, body, code) => {
  const { plant, take, within } = await rig([]);
  const result = await within(take(body), 100);
  expect(result).toMatchObject({ kind: "refused", code });
  expect(plant.connects).toHaveLength(0);
  expect(await within(take(read("b")), 1_000)).toMatchObject({ ok: true });
});

test("a password in the settings of a test is known to the log before anything is tried", async () => {
  const { clock, plant, fleet } = await rig([]);
  const told: (readonly string[])[] = [];
  const connects: number[] = [];
  const keepSecret = (values: readonly string[]) => {
    told.push(values);
    connects.push(plant.connects.length);
  };
  const desk = new FieldDesk({ clock, fleet, driverOf: plant.driverOf, keepSecret });
  const body = connection("a", { password: "hunter2-hunter2" });
  const result = await desk.take({ requestId: uuid(1), limitMs: 1_000, body });
  expect(JSON.stringify(result)).not.toContain("hunter2");
  expect([told, connects]).toEqual([[["hunter2-hunter2"]], [0]]);
});

test("a bug of a driver is told without its text and stops nothing", async () => {
  const { plant, take, within } = await rig([]);
  plant.unit("a").bug = new TypeError("secret of the driver");
  const result = await within(take(read("a")), 1_000);
  expect(result).toMatchObject({ kind: "refused", code: "internal.bug" });
  expect(JSON.stringify(result)).not.toContain("secret");
  expect(plant.open).toBe(0);
});

test("a network is searched few at a time; who runs already is asked over its own line", async () => {
  const { clock, plant, fleet, within } = await rig([fakeDevice(1, { settings: { host: "10.0.0.7" } })]);
  await clock.advance(2_000);
  for (let host = 1; host <= 254; host++)
    if (host !== 7 && host !== 20) plant.kill(`10.0.0.${host}`, "link.refused");
  plant.unit("10.0.0.20").fails = "device.timeout";
  let most = 0;
  const driverOf: typeof plant.driverOf = (kind) => {
    const driver = plant.driverOf(kind);
    const create: typeof driver.create = async (settings, deps) => {
      const session = await driver.create(settings, deps);
      const connect = async (signal: AbortSignal) => {
        most = Math.max(most, ++connecting);
        await clock.sleep(20).finally(() => connecting--);
        await session.connect(signal);
      };
      return {
        connect,
        close: session.close.bind(session),
        read: session.read.bind(session),
        counters: session.counters.bind(session),
      };
    };
    return {
      ...driver,
      create,
      scan: { host: "host", settings: {} },
      probe: () => ({ address: "a1", dataType: "float64" }),
    };
  };
  let connecting = 0;
  const desk = new FieldDesk({
    clock,
    fleet: { visit: (driver, settings) => fleet.visit(driver, settings), connections: () => [] },
    driverOf,
  });
  const body = { kind: "scan", driver: "fake", settings: {}, network: "10.0.0.0/24" };
  const result = await within(desk.take({ requestId: uuid(1), limitMs: 9_000, body }), 9_000);
  expect(result).toMatchObject({
    kind: "scan",
    asked: 254,
    found: [
      { host: "10.0.0.7", ok: true, shared: true },
      { host: "10.0.0.20", ok: false, cause: { code: "device.timeout" } },
    ],
  });
  expect([most, plant.overlaps, fleet.statuses()[0]?.linkState]).toEqual([16, 0, "up"]);
});
