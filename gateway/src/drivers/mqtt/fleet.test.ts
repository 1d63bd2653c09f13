import { expect, setDefaultTimeout, test } from "bun:test";
import { systemClock } from "@millrace/contract/std/clock";
import { QUALITY } from "@millrace/contract/vocabulary/quality";
import type { ManifestDevice } from "@millrace/contract/wire/manifest";
import { fleetRig, until } from "../../../test/fleet-rig.ts";
import { Mosquitto } from "../../../test/peers/mosquitto.ts";
import { Line } from "../../driver/cuttable-line.ts";
import { ModbusSimulator } from "../modbus/simulator.ts";

// The whole way of a message: Mosquitto, session, supervisor, scan, sample. What is promised: back within 10 s.
setDefaultTimeout(40_000);
const BACK_MS_MAX = 10_000;

/** Sends messages until one arrived. How long that took, ms. */
async function flow(broker: Mosquitto, arrived: () => boolean, payload = "1"): Promise<number> {
  const startMs = systemClock.monoMs();
  while (!arrived()) {
    if (systemClock.monoMs() - startMs > 15_000) throw new Error("waited in vain");
    await broker.publish("t", payload);
    await systemClock.sleep(40);
  }
  return systemClock.monoMs() - startMs;
}

const device = (no: number, driver: string, settings: object, address: string, dataType = "float64") =>
  ({
    deviceId: `0198c0de-0000-7000-8000-00000000000${no}`,
    name: `Device ${no}`,
    path: `Plant/Device ${no}`,
    driver,
    settings,
    tags: [
      {
        tagNo: no,
        name: "value",
        path: `Plant/Device ${no}/value`,
        address,
        dataType,
        unit: "",
        scanMs: 100,
        heartbeatMs: 1_000,
        deadband: 0,
      },
    ],
  }) as ManifestDevice;

const mqttDevice = (port: number, no = 1, more: object = {}) =>
  device(
    no,
    "mqtt",
    { broker: `mqtt://127.0.0.1:${port}`, keepAliveMs: 1_000, timeoutMs: 1_000, ...more },
    "t",
  );

test("killed, started anew and frozen: values are gone in time and back within 10 s, and a neighbour keeps its interval", async () => {
  await using broker = await Mosquitto.start();
  const plc = await ModbusSimulator.start(systemClock);
  plc.unit(1).holding[0] = 7;
  await using it = fleetRig();
  const modbus = device(2, "modbus", { host: "127.0.0.1", port: plc.port }, "holding:0", "uint16");
  await it.fleet.apply({ rev: 1, devices: [mqttDevice(broker.port), modbus] });
  const flows = () => flow(broker, () => it.newest(1)?.quality === QUALITY.good);
  await flows();
  const cyclesAt = () => it.fleet.statuses()[1]!.cycles;
  const [beganMonoMs, beganCycles] = [systemClock.monoMs(), cyclesAt()];

  await broker.kill();
  await until(() => it.newest(1)?.value === null);
  await broker.up();
  expect(await flows()).toBeLessThan(BACK_MS_MAX);

  broker.signal("SIGSTOP");
  expect(await until(() => it.newest(1)?.value === null)).toBeLessThan(BACK_MS_MAX);
  broker.signal("SIGCONT");
  expect(await flows()).toBeLessThan(BACK_MS_MAX);

  const cycles = cyclesAt() - beganCycles;
  expect(cycles).toBeGreaterThan(((systemClock.monoMs() - beganMonoMs) / 100) * 0.8);
  expect(it.fleet.statuses()[1]!.cyclesMissed).toBeLessThan(cycles * 0.1);
  await it.fleet.stop();
  await plc.close();
});

test("a broker that moved to another machine behind its address is found again within 10 s", async () => {
  await using first = await Mosquitto.start();
  await using second = await Mosquitto.start();
  const line = await Line.to(first.port);
  await using it = fleetRig();
  await it.fleet.apply({ rev: 1, devices: [mqttDevice(line.port)] });
  await flow(first, () => it.newest(1)?.value === 1, "1");
  line.target = second.port;
  line.cut();
  const tookMs = await flow(second, () => it.newest(1)?.value === 2, "2");
  expect(tookMs).toBeLessThan(BACK_MS_MAX);
  await it.fleet.stop();
  await line.close();
});

test("a half-open link, where nothing comes back and nobody says goodbye, is no green light", async () => {
  await using broker = await Mosquitto.start();
  const line = await Line.to(broker.port);
  await using it = fleetRig();
  await it.fleet.apply({ rev: 1, devices: [mqttDevice(line.port)] });
  await flow(broker, () => it.newest(1)?.value === 1, "1");
  line.silence(true);
  await until(() => it.newest(1)?.value === null);
  expect(it.fleet.statuses()[0]!.linkState).not.toBe("up");
  line.silence(false);
  await flow(broker, () => it.newest(1)?.value === 2, "2");
  await it.fleet.stop();
  await line.close();
});

test("a wrong password, a wrong authority and a topic that is refused are told apart", async () => {
  await using broker = await Mosquitto.start({
    config: ["allow_anonymous false", "password_file %d/passwords", "acl_file %d/access"],
    files: { passwords: "", access: "user mill\ntopic read allowed/#\n" },
  });
  Bun.spawnSync(["mosquitto_passwd", "-b", `${broker.folder}/passwords`, "mill", "right"]);
  await broker.kill();
  await broker.up();
  await using it = fleetRig();
  const wrong = mqttDevice(broker.port, 1, { user: "mill", password: "not-this-one" });
  await it.fleet.apply({ rev: 1, devices: [wrong] });
  await until(() => it.newest(1)?.quality === QUALITY["bad.linkRefused"]);
  expect(it.fleet.statuses()[0]).toMatchObject({ code: "link.denied" });
  expect(it.fleet.statuses()[0]!.reason).toContain("password");
  expect(JSON.stringify(it.fleet.statuses())).not.toContain("not-this-one");

  const right = mqttDevice(broker.port, 3, { user: "mill", password: "right" });
  await it.fleet.apply({ rev: 2, devices: [right] });
  await until(() => it.fleet.statuses()[0]!.linkState === "up");
  // Mosquitto takes the subscription and sends nothing; the tag waits and says so.
  await until(() => it.newest(3)?.quality === QUALITY["bad.waitingForData"]);
});
