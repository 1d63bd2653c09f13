import { expect, test } from "bun:test";
import { decodeSettings } from "@millrace/contract/driver/settings";
import type { AppError } from "@millrace/contract/error/app-error";
import { systemClock } from "@millrace/contract/std/clock";
import { QUALITY } from "@millrace/contract/vocabulary/quality";
import type { SessionDeps } from "../../driver/driver.ts";
import { modbus } from "./index.ts";
import { TcpLine } from "./line.ts";
import { MbapPort } from "./mbap.ts";
import { ModbusSimulator } from "./simulator.ts";

const signal = new AbortController().signal;

/** A simulator whose unit 1 holds 1000 + offset in each register, and a session connected to it. */
async function plant(over: Record<string, unknown> = {}) {
  const simulator = await ModbusSimulator.start(systemClock);
  const unit = simulator.unit(1);
  for (let at = 0; at < 500; at++) unit.holding[at] = 1_000 + at;
  const settings = decodeSettings(modbus, {
    host: "127.0.0.1",
    port: simulator.port,
    timeoutMs: 60,
    illegalRetryMs: 100,
    ...over,
  });
  const lost: AppError[] = [];
  const deps: SessionDeps = { clock: systemClock, onLost: (error) => lost.push(error) };
  const session = await modbus.create(settings, deps);
  await session.connect(signal);
  const points = (...texts: string[]) =>
    texts.map((text, id) => ({
      id,
      address: modbus.parseAddress(text, "uint16", settings),
      dataType: "uint16" as const,
    }));
  const row = (from: number, count: number) =>
    points(...Array.from({ length: count }, (_, at) => `holding:${from + at}`));
  const values = async (of: ReturnType<typeof points>) =>
    (await session.read(of, signal)).map(({ value, quality }) =>
      quality === QUALITY.good ? value : -quality,
    );
  const code = async (of: ReturnType<typeof points>) =>
    session.read(of, signal).then(
      () => "none",
      (error: unknown) => (error as AppError).code,
    );
  return {
    simulator,
    unit,
    session,
    deps,
    lost,
    points,
    row,
    values,
    code,
    async [Symbol.asyncDispose]() {
      await session.close();
      await simulator.close();
    },
  };
}

const ILLEGAL = -QUALITY["bad.addressIllegal"];

test("5a.1 a late answer is never taken for the next one", async () => {
  await using it = await plant();
  it.simulator.misdeeds.push({ do: "late", ms: 90 });
  expect(await it.code(it.points("holding:0"))).toBe("device.timeout");
  for (let at = 1; at < 30; at++) {
    expect(await it.values(it.points(`holding:${at}`))).toEqual([1_000 + at]);
    await systemClock.sleep(3);
  }
  expect([it.simulator.connections, it.lost]).toEqual([1, []]);
});

test("5a.2 without echoed ids each timeout takes a new connection, and answers still fit", async () => {
  await using it = await plant({ idsNotEchoed: true });
  it.simulator.idsEchoed = false;
  expect(await it.values(it.points("holding:3"))).toEqual([1_003]);
  it.simulator.misdeeds.push({ do: "late", ms: 75 });
  expect(await it.code(it.points("holding:4"))).toBe("device.timeout");
  expect(await it.values(it.points("holding:5"))).toEqual([1_005]);
  expect(it.simulator.connections).toBe(2);
  expect(it.lost).toEqual([]);
});

test("5a.2 a device that echoes no ids is silent to us unless the setting says so", async () => {
  await using it = await plant();
  it.simulator.idsEchoed = false;
  expect(await it.code(it.points("holding:3"))).toBe("device.timeout");
});

for (const over of [2, 3] as const) {
  test(`5a.4 a smaller limit told by exception ${over} is learnt once and shown`, async () => {
    await using it = await plant();
    it.unit.registersMax = 32;
    it.unit.overLimit = over;
    const row = it.row(0, 100);
    for (let round = 0; round < 4; round++) await it.session.read(row, signal);
    expect(await it.values(row)).toEqual(row.map((_, at) => 1_000 + at));
    it.simulator.requests.length = 0;
    await it.session.read(row, signal);
    expect(it.simulator.requests.map(({ count }) => count)).toEqual([32, 32, 32, 4]);
    expect(it.session.counters().learned.join()).toContain("32 registers in one request");
  });
}

test("5a.4 a smaller limit told by silence is learnt too", async () => {
  await using it = await plant({ timeoutMs: 30 });
  it.unit.registersMax = 32;
  it.unit.overLimit = "silent";
  const row = it.row(0, 100);
  for (let round = 0; round < 12; round++) await it.session.read(row, signal).catch(() => {});
  expect(await it.values(row)).toEqual(row.map((_, at) => 1_000 + at));
  expect(it.session.counters().learned.join()).toContain("does not answer more");
});

