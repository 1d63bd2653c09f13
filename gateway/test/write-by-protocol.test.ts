import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { systemClock } from "@millrace/contract/std/clock";
import type { ManifestTag } from "@millrace/contract/wire/manifest";
import { connectAsync, type MqttClient } from "mqtt";
import type { WritePermit } from "../src/commands/write.ts";
import { until } from "../src/driver/conformance.ts";
import { Line } from "../src/driver/cuttable-line.ts";
import { type OpcuaPeer, opcuaPeer } from "../src/drivers/opcua/peer.ts";
import { Mosquitto } from "./peers/mosquitto.ts";
import { type Snap7Peer, snap7Peer } from "./snap7-peer.ts";
import { writable, writeRig } from "./write-rig.ts";

// Signed commands through the whole gateway to devices of foreign make, protocol by protocol. Modbus: commands/write.test.ts.
setDefaultTimeout(30_000);

const LIMITS = { min: -1_000, max: 1_000 };

async function plant(
  driver: string,
  settings: Record<string, unknown>,
  tags: ManifestTag[],
  permit: Partial<WritePermit> = {},
) {
  const device = {
    deviceId: "01938f5e-7c1a-7b2e-9d30-0000000000cc",
    name: "Press",
    path: "plant/press",
    driver,
    settings,
    tags,
  };
  const rig = await writeRig({ devices: [device], permit });
  await until(() => rig.fleet.statuses()[0]?.linkState === "up", 10_000);
  return rig;
}

describe("S7, Snap7", () => {
  let peer: Snap7Peer;
  beforeAll(async () => {
    peer = await snap7Peer();
  }, 60_000);
  afterAll(() => peer?.[Symbol.asyncDispose]());

  const tags = [
    writable(1, { address: "DB2.REAL100", dataType: "float32", write: LIMITS }),
    writable(2, { address: "DB2.DBX104.3", dataType: "boolean", write: { pulseMs: 60 } }),
    writable(3, { address: "DB2.STRING110.10", dataType: "text", write: {} }),
    writable(4, { address: "DB2.INT130", dataType: "int16", write: LIMITS }),
  ];
  const open = () => plant("s7", { host: "127.0.0.1", port: peer.port, timeoutMs: 2_000 }, tags);

  test("a value is written over the one that was seen, and reads back", async () => {
    await using it = await open();
    expect(await it.write(1, 12.5, 0)).toMatchObject({ outcome: "done", before: 0, after: 12.5 });
    expect(await peer.tell("get 2 100 4")).toBe("41480000");
    expect(await it.write(3, "Race 7", "")).toMatchObject({ outcome: "done", after: "Race 7" });
    expect(await it.write(4, 5, 4)).toMatchObject({ outcome: "failed", code: "write.changed", before: 0 });
    expect(await peer.tell("get 2 130 2")).toBe("0000");
  });

  test("a momentary bit is pressed, held and taken back, and its neighbours stay", async () => {
    await using it = await open();
    expect(await it.write(2, true, false)).toMatchObject({ outcome: "done", after: false });
    expect(await peer.tell("get 2 104 1")).toBe("00");
  });
});

