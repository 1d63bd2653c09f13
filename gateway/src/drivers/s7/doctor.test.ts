import { expect, setDefaultTimeout, test } from "bun:test";
import { systemClock } from "@millrace/contract/std/clock";
import { doctorRig, fastClock, patient } from "../../../test/doctor-rig.ts";
import { snap7Peer } from "../../../test/snap7-peer.ts";
import { S7Simulator } from "./simulated-cpu.ts";

// What is wrong with a Siemens CPU or its settings, on a real socket; Snap7's server stands in where it can be wrong so.
setDefaultTimeout(30_000);

async function plant() {
  const simulator = await S7Simulator.start(systemClock);
  simulator.db(1, 400);
  const device = (more: object = {}, addresses = ["DB1.DBW0"], rest = {}) =>
    patient("s7", { host: "127.0.0.1", port: simulator.port, timeoutMs: 200, ...more }, addresses, rest);
  return { simulator, device };
}

test("PUT/GET is off: the switch in TIA is named", async () => {
  const { simulator, device } = await plant();
  await using _ = simulator;
  simulator.refuses = 0x8104;
  await using rig = await doctorRig([device()]);
  const found = await rig.finding("access.off");
  expect(found.level).toBe("fault");
  expect(found.words).toContain("Permit access with PUT/GET communication");
  expect(rig.first().units[0]!.exceptions[0]!.code).toBe("0x8104");
});

test("one place that may not be read is named with its switch", async () => {
  const { simulator, device } = await plant();
  await using _ = simulator;
  simulator.illegal.set("db:1:120", 0x03);
  await using rig = await doctorRig([device({}, ["DB1.DBW0", "DB1.DBW120"])]);
  const found = await rig.finding("access.off");
  expect(found.words).toContain("DB1.DBW120 (code 0x03)");
});

test("the CPU sits in another slot: the one that answers is named", async () => {
  const { simulator, device } = await plant();
  await using _ = simulator;
  simulator.slots = [2];
  await using rig = await doctorRig([device({ connectTimeoutMs: 300 })]);
  const found = await rig.finding("link.place");
  expect(found).toMatchObject({ level: "fault", setting: "slot" });
  expect(found.words).toContain("Slot 2 answers: set slot to 2");
});

test("a text that does not fit into the telegrams our own setting allows", async () => {
  const { simulator, device } = await plant();
  await using _ = simulator;
  simulator.db(2, 600).set([254, 254, ...Buffer.alloc(254, "x")], 0);
  await using rig = await doctorRig([device({ pduMax: 240 }, ["DB2.STRING0.254"], { dataType: "text" })]);
  const found = await rig.finding("pdu.short");
  expect(found).toMatchObject({ level: "warn", setting: "pduMax" });
  expect(found.words).toContain("raise `pduMax` to 960");
});

test("answers that come after the timeout", async () => {
  const { simulator, device } = await plant();
  await using _ = simulator;
  simulator.always = { do: "late", ms: 70 };
  await using rig = await doctorRig([device({ timeoutMs: 500, connectTimeoutMs: 5_000 })], fastClock(10));
  const found = await rig.finding("timeout.tight");
  expect(found.setting).toBe("timeoutMs");
  expect(found.words).toMatch(/came after it was given up/);
});

test("Snap7's CPU lacks a block: it is named, and the rest is read", async () => {
  await using peer = await snap7Peer();
  const settings = { host: "127.0.0.1", port: peer.port };
  await using rig = await doctorRig([patient("s7", settings, ["DB1.DBW0", "DB7.DBW0"])]);
  const found = await rig.finding("address.illegal");
  expect(found.level).toBe("warn");
  expect(found.words).toContain("DB7 is not in the CPU, or it is an optimized block");
  expect(rig.first().units[0]!.answers).toBeGreaterThan(0);
});
