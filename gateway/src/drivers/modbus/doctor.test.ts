import { expect, setDefaultTimeout, test } from "bun:test";
import { systemClock } from "@millrace/contract/std/clock";
import { doctorRig, fastClock, patient } from "../../../test/doctor-rig.ts";
import { SimulatedLine } from "./simulated-line.ts";
import { ModbusSimulator } from "./simulator.ts";

// Wrong settings and broken lines on a real socket: the doctor must name the cause, and name it first.
setDefaultTimeout(30_000);

async function plant(units: readonly number[]) {
  const simulator = await ModbusSimulator.start(systemClock);
  for (const unit of units) simulator.unit(unit);
  const device = (unit: number, more: object = {}, addresses = ["holding:0", "holding:1"]) =>
    patient("modbus", { host: "127.0.0.1", port: simulator.port, unit, timeoutMs: 100, ...more }, addresses);
  return { simulator, device };
}

test.concurrent("a unit that is off, or has another number, while its neighbours answer", async () => {
  const { simulator, device } = await plant([1, 2]);
  await using _ = simulator;
  await using rig = await doctorRig([device(1), device(7), device(2)]);
  const found = await rig.finding("unit.silent");
  expect(found).toMatchObject({ level: "fault", setting: "unit", units: [7] });
  expect(found.words).toMatch(
    /^Unit 7 answers none of \d+ requests while others on this line do: .*powered.*its unit number 7\? Until then the gateway asks it every 30 s\.$/,
  );
  const [one, , seven] = rig.first().units;
  expect(one!.answers).toBeGreaterThan(0);
  expect(seven).toMatchObject({ unit: 7, answers: 0, p95Ms: null });
  expect(seven!.retries).toBe(seven!.requests - 1);
});

test.concurrent("a line on which nobody answers", async () => {
  const { simulator, device } = await plant([]);
  await using _ = simulator;
  await using rig = await doctorRig([device(5)]);
  const found = await rig.finding("line.silent");
  expect(found).toMatchObject({ level: "fault", setting: "unit", units: [5] });
  expect(found.words).toContain("asks it every 5 s");
});

test.concurrent("a timeout that is too short for the device, by the answers that come after it", async () => {
  const { simulator, device } = await plant([1]);
  await using _ = simulator;
  simulator.always = { do: "late", ms: 160 };
  await using rig = await doctorRig([device(1)]);
  const found = await rig.finding("timeout.tight");
  expect(found).toMatchObject({ level: "fault", setting: "timeoutMs", units: [1] });
  expect(found.words).toMatch(
    /timeout of 100 ms; \d+ came after it was given up, the slowest after 1[6-9]\d ms|2\d\d ms/,
  );
  expect(found.words).toMatch(/raise `timeoutMs` to (300|500)\.$/);
});

test.concurrent("answers that come just in time are a warning before the first is lost", async () => {
  const { simulator, device } = await plant([1]);
  await using _ = simulator;
  simulator.always = { do: "late", ms: 85 };
  // Ten times the time, so that twenty answers of 850 ms and more are here in two seconds.
  await using rig = await doctorRig([device(1, { timeoutMs: 1_000 })], fastClock(10));
  const found = await rig.finding("timeout.tight");
  expect(found).toMatchObject({ level: "warn", setting: "timeoutMs" });
  expect(found.words).toMatch(
    /take (8|9)\d\d ms at p95 with a timeout of 1000 ms.*: raise `timeoutMs` to \d+\.$/,
  );
});

test.concurrent("a converter that does not repeat our ids; with the switch on it is well", async () => {
  const { simulator, device } = await plant([1]);
  await using _ = simulator;
  simulator.idsEchoed = false;
  await using rig = await doctorRig([device(1)]);
  const found = await rig.finding("ids.notEchoed");
  expect(found).toMatchObject({ level: "fault", setting: "idsNotEchoed" });
  await using cured = await doctorRig([device(1, { idsNotEchoed: true })]);
  while ((cured.first().units[0]?.answers ?? 0) < 5) await systemClock.sleep(20);
  expect(cured.first().findings).toEqual([]);
});