test("5a.5 one illegal address spoils only itself, and is asked again slowly", async () => {
  await using it = await plant();
  it.unit.illegal.add("holding:50");
  const row = it.row(0, 100);
  const expected = row.map((_, at) => (at === 50 ? ILLEGAL : 1_000 + at));
  for (let round = 0; round < 3; round++) await it.session.read(row, signal);
  expect(await it.values(row)).toEqual(expected);
  it.simulator.requests.length = 0;
  expect(await it.values(row)).toEqual(expected);
  expect(it.simulator.requests.length).toBeLessThanOrEqual(3);
  it.unit.illegal.clear();
  await systemClock.sleep(120);
  await it.session.read(row, signal);
  expect(await it.values(row)).toEqual(row.map((_, at) => 1_000 + at));
});

test("5a.5 a hole the device refuses is remembered, and no tag is spoilt", async () => {
  await using it = await plant();
  it.unit.illegal.add("holding:52");
  const points = it.points("holding:50", "holding:51", "holding:54", "holding:55");
  for (let round = 0; round < 2; round++) await it.session.read(points, signal);
  it.simulator.requests.length = 0;
  expect(await it.values(points)).toEqual([1_050, 1_051, 1_054, 1_055]);
  expect(it.simulator.requests).toHaveLength(2);
  expect(it.session.counters().learned.join()).toContain("cannot read across");
});

test("5a.6 a dead unit costs one timeout per call, says so steadily, and leaves the link up", async () => {
  await using it = await plant();
  it.simulator.unit(2).dead = true;
  const dead = it.points(...[0, 100, 200, 300].map((at) => `holding:${at} unit=2`));
  for (let round = 0; round < 6; round++) {
    it.simulator.requests.length = 0;
    expect(await it.code(dead)).toBe("device.timeout");
    expect(it.simulator.requests).toHaveLength(1);
    expect(await it.values(it.points("holding:1"))).toEqual([1_001]);
  }
  expect([it.simulator.connections, it.lost]).toEqual([1, []]);
});

test("5a.7 a session holds one request at a time: a slow device gets no second one", async () => {
  await using it = await plant({ timeoutMs: 2_000, gapMax: 0 });
  it.simulator.always = { do: "late", ms: 20 };
  const reading = it.values(it.points("holding:0", "holding:10", "holding:20"));
  await systemClock.sleep(10);
  expect(it.simulator.requests).toHaveLength(1);
  expect(await reading).toEqual([1_000, 1_010, 1_020]);
});

test("5a.8 connecting again leaves one socket, and the old one has nobody to call", async () => {
  await using it = await plant();
  for (let round = 0; round < 20; round++) await it.session.connect(signal);
  expect(await it.values(it.points("holding:1"))).toEqual([1_001]);
  expect([it.simulator.socketsOpen, it.lost]).toEqual([1, []]);
});

test("5a.11 an address of the other area is hinted at", async () => {
  await using it = await plant();
  it.unit.illegal.add("holding:7");
  expect(await it.values(it.points("holding:7"))).toEqual([ILLEGAL]);
  const fact = it.session.counters().learned.join();
  expect(fact).toContain("function 3");
  expect(fact).toContain("input 7 (function 4");
  expect(fact).toContain("is the area mixed up?");
});

test("5a.12 the gap between requests is kept", async () => {
  await using it = await plant({ requestGapMs: 30, gapMax: 0 });
  const startMs = systemClock.monoMs();
  await it.session.read(it.points("holding:0", "holding:10", "holding:20"), signal);
  // Timers may fire a millisecond early.
  expect(systemClock.monoMs() - startMs).toBeGreaterThanOrEqual(58);
});

test("5a.13 all units of one host and port share one connection", async () => {
  await using it = await plant();
  it.simulator.unit(2).holding[0] = 22;
  it.simulator.unit(3).holding[0] = 33;
  expect(await it.values(it.points("holding:0", "holding:0 unit=2", "holding:0 unit=3"))).toEqual([
    1_000, 22, 33,
  ]);
  expect(it.simulator.connections).toBe(1);
  const key = (over: object) => modbus.connectionKey(decodeSettings(modbus, { host: "PLC", ...over }));
  expect(key({ unit: 1 })).toBe(key({ unit: 2, host: "plc" }));
  expect(key({ port: 503 })).not.toBe(key({}));
});