describe("OPC UA, server of node-opcua", () => {
  let peer: OpcuaPeer;
  beforeAll(async () => {
    peer = await opcuaPeer();
  }, 60_000);
  afterAll(() => peer?.[Symbol.asyncDispose]());

  const URI = "nsu=urn:millrace:peer;s=";
  const tags = [
    writable(1, { address: `${URI}wDouble`, dataType: "float64", write: LIMITS }),
    writable(2, { address: `${URI}wBoolean`, dataType: "boolean", write: { pulseMs: 60 } }),
    writable(3, { address: `${URI}wInt64`, dataType: "int64", write: LIMITS }),
    writable(4, { address: `${URI}Int16`, dataType: "int16", write: { min: -32_768, max: 32_767 } }),
    writable(5, { address: `${URI}wArray element=2`, dataType: "float64", write: LIMITS }),
  ];
  const open = (updates: string, port = peer.port, more: object = {}, permit: Partial<WritePermit> = {}) => {
    const endpoint = `opc.tcp://127.0.0.1:${port}`;
    const settings = { endpoint, security: "none-insecure", updates, timeoutMs: 3_000, ...more };
    return plant("opcua", settings, tags, permit);
  };

  test.each(["subscribe", "poll"])(
    "updates by %s: written in the node's own type, and read back",
    async (updates) => {
      peer.tell({ do: "set", node: "wDouble", value: 1.5 });
      peer.tell({ do: "set", node: "wInt64", value: [0, 7] });
      await peer.counts();
      await using it = await open(updates);
      expect(await it.write(1, 61.5, 1.5)).toMatchObject({ outcome: "done", before: 1.5, after: 61.5 });
      expect(await it.write(3, "-3", "7")).toMatchObject({ outcome: "done", before: "7", after: "-3" });
      const third = updates === "subscribe" ? 3.5 : -8;
      expect(await it.write(5, -8, third)).toMatchObject({ outcome: "done", before: third, after: -8 });
    },
  );

  test("a node that nobody may write is refused in the server's words", async () => {
    await using it = await open("subscribe");
    const told = await it.write(4, 1, -32_767);
    expect(told).toMatchObject({ outcome: "failed", code: "device.refused", before: -32_767, after: null });
    expect(told.message).toContain("BadNotWritable");
  });

  test("a link lost before the answer leaves doubt, is made anew at once, and the write never comes again", async () => {
    peer.tell({ do: "set", node: "wDouble", value: 1.5 });
    await peer.counts();
    await using line = await Line.to(peer.port);
    // Asked when the command comes, before the look and after it: from there on no answer comes through.
    let asked = 0;
    const lockedOut = () => {
      if (++asked === 3) {
        line.silence(true);
        systemClock.after(300, () => line.cut());
      }
      return false;
    };
    // By its own silence the subscription would be found dead after two minutes.
    await using it = await open("subscribe", line.port, { keepAliveMs: 60_000 }, { lockedOut });
    expect(await it.write(1, 61.5, 1.5)).toMatchObject({ outcome: "unknown", code: "link.lost" });
    expect(it.fleet.statuses()[0]?.linkState).not.toBe("up");
    // The server had it; somebody at the machine sets another value, which stays.
    peer.tell({ do: "set", node: "wDouble", value: 2.5 });
    await peer.counts();
    line.silence(false);
    await until(() => it.fleet.statuses()[0]?.linkState === "up", 20_000);
    expect(await it.write(1, 3.5, 2.5)).toMatchObject({ outcome: "done", before: 2.5, after: 3.5 });
  });

  test("a momentary bit is taken back", async () => {
    peer.tell({ do: "set", node: "wBoolean", value: false });
    await peer.counts();
    await using it = await open("subscribe");
    expect(await it.write(2, true, false)).toMatchObject({ outcome: "done", after: false });
  });
});

describe("MQTT, Mosquitto and a device of its own", () => {
  let broker: Mosquitto;
  let device: MqttClient;
  beforeAll(async () => {
    broker = await Mosquitto.start();
    device = await connectAsync(`mqtt://127.0.0.1:${broker.port}`);
    // It reports what it was told, in its own time, and keeps its limits.
    device.on("message", (topic, payload) => {
      const told = topic === "oven/set" ? JSON.parse(payload.toString()).setpoint : payload.toString();
      const held = typeof told === "number" ? JSON.stringify({ setpoint: Math.min(told, 90) }) : told;
      setTimeout(() => device.publish(topic.replace("/set", ""), held, { retain: true }), 150);
    });
    await device.subscribeAsync(["oven/set", "horn/set"], { qos: 1 });
  });
  afterAll(async () => {
    await device.endAsync(true);
    await broker[Symbol.asyncDispose]();
  });

  const tags = [
    writable(1, {
      address: "oven json=$.setpoint set=oven/set setjson=$.setpoint",
      dataType: "float64",
      write: LIMITS,
    }),
    writable(2, {
      address: "horn set=horn/set on=ON off=OFF",
      dataType: "boolean",
      write: { pulseMs: 60 },
    }),
  ];

  test("a value waits for the device's report; a device that limits it is no success", async () => {
    const settings = { broker: `mqtt://127.0.0.1:${broker.port}`, firstValueMs: 500, reportMs: 600 };
    await using it = await plant("mqtt", settings, tags);
    // What the broker kept is of unknown age and nothing to write over.
    await device.publishAsync("oven", `{"setpoint":20}`, { retain: true });
    await device.publishAsync("horn", "OFF");
    const written = async () => ({ code: "", ...(await it.write(1, 55.5, 20)) });
    let told = await written();
    for (let tries = 0; told.code === "write.unseen" && tries < 20; tries++) told = await written();
    expect(told).toMatchObject({ outcome: "done", before: 20, after: 55.5 });
    const limited = await it.write(1, 120, 55.5);
    expect(limited).toMatchObject({ outcome: "unknown", code: "device.timeout", before: 55.5 });
    expect(limited.message).toContain("reported 90");
    expect(await it.write(1, 30, 90)).toMatchObject({ outcome: "done", after: 30 });
  });

  test("a momentary switch is pressed by its own words and taken back", async () => {
    const settings = { broker: `mqtt://127.0.0.1:${broker.port}`, firstValueMs: 500, reportMs: 600 };
    await using it = await plant("mqtt", settings, tags);
    const pressed = async () => {
      await device.publishAsync("horn", "OFF");
      return { code: "", ...(await it.write(2, true, false)) };
    };
    let told = await pressed();
    for (let tries = 0; told.code === "write.unseen" && tries < 20; tries++) told = await pressed();
    expect(told).toMatchObject({ outcome: "done", after: false });
  });
});