test.concurrent("answers of another unit never become values and are counted as what they are", async () => {
  const { simulator, device } = await plant([1]);
  await using _ = simulator;
  simulator.always = { do: "wrongUnit" };
  await using rig = await doctorRig([device(1)]);
  const found = await rig.finding("answers.garbled");
  expect(found).toMatchObject({ level: "fault", setting: "requestGapMs", units: [1] });
});

test.concurrent("a cable that loses requests is no slow device", async () => {
  const { simulator, device } = await plant([1]);
  await using _ = simulator;
  const drop = () => {
    if (simulator.misdeeds.length === 0 && simulator.requests.length % 4 === 3)
      simulator.misdeeds.push({ do: "silent" });
  };
  const timer = setInterval(drop, 5);
  try {
    await using rig = await doctorRig([device(1)]);
    const found = await rig.finding("line.lossy");
    expect(found).toMatchObject({ setting: "requestGapMs", units: [1] });
    expect(found.words).toContain("Not slowness");
  } finally {
    clearInterval(timer);
  }
});

test.concurrent("an address the device refuses is named, and so is its twin in the other area", async () => {
  const { simulator, device } = await plant([1]);
  await using _ = simulator;
  simulator.unit(1).illegal.add("holding:104");
  await using rig = await doctorRig([device(1, { illegalRetryMs: 100 }, ["holding:100", "holding:104"])]);
  const found = await rig.finding("address.illegal");
  expect(found).toMatchObject({ level: "warn", units: [1] });
  expect(found.words).toMatch(/^Unit 1 refuses holding 104 .*input 104 .*is the area mixed up\?/);
  expect(rig.first().units[0]!.exceptions[0]).toMatchObject({ code: "2" });
});

test.concurrent.each([
  [6, "device.busy", "requestGapMs", /busy/],
  [4, "device.failed", "", /failure of its own/],
  [11, "unit.away", "unit", /converter says that unit 1 is away/],
] as const)("exception %d is %s", async (exception, kind, setting, words) => {
  const { simulator, device } = await plant([1]);
  await using _ = simulator;
  simulator.unit(1).exception = exception;
  await using rig = await doctorRig([device(1)]);
  const found = await rig.finding(kind);
  expect(found.setting).toBe(setting);
  expect(found.words).toMatch(words);
});

test.concurrent("a line too slow for its scan says so with the share of its time", async () => {
  const { simulator, device } = await plant([1, 2, 3]);
  await using _ = simulator;
  simulator.always = { do: "late", ms: 3 };
  // Twenty times the time: 3 ms of the device are 60 ms or more of the line, three devices want one each 50 ms.
  const devices = [1, 2, 3].map((unit) => {
    const one = device(unit, { timeoutMs: 2_000 });
    return { ...one, tags: one.tags.map((tag) => ({ ...tag, scanMs: 50 })) };
  });
  await using rig = await doctorRig(devices, fastClock(20));
  const found = await rig.finding("bus.full");
  expect(found).toMatchObject({ level: "fault", setting: "scanMs" });
  expect(found.words).toMatch(
    /^Bus time (\d{2}|100) %: the scan of 50 ms cannot be held, \d+ % of the cycles are missed/,
  );
});

test.concurrent("who waits for a dead unit has no time for the living: that is the cause, not the plan", async () => {
  const { simulator, device } = await plant([1]);
  await using _ = simulator;
  await using rig = await doctorRig([device(1), device(9, { timeoutMs: 20_000 })], fastClock(20));
  await rig.finding("unit.silent");
  while (rig.report().connections[0]!.findings.length < 2) await systemClock.sleep(20);
  const [, second] = rig.first().findings;
  expect(second).toMatchObject({ kind: "bus.waiting", setting: "timeoutMs", units: [9] });
});

