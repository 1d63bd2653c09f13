import { expect, setDefaultTimeout, test } from "bun:test";
import { systemClock } from "@millrace/contract/std/clock";
import { doctorRig, fastClock, patient } from "../../../test/doctor-rig.ts";

// Faults that a simulated machine plays must look to the bus doctor as those of a real one.
setDefaultTimeout(30_000);

test.concurrent("a sound machine: its answers are counted, and nothing is found", async () => {
  await using rig = await doctorRig([
    patient("simulator", { machine: "press-1", answerMs: 20 }, ["sine"], { dataType: "float64" }),
  ]);
  while ((rig.first().units[0]?.answers ?? 0) < 5) await systemClock.sleep(20);
  expect(rig.first().findings).toEqual([]);
  expect(rig.first().units[0]!.p50Ms).toBeGreaterThanOrEqual(15);
});

test.concurrent("a machine that is slower than its timeout", async () => {
  const settings = { machine: "press-1", timeoutMs: 500, slow: "3599s/1h", slowMs: 900 };
  const machine = patient("simulator", settings, ["sine"], { dataType: "float64" });
  await using rig = await doctorRig([machine], fastClock(10));
  const found = await rig.finding("timeout.tight");
  expect(found).toMatchObject({ level: "fault", setting: "timeoutMs" });
  expect(found.words).toContain("900 ms");
});

test.concurrent("a machine that says nothing", async () => {
  const settings = { machine: "press-1", timeoutMs: 500, silent: "3599s/1h" };
  const machine = patient("simulator", settings, ["sine"], { dataType: "float64" });
  await using rig = await doctorRig([machine], fastClock(10));
  expect(await rig.finding("line.silent")).toMatchObject({ level: "fault" });
});
