import { expect, test } from "bun:test";
import { systemClock } from "@millrace/contract/std/clock";
import { QUALITY } from "@millrace/contract/vocabulary/quality";
import { COMMAND_MS_MAX } from "@millrace/contract/wire/command";
import { decodeEvents, encodeEvents, type GatewayEvent } from "@millrace/contract/wire/event";
import { deviceOf, EdgeRig, type RigOptions, tagOf } from "../../test/edge-rig.ts";
import { NO_HOLDS } from "../../test/no-holds.ts";
import { hubKey, writable, writeRig } from "../../test/write-rig.ts";
import { until } from "../driver/conformance.ts";
import { ModbusSimulator } from "../drivers/modbus/simulator.ts";
import { EDGE, type Output } from "./edge-node.ts";
import { HostWrites } from "./writes.ts";

/** What a host asks to be written: payloads are made by Eclipse Tahu's code, the device speaks real Modbus. */

const LIMITS = { min: 0, max: 100 };
function rigOf(options: RigOptions = {}): EdgeRig {
  const rig = new EdgeRig({
    writes: true,
    devices: [
      deviceOf(1, "Press", [
        tagOf(1, "Speed", "float64", LIMITS),
        tagOf(2, "Shown"),
        tagOf(3, "Guarded", "float64", { ...LIMITS, class: 2 }),
        tagOf(4, "Big", "int64", { min: -5, max: 5 }),
      ]),
      deviceOf(2, "Oven", [tagOf(5, "Heat", "boolean", {})]),
    ],
    ...options,
  });
  rig.connect();
  return rig;
}
const why = (rig: EdgeRig) => {
  const last = rig.others.at(-1) as Output & { do: "refuse" };
  return last?.do === "refuse" ? last.refusal.why : "not refused";
};
const speed = (value: number) => ({ name: "Speed", type: "Double", value });

test("SP21: writes are off unless somebody switched them on; then a command is refused and told", () => {
  const rig = rigOf({ writes: false });
  rig.command("Press", [speed(5)]);
  expect(rig.others).toMatchObject([{ do: "refuse", refusal: { device: "Press", metric: "" } }]);
  expect(why(rig)).toContain("off for this gateway");
});

test("SP22: a command names its metric by alias or by name, and is an order in the tag's own type", () => {
  const rig = rigOf();
  rig.command("Press", [speed(5), { alias: 16 + 4, type: "Int64", value: -3 }]);
  rig.pass(1);
  rig.command("Oven", [{ name: "Heat", type: "Boolean", value: true }]);
  const orders = rig.others.map((output) => output.do === "write" && output.order);
  expect(orders).toMatchObject([
    { metric: { tag: { tagNo: 1 } }, value: 5 },
    { metric: { tag: { tagNo: 4 } }, value: "-3" },
    { metric: { tag: { tagNo: 5 } }, value: true },
  ]);
});

test("SP23: what is kept, old, without a time, for nobody, for another, or asks for a person is refused", () => {
  const rig = rigOf();
  const refused = (device: string, metric: object, timestamp?: number | null): string => {
    rig.pass(1);
    rig.command(device, [metric], timestamp === undefined ? rig.wallMs : timestamp);
    return why(rig);
  };
  expect(refused("Press", speed(1), null)).toContain("no time");
  expect(refused("Press", speed(1), rig.wallMs - COMMAND_MS_MAX - 1_000)).toContain("31 s ago");
  expect(refused("Press", speed(1), rig.wallMs + 60_000)).toContain("1 min ahead");
  expect(refused("Nobody", speed(1))).toContain("no such device");
  expect(refused("Oven", speed(1))).toContain("no such metric");
  expect(refused("Oven", { alias: 16 + 1, type: "Double", value: 1 })).toContain("no such metric");
  expect(refused("Press", { name: "Shown", type: "Double", value: 1 })).toContain("off");
  expect(refused("Press", { name: "Guarded", type: "Double", value: 1 })).toContain("password");
  expect(refused("Press", { name: "Speed", type: "String", value: "1" })).toContain("text");
  rig.offline.add(rig.devices[1]!.deviceId);
  rig.tick();
  expect(refused("Oven", { name: "Heat", type: "Boolean", value: true })).toContain("offline");
  expect(rig.others.every((output) => output.do === "refuse")).toBe(true);
});