test.concurrent("a port where nobody listens, and a link that comes and goes", async () => {
  const { simulator, device } = await plant([1]);
  const port = simulator.port;
  await using rig = await doctorRig([device(1)]);
  for (let cut = 0; cut < 3; cut++) {
    while (rig.first().units.length === 0 || simulator.socketsOpen === 0) await systemClock.sleep(5);
    const answers = rig.first().units[0]!.answers;
    while (rig.first().units[0]!.answers === answers) await systemClock.sleep(5);
    simulator.cut();
    while (simulator.socketsOpen > 0) await systemClock.sleep(5);
  }
  const flaps = await rig.finding("connection.flaps");
  expect(flaps.words).toContain("lost 3 times");
  await simulator.close();
  while (rig.first().code !== "link.refused") await systemClock.sleep(20);
  const found = await rig.finding("link.down");
  expect(found).toMatchObject({ level: "fault", setting: "port" });
  expect(found.words).toContain(`127.0.0.1:${port}`);
});

async function serialPlant(over: object = {}, unitNumbers: readonly number[] = [1]) {
  const simulator = await ModbusSimulator.start(systemClock, 0, "rtu");
  for (const unit of unitNumbers) simulator.unit(unit);
  const line = await SimulatedLine.to(simulator.port);
  const settings = { transport: "serial", serialPort: line.path, parity: "none", baudRate: 115_200, ...over };
  const device = (unit: number, more: object = {}) =>
    patient("modbus", { timeoutMs: 100, ...settings, unit, ...more }, ["holding:0"]);
  const converter = { transport: "rtuOverTcp", host: "127.0.0.1", port: simulator.port };
  const behind = (unit: number) => patient("modbus", { timeoutMs: 100, ...converter, unit }, ["holding:0"]);
  return {
    simulator,
    device,
    behind,
    [Symbol.asyncDispose]: async () => {
      await line.close();
      await simulator.close();
    },
  };
}

test.concurrent("a serial line without a byte: power, wires, speed; behind a converter also the transport", async () => {
  await using plant = await serialPlant({}, []);
  await using rig = await doctorRig([plant.device(5)]);
  const found = await rig.finding("serial.silent");
  expect(found).toMatchObject({ level: "fault", setting: "baudRate", units: [5] });
  expect(found.words).toMatch(/wires A and B .*115200 bits\/s, parity none, 1 stop bit\)/);
  expect(rig.first().findings.map(({ kind }) => kind)).not.toContain("line.silent");
  await using other = await doctorRig([plant.behind(5)]);
  expect(await other.finding("serial.silent")).toMatchObject({ level: "fault", setting: "transport" });
});

test.concurrent("bytes without one good checksum: the speed is another", async () => {
  await using plant = await serialPlant();
  plant.simulator.always = {
    do: "raw",
    bytes: (_, answer) => [Buffer.from(answer.map((byte) => byte ^ 0x55))],
  };
  await using rig = await doctorRig([plant.device(1)]);
  const found = await rig.finding("serial.unreadable");
  expect(found).toMatchObject({ level: "fault", setting: "baudRate", units: [1] });
  expect(found.words).toContain("115200 bits/s");
  expect(rig.first().findings.map(({ kind }) => kind)).not.toContain("answers.garbled");
});

test.concurrent("broken answers of one unit among good ones are about its part of the cable", async () => {
  await using plant = await serialPlant({}, [1, 2]);
  let no = 0;
  plant.simulator.always = {
    do: "raw",
    bytes: (_, answer) => {
      const broken = answer[0] === 2 && no++ % 2 === 1;
      return [broken ? Buffer.from([...answer.subarray(0, -1), answer.at(-1)! ^ 1]) : answer];
    },
  };
  await using rig = await doctorRig([plant.device(1), plant.device(2)]);
  const found = await rig.finding("serial.noisy");
  expect(found).toMatchObject({ level: "fault", setting: "", units: [2] });
  expect(found.words).toContain("Unit 2 only, of 2");
});

test.concurrent("late answers of a serial line are told apart, also those that come while nothing is asked", async () => {
  await using plant = await serialPlant();
  plant.simulator.always = { do: "late", ms: 160 };
  await using rig = await doctorRig([plant.device(1)]);
  const found = await rig.finding("timeout.tight");
  expect(found).toMatchObject({ level: "fault", setting: "timeoutMs", units: [1] });
});
