import { expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "@millrace/contract/std/clock";
import type { ManifestDevice } from "@millrace/contract/wire/manifest";
import { deviceOf, heard, tagOf } from "../../test/edge-rig.ts";
import { FakeSink } from "../../test/fake-plant.ts";
import { NO_HOLDS } from "../../test/no-holds.ts";
import { Mosquitto } from "../../test/peers/mosquitto.ts";
import { MosquittoEar } from "../../test/peers/mosquitto-ear.ts";
import { until } from "../driver/conformance.ts";
import { keepInMemory } from "../driver/keep.ts";
import { ModbusSimulator } from "../drivers/modbus/simulator.ts";
import { Fleet } from "../supervisor/fleet.ts";
import { Sparkplug } from "./open.ts";

/** The gateway's part as a whole: a Modbus device, the fleet, the edge node, Mosquitto. */

const NODE = { groupId: "Plant", edgeNodeId: "GW 1" };

/** A gateway with one Modbus device and a data folder, as it starts. */
async function started(folder: string, port: number, keep: ReturnType<typeof keepInMemory>) {
  const plc = await ModbusSimulator.start(systemClock);
  plc.unit(1).holding.set([40, 7]);
  const sparkplug = new Sparkplug({
    folder,
    clock: systemClock,
    random: () => 0.5,
    keep,
    software: "test 1",
    fleet: (): Fleet => fleet,
    holds: NO_HOLDS,
    permit: { lockedOut: () => false, armedBy: () => null, needsArming: false },
    report: () => undefined,
  });
  const sink = sparkplug.sink(new FakeSink(systemClock));
  const fleet = new Fleet({ clock: systemClock, random: () => 0.5, sink });
  const press: ManifestDevice = {
    ...deviceOf(1, "Press", [{ ...tagOf(1, "Speed", "uint16"), address: "holding:0", scanMs: 100 }]),
    settings: { host: "127.0.0.1", port: plc.port, timeoutMs: 500 },
  };
  const settings = { broker: `mqtt://127.0.0.1:${port}` };
  return {
    ...{ plc, sparkplug, fleet, press, settings },
    async run(devices: ManifestDevice[]) {
      await fleet.apply({ rev: 1, devices });
      await sparkplug.apply({ ...NODE, settings }, devices);
    },
    async stop() {
      await sparkplug.stop();
      await fleet.stop();
      await plc.close();
    },
  };
}

test("by its manifest the gateway tells a real device's values, tells them anew when it changes, and ends in order", async () => {
  await using broker = await Mosquitto.start();
  await using ear = await MosquittoEar.at(broker);
  const folder = await mkdtemp(join(tmpdir(), "millrace-sparkplug-"));
  const keep = keepInMemory();
  const { plc, sparkplug, press, run, stop } = await started(folder, broker.port, keep);
  const oven = { ...press, ...deviceOf(2, "Oven", []), settings: press.settings };
  const kinds = () => ear.heard.map(({ topic }) => topic.split("/").slice(2).join("/"));
  const speeds = () =>
    ear.heard.flatMap(({ topic, payload }) =>
      heard(topic, payload).metrics.filter(({ alias }) => alias === 17),
    );
  expect(sparkplug.status()).toBeNull();
  await run([press]);
  await until(() => kinds().includes("DBIRTH/GW 1/Press"));
  plc.unit(1).holding.set([41]);
  await until(() => speeds().some(({ value }) => value === 41));
  expect(sparkplug.status()).toMatchObject({ state: "online", births: 1, devicesOnline: 1, ...NODE });
  await run([press]);
  expect(sparkplug.status()?.births).toBe(1);
  await run([press, oven]);
  await until(() => kinds().filter((kind) => kind === "NBIRTH/GW 1").length === 2);
  expect(kinds()).toContain("NDEATH/GW 1");
  await sparkplug.apply({ ...NODE, settings: { broker: "nowhere" } }, []);
  expect(sparkplug.status()).toMatchObject({ state: "stopped", code: "setting.wrong" });
  await run([press]);
  await until(() => sparkplug.status()?.state === "online");
  expect((await keep.read("sparkplug-bdseq"))?.trim()).toBe("2");
  await sparkplug.apply(undefined, [press]);
  expect(sparkplug.status()).toBeNull();
  await stop();
  await rm(folder, { recursive: true, force: true });
}, 30_000);

test("what nobody heard and the number of the last CONNECT outlive a restart", async () => {
  await using broker = await Mosquitto.start();
  const folder = await mkdtemp(join(tmpdir(), "millrace-sparkplug-"));
  const keep = keepInMemory();
  const first = await started(folder, broker.port, keep);
  await first.run([first.press]);
  await until(() => first.sparkplug.status()?.state === "online");
  await broker.kill();
  await until(() => first.sparkplug.status()?.state === "connecting");
  for (const value of [51, 52, 53]) {
    first.plc.unit(1).holding.set([value]);
    await until(() => first.fleet.devices()[0]?.columns.view(0).value === value);
  }
  await first.stop();
  await broker.up();
  await using ear = await MosquittoEar.at(broker);
  const second = await started(folder, broker.port, keep);
  await second.run([second.press]);
  const told = () => ear.heard.flatMap(({ topic, payload }) => heard(topic, payload).metrics);
  await until(() => told().some(({ isHistorical, value }) => isHistorical === true && value === 53));
  const values = told().flatMap(({ isHistorical, value }) => (isHistorical === true ? [value] : []));
  expect(values.slice(-3)).toEqual([51, 52, 53]);
  expect(told().find(({ name }) => name === "bdSeq")?.value).toBe(1);
  await second.stop();
  await rm(folder, { recursive: true, force: true });
}, 30_000);
