import { expect, test } from "bun:test";
import { decodeSettings } from "@millrace/contract/driver/settings";
import { systemClock } from "@millrace/contract/std/clock";
import { QUALITY } from "@millrace/contract/vocabulary/quality";
import type { Point } from "../../driver/driver.ts";
import { modbus } from "./index.ts";
import { ModbusSimulator } from "./simulator.ts";

const signal = new AbortController().signal;

async function rig() {
  const device = await ModbusSimulator.start(systemClock);
  device.unit(1).holding.set([1, 2, 3, 4, 5, 6, 7, 8]);
  const settings = decodeSettings(modbus, { host: "127.0.0.1", port: device.port, timeoutMs: 500 });
  const session = await modbus.create(settings, { clock: systemClock, onLost: () => {} });
  await session.connect(signal);
  const pointsAt = (...offsets: number[]): Point<ReturnType<typeof modbus.parseAddress>>[] =>
    offsets.map((offset, id) => ({
      id,
      address: modbus.parseAddress(`holding:${offset}`, "uint16", settings),
      dataType: "uint16",
    }));
  return {
    device,
    session,
    pointsAt,
    async [Symbol.asyncDispose]() {
      await session.close();
      await device.close();
    },
  };
}

test("what a test is refused changes nothing in how the devices are read", async () => {
  await using r = await rig();
  const running = r.pointsAt(0, 1, 2, 3, 4, 5, 6, 7);
  await r.session.read(running, signal);
  const visit = r.session.visit!();
  r.device.always = { do: "exception", code: 2 };
  const refused = await visit.read(r.pointsAt(0, 1, 2, 3, 4, 5, 6, 7), signal);
  expect(refused.every(({ quality }) => quality === QUALITY["bad.addressIllegal"])).toBe(true);
  r.device.always = null;
  r.device.requests.length = 0;
  const readings = await r.session.read(running, signal);
  expect(readings.map(({ value }) => value)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  expect(r.device.requests.map(({ offset, count }) => [offset, count])).toEqual([[0, 8]]);
  expect(r.session.counters().learned).toEqual([]);
});

test("what the devices were refused is asked anew by a test: somebody has changed the device and looks now", async () => {
  await using r = await rig();
  r.device.unit(1).illegal.add("holding:3");
  const running = r.pointsAt(3);
  await r.session.read(running, signal);
  r.device.unit(1).illegal.clear();
  expect((await r.session.read(running, signal))[0]).toMatchObject({
    quality: QUALITY["bad.addressIllegal"],
  });
  expect((await r.session.visit!().read(r.pointsAt(3), signal))[0]).toMatchObject({ value: 4 });
});

test("requests are counted by what the test has learnt, and planned without a link", async () => {
  await using r = await rig();
  const visit = r.session.visit!();
  const wide = r.pointsAt(...Array.from({ length: 100 }, (_, at) => at));
  expect(visit.requestsFor!(wide)).toBe(1);
  r.device.unit(1).registersMax = 40;
  await visit.read(wide, signal);
  expect(visit.requestsFor!(wide)).toBe(3);
  const { length } = r.device.requests;
  await visit.read(wide, signal);
  expect(r.device.requests.length - length).toBe(3);
  await r.session.close();
  expect(r.session.visit!().requestsFor!(wide)).toBe(1);
});

test("a refusal is told with both notations, the function, and the other area when it answers", async () => {
  await using r = await rig();
  r.device.unit(1).illegal.add("holding:5");
  const visit = r.session.visit!();
  const [five, one] = r.pointsAt(5, 1);
  await visit.read([five!, { ...one!, id: 1 }], signal);
  expect(visit.explain!(five!)).toBe(
    "Unit 1 refuses holding 5 (function 3, offset 5, 40006); input 5 (function 4, offset 5, 30006) answers: is the area mixed up?",
  );
  expect(visit.explain!(one!)).toBeNull();
});