test("SP24: a command that comes twice is done once, and one for another node never", () => {
  const rig = rigOf();
  rig.command("Press", [speed(5)]);
  rig.command("Press", [speed(5)]);
  expect(rig.others.map((output) => output.do)).toEqual(["write", "refuse"]);
  expect(why(rig)).toContain("taken before");
  rig.hear("spBv1.0/Plant/DCMD/other/Press", new Uint8Array());
  rig.hear("spBv1.0/Plant/DCMD/GW 1/Press/more", new Uint8Array());
  expect(rig.others).toHaveLength(2);
  rig.hear("spBv1.0/Plant/DCMD/GW 1/Press", Uint8Array.of(0x0a, 0xff));
  expect(why(rig)).toContain("garbled");
  rig.pass(EDGE.rebirthGapMs);
  rig.command(
    "Press",
    Array.from({ length: 40 }, () => speed(5)),
  );
  expect(rig.others.filter((output) => output.do === "write")).toHaveLength(1 + 32);
  expect(why(rig)).toContain("more than 32");
});

test("SP25: an order goes the way of every write: limits, the lockout, compare and read back, told as an event", async () => {
  const simulator = await ModbusSimulator.start(systemClock);
  simulator.unit(1).holding.set([40, 7]);
  const tags = [writable(1, { address: "holding:0", write: LIMITS }), writable(2, { address: "holding:1" })];
  const device = {
    ...deviceOf(1, "Press", tags),
    settings: { host: "127.0.0.1", port: simulator.port, timeoutMs: 500 },
  };
  let lockedOut = false;
  await using plant = await writeRig({ devices: [device], key: hubKey() });
  await until(() => plant.fleet.statuses()[0]?.linkState === "up");
  const events: GatewayEvent[] = [];
  const writes = new HostWrites({
    clock: systemClock,
    fleet: plant.fleet,
    permit: { lockedOut: () => lockedOut, armedBy: () => null, needsArming: false },
    holds: NO_HOLDS,
    newId: () => device.deviceId,
    report: (event) => events.push(event),
    broker: "mqtt://127.0.0.1",
  });
  const rig = new EdgeRig({ writes: true, devices: [device] });
  rig.values.set(1, { value: 40, quality: QUALITY.good, timeMs: rig.wallMs });
  rig.connect();
  const ask = async (value: number, lateMs = 0) => {
    rig.others.length = 0;
    rig.pass(1);
    rig.command("Press", [{ name: "tag1", type: "UInt16", value }]);
    for (const output of rig.others) {
      if (output.do === "refuse") writes.refuse(output.refusal);
      if (output.do !== "write") continue;
      const expiresMonoMs = systemClock.monoMs() + 10_000 - lateMs;
      writes.take({ ...output.order, expiresMonoMs });
    }
    await writes.settled();
    return events.at(-1)?.data;
  };
  expect(await ask(61)).toMatchObject({
    outcome: "done",
    device: "Press",
    metric: "tag1",
    before: 40,
    after: 61,
  });
  expect(simulator.writes).toEqual([{ unit: 1, area: "holding", offset: 0, words: [61] }]);
  // The machine holds another value now than this edge node told.
  expect(await ask(62)).toMatchObject({ outcome: "failed", code: "write.changed" });
  rig.put(1, 61);
  expect(await ask(101)).toMatchObject({ outcome: "failed", code: "write.limits" });
  expect(await ask(62, 20_000)).toMatchObject({ outcome: "expired" });
  lockedOut = true;
  expect(await ask(62)).toMatchObject({ outcome: "failed", code: "write.lockedOut" });
  expect(simulator.writes).toHaveLength(1);
  expect([writes.done, writes.refused]).toEqual([1, 4]);
  for (let n = 0; n < 30; n++) writes.refuse({ device: "x".repeat(60_000), metric: "", why: "a flood" });
  expect(decodeEvents(encodeEvents(events.slice(-10)))).toHaveLength(10);
  expect(events.filter(({ data }) => data.outcome === "refused")).toHaveLength(10);
  expect(writes.refused).toBe(34);
  expect(events.every(({ code, message }) => code === "sparkplug.commanded" && message.length <= 500)).toBe(
    true,
  );
  await simulator.close();
});