test("5a.3 a late answer that gets between two pieces of ours is never taken for its values", async () => {
  await using it = await plant();
  let older: Uint8Array = new Uint8Array();
  it.simulator.misdeeds.push(
    {
      do: "raw",
      bytes: (_, answer) => {
        older = answer;
        return [];
      },
    },
    {
      do: "pieces",
      bytes: (answer) => [answer.subarray(0, 9), older, answer.subarray(9, 38), answer.subarray(38)],
    },
  );
  expect(await it.code(it.points("holding:300"))).toBe("device.timeout");
  expect(await it.code(it.row(0, 20))).toBe("link.garbled");

  // From now on it is known to answer in pieces: it is believed, but no line is read again after a timeout.
  await it.session.connect(signal);
  it.simulator.always = { do: "pieces", bytes: (answer) => [answer.subarray(0, 9), answer.subarray(9)] };
  it.simulator.misdeeds.push({ do: "silent" });
  const before = it.simulator.connections;
  expect(await it.code(it.points("holding:300"))).toBe("device.timeout");
  expect(await it.values(it.row(0, 3))).toEqual([1_000, 1_001, 1_002]);
  expect(it.simulator.connections).toBe(before + 1);
});

test("5a.3 after half an answer the next is asked for on another line", async () => {
  await using it = await plant();
  it.simulator.misdeeds.push({ do: "raw", bytes: (_, answer) => [answer.subarray(0, answer.length - 3)] });
  expect(await it.code(it.row(0, 20))).toBe("device.timeout");
  expect(await it.values(it.row(0, 2))).toEqual([1_000, 1_001]);
  expect([it.simulator.connections, it.lost]).toEqual([2, []]);
});

for (const [exception, code] of [
  [4, "device.failed"],
  [5, "device.busy"],
  [6, "device.busy"],
  [10, "device.unreachable"],
  [11, "device.unreachable"],
] as const) {
  test(`5a.14 exception ${exception} is ${code}, and the link stays`, async () => {
    await using it = await plant();
    it.unit.exception = exception;
    expect(await it.code(it.points("holding:0", "holding:100"))).toBe(code);
    it.unit.exception = null;
    expect(await it.values(it.points("holding:0"))).toEqual([1_000]);
    expect([it.simulator.connections, it.lost]).toEqual([1, []]);
  });
}

test("5a.15 a write that waits goes between two requests of a long read", async () => {
  await using it = await plant({ registersMax: 1 });
  const seen = () => it.simulator.requests.map(({ functionCode }) => functionCode);
  const [point] = it.points("holding:300");
  let asked = 0;
  it.deps.between = async () => {
    if (++asked === 3) await it.session.write!([{ ...point!, value: 7 }], signal);
  };
  expect(await it.values(it.row(0, 5))).toEqual([1_000, 1_001, 1_002, 1_003, 1_004]);
  expect(seen()).toEqual([3, 3, 6, 3, 3, 3]);
  expect(it.unit.holding[300]).toBe(7);
});

test("5a.15 functions 5 and 6 or 15 and 16 by setting, 22 for part of a register, and no other function", async () => {
  await using it = await plant({ writeBy: "multiple" });
  const [point] = it.points("holding:3");
  await it.session.write!([{ ...point!, value: 1 }], signal);
  expect(it.simulator.requests.map(({ functionCode }) => functionCode)).toEqual([16]);
  const port = new MbapPort(
    new TcpLine("127.0.0.1", 502),
    { answersInPieces: false },
    { onSent: () => {}, onGarbled: () => {}, onFailed: () => {}, onStray: () => {} },
    () => 0,
  );
  for (const other of [8, 20, 23, 43])
    expect(() => port.write(Buffer.from([1, other, 0, 0, 0, 1, 0, 0]))).toThrow("is not used here");
});

test("5a.15 an answer to another write than ours leaves a doubt", async () => {
  await using it = await plant();
  const [point] = it.points("holding:3");
  it.simulator.misdeeds.push({
    do: "raw",
    bytes: (_, answer) => [Buffer.from(answer).fill(0x55, answer.length - 2)],
  });
  const [outcome] = await it.session.write!([{ ...point!, value: 9 }], signal);
  expect(outcome).toMatchObject({ done: false, maybe: true, code: "link.garbled" });
  expect([it.unit.holding[3], it.simulator.writes.length]).toEqual([9, 1]);
});

test("5a.15 a device without the mask function says so, and its register is left alone", async () => {
  await using it = await plant();
  it.unit.missing.add("holding");
  const settings = decodeSettings(modbus, { host: "127.0.0.1", port: it.simulator.port });
  const bit = {
    id: 0,
    address: modbus.parseAddress("holding:3.1", "boolean", settings),
    dataType: "boolean",
  };
  const [outcome] = await it.session.write!([{ ...bit, dataType: "boolean", value: true }], signal);
  expect(outcome).toMatchObject({ done: false, maybe: false, code: "device.refused" });
  expect(it.simulator.writes).toEqual([]);
});
