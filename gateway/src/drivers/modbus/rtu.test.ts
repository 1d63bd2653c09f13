import { expect, test } from "bun:test";
import { decodeSettings } from "@millrace/contract/driver/settings";
import type { AppError } from "@millrace/contract/error/app-error";
import { systemClock } from "@millrace/contract/std/clock";
import { QUALITY } from "@millrace/contract/vocabulary/quality";
import type { DataType } from "@millrace/contract/vocabulary/value";
import { modbus } from "./index.ts";
import { withCrc } from "./question.ts";
import { SimulatedLine } from "./simulated-line.ts";
import { ModbusSimulator } from "./simulator.ts";

const signal = new AbortController().signal;

/** Unit 1 holds 1000 + offset in each register; the frames are those of a serial line. */
async function plant({ echoes = false, serial = false, ...over }: Record<string, unknown> = {}) {
  const simulator = await ModbusSimulator.start(systemClock, 0, "rtu");
  simulator.echoes = echoes === true;
  const unit = simulator.unit(1);
  for (let at = 0; at < 500; at++) unit.holding[at] = 1_000 + at;
  const line = serial === true ? await SimulatedLine.to(simulator.port) : null;
  const way =
    line === null
      ? { transport: "rtuOverTcp", host: "127.0.0.1", port: simulator.port }
      : { transport: "serial", serialPort: line.path, parity: "none", baudRate: 115_200 };
  const settings = decodeSettings(modbus, { ...way, timeoutMs: 200, illegalRetryMs: 100, ...over });
  const lost: AppError[] = [];
  const session = await modbus.create(settings, { clock: systemClock, onLost: (error) => lost.push(error) });
  await session.connect(signal);
  const pointsAs = (of: object, ...texts: string[]) =>
    texts.map((text, id) => {
      const dataType: DataType = /^(coil|discrete)/.test(text) ? "boolean" : "uint16";
      return { id, address: modbus.parseAddress(text, dataType, { ...settings, ...of }), dataType };
    });
  const points = (...texts: string[]) => pointsAs({}, ...texts);
  const values = async (...texts: string[]) =>
    (await session.read(points(...texts), signal)).map(({ value, quality }) =>
      quality === QUALITY.good ? value : -quality,
    );
  const code = (of: ReturnType<typeof points>) =>
    session.read(of, signal).then(
      () => "none",
      (error: unknown) => (error as AppError).code,
    );
  /** 1 for the right value, 0 where a busy machine let the answer be late; any other value is wrong. */
  const readsRightly = async (at: number) => {
    const [value] = await values(`holding:${at}`).catch((error: AppError) => [error.code]);
    if (value === "device.timeout") return 0;
    expect(value).toBe(1_000 + at);
    return 1;
  };
  const write = async (text: string, value: number) =>
    (await session.write!([{ ...points(text)[0]!, value }], signal))[0]!;
  return {
    simulator,
    unit,
    line,
    session,
    lost,
    points,
    pointsAs,
    values,
    readsRightly,
    code,
    write,
    async [Symbol.asyncDispose]() {
      await session.close();
      await line?.close();
      await simulator.close();
    },
  };
}

for (const serial of [false, true]) {
  const way = serial ? "a serial port" : "TCP";

  test(`an answer that comes late is never taken for the next one over ${way}`, async () => {
    await using it = await plant({ serial, timeoutMs: 40 });
    for (let round = 0; round < 3; round++) {
      it.simulator.misdeeds.push({ do: "late", ms: 60 });
      expect(await it.code(it.points("holding:0"))).toBe("device.timeout");
      let read = 0;
      for (let at = 1; at < 400 && read < 10; at++) {
        read += await it.readsRightly(at);
        await systemClock.sleep(3);
      }
      expect(read).toBe(10);
    }
    expect([it.simulator.connections, it.lost]).toEqual([1, []]);
  });

  test(`an adapter that hears itself is noticed over ${way}, and its echo confirms no write`, async () => {
    await using it = await plant({ serial, echoes: true, timeoutMs: 250 });
    expect(await it.write("holding:300", 7)).toEqual({ id: 0, done: true });
    expect(it.session.counters().learned.join()).toContain("hears its own sending");
    expect(await it.values("holding:300", "holding:2", "coil:768")).toEqual([7, 1_002, false]);
    it.unit.dead = true;
    expect(await it.write("holding:301", 8)).toMatchObject({ done: false, maybe: true });
    expect(it.simulator.writes.map(({ words }) => words)).toEqual([[7]]);
  });
}

