import { expect, test } from "bun:test";
import { systemClock } from "@millrace/contract/std/clock";
import { hubKey, writable, writeRig } from "../../../test/write-rig.ts";
import { until } from "../../driver/conformance.ts";
import { SimulatedLine } from "./simulated-line.ts";
import { ModbusSimulator } from "./simulator.ts";

/** The gateway's own supervision over one serial line: several devices, one of them dead, and commands for another. */

const key = hubKey();

async function line() {
  const simulator = await ModbusSimulator.start(systemClock, 0, "rtu");
  const port = await SimulatedLine.to(simulator.port);
  const devices = [1, 2, 3].map((unit) => ({
    deviceId: `01938f5e-7c1a-7b2e-9d30-0000000000c${unit}`,
    name: `Meter ${unit}`,
    path: `plant/meter-${unit}`,
    driver: "modbus",
    settings: {
      transport: "serial",
      serialPort: port.path,
      baudRate: 115_200,
      parity: "none",
      unit,
      timeoutMs: 250,
    },
    tags: [writable(unit, { address: "holding:0", scanMs: 100, write: { min: 0, max: 1_000 } })],
  }));
  for (const { settings } of devices) simulator.unit(settings.unit).holding[0] = settings.unit;
  simulator.unit(2).dead = true;
  const rig = await writeRig({ devices, key });
  const stateOf = (unit: number) => rig.fleet.statuses()[unit - 1]!;
  return {
    ...rig,
    simulator,
    port,
    stateOf,
    asked: (unit: number) => simulator.requests.filter((request) => request.unit === unit).length,
    async [Symbol.asyncDispose]() {
      await rig[Symbol.asyncDispose]();
      await port.close();
      await simulator.close();
    },
  };
}

test("a dead unit leaves the line to its neighbours, whose commands are done meanwhile", async () => {
  await using it = await line();
  await until(() => it.asked(1) >= 3 && it.asked(2) >= 3);
  expect(it.simulator.connections).toBe(1);
  expect(await it.write(3, 9, 3)).toMatchObject({ outcome: "done", before: 3, after: 9 });
  expect(it.simulator.writes).toEqual([{ unit: 3, area: "holding", offset: 0, words: [9] }]);
  const [alive, dead] = [it.asked(1), it.asked(2)];
  await until(() => it.asked(1) >= alive + 5);
  // The breaker: a unit that stays silent is asked now and then, and not with every cycle of the others.
  expect(it.asked(2) - dead).toBeLessThan(5);
}, 20_000);

test("an adapter that was pulled is found again by itself, and read", async () => {
  await using it = await line();
  await until(() => it.asked(1) >= 2);
  it.port.unplug();
  await until(() => it.stateOf(1).linkState !== "up");
  const before = it.asked(1);
  it.port.plug();
  await until(() => it.asked(1) >= before + 2 && it.stateOf(1).linkState === "up");
}, 20_000);
