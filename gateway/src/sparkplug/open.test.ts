import { expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "@millrace/contract/std/clock";
import type { ManifestDevice } from "@millrace/contract/wire/manifest";
import { deviceOf, heard, tagOf } from "../../test/edge-rig.ts";
import { FakeSink } from "../../test/fake-plant.ts";
import { Mosquitto } from "../../test/peers/mosquitto.ts";
import { MosquittoEar } from "../../test/peers/mosquitto-ear.ts";
import { until } from "../driver/conformance.ts";
import { keepInMemory } from "../driver/keep.ts";
import { ModbusSimulator } from "../drivers/modbus/simulator.ts";
import { Fleet } from "../supervisor/fleet.ts";
import { Sparkplug } from "./open.ts";

/** The gateway's part as a whole: a Modbus device, the fleet, the edge node, Mosquitto. */

test("by its manifest the gateway tells a real device's values, tells them anew when it changes, and ends in order", async () => {
  await using broker = await Mosquitto.start();
  await using ear = MosquittoEar.at(broker.port);
  const plc = await ModbusSimulator.start(systemClock);
  plc.unit(1).holding.set([40, 7]);
  const folder = await mkdtemp(join(tmpdir(), "millrace-sparkplug-"));
  const keep = keepInMemory();
  const sparkplug = new Sparkplug({
    folder,
    clock: systemClock,
    random: () => 0.5,
    keep,
    software: "test 1",
    fleet: (): Fleet => fleet,
    permit: { lockedOut: () => false, armedBy: () => null, needsArming: false },
    report: () => undefined,
  });
  const fleet = new Fleet({
    clock: systemClock,
    random: () => 0.5,
    sink: sparkplug.sink(new FakeSink(systemClock)),
  });
  const press: ManifestDevice = {
    ...deviceOf(1, "Press", [{ ...tagOf(1, "Speed", "uint16"), address: "holding:0", scanMs: 100 }]),
    settings: { host: "127.0.0.1", port: plc.port, timeoutMs: 500 },
  };
  const oven = { ...press, ...deviceOf(2, "Oven", []), settings: press.settings };
  const settings = { broker: `mqtt://127.0.0.1:${broker.port}` };
  const node = { groupId: "Plant", edgeNodeId: "GW 1" };
  const run = async (devices: ManifestDevice[]) => {
    await fleet.apply({ rev: 1, devices });
    await sparkplug.apply({ ...node, settings }, devices);
  };
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
  expect(sparkplug.status()).toMatchObject({ state: "online", births: 1, devicesOnline: 1, ...node });
  await run([press]);
  expect(sparkplug.status()?.births).toBe(1);
  await run([press, oven]);
  await until(() => kinds().filter((kind) => kind === "NBIRTH/GW 1").length === 2);
  expect(kinds()).toContain("NDEATH/GW 1");
  await sparkplug.apply({ ...node, settings: { broker: "nowhere" } }, []);
  expect(sparkplug.status()).toMatchObject({ state: "stopped", code: "setting.wrong" });
  await run([press]);
  await until(() => sparkplug.status()?.state === "online");
  expect((await keep.read("sparkplug-bdseq"))?.trim()).toBe("2");
  await sparkplug.apply(undefined, [press]);
  expect(sparkplug.status()).toBeNull();
  await sparkplug.stop();
  await fleet.stop();
  await plc.close();
  await rm(folder, { recursive: true, force: true });
}, 30_000);