test("an answer that comes to the line when it was opened anew is not taken for the next one", async () => {
  await using it = await plant({ serial: true, timeoutMs: 40 });
  for (let round = 0; round < 5; round++) {
    it.simulator.misdeeds.push({ do: "late", ms: 55 });
    expect(await it.code(it.points("holding:0"))).toBe("device.timeout");
    await it.session.connect(signal);
    let read = 0;
    for (let at = 1; at < 400 && read === 0; at++) read += await it.readsRightly(at);
    expect(read).toBe(1);
  }
});

test("a write that follows a silence is sent only when the unit answers again", async () => {
  await using it = await plant();
  await it.values("holding:1");
  it.unit.dead = true;
  expect(await it.write("holding:300", 7)).toMatchObject({ done: false, maybe: true });
  expect(await it.write("holding:300", 8)).toMatchObject({
    done: false,
    maybe: false,
    code: "device.timeout",
  });
  it.unit.dead = false;
  expect(await it.write("holding:300", 9)).toEqual({ id: 0, done: true });
  expect(it.simulator.writes.map(({ words }) => words)).toEqual([[9]]);
});

test("a device that refuses is understood after a silence too", async () => {
  await using it = await plant();
  it.unit.illegal.add("holding:5").add("holding:6");
  expect(await it.values("holding:0")).toEqual([1_000]);
  it.simulator.misdeeds.push({ do: "silent" });
  expect(await it.code(it.points("holding:5"))).toBe("device.timeout");
  expect(await it.values("holding:5")).toEqual([-QUALITY["bad.addressIllegal"]]);
  expect(await it.values("holding:7")).toEqual([1_007]);
});

test("noise before an answer is passed over; a bad checksum, another unit and another function are no answers", async () => {
  await using it = await plant({ timeoutMs: 400 });
  const rawly = (change: (answer: Buffer) => Uint8Array[]) =>
    it.simulator.misdeeds.push({ do: "raw", bytes: (_, answer) => change(answer) });
  rawly((answer) => [Buffer.concat([Buffer.from([0x00, 0x01, 0xff]), answer, Buffer.from([0])])]);
  expect(await it.values("holding:1")).toEqual([1_001]);
  const garbled = -QUALITY["bad.replyGarbled"];
  rawly((answer) => [Buffer.from(answer).fill(0x55, answer.length - 2)]);
  expect(await it.values("holding:2")).toEqual([garbled]);
  it.simulator.misdeeds.push({ do: "wrongUnit" });
  it.simulator.misdeeds.push({ do: "wrongFunction" });
  it.simulator.misdeeds.push({ do: "wrongByteCount" });
  for (let at = 0; at < 3; at++)
    expect(await it.values("holding:3").catch(() => [garbled])).toEqual([garbled]);
  expect(await it.values("holding:4")).toEqual([1_004]);
  it.simulator.misdeeds.push({ do: "drip" });
  expect(await it.values("holding:5")).toEqual([1_005]);
  expect([it.simulator.connections, it.lost]).toEqual([1, []]);
});

test("unit 0 is everybody: all take the write, none answers, and the line rests before the next request", async () => {
  await using it = await plant({ turnaroundMs: 40 });
  it.simulator.unit(2);
  const startMs = systemClock.monoMs();
  expect(await it.write("holding:300 unit=0", 5)).toEqual({ id: 0, done: true });
  expect(await it.values("holding:300", "holding:300 unit=2")).toEqual([5, 5]);
  expect(systemClock.monoMs() - startMs).toBeGreaterThanOrEqual(38);
  it.simulator.requests.length = 0;
  expect(await it.values("holding:1 unit=0")).toEqual([-QUALITY["bad.addressIllegal"]]);
  expect(it.simulator.requests).toEqual([]);
});

