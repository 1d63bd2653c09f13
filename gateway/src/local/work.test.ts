import { expect, test } from "bun:test";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "@millrace/contract/std/clock";
import type { ManifestDevice } from "@millrace/contract/wire/manifest";
import { fakeTag } from "../../test/fake-plant.ts";
import { localRig, OWN_PIN } from "../../test/local-rig.ts";
import { ModbusSimulator } from "../drivers/modbus/simulator.ts";
import { COMMISSIONING } from "./held-switch.ts";

/** What a person at the machine may switch and do: real devices behind real sockets, the page's time held by the test. */

const DEVICE = "00000000-0000-7000-8000-0000000000cc";

const press = (port: number): ManifestDevice => ({
  deviceId: DEVICE,
  name: "Press <1>",
  path: "plant/press",
  driver: "modbus",
  settings: { host: "127.0.0.1", port, unit: 1, timeoutMs: 500 },
  tags: [fakeTag(1, { address: "holding:0", dataType: "uint16" })],
});

test("S45: read-only until commissioning mode: on for half an hour, seen everywhere, over by itself", async () => {
  const plant = await ModbusSimulator.start(systemClock, 0);
  await using _ = { [Symbol.asyncDispose]: () => plant.close() };
  plant.unit(1).holding.set([11]);
  await using rig = await localRig({ devices: [press(plant.port)] });
  const ada = await rig.inside();
  expect(await ada.text("/service")).not.toContain("Test the connection");
  for (const path of ["/service/test", "/service/restart"]) {
    await ada.post(path, { deviceId: DEVICE });
    expect(await ada.text("/service")).toContain("Commissioning mode is off");
  }
  const before = rig.changes();
  await ada.post("/service/begin");
  expect(rig.local.state().commissioningUntilMs).toBe(rig.clock.nowMs() + COMMISSIONING.ms);
  expect(rig.local.commissioning.armedUntilMs()).toBe(rig.clock.nowMs() + COMMISSIONING.ms);
  expect(rig.changes()).toBe(before + 1);
  for (const path of ["/", "/tags", "/service", "/pin"])
    expect(await ada.text(path)).toContain("Commissioning mode is on</strong> (Ada); it ends in 30 min");
  await ada.post("/service/test", { deviceId: DEVICE });
  expect(await ada.text("/service")).toMatch(/Press &lt;1&gt; answers in [\d.]+ ms/);
  await ada.post("/service/restart", { deviceId: DEVICE });
  expect(await ada.text("/service")).toContain("The link of Press &lt;1&gt; was restarted");
  await ada.post("/service/test", { deviceId: "elsewhere" });
  expect(await ada.text("/service")).toContain("no such device");
  // Nobody gains time by setting the clock.
  rig.clock.stepWall(-3_600_000);
  await rig.clock.advance(10 * 60_000);
  expect(await ada.text("/service")).toContain("for 20 min more");
  await rig.clock.advance(10 * 60_000);
  await ada.text("/service");
  await rig.clock.advance(10 * 60_000);
  expect(rig.local.commissioning.armedUntilMs()).toBeNull();
  expect(rig.codes().slice(2)).toEqual([
    "commissioning.began",
    "local.deviceTested",
    "local.deviceRestarted",
    "commissioning.ended",
  ]);
  expect(rig.events[3]).toMatchObject({ deviceId: DEVICE, data: { name: "Ada", ok: true } });
}, 20_000);

test("a device that does not answer is told with its cause and the next step; the button ends the mode", async () => {
  await using rig = await localRig({ devices: [press(1)] });
  const ada = await rig.inside();
  await ada.post("/service/begin");
  await ada.post("/service/test", { deviceId: DEVICE });
  expect(await ada.text("/service")).toMatch(/Press &lt;1&gt;: .*refused/);
  expect(rig.events.at(-1)?.data.ok).toBe(false);
  await ada.post("/service/end");
  expect(rig.local.state().commissioningUntilMs).toBeNull();
  expect(rig.events.at(-1)).toMatchObject({ code: "commissioning.ended", data: { why: "Ada ended it" } });
});

test("a test from the page goes on when the hub goes away", async () => {
  await using rig = await localRig({ devices: [press(1)] });
  // Nobody routes to it, so the test waits until its limit.
  const body = { kind: "connection", driver: "modbus", settings: { host: "192.0.2.1", port: 502, unit: 1 } };
  const asked = rig.field.take({ requestId: "local", limitMs: 300, body }, "machine");
  rig.field.abandon();
  expect(await asked).not.toBeNull();
});

test("the lockout holds across restarts until somebody releases it, and when nobody knows whether it was on", async () => {
  const folder = await mkdtemp(join(tmpdir(), "millrace-lockout-"));
  await using _ = { [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) };
  {
    await using rig = await localRig({ folder });
    const ada = await rig.inside();
    expect(rig.local.lockout.on()).toBe(false);
    await ada.post("/service/lockout");
    await ada.post("/service/begin");
    expect(rig.local.state().lockedOut).toBe(true);
  }
  {
    await using rig = await localRig({ folder });
    expect(rig.local.lockout.on()).toBe(true);
    expect(rig.local.commissioning.armedUntilMs()).toBeNull();
    const bob = rig.visitor();
    await bob.signIn(OWN_PIN, "Bob");
    expect(await bob.text("/")).toContain("Writes from afar are locked out</strong> (Ada)");
    await bob.text("/service");
    await bob.post("/service/release");
    expect(rig.local.lockout.on()).toBe(false);
    expect(rig.codes()).toEqual(["local.signedIn", "lockout.released"]);
  }
  await writeFile(join(folder, "lockout.json"), "{");
  await using rig = await localRig({ folder });
  expect(rig.local.lockout.on()).toBe(true);
});