test("a dead unit costs one timeout a call, and its neighbours on the line are read", async () => {
  await using it = await plant({ serial: true });
  it.simulator.unit(2).dead = true;
  for (let round = 0; round < 3; round++) {
    it.simulator.requests.length = 0;
    expect(await it.code(it.points("holding:0 unit=2", "holding:100 unit=2"))).toBe("device.timeout");
    expect(it.simulator.requests).toHaveLength(1);
    expect(await it.values("holding:1", "holding:99")).toEqual([1_001, 1_099]);
  }
  it.simulator.unit(2).dead = false;
  expect(await it.values("holding:0 unit=2")).toEqual([0]);
});

test("an adapter that is pulled ends the link, and plugged in again it works", async () => {
  await using it = await plant({ serial: true });
  expect(await it.values("holding:1")).toEqual([1_001]);
  it.line!.unplug();
  for (let wait = 0; wait < 500 && it.lost.length === 0; wait++) await systemClock.sleep(2);
  expect(it.lost.map(({ code }) => code)).toEqual(["link.lost"]);
  const absent = await it.session.connect(signal).catch((error: AppError) => error);
  expect(absent).toMatchObject({ code: "link.unreachable" });
  expect((absent as AppError).message).toContain("is the adapter plugged in?");
  it.line!.plug();
  await it.session.connect(signal);
  expect(await it.values("holding:2")).toEqual([1_002]);
});

test("opening and closing a port many times leaves no handle behind", async () => {
  await using it = await plant({ serial: true });
  for (let round = 0; round < 20; round++) await it.session.connect(signal);
  expect(await it.values("holding:1")).toEqual([1_001]);
  expect(it.line!.opened()).toBe(1);
  await it.session.close();
  expect(it.line!.opened()).toBe(0);
});

test("one line has one master, one speed, and is a serial port", async () => {
  await using it = await plant({ serial: true });
  const other = async (over: object) => {
    const settings = decodeSettings(modbus, {
      transport: "serial",
      serialPort: it.line!.path,
      parity: "none",
      ...over,
    });
    const session = await modbus.create(settings, { clock: systemClock, onLost: () => {} });
    const error = await session.connect(signal).catch((thrown: AppError) => thrown);
    await session.close();
    return error;
  };
  expect(await other({})).toMatchObject({ code: "link.refused" });
  expect(await other({ serialPort: "/dev/null" })).toMatchObject({ code: "link.refused" });
  expect(await other({ serialPort: import.meta.path })).toMatchObject({ code: "link.refused" });
  const faster = it.pointsAs({ baudRate: 9_600 }, "holding:1");
  expect(await it.code(faster)).toBe("setting.wrong");
  expect(await it.values("holding:1")).toEqual([1_001]);
  const key = (over: object) => modbus.connectionKey(decodeSettings(modbus, over));
  const line = { transport: "serial", serialPort: "/dev/ttyS0" };
  expect(key({ ...line, unit: 1 })).toBe(key({ ...line, unit: 2, baudRate: 9_600 }));
  expect(key({ host: "plc" })).not.toBe(key({ host: "plc", transport: "rtuOverTcp" }));
});

test("a line that babbles without end is given up, and no value comes of it", async () => {
  await using it = await plant({ timeoutMs: 5_000 });
  it.simulator.misdeeds.push({
    do: "raw",
    bytes: () => [withCrc(Buffer.alloc(1_000, 3)), Buffer.alloc(70_000, 0xff)],
  });
  expect(await it.code(it.points("holding:1"))).toBe("link.garbled");
  await it.session.connect(signal);
  expect(await it.values("holding:1")).toEqual([1_001]);
});
